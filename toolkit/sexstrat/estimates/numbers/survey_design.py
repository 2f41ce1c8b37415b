"""How people came into a complex sample, and what one figure of it says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.numbers.linearisation import LONELY_UNITS

__all__ = ["SurveyDesign", "SurveyEstimate"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SurveyDesign:
    """How people came into a sample.

    Parameters
    ----------
    weight : survey weight of each person, above 0; one over the probability of inclusion, up to a constant.
    stratum : stratum of each person; None for one stratum.
    psu : primary sampling unit, its name counted within the stratum; None when people were drawn one by one.
    lonely : what a stratum with one unit adds: centred, average or certainty (``LONELY_UNITS``).

    Raises
    ------
    EstimationError : unequal lengths, a weight that is not above 0, or an unknown way to handle lonely units.

    Examples
    --------
    >>> SurveyDesign(weight=[1.0, 2.0], psu=["a", "b"]).lonely
    'centred'
    """

    weight: ArrayLike
    stratum: ArrayLike | None = None
    psu: ArrayLike | None = None
    lonely: str = "centred"

    def __post_init__(self) -> None:
        w = np.asarray(self.weight, dtype=float)
        if w.ndim != 1 or w.size == 0 or not bool((np.isfinite(w) & (w > 0)).all()):
            raise EstimationError("every person needs a survey weight above 0; leave out those not in the sample")
        for name in ("stratum", "psu"):
            keys = getattr(self, name)
            if keys is not None and np.asarray(keys).shape != w.shape:
                raise EstimationError(f"{name} must name one value per person: {w.size}, not {np.asarray(keys).size}")
        if self.lonely not in LONELY_UNITS:
            raise EstimationError(
                f"no way {self.lonely!r} to handle a lonely unit; there are {', '.join(LONELY_UNITS)}"
            )

    def units(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return each person's unit as an integer code, and the stratum of each unit."""
        n = np.asarray(self.weight).size
        stratum = np.zeros(n, dtype=int) if self.stratum is None else np.unique(self.stratum, return_inverse=True)[1]
        own = np.arange(n) if self.psu is None else np.unique(self.psu, return_inverse=True)[1]
        pairs, code = np.unique(np.column_stack([stratum, own]), axis=0, return_inverse=True)
        return code.reshape(-1).astype(np.int64), pairs[:, 0].astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyEstimate:
    """A figure of a complex sample.

    Parameters
    ----------
    point : the figure; None when it is not defined.
    se : standard error, None where the units show none.
    low, high : t interval on ``df``, on the logit scale for a proportion; None where the state says why.
    df : units - strata among those with people of the domain.
    n : people of the domain.
    n_units, n_strata : units and strata with people of the domain.
    state : estimated; ``no_interval``: a point without interval; ``undefined``: no point.
    note : why there is no interval or no point, and how lonely units were handled; "" when there is nothing to say.
    level : confidence level.
    """

    point: float | None
    se: float | None
    low: float | None
    high: float | None
    df: int
    n: int
    n_units: int
    n_strata: int
    state: str
    note: str
    level: float
