"""The original video in segments, as a dashcam keeps it: a ring on the disk, with locks and position tracks."""
