"""Learn from published models beside the labels: their mean probability of each very window is part of the target."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.special import expit

from sexstrat.models import LoadedModel, load_model
from sexstrat.models.scaling import scale_pixels

__all__ = ["Teachers", "start_from"]


class Teachers:
    """Published models whose probabilities a student learns; several know more than one of their size.

    Parameters
    ----------
    cards : their cards or folders; at least one.
    share : share of the teachers in the target of sex, the rest being the label.

    References
    ----------
    Hinton G, Vinyals O, Dean J. Distilling the knowledge in a neural network. 2015, arXiv 1503.02531. Beyer L, et al.
    Knowledge distillation: a good teacher is patient and consistent. CVPR 2022 (teacher and student see one window).
    """

    def __init__(self, cards: Sequence[Path], share: float) -> None:
        self._models = [load_model(card) for card in cards]
        self._share = share

    def targets(self, labels: NDArray[np.float32], windows: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return labels mixed with the teachers' mean probability of male for the same windows.

        Parameters
        ----------
        labels : 1 male, 0 female, shape (batch, 1).
        windows : augmented windows, shape (batch, size, size, 3), uint8.
        """
        told = np.mean([expit(_logits(model, windows)) for model in self._models], axis=0)
        mixed = (1 - self._share) * labels + self._share * told[:, None]
        return np.asarray(mixed, dtype=np.float32)


def _logits(model: LoadedModel, windows: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return a teacher's logits of windows, resized to the input that it knows."""
    size = model.card.input_size
    if windows.shape[1] != size:
        resized = [Image.fromarray(window).resize((size, size), Image.Resampling.BILINEAR) for window in windows]
        windows = np.stack([np.asarray(picture) for picture in resized])
    outputs = model.forward(scale_pixels(windows, model.card.scaling, model.card.channel_order))
    return np.asarray(outputs[:, 0], dtype=np.float64)


def start_from(network: Any, card: Path) -> None:
    """Give a network the weights of a published model of the same backbone; heads that it lacks stay as they are.

    Parameters
    ----------
    network : Keras model; changed in place.
    card : the published model's card or folder.
    """
    for layer in load_model(card).network.layers:
        if layer.weights:
            network.get_layer(layer.name).set_weights(layer.get_weights())
