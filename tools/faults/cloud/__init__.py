"""Faults of a cluster of Ray and of its S3."""
