"""Count what became of the listed images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from sexstrat.values.tables import table_schema

__all__ = ["ScoreSummary"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSummary:
    """How many images were listed and what became of them.

    Parameters
    ----------
    n_images : images listed.
    by_status : status to number of images, in the contract's order; statuses that occur only.
    n_patients : persons named in the list; None when it names none.
    """

    n_images: int
    by_status: Mapping[str, int]
    n_patients: int | None

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
        counts = scores["status"].value_counts()
        patients = int(scores["patient_id"].nunique())
        return cls(
            n_images=len(scores),
            by_status={s: int(counts[s]) for s in table_schema("score").column("status").enum if s in counts},
            n_patients=patients or None,
        )

    @property
    def n_ok(self) -> int:
        """Number of images with a score."""
        return self.by_status.get("ok", 0)

    def __str__(self) -> str:
        text = _counted(self.n_images, "image")
        if self.n_patients is not None:
            text += f" of {_counted(self.n_patients, 'patient')}"
        text += f": {self.n_ok:,} scored"
        lost = [f"{n:,} {status.replace('_', ' ')}" for status, n in self.by_status.items() if status != "ok"]
        if lost:
            text += f", {self.n_images - self.n_ok:,} without a score ({', '.join(lost)})"
        return text


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
