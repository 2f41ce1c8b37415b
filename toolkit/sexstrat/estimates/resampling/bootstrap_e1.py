"""Bootstrap of E1: every measure in every resample, by matrix products on gathered cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.resampling.bootstrap_intervals import acceleration
from sexstrat.estimates.resampling.bootstrap_result import Bootstrap
from sexstrat.estimates.resampling.bootstrap_table import EntryTable, entry_table
from sexstrat.estimates.resampling.measure_vector import measure_keys, measure_values
from sexstrat.estimates.resampling.pooled_shares import pooled_shares
from sexstrat.estimates.resampling.resampling_plan import fixed_weights, resampling_plan

__all__ = ["bootstrap_e1"]


Array = NDArray[np.float64]

STEP = 1e-4  # part of a cell's patients by which its totals are moved for a derivative


def _e1_values(totals: Array, weights: Sequence[Array]) -> Array:
    """Return every measure of E1 from the totals of every cell, shape (R, 2 x bands, 4)."""
    cells = totals.reshape(totals.shape[0], -1, 2, 4)
    sums = cells.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = (sums[:, :, 0] + sums[:, :, 1]) / sums[:, :, 2]
    # E1 refuses a share of exactly 0 or 1, or outside
    whole = np.where((whole > 0) & (whole < 1), whole, np.nan)
    shares = [
        pooled_shares(n=one[:, :, 2], n_validated=one[:, :, 3], model=one[:, :, 0], residual=one[:, :, 1])
        for one in (cells[:, :, d] for d in (0, 1))
    ]
    return measure_values(
        whole_pi=whole, whole_n=sums[:, :, 2], pi=np.stack(shares, axis=2), n=cells[:, :, :, 2], weights=weights
    )


def _accelerations(table: EntryTable, base: Array, weights: Sequence[Array], *, clustered: bool) -> Array:
    """Return the acceleration of every measure, from its derivatives with respect to the totals of every cell.

    The influence of a cluster is that of its totals; that of a patient, the mean of the entry, of which there are so
    many that no skewness to speak of is left within.
    """
    groups = base.shape[0]
    step = np.repeat(STEP * np.maximum(base[:, 2], 1.0), 3)
    moves = np.zeros((groups * 3, groups, 4))
    moves[np.arange(groups * 3), np.repeat(np.arange(groups), 3), np.tile(np.arange(3), groups)] = step
    up, down = (_e1_values(base + sign * moves, weights) for sign in (1, -1))
    with np.errstate(invalid="ignore"):
        slopes = np.nan_to_num((up - down) / (2 * step)[:, None], posinf=0.0, neginf=0.0).reshape(groups, 3, -1)
    scores = np.zeros((table.n.size, slopes.shape[2]))
    for group in range(groups):
        rows = np.flatnonzero(table.group == group)
        np.add.at(scores, table.unit[rows], table.totals[rows, :3] @ slopes[group])
    times = np.ones(table.n.size) if clustered else table.n
    scores = scores / times[:, None]
    code = np.unique(table.stratum, return_inverse=True)[1]
    sums = np.zeros((int(code.max()) + 1, scores.shape[1]))
    np.add.at(sums, code, scores * times[:, None])
    return acceleration(scores - (sums / np.bincount(code, weights=times)[:, None])[code], times)


def bootstrap_e1(
    given: ComposeInput,
    *,
    replicates: int = 2_000,
    scheme: str = "poisson",
    by: str = "patient",
    refit: bool = True,
    standards: Sequence[str | Mapping[int, float]] = ("cohort",),
) -> Bootstrap:
    """Bootstrap every measure of E1 at once, by matrix products on cells.

    Cells are gathered by recalibrated probability into entries; what varies within an entry, unequal weights included,
    is drawn as a normal of the same covariance. Each resample pools its own thin bands as E1 does.

    Parameters
    ----------
    given : the input, target population; its seed is the seed of the draws.
    replicates : resamples.
    scheme : poisson or multinomial counts of patients.
    by : patient (within strata), psu (whole units within strata, n_h - 1 of n_h) or site.
    refit : refit the five recalibrations in every resample by one Newton step with their information held; otherwise
        they are held fixed, as the analytic variance holds them. With few validated patients a coefficient the
        refitted intervals are the wider ones, by more than the recalibration truly adds: E1's derivative with respect
        to it is 0 in the population, and only near 0 in the sample that is drawn from.
    standards : standard populations besides the crude estimate; their weights are held.

    Returns
    -------
    Replicates, points and accelerations of prevalence by sex, ratio, difference, odds ratio (crude, by band,
    standardised) and the share of men.

    Raises
    ------
    EstimationError : the target is the cohort itself, nobody is validated, or nothing can be drawn again.

    References
    ----------
    Efron B. JASA 1987;82:171-185. Rao JNK, Wu CFJ. JASA 1988;83:231-241.

    Examples
    --------
    Crude prevalence is 1/3 in men and 1/5 in women.

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> found = bootstrap_e1(worked_input(), replicates=400)
    >>> frame = found.intervals()
    >>> round(float(frame.loc[0, "point"]), 4), bool(frame.loc[0, "low"] < 1 / 3 < frame.loc[0, "high"])
    (0.3333, True)
    """
    plan = resampling_plan(given, replicates=replicates, scheme=scheme, by=by)
    table = entry_table(given.arrays, plan.clusters)
    names, weights = fixed_weights(given, standards)
    base = table.resampled(np.ones((1, table.n.size)), None, refit=False)
    rng = np.random.Generator(np.random.SFC64(given.seed))
    parts = [
        _e1_values(table.resampled(times, rng, refit=refit), weights)
        for times in plan.multipliers(table.n, table.stratum, rng)
    ]
    return Bootstrap(
        given=given,
        estimator="E1",
        keys=measure_keys(len(given.bands), names),
        point=_e1_values(base, weights)[0],
        replicates=np.concatenate(parts),
        acceleration=_accelerations(table, base[0], weights, clustered=plan.clusters is not None),
        how=plan.sentence("recalibration refitted by one Newton step" if refit else "recalibration fixed"),
    )
