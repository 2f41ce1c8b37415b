"""The ways of scoring that a caller may choose, checked before a photograph is touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sexstrat.errors import StudyError
from sexstrat.images import DECODES
from sexstrat.models import PRECISIONS, RUNTIMES, VIEWS, LoadedModel
from sexstrat.scores.shards import Shard
from sexstrat.scores.table import table_suffix
from sexstrat.scores.urls import without_file_scheme

__all__ = ["ENGINES", "Meter", "Models", "Progress", "Scoring"]

ENGINES = ("local", "dask")

Progress = Callable[[str], None]
"""Told from time to time, in a line for people, how far a run is."""

Meter = Callable[[int, int, int], None]
"""Told after every batch how many rows are done, how many there are, and how many of them were scored before."""

Models = str | Path | LoadedModel | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """How images are to be scored; see :func:`sexstrat.scores.score_images` for each field.

    Examples
    --------
    >>> Scoring(batch_size=0)
    Traceback (most recent call last):
    sexstrat.errors.StudyError: batch_size must be at least 1; found 0
    """

    models: tuple[Models, ...] = (None,)
    out: str | None = None
    root: str | None = None
    batch_size: int = 32
    decode: str = "safe"
    precision: str = "float32"
    runtime: str | None = None
    views: str | None = None
    keep_members: bool = False
    engine: str = "local"
    scheduler: str | None = None
    workers: int = 2
    shard: Shard | None = None
    hash_ids: str | None = None
    trust: bool = False
    progress: Progress | None = None
    meter: Meter | None = None

    def __post_init__(self) -> None:
        for name, least in (("batch_size", self.batch_size), ("workers", self.workers), ("models", len(self.models))):
            if least < 1:
                raise StudyError(f"{name} must be at least 1; found {least}")
        for name, value, allowed in (
            ("decode", self.decode, tuple(DECODES)),
            ("precision", self.precision, tuple(PRECISIONS)),
            ("runtime", self.runtime or "keras", tuple(RUNTIMES)),
            ("views", self.views or VIEWS[0], VIEWS),
            ("engine", self.engine, ENGINES),
        ):
            if value not in allowed:
                raise StudyError(f"unknown {name} {value!r}; allowed: {', '.join(allowed)}")
        if self.scheduler is not None and self.engine != "dask":
            raise StudyError("a scheduler's address needs the engine dask; say --engine dask as well")
        if self.out is not None:
            table_suffix(self.out)
        elif self.shard is not None or self.keep_members:
            raise StudyError("a shard, and the scores of members, need a table to be written: give out")
        if self.shard is not None and table_suffix(str(self.out)) != ".parquet":
            raise StudyError(f"{self.out}: shards are written as .parquet; joining them may write .csv")

    @property
    def table(self) -> str | None:
        """Where the table is written: ``out``, or beside it for a shard."""
        if self.out is None:
            return None
        place = without_file_scheme(self.out)
        return place if self.shard is None else self.shard.table(place)
