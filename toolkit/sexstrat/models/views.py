"""Which way round a network sees a photograph: left and right eyes are each other's mirror image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import ModelError

__all__ = ["VIEWS", "Views", "views_of"]

VIEWS = ("as_taken", "both", "as_left_eye")
"""``as_taken``: one look at the photograph as it is. ``both``: the mean logit of the photograph and its mirror
image. ``as_left_eye``: right eyes are mirrored, so that every eye looks like a left one; an eye that is not known is
looked at both ways."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Views:
    """How each photograph is looked at; arrays are aligned by photograph.

    Parameters
    ----------
    mirrored : whether the first look is at the mirror image.
    both : whether the other way round is looked at as well and the logits averaged.
    """

    mirrored: NDArray[np.bool_]
    both: NDArray[np.bool_]

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> Views:
        """Return the views of some photographs."""
        return Views(mirrored=self.mirrored[rows], both=self.both[rows])

    def turn(self, row: int) -> bool | None:
        """Return whether one photograph is mirrored; None when it is looked at both ways."""
        return None if self.both[row] else bool(self.mirrored[row])

    def first(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Turn photographs of shape (n, height, width, 3) the way they are first looked at."""
        if not self.mirrored.any():
            return pixels
        turned = pixels.copy()
        turned[self.mirrored] = pixels[self.mirrored, :, ::-1]
        return turned


def views_of(rule: str, eyes: Sequence[str | None]) -> Views:
    """Return how photographs of these eyes are looked at.

    Parameters
    ----------
    rule : one of ``VIEWS``.
    eyes : R, L, or anything else for an eye that is not known, one a photograph.

    Returns
    -------
    The views.

    Raises
    ------
    ModelError
        The rule is not one of ``VIEWS``.

    Examples
    --------
    >>> found = views_of("as_left_eye", ["L", "R", None])
    >>> found.mirrored.tolist(), found.both.tolist()
    ([False, True, False], [False, False, True])
    """
    if rule not in VIEWS:
        raise ModelError(f"unknown views {rule!r}; allowed: {', '.join(VIEWS)}")
    eye = np.array([value if value in ("R", "L") else "" for value in eyes], dtype="<U1")
    if rule == "as_left_eye":
        return Views(mirrored=eye == "R", both=eye == "")
    return Views(mirrored=np.zeros(len(eye), dtype=bool), both=np.full(len(eye), rule == "both"))
