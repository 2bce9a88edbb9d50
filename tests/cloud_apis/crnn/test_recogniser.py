from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from cloud_apis.crnn.recogniser import Recogniser, load_recogniser
from cloud_apis.errors import StartError
from cloud_apis.model_files import Manifest
from cloud_apis.session import Model
from tests.cloud_apis import tiny_models
from tests.cloud_apis.serving import tiny_settings

WHOLE = np.array([[0, 0], [128, 0], [128, 32], [0, 32]], np.float32)


def recogniser(models: Path, batch: int = 8) -> Recogniser:
    return load_recogniser(models, tiny_settings(models, crnn__batch=batch).crnn)


def test_a_bright_word_is_read_and_a_dark_one_is_empty(models: Path) -> None:
    bright, dark = np.full((32, 128), 255, np.uint8), np.zeros((32, 128), np.uint8)
    (text, confidences), nothing = recogniser(models).read([(bright, WHOLE), (dark, WHOLE)])
    assert text == "1"
    assert len(confidences) == 1
    assert confidences[0] > 0.9
    assert nothing == ("", ())


def test_batches_change_nothing(models: Path) -> None:
    words = [(np.full((32, 128), v, np.uint8), WHOLE) for v in (255, 0, 200, 255, 10)]
    alone = [recogniser(models).read([w])[0] for w in words]
    for batch in (1, 2, 8):
        assert recogniser(models, batch).read(words) == alone
    assert recogniser(models).read([]) == []


class _Turning:
    """A model that is sure of what it is shown at the second view only; counts the patches it is shown."""

    manifest = Manifest(name="crnn", version="1", sha256="0" * 64)

    def __init__(self) -> None:
        self.shown: list[int] = []

    def run(self, patches: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        self.shown.append(len(patches))
        logits = np.zeros((len(patches), 4, 37), np.float32)
        logits[:, 1, 11] = 1.0 if len(self.shown) == 1 else 9.0
        logits[:, 1, 12] = 1.5 if len(self.shown) == 1 else 0.0
        logits[:, [0, 2, 3], 0] = 20
        return (logits,)


@pytest.mark.parametrize(("second_look", "text", "shown"), [(0.9, "A", [1, 3]), (0.0, "B", [1]), (0.1, "B", [1])])
def test_an_unsure_word_is_looked_at_again(models: Path, second_look: float, text: str, shown: list[int]) -> None:
    model = _Turning()
    settings = tiny_settings(models, crnn__second_look=second_look).crnn
    ((read, _),) = Recogniser(cast(Model, model), settings).read([(np.zeros((32, 128), np.uint8), WHOLE)])
    assert read == text
    assert model.shown == shown


def test_another_alphabet_is_refused(tmp_path: Path) -> None:
    tiny_models.write(tmp_path, "crnn", tiny_models.crnn(), alphabet="ABC")
    with pytest.raises(StartError, match="another alphabet: ABC"):
        recogniser(tmp_path)
