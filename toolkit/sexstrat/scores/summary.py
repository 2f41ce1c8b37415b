"""Count what became of the listed images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sexstrat.values.tables import table_schema

__all__ = ["ScoreSummary", "StatusCount"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSummary:
    """How many images were listed and what became of them.

    Parameters
    ----------
    n_images : images listed.
    by_status : status to number of images, in the contract's order; statuses that occur only.
    n_patients : persons named in the list; None when it names none.
    n_reused : images whose rows an earlier run had made.
    seconds : how long the run took, loading of the model included; None when it was not timed.
    by_eye_source : where the eye comes from (list, dicom, inferred, none) to number of images.
    by_eye_disagreement : what speaks for the other eye than the one stated to number of images.
    """

    n_images: int
    by_status: Mapping[str, int]
    n_patients: int | None
    n_reused: int = 0
    seconds: float | None = None
    by_eye_source: Mapping[str, int] = field(default_factory=dict)
    by_eye_disagreement: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, scores: pd.DataFrame) -> ScoreSummary:
        """Count the rows of a score table.

        Parameters
        ----------
        scores : rows of the score contract.

        Examples
        --------
        >>> rows = pd.DataFrame({"status": ["ok", "unreadable", "ok"], "patient_id": ["a", "a", None]})
        >>> print(ScoreSummary.of(rows))
        3 images of 1 patient: 2 scored, 1 without a score (1 unreadable)
        """
        count = StatusCount()
        for _ in count.noting([scores]):
            pass
        return cls(
            n_images=count.n_images,
            by_status=count.by_status,
            n_patients=count.n_patients,
            by_eye_source=count.by_eye_source,
            by_eye_disagreement=count.by_eye_disagreement,
        )

    @property
    def n_ok(self) -> int:
        """Number of images with a score."""
        return self.by_status.get("ok", 0)

    @property
    def images_per_second(self) -> float | None:
        """Images scored anew a second; None when none was, or when the run was not timed."""
        new = self.n_images - self.n_reused
        return new / self.seconds if self.seconds and new else None

    def to_document(self) -> dict[str, Any]:
        """Return the counts as the JSON document of a run.

        Examples
        --------
        >>> summary = ScoreSummary(n_images=4, by_status={"ok": 3, "ungradable": 1}, n_patients=None, seconds=2.0)
        >>> document = summary.to_document()
        >>> document["scored"], document["refused"], document["ungradable"], document["images_per_second"]
        (3, {}, 1, 2.0)
        """
        apart = ("ok", "ungradable")
        return {
            "listed": self.n_images,
            "patients": self.n_patients,
            "scored": self.n_ok,
            "refused": {status: n for status, n in self.by_status.items() if status not in apart},
            "ungradable": self.by_status.get("ungradable", 0),
            "eyes": dict(self.by_eye_source),
            "eye_disagreements": dict(self.by_eye_disagreement),
            "reused": self.n_reused,
            "seconds": None if self.seconds is None else round(self.seconds, 3),
            "images_per_second": None if self.images_per_second is None else round(self.images_per_second, 2),
        }

    def __str__(self) -> str:
        text = _counted(self.n_images, "image")
        if self.n_patients is not None:
            text += f" of {_counted(self.n_patients, 'patient')}"
        text += f": {self.n_ok:,} scored"
        lost = [f"{n:,} {status.replace('_', ' ')}" for status, n in self.by_status.items() if status != "ok"]
        if lost:
            text += f", {self.n_images - self.n_ok:,} without a score ({', '.join(lost)})"
        if inferred := self.by_eye_source.get("inferred", 0):
            text += f"; the eye of {_counted(inferred, 'image')} is inferred from the side of the optic disc"
        for against, n in self.by_eye_disagreement.items():
            text += f"; {_counted(n, 'image')} disagree with the stated eye ({against})"
        return text


class StatusCount:
    """Count rows as they pass.

    Examples
    --------
    >>> count = StatusCount()
    >>> _ = list(count.noting([pd.DataFrame({"status": ["ok"], "patient_id": ["a"]})] * 2))
    >>> count.n_images, count.by_status, count.n_patients
    (2, {'ok': 2}, 1)
    """

    def __init__(self) -> None:
        self._statuses: Counter[str] = Counter()
        self._patients: set[str] = set()
        self._eyes: Counter[str] = Counter()
        self._against: Counter[str] = Counter()

    def noting(self, frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """Give the same frames on, and count their rows."""
        for frame in frames:
            self._statuses.update(frame["status"])
            self._patients.update(frame["patient_id"].dropna())
            for column, counter in (("eye_source", self._eyes), ("eye_disagreement", self._against)):
                if column in frame:
                    counter.update(frame[column].dropna())
            yield frame

    @property
    def n_images(self) -> int:
        """Rows that passed."""
        return self._statuses.total()

    @property
    def by_status(self) -> dict[str, int]:
        """Status to number of rows, in the contract's order; statuses that occur only."""
        return _in_order(self._statuses, "status")

    @property
    def by_eye_source(self) -> dict[str, int]:
        """Source of the eye to number of rows, in the contract's order; sources that occur only."""
        return _in_order(self._eyes, "eye_source")

    @property
    def by_eye_disagreement(self) -> dict[str, int]:
        """What speaks for the other eye to number of rows, in the contract's order."""
        return _in_order(self._against, "eye_disagreement")

    @property
    def n_patients(self) -> int | None:
        """Persons named; None when no row names one."""
        return len(self._patients) or None


def _in_order(counter: Counter[str], column: str) -> dict[str, int]:
    return {value: counter[value] for value in table_schema("score").column(column).enum if counter[value]}


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
