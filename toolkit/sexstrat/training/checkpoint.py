"""Keep and restore the state of a run: weights, optimizer, running average and log, in one plain file."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import ModelError

__all__ = ["Checkpoint", "load_checkpoint", "save_checkpoint"]

_GROUPS = ("model", "optimizer", "average", "best")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checkpoint:
    """All that is needed to go on as if nothing had happened.

    Parameters
    ----------
    recipe : the plan's recipe; a checkpoint of another recipe is refused.
    updates : updates of the running average so far.
    model, optimizer : variables in the order Keras lists them.
    average : running average of the model's weights.
    best : the average of the epoch with the highest validation AUC.
    log : one dictionary a finished epoch.
    """

    recipe: dict[str, Any]
    updates: int
    model: list[NDArray[Any]]
    optimizer: list[NDArray[Any]]
    average: list[NDArray[Any]]
    best: list[NDArray[Any]]
    log: list[dict[str, float]]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint so that a crash leaves either the old one or the new one, never half of one.

    Parameters
    ----------
    path : file to write, ``.npz``.
    checkpoint : the state.
    """
    arrays: dict[str, Any] = {}
    for group in _GROUPS:
        arrays |= {f"{group}_{i:04d}": value for i, value in enumerate(getattr(checkpoint, group))}
    meta = {"recipe": checkpoint.recipe, "updates": checkpoint.updates, "log": checkpoint.log}
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(file, **arrays)
    partial.replace(path)


def load_checkpoint(path: Path, recipe: dict[str, Any] | None = None) -> Checkpoint | None:
    """Read a checkpoint, or return None when there is none.

    Parameters
    ----------
    path : the file.
    recipe : the recipe of the run that wants to go on; None takes whatever recipe the checkpoint has.

    Returns
    -------
    The state, or None.

    Raises
    ------
    ModelError
        The checkpoint was written by another recipe, or is damaged.
    """
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            meta = json.loads(stored["meta"].tobytes())
            groups = {
                group: [stored[name] for name in sorted(stored.files) if name.startswith(f"{group}_")]
                for group in _GROUPS
            }
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as err:
        raise ModelError(f"the checkpoint {path} is damaged: {err}; delete it to start again") from err
    if recipe is not None and meta["recipe"] != json.loads(json.dumps(recipe)):
        changed = sorted(key for key in recipe if meta["recipe"].get(key) != json.loads(json.dumps(recipe[key])))
        raise ModelError(
            f"the checkpoint {path} was written by another recipe (differs in {', '.join(changed)}); "
            "use another folder, or delete it to start again"
        )
    return Checkpoint(recipe=meta["recipe"], updates=meta["updates"], log=meta["log"], **groups)
