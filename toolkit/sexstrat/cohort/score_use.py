"""What a study declares about its scores: the least quality it takes, and whether an inferred eye counts as known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sexstrat.cohort.findings import breach
from sexstrat.cohort.sql import Connection, compose
from sexstrat.cohort.staged_names import typed_table
from sexstrat.cohort.staging import Staged
from sexstrat.errors import Problem, StudyError

__all__ = ["BELOW_QUALITY", "ScoreUse", "use_problems"]

BELOW_QUALITY = "below the declared quality"
"""Reason of a photograph that only the declared threshold makes ungradable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreUse:
    """How scores are used.

    Parameters
    ----------
    min_quality : a photograph with a score and a lower quality counts as ungradable; None: none does. The score table
        keeps its measure and its score.
    accept_inferred_eye : whether an eye that is known from the side of the optic disc alone counts as known; else its
        photographs stand with those whose eye is not known.

    Raises
    ------
    StudyError
        The quality is not a number from 0 to 1.

    Examples
    --------
    >>> ScoreUse(min_quality=40)
    Traceback (most recent call last):
    sexstrat.errors.StudyError: min_quality must be a number from 0 to 1; found 40
    """

    min_quality: float | None = None
    accept_inferred_eye: bool = False

    def __post_init__(self) -> None:
        if self.min_quality is not None and not 0 <= self.min_quality <= 1:
            raise StudyError(f"min_quality must be a number from 0 to 1; found {self.min_quality}")

    @property
    def view(self) -> str:
        """The staged scores as they are used, in parentheses, for a FROM clause.

        Examples
        --------
        >>> ScoreUse(accept_inferred_eye=True).view
        '(SELECT * FROM typed_score)'
        >>> from sexstrat.cohort.sql import connect
        >>> connection = connect()
        >>> rows = "('a', 'R', 'inferred', 'ok', NULL, 0.9, 0.4), ('b', 'L', 'list', 'ok', NULL, 0.8, 0.6)"
        >>> names = "patient_id, eye, eye_source, status, reason, prob_male, quality"
        >>> _ = connection.execute(f"CREATE TABLE typed_score AS FROM (VALUES {rows}) AS t({names})")
        >>> connection.execute("SELECT eye, status, reason FROM " + ScoreUse(min_quality=0.5).view).fetchall()
        [(None, 'ungradable', 'below the declared quality'), ('L', 'ok', None)]
        """
        changed = []
        if self.min_quality is not None:
            below = f"status = 'ok' AND quality < {self.min_quality!r}"
            changed += [
                f"CASE WHEN {below} THEN 'ungradable' ELSE status END AS status",
                f"CASE WHEN {below} THEN '{BELOW_QUALITY}' ELSE reason END AS reason",
                f"CASE WHEN NOT coalesce({below}, false) THEN prob_male END AS prob_male",
            ]
        if not self.accept_inferred_eye:
            changed.append("CASE WHEN eye_source IS DISTINCT FROM 'inferred' THEN eye END AS eye")
        replaced = f" REPLACE ({', '.join(changed)})" if changed else ""
        return compose("(SELECT *{replaced} FROM typed_score)", replaced=replaced)

    @property
    def listed_status(self) -> str:
        """The status of a score as the flow names it, as an expression: the declared quality apart from the others.

        Examples
        --------
        >>> ScoreUse().listed_status
        'status'
        """
        if self.min_quality is None:
            return "status"
        return f"CASE WHEN status = 'ok' AND quality < {self.min_quality!r} THEN '{BELOW_QUALITY}' ELSE status END"


def use_problems(connection: Connection, staged: Mapping[str, Staged], use: ScoreUse) -> list[Problem]:
    """Return where scores cannot be used as declared, and where two sources name different eyes.

    Parameters
    ----------
    connection : where the tables are staged.
    staged : contract name -> table.
    use : what is declared.

    Examples
    --------
    >>> import pandas as pd
    >>> from sexstrat.cohort.check import check_inputs
    >>> persons = pd.DataFrame({"patient_id": ["a"], "age_years": [61], "recorded_sex": ["male"]})
    >>> scores = pd.DataFrame({"image_id": ["i"], "path": ["i"], "patient_id": ["a"], "model_id": "m"})
    >>> scores = scores.assign(model_sha256="0" * 64, precision="float32", decode="safe", prob_male=0.5, status="ok")
    >>> found = check_inputs(persons=persons, scores=scores, score_use=ScoreUse(min_quality=0.4)).problems
    >>> [(problem.kind, problem.severity) for problem in found]
    [('no_quality', 'error')]
    """
    found = []
    for contract in ("score", "age_score"):
        if contract in staged and use.min_quality is not None:
            found += _unmeasured(connection, staged[contract])
    if "score" not in staged:
        return found
    return found + breach(
        connection,
        "SELECT source_row, image_id || ': ' || eye || ', against ' || eye_disagreement AS found FROM typed_score "
        "WHERE eye_disagreement IS NOT NULL",
        kind="eyes_disagree",
        message="the header or the side of the optic disc speaks for the other eye than the one stated, which is used",
        staged=staged["score"],
        column="eye_disagreement",
        allowed="empty: all sources name one eye",
        severity="warning",
    )


def _unmeasured(connection: Connection, staged: Staged) -> list[Problem]:
    template = "SELECT source_row, CAST(NULL AS VARCHAR) AS found FROM {typed} WHERE status = 'ok' AND quality IS NULL"
    return breach(
        connection,
        compose(template, typed=typed_table(staged.contract)),
        kind="no_quality",
        message="a least quality is declared and this score has no measure of quality",
        staged=staged,
        column="quality",
        allowed="a number from 0 to 1 where status is ok",
        hint="Score the photographs again, or take min_quality out of the study file",
    )
