"""Publish a fitted network: weights in half precision, digest, golden outputs and card, in one folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sexstrat.errors import ModelError
from sexstrat.models.backbones import Head, build
from sexstrat.models.card import GoldenOutput, ModelCard, write_card
from sexstrat.models.golden import GOLDEN_SEEDS, golden_input
from sexstrat.models.load import CARD_NAME
from sexstrat.models.loaded_model import LoadedModel
from sexstrat.models.runtime import make_forward
from sexstrat.models.weights import load_weights, save_weights

__all__ = ["publish"]


def publish(network: Any, card: ModelCard, folder: str | Path) -> ModelCard:
    """Write weights and card so that :func:`load_model` accepts them.

    Only backbone and sex head are kept: heads that helped in training stay behind. Golden outputs are
    computed from the half-precision weights as a user will load them, so the file is read back first.

    Parameters
    ----------
    network : fitted Keras model with a head named ``sex``.
    card : the card; its digest and golden outputs are replaced by those found here.
    folder : where to write; made when missing.

    Returns
    -------
    The card as written.

    Raises
    ------
    ModelError
        The network does not fit the card's backbone.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    slim = build(card.backbone, (Head(name="sex", units=len(card.class_order)),), card.input_size)
    _copy_weights(network, slim)
    path = place / card.weights_file
    digest = save_weights(slim, path)
    load_weights(slim, path)
    forward = make_forward(lambda: slim, "keras", identity=card.model_id, size=card.input_size)
    loaded = LoadedModel(card=card, network=slim, forward=forward, runtime="keras")
    pictures = np.stack([golden_input(seed, card.prepared_size) for seed in GOLDEN_SEEDS])
    golden = tuple(
        GoldenOutput(seed=seed, prob_male=round(float(value), 7))
        for seed, value in zip(GOLDEN_SEEDS, loaded.predict(pictures), strict=True)
    )
    written = replace(card, weights_sha256=digest, golden=golden)
    write_card(written, place / CARD_NAME)
    return written


def _copy_weights(network: Any, slim: Any) -> None:
    """Copy weights layer by layer, leaving out dropout and the other heads."""
    kept = [layer for layer in network.layers if layer.weights and not _is_other_head(layer.name)]
    wanted = [layer for layer in slim.layers if layer.weights]
    shapes = [[tuple(weight.shape) for weight in layer.weights] for layer in kept]
    if shapes != [[tuple(weight.shape) for weight in layer.weights] for layer in wanted]:
        raise ModelError("the network does not have the layers of the card's backbone with one sex head")
    for source, target in zip(kept, wanted, strict=True):
        target.set_weights(source.get_weights())


def _is_other_head(name: str) -> bool:
    return name.startswith("head_") and name != "head_sex"
