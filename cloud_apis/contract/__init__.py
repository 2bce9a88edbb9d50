"""The contract between the device and the prediction APIs: paths, limits, and what the answers look like.

Both sides import it, so it needs nothing but the standard library. Parsing is strict: an answer that is not
exactly of the promised form raises `ContractError` and is never passed on half understood.
"""

from cloud_apis.contract.addresses import is_loopback, is_open_way
from cloud_apis.contract.errors import error_body
from cloud_apis.contract.limits import API_KEY_HEADER, MAX_BYTES, MAX_CROPS, MAX_PIXELS, MAX_SIDE_PX
from cloud_apis.contract.parsing import ContractError
from cloud_apis.contract.plates import (
    CRNN_PATH,
    READER_PATH,
    YOLOV3_PATH,
    PlateBox,
    PlateRead,
    Point,
    Quad,
    Word,
    crnn_answer,
    parse_crnn_answer,
    parse_yolov3_answer,
    plate_confidence,
    plate_text,
    reader_answer,
    yolov3_answer,
)

__all__ = [
    "API_KEY_HEADER",
    "CRNN_PATH",
    "MAX_BYTES",
    "MAX_CROPS",
    "MAX_PIXELS",
    "MAX_SIDE_PX",
    "READER_PATH",
    "YOLOV3_PATH",
    "ContractError",
    "PlateBox",
    "PlateRead",
    "Point",
    "Quad",
    "Word",
    "crnn_answer",
    "error_body",
    "is_loopback",
    "is_open_way",
    "parse_crnn_answer",
    "parse_yolov3_answer",
    "plate_confidence",
    "plate_text",
    "reader_answer",
    "yolov3_answer",
]
