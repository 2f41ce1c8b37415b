"""Age bands of an audit that declares none: ten years wide, or five where every band is well filled."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sexstrat.values.age_bands import AgeBands

__all__ = ["FEWEST_OF_A_SEX", "automatic_bands"]

FEWEST_OF_A_SEX = 20  # audit metrics: five-year bands only when each holds at least so many patients of each sex


def automatic_bands(age_years: ArrayLike, male: ArrayLike, female: ArrayLike) -> AgeBands:
    """Return five-year bands when each holds at least 20 men and 20 women, else ten-year bands.

    Bands start at the decade (or half decade) of the youngest and end with that of the oldest. They depend on ages and
    recorded sexes, never on scores.

    Parameters
    ----------
    age_years : age of each patient; unknown ages are left out.
    male, female : recorded sex.

    Returns
    -------
    Age bands; 0-9 alone when no age is known.

    Examples
    --------
    >>> automatic_bands([44, 47, 52, 57], [1, 0, 1, 0], [0, 1, 0, 1]).labels
    ('40-49', '50-59')
    >>> automatic_bands([42] * 40 + [47] * 40, [1, 0] * 40, [0, 1] * 40).labels
    ('40-44', '45-49')
    """
    ages = np.asarray(age_years, dtype=float)
    known = np.isfinite(ages)
    if not known.any():
        return AgeBands((0,), end=10)
    for width in (5, 10):
        first = int(ages[known].min() // width * width)
        end = int(ages[known].max() // width * width + width)
        bands = AgeBands(tuple(range(first, end, width)), end=end)
        place = bands.index(ages)
        filled = [
            np.bincount(place[known & np.asarray(sex, dtype=bool)], minlength=len(bands)) for sex in (male, female)
        ]
        if width == 10 or np.min(filled) >= FEWEST_OF_A_SEX:
            break
    return bands
