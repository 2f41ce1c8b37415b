"""The variance of a sum over primary sampling units within strata, and what a stratum with one unit does to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.errors import EstimationError

__all__ = ["LONELY_UNITS", "StratifiedVariance", "lonely_part", "stratified_variance", "summed_strata"]

Array = NDArray[np.float64]

# What a stratum of one unit, which cannot show how units differ, is taken to add to the variance.
LONELY_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "centred": "its distance from the mean of all units is taken as its variance",
        "average": "it is given the mean variance of the other strata",
        "certainty": "it is taken as certain to be sampled and adds no variance",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StratifiedVariance:
    """The variance of totals over primary sampling units.

    Parameters
    ----------
    covariance : of the k totals, shape (k, k).
    df : units - strata; 0 when nothing shows how units differ.
    n_units, n_strata : units and strata.
    n_lonely : strata with one unit.
    note : how the lonely units were handled, or "".
    """

    covariance: Array
    df: int
    n_units: int
    n_strata: int
    n_lonely: int
    note: str = ""


def _note(n_lonely: int, n_strata: int, lonely: str) -> str:
    if not n_lonely:
        return ""
    strata = "strata has" if n_lonely == 1 else "strata have"
    return f"{n_lonely} of {n_strata} {strata} one primary sampling unit: {LONELY_UNITS[lonely]}"


def lonely_part(covariance: Array, apart: Array, alone: NDArray[np.bool_], lonely: str) -> Array:
    """Return what strata of one unit add to the covariance found from the others.

    Parameters
    ----------
    covariance : from strata of two units and more, shape (k, k).
    apart : each lonely unit less the mean of all units, shape (lonely, k).
    alone : which strata have one unit.
    lonely : one of ``LONELY_UNITS``.

    Examples
    --------
    One stratum of two gave 4; on average the other gives as much, centred 2 x 2.

    >>> alone = np.array([False, True])
    >>> [float(lonely_part(np.eye(1) * 4, np.array([[2.0]]), alone, how)[0, 0]) for how in LONELY_UNITS]
    [4.0, 4.0, 0.0]
    """
    if lonely not in LONELY_UNITS:
        raise EstimationError(
            f"no way {lonely!r} to handle a stratum with one unit; there are {', '.join(LONELY_UNITS)}"
        )
    if lonely == "centred":
        return np.asarray(apart.T @ apart)
    if lonely == "average" and not alone.all():
        return np.asarray(covariance * alone.sum() / (~alone).sum())
    return np.zeros_like(covariance)


def summed_strata(covariance: Array, units: NDArray[np.int64], lonely: str) -> StratifiedVariance:
    """Return a covariance with the counts it rests on.

    Parameters
    ----------
    covariance : summed over strata, shape (k, k).
    units : units of each stratum.
    lonely : how lonely units were handled.

    Examples
    --------
    >>> summed_strata(np.eye(1), np.array([3, 2]), "centred").df
    3
    """
    n_lonely = int((units == 1).sum())
    return StratifiedVariance(
        covariance=covariance,
        df=int(units.sum() - units.size),
        n_units=int(units.sum()),
        n_strata=units.size,
        n_lonely=n_lonely,
        note=_note(n_lonely, units.size, lonely),
    )


def stratified_variance(totals: ArrayLike, stratum: ArrayLike, *, lonely: str = "centred") -> StratifiedVariance:
    """Return the variance of the sum of unit totals: sum over strata of n_h / (n_h - 1) sum (z - mean z)(z - mean z)'.

    Units are taken as drawn with replacement (no finite population correction). A stratum of one unit is ``centred``
    at the mean of all units (Stata's centered; R survey's adjust, which for totals centres at zero instead), given
    the ``average`` of the other strata, or counted as drawn with ``certainty``.

    Parameters
    ----------
    totals : linearised total of each unit, shape (units,) or (units, k); a unit outside a domain has zeros.
    stratum : integer code of each unit's stratum.
    lonely : one of ``LONELY_UNITS``.

    Raises
    ------
    EstimationError : no unit, unequal lengths, or an unknown way to handle lonely units.

    References
    ----------
    Binder DA. On the variances of asymptotically normal estimators from complex surveys. Int Stat Rev 1983;51:279-292.
    Lumley T. Complex Surveys. Wiley 2010, section 2.2 and appendix.

    Examples
    --------
    One stratum with totals 1, 2, 3: 3/2 of the sum of squares 2. A lone unit of 5 lies (5 - 11/4) from the mean of all.

    >>> round(float(stratified_variance([1.0, 2.0, 3.0], [0, 0, 0]).covariance[0, 0]), 6)
    3.0
    >>> found = stratified_variance([1.0, 2.0, 3.0, 5.0], [0, 0, 0, 1])
    >>> round(float(found.covariance[0, 0]), 6), found.df
    (8.0625, 2)
    """
    z = np.asarray(totals, dtype=float)
    z = z[:, None] if z.ndim == 1 else z
    codes = np.asarray(stratum)
    if lonely not in LONELY_UNITS:
        raise EstimationError(
            f"no way {lonely!r} to handle a stratum with one unit; there are {', '.join(LONELY_UNITS)}"
        )
    if z.shape[0] == 0 or codes.shape != (z.shape[0],):
        raise EstimationError(f"need at least one unit and a stratum for each; found {z.shape[0]} and {codes.size}")
    _, code = np.unique(codes, return_inverse=True)
    units = np.bincount(code)
    sums = np.zeros((units.size, z.shape[1]))
    np.add.at(sums, code, z)
    own = z - (sums / units[:, None])[code]
    scale = np.sqrt(units / np.maximum(units - 1, 1))[code]
    covariance = (own * scale[:, None]).T @ (own * scale[:, None])
    alone = units == 1
    covariance = covariance + lonely_part(covariance, (z - z.mean(axis=0))[alone[code]], alone, lonely)
    return summed_strata(covariance, units, lonely)
