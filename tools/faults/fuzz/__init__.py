"""Input that nobody would send on purpose, in large numbers, to whatever reads input from outside."""
