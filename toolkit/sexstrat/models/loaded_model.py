"""A model in use: from prepared crops to probabilities, or to years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.errors import ModelError
from sexstrat.images.crop import center_crop
from sexstrat.models.card import ModelCard
from sexstrat.models.runtime import Forward
from sexstrat.models.scaling import scale_pixels
from sexstrat.models.views import Views, views_of

__all__ = ["LoadedModel"]

_PICTURES_AT_ONCE = 64  # scaled to float32 together; bounds memory and does not change a score


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadedModel:
    """A checked model, ready to score: sex, or age where ``card.output_kind`` is ``age_years``.

    Parameters
    ----------
    card : its card.
    network : the Keras network; its output ``sex`` holds logits or years. None on a runtime that does without it.
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
            The crops have another shape or type, the network gave a value that is not finite, or the model
            estimates age.
        """
        if self.card.output_kind == "age_years":
            raise ModelError(f"model {self.card.model_id} estimates age; it has no logits of sex, see predict")
        return self._values(pixels, eyes)

    def _values(self, pixels: NDArray[np.uint8], eyes: Sequence[str | None] | None) -> NDArray[np.float64]:
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
        """Return the probability that recorded sex is male, or the age in years, for prepared crops.

        Parameters
        ----------
        pixels, eyes : as in :meth:`logits`.

        Returns
        -------
        Probabilities from 0 to 1, or years (never below 0) of a model of age, shape (n,).

        Raises
        ------
        ModelError
            As :meth:`logits`.
        """
        values = self._values(pixels, eyes)
        years = self.card.output_kind == "age_years"
        return np.asarray(np.maximum(values, 0.0) if years else expit(values), dtype=np.float64)

    def _batch_logits(self, pixels: NDArray[np.uint8], views: Views) -> NDArray[np.float64]:
        window = views.first(center_crop(pixels, self.card.input_size))
        scaled = scale_pixels(window, self.card.scaling, self.card.channel_order)
        first = self._value(self.forward(scaled))
        if not views.both.any():
            return first
        both = np.flatnonzero(views.both)
        other = self._value(self.forward(np.ascontiguousarray(scaled[both, :, ::-1])))
        first[both] = (first[both] + other) / 2
        return first

    def _value(self, outputs: NDArray[np.float32]) -> NDArray[np.float64]:
        exact = outputs.astype(np.float64)
        if self.card.output_kind == "age_years":
            return exact[:, 0]
        if len(self.card.class_order) == 1:
            return exact[:, 0] if self.card.class_order == ("male",) else -exact[:, 0]
        male = self.card.class_order.index("male")
        return exact[:, male] - exact[:, 1 - male]
