"""The maps that the frozen layers give, computed once for some views of each picture: most of a CPU's time saved.

The frozen layers run in int8, as they will be served, so that the layers above learn from what they will see.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn
from tqdm import tqdm

from cloud_apis.attributes.preprocess import MEAN, SPREAD
from tools.training.attributes.fold import folded_for_good
from tools.training.attributes.lite import EfficientNetLite
from tools.training.attributes.network import REDUCED
from tools.training.attributes.pictures import Crop, plain_view, random_view, tensor_of
from tools.training.attributes.plan import Plan
from tools.training.common.export import export_onnx, quantise

CALIBRATION_PICTURES = 100
BATCH = 8


@dataclass(frozen=True, eq=False)
class FrozenMaps:
    """Maps uint8 (views, N, C, H, W) that stand for (value - zero) * scale, and whether their colours are right.

    ``reduced`` are the views themselves as the colours are looked at, uint8 RGB (views, N, H, W, 3).
    """

    values: Tensor
    reduced: Tensor
    trusted: Tensor
    scale: float
    zero: int

    @classmethod
    def of(cls, network: nn.Module, crops: Sequence[Crop], plan: Plan) -> FrozenMaps:
        """Compute them and let the network, while it trains, begin after the frozen layers.

        Raises ValueError for a backbone other than an EfficientNet-Lite.
        """
        backbone = network.get_submodule("backbone")
        if not isinstance(backbone, EfficientNetLite) or plan.frozen < 1:
            raise ValueError("views of frozen layers need an EfficientNet-Lite with at least one frozen layer")
        session, scale, zero = quantised(backbone, plan.frozen, crops, plan)
        rng = np.random.default_rng([plan.seed, 2])
        views, flags, small = [], [], []
        for view in range(plan.views):
            maps, trusted, pictures = [], [], []
            for first in tqdm(range(0, len(crops), BATCH), desc=f"maps {view + 1}", unit="batch", mininterval=5):
                seen = [random_view(crop, plan.full, rng) for crop in crops[first : first + BATCH]]
                image = tensor_of(picture for picture, _ in seen).numpy()
                pictures += [torch.from_numpy(smaller(picture)) for picture, _ in seen]
                maps.append(torch.from_numpy(session.run(None, {"image": image})[0]))
                trusted += [known for _, known in seen]
            views.append(torch.cat(maps))
            flags.append(torch.tensor(trusted))
            small.append(torch.stack(pictures))
        backbone.entry = plan.frozen
        return cls(torch.stack(views), torch.stack(small), torch.stack(flags), scale, zero)

    def batches(
        self, weights: NDArray[np.float64], plan: Plan, first_step: int
    ) -> Iterator[tuple[tuple[Tensor, Tensor], Tensor, Tensor]]:
        """Reduced pictures and maps, half of them mirrored, the examples' numbers (N,), whether colours count (N,)."""
        for step in range(first_step, plan.steps):
            rng = np.random.default_rng([plan.seed, 3, step])
            chosen = torch.from_numpy(rng.choice(len(weights), plan.batch, p=weights))
            view = torch.from_numpy(rng.integers(0, len(self.values), plan.batch))
            maps = (self.values[view, chosen].float() - self.zero) * self.scale
            mirrored = torch.from_numpy(rng.random(plan.batch) < 0.5)
            pictures = (self.reduced[view, chosen].permute(0, 3, 1, 2).float() - MEAN) / SPREAD
            for one in (maps, pictures):
                one[mirrored] = one[mirrored].flip(3)
            yield (pictures, maps), chosen, self.trusted[view, chosen]


def smaller(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A view (H, W, 3) reduced by the mean of areas as the network reduces it for the colours."""
    height, width = picture.shape[:2]
    size = (width // REDUCED, height // REDUCED)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


class _First(nn.Module):
    def __init__(self, backbone: EfficientNetLite, layers: int) -> None:
        super().__init__()
        self.parts = nn.Sequential(backbone.stem, *backbone.blocks[: layers - 1])

    def forward(self, image: Tensor) -> Tensor:
        maps: Tensor = self.parts(image)
        return maps


def quantised(
    backbone: EfficientNetLite, layers: int, crops: Sequence[Crop], plan: Plan
) -> tuple[onnxruntime.InferenceSession, float, int]:
    """A session that gives the first layers' maps as uint8, and the scale and the zero that those stand for."""
    rng = np.random.default_rng(plan.seed)
    chosen = rng.choice(len(crops), min(len(crops), CALIBRATION_PICTURES), replace=False)
    views = (tensor_of([plain_view(crops[index], plan.full)]).numpy() for index in chosen)
    first = _First(copy.deepcopy(backbone), layers)
    session, meaning = integer_session(first, torch.zeros(1, 3, *plan.full), ["map"], views)
    return session, *meaning[0]


def integer_session(
    network: nn.Module, example: Tensor, outputs: Sequence[str], views: Iterable[NDArray[np.float32]]
) -> tuple[onnxruntime.InferenceSession, list[tuple[float, int]]]:
    """A session of a network in int8 whose outputs are uint8; and the scale and zero of each.

    The network is folded in place; ``views`` calibrate it. Height and width of its input are free.
    """
    axes = {name: {0: "n", 2: f"{name}_h", 3: f"{name}_w"} for name in ("image", *outputs)}
    with tempfile.TemporaryDirectory() as folder:
        exact, small = Path(folder) / "exact.onnx", Path(folder) / "small.onnx"
        export_onnx(folded_for_good(network), example, exact, "image", outputs, axes)
        quantise(exact, small, "image", views)
        model = onnx.load(str(small))
    values = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    last = {node.output[0]: node for node in model.graph.node if node.output[0] in outputs}
    del model.graph.output[:]
    meaning = []
    for name in outputs:
        source, scale, zero = last[name].input[:3]
        model.graph.output.append(onnx.helper.make_tensor_value_info(source, onnx.TensorProto.UINT8, None))
        meaning.append((float(values[scale]), int(values[zero])))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    content = model.SerializeToString()
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"]), meaning
