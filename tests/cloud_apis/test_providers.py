"""Providers of onnxruntime on a machine that has the CPU's: what a GPU's absence looks like, and batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from cloud_apis.errors import StartError
from cloud_apis.model_files import packaged_models
from cloud_apis.providers import CPU, CUDA, asked
from cloud_apis.session import load_model

HAS_GPU = CUDA in ort.get_available_providers()


def test_none_named_means_the_cpu() -> None:
    assert asked([]) == asked([CPU]) == [(CPU, {})]


@pytest.mark.skipif(HAS_GPU, reason="this onnxruntime is the GPU's")
def test_an_onnxruntime_without_cuda_is_told_what_to_install(models: Path) -> None:
    with pytest.raises(StartError, match=r"no provider 'CUDAExecutionProvider' here; .*plate-dashcam\[gpu\]"):
        load_model(models, "crnn", ["logits"], providers=[CUDA, CPU])


@pytest.mark.skipif(HAS_GPU, reason="this onnxruntime is the GPU's")
@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_gpu_that_does_not_start_is_an_error_and_not_a_slow_api(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As the GPU's onnxruntime is without a driver: the provider is there, the session then runs on the CPU.
    monkeypatch.setattr("cloud_apis.providers.ort.get_available_providers", lambda: [CUDA, CPU])
    with pytest.raises(StartError, match=r"CUDAExecutionProvider does not start, .*nvidia-smi"):
        load_model(models, "crnn", ["logits"], providers=[CUDA, CPU])


def test_cuda_computes_in_mixed_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud_apis.providers.ort.get_available_providers", lambda: [CUDA, CPU])
    assert [(name, options.get("use_tf32")) for name, options in asked([CUDA, CPU])] == [(CUDA, "1"), (CPU, None)]


@pytest.mark.parametrize("name", ["yolov3", "craft", "crnn"])
def test_a_batch_of_the_served_networks_gives_what_each_picture_gives_alone(name: str) -> None:
    model = load_model(packaged_models(), name, lambda manifest: [])
    (image,) = model.inputs
    names = [output.name for output in model.outputs]
    model = load_model(packaged_models(), name, names)
    size = [64 if length == -1 else length for length in image.shape[1:]]
    batch = np.random.default_rng(5).uniform(0, 1, (3, *size)).astype(np.float32)
    together = model.run(batch)
    for number in range(len(batch)):
        alone = model.run(batch[number : number + 1])
        for whole, part in zip(together, alone, strict=True):
            np.testing.assert_allclose(whole[number], part[0], atol=2e-3)
