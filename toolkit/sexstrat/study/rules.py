"""The rules of an audit that a study or a file of rules declares: read, checked with line and key, and told."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sexstrat.audit.gaps.rules import COMPARISONS, RULE_METRICS, Rule
from sexstrat.errors import StudyError
from sexstrat.study.places import nearest

__all__ = ["read_rules", "rule_breaches", "rule_outcomes", "rules_of"]

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


def read_rules(path: str | Path) -> tuple[Rule, ...]:
    r"""Return the rules of a TOML file, written as a study writes them: a study file is one, whatever else it holds.

    Parameters
    ----------
    path : a file with ``[[audit.rules]]`` tables.

    Raises
    ------
    StudyError : the file cannot be read, holds no rule, or rules are wrong; all that is wrong at once.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "rules.toml"
    ...     _ = path.write_text('[[audit.rules]]\nmetric = "accuracy"\ncomparison = "at_least"\nlimit = 0.9')
    ...     print(read_rules(path)[0].sentence)
    accuracy is at least 0.9 (90 % confidence)
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
        audit = tomllib.loads(text).get("audit")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as err:
        raise StudyError(f"rules cannot be read: {file}: {err}") from err
    rules = audit.get("rules") if isinstance(audit, dict) else None
    if not isinstance(rules, list) or not rules or not all(isinstance(rule, dict) for rule in rules):
        raise StudyError(f"{file.name}: no rule is in it; allowed: tables {_HEADER} with {', '.join(_NEEDED)}")
    breaches = rule_breaches(rules, text)
    if breaches:
        noun = "problem" if len(breaches) == 1 else "problems"
        raise StudyError("\n  ".join([f"{file.name}: {len(breaches)} {noun}", *breaches]))
    return tuple(Rule(**rule) for rule in rules)


def rule_outcomes(rows: Iterable[Mapping[str, Any]]) -> tuple[dict[str, str], ...]:
    """Return each released rule in words with its outcome; ``suppressed`` where too few patients stand behind it.

    Parameters
    ----------
    rows : released rows of the ``audit_rule`` contract, empty cells None.

    Examples
    --------
    >>> row = {"rule": "accuracy is at least 0.9", "outcome": None, "state": "suppressed", "note": None}
    >>> rule_outcomes([row])
    ({'rule': 'accuracy is at least 0.9', 'outcome': 'suppressed', 'note': ''},)
    """
    return tuple(
        {"rule": str(row["rule"]), "outcome": str(row["outcome"] or row["state"]), "note": str(row["note"] or "")}
        for row in rows
    )
