"""Whether patients with recorded sex are like those without: ages, disease, scores, eyes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.diagnosis.diagnostic_rows import FEWEST, DiagnosticRow

__all__ = ["recorded_against_unrecorded", "standardised_difference"]

Array = NDArray[np.float64]
Rows = NDArray[np.bool_]
NAME = "recorded_against_unrecorded"


def standardised_difference(values: Array, first: Array, second: Array) -> float:
    """Return the difference of two weighted means in units of sqrt((variance 1 + variance 2) / 2).

    Parameters
    ----------
    values : value of each row; 0 or 1 for a share.
    first, second : weight of each row in either sample.

    Returns
    -------
    Mean of the first less mean of the second; 0 where nothing varies and the means agree, NaN where they differ.

    References
    ----------
    Austin PC. Stat Med 2009;28:3083-3107.

    Examples
    --------
    Shares of 1/2 and 1/4: .25 / sqrt((.25 + .1875) / 2).

    >>> values = np.array([0.0, 1.0])
    >>> round(standardised_difference(values, np.array([2.0, 2.0]), np.array([3.0, 1.0])), 4)
    0.5345
    """
    means, variances = [], []
    for weight in (first, second):
        mean = float(weight @ values / weight.sum())
        means.append(mean)
        variances.append(float(weight @ (values - mean) ** 2 / weight.sum()))
    gap, spread = means[0] - means[1], np.sqrt((variances[0] + variances[1]) / 2)
    if spread > 1e-12:
        return float(gap / spread)
    return 0.0 if abs(gap) < 1e-12 else float("nan")


def _effective(weight: Array, squares: Array) -> float:
    return float(weight.sum() ** 2 / squares.sum()) if squares.sum() > 0 else 0.0


def _row(
    values: Array, one: tuple[Array, Array], two: tuple[Array, Array], common: dict[str, Any], *, apart: bool
) -> DiagnosticRow:
    """Return one standardised difference; its interval only where the two samples are ``apart``."""
    d = standardised_difference(values, one[0], two[0])
    if np.isnan(d):
        note = "it does not vary in either sample, and differs between them"
        return DiagnosticRow(**common, state="undefined", note=note)
    if not apart:
        return DiagnosticRow(**common, point=d)
    n1, n2 = _effective(*one), _effective(*two)
    se = float(np.sqrt(1 / n1 + 1 / n2 + d**2 / (2 * (n1 + n2))))  # Hedges and Olkin 1985, equation 5.14
    z = float(norm.isf(0.025))
    return DiagnosticRow(**common, point=d, low=d - z * se, high=d + z * se, confidence=0.95)


def _looked_at(arrays: CellArrays, labels: Sequence[str]) -> list[tuple[str, str, str, Array, Rows]]:
    """Return what is compared: statistic, group, level, value of each row, and the rows it is about."""
    everybody, scored = np.ones(arrays.n.size, dtype=bool), arrays.n_eyes > 0
    diseased = arrays.diseased.astype(float)
    found: list[tuple[str, str, str, Array, Rows]] = [
        ("age_years", "all", "all", arrays.age_years, everybody),
        ("disease", "all", "all", diseased, everybody),
        ("no_gradable_eye", "all", "all", (~scored).astype(float), everybody),
        ("one_eye", "all", "all", (arrays.n_eyes == 1).astype(float), scored),
        ("logit_p", "all", "all", arrays.logit, scored),
        ("distance_of_logit_p_from_0", "all", "all", np.abs(arrays.logit), scored),
    ]
    for band, label in enumerate(labels):
        in_band = arrays.group // 2 == band
        found.append(("share_in_band", "age_band", label, in_band.astype(float), everybody))
        found.append(("disease", "age_band", label, diseased, in_band))
    for state, name in enumerate(("without the disease", "with the disease")):
        found.append(("logit_p", "disease", name, arrays.logit, scored & (arrays.diseased == state)))
    return found


def recorded_against_unrecorded(arrays: CellArrays, labels: Sequence[str]) -> tuple[DiagnosticRow, ...]:
    """Return standardised differences between patients with and without recorded sex.

    Ages, disease, number of eyes and scores, with survey weights. ``weighted_`` rows compare the validated, weighted
    by w/r, with the whole cohort: they should be near 0 when the validation probability is right, whatever it depends
    on. No difference shows that recording depends on sex itself: that cannot be seen in data.

    Parameters
    ----------
    arrays : the cells.
    labels : name of each age band.

    Returns
    -------
    Rows with validated less others in standard deviations, with a 95 % interval; ``weighted_`` rows, whose samples
    overlap, have none. n_patients counts both samples.

    References
    ----------
    Austin PC. Stat Med 2009;28:3083-3107. Hedges LV, Olkin I. Statistical Methods for Meta-Analysis 1985, section 5.B.

    Examples
    --------
    In the worked example every second patient of every kind is validated.

    >>> from sexstrat.estimates.worked_example import worked_arrays, worked_bands
    >>> rows = recorded_against_unrecorded(worked_arrays(), worked_bands().labels)
    >>> rows[0].statistic, rows[0].point, rows[0].n_patients, rows[0].n_validated
    ('age_years', 0.0, 1100, 550)
    """
    rows = []
    for statistic, group, level, values, about in _looked_at(arrays, labels):
        known, unknown = about & arrays.validated, about & ~arrays.validated
        counts = round(arrays.n[known].sum()), round(arrays.n[unknown].sum())
        common: dict[str, Any] = {"diagnostic": NAME, "statistic": statistic, "group": group, "level": level}
        common |= {"n_patients": sum(counts), "n_validated": counts[0]}
        weighted = {**common, "statistic": f"weighted_{statistic}"}
        if min(counts) < FEWEST:
            note = f"fewer than {FEWEST} patients with recorded sex, or without"
            rows += [DiagnosticRow(**one, state="too_few", note=note) for one in (common, weighted)]
            continue
        if min(arrays.w[known].sum(), arrays.w[unknown].sum(), arrays.w_over_r[known].sum()) <= 0:
            note = "all patients with recorded sex, or all without, have a weight of 0"
            rows += [DiagnosticRow(**one, state="undefined", note=note) for one in (common, weighted)]
            continue

        def sample(chosen: Rows) -> tuple[Array, Array]:
            return np.where(chosen, arrays.w, 0.0), np.where(chosen, arrays.w2, 0.0)

        by_r = np.where(known, arrays.w_over_r, 0.0), np.where(known, arrays.w2_over_r2, 0.0)
        rows.append(_row(values, sample(known), sample(unknown), common, apart=True))
        rows.append(_row(values, by_r, sample(about), weighted, apart=False))
    return tuple(rows)
