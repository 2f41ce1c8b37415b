"""What is wanted of an interval that is being planned: a width, or a power."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.contrasts import CONTRASTS
from sexstrat.estimates.planning.anticipated import MEASURES, Anticipated, is_ratio
from sexstrat.estimates.planning.planned_cells import PlannedCells
from sexstrat.estimates.planning.planning import anticipated_interval
from sexstrat.values.design import Target

__all__ = ["Goal"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is wanted of an interval; exactly one of width and power.

    Parameters
    ----------
    measure : one of ``MEASURES``.
    width : at most this: upper over lower limit of a ratio (above 1), upper minus lower of anything else (above 0).
    power : at least this, between the size of the test and 1.
    weights : of the age bands, or None for all ages as they are.
    level : confidence level.
    target : population or cohort.

    Raises
    ------
    EstimationError : both or neither wanted, or a value that nothing can reach.

    Examples
    --------
    >>> Goal(measure="ratio", width=1.5).words
    'an upper limit at most 1.5 times the lower'
    """

    measure: str
    width: float | None = None
    power: float | None = None
    weights: Array | None = None
    level: float = 0.95
    target: Target = Target.population

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise EstimationError(f"no measure {self.measure!r} to plan for; there are {', '.join(MEASURES)}")
        if (self.width is None) == (self.power is None):
            raise EstimationError("want one of width and power, not both or neither")
        if self.width is not None:
            self._check_width(self.width)
        if self.power is not None and self.measure not in CONTRASTS:
            raise EstimationError(
                f"power is of a comparison of the sexes ({', '.join(CONTRASTS)}); found measure {self.measure}"
            )
        if self.power is not None and not 1 - self.level < self.power < 1:
            raise EstimationError(
                f"the power must lie between {1 - self.level:g}, what no difference reaches, and 1; "
                f"found {self.power:g}"
            )

    def _check_width(self, width: float) -> None:
        lowest = 1 if is_ratio(self.measure) else 0
        if not lowest < width < math.inf:
            what = "the width of a ratio is its upper over its lower limit, so above 1"
            other = "the width is the upper minus the lower limit, so above 0"
            raise EstimationError(f"{what if lowest else other}; found {width:g}")

    @property
    def words(self) -> str:
        """The goal in words."""
        if self.power is not None:
            return f"power {100 * self.power:g}%"
        if is_ratio(self.measure):
            return f"an upper limit at most {self.width:g} times the lower"
        return f"a width of at most {100 * (self.width or 0):g} percentage points"

    @property
    def short(self) -> str:
        """The goal in two or three words, for a table."""
        if self.power is not None:
            return f"power {100 * self.power:g}%"
        return f"width {self.width:g}" if is_ratio(self.measure) else f"width {100 * (self.width or 0):g} points"

    def expected(self, cells: PlannedCells, validated: float | Array) -> Anticipated:
        """Return the interval to expect."""
        return anticipated_interval(
            cells, validated, measure=self.measure, weights=self.weights, level=self.level, target=self.target
        )

    def met(self, found: Anticipated) -> bool:
        """Tell whether an interval is as wanted."""
        if self.width is not None:
            return found.width <= self.width
        return found.power is not None and self.power is not None and found.power >= self.power

    def reached_words(self, found: Anticipated) -> str:
        """Say in words what an interval reaches of what was wanted."""
        if self.power is not None:
            return f"the power is {100 * (found.power or 0):.1f}%"
        if found.on_log:
            return f"the upper limit is {found.width:.3f} times the lower"
        return f"the width is {100 * found.width:.2f} percentage points"
