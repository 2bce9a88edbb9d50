"""Convert a Darknet detector: ``python -m tools.training.darknet --cfg X.cfg --weights X.weights --target DIR``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.training.darknet.convert import convert
from tools.training.darknet.errors import DarknetError

DESCRIPTION = """Convert a YOLOv3 or YOLOv3-tiny plate detector of Darknet for the prediction APIs.

  python -m tools.training.darknet --cfg plates.cfg --weights plates.weights --names obj.names --target runs/converted

writes yolov3.onnx, its manifest yolov3.json with labels, anchors and strides, and apis.yaml, settings that serve it
in the size that it was trained in:

  cloud-apis serve --config runs/converted/apis.yaml --api yolov3

With other settings leave labels and anchors null, as the shipped ones do: `cloud-apis serve --models runs/converted
--api yolov3` takes both from the manifest, but pictures of the settings' net_w and net_h. To read plates too, put
craft and crnn beside them and leave out --api.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and convert; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.training.darknet",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--cfg", type=Path, required=True, help="the network's description")
    parser.add_argument("--weights", type=Path, required=True, help="its trained weights")
    parser.add_argument("--names", type=Path, help="file with the name of a class on each line (obj.names)")
    parser.add_argument("--target", type=Path, required=True, help="folder to write to")
    parser.add_argument(
        "--int8", type=Path, metavar="PICTURES", help="serve int8, calibrated on that folder's pictures"
    )
    arguments = parser.parse_args(argv)
    try:
        made = convert(arguments.cfg, arguments.weights, arguments.target, arguments.names, arguments.int8)
    except DarknetError as error:
        print(f"darknet: error: {error}", file=sys.stderr)
        return 1
    print(f"{made.file}: {made.weights} weights, classes {', '.join(made.labels)}, strides {made.strides}")
    print(f"anchors: {list(made.anchors)}")
    print(f"serve it: cloud-apis serve --config {made.settings} --api yolov3")
    return 0


if __name__ == "__main__":
    sys.exit(main())
