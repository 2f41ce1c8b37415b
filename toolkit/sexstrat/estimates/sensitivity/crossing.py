"""Where a ratio, and the limits of its interval, pass 1 as one unknown moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq

from sexstrat.errors import EstimationError

__all__ = ["CURVES", "Crossings", "crossings", "grid_of"]

Array = NDArray[np.float64]
Row = Mapping[str, Any]

CURVES = ("point", "low", "high")
_TOLERANCE = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossings:
    """A ratio along a grid, and the values at which it or a limit equals 1.

    Parameters
    ----------
    frame : figure data: value, point, low, high, excludes_one, state and note, one row a grid value.
    roots : values at which each of point, low and high equals 1, rising.
    includes_one : the interval holds 1 where nothing is assumed; None where there is no interval.
    """

    frame: pd.DataFrame
    roots: Mapping[str, tuple[float, ...]]
    includes_one: bool | None

    @property
    def tipping(self) -> float | None:
        """The value nearest 0 at which a limit equals 1, so that the interval comes to include or to exclude 1."""
        limits = [value for name in ("low", "high") for value in self.roots[name]]
        return min(limits, key=abs) if limits else None


def grid_of(limit: float, steps: int, *, both_sides: bool = True) -> Array:
    """Return an even grid from -limit (or 0) to limit that holds 0 exactly.

    Parameters
    ----------
    limit : its end, positive.
    steps : intervals on each side of 0, at least 2.
    both_sides : also below 0.

    Raises
    ------
    EstimationError : a limit that is not positive, or fewer than two steps.

    Examples
    --------
    >>> grid_of(1.0, 2).tolist()
    [-1.0, -0.5, 0.0, 0.5, 1.0]
    """
    if not (np.isfinite(limit) and limit > 0 and steps >= 2):
        raise EstimationError(f"a grid needs a positive limit and at least 2 steps; found {limit} and {steps}")
    return np.asarray(np.arange(-steps if both_sides else 0, steps + 1) * (limit / steps), dtype=np.float64)


def _logs(row: Row, name: str) -> float:
    value = row.get(name)
    return float(np.log(value)) if value is not None and np.isfinite(value) and value > 0 else np.nan


def _roots(ratio_at: Callable[[float], Row], name: str, grid: Array, values: Array) -> tuple[float, ...]:
    found = [float(at) for at, value in zip(grid, values, strict=True) if value == 0]
    for (a, fa), (b, fb) in pairwise(zip(grid, values, strict=True)):
        if fa * fb < 0:  # NaN compares false: no root is sought where there is no number
            found.append(float(brentq(lambda x: _logs(ratio_at(x), name), a, b, xtol=_TOLERANCE)))
    return tuple(sorted(found))


def crossings(ratio_at: Callable[[float], Row], grid: Array) -> Crossings:
    """Return a ratio with its interval along a grid, and by root finding where each passes 1.

    Between two neighbouring grid values a curve is taken to pass 1 at most once.

    Parameters
    ----------
    ratio_at : gives the estimate row (point, low, high, state, note) at a value.
    grid : rising values, 0 among them.

    Examples
    --------
    A ratio exp(0.5 - x) with limits a factor exp(0.3) away: the lower one is 1 at 0.2, the upper at 0.8.

    >>> def ratio_at(x):
    ...     return {"point": np.exp(0.5 - x), "low": np.exp(0.2 - x), "high": np.exp(0.8 - x), "state": "example"}
    >>> found = crossings(ratio_at, grid_of(1.0, 4))
    >>> round(found.tipping, 6), round(found.roots["point"][0], 6), found.includes_one
    (0.2, 0.5, False)
    """
    rows = [dict(ratio_at(float(value))) for value in grid]
    curves = {name: np.array([_logs(row, name) for row in rows]) for name in CURVES}
    roots = {name: _roots(ratio_at, name, grid, values) for name, values in curves.items()}
    inside = [bool(low <= 0 <= high) for low, high in zip(curves["low"], curves["high"], strict=True)]
    told = [
        bool(np.isfinite(low) and np.isfinite(high)) for low, high in zip(curves["low"], curves["high"], strict=True)
    ]
    frame = pd.DataFrame({"value": grid, **{name: np.exp(values) for name, values in curves.items()}})
    frame["excludes_one"] = pd.array([not a if b else None for a, b in zip(inside, told, strict=True)], dtype="boolean")
    frame["state"] = [row.get("state") for row in rows]
    frame["note"] = [row.get("note") for row in rows]
    zero = int(np.argmin(np.abs(grid)))
    return Crossings(
        frame=frame.astype(dict.fromkeys(CURVES, "Float64")),
        roots=roots,
        includes_one=inside[zero] if told[zero] else None,
    )
