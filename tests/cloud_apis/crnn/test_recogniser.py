from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cloud_apis.crnn.recogniser import Recogniser, load_recogniser
from cloud_apis.errors import StartError
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


def test_another_alphabet_is_refused(tmp_path: Path) -> None:
    tiny_models.write(tmp_path, "crnn", tiny_models.crnn(), alphabet="ABC")
    with pytest.raises(StartError, match="another alphabet: ABC"):
        recogniser(tmp_path)
