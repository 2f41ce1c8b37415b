"""Say where in a study file something stands, and which known word a wrong one is nearest to."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["line_of", "nearest"]


def line_of(text: str, section: str, key: str | None = None) -> str:
    r"""Say on which line of a study file a section or key stands.

    Parameters
    ----------
    text : the study file.
    section : name of the section, "" before the first.
    key : key of the section; None asks for the section itself.

    Returns
    -------
    For instance ``"line 4, "``; the section's line where the key is not written, "" where neither is.

    Examples
    --------
    >>> line_of("a = 1\n[b]\nc = 2", "b", "c"), line_of("a = 1", "", "z")
    ('line 3, ', '')
    """
    inside = section == ""
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.strip()
        if bare.startswith("["):
            inside = bare.strip("[] ").split(".")[0] == section
            if inside and key is None:
                return f"line {number}, "
        elif inside and key is not None and bare.split("=")[0].strip().strip("\"'").split(".")[0] == key:
            return f"line {number}, "
    return line_of(text, section) if key is not None and section else ""


def nearest(word: object, known: Iterable[str]) -> str:
    """Return ``"; did you mean ...?"`` for the known word nearest to a wrong one, ``";"`` when none is near.

    Examples
    --------
    >>> nearest("persn", ["persons", "scores"]), nearest("x", ["persons"])
    ('; did you mean persons?', ';')
    """
    close = get_close_matches(str(word), list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ";"
