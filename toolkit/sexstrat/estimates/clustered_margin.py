"""Shares whose measures vary as sampling units within strata do, whatever estimator made them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.compose_input import ComposeInput, refused
from sexstrat.estimates.composition import Composition, Margin, Uncertainty
from sexstrat.estimates.numbers.linearisation import StratifiedVariance
from sexstrat.estimates.unit_scores import PatientScores, UnitScores

__all__ = ["ClusteredMargin", "Scores", "clustered_margin", "over_units", "total_variance", "units_used"]

Array = NDArray[np.float64]
Scores = UnitScores | PatientScores

LONELY = "centred"
FEW_DF = (
    30  # below it a cluster-robust variance is commonly too small (Cameron AC, Miller DL. J Hum Resour 2015;50:317)
)
NO_INTERVAL = "no interval: as many strata as sampling units here"


def total_variance(samples: Sequence[Scores], gradients: Array, lonely: str = LONELY) -> StratifiedVariance:
    """Return the covariance of k measures over independent samples, with the fewest degrees of freedom of them.

    Parameters
    ----------
    samples : scores of each sample.
    gradients : derivatives with respect to shares and counts, shape (k, 2 x shares).
    lonely : how strata of one unit are handled.

    Examples
    --------
    Two units that move a share by +-1/2 give 2 x (1/4 + 1/4); two such samples twice that.

    >>> units = dict(totals=np.array([[0.5, 0.0], [-0.5, 0.0]]), stratum=np.zeros(2, dtype=int))
    >>> one = UnitScores(**units, holding=np.ones((2, 1), dtype=bool))
    >>> round(float(total_variance([one, one], np.array([[1.0, 0.0]])).covariance[0, 0]), 9)
    2.0
    """
    found = [one.variance(gradients, lonely) for one in samples]
    fewest = min(found, key=lambda one: one.df)
    notes = "; ".join(dict.fromkeys(one.note for one in found if one.note))
    return replace(fewest, covariance=np.sum([one.covariance for one in found], axis=0), note=notes)


def units_used(samples: Sequence[Scores], used: NDArray[np.bool_]) -> int:
    """Return the degrees of freedom of measures of some shares: the fewest over samples.

    Parameters
    ----------
    samples : scores of each sample.
    used : which shares a measure uses.

    Examples
    --------
    >>> units = dict(totals=np.zeros((3, 2)), stratum=np.zeros(3, dtype=int))
    >>> units_used([UnitScores(**units, holding=np.array([[True], [True], [False]]))], np.array([True]))
    1
    """
    return min(one.degrees_of_freedom(used) for one in samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteredMargin(Margin):
    """A margin whose measures vary as sampling units do; everything else is that of :class:`Margin`.

    Parameters
    ----------
    samples : scores of the units of the cohort, and of the people who taught a model where they are others.
    lonely : how strata of one unit are handled.

    Examples
    --------
    >>> from sexstrat.estimates.clustered_composition import clustered_composition
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells, worked_input
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random", method="E1")
    >>> found = clustered_composition(worked_input(), one).overall
    >>> type(found).__name__, found.pi.round(4).tolist()
    ('ClusteredMargin', [[0.5, 0.6667]])
    """

    samples: tuple[Scores, ...]
    lonely: str = LONELY

    def uncertainty(self, gradient_pi: Array, gradient_n: Array) -> Uncertainty:
        """Return the variance of a measure over units; df as for independent patients, at most units less strata."""
        df = self.units_df(gradient_pi, gradient_n)
        if df < 1:  # nothing shows how units differ: no variance, so that no interval is made of it
            return Uncertainty(variance=0.0, df=1.0, reason=NO_INTERVAL)
        variance = self.units_variance(gradient_pi, gradient_n)
        plain = Margin.uncertainty(self, gradient_pi, gradient_n)
        return Uncertainty(variance=variance, df=min(plain.df, float(df)))

    def units_variance(self, gradient_pi: Array, gradient_n: Array) -> float:
        """Return the linearised variance of a measure over units, shares and counts together."""
        along = np.concatenate([np.ravel(gradient_pi), np.ravel(gradient_n)])[None, :]
        return max(float(total_variance(self.samples, along, self.lonely).covariance[0, 0]), 0.0)

    def units_df(self, gradient_pi: Array, gradient_n: Array) -> int:
        """Return units less strata of those who tell of the shares that a measure uses."""
        return units_used(self.samples, (np.ravel(gradient_pi) != 0) | (np.ravel(gradient_n) != 0))

    def joint_covariance(self) -> Array:
        """Return the linearised covariance of the shares and then the counts, shape (2 x shares, 2 x shares)."""
        return total_variance(self.samples, np.eye(2 * self.pi.size), self.lonely).covariance

    def times(self, factor: Array) -> ClusteredMargin:
        """Return the margin with the scores of its shares multiplied, shape (shares,); the shares themselves stay."""
        both = np.concatenate([factor, np.ones_like(factor)])
        return replace(self, samples=tuple(one.times(both) for one in self.samples))


def clustered_margin(margin: Margin, samples: tuple[Scores, ...], lonely: str = LONELY) -> ClusteredMargin:
    """Return a margin that varies over units: those of the cohort come first.

    Parameters
    ----------
    margin : shares of men.
    samples : scores of their units.
    lonely : how strata of one unit are handled.

    Examples
    --------
    Two units move the share of the well by +-1/2: variance 2 x (1/4 + 1/4).

    >>> one = np.full((1, 2), 8.0)
    >>> fields = dict(n=one, n_variance=one, n_patients=one, n_validated=one, effective_validated=one)
    >>> margin = Margin(**fields, pi=np.full((1, 2), 0.5), covariance=np.eye(2) / 32)
    >>> moved = np.array([[0.5, 0.0, 4.0, 4.0], [-0.5, 0.0, 4.0, 4.0]])
    >>> units = UnitScores(totals=moved, stratum=np.zeros(2, dtype=int), holding=np.ones((2, 2), dtype=bool))
    >>> found = clustered_margin(margin, (units,))
    >>> round(float(found.covariance[0, 0]), 9), found.effective_validated.tolist(), found.n_variance.tolist()
    (1.0, [[2.0, 2.0]], [[32.0, 32.0]])
    """
    shares = margin.pi.size
    covariance = total_variance(samples, np.eye(shares, 2 * shares), lonely).covariance
    n_variance, effective, own = margin.n_variance, margin.effective_validated, samples[0]
    if isinstance(own, UnitScores):
        # Read only where a share is 0 or 1: a cluster then counts as one person, however alike its people are.
        n_variance = np.maximum((own.totals[:, shares:] ** 2).sum(axis=0).reshape(margin.n.shape), margin.n_variance)
        effective = np.minimum(effective, own.holding.sum(axis=0).reshape(margin.n.shape))
    fields = {name: getattr(margin, name) for name, one in Margin.__dataclass_fields__.items() if one.init}
    fields |= {"covariance": covariance, "n_variance": n_variance, "effective_validated": effective}
    return ClusteredMargin(**fields, samples=samples, lonely=lonely)


def over_units(
    given: ComposeInput, one: Composition, by_band: ClusteredMargin, overall: ClusteredMargin
) -> Composition:
    """Return a composition with margins that vary over units, and what a reader must know of the units.

    Parameters
    ----------
    given : the input.
    one : the composition whose margins counted patients.
    by_band, overall : its margins over units.

    Returns
    -------
    The composition; refused where there are no more units than strata.

    References
    ----------
    Binder DA. Int Stat Rev 1983;51:279-292.

    Examples
    --------
    Counting 1,100 patients of seven units:

    >>> from sexstrat.estimates.naive import complete_case
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> given = replace(given, arrays=replace(given.arrays, psu=np.arange(given.arrays.n.size) % 7))
    >>> found = complete_case(given)
    >>> found.diagnostics, found.warnings[0][:41]
    ({'sampling_units': 7, 'sampling_strata': 1}, 'The variance rests on 7 sampling units in')
    """
    found = total_variance(overall.samples, np.eye(2, 4), overall.lonely)
    if found.df < 1:
        reason = f"{found.n_units} sampling units in {found.n_strata} strata: nothing shows how units differ"
        return refused(given, one.estimator, f"No estimate: {reason}.")
    warnings = [f"{found.note[0].upper()}{found.note[1:]}."] if found.note else []
    if found.df < FEW_DF:
        warnings.append(
            f"The variance rests on {found.n_units} sampling units in {found.n_strata} strata: so few leave it "
            "uncertain itself, which the t intervals allow for only in part."
        )
    return replace(
        one,
        overall=overall,
        by_band=by_band,
        warnings=(*one.warnings, *warnings),
        diagnostics={**one.diagnostics, "sampling_units": found.n_units, "sampling_strata": found.n_strata},
    )
