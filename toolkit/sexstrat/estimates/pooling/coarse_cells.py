"""Cells in coarser ages and score bins: what is lost in detail is gained in people per cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.values.cells import Cells
from sexstrat.values.tables import table_schema

__all__ = ["coarse_ages", "coarse_bins", "coarse_folds", "common_edges", "summed"]

SAME_EDGE = 1e-9  # edges on the logit scale are multiples of a tenth, or declared thresholds


def coarse_bins(cells: Cells, edges: NDArray[np.float64]) -> Cells:
    """Return the same people in coarser score bins.

    Parameters
    ----------
    cells : on the finer edges.
    edges : rising; each must be an edge of the cells, the first and the last theirs.

    Raises
    ------
    EstimationError : an edge falls inside a bin of the cells, so that nobody can say on which side its people are.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_cells
    >>> cells = worked_cells()
    >>> coarse = coarse_bins(cells, np.array([-10.0, 0.0, 10.0]))
    >>> int(coarse.frame["n"].sum()), sorted(coarse.frame["logit_bin"].unique().tolist())
    (1100, [0, 1])
    """
    place = np.searchsorted(edges, cells.edges + SAME_EDGE, side="right") - 1
    nearest = np.abs(edges[:, None] - cells.edges[None, :]).min(axis=1)
    if nearest.max() > SAME_EDGE or abs(edges[0] - cells.edges[0]) + abs(edges[-1] - cells.edges[-1]) > SAME_EDGE:
        raise EstimationError(
            f"score bins with edges {_told(edges)} are not made of whole bins of these cells ({_told(cells.edges)})"
        )
    new = pd.array(np.clip(place[:-1], 0, len(edges) - 2), dtype="Int64")
    old = cells.frame["logit_bin"].astype("Int64")
    bins = new.take(old.fillna(0).to_numpy(dtype=np.int64))
    frame = cells.frame.assign(logit_bin=pd.Series(bins, index=cells.frame.index).mask(old.isna()))
    return Cells(frame=summed(frame), edges=np.asarray(edges, dtype=float), model_id=cells.model_id)


def coarse_ages(cells: Cells, lows: Sequence[int]) -> Cells:
    """Return the same people in groups of age, each named by its first year.

    Parameters
    ----------
    cells : with ages in years.
    lows : first years of the groups, rising; people younger than the first keep their own age.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_cells
    >>> sorted(coarse_ages(worked_cells(), [40, 60]).frame["age_years"].unique().tolist())
    [40, 60]
    """
    ages = cells.frame["age_years"].to_numpy(dtype=np.int64)
    groups = np.asarray(lows, dtype=np.int64)
    place = np.searchsorted(groups, ages, side="right") - 1
    found = np.where(place >= 0, groups[np.maximum(place, 0)], ages)
    frame = cells.frame.assign(age_years=pd.array(found, dtype="Int64"))
    return Cells(frame=summed(frame), edges=cells.edges, model_id=cells.model_id)


def coarse_folds(cells: Cells, folds: int) -> Cells:
    """Return the same people in fewer cross-fitting folds: fold k becomes k modulo ``folds``.

    A row stays outside the model that judges it, for that model leaves out the whole of its new fold.

    Parameters
    ----------
    cells : with five folds.
    folds : 2 to 5.

    Raises
    ------
    EstimationError : fewer than two folds, with which nobody could be judged by a model that did not see them.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_cells
    >>> sorted(coarse_folds(worked_cells(), 2).frame["fold"].dropna().unique().tolist())
    [0, 1]
    """
    if not 2 <= folds <= 5:
        raise EstimationError(f"cross-fitting needs 2 to 5 folds; found {folds}")
    frame = cells.frame.assign(fold=cells.frame["fold"].astype("Int64") % folds)
    return Cells(frame=summed(frame), edges=cells.edges, model_id=cells.model_id)


def common_edges(edges: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the edges that all sets share: the finest bins into which every set of cells can be brought.

    Parameters
    ----------
    edges : one rising set a site.

    Raises
    ------
    EstimationError : fewer than two bins would be left.

    Examples
    --------
    >>> common_edges([np.array([-10.0, -1.0, 0.0, 1.0, 10.0]), np.array([-10.0, 0.0, 1.0, 10.0])]).tolist()
    [-10.0, 0.0, 1.0, 10.0]
    """
    shared = edges[0]
    for other in edges[1:]:
        shared = shared[np.abs(shared[:, None] - other[None, :]).min(axis=1) <= SAME_EDGE]
    if shared.size < 3:
        raise EstimationError("the sites' score bins have no edge in common, so that their cells cannot be added up")
    return shared


def summed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows with equal keys as one, their sums added; sums that are empty in one of them are empty.

    Parameters
    ----------
    frame : rows of the ``cell`` contract, keys repeated or not.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_cells
    >>> frame = worked_cells().frame
    >>> twice = summed(pd.concat([frame, frame]))
    >>> len(twice) == len(frame), int(twice["n"].sum())
    (True, 2200)
    """
    schema = table_schema("cell")
    keys = list(schema.primary_key)
    amounts = [name for name in schema.columns if name not in keys]
    groups = frame.groupby(keys, dropna=False, sort=True, observed=True)[amounts]
    sums = groups.sum(min_count=1)
    whole = groups.count().eq(groups.size().to_numpy()[:, None])
    found = sums.where(whole).reset_index()
    ordered = found.sort_values(keys, na_position="first", kind="stable", ignore_index=True)
    types = {name: frame[name].dtype for name in schema.columns}
    return ordered[schema.columns].astype(types)


def _told(edges: NDArray[np.float64]) -> str:
    shown = ", ".join(f"{edge:g}" for edge in edges[:4])
    return f"{len(edges)} edges: {shown}, ..." if len(edges) > 4 else shown
