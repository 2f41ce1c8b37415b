"""A number and its noun, as a sentence has them."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, noun: str) -> str:
    """Return a count with its noun in the right number.

    Parameters
    ----------
    number : how many.
    noun : the noun in the singular; its plural ends in s.

    Examples
    --------
    >>> counted(1, "condition"), counted(20_000, "patient"), counted(0, "warning")
    ('1 condition', '20,000 patients', '0 warnings')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
