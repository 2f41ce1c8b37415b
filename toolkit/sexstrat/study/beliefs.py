"""What a study file states about errors that its data cannot check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sexstrat.estimates import Beliefs

__all__ = ["beliefs_of"]


def _range(value: Any) -> tuple[float, float] | None:
    return None if value is None else (float(value[0]), float(value[1]))


def beliefs_of(settings: Mapping[str, Mapping[str, Any]]) -> Beliefs:
    """Return the beliefs of a study's settings: priors of predicted sex, shifts to look at, errors of recorded sex.

    Parameters
    ----------
    settings : section -> key -> value, as in :class:`sexstrat.study.file.Study`.

    Raises
    ------
    EstimationError : no prior fits a stated range.

    Examples
    --------
    >>> beliefs_of({"validation": {"recorded_sex_error": 0.01}}).recorded_sex_error
    0.01
    """
    from sexstrat.estimates import Beliefs, ScoreModel, stated_priors

    error = settings["validation"].get("recorded_sex_error")
    stated = settings.get("bias_analysis")
    if stated is None:
        return Beliefs(recorded_sex_error=error)
    sensitivity, specificity = _range(stated["sensitivity"]), _range(stated["specificity"])
    priors = None
    if sensitivity is not None and specificity is not None:
        priors = stated_priors(
            sensitivity=sensitivity,
            specificity=specificity,
            sensitivity_diseased=_range(stated["sensitivity_diseased"]),
            specificity_diseased=_range(stated["specificity_diseased"]),
            by_disease=stated["correlation"],
            between_errors=stated["correlation_of_errors"],
        )
    score = ScoreModel(trained_male_share=stated["trained_male_share"], two_eye_slope=stated["two_eye_slope"])
    return Beliefs(
        priors=priors,
        score=score,
        shift_limit=stated["shift_limit"],
        recorded_sex_error=error,
        draws=stated["draws"],
    )
