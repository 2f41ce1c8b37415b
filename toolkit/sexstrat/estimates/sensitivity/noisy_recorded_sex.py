"""Sensitivity to errors of recorded sex: every headline over a grid of error rates, or under a prior."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.contrasts import CONTRASTS, contrast_at
from sexstrat.estimates.estimate_rows import Place, estimates_frame
from sexstrat.estimates.places import crude_place, standardised_place
from sexstrat.estimates.prevalence import SEXES, prevalence_row
from sexstrat.estimates.sensitivity.crossing import Crossings, crossings, grid_of
from sexstrat.estimates.sensitivity.misrecorded_margin import (
    ASSUMPTIONS,
    OUTSIDE,
    WHY,
    RecordingError,
    misrecorded_place,
)
from sexstrat.values.shown import Shown

__all__ = ["WHOSE", "NoisyRecordedSex", "headline_place", "noisy_recorded_sex", "recording_error"]

Array = NDArray[np.float64]

WHOSE: Mapping[str, Callable[[float], RecordingError]] = {
    "both": RecordingError.common,
    "men": lambda rate: RecordingError(men=rate, women=0.0),
    "women": lambda rate: RecordingError(men=0.0, women=rate),
}
LARGEST = 0.10  # administrative sex is wrong for well under 1 in 100; one in ten is beyond any register
STEPS = 20


def recording_error(rate: float, whose: str) -> RecordingError:
    """Return the errors of records at a rate: of both sexes, of men (recorded female), or of women (recorded male).

    Raises
    ------
    EstimationError : unknown ``whose``, or a rate that records cannot have.

    Examples
    --------
    >>> recording_error(0.02, "women")
    RecordingError(men=0.0, women=0.02)
    """
    if whose not in WHOSE:
        raise EstimationError(f"no errors of {whose!r}; there are errors of {', '.join(WHOSE)}")
    return WHOSE[whose](rate)


def headline_place(one: Composition, standardise: str | Mapping[int, float] | None) -> Place:
    """Return all ages of a composition, crude or standardised.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> headline_place(one, "cohort").standard
    'cohort'
    """
    return crude_place(one) if standardise is None else standardised_place(one, standardise)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoisyRecordedSex(Shown):
    """What the headline measures become when recorded sex is wrong at stated rates.

    Parameters
    ----------
    rates : error rates, rising from 0.
    whose : whose records are wrong: both, men or women.
    diseased_only : only records of the diseased are.
    rows : estimate rows, one tuple a rate.
    found : the prevalence ratio along the rate and where it or a limit passes 1; None when refused.
    level : confidence level.
    n_patients, n_validated : whom it is about.
    state : ``bias_analysis`` or ``refused``.
    why, assumptions : sentences for the report.
    """

    rates: tuple[float, ...]
    whose: str
    diseased_only: bool
    rows: tuple[tuple[dict[str, Any], ...], ...]
    found: Crossings | None
    level: float
    n_patients: int
    n_validated: int
    state: str
    why: str
    assumptions: tuple[str, ...]

    @property
    def tipping(self) -> float | None:
        """The smallest error rate at which the interval of the ratio comes to include, or exclude, 1."""
        return None if self.found is None else self.found.tipping

    @property
    def statement(self) -> str:
        """The result as a sentence."""
        if self.found is None:
            return self.why
        holds = "includes" if self.found.includes_one else "excludes"
        other = "exclude" if self.found.includes_one else "include"
        begin = f"With faultless records the {self.level:.0%} interval of the prevalence ratio {holds} 1"
        if self.tipping is not None:
            return f"{begin}; it comes to {other} 1 at an error rate of {self.tipping:.2%}."
        known = self.found.frame.loc[self.found.frame["excludes_one"].notna(), "value"]
        cut = "" if known.max() == self.rates[-1] else "; beyond it the shares would leave 0 to 1"
        return f"{begin}, and no error rate up to {known.max():.1%} makes it {other} 1{cut}."

    def to_frame(self) -> pd.DataFrame:
        """Return the estimate rows with the rate of errors in men and in women first."""
        flat = [row for part in self.rows for row in part]
        frame = estimates_frame(flat)
        rate = np.repeat(self.rates, [len(part) for part in self.rows])
        frame.insert(0, "error_women", np.where(self.whose == "men", 0.0, rate))
        frame.insert(0, "error_men", np.where(self.whose == "women", 0.0, rate))
        frame.insert(2, "errors_among", "diseased" if self.diseased_only else "all")
        return frame


def _row(found: Place, row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "note": OUTSIDE} if found.note == OUTSIDE and found.state == "refused" else row


def noisy_recorded_sex(
    one: Composition,
    *,
    rates: Sequence[float] | None = None,
    whose: str = "both",
    diseased_only: bool = False,
    standardise: str | Mapping[int, float] | None = None,
) -> NoisyRecordedSex:
    """Return prevalence by sex and every contrast when recorded sex is wrong at each of some rates.

    Parameters
    ----------
    one : composition of recorded sexes, by any estimator.
    rates : error rates, the first of them 0; None for 0 to 10 % in steps of half a percent.
    whose : both sexes' records are wrong at the rate, or those of men, or of women.
    diseased_only : only the diseased patients' records are: errors that differ by disease.
    standardise : name of a standard population, weights by first year of age, or None for crude.

    Returns
    -------
    Estimate rows whose intervals hold if the rate is the true one, and the rate at which the conclusion about the
    prevalence ratio changes, or that none does.

    Raises
    ------
    EstimationError : rates that do not rise from 0, or that records cannot have.

    References
    ----------
    Rogan WJ, Gladen B. Am J Epidemiol 1978;107:71-76. Lash TL et al. Int J Epidemiol 2014;43:1969-1985.

    Examples
    --------
    A tenth of records wrong: .5 of 800 well and .7083 of 300 diseased are men, 212.5 / 612.5 against 87.5 / 487.5.

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> frame = noisy_recorded_sex(one, rates=[0.0, 0.1]).to_frame()
    >>> ratio = frame[frame["measure"] == "prevalence_ratio"]["point"]
    >>> ratio.round(4).tolist(), round(212.5 / 612.5 / (87.5 / 487.5), 4)
    ([1.6667, 1.9329], 1.9329)
    """
    grid = grid_of(LARGEST, STEPS, both_sides=False) if rates is None else np.asarray(rates, dtype=float)
    if grid.ndim != 1 or grid.size < 2 or grid[0] != 0 or not bool((np.diff(grid) > 0).all()):
        raise EstimationError(f"error rates must rise from 0 and be at least two; found {grid.tolist()}")
    place, none = headline_place(one, standardise), RecordingError.common(0.0)

    def at(rate: float) -> Place:
        error = recording_error(rate, whose)
        return misrecorded_place(place, none if diseased_only else error, diseased=error)

    def ratio_at(rate: float) -> dict[str, Any]:
        found = at(rate)
        return _row(found, contrast_at(found, "ratio"))

    rows = []
    for rate in grid:
        found = at(float(rate))
        sexes = [prevalence_row(found, sex) for sex in SEXES]
        rows.append(tuple(_row(found, row) for row in (*sexes, *(contrast_at(found, kind) for kind in CONTRASTS))))
    curve = crossings(ratio_at, grid)
    refused = curve.includes_one is None
    return NoisyRecordedSex(
        rates=tuple(float(rate) for rate in grid),
        whose=whose,
        diseased_only=diseased_only,
        rows=tuple(rows),
        found=None if refused else curve,
        level=one.level,
        n_patients=round(float(one.n_patients.sum())),
        n_validated=round(float(one.n_validated.sum())),
        state="refused" if refused else "bias_analysis",
        why=f"No number even with faultless records: {rows[0][2]['note']}." if refused else WHY,
        assumptions=(*one.assumptions, *ASSUMPTIONS),
    )
