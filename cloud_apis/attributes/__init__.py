"""Colour, type, make and model of a car in a picture."""
