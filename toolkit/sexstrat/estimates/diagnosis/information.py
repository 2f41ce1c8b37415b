"""How much the validated patients tell, and how many more would tell enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sexstrat.errors import EstimationError
from sexstrat.estimates.attenuation import attenuation
from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.diagnosis.diagnostic_rows import FEWEST, DiagnosticRow
from sexstrat.estimates.planning.variance_parts import VarianceParts, limits_ratio, variance_parts
from sexstrat.estimates.refusal import reason_to_refuse

__all__ = ["LIMITS_RATIOS", "information", "planned_validation"]

NAME, PLAN = "information", "planning"
LIMITS_RATIOS = (2.0, 1.5, 1.25)  # upper over lower 95 % limit of the crude prevalence ratio


PATIENTS_COUNTED = "patients counted one by one: of people drawn in units more are needed, the more units differ"


def _effective(arrays: CellArrays) -> list[DiagnosticRow]:
    """Return Kish's effective number of validated patients, overall and by disease."""
    rows = []
    kinds = [("all", "all", np.ones(arrays.n.size, dtype=bool))]
    kinds += [
        ("disease", name, arrays.diseased == d) for d, name in enumerate(("without the disease", "with the disease"))
    ]
    for group, level, about in kinds:
        known = about & arrays.validated
        squares = float(arrays.w2_over_r2[known].sum())
        fields: dict[str, Any] = {
            "diagnostic": NAME,
            "statistic": "effective_validated",
            "group": group,
            "level": level,
        }
        fields |= {"n_patients": round(arrays.n[about].sum()), "n_validated": round(arrays.n[known].sum())}
        if squares <= 0:
            rows.append(DiagnosticRow(**fields, state="undefined", note="nobody is validated"))
        else:
            rows.append(DiagnosticRow(**fields, point=float(arrays.w_over_r[known].sum()) ** 2 / squares))
    return rows


def _attenuations(arrays: CellArrays) -> list[DiagnosticRow]:
    rows = []
    for name, threshold in (("attenuation_weighted", False), ("attenuation_threshold", True)):
        scored = arrays.validated & (arrays.n_eyes > 0)
        fields: dict[str, Any] = {"diagnostic": NAME, "statistic": name}
        fields |= {"n_patients": round(arrays.n.sum()), "n_validated": round(arrays.n[scored].sum())}
        men, women = (float(arrays.n[scored & sex].sum()) for sex in (arrays.male, ~arrays.male))
        factor = attenuation(arrays, threshold=threshold)
        if min(men, women) < FEWEST:
            note = f"fewer than {FEWEST} validated men, or women, with a score"
            rows.append(DiagnosticRow(**fields, state="too_few", note=note))
        elif np.isnan(factor):
            rows.append(DiagnosticRow(**fields, state="undefined", note="the prediction is the same for everybody"))
        else:
            note = "share of a difference that the naive analysis keeps, if errors do not differ by disease"
            rows.append(DiagnosticRow(**fields, point=factor, note=note))
    return rows


def planned_validation(parts: VarianceParts, ratios: Sequence[float] = LIMITS_RATIOS) -> tuple[DiagnosticRow, ...]:
    """Return how many more validated patients would bring upper over lower limit of the ratio down to stated values.

    W + draws (N - n')/(N - n) + parameters n/n' against the variance that the stated ratio of 95 % limits implies. A
    simple scaling from the present parts, for multiple imputation and further patients validated as those before.

    Parameters
    ----------
    parts : of the variance of the crude log prevalence ratio.
    ratios : upper over lower limit wanted, each above 1.

    Raises
    ------
    EstimationError : a ratio that is not above 1.

    Examples
    --------
    Limits a factor exp(2 x 1.96 x 0.1) apart need a variance of 0.01: parameters of 0.019 must halve.

    >>> parts = VarianceParts(within=0.0005, draws=0.0, parameters=0.019, n_patients=9_999, n_validated=500, fmi=0.97)
    >>> [row.point for row in planned_validation(parts, (limits_ratio(0.01),))]
    [500.0]
    """
    rows = []
    for ratio in ratios:
        if not 1 < ratio < np.inf:
            raise EstimationError(f"upper over lower limit must lie above 1; found {ratio}")
        wanted = (np.log(ratio) / np.log(limits_ratio(1.0))) ** 2
        needed = parts.validated_for(float(wanted))
        fields: dict[str, Any] = {"diagnostic": PLAN, "group": "limits_ratio", "level": f"{ratio:g}"}
        fields |= {"statistic": "more_validated", "n_patients": parts.n_patients, "n_validated": parts.n_validated}
        if needed is None:
            least = limits_ratio(parts.within)
            note = f"not reached by recording everybody's sex, which would give {least:.2f}: more patients are needed"
            rows.append(DiagnosticRow(**fields, state="undefined", note=note))
        else:
            note = "by simple scaling of multiple imputation, crude ratio, 95 % limits"
            rows.append(DiagnosticRow(**fields, point=float(needed - parts.n_validated), note=note))
    return tuple(rows)


def information(given: ComposeInput, ratios: Sequence[float] = LIMITS_RATIOS) -> tuple[DiagnosticRow, ...]:
    """Return effective sample size, attenuation factors, missing information, and the validated patients still needed.

    Parameters
    ----------
    given : the input.
    ratios : as in :func:`planned_validation`.

    Returns
    -------
    Rows; the fraction of missing information and the plan only where a corrected estimate may be given.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> rows = {(row.statistic, row.level): row for row in information(worked_input())}
    >>> rows["effective_validated", "with the disease"].point, round(rows["attenuation_threshold", "all"].point, 4)
    (150.0, 0.5968)
    """
    arrays = given.arrays
    rows = [*_effective(arrays), *_attenuations(arrays)]
    fields: dict[str, Any] = {
        "n_patients": round(arrays.n.sum()),
        "n_validated": round(arrays.n[arrays.validated].sum()),
    }
    reason = reason_to_refuse(given)
    state = "too_few"
    if reason is None:
        try:
            parts = variance_parts(given)
        except EstimationError as problem:
            reason, state = str(problem), "undefined"
    if reason is not None:
        missing: dict[str, Any] = {"diagnostic": NAME, "statistic": "fraction_missing_information"}
        rows.append(DiagnosticRow(**missing, state=state, note=reason, **fields))
        rows.append(DiagnosticRow(diagnostic=PLAN, statistic="more_validated", state=state, note=reason, **fields))
        return tuple(rows)
    note = "of the crude prevalence ratio, multiple imputation"
    share = DiagnosticRow(
        diagnostic=NAME, statistic="fraction_missing_information", point=parts.fmi, note=note, **fields
    )
    told = (share, *planned_validation(parts, ratios))
    if given.clustered:
        told = tuple(replace(row, note=f"{row.note}; {PATIENTS_COUNTED}") for row in told)
    return (*rows, *told)
