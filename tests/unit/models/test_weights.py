"""Weights come back from their file as they were, in half precision, or are refused with the reason."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sexstrat.errors import ModelError
from sexstrat.models import file_sha256, load_weights, save_weights


def small(units: int = 2) -> Any:
    import keras

    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(units), keras.layers.BatchNormalization()])


def test_saved_weights_are_loaded_in_half_precision(tmp_path: Path) -> None:
    """Another network of the same build gets the weights to 11 bits; the digest told is that of the file."""
    network, other = small(), small()
    kernel = np.array([[0.1, 1.0], [-2.0, 3.0], [1 / 3, 0.0]], np.float32)
    network.layers[0].set_weights([kernel, np.array([0.5, -0.5], np.float32)])
    digest = save_weights(network, tmp_path / "w.npz")
    assert digest == hashlib.sha256((tmp_path / "w.npz").read_bytes()).hexdigest() == file_sha256(tmp_path / "w.npz")
    load_weights(other, tmp_path / "w.npz")
    found, bias = other.layers[0].get_weights()
    assert (found == kernel.astype(np.float16).astype(np.float32)).all()
    assert found[0, 0] != kernel[0, 0]
    assert bias.tolist() == [0.5, -0.5]


def test_names_do_not_depend_on_what_was_built_before(tmp_path: Path) -> None:
    """Names count layers of the network, not layers of the session: the same weights give the same bytes."""
    digests = []
    for name in ("first.npz", "second.npz"):
        network = small()
        network.set_weights([np.ones_like(weight) for weight in network.get_weights()])
        digests.append(save_weights(network, tmp_path / name))
    with np.load(tmp_path / "second.npz") as stored:
        assert stored.files[:3] == ["0000.Dense.kernel", "0000.Dense.bias", "0001.BatchNormalization.gamma"]
    assert digests[0] == digests[1]


def test_a_weight_too_large_for_half_precision_is_refused(tmp_path: Path) -> None:
    """Above 65,504 half precision has only infinity; such a model would score nonsense."""
    network = small()
    network.layers[0].set_weights([np.full((3, 2), 70_000, np.float32), np.zeros(2, np.float32)])
    with pytest.raises(ModelError, match=r"0000\.Dense\.kernel does not fit half precision"):
        save_weights(network, tmp_path / "w.npz")


def test_weights_of_another_width_are_refused(tmp_path: Path) -> None:
    """Same names and another shape: the message has both shapes."""
    save_weights(small(2), tmp_path / "w.npz")
    with pytest.raises(ModelError, match=r"0000\.Dense\.kernel has shape \(3, 2\); the network needs \(3, 4\)"):
        load_weights(small(4), tmp_path / "w.npz")
