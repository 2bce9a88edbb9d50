"""Finding the text lines of a plate: CRAFT region and affinity maps, and the lines read from them."""
