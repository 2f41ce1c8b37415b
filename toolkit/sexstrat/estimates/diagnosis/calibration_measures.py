"""How far the scores of validated patients are from the share of men among them: Brier, ECE, ICI, Cox."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import chi2, norm

from sexstrat.errors import EstimationError
from sexstrat.estimates.diagnosis.diagnostic_rows import DiagnosticRow, normal_row, too_few
from sexstrat.estimates.diagnosis.robust_fit import RobustFit, independent_columns, logistic_fit
from sexstrat.estimates.diagnosis.validated_people import ValidatedPeople

__all__ = ["calibration_measures", "expected_calibration_error", "spline_basis"]

Array = NDArray[np.float64]
Part = Callable[[ValidatedPeople, dict[str, Any]], list[DiagnosticRow]]
NAME = "calibration"
ECE_BINS = 10  # of equal width, as in Guo et al. 2017
KNOT_SHARES = (0.05, 0.35, 0.65, 0.95)  # Harrell, Regression Modeling Strategies, table 2.3, four knots
ELLIPSOID_DRAWS = 400
ALIKE = 0.01  # width of the groups of logit p that one curve is measured on
CONFIDENCE = 0.95
SAME_LOSS = 1e-9  # losses that differ by rounding alone have no variance to make an interval of
ALL_ALIKE = (
    "every patient has the same loss: the limits are those if the share of other losses, none of which was seen, is at "
    "Clopper and Pearson's"
)
FEWEST_FOR_CURVE = 50  # validated people from whom a curve of four coefficients is drawn
STATISTICS = (
    "brier",
    "expected_calibration_error",
    "integrated_calibration_index",
    "calibration_in_the_large",
    "cox_intercept",
    "cox_slope",
)


def expected_calibration_error(prob: Array, male: Array, weight: Array) -> float:
    """Return sum over ten bins of equal width of the bin's share x |mean probability - share of men|.

    Biased upward: it is above 0 for a calibrated score too, the more so the fewer people. It is never tested.

    Parameters
    ----------
    prob, male, weight : probability, whether male (0 or 1) and weight of each row.

    References
    ----------
    Naeini MP, Cooper G, Hauskrecht M. AAAI 2015:2901-2907. Roelofs R et al. AISTATS 2022 (the bias).

    Examples
    --------
    Half score .2, of whom .2 are men; half score .8, of whom .6 are men: .5 x .2.

    >>> prob, male = np.array([0.2, 0.2, 0.8, 0.8]), np.array([1.0, 0.0, 1.0, 0.0])
    >>> round(expected_calibration_error(prob, male, np.array([2.0, 8.0, 6.0, 4.0])), 6)
    0.1
    """
    bins = np.minimum((prob * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    gaps = np.bincount(bins, weights=weight * (prob - male), minlength=ECE_BINS)
    return float(np.abs(gaps).sum() / weight.sum())


def spline_basis(x: Array, knots: Array) -> Array:
    """Return the restricted cubic spline terms beyond the straight line: cubic between the knots, linear outside.

    Parameters
    ----------
    x : values, shape (rows,).
    knots : rising, three or more.

    Returns
    -------
    Terms divided by the squared distance of the outer knots, shape (rows, knots - 2).

    References
    ----------
    Harrell FE. Regression Modeling Strategies, 2nd ed. Springer 2015, section 2.4.5.

    Examples
    --------
    Knots 0, 1, 2 at x = 1: 1^3 - 0 + 0, over 2^2; below the first knot nothing.

    >>> spline_basis(np.array([-1.0, 1.0]), np.array([0.0, 1.0, 2.0])).tolist()
    [[0.0], [0.25]]
    """

    def cube(knot: float) -> Array:
        return np.asarray(np.maximum(x - knot, 0.0) ** 3)

    last, before = knots[-1], knots[-2]
    terms = [
        cube(k) - cube(before) * (last - k) / (last - before) + cube(last) * (before - k) / (last - before)
        for k in knots[:-2]
    ]
    return np.asarray(np.column_stack(terms) / (last - knots[0]) ** 2)


def _data(people: ValidatedPeople) -> tuple[Array, Array, Array, Array]:
    return people.male.astype(float), people.n, people.weight, people.squares


def _brier(people: ValidatedPeople, fields: dict[str, Any]) -> DiagnosticRow:
    loss = (people.male - people.prob_male) ** 2
    mean = people.weighted_mean(loss)
    variance = float(people.squares @ (loss - mean) ** 2) / people.weight.sum() ** 2
    variance *= people.total / max(people.total - 1, 1.0)
    if np.ptp(loss) < SAME_LOSS:
        unseen = 1 - ((1 - CONFIDENCE) / 2) ** (1 / people.effective)
        low, high = mean * (1 - unseen), mean + (1 - mean) * unseen
        limits: dict[str, Any] = {"low": low, "high": high, "confidence": CONFIDENCE, "note": ALL_ALIKE}
        return DiagnosticRow(diagnostic=NAME, statistic="brier", point=mean, **limits, **fields)
    row = normal_row(NAME, "brier", mean, float(np.sqrt(variance)), p_value=None, **fields)
    if row.low is None or row.high is None:
        return row
    return replace(row, low=max(row.low, 0.0), high=min(row.high, 1.0))  # a loss cannot leave 0 to 1


def _curve(people: ValidatedPeople) -> tuple[Array, RobustFit]:
    """Return the covariates of the smooth curve (intercept, logit p, spline terms) and its fit."""
    x = people.logit_p
    order = np.argsort(x)
    share = np.cumsum(people.weight[order]) / people.weight.sum()
    knots = np.unique(x[order][np.minimum(np.searchsorted(share, KNOT_SHARES), x.size - 1)])
    line = np.column_stack([np.ones(x.size), x])
    basis = np.column_stack([line, spline_basis(x, knots)]) if knots.size > 2 else line
    basis = basis[:, independent_columns(basis, needed=2)]
    return basis, logistic_fit(basis, *_data(people))


def _grouped(people: ValidatedPeople, share: Array, basis: Array) -> tuple[Array, Array, Array]:
    """Return share, mean probability and mean covariates of people whose logits are alike to a hundredth or less.

    Both curves are smooth in the logit, so that grouping moves their mean distance by less than 1e-6, and 400 curves
    on 50,000 people cost no more than on 1,000.
    """
    _, group = np.unique(np.floor(people.logit_p / ALIKE), return_inverse=True)
    weight = np.asarray(np.bincount(group, weights=share), dtype=np.float64)
    counted = np.where(weight > 0, weight, 1.0)
    mean = [np.bincount(group, weights=share * column) / counted for column in (people.prob_male, *basis.T)]
    return weight, mean[0], np.column_stack(mean[1:])


def _ici(people: ValidatedPeople, fields: dict[str, Any]) -> list[DiagnosticRow]:
    """Return the integrated calibration index with the range it has over the confidence ellipsoid of the curve."""
    if people.total < FEWEST_FOR_CURVE:
        note = f"fewer than {FEWEST_FOR_CURVE} validated patients with a score: no curve is drawn"
        common: dict[str, Any] = {"diagnostic": NAME, "statistic": "integrated_calibration_index", "state": "too_few"}
        return [DiagnosticRow(**common, note=note, **fields)]
    basis, fit = _curve(people)
    share = people.weight / people.weight.sum()
    point = float(share @ np.abs(people.prob_male - expit(basis @ fit.beta)))
    share, prob_male, terms = _grouped(people, share, basis)

    def index(beta: Array) -> Array:
        return np.asarray(share @ np.abs(prob_male[:, None] - expit(terms @ beta)))

    k = fit.beta.size
    root = np.linalg.cholesky(fit.covariance)
    radius = np.sqrt(chi2.ppf(0.95, k))
    rng = np.random.default_rng(20231207)
    towards = rng.standard_normal((k, ELLIPSOID_DRAWS))
    surface = root @ (towards / np.linalg.norm(towards, axis=0)) * radius
    away = np.eye(k)[1] - fit.beta  # from the fitted curve to the one of a calibrated score
    calibrated = float(away @ np.linalg.solve(fit.covariance, away)) <= radius**2
    shrunk = [index(fit.beta[:, None] + scale * surface) for scale in (1 / 3, 2 / 3, 1.0)]
    low = 0.0 if calibrated else float(np.min(shrunk))
    row = DiagnosticRow(
        diagnostic=NAME,
        statistic="integrated_calibration_index",
        point=point,
        low=low,
        high=float(np.max(shrunk)),
        confidence=0.95,
        note="the point is biased upward; the interval is the range over the 95 % region of the curve, never tested",
        **fields,
    )
    return [row]


def _cox(people: ValidatedPeople, fields: dict[str, Any]) -> list[DiagnosticRow]:
    ones = np.ones((people.n.size, 1))
    offset = people.logit_p
    large = logistic_fit(ones, *_data(people), offset=offset)
    rows = [normal_row(NAME, "calibration_in_the_large", *large.along(np.ones(1)), **fields)]
    x = np.column_stack([ones, offset])
    if not independent_columns(x, needed=1).all():
        note = "all scores are equal, so there is no slope"
        both = ("cox_intercept", "cox_slope")
        return rows + [
            DiagnosticRow(diagnostic=NAME, statistic=one, state="undefined", note=note, **fields) for one in both
        ]
    fit = logistic_fit(x, *_data(people))
    rows.append(normal_row(NAME, "cox_intercept", *fit.along(np.array([1.0, 0.0])), **fields))
    slope, se = fit.along(np.array([0.0, 1.0]))
    from_one = float(2 * norm.sf(abs(slope - 1) / se)) if se > 0 else None
    rows.append(normal_row(NAME, "cox_slope", slope, se, **{**fields, "p_value": from_one, "note": "tested against 1"}))
    return rows


def _of_group(people: ValidatedPeople, group: str, level: str) -> list[DiagnosticRow]:
    count = round(people.total)
    fields: dict[str, Any] = {"group": group, "level": level, "n_patients": count, "n_validated": count}
    reason = too_few(people)
    if reason is not None:
        return [
            DiagnosticRow(diagnostic=NAME, statistic=one, state="too_few", note=reason, **fields) for one in STATISTICS
        ]
    error = expected_calibration_error(people.prob_male, people.male.astype(float), people.weight)
    rows = [
        _brier(people, fields),
        DiagnosticRow(
            diagnostic=NAME,
            statistic="expected_calibration_error",
            point=error,
            note="biased upward, so neither an interval nor a test",
            **fields,
        ),
    ]
    parts: tuple[tuple[Part, tuple[str, ...]], ...] = ((_ici, STATISTICS[2:3]), (_cox, STATISTICS[3:]))
    for part, names in parts:
        try:
            rows += part(people, fields)
        except EstimationError as problem:
            rows += [
                DiagnosticRow(diagnostic=NAME, statistic=one, state="undefined", note=str(problem), **fields)
                for one in names
            ]
    return rows


def calibration_measures(
    people: ValidatedPeople, labels: Sequence[str], *, sites: Sequence[str] = ()
) -> tuple[DiagnosticRow, ...]:
    """Return Brier score, ECE, ICI, calibration in the large, Cox intercept and slope, overall and by group.

    Brier: weighted mean of (male - p)^2. ICI: mean |p - curve(p)|, the curve a logistic regression on a restricted
    cubic spline of logit p with four knots. Calibration in the large: a in logit P(male) = a + logit p. Cox: a and b
    in logit P(male) = a + b logit p. All weighted by w/r, with robust variances (n / (n - 1) as in a ratio); p is the
    mean of its bin, at most 0.0013 from a patient's own in its effect on a Brier score.

    Parameters
    ----------
    people : validated people with a score.
    labels : name of each age band.
    sites : name of each site code; none when there is one site.

    Returns
    -------
    Rows for all, each age band, disease state and, with more than one, site. Men or women fewer than 10 in a group:
    too_few.

    References
    ----------
    Cox DR. Biometrika 1958;45:562-565. Austin PC, Steyerberg EW. Stat Med 2019;38:4051-4065 (ICI).
    Van Calster B et al. J Clin Epidemiol 2016;74:167-176.

    Examples
    --------
    In the worked example all is right in 80 %: a Brier score of .8 x .2^2 + .2 x .8^2.

    >>> from sexstrat.estimates.diagnosis.validated_people import validated_people
    >>> from sexstrat.estimates.worked_example import worked_arrays, worked_bands
    >>> rows = calibration_measures(validated_people(worked_arrays()), worked_bands().labels)
    >>> rows[0].statistic, round(rows[0].point, 6), len(rows)
    ('brier', 0.16, 30)
    """
    rows = _of_group(people, "all", "all")
    for band, label in enumerate(labels):
        rows += _of_group(people.of(people.band == band), "age_band", label)
    for state, name in enumerate(("without the disease", "with the disease")):
        rows += _of_group(people.of(people.diseased == state), "disease", name)
    for code, site in enumerate(sites):
        if len(sites) > 1:
            rows += _of_group(people.of(people.site == code), "site", site)
    return tuple(rows)
