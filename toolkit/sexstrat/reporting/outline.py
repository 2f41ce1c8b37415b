"""Turn nested plain values (a model card, provenance, settings) into something a page can print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from sexstrat.reporting.number_format import is_number
from sexstrat.reporting.texts import sentence_case

__all__ = ["Node", "outline", "printed_value"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One printed value with its name.

    Parameters
    ----------
    label : its name in words.
    text : the value, when it is one text.
    items : texts of a list.
    columns, rows : a table.
    children : values inside it.
    verbatim : whether the label is a name rather than words, and stays as it is in every language.
    """

    label: str
    text: str = ""
    items: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    children: tuple[Node, ...] = ()
    verbatim: bool = False


def outline(values: Mapping[str, Any]) -> tuple[Node, ...]:
    """Return the printable form of a nested mapping; empty values are left out.

    Parameters
    ----------
    values : texts, numbers, booleans, paths, sequences and mappings of them.

    Examples
    --------
    >>> [(node.label, node.text) for node in outline({"run_id": "a1", "seed": 7, "nothing": None})]
    [('Run ID', 'a1'), ('Seed', '7')]
    >>> outline({"by_sex": [{"sex": "male", "auc": 0.71}]})[0].rows
    (('male', '0.71'),)
    """
    return _nodes(values, verbatim=False)


_SPELLED = {
    "auc": "AUC",
    "sha256": "SHA-256",
    "id": "ID",
    "url": "address",
    "n": "number of",
    "e1": "E1",
    "e2": "E2",
    "se": "SE",
}
_NAMES = frozenset({"versions", "digests", "inputs", "outputs", "files"})  # their keys are names, not words


def _nodes(values: Mapping[str, Any], *, verbatim: bool) -> tuple[Node, ...]:
    return tuple(
        _node(
            str(key) if verbatim else _label(str(key)),
            value,
            verbatim=not _NAMES.isdisjoint(str(key).lower().split("_")),
            named=verbatim or _is_name(str(key)),
        )
        for key, value in values.items()
        if not _is_empty(value)
    )


def _label(key: str) -> str:
    """Print a key in words; a file name or a version stays as it is."""
    if _is_name(key):
        return key
    words = [_SPELLED.get(word.lower(), word) for word in (sentence_case(key) or "General").split(" ")]
    return words[0][:1].upper() + words[0][1:] + "".join(f" {word}" for word in words[1:])


def _is_name(key: str) -> bool:
    return any(mark in key for mark in "./-") or key.isupper()


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, (str, Mapping, Sequence)) and len(value) == 0)


def _node(label: str, value: Any, *, verbatim: bool = False, named: bool = False) -> Node:
    return replace(_unnamed(label, value, verbatim=verbatim), verbatim=named)


def _unnamed(label: str, value: Any, *, verbatim: bool) -> Node:
    if isinstance(value, Mapping):
        inside = [child for child in value.values() if not _is_empty(child)]
        if len(inside) > 1 and all(isinstance(child, Mapping) and _is_flat(child) for child in inside):
            heads = [str(key) if verbatim else _label(str(key)) for key in value]
            return _table(
                label, [{"": head, **child} for head, child in zip(heads, value.values(), strict=True) if child]
            )
        return Node(label=label, children=_nodes(value, verbatim=verbatim))
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        if all(isinstance(item, Mapping) and _is_flat(item) for item in value):
            return _table(label, value)
        if all(not isinstance(item, (Mapping, list, tuple)) for item in value):
            texts = tuple(printed_value(item) for item in value)
            short = sum(map(len, texts)) < 80
            return Node(label=label, text=", ".join(texts)) if short else Node(label=label, items=texts)
        return Node(label=label, children=tuple(_node(str(i), item) for i, item in enumerate(value, start=1)))
    name = label.lower()
    plain = isinstance(value, int) and not isinstance(value, bool) and ("seed" in name or "year" in name)
    return Node(label=label, text=str(value) if plain else printed_value(value))


def _is_flat(value: Mapping[str, Any]) -> bool:
    return not any(isinstance(item, (Mapping, list, tuple)) for item in value.values())


def _table(label: str, rows: Sequence[Mapping[str, Any]]) -> Node:
    names = list(dict.fromkeys(str(name) for row in rows for name in row))
    columns = [_column([row.get(name) for row in rows]) for name in names]
    heads = tuple(_label(name) if name else "" for name in names)
    return Node(label=label, columns=heads, rows=tuple(zip(*columns, strict=True)))


def _column(values: Sequence[Any]) -> list[str]:
    """Print the cells of a column, floats with equally many decimals."""
    texts = [printed_value(value) for value in values]
    floats = [text for value, text in zip(values, texts, strict=True) if isinstance(value, float)]
    decimals = max((len(text.partition(".")[2]) for text in floats if "e" not in text), default=0)
    same = bool(floats) and not any("e" in text or text == "missing" for text in floats)
    return [f"{v:.{decimals}f}" if same and isinstance(v, float) else t for v, t in zip(values, texts, strict=True)]


def printed_value(value: Any) -> str:
    """Print one plain value: a path as its file name only, a float to four digits, a flag as yes or no.

    Examples
    --------
    >>> printed_value(True), printed_value(0.671234), printed_value(20000), printed_value(PurePath("a/b.csv"))
    ('yes', '0.6712', '20,000', 'b.csv')
    """
    if value is None:
        return "\N{EM DASH}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, PurePath):
        return value.name
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}" if is_number(value) else "missing"
    return str(value)
