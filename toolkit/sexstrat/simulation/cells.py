"""Sum simulated people into cells by arrays alone, for coverage runs and as a check of the database."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.simulation.people import People
from sexstrat.values.cells import Cells
from sexstrat.values.logit_bins import FIXED_POINT, LOGIT_CLIP, logit_bin, logit_edges
from sexstrat.values.tables import table_schema

__all__ = ["cells_of_people", "graded_and_affected", "patient_probability"]


Array = NDArray[np.float64]
N_FOLDS = 5  # statistics: cross-fitting folds
OLDEST = 120  # years: the cell contract's highest age


def patient_probability(people: People) -> NDArray[np.float64]:
    """Combine the eyes to one prob_male per patient, as a cohort does: the mean of the logits, each cut at +-10.

    Parameters
    ----------
    people : simulated patients.

    Returns
    -------
    Probability of male, shape (patients,); NaN without a photograph.

    Examples
    --------
    Logits 0 and ln 81 have the mean ln 9, a probability of 0.9; one eye stands for itself.

    >>> from dataclasses import replace
    >>> from sexstrat.simulation import draw_people, setting
    >>> three = draw_people(setting("baseline"), 3, np.random.default_rng(1))
    >>> eyes = np.array([[0.0, np.log(81)], [np.log(3), np.nan], [np.nan, np.nan]])
    >>> patient_probability(replace(three, n_eyes=np.array([2, 1, 0]), eye_logit=eyes)).round(6).tolist()
    [0.9, 0.75, nan]
    """
    counted = np.maximum(people.n_eyes, 1)
    mean_logit = np.nansum(np.clip(people.eye_logit, -LOGIT_CLIP, LOGIT_CLIP), axis=1) / counted
    return np.where(people.n_eyes > 0, expit(mean_logit), np.nan)


def graded_and_affected(people: People) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many eyes of each patient are graded, and how many of these are affected; 0 where not by eye.

    Parameters
    ----------
    people : simulated patients.

    Examples
    --------
    Of three patients with both eyes affected one has one photographed eye; without a photograph both are graded.

    >>> from dataclasses import replace
    >>> from sexstrat.simulation import draw_people, setting
    >>> three = draw_people(setting("eye_level_disease"), 3, np.random.default_rng(1))
    >>> three = replace(three, n_eyes=np.array([0, 1, 2]), affected=np.ones((3, 2), dtype=bool))
    >>> [counts.tolist() for counts in graded_and_affected(three)]
    [[2, 1, 2], [2, 1, 2]]
    """
    if people.affected is None:
        nothing = np.zeros(people.n_eyes.size, dtype=np.int64)
        return nothing, nothing
    graded = people.graded
    return graded.sum(axis=1).astype(np.int64), (people.affected & graded).sum(axis=1).astype(np.int64)


def _levels(codes: NDArray[np.int64] | None, n: int) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Return the rank of each patient's code in the order of the names, and the names; one None where none."""
    if codes is None:
        return np.zeros(n, dtype=np.int64), np.array([None])
    found = np.array(sorted(pd.unique(codes).tolist(), key=str), dtype=np.int64)
    rank = np.zeros(found.max(initial=0) + 1, dtype=np.int64)
    rank[found] = np.arange(found.size)
    return rank[codes], found.astype(str).astype(object)


def _folding(people: People) -> NDArray[np.int64]:
    """Return what patients are folded by: their primary sampling unit, so that it stays whole, or themselves."""
    if people.psu is None:
        return np.arange(people.age_years.size)
    return people.psu if people.stratum is None else people.psu + people.stratum


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
    >>> from sexstrat.simulation import draw_people, setting
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
    fold = np.where(known, _folding(people) % N_FOLDS, -1)
    groups = {name: _levels(getattr(people, name), known.size) for name in ("site", "stratum", "psu")}
    eyes = graded_and_affected(people)
    keys = [people.age_years, people.diseased.astype(int), *eyes, sex, people.n_eyes, bins + 1, fold + 1]
    counts = (1, 1) if people.affected is None else (3, 3)
    sizes = (*(names.size for _, names in groups.values()), OLDEST + 1, 2, *counts, 3, 3, len(edges), N_FOLDS + 1)
    packed = np.ravel_multi_index((*(rank for rank, _ in groups.values()), *keys), sizes)
    cell, distinct = pd.factorize(packed, sort=True)
    at = np.unravel_index(distinct, sizes)
    r = np.where(known, np.where(people.validation_probability > 0, people.validation_probability, 1.0), np.nan)
    w = np.ones(known.size) if people.weight is None else people.weight
    data = {
        "condition": condition,
        **{name: names[index] for (name, (_, names)), index in zip(groups.items(), at, strict=False)},
        "age_years": at[3],
        "diseased": at[4].astype(bool),
        "n_graded_eyes": pd.array(at[5], dtype="Int64"),
        "n_diseased_eyes": pd.array(at[6], dtype="Int64"),
        "recorded_sex": np.array(["female", "male", "unknown"])[at[7]],
        "n_eyes": at[8],
        "logit_bin": pd.array(at[9] - 1, dtype="Int64"),
        "fold": pd.array(at[10] - 1, dtype="Int64"),
        **_sums(cell, distinct.size, np.nan_to_num(p), w, r),
    }
    frame = pd.DataFrame(data)
    frame.loc[frame["n_eyes"] == 0, "logit_bin"] = pd.NA
    frame.loc[frame["recorded_sex"] == "unknown", "fold"] = pd.NA
    if people.affected is None:
        frame[["n_graded_eyes", "n_diseased_eyes"]] = pd.NA
        frame = frame.astype({"n_graded_eyes": "Int64", "n_diseased_eyes": "Int64"})
    return Cells(frame=frame[table_schema("cell").columns], edges=edges, model_id="simulated")


def _sums(cell: NDArray[np.int64], size: int, p: Array, w: Array, r: Array) -> dict[str, NDArray[np.generic]]:
    """Return the sums of the contract over the patients of each cell."""

    def total(values: Array | None = None) -> Array:
        return np.asarray(np.bincount(cell, weights=values, minlength=size), dtype=float)

    return {
        "n": total().astype(np.int64),
        "sum_p": total(np.rint(p * FIXED_POINT)).astype(np.int64),
        "sum_p2": total(np.rint(p**2 * FIXED_POINT)).astype(np.int64),
        "sum_w": total(w),
        "sum_w2": total(w**2),
        "sum_w_over_r": total(w / r),
        "sum_w2_over_r": total(w**2 / r),
        "sum_w2_over_r2": total((w / r) ** 2),
    }
