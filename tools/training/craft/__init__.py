"""Training of the CRAFT network that finds a plate's characters and links them to lines (Baek et al., 2019)."""
