"""Whether the scores of patients without recorded sex are a mixture of those of validated men and women."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import chi2

from sexstrat.errors import EstimationError
from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.diagnosis.diagnostic_rows import DiagnosticRow
from sexstrat.estimates.diagnosis.mixture_fit import MixtureFit, fit_mixture
from sexstrat.estimates.diagnosis.transport_groups import FEWEST_OF_A_SEX, ScoreGroup, score_groups

__all__ = ["score_mixture"]

NAME = "score_mixture"
FIT = "mixture_deviance"


def _standing_for_the_others(arrays: CellArrays) -> CellArrays:
    """Return the cells with validated patients weighted by (1 - r)/r: each stands for that many who are not."""
    weight = np.where(arrays.validated, arrays.w_over_r - arrays.w, 0.0)
    squares = np.where(arrays.validated, arrays.w2_over_r2 - 2 * arrays.w2_over_r + arrays.w2, 0.0)
    if not (weight[arrays.validated] > 0).all() or not (squares[arrays.validated] > 0).all():
        return arrays  # some were sure to be recorded (r = 1) and stand for nobody else; 1/r is the next best
    return replace(arrays, w_over_r=weight, w2_over_r2=squares)


def score_mixture(arrays: CellArrays) -> tuple[DiagnosticRow, ...]:
    """Test whether unvalidated patients' scores are a mixture of validated men's and women's, by disease and age.

    The share of men is free in each group, so that it may differ between validated and others (label shift); what is
    tested is that men, and women, without recorded sex score like those with it. Sixths of the scores, validated
    patients weighted by (1 - r)/r and to the others' ages and number of eyes; deviance of the fitted mixture,
    chi-square on bins less two. A small p-value contradicts imputation and any estimator that carries errors over; a
    large one cannot show that recording does not depend on sex, which changes only the share.

    Parameters
    ----------
    arrays : the cells.

    Returns
    -------
    The test over all groups; each group's; and the share of men that fits its unvalidated patients best.

    References
    ----------
    Hosmer DW. Biometrics 1973;29:761-770. Saerens M, Latinne P, Decaestecker C. Neural Comput 2002;14:21-41.

    Examples
    --------
    The worked example has two values of the score: half of the well are men, and nothing is left to test.

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> rows = score_mixture(worked_arrays())
    >>> rows[0].state, rows[2].level, round(rows[2].point, 3)
    ('undefined', 'without the disease, 45', 0.5)
    """
    unknown = ~arrays.validated & (arrays.n_eyes > 0)
    common: dict[str, Any] = {"n_patients": round(arrays.n[unknown].sum()), "n_validated": 0}
    if not unknown.any():
        note = "everybody with a score is validated"
        return (DiagnosticRow(diagnostic=NAME, statistic=FIT, state="not_applicable", note=note, **common),)
    groups = score_groups(arrays, _standing_for_the_others(arrays), within=unknown)
    if not groups:
        note = f"no disease state has {FEWEST_OF_A_SEX} validated men and as many validated women with a score"
        return (DiagnosticRow(diagnostic=NAME, statistic=FIT, state="too_few", note=note, **common),)
    common["n_patients"] = sum(one.n_cohort for one in groups)
    common["n_validated"] = sum(one.n_men + one.n_women for one in groups)
    try:
        fit = fit_mixture(*(np.array([getattr(one, name) for one in groups]) for name in ("mixed", "men", "women")))
    except EstimationError as problem:
        return (DiagnosticRow(diagnostic=NAME, statistic=FIT, state="undefined", note=str(problem), **common),)
    rows = [_fit_row(float(fit.deviance.sum()), float(fit.df.sum()), **common)]
    for k, group in enumerate(groups):
        rows += _rows(group, fit, k)
    return tuple(rows)


def _fit_row(deviance: float, df: float, **fields: Any) -> DiagnosticRow:
    common: dict[str, Any] = {"diagnostic": NAME, "statistic": FIT, **fields}
    if df <= 0:
        note = "the scores take fewer than three values, so that any mixture fits"
        return DiagnosticRow(**{**common, "state": "undefined", "note": note})
    told = [f"chi-square with {int(df)} degrees of freedom", str(common.get("note") or "")]
    note = "; ".join(one for one in told if one)
    return DiagnosticRow(**{**common, "point": deviance, "p_value": float(chi2.sf(deviance, df)), "note": note})


def _rows(group: ScoreGroup, fit: MixtureFit, k: int) -> list[DiagnosticRow]:
    ages = str(group.age_low) if group.age_low == group.age_high else f"{group.age_low}-{group.age_high}"
    level = f"{'with' if group.diseased else 'without'} the disease, {ages}"
    fields: dict[str, Any] = {"group": "disease_and_age", "level": level, "note": group.note or None}
    fields |= {"n_patients": group.n_cohort, "n_validated": group.n_men + group.n_women}
    fitted = _fit_row(float(fit.deviance[k]), float(fit.df[k]), **fields)
    note = "maximum likelihood of the mixture; a point to look at, the estimators give the interval"
    share = DiagnosticRow(
        **{
            **fields,
            "diagnostic": NAME,
            "statistic": "male_share_of_unvalidated",
            "point": float(fit.pi[k]),
            "note": note,
        }
    )
    return [fitted, share]
