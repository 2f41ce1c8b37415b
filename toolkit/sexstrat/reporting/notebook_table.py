"""Write the tables of a result as HTML that stands alone in a notebook: no style sheet, no script, no address."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from sexstrat.reporting.notebook_view import NotebookView
from sexstrat.reporting.table_view import Cell, TableView

__all__ = ["UNRELEASED", "notebook_html"]

UNRELEASED = (
    "Not yet through disclosure control: these numbers may concern few people and stay where the data are kept."
)


def notebook_html(view: NotebookView) -> str:
    """Return a view as HTML, every text escaped.

    Parameters
    ----------
    view : what is shown.

    Examples
    --------
    >>> html = notebook_html(NotebookView(tables=(), sentences=("A < B",), assumptions=("Something.",)))
    >>> "<p>A &lt; B</p>" in html, "<li>Something.</li>" in html, UNRELEASED in html
    (True, True, True)
    """
    parts = [f"<p>{escape(text)}</p>" for text in view.sentences]
    parts += [_table(table) for table in view.tables]
    parts += [_list("What these numbers assume", view.assumptions), _list("To know of these data", view.warnings)]
    figures = ", ".join(map(repr, view.figures))
    parts += [f"<p>Figures, by <code>.plot(name)</code>: {escape(figures)}.</p>" if figures else ""]
    return "\n".join([part for part in parts if part] + [f"<p><small>{escape(UNRELEASED)}</small></p>"])


def _table(view: TableView) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' if name else "<td></td>" for name in view.columns)
    bodies = []
    for group in view.groups:
        wide = f'<tr><th scope="rowgroup" colspan="{len(view.columns)}">{escape(group.heading)}</th></tr>'
        rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>\n" for row in group.rows)
        bodies.append(f"<tbody>{wide if group.heading else ''}{rows}</tbody>")
    note = f"<p><small>{escape(view.note)}</small></p>" if view.note else ""
    caption = f"<caption>{escape(view.caption)}</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead>\n{''.join(bodies)}</table>{note}"


def _cell(cell: Cell) -> str:
    text = escape(f"{cell.text} {cell.note}".strip())
    if cell.kind == "head":
        return f'<th scope="row">{text}</th>'
    return f"<td><em>{text}</em></td>" if cell.kind == "word" else f"<td>{text}</td>"


def _list(heading: str, lines: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<p>{escape(heading)}:</p><ul>{items}</ul>" if items else ""
