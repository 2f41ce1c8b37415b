"""What the flow says in words about those who remain and why others were lost."""

from __future__ import annotations

from collections.abc import Mapping

from sexstrat.cohort.score_use import BELOW_QUALITY, ScoreUse
from sexstrat.cohort.sql import Connection, compose, single_row
from sexstrat.cohort.training_overlap import TrainingAges

__all__ = ["LACKING", "eye_note", "predicted_age_note", "status_words", "untested_note"]

LACKING: Mapping[str, str] = {
    "recorded": "no age and no two dates to take it from",
    "predicted": "no age, no two dates to take it from and none predicted from a photograph",
    "predicted_for_all": "no age predicted from a photograph, which this study uses for everybody",
}
"""Why somebody has no age, by the source of ages."""


def status_words(connection: Connection) -> str:
    """Return how many images of the patients in the study have no usable score, by status.

    Parameters
    ----------
    connection : the cohort being built, with ``flow_image`` and ``patient``.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> _ = connection.execute("CREATE TABLE patient AS SELECT 'a' patient_id, true in_study")
    >>> images = "('a', 'ok', true, 3), ('a', 'empty_file', true, 2)"
    >>> _ = connection.execute(f"CREATE TABLE flow_image AS FROM (VALUES {images}) t(patient_id, status, kept, n)")
    >>> status_words(connection)
    'empty file: 2'
    """
    query = """SELECT i.status, CAST(sum(i.n) AS BIGINT) FROM flow_image i JOIN patient p USING (patient_id)
        WHERE p.in_study AND i.kept AND i.status NOT IN ('ok', ?) GROUP BY i.status ORDER BY sum(i.n) DESC, i.status"""
    found = connection.execute(query, [BELOW_QUALITY]).fetchall()
    return ", ".join(f"{status.replace('_', ' ')}: {count:,}" for status, count in found)


def untested_note(connection: Connection, ages: TrainingAges | None) -> str:
    """Say how many of the scored are outside the ages on which the model was trained, "" when none.

    Parameters
    ----------
    connection : the cohort being built, with ``flow_patient``.
    ages : those ages, or None when not known.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> untested_note(connect(), None)
    ''
    """
    if ages is None:
        return ""
    query = "SELECT count(*) FROM flow_patient WHERE in_study AND scored AND outside_training_ages"
    (count,) = single_row(connection, query)
    if count == 0:
        return ""
    return (
        f"of those who remain, {count} {'patient is' if count == 1 else 'patients are'} outside the ages {ages} on "
        "which the model was trained: counted further and kept in the estimates, but their scores are untested"
    )


def predicted_age_note(connection: Connection) -> str:
    """Say of how many patients in the study the age is predicted, "" when of none.

    Parameters
    ----------
    connection : the cohort being built, with ``patient``.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> _ = connection.execute("CREATE TABLE patient AS SELECT true in_study, 'predicted' age_source FROM range(40)")
    >>> predicted_age_note(connection)
    'of those who remain, 40 patients have an age that a model predicted from their photographs, not a recorded one'
    """
    (count,) = single_row(connection, "SELECT count(*) FROM patient WHERE in_study AND age_source = 'predicted'")
    if count == 0:
        return ""
    return (
        f"of those who remain, {count} {'patient has' if count == 1 else 'patients have'} an age that a model "
        f"predicted from their photographs, not a recorded one"
    )


def eye_note(connection: Connection, use: ScoreUse) -> str:
    """Say of how many usable images the eye is inferred, what that counts for, and where sources disagree.

    Parameters
    ----------
    connection : the cohort being built, with ``linked_score`` and ``patient``.
    use : what is declared about scores.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connection = connect()
    >>> _ = connection.execute("CREATE TABLE patient AS SELECT 'a' patient_id, true in_study")
    >>> scores = "SELECT 'a' patient_id, 'ok' status, 'inferred' eye_source, NULL eye_disagreement, 'R' eye, "
    >>> scores += "'R' inferred_eye FROM range(7)"
    >>> _ = connection.execute("CREATE TABLE linked_score AS " + scores)
    >>> print(eye_note(connection, ScoreUse(accept_inferred_eye=True)))
    the eye of 7 images is inferred from the side of the optic disc, which the study accepts
    """
    query = """SELECT count(*) FILTER (WHERE eye_source = 'inferred'),
        count(*) FILTER (WHERE eye_disagreement IS NOT NULL OR eye <> inferred_eye)
        FROM linked_score JOIN patient USING (patient_id) WHERE in_study AND status = 'ok'"""
    inferred, against = single_row(connection, compose(query))
    meaning = (
        "which the study accepts"
        if use.accept_inferred_eye
        else "which the study does not accept: they stand with images whose eye is not known"
    )
    told = []
    if inferred:
        told.append(f"the eye of {_images(inferred)} is inferred from the side of the optic disc, {meaning}")
    if against:
        told.append(
            f"for {_images(against)} the header or the side of the optic disc speaks for the other eye than the one "
            "stated, which is used"
        )
    return "; ".join(told)


def _images(number: int) -> str:
    return f"{number} image" if number == 1 else f"{number} images"
