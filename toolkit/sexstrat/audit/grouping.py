"""Groups of an audit: the age bands, and any other declared column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.audit.clusters import Clusters
from sexstrat.values.age_bands import AgeBands

__all__ = ["AGE_BAND", "Grouping", "age_grouping", "column_grouping"]

AGE_BAND = "age_band"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """One way to split the images.

    Parameters
    ----------
    name : name of the grouping variable.
    labels : names of its groups, in the order of display.
    code : for each image the index of its group, −1 for none.

    Examples
    --------
    >>> halves = Grouping(name="site", labels=("a", "b"), code=np.array([1, 0, 1]))
    >>> [(label, index.tolist()) for label, index in halves.parts()]
    [('a', [1]), ('b', [0, 2])]
    """

    name: str
    labels: tuple[str, ...]
    code: NDArray[np.int64]

    def parts(self) -> Iterator[tuple[str, NDArray[np.intp]]]:
        """Yield each group with the positions of its images."""
        order = np.argsort(self.code, kind="stable")
        ends = np.searchsorted(self.code[order], np.arange(len(self.labels) + 1))
        for position, label in enumerate(self.labels):
            yield label, order[ends[position] : ends[position + 1]]

    def shares_patients(self, patients: Clusters) -> bool:
        """Tell whether some patient has images in more than one group."""
        inside = self.code >= 0
        pairs = pd.unique(patients.code[inside] * max(len(self.labels), 1) + self.code[inside])
        return len(pairs) > patients.having(inside)


def age_grouping(age_years: pd.Series, bands: AgeBands) -> Grouping:
    """Split by age band; ages in no band, or not known, belong to no group.

    Examples
    --------
    >>> age_grouping(pd.Series([45.0, 61.0, None]), AgeBands((40, 50), end=60)).code.tolist()
    [0, -1, -1]
    """
    return Grouping(
        name=AGE_BAND, labels=bands.labels, code=bands.index(age_years.to_numpy(dtype=float, na_value=np.nan))
    )


def column_grouping(column: pd.Series, name: str) -> Grouping:
    """Split by the values of a column, sorted (categories keep their order); empty is the group "not recorded".

    Examples
    --------
    >>> column_grouping(pd.Series([True, False, None], dtype="boolean"), "glaucoma").labels
    ('no', 'yes', 'not recorded')
    """
    values = column.astype("category")
    names = [_label(value) for value in values.cat.categories]
    code: NDArray[np.int64] = np.array(values.cat.codes, dtype=np.int64)
    if (code < 0).any():
        code[code < 0] = len(names)
        names.append("not recorded")
    return Grouping(name=name, labels=tuple(names), code=code)


def _label(value: object) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    return str(value)
