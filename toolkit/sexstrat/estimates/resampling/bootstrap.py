"""Bootstrap on cells of any estimator, run anew on every resample: a check on every analytic interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.places import band_places, standardised_place
from sexstrat.estimates.resampling.bootstrap_intervals import acceleration
from sexstrat.estimates.resampling.bootstrap_result import Bootstrap
from sexstrat.estimates.resampling.measure_vector import measure_keys, measure_values
from sexstrat.estimates.resampling.resampling import resampled_arrays, split_unequal
from sexstrat.estimates.resampling.resampling_plan import fixed_weights, resampling_plan

__all__ = ["bootstrap"]


Array = NDArray[np.float64]

JACKKNIFE_GROUPS = 100


def _composed(one: Composition, standards: Sequence[str | Mapping[int, float]], keys: int) -> Array:
    """Return every measure of one composition; all NaN where it is refused."""
    if one.state == "refused":
        return np.full(keys, np.nan)
    bands = [place.margin for place in band_places(one)]
    n = one.by_band.n[None]
    whole = {"whole_pi": one.overall.pi, "whole_n": one.overall.n, "n": n}
    pi = np.stack([margin.pi[band] for band, margin in enumerate(bands)])[None]
    crude = measure_values(pi=pi, weights=[], **whole)[0]
    cut = 5 * (1 + len(one.bands))
    parts = [crude[:cut]]
    for standard in standards:
        place = standardised_place(one, standard)
        parts.append(measure_values(pi=place.margin.pi[None], weights=[place.weights], **whole)[0, cut : cut + 5])
    return np.concatenate([*parts, crude[cut:]])


def _without_a_group(n: Array, *, clustered: bool, rng: np.random.Generator) -> Array:
    """Return how much of each unit stays when a random group of patients, or of clusters, is left out: (groups, units).

    The patients of one cell fall into many groups, since they are as many draws as they are people.
    """
    if clustered:
        group = rng.permutation(n.size) % min(n.size, JACKKNIFE_GROUPS)
        return np.where(group[None, :] != np.arange(int(group.max()) + 1)[:, None], 1.0, 0.0)
    whole = np.floor(n + rng.random(n.size)).astype(np.int64)
    gone = rng.multinomial(whole, np.full(JACKKNIFE_GROUPS, 1 / JACKKNIFE_GROUPS)).T
    return np.asarray(np.maximum(1 - gone / n, 0.0))


def bootstrap(
    given: ComposeInput,
    estimator: Callable[[ComposeInput], Composition],
    *,
    replicates: int = 1_000,
    scheme: str = "poisson",
    by: str = "patient",
    standards: Sequence[str | Mapping[int, float]] = ("cohort",),
) -> Bootstrap:
    """Bootstrap every measure of any estimator, running it anew on every resample.

    Cells that hide unequal weights are first split so that resampling sees them. A resample that the estimator refuses
    counts as undefined. The acceleration of BCa comes from a jackknife over at most 100 groups of units.

    Parameters
    ----------
    given : the input, target population; its seed is the seed of the draws.
    estimator : for instance one of ``ESTIMATORS``.
    replicates, scheme, by, standards : as in :func:`bootstrap_e1`.

    Raises
    ------
    EstimationError : the target is the cohort itself, nobody is validated, or nothing can be drawn again.

    References
    ----------
    Efron B. JASA 1987;82:171-185. Rao JNK, Wu CFJ. JASA 1988;83:231-241.

    Examples
    --------
    >>> from sexstrat.estimates.naive import naive_threshold
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> found = bootstrap(worked_input(), naive_threshold, replicates=20)
    >>> found.estimator, found.replicates.shape
    ('naive_threshold', (20, 23))
    """
    plan = resampling_plan(given, replicates=replicates, scheme=scheme, by=by)
    # whole clusters are drawn, so that what a cell hides stays together anyway
    whole = given if plan.clusters is not None else replace(given, arrays=split_unequal(given.arrays))
    arrays = whole.arrays
    first = estimator(whole)
    names, _ = fixed_weights(given, standards)
    keys = measure_keys(len(given.bands), names)
    ages = first.by_band.n.sum(axis=1)
    unit, stratum = (np.arange(arrays.n.size), arrays.stratum) if plan.clusters is None else plan.clusters
    n = np.asarray(np.bincount(unit, weights=arrays.n), dtype=float)

    def values(times: Array) -> Array:
        made = estimator(replace(whole, arrays=resampled_arrays(arrays, times[unit])))
        return _composed(replace(made, cohort_ages=ages), standards, len(keys))

    rng = np.random.default_rng(given.seed)
    found = [values(times) for part in plan.multipliers(n, stratum, rng) for times in part]
    kept = _without_a_group(n, clustered=plan.clusters is not None, rng=rng)
    left_out = np.stack([values(times) for times in kept])
    usable = np.isfinite(left_out).all(axis=0)
    finite = np.where(usable, left_out, 0.0)
    apart = finite.mean(axis=0) - finite
    return Bootstrap(
        given=given,
        estimator=first.estimator,
        keys=keys,
        point=_composed(replace(first, cohort_ages=ages), standards, len(keys)),
        replicates=np.stack(found),
        acceleration=acceleration(apart),
        how=plan.sentence("estimator run anew"),
    )
