"""E1 of a complex sample: the shares stay, their variance counts sampling units within strata instead of patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.clustered_margin import LONELY, clustered_margin, over_units, total_variance, units_used
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.recalibration import cross_fitted
from sexstrat.estimates.sampling_units import sampling_units
from sexstrat.estimates.share_influence import share_influence

__all__ = ["ClusteredVariance", "clustered_composition", "clustered_variance"]

Array = NDArray[np.float64]


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


def clustered_variance(
    given: ComposeInput, gradient_pi: Array, gradient_n: Array, *, by: str = "psu", lonely: str = LONELY
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
    units = sampling_units(given.arrays, p, by).scores(influence)
    along = np.concatenate([np.ravel(gradient_pi), np.ravel(gradient_n)])[None, :]
    found = total_variance([units], along, lonely)
    return ClusteredVariance(
        variance=max(float(found.covariance[0, 0]), 0.0),
        df=units_used([units], (np.ravel(gradient_pi) != 0) | (np.ravel(gradient_n) != 0)),
        n_units=found.n_units,
        n_strata=found.n_strata,
        note=found.note,
    )


def clustered_composition(
    given: ComposeInput, one: Composition, *, by: str = "psu", lonely: str = LONELY
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
    whole, banded = (units.scores(share_influence(given.arrays, p, by_band=by_band)) for by_band in (False, True))
    by_band, overall = clustered_margin(one.by_band, (banded,), lonely), clustered_margin(one.overall, (whole,), lonely)
    return over_units(given, one, by_band, overall)
