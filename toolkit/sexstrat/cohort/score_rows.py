"""The scores of each image beside its person, for the audit, whose unit is also the image."""

from __future__ import annotations

import pandas as pd

from sexstrat.cohort.sql import Connection

__all__ = ["score_rows"]

SCORES = """
SELECT s.image_id, s.patient_id, s.eye, s.prob_male, s.status, s.quality, s.fold, p.exact_age AS age_years,
       p.validated_sex AS recorded_sex, p.site, i.camera, p.validation_probability, p.weight
FROM score s JOIN patient p USING (patient_id) LEFT JOIN image i USING (image_id)
ORDER BY s.patient_id, s.image_id, s.status
"""


def score_rows(connection: Connection) -> pd.DataFrame:
    """Return one row a score of a known patient, in the order of patients and images.

    Parameters
    ----------
    connection : a cohort.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> score = "'i' image_id, 'a' patient_id, 'R' eye, 0.5 prob_male, 'ok' status, NULL quality, NULL fold"
    >>> person = "'a' patient_id, 61.5 exact_age, 'male' validated_sex, 'Oita' site, NULL validation_probability"
    >>> _ = connection.execute("CREATE TABLE score AS SELECT " + score)
    >>> _ = connection.execute("CREATE TABLE patient AS SELECT 1.0 AS weight, " + person)
    >>> _ = connection.execute("CREATE TABLE image AS SELECT 'i' image_id, 'Topcon' camera")
    >>> score_rows(connection)[["image_id", "prob_male", "age_years", "camera"]].values.tolist()
    [['i', 0.5, 61.5, 'Topcon']]
    """
    frame = connection.execute(SCORES).df()
    return frame.astype({"fold": "Int64", "prob_male": "float64", "age_years": "float64", "quality": "float64"})
