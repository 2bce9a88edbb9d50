"""From a trained network to the committed files: ONNX, int8 by calibration, manifest."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
import yaml
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

from cloud_apis.settings import default_config
from tools.training.common.padding import pad_within_convolutions

OPSET = 17
MODELS = Path(__file__).resolve().parents[3] / "cloud_apis" / "models"
"""Where the served models lie."""


def export_onnx(
    network: nn.Module,
    example: torch.Tensor,
    file: Path,
    input_name: str,
    outputs: Sequence[str],
    dynamic: Mapping[str, Mapping[int, str]],
) -> None:
    """Write a network in evaluation mode as float32 ONNX (opset 17); ``dynamic`` names the free axes.

    Every weight keeps its name and none is folded into another (runtimes do that when they load, and `quantise`
    before it quantises), so that `recover` can read the network back.
    """
    torch.onnx.export(
        network.cpu().eval(),
        (example,),
        str(file),
        input_names=[input_name],
        output_names=list(outputs),
        dynamic_axes={name: dict(axes) for name, axes in dynamic.items()},
        opset_version=OPSET,
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
        dynamo=False,
    )
    onnx.checker.check_model(onnx.load(str(file)))


class _Calibration(CalibrationDataReader):  # type: ignore[misc]  # the base class is untyped
    def __init__(self, input_name: str, batches: Iterable[NDArray[np.float32]]) -> None:
        self._feeds = ({input_name: batch} for batch in batches)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self._feeds, None)


def quantise(
    float_file: Path,
    int8_file: Path,
    input_name: str,
    batches: Iterable[NDArray[np.float32]],
    keep_float: Sequence[str] = (),
    method: CalibrationMethod = CalibrationMethod.MinMax,
    operators: Sequence[str] | None = None,
    ranges: Mapping[str, float] | None = None,
) -> None:
    """Static int8 quantisation (QDQ, weights per channel) calibrated on the batches.

    ``keep_float`` are the names of nodes that stay in float32, ``operators`` the types to quantise (None: all).
    ``ranges`` are the largest values of tensors that are never negative, in the place of what calibration finds.
    """
    fixed = {tensor: [{"rmin": np.float32(0), "rmax": np.float32(most)}] for tensor, most in (ranges or {}).items()}
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(float_file), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(int8_file),
            _Calibration(input_name, batches),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            calibrate_method=method,
            nodes_to_exclude=list(keep_float),
            op_types_to_quantize=list(operators) if operators else None,
            extra_options={"TensorQuantOverrides": fixed} if fixed else None,
        )
    model = onnx.load(str(int8_file))
    if pad_within_convolutions(model):
        onnx.save(model, str(int8_file))


def write_settings(models: Path, file: Path, **detector: int) -> Path:
    """Write the APIs' settings as they are shipped, but with this folder of models; ``detector`` are keys of yolov3."""
    content = yaml.safe_load(default_config().read_text(encoding="utf-8"))
    content["models"] = str(models.resolve())
    content["yolov3"] |= detector
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return file


def write_manifest(name: str, file: Path, fields: Mapping[str, Any]) -> Path:
    """Write ``<name>.json`` beside the model: its hash and what a server needs to know of it."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    manifest = file.with_name(f"{name}.json")
    manifest.write_text(json.dumps({"name": name, "file": file.name, "sha256": digest, **fields}, indent=2) + "\n")
    return manifest
