"""The scores of each image beside its person, for the audit, whose unit is also the image."""

from __future__ import annotations

import pandas as pd

from sexstrat.cohort.sql import Connection

__all__ = ["score_rows"]

SCORES = """
WITH dated AS (
    SELECT s.image_id, s.patient_id, s.eye, s.prob_male, s.status, s.quality, s.fold, p.exact_age, p.birth_date,
           CASE WHEN p.age_source = 'recorded' AND i.acquired_on >= p.birth_date
                THEN date_sub('year', p.birth_date, i.acquired_on) END AS years, i.acquired_on,
           p.validated_sex AS recorded_sex, p.site, i.camera, p.validation_probability, p.weight, p.stratum, p.psu
    FROM score s JOIN patient p USING (patient_id) LEFT JOIN image i USING (image_id)
)
SELECT image_id, patient_id, eye, prob_male, status, quality, fold,
       coalesce(years + (acquired_on - CAST(birth_date + to_years(years) AS DATE)) / 366.0, exact_age) AS age_years,
       recorded_sex, site, camera, validation_probability, weight, stratum, psu
FROM dated ORDER BY patient_id, image_id, status
"""


def score_rows(connection: Connection) -> pd.DataFrame:
    """Return one row a score of a known patient, in the order of patients and images.

    The age is that at the photograph where the day of it and that of birth are known, completed years and the part of
    the year since, so that it falls into the band of its completed years; else the patient's. A predicted age stays.

    Parameters
    ----------
    connection : a cohort.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> score = "'i' image_id, 'a' patient_id, 'R' eye, 0.5 prob_male, 'ok' status, NULL quality, NULL fold"
    >>> person = "'a' patient_id, 61.5 exact_age, 'male' validated_sex, 'Oita' site, NULL validation_probability"
    >>> person += ", 'recorded' age_source, DATE '1950-05-01' birth_date"
    >>> _ = connection.execute("CREATE TABLE score AS SELECT " + score)
    >>> _ = connection.execute("CREATE TABLE patient AS SELECT 1.0 AS weight, NULL stratum, NULL psu, " + person)
    >>> _ = connection.execute(
    ...     "CREATE TABLE image AS SELECT 'i' image_id, 'Topcon' camera, DATE '2015-05-01' acquired_on"
    ... )
    >>> score_rows(connection)[["image_id", "prob_male", "age_years", "camera"]].values.tolist()
    [['i', 0.5, 65.0, 'Topcon']]
    """
    frame = connection.execute(SCORES).df()
    return frame.astype({"fold": "Int64", "prob_male": "float64", "age_years": "float64", "quality": "float64"})
