"""E1 of a complex sample: the shares stay, their variance counts sampling units within strata instead of patients."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.compose_input import ComposeInput, refused
from sexstrat.estimates.composition import Composition, Margin, Uncertainty
from sexstrat.estimates.recalibration import cross_fitted
from sexstrat.estimates.sampling_units import ClusterTotals, PatientMoments, sampling_units
from sexstrat.estimates.share_influence import ShareInfluence, share_influence

__all__ = ["ClusteredMargin", "ClusteredVariance", "clustered_composition", "clustered_variance"]

Array = NDArray[np.float64]

FEW_DF = (
    30  # below it a cluster-robust variance is commonly too small (Cameron AC, Miller DL. J Hum Resour 2015;50:317)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteredVariance:
    """The variance of a measure over sampling units.

    Parameters
    ----------
    variance : of the measure; covers how its shares and its counts move together.
    df : units with validated patients of the cells it uses, less their strata; below 1 there is no interval.
    n_units, n_strata : units and strata of the sample.
    note : how lonely units were handled, or "".
    """

    variance: float
    df: int
    n_units: int
    n_strata: int
    note: str = ""


def _measured(
    units: ClusterTotals | PatientMoments, influence: ShareInfluence, by_pi: Array, by_n: Array, lonely: str
) -> ClusteredVariance:
    g, h = np.ravel(by_pi), np.ravel(by_n)
    found = units.variance(influence.coefficients(g[None, :], h[None, :]), lonely)
    used = ((g != 0) | (h != 0)) @ influence.counts > 0
    return ClusteredVariance(
        variance=max(float(found.covariance[0, 0]), 0.0),
        df=units.degrees_of_freedom(used),
        n_units=found.n_units,
        n_strata=found.n_strata,
        note=found.note,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteredMargin(Margin):
    """A margin whose measures vary as sampling units do; everything else is that of :class:`Margin`.

    Parameters
    ----------
    units : what each unit adds to every cell.
    influence : how shares and counts move with it.
    lonely : how strata of one unit are handled.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells, worked_input
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random", method="E1")
    >>> found = clustered_composition(worked_input(), one).overall
    >>> isinstance(found, ClusteredMargin), found.pi.round(4).tolist()
    (True, [[0.5, 0.6667]])
    """

    units: ClusterTotals | PatientMoments
    influence: ShareInfluence
    lonely: str = "centred"

    def uncertainty(self, gradient_pi: Array, gradient_n: Array) -> Uncertainty:
        """Return the variance of a measure over units; df as for independent patients, at most units less strata."""
        found = _measured(self.units, self.influence, gradient_pi, gradient_n, self.lonely)
        if found.df < 1:  # nothing shows how units differ: no variance, so that no interval is made of it
            return Uncertainty(variance=0.0, df=1.0, reason="no interval: as many strata as sampling units here")
        plain = Margin.uncertainty(self, gradient_pi, gradient_n)
        return Uncertainty(variance=found.variance, df=min(plain.df, float(found.df)))


def _clustered_margin(
    margin: Margin, units: ClusterTotals | PatientMoments, influence: ShareInfluence, lonely: str
) -> ClusteredMargin:
    shares = np.eye(influence.pi.size)
    covariance = units.variance(influence.coefficients(shares, np.zeros_like(shares)), lonely).covariance
    n_variance, effective = margin.n_variance, margin.effective_validated
    if isinstance(units, ClusterTotals):
        # Read only where a share is 0 or 1: a cluster then counts as one person, however alike its people are.
        n_variance = np.einsum("cg,sg->cs", units.totals[:, :, 2], influence.counts)
        n_variance = np.maximum((n_variance**2).sum(axis=0).reshape(margin.n.shape), margin.n_variance)
        holding = (units.validated @ influence.counts.T > 0).sum(axis=0).reshape(margin.n.shape)
        effective = np.minimum(effective, holding)
    fields = {name: getattr(margin, name) for name, one in Margin.__dataclass_fields__.items() if one.init}
    fields |= {"covariance": covariance, "n_variance": n_variance, "effective_validated": effective}
    return ClusteredMargin(**fields, units=units, influence=influence, lonely=lonely)


def clustered_variance(
    given: ComposeInput, gradient_pi: Array, gradient_n: Array, *, by: str = "psu", lonely: str = "centred"
) -> ClusteredVariance:
    """Return the variance of a smooth measure g(pi, N) of E1 over sampling units within strata.

    Each unit scores the sum over its patients of dg/dpi (psi - pi) w / N + dg/dN w, psi = p + (R / r)(S - p); the
    variance is that of the sum of scores, so that shares and counts may move together. Assumes that units are
    independent and drawn with replacement; r must be right for patients one by one, but validation may run in units.

    Parameters
    ----------
    given : the input, target population.
    gradient_pi, gradient_n : derivatives of the measure, shape (A, 2) by band, or (1, 2) for all ages.
    by : psu or site.
    lonely : how a stratum of one unit is handled: centred, average or certainty.

    References
    ----------
    Binder DA. Int Stat Rev 1983;51:279-292. Liang KY, Zeger SL. Biometrika 1986;73:13-22.

    Examples
    --------
    The share of men among the 800 patients without the disease, half of them validated, variance of psi over 800:

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> found = clustered_variance(worked_input(), np.array([[1.0, 0.0]]), np.zeros((1, 2)))
    >>> found.n_units, found.df, round(found.variance * 800, 2)
    (1100, 399, 0.41)
    """
    p = cross_fitted(given.arrays)
    by_band = np.shape(gradient_pi)[0] == len(given.bands) != 1
    influence = share_influence(given.arrays, p, by_band=by_band)
    return _measured(sampling_units(given.arrays, p, by), influence, gradient_pi, gradient_n, lonely)


def clustered_composition(
    given: ComposeInput, one: Composition, *, by: str = "psu", lonely: str = "centred"
) -> Composition:
    """Return an E1 composition whose every interval counts sampling units within strata.

    With one patient a unit and one stratum it is E1's own variance times n / (n - 1). For the target ``cohort`` only
    who was validated is random, patient by patient, so that clusters change nothing and the composition stays.

    Parameters
    ----------
    given : the input the composition was made from.
    one : E1's composition.
    by : psu (within strata; patients themselves where no unit is named) or site.
    lonely : how a stratum of one unit is handled: centred, average or certainty.

    Returns
    -------
    The composition with margins by unit and warnings on lonely and few units; refused where there are no more units
    than strata.

    Raises
    ------
    EstimationError : some patients name a unit and others none.

    References
    ----------
    Binder DA. Int Stat Rev 1983;51:279-292.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells, worked_input
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random", method="E1")
    >>> found = clustered_composition(worked_input(), one)
    >>> bool(abs(found.crude_covariance[0, 0] / one.crude_covariance[0, 0] - 1100 / 1099) < 1e-9)
    True
    """
    if one.state == "refused" or not given.sampled:
        return one
    p = cross_fitted(given.arrays)
    units = sampling_units(given.arrays, p, by)
    whole, banded = (share_influence(given.arrays, p, by_band=by_band) for by_band in (False, True))
    found = units.variance(whole.coefficients(np.eye(2), np.zeros((2, 2))), lonely)
    if found.df < 1:
        reason = f"{found.n_units} sampling units in {found.n_strata} strata: nothing shows how units differ"
        return refused(given, one.estimator, f"No corrected estimate: {reason}.")
    few = found.df < FEW_DF
    warnings = [f"{found.note[0].upper()}{found.note[1:]}."] if found.note else []
    if few:
        warnings.append(
            f"The variance rests on {found.n_units} sampling units in {found.n_strata} strata: so few leave it "
            "uncertain itself, which the t intervals allow for only in part."
        )
    return replace(
        one,
        overall=_clustered_margin(one.overall, units, whole, lonely),
        by_band=_clustered_margin(one.by_band, units, banded, lonely),
        warnings=(*one.warnings, *warnings),
        diagnostics={**one.diagnostics, "sampling_units": found.n_units, "sampling_strata": found.n_strata},
    )
