"""The audit over continuous age: curves of men, of women and of both, trend tests, and where the sexes cross."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.audit.ageing.curve import PATIENTS_PER_SLOPE, AgeCurve, age_curve
from sexstrat.audit.ageing.splines import age_knots
from sexstrat.audit.ageing.trend_rows import sex_rows, trend_rows
from sexstrat.audit.clusters import Clusters
from sexstrat.audit.images import AuditImages, audit_images
from sexstrat.audit.rows import contract_frame
from sexstrat.values.age_bands import AgeBands

__all__ = ["AgeAudit", "audit_by_age", "images_by_age"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# The curve stops where nearly nobody is: 2.5 % of the patients are younger, 2.5 % older.
TAIL = 0.025
NEAR = 5  # years of the band whose patients stand behind a point of the curve, for disclosure control


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeAudit:
    """What an audit found over continuous age.

    Parameters
    ----------
    curves : rows of the ``age_curve`` contract.
    trends : rows of the ``age_trend`` contract.
    knots : knots of the splines, years; empty where no curve was possible.

    Examples
    --------
    >>> AgeAudit(curves=pd.DataFrame(), trends=pd.DataFrame(), knots=()).knots
    ()
    """

    curves: pd.DataFrame
    trends: pd.DataFrame
    knots: tuple[float, ...]


def audit_by_age(
    frame: pd.DataFrame,
    *,
    bands: AgeBands,
    level: float = 0.95,
    threshold: float = 0.5,
    unit: str = "image",
) -> AgeAudit:
    """Draw how often the score is right over continuous age, among men, among women and among both, and test it.

    Curves are restricted cubic splines of the log odds with the same knots for men and women: four, or three where
    fewer than 30 patients of a sex are called rightly or wrongly. Tests: any trend (all slopes 0, the one to read
    first), its linear and its curved part, and the patient-clustered Cochran-Armitage test over the bands; whether the
    curves of men and women differ anywhere, and whether the difference changes with age.

    Parameters
    ----------
    frame : one row an image, as :func:`sexstrat.audit.audit_scores` reads it; images of unknown age are left out.
    bands : age bands, for the Cochran-Armitage test.
    level : confidence level.
    threshold : an image is called male when prob_male >= threshold.
    unit : "image", or "patient" for the mean score of each patient.

    Returns
    -------
    Curves at whole years from the 2.5th to the 97.5th percentile of age, the tests, and the ages of crossing.

    Raises
    ------
    SchemaError : the frame lacks a column or holds values that are not allowed.

    Examples
    --------
    >>> rng = np.random.default_rng(5)
    >>> male = np.arange(4000) % 2 == 0
    >>> age = rng.uniform(40, 80, 4000).round()
    >>> right = rng.random(4000) < np.where(male, 0.9 - 0.01 * (age - 40), 0.8)
    >>> frame = pd.DataFrame(
    ...     {
    ...         "image_id": np.arange(4000).astype(str),
    ...         "patient_id": np.arange(4000).astype(str),
    ...         "prob_male": np.where(right == male, 0.9, 0.1),
    ...         "status": "ok",
    ...         "age_years": age,
    ...         "recorded_sex": np.where(male, "male", "female"),
    ...     }
    ... )
    >>> found = audit_by_age(frame, bands=AgeBands((40, 50, 60, 70)))
    >>> trends = found.trends.set_index(["quantity", "metric"])
    >>> bool(trends.loc[("any_trend", "correct_among_men"), "p_value"] < 0.001)
    True
    >>> trends.loc[("crossing_age", "men_minus_women"), "state"]
    'measured'
    """
    images, rows = audit_images(frame, (), unit)
    ages = rows["age_years"].to_numpy(dtype=float, na_value=np.nan)
    return images_by_age(images, ages, bands=bands, level=level, threshold=threshold)


def images_by_age(
    images: AuditImages, ages: Floats, *, bands: AgeBands, level: float = 0.95, threshold: float = 0.5
) -> AgeAudit:
    """Do what :func:`audit_by_age` does to images that were checked already.

    Parameters
    ----------
    images : every listed image.
    ages : age of the patient at each image, years; NaN where it is not known.
    bands : age bands, for the Cochran-Armitage test.
    level : confidence level.
    threshold : an image is called male when prob_male >= threshold.

    Examples
    --------
    >>> from sexstrat.audit.clusters import Clusters
    >>> one = np.ones(1, dtype=bool)
    >>> images = AuditImages(
    ...     patients=Clusters.of(["a"]),
    ...     gradable=one,
    ...     prob_male=one * 0.7,
    ...     male=one,
    ...     female=~one,
    ...     weight=one * 1.0,
    ...     validated_weight=one * 1.0,
    ... )
    >>> images_by_age(images, np.array([50.0]), bands=AgeBands((40,))).curves["state"].unique().tolist()
    ['undefined']
    """
    checked = np.flatnonzero(images.validated & np.isfinite(ages))
    chosen, age = images.of(checked), ages[checked]
    right = (chosen.prob_male >= threshold) == chosen.male
    by_patient = chosen.patients.total(age) / np.maximum(chosen.patients.total(np.ones(len(age))), 1)
    members = {"correct_among_men": chosen.male, "correct_among_women": chosen.female, "accuracy": chosen.validated}
    knots = age_knots(by_patient, _n_knots(right, chosen.patients, (chosen.male, chosen.female)))
    curves: dict[str, AgeCurve] = {}
    found, trends = [], []
    for metric, inside in members.items():
        patients = chosen.patients.within(inside)
        weight = chosen.validated_weight[inside]
        curve = age_curve(
            age[inside], right[inside], patients, ages=_whole_years(age[inside]), knots=knots,
            weight=weight, level=level,
        )  # fmt: skip
        curves[metric] = curve
        found += _curve_rows(metric, curve, age[inside], patients)
        trends += trend_rows(
            metric, curve, age[inside], right[inside], bands, patients=patients, weight=weight, level=level
        )
    trends += sex_rows(curves["correct_among_men"], curves["correct_among_women"])
    return AgeAudit(curves=contract_frame(found, "age_curve"), trends=contract_frame(trends, "age_trend"), knots=knots)


def _n_knots(right: Mask, patients: Clusters, sexes: tuple[Mask, Mask]) -> int:
    """Return four knots where both sexes bear three slopes, else three."""
    fewest = min(patients.having(one & outcome) for one in sexes for outcome in (right, ~right))
    return 4 if fewest >= 3 * PATIENTS_PER_SLOPE else 3


def _whole_years(age: Floats) -> Floats:
    if age.size == 0:
        return np.zeros(0)
    low, high = np.quantile(age, [TAIL, 1 - TAIL])
    return np.arange(np.ceil(low), np.floor(high) + 1)


def _curve_rows(metric: str, curve: AgeCurve, age: Floats, patients: Clusters) -> list[dict[str, object]]:
    """Return a row a year, or the one row that says why there is no curve."""
    shared = {
        "metric": metric,
        "level": curve.level,
        "n_patients": curve.n_patients,
        "n_patients_numerator": curve.n_patients_numerator,
        "n_patients_complement": curve.n_patients_complement,
        "state": curve.state,
        "note": curve.note,
    }
    if curve.state != "measured":
        return [shared]
    band = np.floor(age / NEAR)
    near = {one: patients.having(band == one) for one in np.unique(band)}
    columns = ("point", "se", "low", "high", "low_simultaneous", "high_simultaneous")
    values = zip(curve.ages, *(getattr(curve, name) for name in columns), strict=True)
    return [
        {**shared, "age_years": year, **dict(zip(columns, numbers, strict=True)),
         "n_near": near.get(np.floor(year / NEAR), 0)}
        for year, *numbers in values
    ]  # fmt: skip
