"""A paragraph of the methods."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Paragraph"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph of the methods.

    Parameters
    ----------
    heading : what it is about.
    text : the sentences.
    works : keys of the works it rests on.
    points : a list under it.
    """

    heading: str
    text: str
    works: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
