"""Darknet's networks (https://pjreddie.com/darknet/): .cfg and .weights files, and the full-size YOLOv3."""
