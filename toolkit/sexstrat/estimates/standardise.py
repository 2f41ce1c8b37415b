"""Standard populations: weights for the declared bands, cut to the ages there are and renormalised."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.values.age_bands import AgeBands

__all__ = ["StandardWeights", "standard_populations", "standard_weights"]

OLDEST = 120  # an open last group of a standard is spread over the years up to OPEN_YEARS after its start
OPEN_YEARS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardWeights:
    """Weights of a standard population for the declared bands.

    Parameters
    ----------
    name : name of the standard.
    weights : one per band, sum 1, 0 for bands without patients.
    note : what was cut off or split, or "".
    """

    name: str
    weights: NDArray[np.float64]
    note: str = ""


@cache
def _published() -> dict[str, Any]:
    text = files("sexstrat.estimates").joinpath("standard_populations.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def standard_populations() -> tuple[str, ...]:
    """List the standards known by name; ``cohort`` means the cohort's own ages.

    Examples
    --------
    >>> standard_populations()
    ('cohort', 'who_2000_2025', 'esp_2013', 'japan_1985')
    """
    return ("cohort", *_published())


def _yearly(weights: Mapping[int, float]) -> NDArray[np.float64]:
    """Spread each age group evenly over its years, an open last one over ten."""
    lows = sorted(weights)
    ends = [*lows[1:], min(lows[-1] + OPEN_YEARS, OLDEST)]
    years = np.zeros(OLDEST)
    for low, end in zip(lows, ends, strict=True):
        years[low:end] = weights[low] / (end - low)
    return years


def standard_weights(
    standard: str | Mapping[int, float], bands: AgeBands, observed: NDArray[np.float64] | None = None
) -> StandardWeights:
    """Return the weight of each band in a standard population.

    Weights are cut to the bands that hold patients and renormalised: an empty band never gets weight.

    Parameters
    ----------
    standard : a name of :func:`standard_populations`, or weights by first year of each age group, its last group open.
    bands : declared age bands.
    observed : patients (sum of weights) in each band; needed for ``cohort``; None means all bands hold patients.

    Raises
    ------
    EstimationError : unknown name, negative weights, or no weight left.

    References
    ----------
    Ahmad OB et al. GPE discussion paper 31, WHO 2001. Eurostat, Revision of the European Standard Population, 2013.

    Examples
    --------
    European standard at 60-69 and 70 and over: 11,500 against 14,000 per 100,000.

    >>> standard_weights("esp_2013", AgeBands((60, 70))).weights.round(4).tolist()
    [0.451, 0.549]
    """
    filled = np.ones(len(bands), dtype=bool) if observed is None else np.asarray(observed) > 0
    if standard == "cohort":
        if observed is None or not filled.any():
            raise EstimationError("the standard 'cohort' needs the cohort's own patients by age band")
        return StandardWeights(name="cohort", weights=np.asarray(observed / observed.sum()))
    if isinstance(standard, str):
        if standard not in _published():
            raise EstimationError(f"no standard population {standard!r}; there are {', '.join(standard_populations())}")
        name = standard
        given = {int(low): float(weight) for low, weight in _published()[standard]["weights"].items()}
    else:
        name, given = "own", {int(low): float(weight) for low, weight in standard.items()}
    if not given or min(given.values()) < 0:
        raise EstimationError("a standard population needs at least one age group and no negative weight")
    years = _yearly(given)
    band = bands.index(np.arange(OLDEST))
    raw = np.bincount(band[band >= 0], weights=years[band >= 0], minlength=len(bands))
    kept = np.where(filled, raw, 0.0)
    if kept.sum() <= 0:
        raise EstimationError(f"the standard population {name} has no weight at the ages of this cohort")
    return StandardWeights(name=name, weights=kept / kept.sum(), note=_note(name, bands, filled, given, kept, years))


def _note(
    name: str,
    bands: AgeBands,
    filled: NDArray[np.bool_],
    given: Mapping[int, float],
    kept: NDArray[np.float64],
    years: NDArray[np.float64],
) -> str:
    parts = []
    if kept.sum() < years.sum() * (1 - 1e-9):
        covered = ", ".join(label for label, one in zip(bands.labels, filled, strict=True) if one)
        parts.append(f"standard {name} cut to ages {covered} and renormalised")
    edges = [edge for edge in (*bands.lows, bands.end) if edge is not None]
    if any(edge not in given and edge < max(given) + OPEN_YEARS and edge > min(given) for edge in edges):
        parts.append("its age groups are split evenly by year")
    return "; ".join(parts)
