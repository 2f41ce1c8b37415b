"""The share of truly male patients behind a share recorded male, when records have a stated error rate."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.clustered_margin import ClusteredMargin
from sexstrat.estimates.composition import Margin
from sexstrat.estimates.estimate_rows import Place

__all__ = ["ASSUMPTIONS", "OUTSIDE", "WHY", "RecordingError", "misrecorded_margin", "misrecorded_place"]

Array = NDArray[np.float64]

WHY = (
    "Recorded sex is an administrative record and is taken to be wrong at the stated rates, which these data do not "
    "tell; the score's correction is to the record, and this one from the record to the truth."
)
ASSUMPTIONS = (
    "A record of sex is wrong at the stated rates whatever the disease (unless rates by disease are given), age and "
    "score, independently between patients.",
)
OUTSIDE = "more records would be wrong than the share of one sex allows in a cell that is used here"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingError:
    """How often a recorded sex is wrong.

    Parameters
    ----------
    men : share of men recorded female.
    women : share of women recorded male.

    Raises
    ------
    EstimationError : a share outside 0 to 1, or records no better than chance (a sum of 1 or more).

    Examples
    --------
    >>> RecordingError.common(0.01)
    RecordingError(men=0.01, women=0.01)
    """

    men: float
    women: float

    def __post_init__(self) -> None:
        if not (0 <= self.men <= 1 and 0 <= self.women <= 1 and self.men + self.women < 1):
            raise EstimationError(
                "recording errors must lie between 0 and 1 and add up to less than 1; found "
                f"{self.men} and {self.women}"
            )

    @classmethod
    def common(cls, rate: float) -> RecordingError:
        """Return the same rate for both sexes."""
        return cls(men=rate, women=rate)


def misrecorded_margin(margin: Margin, error: RecordingError, *, diseased: RecordingError | None = None) -> Margin:
    """Return the margin of true sexes: pi = (pi_recorded - e_women) / (1 - e_men - e_women), cell by cell.

    A linear map, so that every part of the covariance is divided by the products of 1 - e_men - e_women. For the very
    cohort the chance of the cohort's own records is added: {pi e_men (1 - e_men) + (1 - pi) e_women (1 - e_women)} / N
    over (1 - e_men - e_women)^2.

    Parameters
    ----------
    margin : shares recorded male, by band or of all ages.
    error : how often a record is wrong.
    diseased : the same in the diseased where it differs there; None for the same.

    Returns
    -------
    The margin; a cell whose share would leave 0 to 1 has NaN.

    References
    ----------
    Rogan WJ, Gladen B. Am J Epidemiol 1978;107:71-76.

    Examples
    --------
    Of the records 51 % and 60 % say male, 5 % of either sex are wrong: .46 / .9 and .55 / .9.

    >>> one = np.array([[200.0, 90.0]])
    >>> margin = Margin(
    ...     n=one,
    ...     n_variance=one,
    ...     n_patients=one,
    ...     n_validated=one,
    ...     effective_validated=one,
    ...     pi=np.array([[0.51, 0.60]]),
    ...     covariance=np.diag([0.0081, 0.0081]),
    ... )
    >>> found = misrecorded_margin(margin, RecordingError.common(0.05))
    >>> found.pi.round(6).tolist(), found.covariance.diagonal().round(6).tolist()
    ([[0.511111, 0.611111]], [0.01, 0.01])
    """
    ill = error if diseased is None else diseased
    men, women = np.array([error.men, ill.men]), np.array([error.women, ill.women])
    kept = 1 - men - women
    pi = (margin.pi - women) / kept
    pi = np.where((pi >= 0) & (pi <= 1), pi, np.nan)
    scale = np.tile(kept, margin.pi.shape[0])
    scale = np.outer(scale, scale)
    covariance = margin.covariance / scale
    if not margin.sampled:
        squares = np.divide(margin.n_variance, margin.n**2, out=np.zeros_like(margin.n), where=margin.n > 0)
        chance = (pi * men * (1 - men) + (1 - pi) * women * (1 - women)) * squares / kept**2
        covariance = covariance + np.diag(np.nan_to_num(chance).ravel())
    return replace(
        margin.times(1 / np.tile(kept, margin.pi.shape[0])) if isinstance(margin, ClusteredMargin) else margin,
        pi=pi,
        covariance=covariance,
        within=None if margin.within is None else margin.within / scale,
        between=None if margin.between is None else margin.between / scale + (covariance - margin.covariance / scale),
        counted=margin.counted and not (men.any() or women.any()),
        variance_df=np.full(pi.shape, np.inf) if margin.counted else margin.variance_df,
    )


def misrecorded_place(place: Place, error: RecordingError, *, diseased: RecordingError | None = None) -> Place:
    """Return a place with its shares corrected for errors of recorded sex, state ``bias_analysis``.

    Where the stated rates would leave a share outside 0 to 1 in a cell that is used, the state is ``refused``.

    Parameters
    ----------
    place : where in a composition of recorded sexes, by any estimator.
    error, diseased : as for :func:`misrecorded_margin`.

    Examples
    --------
    Half of the well are recorded male whatever the common rate; of the diseased 2/3: (2/3 - .1) / .8.

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.places import crude_place
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> place = crude_place(compose(worked_cells(), bands=worked_bands(), design="random"))
    >>> found = misrecorded_place(place, RecordingError.common(0.1))
    >>> found.state, found.margin.pi.round(4).tolist()
    ('bias_analysis', [[0.5, 0.7083]])
    """
    if place.state == "refused" or place.source.state == "refused":
        return place
    margin = misrecorded_margin(place.margin, error, diseased=diseased)
    used = place.weights > 0
    if np.isnan(margin.pi[used][margin.n[used] > 0]).any():
        return replace(place, margin=margin, state="refused", note=OUTSIDE)
    return replace(place, margin=margin, state="bias_analysis")
