"""The parts of a fit by hand: logits by the views of an eye, layers kept fixed, losses of single numbers."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sexstrat.errors import ModelError
from sexstrat.models import Head, views_of
from sexstrat.training import TrainingPlan
from sexstrat.training.fit import freeze, male_logits
from sexstrat.training.targets import losses


def left_half(pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Stand in for a network: its logit is the mean of the left half."""
    return {"sex": pixels[:, :, : pixels.shape[2] // 2].mean(axis=(1, 2, 3))[:, None]}


def test_logits_are_those_of_the_views_in_the_order_of_the_rows() -> None:
    """Left half 10, right half 20: a left eye gives 10, a right eye, mirrored, 20, an unknown one their mean."""
    pixels = np.full((3, 40, 40, 3), 10, np.uint8)
    pixels[:, :, 20:] = 20
    views = views_of("as_left_eye", ["L", "R", None])
    network = SimpleNamespace(predict_on_batch=left_half)

    def logits(rows: list[int]) -> list[float]:
        chosen = np.array(rows, dtype=np.int64)
        return male_logits(network, pixels, chosen, views=views, size=32, scaling="raw").tolist()

    assert logits([0, 1, 2]) == [10, 20, 15]
    assert logits([2, 0]) == [15, 10]
    assert logits([]) == []
    assert logits([1] * 65 + [0]) == [20] * 65 + [10]


def test_frozen_layers_do_not_learn() -> None:
    """Weights up to the named layer are no longer trainable; an unknown layer is answered with the known ones."""
    import keras

    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, name="low"), keras.layers.Dense(1, name="up")])
    freeze(network, "")
    assert len(network.trainable_variables) == 4
    freeze(network, "low")
    assert [variable.path.split("/")[-2] for variable in network.trainable_variables] == ["up", "up"]
    with pytest.raises(ModelError, match="no layer 'middle' to freeze up to; allowed: low, up"):
        freeze(network, "middle")


def test_losses_have_the_values_of_their_formulas() -> None:
    """Cross-entropy at logit 0 is ln 2; at logit 2 smoothing adds 0.1 x 2 / 2; Huber of 2 is 1.5."""
    plan = TrainingPlan(weights=Path(), out=Path(), label_smoothing=0.1, age_weight=0.3, disease_weight=0.5)
    functions, shares = losses(plan, (Head(name="sex", units=1), Head(name="age", units=1)))
    assert shares == {"sex": 1.0, "age": 0.3}

    def value(head: str, truth: float, found: float) -> float:
        arrays: list[Any] = [np.array([[number]], np.float32) for number in (truth, found)]
        return float(np.asarray(functions[head](*arrays)))

    assert value("sex", 1, 0) == pytest.approx(np.log(2), rel=1e-6)
    assert value("sex", 1, 2) == pytest.approx(np.log1p(np.exp(-2)) + 0.05 * 2, rel=1e-6)
    assert value("age", 0, 2) == pytest.approx(1.5, rel=1e-6)
    assert value("age", 0, 0.5) == pytest.approx(0.125, rel=1e-6)
