"""PACC against EMQ as diagnostic rows, where people of another cohort taught the errors of the score."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.errors import EstimationError
from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.diagnosis.diagnostic_rows import FEWEST, DiagnosticRow
from sexstrat.estimates.numbers.label_shift import label_shift_check
from sexstrat.estimates.numbers.score_counts import ScoreCounts, score_counts

__all__ = ["label_shift_rows"]

NAME = "label_shift"
DRAWS = 400


def _scores(arrays: CellArrays, rows: NDArray[np.bool_]) -> ScoreCounts | None:
    """Return the scores of some rows, each patient once, or None for too few of them."""
    chosen = rows & (arrays.n_eyes > 0)
    if arrays.n[chosen].sum() < FEWEST:
        return None
    values, where = np.unique(expit(arrays.logit[chosen]), return_inverse=True)
    counts = np.rint(np.bincount(where, weights=arrays.n[chosen])).astype(np.int64)
    return score_counts(values[counts > 0], counts[counts > 0])


def label_shift_rows(given: ComposeInput) -> tuple[DiagnosticRow, ...]:
    """Return the share of men by PACC and by EMQ from an external cohort, and their difference.

    Both hold where scores are distributed alike among men, and among women, of the two cohorts, whatever their disease
    and age; where the two disagree that is not so, and what differs by age and disease must be carried by E4.

    Parameters
    ----------
    given : the input.

    Returns
    -------
    Rows; none without an external cohort.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from sexstrat.estimates.worked_example import worked_arrays, worked_input
    >>> given = replace(worked_input(), external=worked_arrays())
    >>> [(row.statistic, row.state) for row in label_shift_rows(given)]
    [('male_share_by_pacc', 'ok'), ('male_share_by_emq', 'ok'), ('pacc_minus_emq', 'undefined')]
    >>> label_shift_rows(worked_input())
    ()
    """
    if given.external is None:
        return ()
    labelled, everybody = given.external, np.ones(given.arrays.n.size, dtype=bool)
    samples = (
        _scores(given.arrays, everybody),
        _scores(labelled, labelled.validated & labelled.male),
        _scores(labelled, labelled.validated & ~labelled.male),
    )
    people: dict[str, Any] = {
        "n_patients": round(float(given.arrays.n.sum())),
        "n_validated": round(float(labelled.n[labelled.validated].sum())),
    }
    target, men, women = samples
    if target is None or men is None or women is None:
        note = f"fewer than {FEWEST} men, women or patients with a score"
        return (DiagnosticRow(diagnostic=NAME, statistic="pacc_minus_emq", state="too_few", note=note, **people),)
    try:
        found = label_shift_check(target, men=men, women=women, draws=DRAWS, seed=given.seed, level=given.level)
    except EstimationError as problem:
        note = str(problem)
        return (DiagnosticRow(diagnostic=NAME, statistic="pacc_minus_emq", state="undefined", note=note, **people),)
    rows = [
        DiagnosticRow(
            diagnostic=NAME,
            statistic=f"male_share_by_{name}",
            point=one.point,
            low=one.low,
            high=one.high,
            confidence=given.level,
            **people,
        )
        for name, one in (("pacc", found.pacc), ("emq", found.emq))
    ]
    told = found.state != "undefined"
    last = DiagnosticRow(
        diagnostic=NAME,
        statistic="pacc_minus_emq",
        point=found.difference if told else None,
        low=found.low,
        high=found.high,
        confidence=given.level if told else None,
        p_value=found.p_value,
        state="ok" if told else "undefined",
        note=found.note,
        **people,
    )
    return (*rows, last)
