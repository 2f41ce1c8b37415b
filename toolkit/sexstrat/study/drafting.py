"""Write a commented study file from a few answers; every key that was not asked for stands there as a comment."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from typing import Any

from sexstrat.study.keys import SECTIONS, Key

__all__ = ["draft_study"]

_WIDTH = 100
_HEAD = """\
# A sexstrat study. Paths are relative to this file. A key behind "#" shows what holds when it is left out.
# Next: sexstrat check {name}, then sexstrat run {name} --out out
"""
_ORDER = (
    *("persons", "scores", "images", "conditions", "validation"),
    *("external_persons", "external_scores", "external_conditions", "analysis", "audit", "report", "disclosure"),
)
_ABOUT = {
    "persons": "one row per patient: age, and the recorded sex of those for whom it is known",
    "scores": "one row per photograph, already scored",
    "images": "photographs to score",
    "conditions": "one row per patient and disease",
    "validation": "how sex came to be recorded; data cannot show it, so it is declared",
    "external_persons": "people of another cohort, all of known sex",
    "external_scores": "their scores, by the same model",
    "external_conditions": "their conditions",
    "analysis": "what is estimated",
    "audit": "the audit of predicted against recorded sex",
    "report": "the page that people read",
    "disclosure": "which small counts are withheld before anything is written for people",
}


def draft_study(answers: Mapping[str, Mapping[str, Any]], *, name: str = "study.toml") -> str:
    """Return the text of a study file.

    Parameters
    ----------
    answers : section -> key -> value; the section "" holds the keys before the first section. Sections that are
        not in it are left out, except those that every study has.
    name : file name, for the comment on top.

    Returns
    -------
    TOML that :func:`sexstrat.study.load_study` reads, when the required keys are among the answers.

    Raises
    ------
    KeyError : an answer names a section or key that no study file has.

    Examples
    --------
    >>> text = draft_study({"": {"title": "t"}, "validation": {"design": "random"}})
    >>> [line for line in text.splitlines() if line.startswith(("title", "#seed", "design"))]
    ['title = "t"', '#seed = 1', 'design = "random"']
    """
    lines = [_HEAD.format(name=name), *_keys("", {"schema_version": 1} | dict(answers.get("", {})))]
    always = {"validation", "analysis", "audit", "report", "disclosure"}
    for section in _ORDER:
        if section in answers or section in always:
            lines += ["", "", f"[{section}]  # {_ABOUT[section]}", *_keys(section, answers.get(section, {}))]
    return "\n".join(lines) + "\n"


def _keys(section: str, given: Mapping[str, Any]) -> list[str]:
    rules = SECTIONS[section]
    for key in given:
        if key not in rules:
            raise KeyError(f"{section}.{key}")
    return [line for key, rule in rules.items() for line in _lines(key, rule, given)]


def _lines(key: str, rule: Key, given: Mapping[str, Any]) -> list[str]:
    """Return a key with what it is about above it."""
    about = textwrap.wrap(f"{rule.about}: {rule.expected}", width=_WIDTH)
    shown = f"{key} = {_toml(given[key])}" if key in given else f"#{key} = {_default(rule)}".rstrip()
    return ["", *(f"# {line}" for line in about), shown]


def _default(rule: Key) -> str:
    return "" if rule.default is None else _toml(rule.default)


def _toml(value: Any) -> str:
    """Write a value as TOML; JSON's texts, numbers and booleans are TOML's."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml(str(key))} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)
