"""Fit one recipe several times from the same start and average the weights."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.images.crop import center_crop
from sexstrat.models.backbones import backbone
from sexstrat.models.scaling import scale_pixels
from sexstrat.models.views import views_of
from sexstrat.training.batch_statistics import refresh_batch_statistics
from sexstrat.training.checkpoint import load_checkpoint, save_checkpoint
from sexstrat.training.epochs import CHECKPOINT, SHARED_CHECKPOINT
from sexstrat.training.examples import Examples
from sexstrat.training.fit import Fitted, fit, male_logits, patient_level_auc
from sexstrat.training.plan import TrainingPlan

__all__ = ["average_weights", "fit_members"]

_logger = logging.getLogger(__name__)
_BATCHES = 60  # batches from which the averaged network's activation statistics are taken


def average_weights(members: Sequence[Sequence[NDArray[Any]]]) -> list[NDArray[Any]]:
    """Return the mean of each array over the members.

    Parameters
    ----------
    members : weights of each member, in one order; at least one member.

    Returns
    -------
    Arrays of the members' shapes and types.

    Examples
    --------
    >>> average_weights([[np.array([1.0, 3.0])], [np.array([2.0, 5.0])]])[0].tolist()
    [1.5, 4.0]
    """
    return [np.mean(arrays, axis=0, dtype=np.float64).astype(arrays[0].dtype) for arrays in zip(*members, strict=True)]


def fit_members(
    plan: TrainingPlan,
    examples: Examples,
    pixels: NDArray[np.uint8],
    train_rows: NDArray[np.int64],
    validation_rows: NDArray[np.int64],
) -> Fitted:
    """Fit the plan once for each member, average their weights, and keep the average unless one member is better.

    Members see the photographs in another order and in other windows. From one start, heads and the plan's shared
    epochs included, they can stay close enough for their mean to be a network as good as their ensemble, at the size
    and cost of one. What is kept, the average or the best member, has the highest validation AUC.

    Parameters
    ----------
    plan : the recipe; ``members`` of them go to folders of their own.
    examples, pixels, train_rows, validation_rows : as in :func:`sexstrat.training.fit.fit`.

    Returns
    -------
    The network and the log of all members; the kept epoch is 0 when the average was kept.

    Raises
    ------
    ModelError
        As ``fit``.

    References
    ----------
    Wortsman M, et al. Model soups: averaging weights of multiple fine-tuned models improves accuracy without
    increasing inference time. ICML 2022. arXiv 2203.05482.
    """
    if plan.members == 1:
        return fit(plan, examples, pixels, train_rows, validation_rows)
    fitted: list[Fitted] = []
    for member in range(plan.members):
        folder = plan.out / f"member_{member}"
        own = replace(plan, out=folder, seed=plan.seed + member, shared_seed=plan.seed, members=1)
        if member:
            _start_from_shared(plan.out / "member_0", own)
        fitted.append(fit(own, examples, pixels, train_rows, validation_rows))
    views = views_of(plan.views, examples.eye.tolist())
    scaling, size = backbone(plan.backbone).scaling, plan.input_size
    order = np.random.default_rng(plan.seed).permutation(train_rows)
    starts = range(0, max(1, min(len(order), _BATCHES * plan.batch_size) - plan.batch_size + 1), plan.batch_size)
    chosen = [order[start : start + plan.batch_size] for start in starts]
    network = fitted[0].network
    first = list(network.get_weights())
    network.set_weights(average_weights([one.progress.weights for one in fitted]))
    refresh_batch_statistics(
        network, [scale_pixels(views[rows].first(center_crop(pixels[rows], size)), scaling) for rows in chosen]
    )
    logits = male_logits(network, pixels, validation_rows, views=views, size=size, scaling=scaling)
    auc = patient_level_auc(examples, validation_rows, logits)
    best = max(fitted, key=lambda one: _validation_auc(one))
    _logger.info("validation AUC: average %.4f, best member %.4f", auc, _validation_auc(best))
    log = tuple(row | {"member": member} for member, one in enumerate(fitted) for row in one.progress.log)
    log += ({"member": -1, "epoch": 0, "size": size, "validation_auc": round(auc, 5)},)
    if np.isfinite(auc) and auc < _validation_auc(best):
        if best is fitted[0]:
            network.set_weights(first)
        return Fitted(network=best.network, progress=replace(best.progress, log=log))
    progress = replace(best.progress, weights=network.get_weights(), log=log, kept_epoch=0)
    return Fitted(network=network, progress=progress)


def _start_from_shared(first: Path, plan: TrainingPlan) -> None:
    """Give a member that has not begun the state that the first one had after the shared epochs."""
    place, shared = plan.out / CHECKPOINT, first / SHARED_CHECKPOINT
    if place.is_file() or not shared.is_file():
        return
    state = load_checkpoint(shared)
    if state is not None:
        plan.out.mkdir(parents=True, exist_ok=True)
        save_checkpoint(place, replace(state, recipe=state.recipe | plan.recipe()))


def _validation_auc(one: Fitted) -> float:
    """Return the validation AUC of the epoch that was kept."""
    return float(one.progress.log[one.progress.kept_epoch - 1]["validation_auc"])
