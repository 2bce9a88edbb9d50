from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from torch import nn

from tools.training.common.device import Compute, choose, device_of


def test_without_a_gpu_it_is_the_cpu_as_well_as_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    for native, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr("tools.training.common.device.cpu_has_bfloat16", lambda native=native: native)
        assert choose() == choose("cpu") == Compute(torch.device("cpu"), dtype)
    with pytest.raises(ValueError, match="no GPU"):
        choose("cuda")


@pytest.mark.parametrize(("native", "dtype"), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_gpu_is_taken_in_mixed_precision(monkeypatch: pytest.MonkeyPatch, native: bool, dtype: Any) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation: native)
    assert choose() == Compute(torch.device("cuda"), dtype)
    assert choose("cpu").device.type == "cpu"
    assert choose(precision="float32").dtype is torch.float32


def test_wrong_names_are_refused() -> None:
    for names in (("tpu", "auto"), ("auto", "int4"), ("cpu", "float16")):
        with pytest.raises(ValueError, match=r"float16 is for GPUs|there is no device"):
            choose(*names)


def test_precision_is_that_of_the_products() -> None:
    network = nn.Conv2d(1, 2, 3)
    assert device_of(network) == torch.device("cpu")
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        compute = choose("cpu", name)
        with compute.autocast():
            assert network(compute.images(torch.zeros(1, 1, 8, 8))).dtype is dtype
        assert not compute.scaler().is_enabled()
        assert name in str(compute)
