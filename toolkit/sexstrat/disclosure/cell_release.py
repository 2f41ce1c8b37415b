"""Cells that may leave a site: coarsened until few people are withheld, small ones never among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.complementary import extend_hidden
from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.withhold import group_numbers
from sexstrat.estimates.pooling.coarse_cells import coarse_ages, coarse_bins, coarse_folds
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.logit_bins import LOGIT_CLIP, LOGIT_WIDTH, logit_edges
from sexstrat.values.tables import table_schema

__all__ = ["MOST_WITHHELD", "CellRelease", "release_cells"]

MOST_WITHHELD = 0.05  # of the patients, of the validated ones and of the validated diseased ones
DISEASE = ("diseased", "n_graded_eyes", "n_diseased_eyes")  # keys that cells of another condition sum over
WIDTHS = (LOGIT_WIDTH, 0.2, 0.5, 1.0, 2.0, LOGIT_CLIP)  # bins on the logit scale, finest first; 0 is always an edge

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRelease:
    """Cells without the small ones.

    Parameters
    ----------
    cells : rows that may be shown.
    whole : the same cells with the small ones, which must not leave.
    withheld : patients by condition who are in no shown row.
    n_patients : patients by condition, shown or not.
    ages : "years" or "bands".
    width : width of the score bins on the logit scale.
    folds : cross-fitting folds kept apart.
    """

    cells: Cells
    whole: Cells
    withheld: dict[str, int]
    n_patients: dict[str, int]
    ages: str
    width: float
    folds: int


def release_cells(
    cells: Cells, profile: Profile, bands: AgeBands, *, most_withheld: float = MOST_WITHHELD
) -> CellRelease | None:
    """Return the finest cells of which at most a twentieth of the patients must be withheld, or None.

    Score bins, ages (years, then the declared bands, which are never merged) and cross-fitting folds (five, then two)
    are coarsened step by step. At each step every row whose count the profile hides goes, and with it the other
    disease states with the same keys: a second condition of the same people shows the sum of them. Hidden rows
    of an age and disease state also add up to no small count.

    Parameters
    ----------
    cells : of one or more conditions.
    profile : the rule for small counts; one that rounds counts lets no cells pass, for sums would not add up.
    bands : declared age bands.
    most_withheld : largest share withheld, of all patients, of the validated and of the validated diseased.

    Returns
    -------
    The release, or None where no step is coarse enough: then the site sends its shares of men instead.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> from sexstrat.estimates.pooling.coarse_cells import summed
    >>> cells = worked_cells()
    >>> tenfold = Cells(frame=summed(pd.concat([cells.frame] * 10)), edges=cells.edges)
    >>> found = release_cells(tenfold, PROFILES["us-cms-11"], worked_bands())
    >>> found.folds, found.withheld, int(found.cells.frame["n"].min())
    (2, {'disease': 0}, 20)
    >>> release_cells(worked_cells(), PROFILES["opensafely"], worked_bands()) is None
    True
    """
    if profile.rounding is not None:
        return None
    for step in _steps(cells, bands):
        hidden = _hidden(step.cells.frame, profile)
        if _withheld_share(step.cells.frame, hidden) <= most_withheld:
            shown = Cells(
                frame=step.cells.frame.loc[~hidden].reset_index(drop=True),
                edges=step.cells.edges,
                model_id=cells.model_id,
            )
            everyone, left = _people(step.cells.frame), _people(shown.frame)
            withheld = {name: everyone[name] - left.get(name, 0) for name in everyone}
            return CellRelease(
                cells=shown,
                whole=step.cells,
                withheld=withheld,
                n_patients=everyone,
                ages=step.ages,
                width=step.width,
                folds=step.folds,
            )
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    cells: Cells
    ages: str
    width: float
    folds: int


def _steps(cells: Cells, bands: AgeBands) -> Iterator[_Step]:
    """Give the cells in ever coarser shape."""
    regular = logit_edges(())
    thresholds = [edge for edge in cells.edges if np.abs(regular - edge).min() > LOGIT_WIDTH / 1000]
    for width in WIDTHS:
        half = np.arange(0, round(LOGIT_CLIP / width) + 1) * width
        edges = np.unique(np.round(np.concatenate([-half, half, thresholds]), 12))
        if width == LOGIT_WIDTH:
            binned = cells
        else:
            nearest = np.abs(cells.edges[:, None] - edges[None, :]).argmin(axis=0)
            binned = coarse_bins(cells, cells.edges[nearest])
        yield _Step(cells=binned, ages="years", width=width, folds=5)
        banded = coarse_ages(binned, bands.lows)
        yield _Step(cells=banded, ages="bands", width=width, folds=5)
        yield _Step(cells=coarse_folds(banded, 2), ages="bands", width=width, folds=2)


def _people(frame: pd.DataFrame) -> dict[str, int]:
    sums = frame.groupby("condition")["n"].sum()
    return {str(name): int(total) for name, total in sums.items()}


def _hidden(frame: pd.DataFrame, profile: Profile) -> Mask:
    """Choose the rows that may not be shown."""
    n = frame["n"].to_numpy(dtype=float)
    keys = [name for name in table_schema("cell").primary_key if name not in DISEASE]
    pair = group_numbers(frame, keys)
    hidden = np.isin(pair, pair[profile.hides(n)])
    family = group_numbers(frame, ["condition", "age_years", "diseased"])
    for one in np.unique(family[hidden]):
        members = np.flatnonzero(family == one)
        hidden[members] = extend_hidden(hidden[members], n[members], n[members, None], profile)
    return np.isin(pair, pair[hidden])


def _withheld_share(frame: pd.DataFrame, hidden: Mask) -> float:
    """Return the largest share withheld over conditions: of patients, of the validated, of the validated diseased."""
    n = frame["n"].to_numpy(dtype=float)
    known = frame["recorded_sex"].isin(("male", "female")).to_numpy(dtype=bool)
    diseased = frame["diseased"].to_numpy(dtype=bool)
    condition = group_numbers(frame, ["condition"])
    worst = 0.0
    for among in (np.ones_like(known), known, known & diseased):
        everyone = np.bincount(condition[among], weights=n[among], minlength=condition.max() + 1)
        lost = np.bincount(condition[among & hidden], weights=n[among & hidden], minlength=condition.max() + 1)
        share = np.divide(lost, everyone, out=np.zeros(everyone.shape), where=everyone > 0)
        worst = max(worst, float(share.max()))
    return worst
