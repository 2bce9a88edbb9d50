"""A cluster on AWS: what stands around it (CloudFormation), Ray's own launcher, and what it costs."""
