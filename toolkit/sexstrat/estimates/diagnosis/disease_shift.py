"""Whether the disease moves the score of men, and of women: differential error, and the claim that there is none."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.diagnosis.diagnostic_rows import DiagnosticRow, normal_row, too_few
from sexstrat.estimates.diagnosis.robust_fit import independent_columns, linear_fit
from sexstrat.estimates.diagnosis.validated_people import ValidatedPeople

__all__ = ["LARGEST_SHIFT", "disease_shift", "shown_nondifferential"]

Array = NDArray[np.float64]
NAME = "differential_error"
LARGEST_SHIFT = 0.1  # standard deviations of logit p within sex; decision table, estimators E5 and E6
EQUIVALENCE = 0.90  # two one-sided tests at 5 %
# Coefficient 2 is the disease, coefficient 3 its product with sex.
SHIFTS = {"women": (0.0, 0.0, 1.0, 0.0), "men": (0.0, 0.0, 1.0, 1.0), "men_minus_women": (0.0, 0.0, 0.0, 1.0)}


def _covariates(people: ValidatedPeople) -> Array:
    """Return intercept, sex, disease, sex x disease, then age, age^2 with their products with sex, and one eye."""
    male, decades = people.male.astype(float), people.decades
    columns = [np.ones(male.size), male, people.diseased, male * people.diseased]
    return np.column_stack([*columns, decades, decades**2, male * decades, male * decades**2, people.one_eye])


def _spread(people: ValidatedPeople) -> float:
    """Return the standard deviation of logit p within sex, pooled over the sexes."""
    total = 0.0
    for sex in (people.male, ~people.male):
        own = people.of(sex)
        total += float(own.weight @ (own.score - own.weighted_mean(own.score)) ** 2)
    return float(np.sqrt(total / max(people.total - 2, 1.0)))


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
        for sex in SHIFTS
        for name in ("shift_of_logit_p", "shift_in_sd")
    ]
    verdict = DiagnosticRow(diagnostic=NAME, statistic="shown_nondifferential", state=state, note=reason, **common)
    return (*rows, verdict)


def _estimated(people: ValidatedPeople, common: dict[str, Any]) -> tuple[DiagnosticRow, ...]:
    x = _covariates(people)
    x = x[:, independent_columns(x, needed=4)]
    sexes = {"men": people.male, "women": ~people.male, "men_minus_women": np.ones_like(people.male)}
    fit, spread = linear_fit(x, people.score, people.n, people.weight, people.squares), _spread(people)
    rows = []
    for sex, coefficients in SHIFTS.items():
        direction = np.zeros(x.shape[1])
        direction[:4] = coefficients
        point, se = fit.along(direction)
        among = round(people.n[sexes[sex]].sum())
        fields: dict[str, Any] = {"group": "sex", "level": sex, "n_patients": among, "n_validated": among}
        rows.append(normal_row(NAME, "shift_of_logit_p", point, se, **fields))
        size = (point / spread, se / spread) if spread > 0 else (np.nan, np.nan)
        rows.append(normal_row(NAME, "shift_in_sd", *size, confidence=EQUIVALENCE, p_value=None, **fields))
    return (*rows, _verdict(rows, common))


def _verdict(rows: list[DiagnosticRow], common: dict[str, Any]) -> DiagnosticRow:
    judged = [row for row in rows if row.statistic == "shift_in_sd" and row.level in ("men", "women")]
    fields: dict[str, Any] = {"diagnostic": NAME, "statistic": "shown_nondifferential", **common}
    if any(row.low is None or row.high is None for row in judged):
        return DiagnosticRow(**fields, state="undefined", note="the shift of a sex is not defined")
    inside = all((row.low or 0.0) >= -LARGEST_SHIFT and (row.high or 0.0) <= LARGEST_SHIFT for row in judged)
    told = "lie" if inside else "do not both lie"
    note = f"the 90 % intervals of the shift in men and in women {told} within +-{LARGEST_SHIFT} SD of logit p"
    return DiagnosticRow(**fields, point=float(inside), note=note)


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
