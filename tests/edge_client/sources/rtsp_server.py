"""GStreamer's RTSP server with a moving test picture in H.264, run by the system's Python in a process of its own.

Arguments: port (0 for a free one), width, height. It says its port in one line once it listens, and ends with its
standard input.
"""

import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer

Gst.init(None)
port, width, height = sys.argv[1:4]
encoder = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15"
if len(sys.argv) > 4:  # only asked whether all parts are there
    sys.exit(0 if all(Gst.ElementFactory.find(name) for name in ("x264enc", "rtph264pay", "videotestsrc")) else 1)
server = GstRtspServer.RTSPServer.new()
server.set_address("127.0.0.1")
server.set_service(port)
factory = GstRtspServer.RTSPMediaFactory.new()
factory.set_launch(
    f"( videotestsrc is-live=true ! video/x-raw,width={width},height={height},framerate=25/1 ! {encoder} "
    "! rtph264pay name=pay0 pt=96 config-interval=1 )"
)
factory.set_shared(True)
server.get_mount_points().add_factory("/car", factory)
loop = GLib.MainLoop()
if server.attach(None) == 0:
    sys.exit("cannot listen")
print(server.get_bound_port(), flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()
loop.run()
