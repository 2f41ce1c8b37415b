"""Who is lost to a declared threshold of quality: shares of photographs by recorded sex, age and disease."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.audit.clusters import Clusters
from sexstrat.audit.grouping import age_grouping
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.proportion import clustered_proportion
from sexstrat.audit.rows import contract_frame
from sexstrat.errors import StudyError
from sexstrat.values.age_bands import AgeBands

__all__ = ["BELOW_QUALITY", "CONDITION_GROUP", "below_quality"]

BELOW_QUALITY = "below_declared_quality"
CONDITION_GROUP = "condition: "
_NEEDED = ("patient_id", "below_quality", "age_years", "recorded_sex")
_SEXES = ("male", "female", "other", "unknown")


def below_quality(
    images: pd.DataFrame,
    conditions: pd.DataFrame,
    *,
    bands: AgeBands,
    level: float = 0.95,
    min_patients: int = 10,
) -> pd.DataFrame:
    """Estimate the share of listed photographs that a declared threshold of quality makes ungradable, by group.

    Parameters
    ----------
    images : one row a listed photograph: ``patient_id``, ``below_quality`` (true or false), ``age_years`` and
        ``recorded_sex`` of the patient.
    conditions : one row a patient and condition: ``patient_id``, ``condition``, ``diseased``.
    bands : age bands.
    level : confidence level.
    min_patients : smallest number of patients in a group that defines its share.

    Returns
    -------
    Rows of the ``audit`` contract for all, by age band, by recorded sex and, for each condition, with and without it
    and where it is not known; Wilson intervals at the effective number of photographs, patients being the clusters.

    Raises
    ------
    StudyError
        A column is missing.

    Examples
    --------
    Of four photographs one is below; both ages are in one band.

    >>> images = pd.DataFrame({"patient_id": list("aabb"), "below_quality": [True, False, False, False]})
    >>> images = images.assign(age_years=[61, 61, 64, 64], recorded_sex=["male", "male", "female", "female"])
    >>> sick = pd.DataFrame({"patient_id": ["a", "b"], "condition": "amd", "diseased": [True, False]})
    >>> found = below_quality(images, sick, bands=AgeBands((60,)), min_patients=1)
    >>> found.loc[found["point"].notna(), ["group", "level_name", "point"]].values.tolist()[:3]
    [['overall', 'all', 0.25], ['age_band', '60+', 0.25], ['recorded_sex', 'male', 0.5]]
    """
    missing = [name for name in _NEEDED if name not in images]
    if missing:
        raise StudyError(f"shares below a quality need the columns {', '.join(_NEEDED)}; missing: {missing}")
    known = images.loc[images["patient_id"].notna()]
    below = known["below_quality"].to_numpy(dtype=bool)
    rows = []
    for group, label, chosen in _groups(known, conditions, bands):
        patients = Clusters.of(known["patient_id"].to_numpy()[chosen])
        found = _share(below[chosen], patients, level, min_patients)
        rows.append({"metric": BELOW_QUALITY, "group": group, "level_name": label, **asdict(found)})
    return contract_frame(rows, "audit")


def _groups(
    images: pd.DataFrame, conditions: pd.DataFrame, bands: AgeBands
) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    yield "overall", "all", np.ones(len(images), dtype=bool)
    ages = age_grouping(images["age_years"], bands)
    for number, label in enumerate(ages.labels):
        yield ages.name, label, np.asarray(ages.code == number)
    sex = images["recorded_sex"].fillna("unknown").to_numpy(dtype=object)
    for name in _SEXES:
        if (sex == name).any():
            yield "recorded_sex", name, np.asarray(sex == name)
    for condition, part in conditions.groupby("condition", sort=True):
        diseased = images["patient_id"].map(part.set_index("patient_id")["diseased"].astype(object))
        for label, value in (("with it", True), ("without it", False)):
            yield f"{CONDITION_GROUP}{condition}", label, (diseased == value).to_numpy(dtype=bool)
        if (unknown := diseased.isna().to_numpy(dtype=bool)).any():
            yield f"{CONDITION_GROUP}{condition}", "not known", unknown


def _share(below: NDArray[np.bool_], patients: Clusters, level: float, least: int) -> Measurement:
    if patients.n >= max(least, 1):
        return clustered_proportion(below, patients, level=level)
    note = "no patient with a photograph here" if patients.n == 0 else f"fewer than {least} patients with a photograph"
    state = "undefined" if patients.n else "missing"
    return Measurement(level=level, n_images=len(below), n_patients=patients.n, state=state, note=note)
