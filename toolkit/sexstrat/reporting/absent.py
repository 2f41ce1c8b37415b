"""Name what a figure cannot draw, and why, in one short line."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["absent_words"]


def absent_words(entries: Iterable[tuple[str, str, str]]) -> str:
    """Join what has no number by who it is about and why.

    Parameters
    ----------
    entries : who (may be empty), which band, and the word that stands there instead of a number.

    Examples
    --------
    >>> absent_words([("men", "20–29", "suppressed"), ("men", "80+", "suppressed"), ("women", "20–29", "missing")])
    'men 20–29, 80+ (suppressed); women 20–29 (missing)'
    """
    grouped: dict[tuple[str, str], list[str]] = {}
    for who, band, word in entries:
        grouped.setdefault((who, word), []).append(band)
    return "; ".join(f"{who} {', '.join(bands)} ({word})".strip() for (who, word), bands in grouped.items())
