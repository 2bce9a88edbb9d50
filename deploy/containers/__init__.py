"""Containers: the APIs on a CPU or GPU, and a compose file with an S3 store for their models."""
