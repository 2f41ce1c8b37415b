"""The audit of images without a score in tidy rows: how often, for whom, and what they could do to the metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sexstrat.audit.clusters import Clusters
from sexstrat.audit.grouping import AGE_BAND, Grouping, age_grouping, column_grouping
from sexstrat.audit.images import AuditImages, audit_images
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.missingness.absence import absence
from sexstrat.audit.missingness.bounds import bounded
from sexstrat.audit.missingness.weighting import ScoredWeights, scored_weights
from sexstrat.audit.proportion import clustered_proportion
from sexstrat.audit.rows import contract_frame
from sexstrat.values.age_bands import AgeBands

__all__ = ["audit_missing", "missing_rows"]

SEX = "recorded_sex"
METRICS = ("correct_among_men", "correct_among_women", "accuracy")
COUNTS = ("n_images", "n_patients", "n_patients_numerator", "n_patients_complement")


def audit_missing(
    frame: pd.DataFrame,
    *,
    bands: AgeBands,
    groups: Sequence[str] = (),
    covariates: Sequence[str] = (),
    level: float = 0.95,
    threshold: float = 0.5,
    min_patients: int = 10,
) -> pd.DataFrame:
    """Return how often images have no score, by group, and what the missing scores could do to the metrics.

    Parameters
    ----------
    frame : one row an image, as :func:`sexstrat.audit.audit_scores` reads it.
    bands : age bands; absence is told by age band and by recorded sex in any case.
    groups : further columns to tell it by.
    covariates : columns of the frame, besides age and recorded sex, for the weighted sensitivity analysis: diseases,
        site.
    level : confidence level.
    threshold : an image is called male when prob_male >= threshold.
    min_patients : smallest number of patients that defines a share.

    Returns
    -------
    Rows of the ``missingness`` contract. Absence is about every listed image; the metrics, overall and by age band,
    about images of patients whose recorded sex is male or female, weighted as in the audit: among those with a score
    (``scored_only``), with the others taken as ``all_wrong`` and ``all_right``, and ``weighted`` to all.

    Raises
    ------
    SchemaError : the frame lacks a column or holds values that are not allowed.

    Examples
    --------
    Every tenth of 200 photographs has no score; men and women in turn, all called rightly.

    >>> n = 200
    >>> male = np.arange(n) % 2 == 0
    >>> frame = pd.DataFrame(
    ...     {
    ...         "image_id": [f"i{k}" for k in range(n)],
    ...         "patient_id": [f"p{k}" for k in range(n)],
    ...         "prob_male": np.where(np.arange(n) % 10 == 9, np.nan, np.where(male, 0.9, 0.1)),
    ...         "status": np.where(np.arange(n) % 10 == 9, "ungradable", "ok"),
    ...         "age_years": 50.0,
    ...         "recorded_sex": np.where(male, "male", "female"),
    ...     }
    ... )
    >>> rows = audit_missing(frame, bands=AgeBands((40,))).set_index(["quantity", "method", "group", "level_name"])
    >>> rows.loc[("without_score", "share", "recorded_sex", "female"), "point"]
    np.float64(0.2)
    >>> rows.loc[("accuracy", "all_wrong", "overall", "all"), "point"]
    np.float64(0.9)
    """
    wanted = list(dict.fromkeys([*groups, *covariates]))
    images, rows = audit_images(frame, [name for name in wanted if name != AGE_BAND], "image")
    banded = age_grouping(rows["age_years"], bands)
    told = [column_grouping(rows[name], name) for name in groups if name not in {AGE_BAND, SEX}]
    return missing_rows(
        images, rows, banded, told, covariates=covariates, level=level, threshold=threshold, min_patients=min_patients
    )


def missing_rows(
    images: AuditImages,
    rows: pd.DataFrame,
    banded: Grouping,
    groupings: Sequence[Grouping] = (),
    *,
    covariates: Sequence[str] = (),
    level: float = 0.95,
    threshold: float = 0.5,
    min_patients: int = 10,
) -> pd.DataFrame:
    """Do what :func:`audit_missing` does to images that were checked already.

    Parameters
    ----------
    images, rows : every listed image, as arrays and as the frame they were made from.
    banded : the age bands.
    groupings : further grouping variables to tell absence by.
    covariates, level, threshold, min_patients : as in :func:`audit_missing`.
    """
    told = [banded, column_grouping(rows[SEX], SEX), *groupings]
    kinds = absence(rows["status"])
    found = []
    for group, label, index in _parts(told, len(rows)):
        patients, _ = images.patients.part(index)
        shares: dict[bool, Measurement] = {}
        for kind, chosen in kinds.items():
            lost = chosen[index]
            some = bool(lost.any())
            if some or some not in shares:  # of the kinds that nobody is of, one stands for all
                shares[some] = _share(lost, patients, images.weight[index], level, min_patients)
            found.append(_row(kind, "share", group, label, shares[some]))
    for_scored, how = _weights(rows, images, ["age_years", SEX, *covariates])
    for group, label, index in _parts([banded], len(rows)):
        options = (threshold, level, min_patients, group, label)
        found += _metric_rows(images.of(index), for_scored[index], how, *options)
    return contract_frame(found, "missingness")


def _parts(groupings: Sequence[Grouping], n: int) -> list[tuple[str, str, np.ndarray]]:
    parts = [("overall", "all", np.arange(n))]
    return parts + [(one.name, label, index) for one in groupings for label, index in one.parts()]


def _share(chosen: np.ndarray, patients: Clusters, weight: np.ndarray, level: float, min_patients: int) -> Measurement:
    if patients.n >= min_patients:
        return clustered_proportion(chosen, patients, weight=weight, level=level)
    note = f"fewer than {min_patients} patients" if patients.n else "no patients"
    return Measurement(level=level, n_images=len(chosen), n_patients=patients.n, state="undefined", note=note)


def _weights(rows: pd.DataFrame, images: AuditImages, covariates: Sequence[str]) -> tuple[np.ndarray, ScoredWeights]:
    """Return the weight of each image for having a score, NaN where there is none, and how it was made."""
    known = images.male | images.female
    inside = np.flatnonzero(known)
    scored = images.gradable[inside]
    found = scored_weights(rows.iloc[inside], scored, images.of(inside).patients, covariates=covariates)
    weight = np.full(len(rows), np.nan)
    if found.state == "measured":
        weight[inside[scored]] = found.weight
    return weight, found


def _metric_rows(
    images: AuditImages, for_scored: np.ndarray, how: ScoredWeights, threshold: float, level: float, min_patients: int,
    group: str, label: str,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return each metric among the scored, its two bounds, and weighted."""
    right = (images.prob_male >= threshold) == images.male
    rows: list[dict[str, Any]] = []
    members = (images.male, images.female, images.male | images.female)
    for metric, inside in zip(METRICS, members, strict=True):
        scored, patients = images.gradable[inside], images.patients.within(inside)
        weight = images.validated_weight[inside]
        if patients.within(scored).n < min_patients:
            note = f"fewer than {min_patients} patients with a score in the denominator"
            measured = Measurement(
                level=level, n_images=len(scored), n_patients=patients.n, state="undefined", note=note
            )
            rows += [_row(metric, one, group, label, measured) for one in ("scored_only", "all_wrong", "all_right")]
            rows.append(_row(metric, "weighted", group, label, measured))
            continue
        found = bounded(right[inside], scored, patients, weight=weight, level=level)
        rows += [_row(metric, method, group, label, measured) for method, measured in found.items()]
        rows.append(_row(metric, "weighted", group, label, _weighted(
            right[inside][scored], patients.within(scored), weight[scored], for_scored[inside][scored], how, level
        )))  # fmt: skip
    return rows


def _weighted(
    right: np.ndarray, patients: Clusters, weight: np.ndarray, for_scored: np.ndarray, how: ScoredWeights, level: float
) -> Measurement:
    if how.state != "measured":
        return Measurement(level=level, n_images=len(right), n_patients=patients.n, state="undefined", note=how.note)
    measured = clustered_proportion(right, patients, weight=weight * for_scored, level=level)
    return Measurement(
        **{name: getattr(measured, name) for name in measured.__slots__ if name != "note"},
        note="; ".join(part for part in (how.note, measured.note) if part),
    )


def _row(quantity: str, method: str, group: str, label: str, measured: Measurement) -> dict[str, Any]:
    row: Mapping[str, Any] = {name: getattr(measured, name) for name in COUNTS}
    return {
        "quantity": quantity, "method": method, "group": group, "level_name": label, "point": measured.point,
        "low": measured.low, "high": measured.high, "level": measured.level, **row, "state": measured.state,
        "note": measured.note,
    }  # fmt: skip
