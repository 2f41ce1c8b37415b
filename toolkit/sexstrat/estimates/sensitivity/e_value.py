"""The E-value: how strong an unmeasured confounder would have to be; it says nothing about misclassified sex."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sexstrat.errors import EstimationError

__all__ = ["EValue", "e_value"]

WHY = (
    "The E-value addresses confounding, not misclassification of sex: errors of predicted sex can make or hide a "
    "difference whatever its size. It is printed only beside the analyses of misclassification."
)
ASSUMPTIONS = (
    "The confounder is binary or any other, equally associated with sex and with the disease as risk ratios, on top "
    "of what is already adjusted for.",
)
_SCALES = ("prevalence_ratio", "odds_ratio_rare", "odds_ratio_common")


@dataclass(frozen=True, slots=True, kw_only=True)
class EValue:
    """The E-value of a ratio and of the limit of its interval nearest 1.

    Parameters
    ----------
    measure : prevalence_ratio, odds_ratio_rare or odds_ratio_common.
    ratio, low, high : the ratio and its limits, as given; limits None where there is no interval.
    point : E-value of the ratio, at least 1.
    limit : E-value of the limit nearest 1; 1 when the interval holds 1, None without an interval.
    n : patients the ratio is about, or None when not given.
    state : ``companion``: never an estimate of its own.
    why, assumptions : for the report.
    """

    measure: str
    ratio: float
    low: float | None
    high: float | None
    point: float
    limit: float | None
    n: int | None = None
    state: str = "companion"
    why: str = WHY
    assumptions: tuple[str, ...] = ASSUMPTIONS

    def to_frame(self) -> pd.DataFrame:
        """Return one row."""
        names = ("measure", "ratio", "low", "high", "point", "limit", "n", "state")
        frame = pd.DataFrame([{name: getattr(self, name) for name in names}])
        numbers = ["ratio", "low", "high", "point", "limit"]
        return frame.astype({**dict.fromkeys(numbers, "Float64"), "n": "Int64"}).assign(note=self.why)


def _of(ratio: float) -> float:
    upward = ratio if ratio >= 1 else 1 / ratio
    return float(upward + np.sqrt(upward * (upward - 1)))


def e_value(
    ratio: float,
    low: float | None = None,
    high: float | None = None,
    *,
    measure: str = "prevalence_ratio",
    n: int | None = None,
) -> EValue:
    """Return the E-value: RR + sqrt(RR (RR - 1)), with RR turned over when below 1.

    The least strength, as a risk ratio with sex and with the disease alike, that an unmeasured confounder must have to
    explain the ratio away. A prevalence ratio and the odds ratio of a rare disease stand for RR; of a common disease
    (over 15 %) the square root of the odds ratio does.

    Parameters
    ----------
    ratio : the ratio, positive.
    low, high : its limits, both or neither.
    measure : prevalence_ratio, odds_ratio_rare or odds_ratio_common.
    n : patients it is about.

    Raises
    ------
    EstimationError : an unknown measure, a ratio or limit that is not positive, or limits that do not hold the ratio.

    References
    ----------
    VanderWeele TJ, Ding P. Ann Intern Med 2017;167:268-274, tables 1 and 2.

    Examples
    --------
    3.9 + sqrt(3.9 x 2.9) = 7.26 and 1.8 + sqrt(1.8 x 0.8) = 3.0, as in that paper.

    >>> found = e_value(3.9, 1.8, 8.7)
    >>> round(found.point, 2), round(found.limit, 2)
    (7.26, 3.0)
    >>> e_value(1.2, 0.9, 1.6).limit
    1.0
    """
    if measure not in _SCALES:
        raise EstimationError(f"no E-value for {measure!r}; there is one for {', '.join(_SCALES)}")
    if (low is None) != (high is None):
        raise EstimationError("give both limits of the ratio or neither")
    values = [value for value in (low, ratio, high) if value is not None]
    if not all(np.isfinite(value) and value > 0 for value in values) or sorted(values) != values:
        raise EstimationError(f"a ratio and its limits must be positive, finite and in order; found {values}")
    scale = 0.5 if measure == "odds_ratio_common" else 1.0
    limit = None
    if low is not None and high is not None:
        limit = _of(low**scale) if low > 1 else _of(high**scale) if high < 1 else 1.0
    return EValue(measure=measure, ratio=ratio, low=low, high=high, point=_of(ratio**scale), limit=limit, n=n)
