"""A table as the page draws it: cells of text with a kind, and the same rows as a CSV to save from the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sexstrat.reporting.csv_text import csv_text
from sexstrat.reporting.number_format import count
from sexstrat.reporting.rows import printed
from sexstrat.reporting.texts import STATE_WORDS

__all__ = ["Cell", "Group", "TableView", "count_cell", "estimate_cell", "table_view"]

_WORDS = frozenset(STATE_WORDS.values())
_DIGITS = 10
_PLAIN = ",;:()+=/"  # what may stand as it is in the data of an address


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell: a text, a quieter second line, and its kind.

    Parameters
    ----------
    text : what is read first.
    note : interval or remark under it.
    kind : ``head``, ``text``, ``number`` or ``word`` (a state without a number).

    Examples
    --------
    >>> Cell(text="1.41", note="(1.20 to 1.65)").kind
    'number'
    """

    text: str
    note: str = ""
    kind: str = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows of a table that stand together.

    Parameters
    ----------
    heading : what they have in common; empty for none.
    rows : the rows.
    lead : whether the first row is the one to read first.

    Examples
    --------
    >>> Group(heading="Crude", rows=()).lead
    False
    """

    heading: str
    rows: tuple[tuple[Cell, ...], ...]
    lead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TableView:
    """A table ready for the page.

    Parameters
    ----------
    caption : what the table shows.
    columns : column headings.
    groups : the rows, in groups.
    note : remark under the table.
    file : name of the CSV that can be saved, empty for none.
    csv : the CSV as a ``data:`` address.
    """

    caption: str
    columns: tuple[str, ...]
    groups: tuple[Group, ...]
    note: str = ""
    file: str = ""
    csv: str = ""


def estimate_cell(row: Mapping[str, Any] | None, measure: str, *, dagger: bool = False) -> Cell:
    """Return the cell of an estimate with its interval; ``dagger`` marks a model-based one.

    Examples
    --------
    >>> estimate_cell(
    ...     {"point": 1.41, "low": 1.2, "high": 1.65, "state": "model_based"}, "prevalence_ratio", dagger=True
    ... )
    Cell(text='1.41†', note='(1.20 to 1.65)', kind='number')
    >>> estimate_cell(None, "prevalence").kind
    'word'
    """
    text, note = printed(row, measure)
    if text in _WORDS:
        return Cell(text=text, kind="word")
    mark = "\N{DAGGER}" if dagger and row is not None and row["state"] == "model_based" else ""
    return Cell(text=text + mark, note=note)


def count_cell(row: Mapping[str, Any] | None, name: str) -> Cell:
    """Return the cell of a count: the number, ``suppressed`` where the gate withheld it, else ``missing``.

    Examples
    --------
    >>> count_cell({"n_male": None, "state": "counted", "withheld": "n_male n_female"}, "n_male").text
    'suppressed'
    """
    if row is None:
        return Cell(text=STATE_WORDS["missing"], kind="word")
    withheld = str(row.get("withheld") or "").split()
    state = "suppressed" if name in withheld else str(row.get("state") or "")
    text = count(row[name], state)
    return Cell(text=text, kind="word" if text in _WORDS else "number")


def table_view(
    caption: str, columns: Sequence[str], groups: Sequence[Group], *,
    note: str = "", file: str = "", rows: Sequence[Mapping[str, Any]] = (),
) -> TableView:  # fmt: skip
    """Return a table with its rows as a CSV to save.

    Parameters
    ----------
    caption, columns, groups, note : what is drawn.
    file : file name of the CSV; empty for none.
    rows : the released rows behind the table, written whole, numbers to ten significant digits: the page carries them
        all, and the released tables hold every digit.

    Examples
    --------
    >>> table_view("t", ["a"], [], file="t.csv", rows=[{"a": 1}]).csv
    'data:text/csv;charset=utf-8,a%0A1%0A'
    """
    short = [{name: _short(value) for name, value in row.items()} for row in rows]
    address = "data:text/csv;charset=utf-8," + quote(csv_text(short), safe=_PLAIN) if file and rows else ""
    return TableView(
        caption=caption, columns=tuple(columns), groups=tuple(groups), note=note, file=file, csv=address
    )  # fmt: skip


def _short(value: Any) -> Any:
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
