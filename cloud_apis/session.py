"""onnxruntime sessions as the APIs use them: one input, named outputs, shared by several threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from cloud_apis.errors import StartError
from cloud_apis.model_files import Manifest, load_model_file
from cloud_apis.providers import asked, require_first

# They have no common base but Exception.
_LOAD_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
    RuntimeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """Name, Open Inference Protocol datatype and shape (-1 where free) of an input or output."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class Model:
    """A loaded model; `run` may be called from several threads at once."""

    def __init__(self, session: ort.InferenceSession, manifest: Manifest, outputs: Sequence[str]) -> None:
        self.manifest = manifest
        self.inputs = tuple(_tensor(i) for i in session.get_inputs())
        self.outputs = tuple(_tensor(o) for o in session.get_outputs())
        self._session = session
        self._names = list(outputs)
        present = {o.name for o in self.outputs}
        if [i.name for i in self.inputs] != ["image"] or not present.issuperset(outputs):
            wanted = ", ".join(outputs)
            raise StartError(f"{manifest.name}: expected the input 'image' and the outputs {wanted}")

    def output_shape(self, name: str) -> tuple[int, ...]:
        """The declared shape of an output, -1 where it is free."""
        return next(o.shape for o in self.outputs if o.name == name)

    def run(self, image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Outputs, in the order asked for at loading, for one batch of input."""
        result: list[NDArray[np.float32]] = self._session.run(self._names, {"image": image})
        return result


def load_model(
    folder: Path,
    name: str,
    outputs: Sequence[str] | Callable[[Manifest], Sequence[str]],
    *,
    threads: int = 1,
    providers: Sequence[str] = (),
) -> Model:
    """Load `<name>.onnx` from a folder, checked against its manifest, to run with `threads` per call.

    `outputs` names what `Model.run` gives, in this order, or finds the names in the manifest.
    `providers` are onnxruntime's execution providers in order of preference, none meaning the CPU; the first of
    them must work. Raises `StartError` when the file is missing, is not what its manifest says, or does not load.
    """
    content, manifest = load_model_file(folder, name)
    wanted = asked(providers)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Idle threads that spin would take the cores from the camera on a small machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        # Where there is but one provider, falling back would try the same again, and print that it does.
        session = ort.InferenceSession(content, options, providers=wanted, enable_fallback=int(len(wanted) > 1))
    except _LOAD_ERRORS as error:
        raise StartError(f"the model {name!r} does not load: {_first_line(error)}") from error
    require_first(session, providers)
    return Model(session, manifest, outputs(manifest) if callable(outputs) else outputs)


def _tensor(info: ort.NodeArg) -> TensorInfo:
    shape = tuple(d if isinstance(d, int) else -1 for d in info.shape)
    datatype = {"tensor(float)": "FP32", "tensor(float16)": "FP16", "tensor(uint8)": "UINT8"}
    return TensorInfo(info.name, datatype.get(info.type, info.type), shape)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
