"""Millions of listing photos made into a data set: repaired, filtered, cropped, merged into classes and split."""
