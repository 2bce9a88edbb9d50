"""The subcommands of `dashcam`."""
