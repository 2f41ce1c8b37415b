"""What the audit of a declared use reads: photographs below the quality, predicted beside recorded ages, diseases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sexstrat.cohort.score_use import BELOW_QUALITY
from sexstrat.cohort.sql import single_row

if TYPE_CHECKING:
    from sexstrat.cohort.store import Cohort

__all__ = ["age_frame", "disease_rows", "n_predicted_ages", "quality_frame"]


def quality_frame(cohort: Cohort) -> pd.DataFrame:
    """Return one row a scored or refused photograph of a patient in the study: whether quality alone refuses it.

    Parameters
    ----------
    cohort : an open cohort.

    Returns
    -------
    ``patient_id``, ``below_quality``, ``age_years`` and ``recorded_sex``.
    """
    query = """SELECT s.patient_id, coalesce(s.status = 'ungradable' AND s.reason = ?, false) AS below_quality,
        p.exact_age AS age_years, p.recorded_sex FROM score s JOIN patient p USING (patient_id) WHERE p.in_study
        ORDER BY s.patient_id, s.image_id"""
    return cohort._connection.execute(query, [BELOW_QUALITY]).df().astype({"age_years": "float64"})


def age_frame(cohort: Cohort) -> pd.DataFrame:
    """Return one row a patient who has a predicted and a recorded age.

    Parameters
    ----------
    cohort : an open cohort.

    Returns
    -------
    ``patient_id``, ``predicted_age`` (combined over photographs and eyes, as the analyses use it), ``recorded_age``.
    """
    query = """SELECT patient_id, predicted_age, recorded_age FROM patient
        WHERE predicted_age IS NOT NULL AND recorded_age IS NOT NULL ORDER BY patient_id"""
    frame = cohort._connection.execute(query).df()
    return frame.astype({"predicted_age": "float64", "recorded_age": "float64"})


def n_predicted_ages(cohort: Cohort) -> int:
    """Return how many patients of the study stand in the analyses at an age that a model predicted.

    Parameters
    ----------
    cohort : an open cohort.
    """
    query = "SELECT count(*) FROM patient WHERE in_study AND age_source = 'predicted'"
    (number,) = single_row(cohort._connection, query)
    return int(number)


def disease_rows(cohort: Cohort) -> pd.DataFrame:
    """Return one row a patient and known condition: ``patient_id``, ``condition``, ``diseased``.

    Parameters
    ----------
    cohort : an open cohort.
    """
    query = "SELECT patient_id, condition, diseased FROM patient_condition ORDER BY condition, patient_id"
    return cohort._connection.execute(query).df()
