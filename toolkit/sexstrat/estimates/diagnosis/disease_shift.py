"""Whether the disease moves the score of men, and of women: differential error, and the claim that there is none."""

from __future__ import annotations

from typing import Any

import numpy as np

from sexstrat.errors import EstimationError
from sexstrat.estimates.diagnosis.diagnostic_rows import DiagnosticRow, normal_row, too_few
from sexstrat.estimates.diagnosis.nondifferential import (
    LEVEL,
    age_covariates,
    nondifferential_among,
    shift_by_disease,
)
from sexstrat.estimates.diagnosis.validated_people import ValidatedPeople

__all__ = ["disease_shift", "shown_nondifferential"]

NAME = "differential_error"
SEXES = ("women", "men", "men_minus_women")


def disease_shift(people: ValidatedPeople) -> tuple[DiagnosticRow, ...]:
    """Estimate by how much the disease shifts logit p in either sex, and judge whether error is nondifferential.

    Least squares of logit p on sex, disease, age, age^2, sex x (disease, age, age^2) and number of eyes, weighted by
    w/r, with HC3 variance. Without the products of sex and age an effect of age on the score would pass for one of
    the disease. Shifts are also given in standard deviations of logit p within sex (taken as known), with a 90 %
    interval: error counts as shown nondifferential only if those of both sexes lie within +-0.1, which is two
    one-sided tests at 5 % for either sex. That no shift is significant would not be enough.

    Parameters
    ----------
    people : validated people with a score.

    Returns
    -------
    For women, men and their difference: the shift of logit p with a 95 % interval and the test that it is 0, and the
    shift in standard deviations with a 90 % interval; last ``shown_nondifferential``, 1 or 0.

    References
    ----------
    MacKinnon JG, White H. J Econometrics 1985;29:305-325. Schuirmann DJ. J Pharmacokinet Biopharm 1987;15:657-680.

    Examples
    --------
    In the worked example errors do not depend on the disease, but 550 patients are too few to show it.

    >>> from sexstrat.estimates.diagnosis.validated_people import validated_people
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> rows = {(row.statistic, row.level): row for row in disease_shift(validated_people(worked_arrays()))}
    >>> shift = rows["shift_in_sd", "women"]
    >>> abs(round(shift.point, 6)), shift.confidence, rows["shown_nondifferential", "all"].point
    (0.0, 0.9, 0.0)
    """
    common: dict[str, Any] = {"n_patients": round(people.total), "n_validated": round(people.total)}
    reason, state = too_few(people, ("men", "women", "diseased", "well")), "too_few"
    if reason is None:
        try:
            return _estimated(people, common)
        except EstimationError as error:
            reason, state = str(error), "undefined"
    rows = [
        DiagnosticRow(diagnostic=NAME, statistic=name, group="sex", level=sex, state=state, note=reason, **common)
        for sex in SEXES
        for name in ("shift_of_logit_p", "shift_in_sd")
    ]
    verdict = DiagnosticRow(diagnostic=NAME, statistic="shown_nondifferential", state=state, note=reason, **common)
    return (*rows, verdict)


def _estimated(people: ValidatedPeople, common: dict[str, Any]) -> tuple[DiagnosticRow, ...]:
    male = people.male.astype(float)
    among = {"men": people.male, "women": ~people.male, "men_minus_women": np.ones_like(people.male)}
    others = age_covariates(people)
    found = shift_by_disease(people.score, male, people.diseased, others, people.n, people.weight, people.squares)
    rows = []
    for sex in SEXES:
        point, se, n = found.points[sex], found.errors[sex], round(people.n[among[sex]].sum())
        fields: dict[str, Any] = {"group": "sex", "level": sex, "n_patients": n, "n_validated": n}
        rows.append(normal_row(NAME, "shift_of_logit_p", point, se, **fields))
        size = (point / found.spread, se / found.spread) if found.spread > 0 else (np.nan, np.nan)
        rows.append(normal_row(NAME, "shift_in_sd", *size, confidence=LEVEL, p_value=None, **fields))
    return (*rows, _verdict(people, common))


def _verdict(people: ValidatedPeople, common: dict[str, Any]) -> DiagnosticRow:
    judged = nondifferential_among(people)
    fields: dict[str, Any] = {"diagnostic": NAME, "statistic": "shown_nondifferential", **common}
    if judged.shift_men is None:
        return DiagnosticRow(**fields, state="undefined", note=judged.reason)
    return DiagnosticRow(**fields, point=float(judged.shown), note=judged.reason)


def shown_nondifferential(rows: tuple[DiagnosticRow, ...]) -> bool:
    """Tell whether error is shown not to depend on the disease, as estimators that assume it require.

    Parameters
    ----------
    rows : diagnostics, among them those of :func:`disease_shift`.

    Returns
    -------
    False also where it could not be judged.

    Examples
    --------
    >>> verdict = DiagnosticRow(diagnostic="differential_error", statistic="shown_nondifferential", point=1.0)
    >>> shown_nondifferential((verdict,)), shown_nondifferential(())
    (True, False)
    """
    return any(row.diagnostic == NAME and row.statistic == "shown_nondifferential" and row.point == 1.0 for row in rows)
