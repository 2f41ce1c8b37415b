"""Fit a network to prepared photographs and give its logits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sexstrat.errors import ModelError
from sexstrat.images.crop import center_crop
from sexstrat.models.backbones import backbone, build
from sexstrat.models.scaling import scale_pixels
from sexstrat.models.views import Views, views_of
from sexstrat.training.batch_statistics import fuse_batch_normalization
from sexstrat.training.epochs import Progress, make_optimizer, run_epochs
from sexstrat.training.examples import Examples
from sexstrat.training.feeder import epoch_feeder
from sexstrat.training.patient_auc import area_under_curve, patient_means
from sexstrat.training.plan import TrainingPlan
from sexstrat.training.targets import heads_for, learning_targets, losses
from sexstrat.training.teachers import Teachers, start_from

__all__ = ["Fitted", "arithmetic", "fit", "freeze", "male_logits", "patient_level_auc", "shrink"]

_PREDICT_BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """A fitted network, holding the averaged weights of the kept epoch, and how it came about."""

    network: Any
    progress: Progress


def fit(
    plan: TrainingPlan,
    examples: Examples,
    pixels: NDArray[np.uint8],
    train_rows: NDArray[np.int64],
    validation_rows: NDArray[np.int64],
) -> Fitted:
    """Fit the plan's network on the training rows and choose the epoch on the validation rows.

    Parameters
    ----------
    plan : the recipe.
    examples : photographs with labels.
    pixels : prepared crops, one a row of ``examples``, (n, side, side, 3) uint8.
    train_rows : rows to learn from.
    validation_rows : rows that choose the epoch by patient-level AUC, and nothing else; may be empty.

    Returns
    -------
    The network and its log.

    Raises
    ------
    ModelError
        The folder holds a checkpoint of another recipe, or the weights do not fit.
    """
    import keras

    keras.utils.set_random_seed(plan.seed if plan.shared_seed is None else plan.shared_seed)
    heads = heads_for(examples, plan.learns)
    with arithmetic(plan.precision):
        network = build(plan.backbone, heads, None, weights=plan.weights, dropout=plan.dropout)
    if plan.start is not None:
        start_from(network, plan.start)
    network = fuse_batch_normalization(network)
    freeze(network, plan.freeze_to)
    compile_network(plan, network, examples, max(1, len(train_rows) // plan.batch_size))
    targets, weights = learning_targets(examples, train_rows, plan.learns)
    scaling = backbone(plan.backbone).scaling
    pixels_at = _by_size(pixels, plan)
    views = views_of(plan.views, examples.eye.tolist())
    teachers = Teachers(plan.teachers, plan.teacher_share) if plan.teachers else None

    def feed(epoch: int) -> Any:
        size = plan.size_at(epoch)
        return epoch_feeder(
            pixels_at(size),
            train_rows,
            targets,
            weights,
            views=views,
            size=size,
            batch_size=plan.batch_size,
            scaling=scaling,
            seed=plan.seed_at(epoch),
            epoch=epoch,
            teachers=teachers,
            blur=plan.blur,
        )

    def validate(epoch: int) -> float:
        size = plan.size_at(epoch)
        logits = male_logits(network, pixels_at(size), validation_rows, views=views, size=size, scaling=scaling)
        return patient_level_auc(examples, validation_rows, logits)

    learned_from = examples.digest(train_rows, validation_rows)
    progress = run_epochs(plan, network, feed, validate, learned_from=learned_from)
    if plan.precision != "float32":
        network = build(plan.backbone, heads, None, dropout=plan.dropout)
    network.set_weights(progress.weights)
    return Fitted(network=network, progress=progress)


@contextmanager
def arithmetic(precision: str) -> Iterator[None]:
    """Let layers that are made within a ``with`` block compute in this precision; their weights are float32.

    Parameters
    ----------
    precision : name of a Keras policy: float32 or mixed_bfloat16.
    """
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def compile_network(plan: TrainingPlan, network: Any, examples: Examples, steps_per_epoch: int) -> None:
    """Give a network its losses and a built optimizer.

    Parameters
    ----------
    plan : the recipe.
    network : Keras model with the heads that ``heads_for`` names.
    examples : photographs with labels.
    steps_per_epoch : batches an epoch.
    """
    for layer in network.layers:
        if hasattr(layer, "moving_variance"):
            layer.momentum = plan.batch_norm_momentum
    functions, shares = losses(plan, heads_for(examples, plan.learns))
    optimizer = make_optimizer(plan, steps_per_epoch)
    network.compile(optimizer=optimizer, loss=functions, loss_weights=shares, jit_compile=False)
    optimizer.build(network.trainable_variables)


def freeze(network: Any, last_layer: str) -> None:
    """Fix all layers from the input up to one, itself included.

    Parameters
    ----------
    network : Keras model.
    last_layer : name of the last layer to fix; "" fixes none.

    Raises
    ------
    ModelError
        The network has no layer of that name.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> layers = [SimpleNamespace(name=name, trainable=True) for name in ("first", "second", "third")]
    >>> freeze(SimpleNamespace(layers=layers), "second")
    >>> [layer.trainable for layer in layers]
    [False, False, True]
    """
    if not last_layer:
        return
    names = [layer.name for layer in network.layers]
    if last_layer not in names:
        raise ModelError(f"no layer {last_layer!r} to freeze up to; allowed: {', '.join(names)}")
    for layer in network.layers[: names.index(last_layer) + 1]:
        layer.trainable = False


def male_logits(
    network: Any, pixels: NDArray[np.uint8], rows: NDArray[np.int64], *, views: Views, size: int, scaling: str
) -> NDArray[np.float64]:
    """Return the logit of recorded male for each row, by the views that its photograph is looked at in.

    Parameters
    ----------
    network : Keras model with a head named sex.
    pixels : prepared crops, (n, side, side, 3) uint8.
    rows : rows to score.
    views : how each row of ``pixels`` is looked at.
    size : side of the centre crop that the network sees.
    scaling : as in the backbone's entry.

    Returns
    -------
    Logits, shape (len(rows),).
    """
    parts: list[NDArray[np.float64]] = []
    for start in range(0, len(rows), _PREDICT_BATCH):
        chosen = rows[start : start + _PREDICT_BATCH]
        batch = scale_pixels(views[chosen].first(center_crop(pixels[chosen], size)), scaling)
        logits = np.asarray(network.predict_on_batch(batch)["sex"], dtype=np.float64)[:, 0]
        both = np.flatnonzero(views.both[chosen])
        if len(both):
            other = np.asarray(network.predict_on_batch(batch[both][:, :, ::-1])["sex"], dtype=np.float64)[:, 0]
            logits[both] = (logits[both] + other) / 2
        parts.append(logits)
    return np.concatenate(parts) if parts else np.empty(0)


def patient_level_auc(examples: Examples, rows: NDArray[np.int64], logits: NDArray[np.float64]) -> float:
    """Return the AUC of mean logits by patient; nan when a sex is missing among the rows.

    Parameters
    ----------
    examples : photographs with labels.
    rows : rows to compare; those without recorded male or female are left out.
    logits : one logit a row, higher for male.

    Returns
    -------
    Area under the ROC curve of patients, 0 to 1.

    Examples
    --------
    The man's two photographs have the mean 1, above both women's, although one of the two lies below them.

    >>> import pandas as pd
    >>> from pathlib import Path
    >>> from sexstrat.training import join_examples
    >>> images = pd.DataFrame({"image_id": list("abcd"), "patient_id": list("1123"), "path": list("abcd")})
    >>> persons = pd.DataFrame({"patient_id": list("123"), "recorded_sex": ["male", "female", "female"]})
    >>> four = join_examples(images, persons, root=Path())
    >>> patient_level_auc(four, np.arange(4), np.array([3.0, -1.0, 0.0, 0.5]))
    1.0
    """
    known = np.isfinite(examples.male[rows])
    rows, logits = rows[known], logits[known]
    if len(rows) == 0:
        return float("nan")
    _, first, means = patient_means(logits, examples.patient_id[rows])
    return area_under_curve(means, examples.male[rows][first])


def shrink(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Resize prepared crops with antialiasing.

    Parameters
    ----------
    pixels : shape (n, old side, old side, 3), uint8.
    side : new side in pixels.

    Returns
    -------
    Shape (n, side, side, 3), uint8.

    Examples
    --------
    >>> shrink(np.full((2, 8, 8, 3), 9, np.uint8), 4).shape
    (2, 4, 4, 3)
    """
    small = np.empty((len(pixels), side, side, 3), dtype=np.uint8)
    for i, crop in enumerate(pixels):
        small[i] = np.asarray(Image.fromarray(crop).resize((side, side), Image.Resampling.BICUBIC))
    return small


def _by_size(pixels: NDArray[np.uint8], plan: TrainingPlan) -> Callable[[int], NDArray[np.uint8]]:
    """Return a function that gives the crops for an input size, keeping the last size made."""
    made: dict[int, NDArray[np.uint8]] = {}

    def pixels_at(size: int) -> NDArray[np.uint8]:
        side = round(plan.prepared_size * size / plan.input_size)
        if side == pixels.shape[1]:
            return pixels
        if side not in made:
            made.clear()
            made[side] = shrink(pixels, side)
        return made[side]

    return pixels_at
