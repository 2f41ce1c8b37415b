"""Simulated cells: a cohort summed by arrays alone, for coverage runs and as a check of the database."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.simulation.named_settings import setting
from sexstrat.simulation.people import People, draw_people
from sexstrat.simulation.setting import Setting
from sexstrat.values.cells import Cells
from sexstrat.values.logit_bins import FIXED_POINT, logit_bin, logit_edges
from sexstrat.values.tables import table_schema

__all__ = ["SimulatedCells", "cells_of_people", "patient_probability", "simulate_cells"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCells:
    """Cells as an analyst would see them, and the same with every sex known.

    Parameters
    ----------
    cells : sex known for validated patients only.
    truth : every sex known.
    """

    cells: Cells
    truth: Cells


def patient_probability(people: People) -> NDArray[np.float64]:
    """Combine the eyes to one prob_male per patient: the mean of the logits; NaN without a photograph.

    Parameters
    ----------
    people : simulated patients.

    Returns
    -------
    Probability of male, shape (patients,).

    Examples
    --------
    Logits 0 and ln 81 have the mean ln 9, a probability of 0.9; one eye stands for itself.

    >>> from dataclasses import replace
    >>> three = draw_people(setting("baseline"), 3, np.random.default_rng(1))
    >>> eyes = np.array([[0.0, np.log(81)], [np.log(3), np.nan], [np.nan, np.nan]])
    >>> patient_probability(replace(three, n_eyes=np.array([2, 1, 0]), eye_logit=eyes)).round(6).tolist()
    [0.9, 0.75, nan]
    """
    counted = np.maximum(people.n_eyes, 1)
    mean_logit = np.nansum(people.eye_logit, axis=1) / counted
    return np.where(people.n_eyes > 0, expit(mean_logit), np.nan)


def _code(codes: NDArray[np.int64] | None, n: int) -> NDArray[np.int64]:
    """Return integer codes, -1 for everybody where there are none."""
    return np.full(n, -1, dtype=np.int64) if codes is None else np.asarray(codes, dtype=np.int64)


def _names(codes: NDArray[np.int64]) -> NDArray[np.object_] | None:
    """Return codes as the names the contract holds; None where there are none."""
    return None if (codes < 0).all() else codes.astype(str).astype(object)


def _folding(people: People) -> NDArray[np.int64]:
    """Return what patients are folded by: their primary sampling unit, so that it stays whole, or themselves."""
    if people.psu is None:
        return np.arange(people.age_years.size)
    units = people.psu if people.stratum is None else np.column_stack([people.stratum, people.psu])
    return np.unique(units, axis=0, return_inverse=True)[1].reshape(-1)


def cells_of_people(people: People, known: NDArray[np.bool_], condition: str = "disease") -> Cells:
    """Sum people into cells, taking the sex of those ``known`` as recorded.

    Parameters
    ----------
    people : simulated patients.
    known : whose sex is recorded.
    condition : name of the disease.

    Examples
    --------
    >>> from dataclasses import replace
    >>> people = draw_people(setting("baseline"), 500, np.random.default_rng(3))
    >>> int(cells_of_people(people, people.validated).frame["n"].sum())
    500
    >>> hospitals = replace(people, site=np.arange(500) % 2, weight=np.full(500, 4.0))
    >>> cells_of_people(hospitals, people.validated).frame.groupby("site")["sum_w"].sum().tolist()
    [1000.0, 1000.0]
    """
    edges = logit_edges()
    p = patient_probability(people)
    scored = people.n_eyes > 0
    bins = np.where(scored, logit_bin(np.where(scored, p, 0.5), edges), -1)
    sex = np.where(known, people.male.astype(int), 2)
    fold = np.where(known, _folding(people) % 5, -1)
    codes = {name: _code(getattr(people, name), known.size) for name in ("site", "stratum", "psu")}
    keys = np.column_stack([people.age_years, people.diseased, sex, people.n_eyes, bins + 1, fold + 1])
    inner = np.ravel_multi_index(keys.T, (130, 2, 3, 3, len(edges), 6))
    packed = np.column_stack([*codes.values(), inner])
    _, first, inverse = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    inverse = inverse.reshape(-1)
    r = np.where(known, np.where(people.validation_probability > 0, people.validation_probability, 1.0), np.nan)
    w = np.ones(known.size) if people.weight is None else people.weight

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(inverse, weights=values, minlength=first.size), dtype=float)

    filled = np.nan_to_num(p)
    data = {
        "condition": condition,
        **{name: _names(code[first]) for name, code in codes.items()},
        "age_years": people.age_years[first],
        "diseased": people.diseased[first],
        "recorded_sex": np.array(["female", "male", "unknown"])[sex[first]],
        "n_eyes": people.n_eyes[first],
        "logit_bin": pd.array(np.where(bins >= 0, bins, 0)[first], dtype="Int64"),
        "fold": pd.array(np.where(fold >= 0, fold, 0)[first], dtype="Int64"),
        "n": total(np.ones(known.size)).astype(np.int64),
        "sum_p": total(np.rint(filled * FIXED_POINT)).astype(np.int64),
        "sum_p2": total(np.rint(filled**2 * FIXED_POINT)).astype(np.int64),
        "sum_w": total(w),
        "sum_w2": total(w**2),
        "sum_w_over_r": total(w / r),
        "sum_w2_over_r": total(w**2 / r),
        "sum_w2_over_r2": total(w**2 / r**2),
    }
    frame = pd.DataFrame(data)
    frame.loc[frame["n_eyes"] == 0, "logit_bin"] = pd.NA
    frame.loc[frame["recorded_sex"] == "unknown", "fold"] = pd.NA
    return Cells(frame=frame[table_schema("cell").columns], edges=edges, model_id="simulated")


def simulate_cells(name: str | Setting, n: int, seed: int) -> SimulatedCells:
    """Draw a cohort and sum it into cells.

    Parameters
    ----------
    name : setting, or its name.
    n : patients.
    seed : seed of the draw.

    Examples
    --------
    >>> both = simulate_cells("baseline", 400, seed=1)
    >>> sorted(both.truth.frame["recorded_sex"].unique())
    ['female', 'male']
    """
    one = setting(name) if isinstance(name, str) else name
    people = draw_people(one, n, np.random.default_rng(seed))
    return SimulatedCells(
        cells=cells_of_people(people, people.validated),
        truth=cells_of_people(people, np.ones(n, dtype=bool)),
    )
