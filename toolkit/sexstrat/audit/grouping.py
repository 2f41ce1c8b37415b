"""Groups of an audit: the age bands, any declared column, bands of a number, and intersections of these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.audit.clusters import Clusters
from sexstrat.errors import StudyError
from sexstrat.values.age_bands import AgeBands

__all__ = [
    "AGE_BAND",
    "EVERYONE",
    "Grouping",
    "age_grouping",
    "column_grouping",
    "columns_of",
    "crossed",
    "cut_grouping",
    "grouping_of",
    "positions_by_code",
]

AGE_BAND = "age_band"
EVERYONE = "overall"
CROSS = " x "
MOST_NUMBERS = 20  # different fractional numbers of a column from which its values are no groups


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
        yield from zip(self.labels, positions_by_code(self.code, len(self.labels)), strict=True)

    def shares_patients(self, patients: Clusters) -> bool:
        """Tell whether some patient has images in more than one group."""
        inside = self.code >= 0
        pairs = pd.unique(patients.code[inside] * max(len(self.labels), 1) + self.code[inside])
        return len(pairs) > patients.having(inside)


def positions_by_code(code: NDArray[np.int64], n: int) -> list[NDArray[np.intp]]:
    """Return the positions of each code, rising.

    Parameters
    ----------
    code : 0 to ``n`` − 1 of each row; a negative one is of no group.
    n : number of codes.

    Examples
    --------
    >>> [found.tolist() for found in positions_by_code(np.array([1, 0, -1, 1]), 2)]
    [[1], [0, 3]]
    """
    if n == 1:
        return [np.flatnonzero(code == 0)]
    small = code.astype(np.int16) if n < np.iinfo(np.int16).max else code  # sixteen bits are sorted by radix
    order = np.argsort(small, kind="stable")
    ends = np.searchsorted(small, np.arange(n + 1), sorter=order)
    return [order[ends[one] : ends[one + 1]] for one in range(n)]


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


def cut_grouping(column: pd.Series, name: str, cuts: Sequence[float]) -> Grouping:
    """Split a number by declared cut points, each band holding its lower end; empty is the group "not recorded".

    Parameters
    ----------
    column : numbers.
    name : name of the grouping variable.
    cuts : rising cut points, fixed before the data are seen.

    Raises
    ------
    StudyError : the cut points do not rise, or the column holds something that is not a number.

    Examples
    --------
    >>> found = cut_grouping(pd.Series([0.2, 0.5, 0.9]), "quality", (0.5, 0.8))
    >>> found.labels, found.code.tolist()
    (('under 0.5', '0.5 to under 0.8', '0.8 and over'), [0, 1, 2])
    """
    if not cuts or any(b <= a for a, b in pairwise(cuts)):
        raise StudyError(f"cut points of {name} must rise and not be empty; found {list(cuts)}")
    number = pd.to_numeric(column, errors="coerce")
    if (number.isna() & column.notna()).any():
        wrong = column[number.isna() & column.notna()].iloc[0]
        raise StudyError(f"{name} is cut into bands and must hold numbers; found {wrong!r}")
    values = number.to_numpy(dtype=float, na_value=np.nan)
    code = np.searchsorted(np.asarray(cuts, dtype=float), values, side="right").astype(np.int64)
    text = [f"{cut:g}" for cut in cuts]
    names = [f"under {text[0]}", *(f"{a} to under {b}" for a, b in pairwise(text)), f"{text[-1]} and over"]
    if np.isnan(values).any():
        code[np.isnan(values)] = len(names)
        names.append("not recorded")
    return Grouping(name=name, labels=tuple(names), code=code)


def crossed(parts: Sequence[Grouping], name: str) -> Grouping:
    """Split by several variables at once; only combinations that somebody has are groups.

    Examples
    --------
    >>> site = Grouping(name="site", labels=("a", "b"), code=np.array([0, 1, 1]))
    >>> eye = Grouping(name="eye", labels=("L", "R"), code=np.array([0, 0, -1]))
    >>> both = crossed([site, eye], "site x eye")
    >>> both.labels, both.code.tolist()
    (('a x L', 'b x L'), [0, 1, -1])
    """
    key = np.zeros(len(parts[0].code), dtype=np.int64)
    labels = [""]
    for part in parts:
        key = np.where((key < 0) | (part.code < 0), -1, key * len(part.labels) + part.code)
        labels = [f"{one}{CROSS}{other}" if one else other for one in labels for other in part.labels]
    present = np.unique(key[key >= 0])
    code = np.where(key < 0, -1, np.searchsorted(present, key))
    return Grouping(name=name, labels=tuple(labels[k] for k in present), code=code.astype(np.int64))


def columns_of(groups: Sequence[str]) -> list[str]:
    """Return the columns that grouping variables need, the age band and everyone needing none of their own.

    Examples
    --------
    >>> columns_of(["age_band", "site x age_band", "eye"])
    ['site', 'eye']
    """
    names = dict.fromkeys(part for group in groups for part in group.split(CROSS))
    return [name for name in names if name != AGE_BAND]


def grouping_of(name: str, rows: pd.DataFrame, bands: AgeBands, cuts: Mapping[str, Sequence[float]]) -> Grouping:
    """Return the groups of a declared variable: "age_band", a column, or an intersection such as "site x age_band".

    Parameters
    ----------
    name : the variable as declared.
    rows : one row an image.
    bands : age bands.
    cuts : cut points of columns that hold numbers, by column.

    Raises
    ------
    StudyError : a column of many numbers has no cut points, or wrong ones.

    Examples
    --------
    >>> rows = pd.DataFrame({"age_years": [45.0, 45.0], "site": ["a", "b"]})
    >>> grouping_of("site x age_band", rows, AgeBands((40, 50)), {}).labels
    ('a x 40-49', 'b x 40-49')
    """
    parts = name.split(CROSS)
    if len(parts) > 1:
        return crossed([grouping_of(part, rows, bands, cuts) for part in parts], name)
    if name == AGE_BAND:
        return age_grouping(rows["age_years"], bands)
    if name in cuts:
        return cut_grouping(rows[name], name, cuts[name])
    column = rows[name]
    if pd.api.types.is_float_dtype(column) and column.nunique() > MOST_NUMBERS and (column.dropna() % 1 != 0).any():
        raise StudyError(f"{name} holds many different numbers; declare cut points, for instance {name}=0.5,0.8")
    return column_grouping(column, name)


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
