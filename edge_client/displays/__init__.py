"""Where the annotated stream goes: a window, a web page, a video file."""
