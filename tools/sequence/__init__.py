"""The whole way of a deployment on this machine, command by command: `python -m tools.sequence`.

A Ray cluster and an S3 server are started here; then the commands that README documents are run one after the other,
as they are, each with what must come of it.
"""
