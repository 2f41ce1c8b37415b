"""Draw a cohort of any size straight into cells, part by part, so that memory holds one part at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sexstrat.errors import StudyError
from sexstrat.simulation.cells import cells_of_people
from sexstrat.simulation.external import external_generator, external_setting
from sexstrat.simulation.groups import draw_groups
from sexstrat.simulation.named_settings import setting
from sexstrat.simulation.people import People, draw_people
from sexstrat.simulation.setting import Setting
from sexstrat.values.cells import Cells
from sexstrat.values.design import ValidationDesign
from sexstrat.values.tables import table_schema

__all__ = ["PART_SIZE", "SimulatedCells", "add_cells", "draw_parts", "simulate_cells"]

PART_SIZE = 500_000  # patients drawn at once; a multiple of the folds, so that they go on evenly from part to part
MOST_ROWS = 2_000_000  # rows of cells held before they are added up
_OVER_R = ["sum_w_over_r", "sum_w2_over_r", "sum_w2_over_r2"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCells:
    """Cells as an analyst would see them, and the same with every sex known.

    Parameters
    ----------
    cells : sex known for validated patients only.
    truth : every sex known, and true.
    external : cells of the external validation cohort, every sex known; None where the setting has none.
    """

    cells: Cells
    truth: Cells
    external: Cells | None = None


def draw_parts(one: Setting, n: int, seed: int, part_size: int = PART_SIZE) -> Iterator[People]:
    """Draw a cohort in parts that follow each other in one stream of randomness.

    The people depend on the seed and on the size of a part; a cohort no larger than a part is drawn at once.

    Parameters
    ----------
    one : the setting.
    n : patients in all.
    seed : seed of the draw.
    part_size : patients of a part, 1 or more.

    Raises
    ------
    StudyError : there would be no patient.

    Examples
    --------
    >>> [part.male.size for part in draw_parts(setting("baseline"), 250, seed=1, part_size=100)]
    [100, 100, 50]
    """
    if n < 1 or part_size < 1:
        raise StudyError(f"{n} patients in parts of {part_size} are asked for; allowed: 1 or more of each")
    rng = np.random.default_rng(seed)
    groups = draw_groups(one, rng)
    for start in range(0, n, part_size):
        yield draw_people(one, min(part_size, n - start), rng, groups)


def add_cells(parts: list[Cells]) -> Cells:
    """Add up cells: the sums of equal keys are added, which is exact for counts and sums of scores.

    Parameters
    ----------
    parts : cells with the same bins, one or more.

    Examples
    --------
    >>> one, other = (cells_of_people(part, part.validated) for part in draw_parts(setting("weak"), 90, 1, 45))
    >>> int(add_cells([one, other]).frame["n"].sum())
    90
    """
    contract = table_schema("cell")
    key = list(contract.primary_key)
    stacked = {name: pd.concat([part.frame[name] for part in parts], ignore_index=True) for name in contract.columns}
    coded = [pd.factorize(stacked[name], sort=True) for name in key]
    sizes = [len(levels) + 1 for _, levels in coded]
    packed = np.ravel_multi_index([codes + 1 for codes, _ in coded], sizes)  # a missing key is 0 and stands first
    order = np.argsort(packed, kind="stable")
    starts = np.flatnonzero(np.diff(packed[order], prepend=-1))
    added = {
        name: stacked[name].iloc[order[starts]].reset_index(drop=True)
        if name in key
        else np.add.reduceat(stacked[name].to_numpy()[order], starts)
        for name in contract.columns
    }
    return Cells(frame=pd.DataFrame(added), edges=parts[0].edges, model_id=parts[0].model_id)


def _as_seen(one: Setting, people: People) -> Cells:
    """Return the cells an analyst sees: wrong records stay wrong, and r is empty unless the design knows it."""
    male = people.male if people.recorded_male is None else people.recorded_male
    cells = cells_of_people(replace(people, male=male), people.validated)
    if one.design not in (ValidationDesign.random, ValidationDesign.known_probability):
        cells.frame[_OVER_R] = np.nan
    return cells


def _all_known(people: People) -> Cells:
    everybody = np.ones(people.male.size)
    return cells_of_people(replace(people, validation_probability=everybody), everybody.astype(bool))


def simulate_cells(
    name: str | Setting, n: int | None = None, seed: int = 1, *, part_size: int = PART_SIZE
) -> SimulatedCells:
    """Draw a cohort and sum it into cells.

    Parameters
    ----------
    name : setting, or its name.
    n : patients; None takes as many as the setting says.
    seed : seed of the draw; with the same size of a part it gives the same people.
    part_size : patients drawn at once, which bounds the memory needed.

    Examples
    --------
    >>> both = simulate_cells("baseline", 400, seed=1)
    >>> sorted(both.truth.frame["recorded_sex"].unique())
    ['female', 'male']
    >>> int(simulate_cells("external", 400, seed=1).external.frame["n"].sum())
    1000
    """
    one = setting(name) if isinstance(name, str) else name
    seen: list[Cells] = []
    known: list[Cells] = []
    for people in draw_parts(one, one.patients if n is None else n, seed, part_size):
        seen = _few([*seen, _as_seen(one, people)])
        known = _few([*known, _all_known(people)])
    external = None
    if one.external is not None:
        there = external_setting(one)
        external = _as_seen(there, draw_people(there, there.patients, external_generator(seed)))
    return SimulatedCells(cells=_sum(seen), truth=_sum(known), external=external)


def _few(parts: list[Cells]) -> list[Cells]:
    """Add parts up once they hold many rows, so that memory is bounded by the distinct cells."""
    return parts if sum(len(part.frame) for part in parts) < MOST_ROWS else [add_cells(parts)]


def _sum(parts: list[Cells]) -> Cells:
    return parts[0] if len(parts) == 1 else add_cells(parts)
