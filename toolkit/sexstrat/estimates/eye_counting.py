"""Eyes of people whose sex is known, or taken at the prediction's word: E7 and what is recorded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.clustered_margin import clustered_margin, over_units
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.eye_margin import eye_composition_of, eye_margin, eye_sums
from sexstrat.estimates.unit_scores import RowInfluence, unit_scores
from sexstrat.values.design import Target

__all__ = ["eye_counting"]

Array = NDArray[np.float64]


def _sex_as_taken(arrays: CellArrays, estimator: str) -> tuple[NDArray[np.bool_], Array]:
    """Return the rows an estimator uses, and the share of a man it takes each patient of them for."""
    if estimator in {"complete_case", "recorded", "truth"}:
        return arrays.validated, arrays.male.astype(float)
    used = arrays.validated | (arrays.n_eyes > 0)
    taken = arrays.predicted_male if estimator == "naive_threshold" else arrays.mean_prob_male
    return used, np.where(arrays.validated, arrays.male, taken)


def _divided(arrays: CellArrays, share: Array) -> CellArrays:
    """Return every row as its men and its women, so that a share of a man is so many men."""
    rows = np.arange(arrays.n.size)
    part = np.concatenate([share, 1 - share])
    twice = arrays.chosen(np.concatenate([rows, rows]))
    names = ("n", "w", "w2", "w_over_r", "w2_over_r", "w2_over_r2")
    sums = {name: getattr(twice, name) * part for name in names}
    return replace(
        twice.chosen(part > 0),
        **{name: values[part > 0] for name, values in sums.items()},
        male=np.concatenate([np.ones_like(rows), np.zeros_like(rows)]).astype(bool)[part > 0],
    )


def _margin(given: ComposeInput, *, by_band: bool) -> Margin:
    """Return the margin of counted eyes: a patient moves a share by w v (S - pi) / N, v the eyes in the count."""
    arrays, sums = given.arrays, eye_sums(given.arrays, by_band=by_band)
    n = sums.total(arrays.w)
    safe = np.where(n > 0, n, 1.0)
    pi = np.where(n > 0, sums.total(arrays.w * arrays.male) / safe, np.nan)
    plain = eye_margin(given, sums, pi, np.zeros((pi.size, pi.size)), counted=True)
    if not given.sampled:
        return plain
    own = sums.counts * (arrays.male[:, None] - np.nan_to_num(pi)) / safe
    influence = replace(RowInfluence.counted(arrays, own, sums.counts), holding=sums.holding)
    return clustered_margin(plain, (unit_scores(arrays, influence),))


def eye_counting(given: ComposeInput, estimator: str, *, state: str, why: str) -> Composition:
    """Return whose the affected and the other graded eyes are when each patient's sex is taken as it stands.

    Patients vary, not eyes. What is ``recorded`` (or the hidden truth) for the very cohort has no variance.

    Parameters
    ----------
    given : the input, of a condition recorded by eye.
    estimator : naive_threshold, naive_weighted, complete_case, recorded or truth.
    state, why : as for persons.

    References
    ----------
    Liang KY, Zeger SL. Biometrika 1986;73:13-22 (independence working correlation).

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> eyes = 2.0 * np.column_stack([1 - given.arrays.diseased, given.arrays.diseased])
    >>> both = replace(given, arrays=replace(given.arrays, eyes=eyes))
    >>> eye_counting(both, "complete_case", state="naive", why="").overall.n.tolist()
    [[800.0, 300.0]]
    """
    target = given.target if state in {"recorded", "truth"} else Target.population
    used, share = _sex_as_taken(given.arrays, estimator)
    people = replace(given, arrays=given.arrays.chosen(used), target=target)
    counted = replace(people, arrays=_divided(people.arrays, share[used]))
    by_band, overall = (_margin(counted, by_band=each) for each in (True, False))
    one = eye_composition_of(
        people,
        estimator,
        by_band=by_band,
        overall=overall,
        band_state=(state,) * len(given.bands),
        state=state,
        why=why,
        cohort_ages=given.arrays.weights[0].sum(axis=1),
    )
    if not people.clustered:
        return one
    return over_units(people, one, by_band, overall)  # type: ignore[arg-type]  # sampled, so both count units
