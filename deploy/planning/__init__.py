"""How many machines a number of cameras takes, and what they cost."""
