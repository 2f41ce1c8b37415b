"""A model card as text on a terminal: the same parts, words and numbers as on the page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sexstrat.cli.terminal import print_line, print_table

if TYPE_CHECKING:
    from sexstrat.reporting.outline import Node
    from sexstrat.reporting.table_view import Cell, TableView

__all__ = ["print_card"]

WIDTH = 80
HEAD_WIDTH = 17  # of the headings of a table
LABEL_WIDTH = 20  # of the first column of the table of performance


def print_card(card: Mapping[str, Any]) -> None:
    """Print a model card: what it says of itself, its performance, the rest.

    Parameters
    ----------
    card : the card as plain values.

    Examples
    --------
    >>> print_card({"model_id": "m1", "title": "A model", "training_ages": [15, 91]})
    A model
    <BLANKLINE>
    Model ID: m1
    Training ages: 15 to 91
    """
    from sexstrat.reporting.model_view import model_view
    from sexstrat.reporting.outline import outline

    view = model_view(card, {})
    if view is None:
        return
    for text in (view.title, view.statement):
        if text:
            _print_text(text)
            print_line()
    if view.performance is not None:
        _print_performance(view.performance)
    _print_nodes(view.card)
    _print_nodes(outline({"cite": card.get("citation"), "acknowledgement": card.get("acknowledgement")}))
    _print_nodes(view.technical)


def _print_performance(table: TableView) -> None:
    columns = [textwrap.fill(name, HEAD_WIDTH) for name in table.columns]
    for group in table.groups:
        _print_text(group.heading)
        rows = [[_fold(line[0]), *(_stacked(cell) for cell in line[1:])] for line in group.rows]
        print_table(columns, rows)
        print_line()


def _fold(cell: Cell) -> str:
    return textwrap.fill(cell.text, LABEL_WIDTH, subsequent_indent="  ")


def _stacked(cell: Cell) -> str:
    return f"{cell.text}\n{cell.note}" if cell.note else cell.text


def _print_nodes(nodes: Iterable[Node], indent: str = "") -> None:
    for node in nodes:
        if node.text:
            _print_text(f"{node.label}: {node.text}", indent)
            continue
        _print_text(f"{node.label}:", indent)
        inside = indent + "  "
        for item in node.items:
            _print_text(f"- {item}", inside)
        if node.columns:
            columns = [textwrap.fill(name, HEAD_WIDTH) for name in (inside + node.columns[0], *node.columns[1:])]
            print_table(columns, [[inside + row[0], *row[1:]] for row in node.rows])
        _print_nodes(node.children, inside)


def _print_text(text: str, indent: str = "") -> None:
    print_line(textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  " * bool(indent)))
