"""Power cuts, full disks and disks that turn read-only, on real file systems of this machine."""
