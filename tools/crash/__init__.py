"""Power cuts: `kill -9` at random moments, and what is left afterwards."""
