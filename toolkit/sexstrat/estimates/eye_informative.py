"""Does disease among graded eyes depend on how many are graded? If so, persons and eyes answer different questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.diagnosis.diagnostic_rows import FEWEST, DiagnosticRow
from sexstrat.estimates.eye_patterns import graded_eyes_of
from sexstrat.estimates.unit_scores import RowInfluence, unit_scores

__all__ = ["InformativeEyes", "informative_eye_rows", "informative_eyes", "informative_warning"]

Array = NDArray[np.float64]

REJECTED_AT = 0.05
FEWEST_DISEASED = 5  # diseased patients, and others, that a share needs for a normal interval
NAME = "informative_eyes"


@dataclass(frozen=True, slots=True, kw_only=True)
class InformativeEyes:
    """Share of affected eyes in patients with one graded eye minus that in patients with two, age for age.

    Parameters
    ----------
    point, se, low, high, p_value : the difference, its interval and the test that it is 0; None where not ok.
    level : confidence level of the interval.
    df : degrees of freedom, units less strata.
    n_one, n_two : patients with one and with two graded eyes.
    state : ok, or too_few.
    note : the reason.

    Examples
    --------
    >>> InformativeEyes(level=0.95, n_one=3, n_two=90, state="too_few").rejects
    False
    """

    level: float
    n_one: int
    n_two: int
    point: float | None = None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    df: int | None = None
    state: str = "ok"
    note: str | None = None

    @property
    def rejects(self) -> bool:
        """The number of graded eyes tells of disease, at the 5 % level."""
        return self.p_value is not None and self.p_value < REJECTED_AT


def _lacking(n: Array, diseased: NDArray[np.bool_], one: NDArray[np.bool_]) -> str | None:
    """Return what there are too few of, or None."""
    for rows, name in ((one, "one graded eye"), (~one, "two graded eyes")):
        if n[rows].sum() < FEWEST:
            return f"fewer than {FEWEST} patients with {name}"
        for kind, word in ((diseased, "an affected eye"), (~diseased, "no affected eye")):
            if n[rows & kind].sum() < FEWEST_DISEASED:
                return f"fewer than {FEWEST_DISEASED} patients with {name} and {word}"
    return None


def _difference(arrays: CellArrays, share: Array, one: NDArray[np.bool_]) -> tuple[float, Array]:
    """Return the difference over bands and what a unit of weight of each row moves it by."""
    band, bands = arrays.group // 2, arrays.n_bands
    people, mean = np.zeros((2, bands)), np.zeros((2, bands))
    for which, rows in enumerate((one, ~one)):
        people[which] = np.bincount(band[rows], weights=arrays.w[rows], minlength=bands)
        affected = np.bincount(band[rows], weights=(arrays.w * share)[rows], minlength=bands)
        mean[which] = np.divide(affected, people[which], out=np.zeros(bands), where=people[which] > 0)
    total = people.sum(axis=0)
    weight = np.divide(people[0] * people[1], total, out=np.zeros(bands), where=total > 0)
    if not weight.sum() > 0:
        return np.nan, np.zeros_like(share)
    weight = weight / weight.sum()
    side = np.where(one, 1.0, -1.0)
    kind = np.where(one, 0, 1)
    moved = side * weight[band] * (share - mean[kind, band]) / people[kind, band]
    return float(weight @ (mean[0] - mean[1])), moved


def informative_eyes(given: ComposeInput) -> InformativeEyes:
    """Test whether the share of a patient's graded eyes that are affected depends on how many are graded.

    y = k / n of each patient; within every age band the mean y of patients with one graded eye minus that of patients
    with two, weighted over bands by N_1 N_2 / (N_1 + N_2), against 0 (Wald). The patient is the unit, or the sampling
    unit where the cells name one; sexes are pooled, since they are not known. Where it is not 0, patients with two eyes
    weigh double in the prevalence among eyes but are not like the others.

    Parameters
    ----------
    given : the input, of a condition recorded by eye.

    Returns
    -------
    The difference with its interval and p value; ``too_few`` with fewer than 10 patients of either kind, or fewer than
    5 of them with, or without, an affected eye.

    Raises
    ------
    EstimationError : the condition is recorded about the person.

    References
    ----------
    Williamson JM, Datta S, Satten GA. Biometrics 2003;59:36-42 (informative cluster size). Cochran WG. Biometrics
    1954;10:417-451 (weights over strata).

    Examples
    --------
    Everybody has two graded eyes: nothing to compare.

    >>> from dataclasses import replace
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> eyes = 2.0 * np.column_stack([1 - given.arrays.diseased, given.arrays.diseased])
    >>> informative_eyes(replace(given, arrays=replace(given.arrays, eyes=eyes))).note
    'fewer than 10 patients with one graded eye'
    """
    eyes = graded_eyes_of(given.arrays)
    arrays = given.arrays.chosen(eyes.sum(axis=1) > 0)
    eyes = graded_eyes_of(arrays)
    graded, share = eyes.sum(axis=1), eyes[:, 1] / eyes.sum(axis=1)
    one = graded == 1
    n_one, n_two = (round(float(arrays.n[rows].sum())) for rows in (one, ~one))
    found: dict[str, Any] = {"level": given.level, "n_one": n_one, "n_two": n_two}
    if (reason := _lacking(arrays.n, eyes[:, 1] > 0, one)) is not None:
        return InformativeEyes(**found, state="too_few", note=reason)
    point, moved = _difference(arrays, share, one)
    if not np.isfinite(point):
        return InformativeEyes(**found, state="too_few", note="no age band holds patients with one and with two eyes")
    own = moved[:, None]
    influence = RowInfluence(
        own=own, counts=np.zeros_like(own), w=arrays.w, w2=arrays.w2, holding=np.ones(own.shape, dtype=bool)
    )
    scores = unit_scores(arrays, influence)
    se = float(scores.variance(np.array([[1.0, 0.0]]), "centred").covariance[0, 0]) ** 0.5
    df = scores.degrees_of_freedom(np.array([True]))
    if df < 1 or not se > 0:
        return InformativeEyes(**found, state="too_few", note="nothing shows how sampling units differ")
    width = float(student_t.isf((1 - given.level) / 2, df)) * se
    p_value = float(2 * student_t.sf(abs(point) / se, df))
    return InformativeEyes(**found, point=point, se=se, low=point - width, high=point + width, p_value=p_value, df=df)


def informative_warning(found: InformativeEyes) -> str | None:
    """Return what a reader must know where the number of graded eyes is informative, else None.

    Parameters
    ----------
    found : from :func:`informative_eyes`.

    Examples
    --------
    >>> informative_warning(InformativeEyes(level=0.95, n_one=90, n_two=90, point=0.1, p_value=0.4)) is None
    True
    """
    if not found.rejects or found.point is None or found.low is None or found.high is None:
        return None
    more = "more" if found.point > 0 else "less"
    return (
        f"Graded eyes are affected {more} often in patients with one graded eye than in those with two, age for age "
        f"(difference {found.point:.3f}, {found.level:.0%} interval {found.low:.3f} to {found.high:.3f}): prevalence "
        "among persons and among eyes answer different questions and need not agree."
    )


def informative_eye_rows(given: ComposeInput) -> tuple[DiagnosticRow, ...]:
    """Return the test as a diagnostic row; none where the condition is about the person.

    Parameters
    ----------
    given : the input.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> informative_eye_rows(worked_input())
    ()
    """
    if given.arrays.eyes is None:
        return ()
    found = informative_eyes(given)
    note = "; ".join(part for part in (found.note, informative_warning(found)) if part)
    row = DiagnosticRow(
        diagnostic=NAME,
        statistic="affected_share_one_eye_minus_two",
        point=found.point,
        low=found.low,
        high=found.high,
        confidence=None if found.point is None else found.level,
        p_value=found.p_value,
        n_patients=found.n_one + found.n_two,
        n_validated=round(given.arrays.n_validated.sum()),
        state=found.state,
        note=note or f"{found.n_one} patients with one graded eye, {found.n_two} with two; sexes pooled",
    )
    return (row,)
