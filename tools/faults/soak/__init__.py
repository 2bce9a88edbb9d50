"""A long drive among faults, and whether anything grows."""
