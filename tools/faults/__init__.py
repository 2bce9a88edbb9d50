"""Faults that the system is put to: broken input, cut connections."""
