"""Score every patient by a model that never saw them: k folds of the same recipe on cached lower features."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.errors import ModelError
from sexstrat.models.backbones import backbone
from sexstrat.models.views import views_of
from sexstrat.models.weights import file_sha256, save_weights
from sexstrat.scores.breaches import typed_columns
from sexstrat.training.examples import Examples
from sexstrat.training.feature_cache import FeatureCache, cache_features
from sexstrat.training.fit import patient_level_auc
from sexstrat.training.pixel_cache import PixelCache
from sexstrat.training.plan import TrainingPlan
from sexstrat.training.split import fold_of
from sexstrat.training.upper_fit import fit_upper, fresh_split, upper_logits
from sexstrat.values.tables import table_schema

__all__ = ["cross_fit", "fold_rows", "lower_features"]

_logger = logging.getLogger(__name__)
FEATURE_WINDOWS = 4


def fold_rows(examples: Examples, folds: int, fold: int, split: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows a fold's model learns from and the rows it scores.

    All photographs of a person, under whatever ids, are in one fold. Placeholders are scored, not
    learned from.

    Parameters
    ----------
    examples : photographs with labels.
    folds : number of folds.
    fold : which one, from 0.
    split : one of ``SPLITS``.

    Returns
    -------
    Training rows and scored rows; no person is in both.

    Examples
    --------
    Photographs 0 and 2 show the same person, so they are scored together by the model that saw only the others.

    >>> from pathlib import Path
    >>> from sexstrat.training import join_examples
    >>> images = pd.DataFrame({"image_id": list("abcd"), "patient_id": list("4546"), "path": list("abcd")})
    >>> persons = pd.DataFrame({"patient_id": list("456"), "recorded_sex": ["male", "female", "female"]})
    >>> learned, scored = fold_rows(join_examples(images, persons, root=Path()), 2, 0, "stable")
    >>> learned.tolist(), scored.tolist()
    ([1, 3], [0, 2])
    """
    place = fold_of(examples.group.tolist(), folds, examples.strata(split))
    return np.flatnonzero((place != fold) & examples.usable), np.flatnonzero(place == fold)


def cross_fit(plan: TrainingPlan, examples: Examples, cache: PixelCache, folds: int, *, model_id: str) -> pd.DataFrame:
    """Fit one model a fold and score its fold; an interrupted call goes on where it stopped.

    Every fold starts from the ImageNet weights and runs the plan's epochs; nothing is chosen on the fold
    that is scored. Finished folds are read back, an unfinished one goes on from its last epoch.

    Parameters
    ----------
    plan : the recipe; ``freeze_to`` must name a layer, ``out`` holds features, checkpoints and scores.
    examples : photographs with labels.
    cache : their prepared crops.
    folds : number of folds, at least 2.
    model_id : prefix of the score table's ``model_id``.

    Returns
    -------
    The score table of ``data_schemas/score.json``, one row a photograph in the order of ``examples``.

    Raises
    ------
    ModelError
        The plan freezes nothing, or the folder belongs to another recipe.
    """
    if not plan.freeze_to:
        raise ModelError("cross-fitting caches the frozen lower layers; the plan must name the last one in freeze_to")
    features: FeatureCache | None = None
    parts: list[dict[str, Any]] = []
    for fold in range(folds):
        fold_plan = replace(plan, out=plan.out / f"fold_{fold}_of_{folds}", seed=plan.seed + fold)
        done = _finished(fold_plan, examples)
        if done is None:
            features = features or lower_features(plan, examples, cache)
            done = _fit_fold(fold_plan, examples, cache, features, folds, fold)
        parts.append(done)
    place = fold_of(examples.group.tolist(), folds, examples.strata(plan.split))
    return _score_table(examples, cache, parts, place, model_id)


def lower_features(plan: TrainingPlan, examples: Examples, cache: PixelCache) -> FeatureCache:
    """Compute, or finish computing, the features that the frozen layers give for every photograph.

    Parameters
    ----------
    plan : the recipe; ``freeze_to`` names the last frozen layer.
    examples : photographs with labels.
    cache : their prepared crops.

    Returns
    -------
    The features, in the plan's folder.
    """
    _, lower, _ = fresh_split(plan, examples)
    return cache_features(
        lower,
        cache.pixels,
        plan.out / f"features_{plan.freeze_to}_{plan.input_size}.npy",
        views=views_of(plan.views, examples.eye.tolist()),
        windows=FEATURE_WINDOWS,
        size=plan.input_size,
        scaling=backbone(plan.backbone).scaling,
        seed=plan.seed,
        photographs=f"{plan.views} {examples.digest()}",
    )


def _fit_fold(
    plan: TrainingPlan, examples: Examples, cache: PixelCache, features: FeatureCache, folds: int, fold: int
) -> dict[str, Any]:
    learned, scored = fold_rows(examples, folds, fold, plan.split)
    learned, scored = learned[cache.readable[learned]], scored[cache.readable[scored]]
    fitted, upper = fit_upper(plan, examples, features, learned, np.empty(0, dtype=np.int64))
    logits = upper_logits(upper, features, scored)
    auc = patient_level_auc(examples, scored[examples.usable[scored]], logits[examples.usable[scored]])
    _logger.info("fold %d of %d: patient-level AUC %.3f on people it never saw", fold + 1, folds, auc)
    digest = save_weights(fitted.network, plan.out / "weights.npz")
    values = {"rows": scored.tolist(), "logits": logits.tolist(), "sha256": digest, "patient_auc": auc}
    values |= {"recipe": plan.recipe(), "examples": examples.digest()}
    partial = plan.out / "scores.partial"
    partial.write_text(json.dumps(values), encoding="utf-8")
    partial.replace(plan.out / "scores.json")
    return values


def _finished(plan: TrainingPlan, examples: Examples) -> dict[str, Any] | None:
    path, weights = plan.out / "scores.json", plan.out / "weights.npz"
    if not path.is_file() or not weights.is_file():
        return None
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    wanted = {"recipe": json.loads(json.dumps(plan.recipe())), "examples": examples.digest()}
    if any(values.get(key) != value for key, value in wanted.items()) or values["sha256"] != file_sha256(weights):
        raise ModelError(
            f"{path} was made by another recipe or from other labels; use another folder, or delete {plan.out} to "
            "start again"
        )
    return values


def _score_table(
    examples: Examples, cache: PixelCache, parts: list[dict[str, Any]], place: NDArray[np.int64], model_id: str
) -> pd.DataFrame:
    logits = np.full(len(examples), np.nan)
    for part in parts:
        logits[np.array(part["rows"], dtype=np.int64)] = part["logits"]
    status = cache.table["status"].to_numpy()
    scores = pd.DataFrame(
        {
            "image_id": examples.image_id,
            "path": examples.path,
            "patient_id": examples.patient_id,
            "eye": pd.array([eye or None for eye in examples.eye], dtype="string"),
            "eye_source": ["list" if eye else "none" for eye in examples.eye],
            "model_id": [f"{model_id}-fold{fold}" for fold in place],
            "model_sha256": [parts[fold]["sha256"] for fold in place],
            "precision": "float32",
            "runtime": "keras",
            "decode": "exact",
            "fold": pd.array(place, dtype="Int64"),
            "prob_male": np.where(status == "ok", expit(logits), np.nan),
            "status": status,
            "reason": cache.table["reason"],
            "quality": cache.table["quality"],
            "field_of_view": cache.table["field_of_view"],
        }
    )
    return typed_columns(scores, table_schema("score"))
