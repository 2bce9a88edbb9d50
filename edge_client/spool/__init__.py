"""Evidence kept on disk while the APIs cannot be reached, and what reads it later."""
