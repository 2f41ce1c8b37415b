"""The rules of the audit that a study declares: read, checked with line and key, and turned into what is judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sexstrat.audit.gaps.rules import COMPARISONS, RULE_METRICS, Rule
from sexstrat.study.places import nearest

__all__ = ["rule_breaches", "rules_of"]

_KINDS: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "name": (str, "text"),
    "metric": (str, "one of " + ", ".join(RULE_METRICS)),
    "comparison": (str, "one of " + ", ".join(COMPARISONS)),
    "limit": ((int, float), "a number from 0"),
    "against": (str, "one of " + ", ".join(RULE_METRICS)),
    "group": (str, "a grouping variable of the audit"),
    "level_name": (str, "a group of that variable"),
    "reference": (str, "another group of that variable"),
    "age_from": (int, "a whole number of years"),
    "age_before": (int, "a whole number of years"),
    "confidence": ((int, float), "a number from 0.5 to 0.999"),
}
_NEEDED = ("metric", "comparison", "limit")
_HEADER = "[[audit.rules]]"


def rule_breaches(rules: Any, text: str) -> list[str]:
    """Return what is wrong in the declared rules, each with line, key, value and what is allowed.

    Parameters
    ----------
    rules : the value of ``audit.rules`` as TOML gives it.
    text : the study file, for the lines.

    Examples
    --------
    >>> text = "[[audit.rules]]" + chr(10) + 'metrik = "accuracy"'
    >>> for breach in rule_breaches([{"metrik": "accuracy"}], text):
    ...     print(breach[:66])
    line 2, audit.rules 1, metrik: no such key; did you mean metric? a
    line 1, audit.rules 1, metric: required and missing; allowed: one
    line 1, audit.rules 1, comparison: required and missing; allowed:
    line 1, audit.rules 1, limit: required and missing; allowed: a num
    """
    found: list[str] = []
    for number, rule in enumerate(rules, start=1):
        own = list(_own_breaches(rule, number, text))
        if not own:
            try:
                Rule(**rule)
            except ValueError as problem:
                own = [f"{_where(text, number, str(problem).split(':', maxsplit=1)[0])}audit.rules {number}, {problem}"]
        found += own
    return found


def _own_breaches(rule: Mapping[str, Any], number: int, text: str) -> Iterator[str]:
    for key, value in rule.items():
        label = f"{_where(text, number, key)}audit.rules {number}, {key}"
        if key not in _KINDS:
            yield f"{label}: no such key{nearest(key, list(_KINDS))} allowed: {', '.join(_KINDS)}"
            continue
        kind, allowed = _KINDS[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            yield f"{label}: found {value!r}; allowed: {allowed}"
        elif key in {"metric", "against"} and value not in RULE_METRICS:
            yield f"{label}: found {value!r}; allowed: {allowed}{nearest(value, list(RULE_METRICS)).rstrip(';')}"
        elif key == "comparison" and value not in COMPARISONS:
            yield f"{label}: found {value!r}; allowed: {allowed}{nearest(value, list(COMPARISONS)).rstrip(';')}"
    for key in _NEEDED:
        if key not in rule:
            label = f"{_where(text, number, '')}audit.rules {number}, {key}"
            yield f"{label}: required and missing; allowed: {_KINDS[key][1]}"


def _where(text: str, number: int, key: str) -> str:
    """Say on which line a key of the n-th rule stands, or that rule where the key is not written."""
    seen, start = 0, ""
    for line_number, line in enumerate(text.splitlines(), start=1):
        bare = line.strip()
        if bare.replace(" ", "").startswith(_HEADER):
            seen += 1
            if seen == number:
                start = f"line {line_number}, "
        elif bare.startswith("[") and seen == number and start:
            break
        elif seen == number and key and bare.split("=")[0].strip() == key:
            return f"line {line_number}, "
    return start


def rules_of(settings: Mapping[str, Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Return the declared rules of a study.

    Parameters
    ----------
    settings : the checked settings of a study.

    Examples
    --------
    >>> one = {"metric": "accuracy", "comparison": "at_least", "limit": 0.8}
    >>> rules_of({"audit": {"rules": [one]}})[0].confidence
    0.9
    """
    return tuple(Rule(**rule) for rule in settings["audit"]["rules"])
