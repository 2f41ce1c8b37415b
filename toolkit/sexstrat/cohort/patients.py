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
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sexstrat.cohort.bins import bin_sql
from sexstrat.cohort.ddl import comment_on_column, comment_on_table
from sexstrat.cohort.folds import fold_sql
from sexstrat.cohort.person_rules import AGE_SQL
from sexstrat.cohort.predicted_ages import age_sql
from sexstrat.cohort.sql import Connection, compose, literal, single_row
from sexstrat.cohort.staging import Staged
from sexstrat.cohort.training_overlap import TrainingAges
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.logit_bins import LOGIT_CLIP

__all__ = ["combine_scores", "write_patients"]

UNIT = 2**40  # logits are averaged as integers of this unit
PROB_HIGH = 1 / (1 + math.exp(-LOGIT_CLIP))
PROB_LOW = 1 / (1 + math.exp(LOGIT_CLIP))

COMBINED = """
CREATE OR REPLACE TEMP TABLE combined AS
WITH usable AS (
    SELECT patient_id, status = 'ok' AS ok, coalesce(eye, '') AS eye, fold, model_sha256, prob_male,
           CAST(round({unit} * CASE WHEN prob_male <= {low} THEN -{clip}.0 WHEN prob_male >= {high} THEN {clip}.0
                                    ELSE ln(prob_male / (1 - prob_male)) END) AS BIGINT) AS units
    FROM linked_score WHERE patient_id IS NOT NULL
), eyes AS (
    SELECT patient_id, max(prob_male) FILTER (WHERE ok) AS prob_male, {sums} FROM usable GROUP BY patient_id
)
SELECT patient_id, {n_eyes} AS n_eyes, {n_images} AS n_images, {n_out_of_fold} AS n_out_of_fold,
       n_images > 0 AND n_images = n_out_of_fold AS out_of_fold,
       n_out_of_fold > 0 AS any_out_of_fold, {by_model} AS by_model,
       CASE WHEN n_images = 1 THEN greatest({low}, least({high}, prob_male))
            WHEN n_images > 1 THEN 1 / (1 + exp(-(({units}) / ({n_eyes}) / {unit}))) END AS prob_male
FROM eyes
"""
UNNAMED = "SELECT EXISTS (SELECT 1 FROM linked_score WHERE status = 'ok' AND coalesce(eye, '') NOT IN ('R', 'L'))"
SEXES = "ENUM('female', 'male', 'other', 'unknown')"  # sorted as the words are
SIDES = {"right_eye": "eye = 'R'", "left_eye": "eye = 'L'", "unnamed_eye": "eye = ''"}

PATIENT = """
CREATE TABLE patient AS
WITH aged AS (
    SELECT p.*, {recorded} AS recorded_age, a.predicted_age, {age} AS age,
           NOT coalesce(c.out_of_fold, false) AND (t.patient_id IS NOT NULL
               OR (c.n_eyes > 0 AND EXISTS (SELECT 1 FROM combined WHERE any_out_of_fold))
           ) AS trained_model,
           coalesce(c.n_eyes, 0) AS all_eyes, coalesce(c.n_images, 0) AS n_images, c.prob_male, c.by_model {bits}
    FROM typed_person p LEFT JOIN combined c USING (patient_id) LEFT JOIN training_patient t USING (patient_id)
         LEFT JOIN combined_age a USING (patient_id) {join}
), judged AS (
    SELECT *, CASE WHEN trained_model THEN 'unknown' ELSE recorded_sex END AS validated_sex FROM aged
)
SELECT j.patient_id, CAST(floor(j.age) AS SMALLINT) AS age_years, j.age AS exact_age,
       {source} AS age_source, j.recorded_age, j.predicted_age,
       j.age_years IS NULL AND j.recorded_age IS NOT NULL AS age_from_dates, j.birth_date, j.visit_date,
       CAST(j.recorded_sex AS {sexes}) AS recorded_sex, CAST(j.validated_sex AS {sexes}) AS validated_sex,
       j.trained_model,
       coalesce(j.by_model AND NOT floor(j.age) BETWEEN {youngest} AND {oldest}, false) AS outside_training_ages,
       coalesce(j.age IS NOT NULL AND floor(j.age) >= ? AND floor(j.age) < ?, false) AS in_study,
       j.prob_male, CASE WHEN j.prob_male IS NOT NULL THEN CAST({bin} AS SMALLINT) END AS logit_bin,
       CAST(least(j.all_eyes, 2) AS TINYINT) AS n_eyes, CAST(j.n_images AS INTEGER) AS n_images,
       CASE WHEN j.validated_sex IN ('male', 'female') THEN CAST({fold} AS TINYINT) END AS fold,
       j.validation_probability, coalesce(j.weight, 1.0) AS weight, j.site, j.stratum, j.psu {conditions}
FROM judged j
"""

BITS = " LEFT JOIN (FROM condition_bits WHERE column_number = {word}) b{word} ON p.patient_id = b{word}.patient_id"
_SOURCE_SQL = {
    "recorded": "'recorded'",
    "predicted": "CASE WHEN j.recorded_age IS NULL THEN 'predicted' ELSE 'recorded' END",
    "predicted_for_all": "'predicted'",
}
BITS_COMMENT = (
    "ten conditions, six bits each: known and present for the person, the right eye and the left; condition_column "
    "says where each is, the views condition and patient_condition read them"
)
COMMENTS = {
    "patient_id": "the unit of every analysis",
    "age_years": "completed years, from age_years or from birth_date to visit_date",
    "exact_age": "age as given, not floored; completed years when it comes from dates",
    "age_source": "where exact_age comes from: recorded, or predicted by a model; empty without age",
    "recorded_age": "age as recorded, by age_years or dates; never overwritten",
    "predicted_age": "age estimated from photographs: mean over eyes of the mean over images",
    "age_from_dates": "recorded_age was taken from birth_date and visit_date, for age_years was empty",
    "birth_date": "used with visit_date when age_years is empty",
    "visit_date": "day of the photograph or visit",
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


def combine_scores(
    connection: Connection, ages: TrainingAges | None = None, staged: Mapping[str, Staged] | None = None
) -> None:
    """Write the temporary table ``combined``: of each patient whom a score names, the usable scores as one.

    What no score tells (eyes that are not named, folds) takes no room: it is kept for every patient at once.

    Parameters
    ----------
    connection : where the view ``linked_score`` is.
    ages : ages on which the model was trained; None when not known.
    staged : contract name -> table; None when not known.

    Examples
    --------
    Two images of the right eye with logits 0 and 2, one of the left with logit 3: (1 + 3) / 2 = 2.

    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> scores = "('R', 0), ('R', 2), ('L', 3)) t(eye, logit)"
    >>> _ = connection.execute(
    ...     "CREATE TABLE linked_score AS SELECT 'a' patient_id, eye, NULL::BIGINT fold, '' model_sha256, 'ok' status, "
    ...     "1 / (1 + exp(-logit)) prob_male FROM (VALUES " + scores
    ... )
    >>> combine_scores(connection)
    >>> connection.execute(
    ...     "SELECT n_eyes, n_images, round(ln(prob_male / (1 - prob_male)), 6) FROM combined"
    ... ).fetchall()
    [(2, 3, 2.0)]
    """
    sides = dict(SIDES)
    if staged is not None and "image" not in staged and single_row(connection, UNNAMED) == (False,):
        del sides["unnamed_eye"]
    sums = [
        f"sum(units) FILTER (WHERE ok AND {test}) AS {side}, count(*) FILTER (WHERE ok AND {test}) AS n_{side}"
        for side, test in sides.items()
    ]
    with_folds = staged is None or "score" not in staged or "fold" in staged["score"].types
    parts = {"low": repr(PROB_LOW), "high": repr(PROB_HIGH), "clip": f"{LOGIT_CLIP:g}", "unit": str(UNIT)}
    parts |= {"n_out_of_fold": "n_folds" if with_folds else "0", "by_model": "n_images > 0"}
    if with_folds:
        sums.append("count(fold) FILTER (WHERE ok) AS n_folds")
    if ages is not None and ages.model_sha256 is not None:
        parts["by_model"] = "of_model"
        sums.append(f"bool_or(model_sha256 = {literal(str(ages.model_sha256))}) FILTER (WHERE ok) AS of_model")
    parts["sums"] = ", ".join(sums)
    parts["n_images"] = " + ".join(f"n_{side}" for side in sides)
    parts["n_eyes"] = " + ".join(f"CAST(n_{side} > 0 AS BIGINT)" for side in sides)
    parts["units"] = " + ".join(f"coalesce(CAST(round({side} / n_{side}) AS HUGEINT), 0)" for side in sides)
    connection.execute(compose(COMBINED, **parts))


def write_patients(
    connection: Connection,
    *,
    bands: AgeBands | None,
    salt: str,
    lowest: NDArray[np.float64],
    training_ages: TrainingAges | None = None,
    columns: int = 0,
    age_source: str = "recorded",
) -> None:
    """Write the table ``patient`` from typed persons, training_patient and what was gathered of scores and conditions.

    Parameters
    ----------
    connection : the cohort being built.
    bands : declared age bands; None takes every known age.
    salt : text put before the key of a fold.
    lowest : smallest probability of each score bin.
    training_ages : ages on which the model was trained, or None when not known.
    columns : how many columns of bits the conditions take.
    age_source : which age the analyses use, one of ``AGE_SOURCES``.

    Examples
    --------
    >>> import numpy as np
    >>> from sexstrat.cohort.predicted_ages import combine_ages
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> person = "SELECT 'a' patient_id, 61.9 age_years, NULL::DATE birth_date, NULL::DATE visit_date,"
    >>> person += " 'male' recorded_sex, NULL::DOUBLE validation_probability, NULL::DOUBLE weight,"
    >>> person += " NULL site, NULL stratum, NULL psu"
    >>> _ = connection.execute("CREATE TABLE typed_person AS " + person)
    >>> _ = connection.execute("CREATE TABLE training_patient (patient_id VARCHAR)")
    >>> score = "SELECT 'a' patient_id, 'R' eye, NULL::BIGINT fold, '' model_sha256, 'ok' status, 0.75 prob_male"
    >>> _ = connection.execute("CREATE TABLE linked_score AS " + score)
    >>> combine_scores(connection)
    >>> combine_ages(connection, {})
    >>> write_patients(connection, bands=None, salt="", lowest=np.array([0.0, 0.5]))
    >>> connection.execute("SELECT age_years, n_eyes, prob_male, logit_bin FROM patient").fetchall()
    [(61, 1, 0.75, 1)]
    """
    ages = training_ages or TrainingAges(low=0, high=math.inf)
    first = 0 if bands is None else bands.lows[0]
    end = 1_000_000 if bands is None or bands.end is None else bands.end
    words = range(1, columns + 1)
    query = compose(
        PATIENT,
        recorded=AGE_SQL,
        age=age_sql(age_source),
        source="CASE WHEN j.age IS NOT NULL THEN " + _SOURCE_SQL[age_source] + " END",
        youngest=literal(repr(ages.low)),
        oldest=literal(repr(ages.high)),
        bin=bin_sql("j.prob_male", lowest),
        sexes=SEXES,
        fold=fold_sql("coalesce(j.psu, j.patient_id)"),
        bits="".join(f", coalesce(b{word}.bits, 0) AS conditions_{word}" for word in words),
        join="".join(compose(BITS, word=str(word)) for word in words),
        conditions="".join(f", j.conditions_{word}" for word in words),
    )
    connection.execute(query, [first, end, salt])
    comment_on_table(connection, "patient", "one row a patient: both eyes combined, age completed, validation fold")
    for column, comment in COMMENTS.items():
        comment_on_column(connection, "patient", column, comment)
    for word in words:
        comment_on_column(connection, "patient", f"conditions_{word}", BITS_COMMENT)
