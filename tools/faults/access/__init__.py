"""Who should not get in, see or steer: each way is tried, each has to be refused."""
