"""Models in an S3 bucket, named by the hash of their content."""
