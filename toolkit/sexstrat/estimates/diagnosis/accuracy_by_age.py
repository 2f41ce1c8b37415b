"""Sensitivity and specificity of the predicted class by age and disease, whether they differ, and their trend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from sexstrat.errors import EstimationError
from sexstrat.estimates.diagnosis.diagnostic_rows import FEWEST, DiagnosticRow, normal_row
from sexstrat.estimates.diagnosis.robust_fit import independent_columns, logistic_fit
from sexstrat.estimates.diagnosis.validated_people import ValidatedPeople
from sexstrat.estimates.numbers.proportions import wilson

__all__ = ["accuracy_by_age"]

Array = NDArray[np.float64]
NAME = "accuracy_by_age"
STATES = {"without the disease": 0.0, "with the disease": 1.0}


def _share(people: ValidatedPeople) -> tuple[float, float]:
    """Return the weighted share classified right and the effective number of people."""
    right = people.predicted_male == people.male
    return people.weighted_mean(right.astype(float)), people.effective


def _proportion(people: ValidatedPeople, **fields: Any) -> DiagnosticRow:
    counts: dict[str, Any] = {"n_patients": round(people.total), "n_validated": round(people.total)}
    if people.total < FEWEST:
        note = f"fewer than {FEWEST} validated patients of this sex, age and disease with a score"
        return DiagnosticRow(diagnostic=NAME, state="too_few", note=note, **fields, **counts)
    share, effective = _share(people)
    low, high = wilson(share * effective, effective)
    return DiagnosticRow(diagnostic=NAME, point=share, low=low, high=high, confidence=0.95, **fields, **counts)


def _heterogeneity(people: ValidatedPeople, **fields: Any) -> DiagnosticRow:
    """Return Pearson's chi-square of the shares over age bands, on effective numbers."""
    counts: dict[str, Any] = {"n_patients": round(people.total), "n_validated": round(people.total)}
    common: dict[str, Any] = {
        "diagnostic": NAME,
        "statistic": f"heterogeneity_of_{fields.pop('statistic')}",
        **fields,
        **counts,
    }
    parts = [_share(people.of(people.band == band)) for band in np.unique(people.band)]
    share, n = (np.array([part[k] for part in parts]) for k in (0, 1))
    if n.size < 2:
        return DiagnosticRow(**common, state="undefined", note="fewer than two age bands with validated patients")
    overall = float(share @ n / n.sum())
    expected = np.concatenate([n * overall, n * (1 - overall)])
    if overall in (0.0, 1.0):
        return DiagnosticRow(**common, state="undefined", note="everybody is classified alike: nothing differs")
    if expected.min() < 1 or (expected < 5).mean() > 0.2:  # Cochran's rule for the chi-square approximation
        return DiagnosticRow(**common, state="too_few", note="too few misclassified patients in some age band")
    statistic = float(np.sum(n * (share - overall) ** 2) / (overall * (1 - overall)))
    note = f"chi-square with {n.size - 1} degrees of freedom"
    return DiagnosticRow(**common, point=statistic, p_value=float(chi2.sf(statistic, n.size - 1)), note=note)


def _trend(people: ValidatedPeople, **fields: Any) -> DiagnosticRow:
    """Return the log odds ratio of being classified right per decade of age."""
    counts: dict[str, Any] = {"n_patients": round(people.total), "n_validated": round(people.total)}
    statistic = f"trend_of_{fields.pop('statistic')}_per_decade"
    right = (people.predicted_male == people.male).astype(float)
    least = min(float(people.n @ right), float(people.n @ (1 - right)))
    if least < FEWEST:
        note = f"fewer than {FEWEST} patients classified right, or wrong"
        return DiagnosticRow(diagnostic=NAME, statistic=statistic, state="too_few", note=note, **fields, **counts)
    x = np.column_stack([np.ones(right.size), people.decades, people.diseased])
    try:
        x = x[:, independent_columns(x, needed=2)]
        fit = logistic_fit(x, right, people.n, people.weight, people.squares)
    except EstimationError as error:
        return DiagnosticRow(
            diagnostic=NAME, statistic=statistic, state="undefined", note=str(error), **fields, **counts
        )
    note = "log odds ratio" + (" at equal disease" if x.shape[1] > 2 else "")
    point, se = fit.along(np.eye(x.shape[1])[1])
    return normal_row(NAME, statistic, point, se, note=note, **fields, **counts)


def accuracy_by_age(people: ValidatedPeople, labels: Sequence[str]) -> tuple[DiagnosticRow, ...]:
    """Return sensitivity (right among men) and specificity (right among women) by age band and disease.

    Shares weighted by w/r with Wilson intervals on Kish's effective number; over age bands a chi-square test that the
    share is the same everywhere (on effective numbers, a first-order correction for weights); and the log odds ratio
    of being classified right per decade of age, robust. Error that depends on age, pooled over ages, acts like error
    that depends on the disease, since disease depends on age.

    Parameters
    ----------
    people : validated people with a score; the class is male at prob_male 0.5 or above.
    labels : name of each age band.

    Returns
    -------
    Rows for all, each disease state, each age band and each band x disease; fewer than 10 people give no number.

    References
    ----------
    Wilson EB. JASA 1927;22:209-212. Korn EL, Graubard BI. Survey Methodology 1998;24:193-201 (effective number).

    Examples
    --------
    80 % of the men are classified as men.

    >>> from sexstrat.estimates.diagnosis.validated_people import validated_people
    >>> from sexstrat.estimates.worked_example import worked_arrays, worked_bands
    >>> rows = accuracy_by_age(validated_people(worked_arrays()), worked_bands().labels)
    >>> first = rows[0]
    >>> first.statistic, round(first.point, 6), first.n_validated
    ('sensitivity', 0.8, 300)
    """
    rows: list[DiagnosticRow] = []
    for statistic, sex in (("sensitivity", people.male), ("specificity", ~people.male)):
        rows += _of_one_sex(people.of(sex), statistic, labels)
    return tuple(rows)


def _of_one_sex(own: ValidatedPeople, statistic: str, labels: Sequence[str]) -> Iterator[DiagnosticRow]:
    yield _proportion(own, statistic=statistic)
    for name, state in STATES.items():
        yield _proportion(own.of(own.diseased == state), statistic=statistic, group="disease", level=name)
    for band, label in enumerate(labels):
        yield _proportion(own.of(own.band == band), statistic=statistic, group="age_band", level=label)
    for band, label in enumerate(labels):
        for name, state in STATES.items():
            chosen = own.of((own.band == band) & (own.diseased == state))
            yield _proportion(chosen, statistic=statistic, group="age_band_and_disease", level=f"{label}, {name}")
    for name, state in STATES.items():
        yield _heterogeneity(own.of(own.diseased == state), statistic=statistic, group="disease", level=name)
    yield _heterogeneity(own, statistic=statistic)
    yield _trend(own, statistic=statistic)
