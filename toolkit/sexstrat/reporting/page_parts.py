"""Take the figures and the tables behind them out of a page, as files of their own."""

from __future__ import annotations

import re
from urllib.parse import unquote

__all__ = ["page_figures", "page_tables"]

_FIGURE = re.compile(r'<svg\b[^>]*aria-labelledby="(?P<name>[^"]+)-title".*?</svg>', re.DOTALL)
_TABLE = re.compile(r'<a class="csv" download="(?P<name>[^"]+)" href="data:text/csv;charset=utf-8,(?P<text>[^"]*)"')


def page_figures(page: str) -> dict[str, str]:
    """Return the figures of a page as SVG files, by name.

    A figure drawn twice, once for narrow screens, is taken once: the broad one.

    Parameters
    ----------
    page : the page as text.

    Examples
    --------
    >>> list(page_figures('<svg aria-labelledby="forest-title" viewBox="0 0 1 1"><title>t</title></svg>'))
    ['forest']
    """
    found: dict[str, str] = {}
    for match in _FIGURE.finditer(page):
        if not match["name"].endswith("-narrow"):
            found.setdefault(match["name"], f'<?xml version="1.0" encoding="UTF-8"?>\n{match[0]}\n')
    return found


def page_tables(page: str) -> dict[str, str]:
    r"""Return the tables that a page offers as CSV, by file name.

    Parameters
    ----------
    page : the page as text.

    Examples
    --------
    >>> page_tables('<a class="csv" download="f.csv" href="data:text/csv;charset=utf-8,a%2Cb%0A1%2C2%0A">')
    {'f.csv': 'a,b\n1,2\n'}
    """
    return {match["name"]: unquote(match["text"]) for match in _TABLE.finditer(page)}
