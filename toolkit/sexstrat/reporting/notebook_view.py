"""What a notebook shows of a result: tables, sentences and figures by name; one function a kind of result makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import singledispatch

from sexstrat.errors import EstimationError
from sexstrat.reporting.figures import Drawn
from sexstrat.reporting.table_view import TableView

__all__ = ["NotebookView", "view_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookView:
    """What is shown of one result.

    Parameters
    ----------
    tables : its numbers, each with its people and its state.
    sentences : what it is and why, read first; empty where the tables say it.
    assumptions, warnings : what every number assumes, and what to know of these data.
    figures : its figures by name, the first one shown first; each drawn when asked for.
    titled : the figures hold their titles already.
    why : why there may be no number to draw; empty where nothing was refused.

    Examples
    --------
    >>> NotebookView(tables=()).figures
    {}
    """

    tables: tuple[TableView, ...]
    sentences: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    figures: Mapping[str, Callable[[], Drawn | None]] = field(default_factory=dict)
    titled: bool = False
    why: str = ""


@singledispatch
def view_of(result: object) -> NotebookView:
    """Return what a notebook shows of a result; a kind of result that can be shown registers itself here.

    Parameters
    ----------
    result : a result of the estimates, the audit, the training or a study.

    Raises
    ------
    EstimationError : this kind of object is not shown.

    Examples
    --------
    >>> view_of(3)
    Traceback (most recent call last):
    sexstrat.errors.EstimationError: a result can be shown, such as a Composition or an AuditResult; found int
    """
    raise EstimationError(
        f"a result can be shown, such as a Composition or an AuditResult; found {type(result).__name__}"
    )
