"""Which cluster every row of cells belongs to, and the stratum of every cluster."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.cell_arrays import CellArrays

__all__ = ["cluster_codes", "drawn_in_units"]


def drawn_in_units(arrays: CellArrays) -> bool:
    """Tell whether the cells name sampling units, or more than one stratum.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> drawn_in_units(worked_arrays())
    False
    """
    stratified = arrays.stratum.size > 0 and arrays.stratum.max() > arrays.stratum.min()
    return bool(stratified or (arrays.psu >= 0).any())


def cluster_codes(arrays: CellArrays, by: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the cluster of every row, and the stratum of every cluster; hospitals are taken as one stratum.

    Parameters
    ----------
    arrays : the cells.
    by : psu or site.

    Raises
    ------
    EstimationError : patients without a unit, or ``by`` is neither.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> code, stratum = cluster_codes(worked_arrays(), "site")
    >>> sorted(set(code.tolist())), stratum.tolist()
    ([0], [0])
    """
    if by not in {"psu", "site"}:
        raise EstimationError(f"patients are clustered by psu or by site; found {by!r}")
    if by == "site":
        _, code = np.unique(arrays.site, return_inverse=True)
        return code.astype(np.int64), np.zeros(int(code.max(initial=-1)) + 1, dtype=np.int64)
    if (arrays.psu < 0).any():
        raise EstimationError(
            f"{int(arrays.n[arrays.psu < 0].sum()):,} of {int(arrays.n.sum()):,} patients name no primary sampling "
            "unit (psu); give one for every patient, or for none"
        )
    width = int(arrays.psu.max(initial=0)) + 1
    pairs, code = np.unique(arrays.stratum * width + arrays.psu, return_inverse=True)
    return code.astype(np.int64), pairs // width
