"""The section of a study file that says how persons and diseases are taken out of an OMOP common data model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sexstrat.cohort.omop import OmopSettings
    from sexstrat.study.file import Study

__all__ = ["is_concepts", "is_measurements", "omop_settings"]

LIMITS = ("at_least", "below")


def is_concepts(value: Any) -> bool:
    """Tell whether a value names diseases, each with the concepts of its diagnoses.

    Examples
    --------
    >>> is_concepts({"glaucoma": [437541]}), is_concepts({"glaucoma": 437541})
    (True, False)
    """
    return isinstance(value, dict) and all(
        isinstance(concepts, list) and concepts and all(type(concept) is int for concept in concepts)
        for concepts in value.values()
    )


def is_measurements(value: Any) -> bool:
    """Tell whether a value names diseases, each with a concept, a unit and one limit.

    Examples
    --------
    >>> is_measurements({"diabetes": {"concept": 3004410, "unit": 8554, "at_least": 6.5}})
    True
    >>> is_measurements({"diabetes": {"concept": 3004410, "at_least": 6.5}})
    False
    """
    return isinstance(value, dict) and all(isinstance(one, dict) and _is_measured(one) for one in value.values())


def _is_measured(one: dict[str, Any]) -> bool:
    limits = [name for name in LIMITS if name in one]
    whole = all(type(one.get(name)) is int for name in ("concept", "unit"))
    return whole and len(limits) == 1 and len(one) == 3 and type(one[limits[0]]) in {int, float}


def omop_settings(study: Study) -> OmopSettings | None:
    """Return how the study reads an OMOP common data model, or None when it declares none.

    Parameters
    ----------
    study : the study.

    Raises
    ------
    StudyError : the settings contradict each other.

    Examples
    --------
    >>> from pathlib import Path
    >>> from sexstrat.study.file import Study
    >>> keys = {"visit": "none", "without_record": "absent", "visit_concepts": (), "conditions": {"amd": [374028]}}
    >>> keys |= {"measurements": {}, "until_visit": True, "schema": ""}
    >>> omop_settings(Study(path=Path("s.toml"), settings={"omop": keys})).conditions
    {'amd': [374028]}
    >>> omop_settings(Study(path=Path("s.toml"), settings={})) is None
    True
    """
    if "omop" not in study:
        return None
    from sexstrat.cohort.omop import MeasuredDisease, OmopSettings

    keys = dict(study.section("omop"))
    measured = {name: MeasuredDisease(**one) for name, one in keys.pop("measurements").items()}
    return OmopSettings(**keys, measurements=measured)
