"""The run of a drive: capture, coordination, displays and saving, each on threads of its own."""
