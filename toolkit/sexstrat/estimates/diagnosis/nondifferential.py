"""Is it shown that the score's errors do not differ by disease? The one judgement that E5, E6 and the report use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.diagnosis.diagnostic_rows import FEWEST
from sexstrat.estimates.diagnosis.robust_fit import independent_columns, linear_fit
from sexstrat.estimates.diagnosis.validated_people import ValidatedPeople
from sexstrat.estimates.numbers.sex_disease_rows import SexDiseaseRows
from sexstrat.estimates.numbers.share_of_men import normal_quantile

__all__ = [
    "LARGEST_SHIFT",
    "LEVEL",
    "NondifferentialError",
    "ShiftByDisease",
    "age_covariates",
    "nondifferential_among",
    "nondifferential_error",
    "shift_by_disease",
]

Array = NDArray[np.float64]

LARGEST_SHIFT = 0.1  # standard deviations of logit p within sex; decision table, estimators E5 and E6
LEVEL = 0.90  # two one-sided tests at 5 %
# Coefficient 2 is the disease, coefficient 3 its product with sex.
_ALONG = {"women": (2,), "men": (2, 3), "men_minus_women": (3,)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftByDisease:
    """By how much the disease shifts logit p.

    Parameters
    ----------
    points, errors : shift in women, in men and their difference, by these names, with robust standard errors.
    spread : standard deviation of logit p within sex.
    """

    points: dict[str, float]
    errors: dict[str, float]
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NondifferentialError:
    """The shift of logit p by disease in each sex, and whether it is shown to be negligible.

    Parameters
    ----------
    shift_men, shift_women : mean logit p of diseased less well at the same age, in SDs within sex; None when too few.
    interval_men, interval_women : their two-sided intervals; None when too few.
    level : 0.90.
    largest : the shift allowed, 0.1 SD.
    shown : both intervals lie within it.
    n_validated : validated patients used.
    reason : one sentence.
    """

    shift_men: float | None
    shift_women: float | None
    interval_men: tuple[float, float] | None
    interval_women: tuple[float, float] | None
    level: float
    largest: float
    shown: bool
    n_validated: int
    reason: str


def shift_by_disease(
    score: Array, male: Array, diseased: Array, others: Array, n: Array, weight: Array, squares: Array
) -> ShiftByDisease:
    """Return the shift of logit p by disease in women and in men, by weighted least squares with HC3 variance.

    logit p on sex, disease, sex x disease and the other covariates. Without the products of sex and age among those an
    effect of age on the score would pass for one of the disease.

    Parameters
    ----------
    score : logit p of each row.
    male, diseased : 1 or 0.
    others : further covariates, shape (rows, k): age or stratum and their products with sex.
    n, weight, squares : people, sum of their weights and of squared weights.

    Raises
    ------
    EstimationError : sex and disease do not vary enough to tell their parts apart.

    References
    ----------
    MacKinnon JG, White H. J Econometrics 1985;29:305-325.

    Examples
    --------
    Men score 2, women -2, the diseased .5 higher, and half of all 1 higher, half 1 lower.

    >>> x, s, d = (v.ravel() for v in np.meshgrid([-1.0, 1.0], [1.0, 0.0], [0.0, 1.0], indexing="ij"))
    >>> one = shift_by_disease(x + 4 * s - 2 + d / 2, s, d, np.zeros((8, 0)), *(np.full(8, 500.0),) * 3)
    >>> round(one.points["women"], 6), round(one.points["men_minus_women"], 6)
    (0.5, 0.0)
    """
    x = np.column_stack([np.ones(male.size), male, diseased, male * diseased, others])
    x = x[:, independent_columns(x, needed=4)]
    fit = linear_fit(x, score, n, weight, squares)
    points, errors = {}, {}
    for name, coefficients in _ALONG.items():
        points[name], errors[name] = fit.along(np.isin(np.arange(x.shape[1]), coefficients).astype(float))
    total = 0.0
    for sex in (male > 0, male == 0):
        own = weight[sex]
        total += float(own @ (score[sex] - own @ score[sex] / own.sum()) ** 2)
    return ShiftByDisease(points=points, errors=errors, spread=float(np.sqrt(total / max(float(n.sum()) - 2, 1.0))))


def _too_few(male: Array, diseased: Array, n: Array) -> str:
    groups = {
        f"{name} {sex}": float(n[(male == s) & (diseased == d)].sum())
        for s, sex in ((1, "men"), (0, "women"))
        for d, name in ((1, "diseased"), (0, "well"))
    }
    few = [f"{count:g} {name}" for name, count in groups.items() if count < FEWEST]
    return f"only {', '.join(few)} are validated; {FEWEST} of each are needed" if few else ""


def _judged(
    score: Array, male: Array, diseased: Array, others: Array, n: Array, weight: Array, squares: Array
) -> NondifferentialError:
    n_validated = round(float(n.sum()))
    if reason := _too_few(male, diseased, n):
        return _not_shown(reason, n_validated)
    try:
        found = shift_by_disease(score, male, diseased, others, n, weight, squares)
    except EstimationError as error:
        return _not_shown(str(error), n_validated)
    if not (found.spread > 0 and min(found.errors["men"], found.errors["women"]) > 0):
        return _not_shown("logit p does not vary within sex, so that no shift can be judged", n_validated)
    shifts = {sex: found.points[sex] / found.spread for sex in ("men", "women")}
    margins = {sex: normal_quantile(LEVEL) * found.errors[sex] / found.spread for sex in shifts}
    intervals = {sex: (shifts[sex] - margins[sex], shifts[sex] + margins[sex]) for sex in shifts}
    shown = all(low > -LARGEST_SHIFT and high < LARGEST_SHIFT for low, high in intervals.values())
    texts = [f"{low:.3f} to {high:.3f} SD in {sex}" for sex, (low, high) in intervals.items()]
    return NondifferentialError(
        shift_men=shifts["men"],
        shift_women=shifts["women"],
        interval_men=intervals["men"],
        interval_women=intervals["women"],
        level=LEVEL,
        largest=LARGEST_SHIFT,
        shown=shown,
        n_validated=n_validated,
        reason=f"the 90 % intervals of the shift of logit p by disease, {' and '.join(texts)}, "
        f"{'lie' if shown else 'do not both lie'} within {LARGEST_SHIFT} SD of 0",
    )


def _not_shown(reason: str, n_validated: int) -> NondifferentialError:
    return NondifferentialError(
        shift_men=None,
        shift_women=None,
        interval_men=None,
        interval_women=None,
        level=LEVEL,
        largest=LARGEST_SHIFT,
        shown=False,
        n_validated=n_validated,
        reason=reason,
    )


def age_covariates(people: ValidatedPeople) -> Array:
    """Return age, age^2 with their products with sex, and one eye: what the shift by disease is adjusted for.

    Parameters
    ----------
    people : validated people with a score.

    Examples
    --------
    The worked example has people of 45 and 65, of both eyes: 1.5 decades below and .5 above 60.

    >>> from sexstrat.estimates.diagnosis.validated_people import validated_people
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> np.unique(age_covariates(validated_people(worked_arrays()))[:, [0, 4]], axis=0).tolist()
    [[-1.5, 0.0], [0.5, 0.0]]
    """
    male, decades = people.male.astype(float), people.decades
    return np.column_stack([decades, decades**2, male * decades, male * decades**2, people.one_eye])


def nondifferential_among(people: ValidatedPeople) -> NondifferentialError:
    """Return the judgement among validated people of cells: adjusted for age, age^2, sex x age and number of eyes.

    Parameters
    ----------
    people : validated people with a score; their weights count.

    Examples
    --------
    In the worked example errors do not depend on the disease, but 550 patients are too few to show it.

    >>> from sexstrat.estimates.diagnosis.validated_people import validated_people
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> one = nondifferential_among(validated_people(worked_arrays()))
    >>> one.shown, abs(round(one.shift_men, 6)), [round(limit, 2) for limit in one.interval_women]
    (False, 0.0, [-0.27, 0.27])
    """
    others = age_covariates(people)
    return _judged(
        people.score, people.male.astype(float), people.diseased, others, people.n, people.weight, people.squares
    )


def nondifferential_error(rows: SexDiseaseRows) -> NondifferentialError:
    """Return the shift of logit p by disease in each sex, and whether it is shown to lie within 0.1 SD.

    Least squares of logit p on sex x stratum, disease and sex x disease among validated patients, robust (HC3)
    variance; the shifts are divided by the standard deviation of logit p within sex, whose own error is left out (with
    a shift of 0.1 it adds less than 1 % to the standard error). Both sexes must pass: a shift of opposite signs
    averages to 0.

    Parameters
    ----------
    rows : patients or cells.

    Returns
    -------
    Shifts with 90 % intervals. Absence of evidence of a shift does not show that there is none: few patients give
    wide intervals, which do not pass.

    References
    ----------
    Schuirmann DJ. J Pharmacokinet Biopharm 1987;15:657-680. MacKinnon JG, White H. J Econometrics 1985;29:305-325.

    Examples
    --------
    Scores +-1 around 2 in men and -2 in women, diseased or not: no shift, and 4,000 patients show it.

    >>> from sexstrat.estimates.numbers.sex_disease_rows import sex_disease_rows
    >>> x, s, d = np.meshgrid([-1.0, 1.0], [1.0, 0.0], [0.0, 1.0], indexing="ij")
    >>> rows = sex_disease_rows((x + 4 * s - 2).ravel(), d.ravel(), s.ravel(), counts=np.full(8, 500))
    >>> one = nondifferential_error(rows)
    >>> one.shown, abs(round(one.shift_men, 6)), [round(limit, 3) for limit in one.interval_men]
    (True, 0.0, [-0.074, 0.074])
    """
    used = rows.validated
    male, n = rows.male[used], rows.counts[used]
    strata = rows.strata[used][:, 1:]
    others = np.column_stack([strata, strata * male[:, None]])
    return _judged(rows.logit_p[used], male, rows.diseased[used], others, n, n, n)
