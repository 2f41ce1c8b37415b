"""Train one model: fixed parts, fit, and the test part measured once at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import ModelError
from sexstrat.models.backbones import backbone
from sexstrat.models.views import views_of
from sexstrat.training.crossfit import lower_features
from sexstrat.training.epochs import Progress
from sexstrat.training.evaluate import performance_rows
from sexstrat.training.examples import Examples
from sexstrat.training.fit import male_logits
from sexstrat.training.members import fit_members
from sexstrat.training.pixel_cache import PixelCache
from sexstrat.training.plan import TrainingPlan
from sexstrat.training.split import part_of
from sexstrat.training.upper_fit import fit_upper

__all__ = ["TrainingResult", "held_out_performance", "part_rows", "train"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingResult:
    """A trained model.

    Parameters
    ----------
    plan : the recipe it came from.
    network : Keras model with the kept weights.
    progress : log by epoch, and the epoch that was kept.
    rows : rows of each part: train, validation, test.
    """

    plan: TrainingPlan
    network: Any
    progress: Progress
    rows: dict[str, NDArray[np.int64]]


def part_rows(examples: Examples, cache: PixelCache, split: str) -> dict[str, NDArray[np.int64]]:
    """Return the rows of the train, validation and test parts, all photographs of a person in one.

    Refused photographs, placeholders and people without recorded male or female are in none.

    Parameters
    ----------
    examples : photographs with labels.
    cache : what became of each photograph.
    split : one of ``SPLITS``.

    Returns
    -------
    Rows by part.

    Examples
    --------
    The last photograph could not be read and is in no part.

    >>> import pandas as pd
    >>> from pathlib import Path
    >>> from sexstrat.training import join_examples
    >>> images = pd.DataFrame({"image_id": list("abcd"), "patient_id": list("1233"), "path": list("abcd")})
    >>> persons = pd.DataFrame({"patient_id": list("123"), "recorded_sex": ["male", "female", "female"]})
    >>> table = pd.DataFrame({"status": ["ok", "ok", "ok", "empty_file"]})
    >>> cache = PixelCache(pixels=np.zeros((4, 8, 8, 3), np.uint8), table=table)
    >>> parts = part_rows(join_examples(images, persons, root=Path()), cache, "stable")
    >>> {name: rows.tolist() for name, rows in parts.items()}
    {'train': [2], 'validation': [1], 'test': [0]}
    """
    part = part_of(examples.group.tolist(), examples.strata(split))
    fit_for_use = examples.usable & cache.readable
    return {name: np.flatnonzero((part == name) & fit_for_use) for name in ("train", "validation", "test")}


def train(plan: TrainingPlan, examples: Examples, cache: PixelCache) -> TrainingResult:
    """Fit the plan on the training part, choose the epoch on the validation part, leave the test part alone.

    A run that was interrupted goes on from its last epoch. With ``freeze_to`` the lower layers run once
    and their features are cached.

    Parameters
    ----------
    plan : the recipe.
    examples : photographs with labels.
    cache : their prepared crops, of the plan's prepared size.

    Returns
    -------
    The model and its log.

    Raises
    ------
    ModelError
        Weights, recipe or crops do not fit, or a part lacks one of the sexes.
    """
    if cache.pixels.shape[1] != plan.prepared_size:
        raise ModelError(f"the crops have {cache.pixels.shape[1]} pixels; the plan needs {plan.prepared_size}")
    rows = part_rows(examples, cache, plan.split)
    for name in ("train", "validation"):
        if len(np.unique(examples.male[rows[name]])) < 2:
            raise ModelError(f"the {name} part needs photographs of men and of women; it has {len(rows[name])} in all")
    if plan.freeze_to and plan.members > 1:
        raise ModelError("members are averaged when all layers are trained; leave freeze_to empty or members at 1")
    if plan.freeze_to:
        features = lower_features(plan, examples, cache)
        fitted, _ = fit_upper(plan, examples, features, rows["train"], rows["validation"])
    else:
        fitted = fit_members(plan, examples, cache.pixels, rows["train"], rows["validation"])
    return TrainingResult(plan=plan, network=fitted.network, progress=fitted.progress, rows=rows)


def held_out_performance(
    result: TrainingResult, examples: Examples, cache: PixelCache, *, data: str
) -> tuple[dict[str, Any], ...]:
    """Measure a trained model on its test part. Do this once, when nothing is left to choose.

    Parameters
    ----------
    result : the trained model.
    examples : photographs with labels.
    cache : their prepared crops.
    data : name of the data in the figures.

    Returns
    -------
    Rows for the model card's ``performance``.
    """
    rows = result.rows["test"]
    scaling = backbone(result.plan.backbone).scaling
    views = views_of(result.plan.views, examples.eye.tolist())
    logits = male_logits(result.network, cache.pixels, rows, views=views, size=result.plan.input_size, scaling=scaling)
    return performance_rows(examples, rows, logits, data=data)
