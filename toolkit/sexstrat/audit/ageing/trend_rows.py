"""The tests of an audit over age as rows: trend, its shape, the bands, and men against women."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from sexstrat.audit.ageing.band_trend import band_trend
from sexstrat.audit.ageing.clustered_logistic import clustered_logistic
from sexstrat.audit.ageing.crossing import crossings
from sexstrat.audit.ageing.curve import AgeCurve
from sexstrat.audit.ageing.splines import spline_columns
from sexstrat.audit.ageing.trend import WaldTest, wald_test
from sexstrat.audit.clusters import Clusters
from sexstrat.values.age_bands import AgeBands

__all__ = ["sex_rows", "trend_rows"]

Floats = NDArray[np.float64]
Row = dict[str, Any]

GATED = "the joint test shows no trend at this level: do not read this line alone"
GATED_SEXES = "the joint test shows no difference between the sexes at this level: do not read this line alone"


def trend_rows(
    metric: str, curve: AgeCurve, age: Floats, right: NDArray[np.bool_], bands: AgeBands, *,
    patients: Clusters, weight: Floats, level: float,
) -> list[Row]:  # fmt: skip
    """Return the tests of one curve: any trend first, then linear, curved, and over the bands.

    Parameters
    ----------
    metric : what the curve is of.
    curve : the fitted curve.
    age, right, patients, weight : the images it was fitted to.
    bands : age bands of the Cochran-Armitage test, valued by the mean age of their images in decades.
    level : confidence level.

    Returns
    -------
    Rows of the ``age_trend`` contract. ``linear_trend`` carries the odds ratio of being right per decade from a
    straight-line fit, ``band_trend`` the change of the share per decade.

    Examples
    --------
    >>> from sexstrat.audit.ageing import age_curve
    >>> one = Clusters.of(["a"])
    >>> curve = age_curve([50.0], [1], one, ages=[50.0], knots=(40.0, 50.0, 60.0))
    >>> bands = AgeBands((40,))
    >>> at, right = np.array([50.0]), np.array([True])
    >>> rows = trend_rows("accuracy", curve, at, right, bands, patients=one, weight=np.ones(1), level=0.95)
    >>> [row["state"] for row in rows]
    ['undefined', 'undefined', 'undefined', 'undefined']
    """
    shared = {
        "metric": metric,
        "level": level,
        "n_patients": curve.n_patients,
        "n_patients_numerator": curve.n_patients_numerator,
        "n_patients_complement": curve.n_patients_complement,
    }
    over_bands = _over_bands(age, right, bands, patients, weight, level)
    if curve.state != "measured":
        why = {"state": curve.state, "note": curve.note}
        names = ("any_trend", "linear_trend", "nonlinear_trend")
        return [*({**shared, "quantity": name, **why} for name in names), shared | over_bands]
    fit, df = curve.fit, curve.fit.df
    joint = wald_test(fit.coefficients[1:], fit.corrected[1:, 1:], df_denominator=df)
    note = GATED if joint.p_value > 1 - level else ""
    curved = wald_test(fit.coefficients[2:], fit.corrected[2:, 2:], df_denominator=df)
    return [
        shared | _tested("any_trend", joint),
        shared | _straight(age, right, curve, patients, weight, note),
        shared | _tested("nonlinear_trend", curved, note),
        shared | over_bands,
    ]


def _tested(quantity: str, test: WaldTest, note: str = "") -> Row:
    return {
        "quantity": quantity,
        "statistic": test.statistic,
        "df": test.df,
        "df_denominator": test.df_denominator,
        "p_value": test.p_value,
        "state": "measured",
        "note": note,
    }


def _straight(
    age: Floats, right: NDArray[np.bool_], curve: AgeCurve, patients: Clusters, weight: Floats, note: str
) -> Row:
    """Fit a straight line in log odds: its slope is the linear trend."""
    fit = clustered_logistic(spline_columns(age, (curve.knots[0], curve.knots[-1])), right, patients, weight=weight)
    if fit.state != "measured":
        return {"quantity": "linear_trend", "state": fit.state, "note": fit.note}
    slope, se = float(fit.coefficients[1]), float(np.sqrt(fit.corrected[1, 1]))
    reach = float(student.ppf(0.5 + curve.level / 2, fit.df)) * se
    test = wald_test(fit.coefficients[1:], fit.corrected[1:, 1:], df_denominator=fit.df)
    ratio = {"point": np.exp(slope), "low": np.exp(slope - reach), "high": np.exp(slope + reach)}
    return _tested("linear_trend", test, note) | ratio


def _over_bands(
    age: Floats, right: NDArray[np.bool_], bands: AgeBands, patients: Clusters, weight: Floats, level: float
) -> Row:
    band = bands.index(age)
    inside = band >= 0
    code = band[inside]
    total = np.bincount(code, minlength=len(bands))
    middle = np.bincount(code, weights=age[inside], minlength=len(bands)) / np.maximum(total, 1)
    found = band_trend(middle[code] / 10, right[inside], patients.within(inside), weight=weight[inside], level=level)
    row: Row = {"quantity": "band_trend", "state": found.state, "note": found.note, "n_patients": found.n_patients}
    if found.state != "measured":
        return row
    return row | {
        "point": found.slope, "se": found.se, "low": found.low, "high": found.high, "statistic": found.z, "df": 1,
        "p_value": found.p_value,
    }  # fmt: skip


def sex_rows(men: AgeCurve, women: AgeCurve) -> list[Row]:
    """Return the tests of men against women, the joint one first, and the ages at which their curves cross.

    Parameters
    ----------
    men, women : curves of different patients with the same knots.

    Examples
    --------
    >>> from sexstrat.audit.ageing import age_curve
    >>> nobody = age_curve([], [], [], ages=[], knots=())
    >>> [(row["quantity"], row["state"]) for row in sex_rows(nobody, nobody)]
    [('sex_difference', 'undefined'), ('sex_by_age', 'undefined'), ('crossing_age', 'undefined')]
    """
    shared = {
        "metric": "men_minus_women",
        "level": men.level,
        "n_patients": men.n_patients + women.n_patients,
        "n_patients_numerator": men.n_patients_numerator + women.n_patients_numerator,
        "n_patients_complement": men.n_patients_complement + women.n_patients_complement,
    }
    unfit = [(who, curve) for who, curve in (("men", men), ("women", women)) if curve.state != "measured"]
    if unfit:
        note = "; ".join(f"{who}: {curve.note}" for who, curve in unfit)
        names = ("sex_difference", "sex_by_age", "crossing_age")
        return [shared | {"quantity": name, "state": "undefined", "note": note} for name in names]
    apart = men.fit.coefficients - women.fit.coefficients
    covariance, df = men.fit.corrected + women.fit.corrected, men.fit.df + women.fit.df
    joint = wald_test(apart, covariance, df_denominator=df)
    note = GATED_SEXES if joint.p_value > 1 - men.level else ""
    interaction = wald_test(apart[1:], covariance[1:, 1:], df_denominator=df)
    found = crossings(men, women, youngest=max(men.ages[0], women.ages[0]), oldest=min(men.ages[-1], women.ages[-1]))
    return [
        shared | _tested("sex_difference", joint),
        shared | _tested("sex_by_age", interaction, note),
        *(
            shared | {"quantity": "crossing_age", "point": one.age, "low": one.low, "high": one.high,
                      "state": one.state, "note": one.note}
            for one in found
        ),
    ]  # fmt: skip
