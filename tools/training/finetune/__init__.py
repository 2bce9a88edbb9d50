"""Training the shipped models on with one's own pictures and texts, in one command."""
