"""Compare what two runs released: which numbers changed, and what can have changed them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sexstrat.errors import StudyError
from sexstrat.study.manifest import MANIFEST, read_results
from sexstrat.values.tables import table_schema

__all__ = ["Change", "RunDifference", "diff_runs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs between two runs.

    Parameters
    ----------
    where : a table, or one of settings, inputs, versions, code, model.
    what : the row or key.
    before, after : its values as text; "absent" where a run does not have it.

    Examples
    --------
    >>> Change(where="settings", what="analysis.level", before="0.95", after="0.9").where
    'settings'
    """

    where: str
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDifference:
    """Differences between two runs.

    Parameters
    ----------
    causes : settings, inputs, versions, code and model that differ.
    results : released numbers that differ.
    """

    causes: tuple[Change, ...]
    results: tuple[Change, ...]

    def summary(self) -> str:
        """Say in a sentence what changed and why.

        Examples
        --------
        >>> RunDifference(causes=(), results=()).summary()
        'Same inputs, settings and versions; every released number is the same.'
        """
        kinds = list(dict.fromkeys(change.where for change in self.causes))
        why = f"Changed: {', '.join(kinds)}" if kinds else "Same inputs, settings and versions"
        if not self.results:
            return f"{why}; every released number is the same."
        count = f"{len(self.results):,} released row{'s differ' if len(self.results) > 1 else ' differs'}"
        if not kinds:
            return f"{why}, and yet {count}: one of the folders was altered, or a run is not deterministic."
        return f"{why}; {count}."

    def document(self) -> dict[str, Any]:
        """Return the differences as plain values for ``--json``."""
        return {
            "summary": self.summary(),
            "causes": [_plain(change) for change in self.causes],
            "results": [_plain(change) for change in self.results],
        }


def diff_runs(before: str | Path, after: str | Path) -> RunDifference:
    """Compare two run folders by what they released.

    Rows are matched by the key of their contract; a row differs when its state or any number of it does. Causes are
    told from the settings, the digests of the inputs, the versions, the code and the model that each run states.

    Parameters
    ----------
    before, after : run folders, or copies of what they released.

    Returns
    -------
    Causes and results that differ.

    Raises
    ------
    StudyError : a folder holds no released results, or those of a run that did not end.
    """
    old, new = _ended(before), _ended(after)
    causes: list[Change] = []
    for where, pick in (("settings", _settings), ("inputs", _inputs), ("versions", _versions)):
        causes += _changes(where, pick(old), pick(new))
    for where, key in (("code", "code_sha256"), ("model", "model_id")):
        causes += _changes(where, {key: old["provenance"].get(key)}, {key: new["provenance"].get(key)})
    results: list[Change] = []
    for table in dict.fromkeys([*old["tables"], *new["tables"]]):
        results += _row_changes(table, _rows(old, table), _rows(new, table))
    return RunDifference(causes=tuple(causes), results=tuple(results))


def _ended(folder: str | Path) -> dict[str, Any]:
    """Return the results of a run that ended: its seal is there, which ``verify`` checks."""
    document = read_results(folder)
    if not (Path(folder) / MANIFEST).is_file():
        raise StudyError(f"{folder}: no {MANIFEST}: its run did not end; run the study again, then compare")
    return document


def _settings(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by section and key, and the disclosure profile that was used."""
    flat: dict[str, Any] = {}
    for section, keys in document.get("settings", {}).items():
        values = keys.items() if isinstance(keys, Mapping) else [("", keys)]
        flat |= {f"{section}.{key}".strip("."): value for key, value in values}
    return flat


def _inputs(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(digest)[:12] for name, digest in document["provenance"].get("inputs_sha256", {}).items()}


def _versions(document: Mapping[str, Any]) -> dict[str, Any]:
    return dict(document["provenance"].get("versions", {}))


def _rows(document: Mapping[str, Any], table: str) -> dict[str, Mapping[str, Any]]:
    """Return the rows of a table by the text of their key."""
    held = document["tables"].get(table)
    if held is None:
        return {}
    keys = table_schema(held["contract"]).primary_key
    found: dict[str, Mapping[str, Any]] = {}
    for row in held["rows"]:
        name = ", ".join(str(row[key]) for key in keys if row.get(key) is not None) or "all"
        unique, number = name, 1
        while unique in found:  # a suppressed key leaves rows alike: they are taken in their order
            number += 1
            unique = f"{name} ({number})"
        found[unique] = {key: value for key, value in row.items() if key not in keys}
    return found


def _row_changes(
    table: str, before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> list[Change]:
    """Return the rows that differ, with the columns that do."""
    changes = []
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if old is None or new is None:
            texts = ["absent" if row is None else _row_text(row, list(row)) for row in (old, new)]
        else:
            differing = [key for key in dict.fromkeys([*old, *new]) if old.get(key) != new.get(key)]
            texts = [_row_text(row, differing) for row in (old, new)]
        changes.append(Change(where=table, what=name, before=texts[0], after=texts[1]))
    return changes


def _row_text(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    return ", ".join(f"{name} {_text(row[name])}" for name in columns if row.get(name) is not None) or "nothing"


def _text(value: Any) -> str:
    return f"{value:.8g}" if isinstance(value, float) else str(value)


def _changes(where: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    names = dict.fromkeys([*before, *after])
    return [
        Change(where=where, what=name, before=_shown(before, name), after=_shown(after, name))
        for name in names
        if name not in before or name not in after or before[name] != after[name]
    ]


def _shown(values: Mapping[str, Any], name: str) -> str:
    return "absent" if name not in values else _text(values[name])


def _plain(change: Change) -> dict[str, str]:
    return {"where": change.where, "what": change.what, "before": change.before, "after": change.after}
