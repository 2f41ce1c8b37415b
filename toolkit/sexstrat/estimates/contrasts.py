"""Men compared with women: prevalence ratio, difference and odds ratio."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.edge_contrast import edge_limits
from sexstrat.estimates.estimate_rows import Estimates, Place, contrast_row
from sexstrat.estimates.measures import Smooth, difference, log_odds_ratio, log_ratio, prevalence_of
from sexstrat.estimates.places import places
from sexstrat.estimates.prevalence import SEXES, prevalence_row

__all__ = ["CONTRASTS", "contrast_at", "contrast_rows", "log_ratio_gradient"]

EDGE = "no case, or only cases, in one sex: limits from those of the two prevalences"

CONTRASTS: Mapping[str, tuple[str, Callable[[Smooth, Smooth], Smooth], bool]] = {
    "ratio": ("prevalence_ratio", log_ratio, True),
    "difference": ("prevalence_difference", difference, False),
    "odds_ratio": ("prevalence_odds_ratio", log_odds_ratio, True),
}


def contrast_at(place: Place, kind: str) -> dict[str, Any]:
    """Return the row of one contrast at one place.

    Parameters
    ----------
    place : where in a composition.
    kind : one of ``CONTRASTS``.

    Examples
    --------
    Prevalence is 1/3 in men and 1/5 in women.

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.places import crude_place
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> round(float(contrast_at(crude_place(one), "difference")["point"]), 4)
    0.1333
    """
    measure, formula, on_log = CONTRASTS[kind]
    male, female = (prevalence_of(place.margin, sex, place.weights) for sex in SEXES)
    row = contrast_row(place, measure, formula(male, female), on_log=on_log)
    if kind == "odds_ratio" or row.get("point") is None or not {male.value, female.value} & {0.0, 1.0}:
        return row
    limits = edge_limits(kind, *(prevalence_row(place, sex) for sex in SEXES))
    if limits is None:
        return row
    whole = {name: value for name, value in row.items() if name not in {"se", "df", "fmi"}}
    note = "; ".join(part for part in (place.note, EDGE) if part)
    return {**whole, "low": limits[0], "high": limits[1], "note": note}


def contrast_rows(one: Composition, kind: str, standardise: str | Mapping[int, float] | None = None) -> Estimates:
    """Return men compared with women: all ages, each band and, if asked, age-standardised.

    Parameters
    ----------
    one : the composition.
    kind : ratio (men over women), difference (men minus women) or odds_ratio.
    standardise : name of a standard population, weights by first year of age, or None.

    Raises
    ------
    EstimationError : unknown kind.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> [round(float(contrast_rows(one, kind).to_frame().loc[0, "point"]), 4) for kind in CONTRASTS]
    [1.6667, 0.1333, 2.0]
    """
    if kind not in CONTRASTS:
        raise EstimationError(f"no contrast {kind!r}; there are {', '.join(CONTRASTS)}")
    rows = tuple(contrast_at(place, kind) for place in places(one, standardise))
    return Estimates(rows, assumptions=one.assumptions, warnings=one.warnings)


def log_ratio_gradient(margin: Margin, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how the log prevalence ratio, weighted over bands, moves with each share of men: index 2 a + d.

    Parameters
    ----------
    margin : the composition by band or of all ages.
    weights : one per band, sum 1.

    Examples
    --------
    Of 800 patients without the disease 400 are men, of 300 with it 200, so there are 600 men and 500 women. With the
    disease: (1/p - 300/600) + (1/(1 - p) - 300/500) at p = 2/3; without it: -(800/600 + 800/500).

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> log_ratio_gradient(one.overall, np.ones(1)).round(3).tolist()
    [-2.933, 3.4]
    """
    return log_ratio(*(prevalence_of(margin, sex, weights) for sex in ("male", "female"))).by_pi.ravel()
