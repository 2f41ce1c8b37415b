"""How much memory the databases of a command may use, what to say when it is too little, and how far they are."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import duckdb

from sexstrat.errors import StudyError

__all__ = ["enough_memory", "memory_limited", "named_memory", "steps_told"]

SIZE = re.compile(r"[0-9]+([.][0-9]+)? ?([KMGT]i?B)")
SILENCE = 3.0  # seconds between two lines about progress
_limit: ContextVar[str | None] = ContextVar("memory limit of the databases", default=None)


def named_memory(limit: str | None) -> str | None:
    """Return a limit as the database understands it: the one given, else the one that :func:`memory_limited` set.

    Parameters
    ----------
    limit : a size such as ``"4GB"`` or ``"512MiB"``, or None.

    Raises
    ------
    StudyError : this is no size.

    Examples
    --------
    >>> named_memory("4GB")
    '4GB'
    >>> named_memory("much")
    Traceback (most recent call last):
    sexstrat.errors.StudyError: memory: 'much' is no size; allowed: a number with its unit, such as 4GB or 512MB
    """
    chosen = limit if limit is not None else _limit.get()
    if chosen is not None and not SIZE.fullmatch(chosen):
        raise StudyError(f"memory: {chosen!r} is no size; allowed: a number with its unit, such as 4GB or 512MB")
    return chosen


@contextmanager
def memory_limited(limit: str | None) -> Iterator[None]:
    """Limit the memory of every database that is opened in the block and names no limit of its own.

    Parameters
    ----------
    limit : as in :func:`named_memory`; None limits nothing.

    Examples
    --------
    >>> with memory_limited("2GB"):
    ...     named_memory(None)
    '2GB'
    """
    named_memory(limit)
    token = _limit.set(limit)
    try:
        yield
    finally:
        _limit.reset(token)


@contextmanager
def enough_memory() -> Iterator[None]:
    """Say what to do when the work of the block does not fit into the memory it may use.

    Raises
    ------
    StudyError : the memory is too little, or the disk for what does not fit is full.

    Examples
    --------
    >>> with enough_memory():
    ...     raise duckdb.OutOfMemoryException("could not allocate block")
    Traceback (most recent call last):
    sexstrat.errors.StudyError: the database has too little memory: could not allocate block. Give it more, such as
    --memory 8GB, or room on the disk of the run folder, where it puts aside what does not fit
    """
    try:
        yield
    except duckdb.OutOfMemoryException as err:
        first = str(err).splitlines()[0].rstrip(".")
        raise StudyError(
            f"the database has too little memory: {first}. Give it more, such as --memory 8GB, or room on the disk of "
            "the run folder, where it puts aside what does not fit"
        ) from err


def steps_told(tell: Callable[[str], None] | None) -> Callable[[str], None]:
    """Return a function that tells of steps, but only after some seconds without a word: short work stays silent.

    Parameters
    ----------
    tell : called with one line; None tells nothing.

    Examples
    --------
    >>> steps_told(print)("writing patients")
    """
    last = [time.monotonic()]

    def step(text: str) -> None:
        now = time.monotonic()
        if tell is not None and now - last[0] >= SILENCE:
            last[0] = now
            tell(text)

    return step
