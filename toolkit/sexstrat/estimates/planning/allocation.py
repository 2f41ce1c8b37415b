"""Where to validate next: the whole numbers of patients in each stratum that make one interval narrowest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.estimates.planning.anticipated import Anticipated
from sexstrat.estimates.planning.neyman import Counts, allocate, proportional_allocation
from sexstrat.estimates.planning.planned_cells import PlannedCells
from sexstrat.estimates.planning.planning import anticipated_interval, share_gradient
from sexstrat.values.design import Target
from sexstrat.values.shown import Shown

__all__ = ["Allocation", "optimal_allocation"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation(Shown):
    """How a further number of patients to validate is spread over strata.

    Parameters
    ----------
    cells : the strata.
    total, proportional : validated in each stratum in the end: where they serve best, and in proportion to the patients
        not yet validated.
    expected, expected_proportional : the interval to expect of each.
    equivalent_further : how many further patients, spread in proportion, would give the same interval; None when not
        even all of them would.

    Examples
    --------
    >>> from sexstrat.estimates.planning.planned_cells import stated_cells
    >>> cells = stated_cells(patients=4000, prevalence=0.25, male_share=0.5, ratio=1.5, auc=0.9)
    >>> one = optimal_allocation(cells, further=400)
    >>> one.to_frame()["further"].tolist() == one.total.tolist()
    True
    """

    cells: PlannedCells
    total: Counts
    proportional: Counts
    expected: Anticipated
    expected_proportional: Anticipated
    equivalent_further: int | None

    @property
    def further(self) -> Counts:
        """Further patients to validate in each stratum."""
        return np.asarray(self.total - np.rint(self.cells.validated_now), dtype=np.int64)

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each stratum.

        ``further_probability`` is the chance with which a patient not yet validated is drawn;
        ``validation_probability`` is what the person table must then hold where everybody in the stratum had the same
        chance until now. Where the chance r differed it is r + (1 - r) x further_probability.
        """
        cells, before = self.cells, self.cells.validated_now
        nothing = np.full(cells.patients.size, np.nan)
        left = cells.patients - before
        return pd.DataFrame(
            {
                "age_band": [cells.labels[a] for a in cells.band],
                "diseased": cells.diseased.astype(bool),
                "score_low": nothing if cells.score_low is None else cells.score_low,
                "score_high": nothing if cells.score_high is None else cells.score_high,
                "patients": np.rint(cells.patients).astype(np.int64),
                "validated": np.rint(before).astype(np.int64),
                "further": self.further,
                "proportional": self.proportional - np.rint(before).astype(np.int64),
                "further_probability": np.divide(self.further, left, out=np.zeros_like(left), where=left > 0),
                "validation_probability": np.divide(
                    self.total, cells.patients, out=np.zeros_like(left), where=cells.patients > 0
                ),
            }
        )


def _equivalent(
    best: Anticipated, available: Counts, before: Counts, further: int, expect: Callable[[Counts], Anticipated]
) -> int | None:
    """Return how many further patients in proportion are worth as much as the best spread of fewer."""

    def reaches(more: int) -> bool:
        spread = proportional_allocation(available=available, validated=before, further=more)
        return expect(np.maximum(spread, np.minimum(available, 1))).se <= best.se

    low, high = further, int(available.sum() - before.sum()) - 1
    if low > high or not reaches(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle + 1, high)
    return low


def optimal_allocation(
    cells: PlannedCells,
    *,
    further: int,
    measure: str = "ratio",
    weights: Array | None = None,
    minimum: int = 0,
    level: float = 0.95,
    target: Target | str = Target.population,
) -> Allocation:
    """Return where a further number of patients is best validated, for the interval of one measure.

    Minimises the only part of E1's variance that validation can change: the sum over strata of
    (dg/dS)^2 E[w^2 (S - p)^2] N (N/m - 1), with S a patient's sex, N patients and m validated in the stratum. The best
    for one measure may be poor for another: the minimum keeps every cell fit for its own.

    Parameters
    ----------
    cells : the planned cohort, with its strata and who is validated already.
    further : how many more to validate.
    measure, weights, level, target : as in :func:`anticipated_interval`.
    minimum : fewest validated in each stratum in the end.

    Raises
    ------
    EstimationError : more wanted than there are, or too few for the minimum or for E1.

    References
    ----------
    Amorim G et al. Two-phase sampling designs for data validation. J R Stat Soc A 2021;184:1368-1389.

    Examples
    --------
    A diseased patient of 100 moves the log ratio by 0.0317, another of 300 by 0.01, and the score tells them about
    equally well: the diseased are a quarter of the patients and get about half of the validation.

    >>> from sexstrat.estimates.planning.planned_cells import stated_cells
    >>> cells = stated_cells(patients=4000, prevalence=0.25, male_share=0.5, ratio=1.5, auc=0.9)
    >>> optimal_allocation(cells, further=400).total.tolist()
    [196, 204]
    """
    available = np.floor(cells.patients + 1e-6).astype(np.int64)
    before = np.rint(cells.validated_now).astype(np.int64)
    gradient = share_gradient(cells, measure, weights)[cells.band, cells.diseased]
    n = cells.table(cells.n)[cells.band, cells.diseased]
    move = np.divide(gradient, n, out=np.zeros_like(n), where=n > 0)
    residual = cells.inflation * (cells.moments[0] - cells.moments[1])
    coefficient = move**2 * cells.n_variance * residual * cells.patients
    total = allocate(coefficient, available=available, validated=before, further=further, minimum=minimum)
    spread = proportional_allocation(available=available, validated=before, further=further)

    def expect(m: Counts) -> Anticipated:
        return anticipated_interval(
            cells, m.astype(float), measure=measure, weights=weights, level=level, target=target
        )

    best = expect(total)
    return Allocation(
        cells=cells,
        total=total,
        proportional=spread,
        expected=best,
        expected_proportional=expect(np.maximum(spread, np.minimum(available, 1))),
        equivalent_further=_equivalent(best, available, before, further, expect),
    )
