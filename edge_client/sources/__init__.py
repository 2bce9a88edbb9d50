"""Where pictures come from: video files, folders of pictures, streams and cameras."""
