"""The dashcam as a system service: its unit, how it is installed, and how it speaks with systemd."""
