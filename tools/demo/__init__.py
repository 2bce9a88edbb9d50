"""A drive that never took place: a rendered road video with its position log and the truth about its plates.

The world is measured in metres: x to the right, y up, z ahead of the camera. Pictures under work are float32
BGR in 0..1; finished frames are uint8 BGR.
"""
