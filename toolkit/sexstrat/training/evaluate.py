"""Measure a fitted model on photographs it never saw: by patient and by photograph, overall and in groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.audit import Measurement, auc_clustered, clustered_proportion
from sexstrat.training.examples import Examples
from sexstrat.training.patient_auc import patient_means
from sexstrat.values.age_bands import AgeBands

__all__ = ["AGE_BANDS", "performance_rows"]

AGE_BANDS = AgeBands((0, 45, 55, 65, 75), end=None)

_MINIMUM_OF_EACH_SEX = 10  # below this a group's figures say nothing and are left out


def performance_rows(
    examples: Examples, rows: NDArray[np.int64], logits: NDArray[np.float64], *, data: str
) -> tuple[dict[str, Any], ...]:
    """Return AUC and shares correct among men and among women, with patient-clustered 95 % intervals.

    At patient level the value is the mean logit of the patient's photographs; a prediction is male when
    it is above 0 (probability one half). People known under several ids count as one cluster. Groups
    with fewer than ten men or ten women are left out.

    Parameters
    ----------
    examples : photographs with labels.
    rows : the rows to measure on; those without recorded male or female are left out.
    logits : logit of recorded male of each of these rows.
    data : name of the data, for the ``data`` column.

    Returns
    -------
    Rows of a model card's ``performance``: data, unit, metric, group, level, point, low, high,
    n_patients, n_images, n_male, n_female, method.

    References
    ----------
    Obuchowski NA. Nonparametric analysis of clustered ROC curve data. Biometrics 1997;53:567-578.
    """
    known = np.isfinite(examples.male[rows])
    rows, logits = rows[known], logits[known]
    _, first, means = patient_means(logits, examples.patient_id[rows])
    found: list[dict[str, Any]] = []
    for unit, chosen, values in (("patient", rows[first], means), ("photograph", rows, logits)):
        for group, level, member in _groups(examples, chosen):
            if _rarer_sex(examples, chosen[member]) < _MINIMUM_OF_EACH_SEX:
                continue
            for metric, method, measured in _measurements(examples, chosen[member], values[member]):
                head = {"data": data, "unit": unit, "metric": metric, "group": group, "level": level}
                found.append(head | _figures(measured) | {"method": method})
    return tuple(found)


def _groups(examples: Examples, rows: NDArray[np.int64]) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    yield "overall", "all", np.ones(len(rows), dtype=bool)
    ages = examples.age_years[rows]
    aged = np.isfinite(ages)
    band = np.full(len(rows), -1)
    band[aged] = AGE_BANDS.index(ages[aged])
    for i, label in enumerate(AGE_BANDS.labels):
        yield "age_band", label, band == i
    for i, name in enumerate(examples.disease_names):
        yield "disease", name, examples.diseases[rows, i] == 1


def _rarer_sex(examples: Examples, rows: NDArray[np.int64]) -> int:
    """Return the number of people, not photographs, of the rarer sex."""
    return min(len(np.unique(examples.patient_id[rows[examples.male[rows] == sex]])) for sex in (0, 1))


def _measurements(
    examples: Examples, rows: NDArray[np.int64], values: NDArray[np.float64]
) -> Iterator[tuple[str, str, Measurement]]:
    male, cluster = examples.male[rows] == 1, examples.group[rows]
    yield "auc", "Mann-Whitney, clustered by person, logit scale", auc_clustered(values, male, cluster, min_patients=2)
    share = "share, Wilson at the effective size, clustered by person"
    yield "correct_among_men", share, clustered_proportion(values[male] > 0, cluster[male])
    yield "correct_among_women", share, clustered_proportion(values[~male] <= 0, cluster[~male])


def _figures(measured: Measurement) -> dict[str, Any]:
    limits = {name: getattr(measured, name) for name in ("point", "low", "high")}
    rounded = {name: None if value is None else round(value, 4) for name, value in limits.items()}
    return rounded | {"n_patients": measured.n_patients, "n_images": measured.n_images}
