"""One row a patient: the scores of both eyes combined to one value, and who counts as validated.

Combination: logit(prob_male) of each usable image, clipped at +-10, averaged over the images of an eye, then over the
eyes (images whose eye is not known count together as one more eye); ``prob_male`` is the inverse logit of that mean.
A single image keeps its own probability. Means are taken of integers (units of 2^-40), so that neither the order of
rows nor the number of threads can change a bit.

A patient whose images trained the model keeps the recorded sex in the person table, but it validates nothing unless
every usable score was made out of fold: ``validated_sex`` is then ``unknown``, the patient stays in the estimand as one
without recorded sex, and the flow counts it. Such are the patients declared, and, where some scores carry a fold (so
that the model saw patients of this cohort), every patient with a usable score that carries none.
"""

from __future__ import annotations

import math

from sexstrat.cohort.ddl import comment_on_column, comment_on_table
from sexstrat.cohort.folds import fold_sql
from sexstrat.cohort.person_rules import AGE_SQL
from sexstrat.cohort.sql import Connection, compose, literal
from sexstrat.cohort.training_overlap import TrainingAges
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.logit_bins import LOGIT_CLIP

__all__ = ["write_patients"]

UNIT = 2**40  # logits are averaged as integers of this unit
PROB_HIGH = 1 / (1 + math.exp(-LOGIT_CLIP))
PROB_LOW = 1 / (1 + math.exp(LOGIT_CLIP))

COMBINED = """
CREATE OR REPLACE TEMP TABLE combined AS
WITH usable AS (
    SELECT patient_id, eye, fold, model_sha256, prob_male,
           CASE WHEN prob_male <= {low} THEN -{clip}.0 WHEN prob_male >= {high} THEN {clip}.0
                ELSE ln(prob_male / (1 - prob_male)) END AS logit
    FROM score WHERE status = 'ok' AND patient_id IS NOT NULL
), eyes AS (
    SELECT patient_id, eye, count(*) AS n_images, count(fold) AS n_out_of_fold, max(prob_male) AS prob_male,
           bool_or({by_model}) AS by_model,
           CAST(round(sum(CAST(round(logit * {unit}) AS HUGEINT)) / count(*)) AS HUGEINT) AS units
    FROM usable GROUP BY patient_id, eye
)
SELECT patient_id, count(*) AS n_eyes, CAST(sum(n_images) AS BIGINT) AS n_images,
       sum(n_images) = sum(n_out_of_fold) AS out_of_fold, bool_or(by_model) AS by_model,
       CASE WHEN sum(n_images) = 1 THEN greatest({low}, least({high}, max(prob_male)))
            ELSE 1 / (1 + exp(-(sum(units) / count(*) / {unit}))) END AS prob_male
FROM eyes GROUP BY patient_id
"""

PATIENT = """
CREATE TABLE patient AS
WITH aged AS (
    SELECT p.*, {age} AS age, NOT coalesce(c.out_of_fold, false) AND (t.patient_id IS NOT NULL
               OR (c.n_eyes > 0 AND EXISTS (SELECT 1 FROM score WHERE status = 'ok' AND fold IS NOT NULL))
           ) AS trained_model,
           coalesce(c.n_eyes, 0) AS all_eyes, coalesce(c.n_images, 0) AS n_images, c.prob_male, c.by_model
    FROM person p LEFT JOIN combined c USING (patient_id) LEFT JOIN training_patient t USING (patient_id)
), judged AS (
    SELECT *, CASE WHEN trained_model THEN 'unknown' ELSE recorded_sex END AS validated_sex FROM aged
)
SELECT j.patient_id, CAST(floor(j.age) AS BIGINT) AS age_years, j.age AS exact_age, j.recorded_sex, j.validated_sex,
       j.trained_model, coalesce(j.by_model AND NOT floor(j.age) BETWEEN {low} AND {high}, false)
           AS outside_training_ages,
       coalesce(j.age IS NOT NULL AND floor(j.age) >= ? AND floor(j.age) < ?, false) AS in_study,
       j.prob_male, b.logit_bin, CAST(least(j.all_eyes, 2) AS BIGINT) AS n_eyes, j.n_images,
       CASE WHEN j.validated_sex IN ('male', 'female') THEN {fold} END AS fold,
       j.validation_probability, coalesce(j.weight, 1.0) AS weight, j.site, j.stratum, j.psu
FROM judged j ASOF LEFT JOIN logit_bin b ON j.prob_male >= b.prob_low
"""

COMMENTS = {
    "patient_id": "the unit of every analysis",
    "age_years": "completed years, from age_years or from birth_date to visit_date",
    "exact_age": "age as given, not floored; completed years when it comes from dates",
    "recorded_sex": "sex as recorded by declared coding; never overwritten",
    "validated_sex": "recorded sex where it may validate scores; unknown for patients who trained the model in sample",
    "trained_model": "images of this patient trained the model, or may have, and the scores are not out of fold",
    "outside_training_ages": "has a usable score and an age outside those on which the model was trained",
    "in_study": "age known and inside the declared age bands: the patient enters the cells",
    "prob_male": "one probability a patient: inverse logit of the mean over eyes of the mean logit over images",
    "logit_bin": "bin of prob_male, see table logit_bin; empty when there is no usable score",
    "n_eyes": "eyes with a usable score, at most 2; 0 means no gradable image, and the patient stays in the estimand",
    "n_images": "usable scores",
    "fold": "cross-fitting fold 0 to 4 of a validated patient: first 8 hex digits of SHA-256(salt + patient_id, or psu "
    "where given) modulo 5; empty when not validated",
    "validation_probability": "probability, by design, that recorded sex is known; empty when not declared",
    "weight": "survey weight, 1 when none is given",
    "site": "hospital or registry",
    "stratum": "sampling stratum",
    "psu": "primary sampling unit",
}


def write_patients(
    connection: Connection, *, bands: AgeBands | None, salt: str, training_ages: TrainingAges | None = None
) -> None:
    """Write the table ``patient`` from person, score, training_patient and logit_bin.

    Parameters
    ----------
    connection : the cohort being built.
    bands : declared age bands; None takes every known age.
    salt : text put before the key of a fold.
    training_ages : ages on which the model was trained, or None when not known.

    Examples
    --------
    Two images of the right eye with logits 0 and 2, one of the left with logit 3: (1 + 3) / 2 = 2.

    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> person = "SELECT 'a' patient_id, 61.9 age_years, NULL::DATE birth_date, NULL::DATE visit_date,"
    >>> person += " 'male' recorded_sex, NULL::DOUBLE validation_probability, NULL::DOUBLE weight,"
    >>> person += " NULL site, NULL stratum, NULL psu"
    >>> _ = connection.execute("CREATE TABLE person AS " + person)
    >>> _ = connection.execute("CREATE TABLE training_patient (patient_id VARCHAR)")
    >>> _ = connection.execute("CREATE TABLE logit_bin AS SELECT 7 AS logit_bin, 0.0 AS prob_low")
    >>> scores = "('R', 0), ('R', 2), ('L', 3)) t(eye, logit)"
    >>> _ = connection.execute(
    ...     "CREATE TABLE score AS SELECT 'a' patient_id, eye, NULL::BIGINT fold, '' model_sha256, 'ok' status, "
    ...     "1 / (1 + exp(-logit)) prob_male FROM (VALUES " + scores
    ... )
    >>> write_patients(connection, bands=None, salt="")
    >>> query = "SELECT age_years, n_eyes, round(ln(prob_male / (1 - prob_male)), 6) FROM patient"
    >>> connection.execute(query).fetchall()
    [(61, 2, 2.0)]
    """
    ages = training_ages or TrainingAges(low=0, high=math.inf)
    parts = {"low": repr(PROB_LOW), "high": repr(PROB_HIGH), "clip": f"{LOGIT_CLIP:g}", "unit": str(UNIT)}
    parts["by_model"] = "true" if ages.model_sha256 is None else f"model_sha256 = {literal(ages.model_sha256)}"
    connection.execute(compose(COMBINED, **parts))
    first = 0 if bands is None else bands.lows[0]
    end = 1_000_000 if bands is None or bands.end is None else bands.end
    limits = {"low": literal(repr(ages.low)), "high": literal(repr(ages.high))}
    query = compose(PATIENT, age=AGE_SQL, **limits, fold=fold_sql("coalesce(j.psu, j.patient_id)"))
    connection.execute(query, [first, end, salt])
    comment_on_table(connection, "patient", "one row a patient: both eyes combined, age completed, validation fold")
    for column, words in COMMENTS.items():
        comment_on_column(connection, "patient", column, words)
