"""A proxy between the device and the APIs that breaks what passes, as a schedule says."""
