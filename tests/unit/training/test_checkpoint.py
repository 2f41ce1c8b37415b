"""A checkpoint brings back exactly what was saved, and never the wrong run's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sexstrat.errors import ModelError
from sexstrat.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

RECIPE = {"seed": 1, "phases": ((32, 2),)}


def state() -> Checkpoint:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(3, 2)).astype(np.float32) for _ in range(12)]
    return Checkpoint(
        recipe=RECIPE, updates=7, model=arrays, optimizer=[np.array(5, dtype=np.int64)], average=arrays[:2],
        best=arrays[:1], log=[{"epoch": 1, "validation_auc": float("nan")}],
    )  # fmt: skip


def test_saved_is_loaded(tmp_path: Path) -> None:
    """Arrays keep value, order and type; the log keeps its nan."""
    save_checkpoint(tmp_path / "c.npz", state())
    found = load_checkpoint(tmp_path / "c.npz", RECIPE)
    assert found is not None
    assert found.updates == 7
    assert all((a == b).all() for a, b in zip(found.model, state().model, strict=True))
    assert found.optimizer[0].dtype == np.int64
    assert np.isnan(found.log[0]["validation_auc"])
    assert [path.name for path in tmp_path.iterdir()] == ["c.npz"]


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    """A fresh folder starts at the beginning."""
    assert load_checkpoint(tmp_path / "c.npz", RECIPE) is None


def test_another_recipe_is_refused_and_the_difference_named(tmp_path: Path) -> None:
    """Going on with another recipe would mix two runs."""
    save_checkpoint(tmp_path / "c.npz", state())
    with pytest.raises(ModelError, match="another recipe \\(differs in seed\\)"):
        load_checkpoint(tmp_path / "c.npz", RECIPE | {"seed": 2})


def test_a_damaged_checkpoint_is_said_to_be_so(tmp_path: Path) -> None:
    """Half a file is an error with advice, not a silent fresh start."""
    save_checkpoint(tmp_path / "c.npz", state())
    whole = (tmp_path / "c.npz").read_bytes()
    (tmp_path / "c.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"is damaged.*delete it to start again"):
        load_checkpoint(tmp_path / "c.npz", RECIPE)
