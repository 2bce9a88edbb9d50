"""Synthetic number plates: layouts of many countries, open fonts, and what roads and cameras do to them."""
