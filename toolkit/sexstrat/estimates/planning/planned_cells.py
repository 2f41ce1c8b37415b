"""A cohort that is being planned: its patients, shares of men and score, by age band and disease."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.numbers.score_moments import binormal_moments

__all__ = ["PlannedCells", "sex_prevalences", "stated_cells"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCells:
    """Strata of a planned cohort as arrays of equal length; several may lie in one age band and disease state.

    Parameters
    ----------
    band, diseased : the age band's index and the disease state (0 or 1) of each stratum.
    patients : expected patients.
    n, n_variance : expected sums of weights and of squared weights; equal to ``patients`` without survey weights.
    moments : of the calibrated P(male) in the stratum, shape (4, strata): means of p, p^2, p^3, p^4.
    labels : name of each age band.
    inflation : squared residuals of the score over p (1 - p): 1 for a calibrated score, estimated from a pilot.
    inflation_se : its standard error; 0 where it is stated.
    validated : patients validated already, by stratum.
    score_low, score_high : bounds of prob_male of each stratum; NaN where the score does not define it.

    Examples
    --------
    >>> cells = stated_cells(patients=1000, prevalence=0.2, male_share=0.5, ratio=1.0, auc=0.5)
    >>> cells.patients.tolist(), cells.shares.tolist()
    ([800.0, 200.0], [[0.5, 0.5]])
    """

    band: NDArray[np.int64]
    diseased: NDArray[np.int64]
    patients: Array
    n: Array
    n_variance: Array
    moments: Array
    labels: tuple[str, ...]
    inflation: float = 1.0
    inflation_se: float = 0.0
    validated: Array | None = None
    score_low: Array | None = None
    score_high: Array | None = None

    @property
    def total_patients(self) -> float:
        """Patients in all."""
        return float(self.patients.sum())

    @property
    def validated_now(self) -> Array:
        """Patients validated already, by stratum."""
        return np.zeros_like(self.patients) if self.validated is None else self.validated

    @property
    def shares(self) -> Array:
        """Share of men by band and disease, shape (bands, 2); NaN in an empty cell."""
        n = self.table(self.n)
        men = self.table(self.n * self.moments[0])
        return np.divide(men, n, out=np.full_like(n, np.nan), where=n > 0)

    def table(self, values: Array) -> Array:
        """Sum values of strata within each band and disease state; returns shape (bands, 2)."""
        group = 2 * self.band + self.diseased
        return np.bincount(group, weights=values, minlength=2 * len(self.labels)).reshape(-1, 2).astype(float)

    def resized(self, patients: float) -> PlannedCells:
        """Return the same cohort with another number of patients, nobody validated yet."""
        scale = patients / self.total_patients
        return replace(
            self,
            patients=self.patients * scale,
            n=self.n * scale,
            n_variance=self.n_variance * scale,
            validated=None,
        )


def sex_prevalences(
    *, prevalence: float, male_share: float, ratio: float | None = None, difference: float | None = None
) -> tuple[float, float]:
    """Return prevalence in men and in women from that of all and how the sexes compare.

    Women: q / (m r + 1 - m) for a ratio r, q - m d for a difference d, with q the prevalence of all and m the share of
    men; men: r times that, or that plus d.

    Parameters
    ----------
    prevalence : of all, strictly between 0 and 1.
    male_share : share of men, strictly between 0 and 1.
    ratio : prevalence in men over that in women, above 0.
    difference : prevalence in men minus that in women; exactly one of the two is given.

    Raises
    ------
    EstimationError : a value out of range, both or neither comparison, or a prevalence outside 0 to 1.

    Examples
    --------
    >>> men, women = sex_prevalences(prevalence=0.25, male_share=0.5, ratio=1.5)
    >>> round(men, 6), round(women, 6)
    (0.3, 0.2)
    >>> men, women = sex_prevalences(prevalence=0.25, male_share=0.5, difference=0.1)
    >>> round(men, 6), round(women, 6)
    (0.3, 0.2)
    """
    for name, value in (("prevalence", prevalence), ("share of men", male_share)):
        if not 0 < value < 1:
            raise EstimationError(f"the {name} must lie strictly between 0 and 1; found {value:g}")
    if (ratio is None) == (difference is None):
        raise EstimationError("state how the sexes compare by one of ratio and difference, not both or neither")
    if ratio is not None:
        if not 0 < ratio < np.inf:
            raise EstimationError(f"the ratio must lie above 0; found {ratio:g}")
        women = prevalence / (male_share * ratio + 1 - male_share)
        men = ratio * women
    else:
        gap = float(difference or 0.0)
        women = prevalence - male_share * gap
        men = women + gap
    if not (0 < men < 1 and 0 < women < 1):
        raise EstimationError(
            f"prevalence {prevalence:g} and {male_share:g} men with "
            f"{'ratio' if ratio is not None else 'difference'} {ratio if ratio is not None else difference:g} would "
            f"mean prevalence {men:.3g} in men and {women:.3g} in women; both must lie strictly between 0 and 1"
        )
    return men, women


def stated_cells(
    *,
    patients: float,
    prevalence: float | Sequence[float],
    male_share: float | Sequence[float],
    auc: float | Sequence[float],
    ratio: float | None = None,
    difference: float | None = None,
    age_shares: Sequence[float] = (1.0,),
    labels: Sequence[str] = (),
) -> PlannedCells:
    """Return a planned cohort from stated values.

    The score is binormal and calibrated within every age band and disease state, which is what the recalibration on
    validated patients makes of any score of that area under the curve: errors that differ by disease do not widen E1.

    Parameters
    ----------
    patients : of the whole cohort.
    prevalence, male_share : one number, or one for each age band.
    auc : area under the curve of a patient's combined score (not of one eye) within band and disease, 0.5 to 1.
    ratio, difference : how prevalence in men compares with that in women, in every band; exactly one of the two.
    age_shares : share of the patients in each age band; they add up to 1.
    labels : name of each band.

    Raises
    ------
    EstimationError : a value out of range.

    Examples
    --------
    Prevalence 0.3 in men and 0.2 in women, as many of each: of the diseased 0.3 / 0.5 are men.

    >>> cells = stated_cells(patients=1000, prevalence=0.25, male_share=0.5, ratio=1.5, auc=0.9)
    >>> cells.shares.round(4).tolist()
    [[0.4667, 0.6]]
    """
    share = np.asarray(age_shares, dtype=float)
    if share.ndim != 1 or share.size == 0 or (share <= 0).any() or abs(share.sum() - 1) > 1e-6:
        raise EstimationError(f"the shares of the age bands must be above 0 and add up to 1; found {list(age_shares)}")
    if not 1 <= patients < np.inf:
        raise EstimationError(f"a cohort has at least one patient; found {patients:g}")
    bands = share.size
    q, m, area = (_by_band(value, bands) for value in (prevalence, male_share, auc))
    counts, moments = [], []
    for a in range(bands):
        men, women = sex_prevalences(prevalence=q[a], male_share=m[a], ratio=ratio, difference=difference)
        for in_men, in_women in ((1 - men, 1 - women), (men, women)):
            cell = m[a] * in_men + (1 - m[a]) * in_women
            counts.append(patients * share[a] * cell)
            moments.append(binormal_moments(float(area[a]), float(m[a] * in_men / cell)))
    n = np.array(counts)
    return PlannedCells(
        band=np.repeat(np.arange(bands), 2),
        diseased=np.tile([0, 1], bands),
        patients=n,
        n=n,
        n_variance=n,
        moments=np.column_stack(moments),
        labels=tuple(labels) or tuple(f"band {a + 1}" for a in range(bands)),
    )


def _by_band(value: ArrayLike, bands: int) -> Array:
    given = np.atleast_1d(np.asarray(value, dtype=float))
    if given.ndim != 1 or given.size not in {1, bands}:
        raise EstimationError(f"give one number, or one for each of the {bands} age bands; found {given.size}")
    return np.broadcast_to(given, (bands,))
