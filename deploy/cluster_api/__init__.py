"""Talks to a Ray cluster over the REST interface of its dashboard: what runs, what shall run, logs."""
