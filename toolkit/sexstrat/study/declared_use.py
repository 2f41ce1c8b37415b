"""What a study declares about scores and ages: for the cohort, for the audit, and in words for the reader."""

from __future__ import annotations

import pandas as pd

from sexstrat.cohort import Cohort, ScoreUse
from sexstrat.cohort.use_frames import age_frame, disease_rows, quality_frame
from sexstrat.study.file import Study

__all__ = ["age_notices", "score_use", "use_rows"]

_ERRORS = "how far such ages are from recorded ones, and into which bands they put people, stands in the audit"
_NOTICES = {
    "predicted": "Where no age is recorded, age is predicted from photographs by a model, as the study declares: "
    f"{_ERRORS}.",
    "predicted_for_all": "Age is predicted from photographs by a model for everybody, in place of recorded age, as the "
    f"study declares: {_ERRORS}.",
}
_BANDS = (
    "Predicted ages draw towards the middle: people are moved out of the youngest and the oldest bands into those "
    "between, so that prevalence by age looks flatter than it is, and age-standardised figures carry that error; "
    "their intervals do not."
)


def score_use(study: Study) -> ScoreUse:
    """Return how the study uses its scores, whichever section names them.

    Parameters
    ----------
    study : the study.
    """
    keys = study.section("scores" if "scores" in study else "images")
    return ScoreUse(min_quality=keys["min_quality"], accept_inferred_eye=keys["accept_inferred_eye"])


def use_rows(study: Study, cohort: Cohort) -> pd.DataFrame:
    """Return the audit of what is declared: shares below the least quality, errors of predicted age.

    Parameters
    ----------
    study : the study.
    cohort : its cohort, open.

    Returns
    -------
    Rows of the ``audit`` contract; none where nothing is declared.
    """
    from sexstrat.audit.age_errors import age_errors
    from sexstrat.audit.below_quality import below_quality

    level, least = study.section("analysis")["level"], study.section("audit")["min_patients"]
    found = []
    if score_use(study).min_quality is not None:
        found.append(
            below_quality(
                quality_frame(cohort),
                disease_rows(cohort),
                bands=study.audit_bands,
                level=level,
                min_patients=least,
            )
        )
    if study.section("persons")["age_source"] != "recorded":
        found.append(age_errors(age_frame(cohort), bands=study.bands, level=level, min_patients=least))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def age_notices(study: Study) -> tuple[str, ...]:
    """Return what every reader must know first of predicted ages; nothing where ages are recorded.

    Parameters
    ----------
    study : the study.
    """
    source = str(study.section("persons")["age_source"])
    return (_NOTICES[source], _BANDS) if source in _NOTICES else ()
