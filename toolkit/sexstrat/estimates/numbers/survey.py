"""Totals, means, ratios and proportions of a complex sample, with Taylor-linearised intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from scipy.stats import t as student

from sexstrat.errors import EstimationError
from sexstrat.estimates.numbers.linearisation import stratified_variance
from sexstrat.estimates.numbers.proportions import wilson
from sexstrat.estimates.numbers.survey_design import SurveyDesign, SurveyEstimate

__all__ = ["survey_mean", "survey_proportion", "survey_ratio", "survey_total"]

Array = NDArray[np.float64]

NO_DF = "as many strata as primary sampling units here: nothing shows how units differ, so there is no interval"
NO_VARIANCE = "all primary sampling units agree exactly, so that their differences give no interval"
AT_THE_EDGE = "no case on one side: Wilson interval, every primary sampling unit counted as one person"
ROUNDING = 1e-12  # a standard error below this part of the figure is rounding, not variation


def _inside(design: SurveyDesign, domain: ArrayLike | None) -> NDArray[np.bool_]:
    n = np.asarray(design.weight).size
    inside = np.ones(n, dtype=bool) if domain is None else np.asarray(domain, dtype=bool)
    if inside.shape != (n,):
        raise EstimationError(f"the domain must say True or False for each of {n} people; found {inside.size}")
    return inside


def _values(design: SurveyDesign, y: ArrayLike, inside: NDArray[np.bool_], name: str) -> Array:
    values = np.asarray(y, dtype=float)
    if values.shape != inside.shape:
        raise EstimationError(f"{name} must have one value per person: {inside.size}, not {values.size}")
    if not np.isfinite(values[inside]).all():
        raise EstimationError(f"{name} is missing for some people of the domain; leave them out of the domain")
    return np.where(inside, values, 0.0)


def _estimate(
    design: SurveyDesign, inside: NDArray[np.bool_], point: float, scores: Array, level: float
) -> tuple[dict[str, Any], float]:
    """Return the fields all figures share, and the variance of the sum of the scores."""
    if not 0 < level < 1:
        raise EstimationError(f"the confidence level must lie between 0 and 1; found {level}")
    code, stratum_of_unit = design.units()
    totals = np.bincount(code, weights=scores, minlength=stratum_of_unit.size)
    found = stratified_variance(totals, stratum_of_unit, lonely=design.lonely)
    present = np.unique(code[inside])
    df = present.size - np.unique(stratum_of_unit[present]).size
    lost = df < 1
    variance = float(found.covariance[0, 0])
    flat = variance <= (ROUNDING * max(abs(point), np.abs(totals).sum())) ** 2
    reason = NO_DF if lost else NO_VARIANCE if flat else ""
    width = 0.0 if reason else float(student.isf((1 - level) / 2, df)) * variance**0.5
    return {
        "point": point,
        "se": None if reason else variance**0.5,
        "low": None if reason else point - width,
        "high": None if reason else point + width,
        "df": max(df, 0),
        "n": int(inside.sum()),
        "n_units": present.size,
        "n_strata": np.unique(stratum_of_unit[present]).size,
        "state": "no_interval" if reason else "estimated",
        "note": "; ".join(part for part in (reason, found.note) if part),
        "level": level,
    }, variance


def _undefined(reason: str, inside: NDArray[np.bool_], level: float) -> SurveyEstimate:
    return SurveyEstimate(
        point=None,
        se=None,
        low=None,
        high=None,
        df=0,
        n=int(inside.sum()),
        n_units=0,
        n_strata=0,
        state="undefined",
        note=reason,
        level=level,
    )


def survey_total(
    y: ArrayLike, design: SurveyDesign, *, domain: ArrayLike | None = None, level: float = 0.95
) -> SurveyEstimate:
    """Return a total: sum of w y over the domain, linearised by the unit totals of w y.

    Parameters
    ----------
    y : value of each person.
    design : weights, strata and primary sampling units.
    domain : whom it is about; the others stay in the design with zeros. None means everybody.
    level : confidence level.

    Raises
    ------
    EstimationError : values missing or of the wrong length.

    References
    ----------
    Lumley T. Complex Surveys. Wiley 2010, section 2.2.

    Examples
    --------
    Units with totals 1, 2 and 3: variance 3/2 times 2.

    >>> found = survey_total([1.0, 1.0, 3.0], SurveyDesign(weight=[1.0, 2.0, 1.0], psu=[1, 2, 3]))
    >>> found.point, round(found.se**2, 6), found.df
    (6.0, 3.0, 2)
    """
    inside = _inside(design, domain)
    scores = np.asarray(design.weight, dtype=float) * _values(design, y, inside, "y")
    return SurveyEstimate(**_estimate(design, inside, float(scores.sum()), scores, level)[0])


def survey_ratio(
    y: ArrayLike, x: ArrayLike, design: SurveyDesign, *, domain: ArrayLike | None = None, level: float = 0.95
) -> SurveyEstimate:
    """Return a ratio of totals, R = sum w y / sum w x, linearised by w (y - R x) / sum w x.

    Parameters
    ----------
    y, x : numerator and denominator of each person.
    design, domain, level : as in :func:`survey_total`.

    Returns
    -------
    ``undefined`` when nobody is in the domain or the denominator is 0.

    Raises
    ------
    EstimationError : values missing or of the wrong length.

    References
    ----------
    Woodruff RS. A simple method for approximating the variance of a complicated estimate. JASA 1971;66:411-414.

    Examples
    --------
    R = 6/3; residuals -1, 0 and 1 over 3: variance 3/2 times 2/9.

    >>> found = survey_ratio([1.0, 2.0, 3.0], [1.0, 1.0, 1.0], SurveyDesign(weight=[1.0, 1.0, 1.0]))
    >>> found.point, round(found.se**2, 6)
    (2.0, 0.333333)
    """
    inside = _inside(design, domain)
    w = np.asarray(design.weight, dtype=float)
    above, below = _values(design, y, inside, "y"), _values(design, x, inside, "x")
    total = float(w @ below)
    if not inside.any():
        return _undefined("nobody of the sample is in this domain", inside, level)
    if total == 0:
        return _undefined("the denominator adds up to 0", inside, level)
    point = float(w @ above) / total
    scores = w * (above - point * below) / total
    return SurveyEstimate(**_estimate(design, inside, point, scores, level)[0])


def survey_mean(
    y: ArrayLike, design: SurveyDesign, *, domain: ArrayLike | None = None, level: float = 0.95
) -> SurveyEstimate:
    """Return a weighted mean, sum w y / sum w over the domain: the ratio of y to 1.

    Parameters
    ----------
    y, design, domain, level : as in :func:`survey_total`.

    Returns
    -------
    ``undefined`` when nobody is in the domain.

    Raises
    ------
    EstimationError : values missing or of the wrong length.

    Examples
    --------
    >>> survey_mean([1.0, 0.0], SurveyDesign(weight=[3.0, 1.0])).point
    0.75
    """
    return survey_ratio(y, np.ones(np.asarray(design.weight).size), design, domain=domain, level=level)


def survey_proportion(
    present: ArrayLike, design: SurveyDesign, *, domain: ArrayLike | None = None, level: float = 0.95
) -> SurveyEstimate:
    """Return a weighted proportion with its interval on the logit scale: logit(p) +- t se / (p (1 - p)).

    At a proportion of 0 or 1 the units show no variance; Wilson's interval then counts each unit with people of the
    domain as one person, which holds however alike the people of a unit are.

    Parameters
    ----------
    present : True or False for each person.
    design, domain, level : as in :func:`survey_total`.

    Returns
    -------
    ``no_interval`` and the reason for a domain with as many strata as units (no degrees of freedom).

    Raises
    ------
    EstimationError : values that are not 0 or 1, missing, or of the wrong length.

    References
    ----------
    Korn EL, Graubard BI. Analysis of Health Surveys. Wiley 1999, section 2.5 (logit interval).

    Examples
    --------
    One of four: variance 4/3 x (3 x 1/16 + 9/16) / 16 = 1/16, so that log odds -1.0986 +- 3.1824 x 0.25 / 0.1875.

    >>> found = survey_proportion([1, 0, 0, 0], SurveyDesign(weight=[1.0, 1.0, 1.0, 1.0]))
    >>> found.point, found.se, round(found.low, 4), round(found.high, 4)
    (0.25, 0.25, 0.0048, 0.9587)
    """
    inside = _inside(design, domain)
    values = _values(design, present, inside, "present")
    if not bool(np.isin(values, (0.0, 1.0)).all()):
        raise EstimationError("a proportion needs True or False (1 or 0) for each person")
    if not inside.any():
        return _undefined("nobody of the sample is in this domain", inside, level)
    w = np.where(inside, np.asarray(design.weight, dtype=float), 0.0)
    # exact at the edges, where a division could leave 1 - 1e-16
    every, nobody = bool(values[inside].all()), not bool(values[inside].any())
    p = 1.0 if every else 0.0 if nobody else float(w @ values) / float(w.sum())
    fields, variance = _estimate(design, inside, p, w * (values - p * inside) / w.sum(), level)
    if every or nobody:
        return _at_the_edge(fields, p, level)
    if fields["state"] == "estimated":
        width = float(student.isf((1 - level) / 2, fields["df"])) * variance**0.5 / (p * (1 - p))
        fields["low"], fields["high"] = float(expit(logit(p) - width)), float(expit(logit(p) + width))
    return SurveyEstimate(**fields)


def _at_the_edge(fields: dict[str, Any], p: float, level: float) -> SurveyEstimate:
    if fields["df"] < 1:
        return SurveyEstimate(**fields)
    low, high = wilson(p * fields["n_units"], fields["n_units"], level=level)
    lonely = fields["note"].removeprefix(NO_VARIANCE).removeprefix("; ")
    note = "; ".join(part for part in (AT_THE_EDGE, lonely) if part)
    return SurveyEstimate(**{**fields, "se": None, "low": low, "high": high, "state": "estimated", "note": note})
