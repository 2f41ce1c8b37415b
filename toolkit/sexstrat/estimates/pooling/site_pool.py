"""Sites that send cells or shares, in one analysis: all together, each by itself, and all but each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from sexstrat.errors import EstimationError
from sexstrat.estimates.compose import compose
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.contrasts import CONTRASTS, contrast_at
from sexstrat.estimates.estimate_rows import estimates_frame
from sexstrat.estimates.places import band_places, crude_place, standardised_place
from sexstrat.estimates.pooling.coarse_cells import coarse_bins, common_edges
from sexstrat.estimates.pooling.stratified import stratified
from sexstrat.estimates.prevalence import SEXES, prevalence_row
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import Target, ValidationDesign

__all__ = ["Pool", "Question", "Site", "joined_cells", "pool_sites"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What one site sent.

    Parameters
    ----------
    name : its name, by which its patients are kept apart.
    cells : its cells, or None where it sent shares.
    shares : composition by condition, where it sent no cells.
    withheld : patients by condition whose cells were too small to be sent.
    """

    name: str
    cells: Cells | None = None
    shares: Mapping[str, Composition] = field(default_factory=dict)
    withheld: Mapping[str, int] = field(default_factory=dict)

    @property
    def conditions(self) -> tuple[str, ...]:
        """Name the diseases the site tells of."""
        return tuple(sorted(self.shares)) if self.cells is None else self.cells.conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of every site alike.

    Parameters
    ----------
    bands, design, target, level, seed : as in :func:`sexstrat.estimates.compose`.
    standards : standard populations besides the crude estimate.
    """

    bands: AgeBands
    design: ValidationDesign
    target: Target = Target.population
    level: float = 0.95
    seed: int = 20231207
    standards: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The pooled analysis.

    Parameters
    ----------
    estimates : rows of the ``estimate`` contract, all sites together.
    by_site, without_site : the same with the column ``site``: of that site alone; of all sites but that one.
    compositions : pooled composition by condition.
    """

    estimates: pd.DataFrame
    by_site: pd.DataFrame
    without_site: pd.DataFrame
    compositions: Mapping[str, Composition]


def joined_cells(sites: Sequence[Site]) -> Cells | None:
    """Return the cells of all sites that sent cells, each row under its site's name, in the bins they share.

    Parameters
    ----------
    sites : of different names.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_cells
    >>> both = joined_cells([Site(name=name, cells=worked_cells()) for name in ("Oita", "Saga")])
    >>> int(both.frame["n"].sum()), sorted(both.frame["site"].unique())
    (2200, ['Oita', 'Saga'])
    """
    sent = [(one.name, one.cells) for one in sites if one.cells is not None]
    if not sent:
        return None
    edges = common_edges([cells.edges for _, cells in sent])
    frames = []
    for name, cells in sent:
        same = len(cells.edges) == len(edges) and np.allclose(cells.edges, edges, atol=1e-12)
        frames.append((cells if same else coarse_bins(cells, edges)).frame.assign(site=name))
    types = frames[0].dtypes
    frame = pd.concat([one.astype(types) for one in frames], ignore_index=True)
    models = sorted({cells.model_id for _, cells in sent})
    order = frame.sort_values("condition", kind="stable", ignore_index=True)
    return Cells(frame=order, edges=edges, model_id="+".join(models))


def pool_sites(sites: Sequence[Site], question: Question) -> Pool:
    """Return the pooled analysis of several sites.

    Sites that send cells are analysed as one cohort in which site is a key; those that send shares join as strata.
    Assumes that sites share no patient and that the same model scored all of them.

    Parameters
    ----------
    sites : at least two, of different names.
    question : what is asked of every one.

    Raises
    ------
    EstimationError : fewer than two sites, names used twice, or sites that do not fit together.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> question = Question(bands=worked_bands(), design=ValidationDesign.random)
    >>> found = pool_sites([Site(name=name, cells=worked_cells()) for name in ("Oita", "Saga")], question)
    >>> rows = found.estimates.set_index(["measure", "standard"])
    >>> round(float(rows.loc[("prevalence_ratio", "crude"), "point"].iloc[0]), 4), len(found.compositions)
    (1.6667, 1)
    """
    names = [one.name for one in sites]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise EstimationError(f"every site needs a name of its own; used twice: {', '.join(twice)}")
    if len(sites) < 2:
        raise EstimationError(f"pooling needs at least two sites; found {len(sites)}")
    together = _compositions(sites, question)
    alone = {one.name: _compositions([one], question) for one in sites}
    without = {one.name: _compositions([other for other in sites if other is not one], question) for one in sites}
    each = {name: _frame(found.values(), question) for name, found in alone.items()}
    return Pool(
        estimates=_frame(together.values(), question),
        by_site=_named(each),
        without_site=_named({name: _frame(found.values(), question) for name, found in without.items()}),
        compositions=together,
    )


def _compositions(sites: Sequence[Site], question: Question) -> dict[str, Composition]:
    """Return one composition a condition, of the sites that tell of it."""
    cells = joined_cells(sites)
    found = {}
    for condition in sorted({name for one in sites for name in one.conditions}):
        parts = {one.name: one.shares[condition] for one in sites if condition in one.shares}
        if cells is None or condition not in cells.conditions:
            found[condition] = stratified(parts) if len(parts) > 1 else next(iter(parts.values()))
            continue
        counted = compose(
            cells,
            condition=condition,
            bands=question.bands,
            design=question.design,
            target=question.target,
            level=question.level,
            seed=question.seed,
        )
        found[condition] = stratified({"cells": counted, **parts}) if parts else counted
    return found


def _frame(found: Any, question: Question) -> pd.DataFrame:
    return estimates_frame([row for one in found for row in _rows(one, question.standards)])


def _rows(one: Composition, standards: Sequence[str]) -> Iterator[dict[str, Any]]:
    for place in (crude_place(one), *band_places(one), *(standardised_place(one, name) for name in standards)):
        for sex in SEXES:
            yield prevalence_row(place, sex)
        for kind in CONTRASTS:
            yield contrast_at(place, kind)


def _named(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([frame.assign(site=name) for name, frame in frames.items()], ignore_index=True)
