"""Patient ids grouped by known duplicates into units of resampling, and what the grouping costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sexstrat.errors import EstimationError

__all__ = ["DuplicateUnits", "duplicate_units"]

WHY = (
    "Ids known to be one person are resampled together: taken as different people they would make intervals too narrow."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateUnits:
    """The unit of resampling of every patient id.

    Parameters
    ----------
    patient_ids : as given.
    unit : integer code of each id's unit, from 0 in the order of first appearance.
    n_unknown : ids of the duplicates that are not among the patients.
    state : ``counted``.
    why, assumptions : sentences for the report.
    """

    patient_ids: tuple[object, ...]
    unit: NDArray[np.int64]
    n_unknown: int
    state: str = "counted"
    why: str = WHY
    assumptions: tuple[str, ...] = ("The known duplicates are all of one person each; those not known stay apart.",)

    @property
    def n(self) -> int:
        """Number of ids."""
        return len(self.patient_ids)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Ids of each unit."""
        return np.bincount(self.unit).astype(np.int64)

    @property
    def largest_design_effect(self) -> float:
        """The design effect of something that is the same in all ids of a person: sum m^2 / sum m."""
        return float(np.sum(self.sizes**2) / self.n)

    def design_effect(self, values: ArrayLike) -> float | None:
        """Return the variance of a mean with units kept together over that with ids apart; None where neither varies.

        [sum over units of (sum of deviations)^2 U / (U - 1)] / [sum of squared deviations n / (n - 1)].

        Parameters
        ----------
        values : one a patient id, for instance 1 for recorded male and 0 for female.

        Raises
        ------
        EstimationError : another number of values, or missing ones.
        """
        y = np.asarray(values, dtype=float)
        if y.shape != (self.n,) or not np.isfinite(y).all():
            raise EstimationError(f"need one known value for each of the {self.n} ids; found shape {y.shape}")
        deviation = y - y.mean()
        units = self.sizes.size
        apart = np.sum(deviation**2) * self.n / max(self.n - 1, 1)
        if units < 2 or apart <= 0:
            return None
        together = np.sum(np.bincount(self.unit, weights=deviation) ** 2) * units / (units - 1)
        return float(together / apart)

    def to_frame(self) -> pd.DataFrame:
        """Return how many units have how many ids; no id leaves."""
        size, count = np.unique(self.sizes, return_counts=True)
        return pd.DataFrame({"ids_in_unit": size, "units": count})


def duplicate_units(patient_ids: Sequence[object], duplicates: Iterable[Sequence[object]]) -> DuplicateUnits:
    """Map patient ids to units of resampling: ids linked by known duplicates, directly or through others, are one.

    Parameters
    ----------
    patient_ids : every id of the cohort, once.
    duplicates : groups of ids (pairs or larger) known to be one person; they may overlap.

    Raises
    ------
    EstimationError : an id that is listed twice.

    References
    ----------
    Kish L. Survey Sampling. Wiley 1965, chapter 5. Rao JNK, Wu CFJ. JASA 1988;83:231-241 (resampling of units).

    Examples
    --------
    a is b and b is c: three units of five ids. Sums of squares 3^2 + 1 + 1 over 5 ids.

    >>> found = duplicate_units(["a", "b", "c", "d", "e"], [("a", "b"), ("c", "b")])
    >>> found.unit.tolist(), found.largest_design_effect
    ([0, 0, 0, 1, 2], 2.2)
    """
    ids = tuple(patient_ids)
    position = {one: k for k, one in enumerate(ids)}
    if len(position) != len(ids):
        raise EstimationError(
            f"every patient id must be listed once; {len(ids) - len(position)} of {len(ids)} are repeated"
        )
    parent = list(range(len(ids)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    unknown: set[object] = set()
    for group in duplicates:
        known = [position[one] for one in group if one in position]
        unknown |= {one for one in group if one not in position}
        for first, second in pairwise(known):
            a, b = sorted((root(first), root(second)))
            parent[b] = a
    unit = pd.factorize(np.array([root(k) for k in range(len(ids))], dtype=np.int64))[0]
    return DuplicateUnits(patient_ids=ids, unit=np.asarray(unit, dtype=np.int64), n_unknown=len(unknown))
