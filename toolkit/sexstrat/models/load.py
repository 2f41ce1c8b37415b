"""Load a model: rebuild it from code, give it checked weights, compare its golden outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.errors import ModelError
from sexstrat.images.crop import center_crop
from sexstrat.models.backbones import Head, build
from sexstrat.models.card import ModelCard, card_to_json, read_card
from sexstrat.models.golden import golden_input
from sexstrat.models.runtime import Forward, make_forward, precision_named
from sexstrat.models.scaling import scale_pixels
from sexstrat.models.views import Views, views_of
from sexstrat.models.weights import file_sha256, load_weights

__all__ = ["CARD_NAME", "LoadedModel", "load_model", "shipped_card"]

CARD_NAME = "card.json"

_PICTURES_AT_ONCE = 64  # scaled to float32 together; bounds memory and does not change a score

_BFLOAT16_TOLERANCE = 0.15  # eight bits of mantissa: on photographs a probability moves by up to 0.13


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadedModel:
    """A checked model, ready to score.

    Parameters
    ----------
    card : its card.
    network : the Keras network; its output ``sex`` holds logits. None on a runtime that does without it.
    forward : the runtime's forward pass.
    runtime : name of the runtime.
    precision : arithmetic of the forward pass, float32 or bfloat16.
    """

    card: ModelCard
    network: Any
    forward: Forward
    runtime: str
    precision: str = "float32"

    def logits(self, pixels: NDArray[np.uint8], eyes: Sequence[str | None] | None = None) -> NDArray[np.float64]:
        """Return the logit of recorded male for prepared crops.

        Parameters
        ----------
        pixels : crops as :func:`sexstrat.images.prepare` makes them with ``card.prepared_size``,
            shape (n, prepared_size, prepared_size, 3), uint8.
        eyes : R, L or None (not known) for each crop; None for all of them when left out.

        Returns
        -------
        Logits, shape (n,), of the views that ``card.views`` asks for.

        Raises
        ------
        ModelError
            The crops have another shape or type, or the network gave a value that is not finite.
        """
        side = self.card.prepared_size
        if pixels.ndim != 4 or pixels.shape[1:] != (side, side, 3) or pixels.dtype != np.uint8:
            raise ModelError(f"pixels are {pixels.dtype} {pixels.shape}; this model needs uint8 (n, {side}, {side}, 3)")
        views = views_of(self.card.views, [None] * len(pixels) if eyes is None else eyes)
        if len(views.both) != len(pixels):
            raise ModelError(f"eyes has {len(views.both)} entries for {len(pixels)} crops")
        steps = [slice(i, i + _PICTURES_AT_ONCE) for i in range(0, len(pixels), _PICTURES_AT_ONCE)]
        parts = [self._batch_logits(pixels[step], views[step]) for step in steps]
        values = np.concatenate(parts) if parts else np.empty(0)
        if not np.isfinite(values).all():
            raise ModelError("the network gave a value that is not finite")
        return values

    def predict(self, pixels: NDArray[np.uint8], eyes: Sequence[str | None] | None = None) -> NDArray[np.float64]:
        """Return the probability that recorded sex is male, for prepared crops.

        Parameters
        ----------
        pixels, eyes : as in :meth:`logits`.

        Returns
        -------
        Probabilities from 0 to 1, shape (n,).

        Raises
        ------
        ModelError
            As :meth:`logits`.
        """
        return np.asarray(expit(self.logits(pixels, eyes)), dtype=np.float64)

    def _batch_logits(self, pixels: NDArray[np.uint8], views: Views) -> NDArray[np.float64]:
        window = views.first(center_crop(pixels, self.card.input_size))
        scaled = scale_pixels(window, self.card.scaling, self.card.channel_order)
        first = self._male_logit(self.forward(scaled))
        if not views.both.any():
            return first
        both = np.flatnonzero(views.both)
        other = self._male_logit(self.forward(np.ascontiguousarray(scaled[both, :, ::-1])))
        first[both] = (first[both] + other) / 2
        return first

    def _male_logit(self, outputs: NDArray[np.float32]) -> NDArray[np.float64]:
        exact = outputs.astype(np.float64)
        if self.card.output_kind == "logit":
            return exact[:, 0]
        male = self.card.class_order.index("male")
        return exact[:, male] - exact[:, 1 - male]


def load_model(source: str | Path | None = None, *, runtime: str = "keras", precision: str = "float32") -> LoadedModel:
    """Load a model and refuse it unless everything fits.

    The network is rebuilt from code by the card's backbone; the weights file holds arrays only. Its
    SHA-256 and the golden outputs must be those of the card.

    Parameters
    ----------
    source : a card's JSON file, or a folder with ``card.json``; None is the shipped demonstration model.
    runtime : what carries out the forward pass; see ``RUNTIMES``.
    precision : arithmetic of the forward pass; see ``PRECISIONS``. Golden outputs hold to the card's tolerance in
        float32, to 0.15 in bfloat16.

    Returns
    -------
    The model.

    Raises
    ------
    ModelError
        Card or weights are missing, damaged or do not belong together, or a golden output differs.
    """
    if source is None:
        with as_file(files("sexstrat.models.shipped")) as folder:
            return _load(folder / CARD_NAME, runtime, precision_named(precision))
    place = Path(source)
    return _load(place / CARD_NAME if place.is_dir() else place, runtime, precision_named(precision))


def shipped_card() -> ModelCard:
    """Return the card of the shipped demonstration model, without loading the model.

    Returns
    -------
    The card.

    Examples
    --------
    >>> card = shipped_card()
    >>> card.backbone, card.positive_class, card.output_kind
    ('mobilenet', 'male', 'logit')
    """
    with as_file(files("sexstrat.models.shipped")) as folder:
        return read_card(folder / CARD_NAME)


def _load(card_path: Path, runtime: str, precision: str) -> LoadedModel:
    if card_path.suffix != ".json":
        raise ModelError(
            f"{card_path} is not a model card; give a card's .json file or a folder that holds {CARD_NAME}"
        )
    card = read_card(card_path)
    weights = card_path.parent / card.weights_file
    if not weights.is_file():
        raise ModelError(f"the weights file {card.weights_file} is not beside its card {card_path}")
    digest = file_sha256(weights)
    if digest != card.weights_sha256:
        raise ModelError(
            f"the weights file {weights} is not the one of its card: SHA-256 {digest}, expected {card.weights_sha256}"
        )
    build_network = cache(lambda: _rebuilt(card, weights))
    forward = make_forward(
        build_network, runtime, identity=card_to_json(card), size=card.input_size, precision=precision
    )
    network = build_network() if runtime == "keras" else None
    model = LoadedModel(card=card, network=network, forward=forward, runtime=runtime, precision=precision)
    _check_golden(model)
    return model


def _rebuilt(card: ModelCard, weights: Path) -> Any:
    network = build(card.backbone, (Head(name="sex", units=len(card.class_order)),), card.input_size)
    load_weights(network, weights)
    return network


def _check_golden(model: LoadedModel) -> None:
    card = model.card
    pictures = np.stack([golden_input(golden.seed, card.prepared_size) for golden in card.golden])
    found = model.predict(pictures)
    expected = np.array([golden.prob_male for golden in card.golden])
    allowed = card.golden_tolerance if model.precision == "float32" else _BFLOAT16_TOLERANCE
    worst = float(np.abs(found - expected).max())
    if worst > allowed:
        raise ModelError(
            f"model {card.model_id} does not give its golden outputs on the {model.runtime} runtime in "
            f"{model.precision}: largest difference {worst:.2g}, allowed {allowed:.2g}; do not use these scores"
        )
