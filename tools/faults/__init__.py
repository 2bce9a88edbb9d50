"""Faults that the system is put to: broken input, cut connections, and what dies or denies in the cloud."""
