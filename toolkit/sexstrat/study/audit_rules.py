"""Rules of an audit declared in a file, and what may be told of their outcome."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sexstrat.audit.gaps.rules import Rule
from sexstrat.disclosure.profiles import Profile
from sexstrat.errors import StudyError

__all__ = ["read_rules", "released_outcomes"]

_KEYS = tuple(Rule.__dataclass_fields__)
_TEXTS = ("metric", "comparison", "against", "group", "level_name", "reference", "name")
_WHOLE = ("age_from", "age_before")


def read_rules(path: Path) -> tuple[Rule, ...]:
    r"""Read declared rules from a TOML file, each a ``[[rule]]`` table with the fields of :class:`Rule`.

    Parameters
    ----------
    path : the file.

    Raises
    ------
    StudyError : the file cannot be read, holds no rule, or a rule cannot be; every problem is listed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "rules.toml"
    ...     _ = path.write_text('[[rule]]\nmetric = "accuracy"\ncomparison = "at_least"\nlimit = 0.9')
    ...     print(read_rules(path)[0].sentence)
    accuracy is at least 0.9 (90 % confidence)
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as err:
        raise StudyError(f"rules cannot be read: {path}: {err}") from err
    tables = raw.get("rule")
    if not isinstance(tables, list) or not tables or set(raw) != {"rule"}:
        raise StudyError(f"{path}: rules are [[rule]] tables and nothing else; found {', '.join(raw) or 'nothing'}")
    rules, problems = [], []
    for number, table in enumerate(tables, start=1):
        wrong = _problems(table)
        if wrong:
            problems += [f"rule {number}: {one}" for one in wrong]
            continue
        try:
            rules.append(Rule(**table))
        except ValueError as err:
            problems.append(f"rule {number}: {err}")
    if problems:
        raise StudyError("\n  ".join([f"{path}: {len(problems)} problems", *problems]))
    return tuple(rules)


def _problems(table: Mapping[str, Any]) -> list[str]:
    found = [f"unknown key {key!r}; allowed: {', '.join(_KEYS)}" for key in table if key not in _KEYS]
    found += [f"{key} is missing" for key in ("metric", "comparison", "limit") if key not in table]
    for key, value in table.items():
        kind: tuple[type, ...] = (str,) if key in _TEXTS else (int,) if key in _WHOLE else (int, float)
        if key in _KEYS and (not isinstance(value, kind) or isinstance(value, bool)):
            found.append(f"{key}: found {value!r}; allowed: {'text' if key in _TEXTS else 'a number'}")
    return found


def released_outcomes(rules: pd.DataFrame, profile: Profile) -> tuple[Mapping[str, Any], ...]:
    """Return the outcome of each rule without its numbers; of one about too few patients, that it is suppressed.

    Parameters
    ----------
    rules : rows of the ``audit_rule`` contract.
    profile : the rule for small counts.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> row = {"number": 1, "rule": "accuracy is at least 0.9", "outcome": "pass", "note": ""}
    >>> row |= {"n_patients": 3, "n_patients_reference": None}
    >>> released_outcomes(pd.DataFrame([row]), PROFILES["uk-5"])[0]["outcome"]
    'suppressed'
    """
    if rules.empty:
        return ()
    few = np.zeros(len(rules), dtype=bool)
    for name in ("n_patients", "n_patients_reference"):
        few |= profile.hides(rules[name].astype("float64").to_numpy())
    return tuple(
        {
            "number": int(row["number"]),
            "rule": str(row["rule"]),
            "outcome": "suppressed" if hidden else str(row["outcome"]),
            "note": "too few patients for an outcome to be told" if hidden else str(row["note"]),
        }
        for row, hidden in zip(rules.to_dict("records"), few, strict=True)
    )
