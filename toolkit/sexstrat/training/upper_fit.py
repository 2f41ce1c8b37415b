"""Fit the upper layers of a network on cached lower features, and give their logits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import ModelError
from sexstrat.models.backbones import build
from sexstrat.training.epochs import Progress, run_epochs
from sexstrat.training.examples import Examples
from sexstrat.training.feature_cache import FeatureCache, feature_feeder, split_network
from sexstrat.training.fit import Fitted, compile_network, patient_level_auc
from sexstrat.training.plan import TrainingPlan
from sexstrat.training.targets import heads_for, learning_targets

__all__ = ["fit_upper", "fresh_split", "upper_logits"]

_PREDICT_BATCH = 64


def fresh_split(plan: TrainingPlan, examples: Examples) -> tuple[Any, Any, Any]:
    """Build the plan's network from the ImageNet weights and split it after the frozen layers.

    Parameters
    ----------
    plan : the recipe; ``freeze_to`` names the last frozen layer.
    examples : photographs with labels, which decide the heads.

    Returns
    -------
    The whole network, its lower and its upper part; they share weights.

    Raises
    ------
    ModelError
        The weights do not fit, or the network cannot be cut there.
    """
    import keras

    if plan.precision != "float32":
        raise ModelError(f"with frozen layers the precision must be float32; found {plan.precision}")
    keras.utils.set_random_seed(plan.seed)
    heads = heads_for(examples, plan.learns)
    whole = build(plan.backbone, heads, plan.input_size, weights=plan.weights, dropout=plan.dropout)
    lower, upper = split_network(whole, plan.freeze_to)
    return whole, lower, upper


def fit_upper(
    plan: TrainingPlan,
    examples: Examples,
    cache: FeatureCache,
    train_rows: NDArray[np.int64],
    validation_rows: NDArray[np.int64],
) -> tuple[Fitted, Any]:
    """Fit the upper layers on cached features; the lower ones keep their ImageNet weights.

    Parameters
    ----------
    plan : the recipe; only the number of epochs of its phases counts, all at the final size.
    examples : photographs with labels.
    cache : features of all photographs.
    train_rows : rows to learn from.
    validation_rows : rows that choose the epoch; empty keeps the last epoch.

    Returns
    -------
    The whole network with its log, and its upper part.

    Raises
    ------
    ModelError
        The folder holds a checkpoint of another recipe, or the weights do not fit.
    """
    whole, _, upper = fresh_split(plan, examples)
    compile_network(plan, upper, examples, max(1, len(train_rows) // plan.batch_size))
    targets, weights = learning_targets(examples, train_rows, plan.learns)

    def feed(epoch: int) -> Any:
        return feature_feeder(
            cache, train_rows, targets, weights, batch_size=plan.batch_size, seed=plan.seed, epoch=epoch
        )

    def validate(_: int) -> float:
        return patient_level_auc(examples, validation_rows, upper_logits(upper, cache, validation_rows))

    learned_from = examples.digest(train_rows, validation_rows)
    progress: Progress = run_epochs(plan, upper, feed, validate, learned_from=learned_from)
    upper.set_weights(progress.weights)
    return Fitted(network=whole, progress=progress), upper


def upper_logits(upper: Any, cache: FeatureCache, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the logit of recorded male for each row, by the views that its photograph is looked at in.

    Parameters
    ----------
    upper : the upper network.
    cache : features of all photographs.
    rows : rows to score.

    Returns
    -------
    Logits, shape (len(rows),).

    Examples
    --------
    Both photographs give 1 the first way round and 3 the other; only the first is looked at both ways.

    >>> from types import SimpleNamespace
    >>> values = np.array([[1, 3], [1, 3]], dtype=np.float16).reshape(2, 2, 1, 1, 1)
    >>> plain = SimpleNamespace(predict_on_batch=lambda features: {"sex": features.reshape(-1, 1)})
    >>> upper_logits(plain, FeatureCache(values=values, both=np.array([True, False])), np.arange(2)).tolist()
    [2.0, 1.0]
    """
    parts: list[NDArray[np.float64]] = []
    for start in range(0, len(rows), _PREDICT_BATCH):
        chosen = rows[start : start + _PREDICT_BATCH]
        first, other = (
            np.asarray(upper.predict_on_batch(cache.values[chosen, window].astype(np.float32))["sex"], np.float64)[:, 0]
            for window in (0, 1)
        )
        parts.append(np.where(cache.both[chosen], (first + other) / 2, first))
    return np.concatenate(parts) if parts else np.empty(0)
