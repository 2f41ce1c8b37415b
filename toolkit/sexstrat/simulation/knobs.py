"""Turn the knobs of a setting by plain names, as a command line gives them, and describe a setting in plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar

from sexstrat.errors import StudyError
from sexstrat.simulation.parts import Clusters, ExternalCohort, EyeDisease, Survey
from sexstrat.simulation.setting import Setting
from sexstrat.values.design import Target, ValidationDesign

__all__ = ["described", "knob_names", "with_knobs"]

_PARTS: Mapping[str, type[Clusters | Survey | ExternalCohort | EyeDisease]] = {
    "clusters": Clusters,
    "survey": Survey,
    "external": ExternalCohort,
    "eye_disease": EyeDisease,
}
# plain name: the part and its field; the lists of a survey's strata are set in Python only
_PART_KNOBS: Mapping[str, tuple[str, str]] = {
    "sites": ("clusters", "number"),
    "site_size_sd": ("clusters", "size_sd"),
    "site_prevalence_sd": ("clusters", "prevalence_sd"),
    "site_male_sd": ("clusters", "male_sd"),
    "site_score_sd": ("clusters", "score_sd"),
    "response_by_age": ("survey", "response_by_age"),
    **{f"external_{one.name}": ("external", one.name) for one in fields(ExternalCohort)},
    "both_eyes": ("eye_disease", "both"),
    "both_eyes_by_male": ("eye_disease", "both_by_male"),
}
_SWITCHES: Mapping[str, str] = {"survey": "survey", "by_eye": "eye_disease"}
Word = TypeVar("Word", bound=StrEnum)
_NONE_AT_ZERO = {"sites": "clusters", "external_patients": "external"}
_INTERNAL_BY_CHANCE = (ValidationDesign.random, ValidationDesign.external, ValidationDesign.none)


def _plain() -> tuple[str, ...]:
    return tuple(one.name for one in fields(Setting) if one.name not in {*_PARTS, "about"})


def knob_names() -> tuple[str, ...]:
    """List the knobs that :func:`with_knobs` turns.

    Examples
    --------
    >>> "external_patients" in knob_names(), "sites" in knob_names()
    (True, True)
    """
    return (*_plain(), *_PART_KNOBS, *_SWITCHES)


def with_knobs(one: Setting, **knobs: Any) -> Setting:
    """Return a setting with some knobs turned.

    A knob of a part brings the part in with its defaults: ``sites=12`` gives 12 hospitals. ``sites=0``,
    ``external_patients=0``, ``survey=False`` and ``by_eye=False`` take a part out. Unless ``design`` is given, it
    follows from how sex comes to be recorded: by nobody, in an external cohort, or with known probability.

    Parameters
    ----------
    one : the setting to begin with.
    knobs : values by name; None leaves a knob as it is.

    Raises
    ------
    StudyError : no such knob, a value is outside its range, or knobs contradict each other.

    Examples
    --------
    >>> from sexstrat.simulation.named_settings import setting
    >>> turned = with_knobs(setting("baseline"), auc=0.9, recorded_by_male=0.8, sites=12)
    >>> turned.auc, turned.design.value, turned.clusters.number
    (0.9, 'known_probability', 12)
    >>> with_knobs(setting("baseline"), auk=0.9)
    Traceback (most recent call last):
    sexstrat.errors.StudyError: no knob 'auk'; did you mean auc?
    """
    given = {name: value for name, value in knobs.items() if value is not None}
    for name in given:
        if name not in knob_names():
            near = get_close_matches(name, knob_names(), n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(knob_names())}"
            raise StudyError(f"no knob {name!r}; {hint}")
    parts = _turned_parts(one, given)
    plain = {name: value for name, value in given.items() if name in _plain()}
    if "target" in plain:
        plain["target"] = _member("target", Target, plain["target"])
    changed = [name for name in given if name != "name"]
    if changed:
        plain["about"] = f"{one.about}; changed: {', '.join(changed)}"
    plain["design"] = _design(one, plain, external=parts["external"] is not None)
    return replace(one, **plain, **parts)


def _member(name: str, words: type[Word], value: str) -> Word:
    if value not in list(words):
        raise StudyError(f"{name} is {value!r}; allowed: {', '.join(words)}")
    return words(value)


def _turned_parts(one: Setting, given: Mapping[str, Any]) -> dict[str, Any]:
    parts: dict[str, Any] = {name: getattr(one, name) for name in _PARTS}
    for switch, name in _SWITCHES.items():
        if switch in given:
            parts[name] = (parts[name] or _PARTS[name]()) if given[switch] else None
    for name in _PARTS:
        wanted = {field: given[knob] for knob, (part, field) in _PART_KNOBS.items() if part == name and knob in given}
        if any(given.get(knob) == 0 for knob, part in _NONE_AT_ZERO.items() if part == name):
            parts[name] = None
        elif wanted:
            if name in {part for switch, part in _SWITCHES.items() if given.get(switch) is False}:
                raise StudyError(f"{name} is switched off, but {', '.join(wanted)} of it is given; leave one out")
            parts[name] = replace(parts[name] or _PARTS[name](), **wanted)
    return parts


def _design(one: Setting, plain: Mapping[str, Any], *, external: bool) -> ValidationDesign:
    """Return the design given, or the one that follows from who is validated and why."""
    if "design" in plain:
        return _member("design", ValidationDesign, plain["design"])
    validated = plain.get("validated", one.validated)
    by = ("recorded_by_age", "recorded_by_disease", "recorded_by_male", "recorded_by_score")
    varies = any(plain.get(name, getattr(one, name)) for name in by)
    if validated == 0:
        return ValidationDesign.external if external else ValidationDesign.none
    if one.design not in _INTERNAL_BY_CHANCE:
        return one.design
    return ValidationDesign.known_probability if varies else ValidationDesign.random


def described(one: Setting) -> dict[str, Any]:
    """Return a setting as plain values, nested as its parts are, for a file that says what was simulated.

    Parameters
    ----------
    one : the setting.

    Examples
    --------
    >>> from sexstrat.simulation.named_settings import setting
    >>> described(setting("external"))["external"]["patients"]
    1000
    """
    plain = asdict(one)
    return {**plain, "design": one.design.value, "target": one.target.value}
