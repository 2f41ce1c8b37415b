"""What a bootstrap gives: replicates of every measure, and their intervals as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.resampling.bootstrap_intervals import BootstrapInterval, bca_interval, percentile_interval
from sexstrat.estimates.resampling.measure_vector import MeasureKey, carried_back

__all__ = ["INTERVALS", "Bootstrap"]

Array = NDArray[np.float64]

INTERVALS = ("bca", "percentile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    """Replicates of every measure.

    Parameters
    ----------
    given : the input that was resampled.
    estimator : name of the estimator.
    keys : what each measure is.
    point : every measure in the data, on the scale of its interval, shape (measures,).
    replicates : the same in every resample, shape (R, measures); NaN where it is undefined.
    acceleration : of BCa, by measure.
    how : what was resampled and what was held fixed, a sentence for the report.

    Examples
    --------
    >>> from sexstrat.estimates.resampling.bootstrap_e1 import bootstrap_e1
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> found = bootstrap_e1(worked_input(), replicates=300)
    >>> frame = found.intervals("percentile")
    >>> frame.loc[2, ["measure", "standard"]].tolist(), round(float(frame.loc[2, "point"]), 4)
    (['prevalence_ratio', 'crude'], 1.6667)
    """

    given: ComposeInput
    estimator: str
    keys: tuple[MeasureKey, ...]
    point: Array
    replicates: Array
    acceleration: Array
    how: str

    def intervals(self, kind: str = "bca") -> pd.DataFrame:
        """Return one row per measure.

        Parameters
        ----------
        kind : bca or percentile.

        Returns
        -------
        Point, standard error of the replicates on the measure's own scale, low and high (NaN where there are none, the
        note says why), replicates, how many were undefined, patients and validated patients, and the state:
        ``estimated``, ``no_interval`` or ``undefined``.

        Raises
        ------
        EstimationError : unknown kind.
        """
        if kind not in INTERVALS:
            raise EstimationError(f"no bootstrap interval {kind!r}; there are {', '.join(INTERVALS)}")
        return pd.DataFrame([self._row(index, kind) for index in range(len(self.keys))])

    def _interval(self, index: int, kind: str) -> BootstrapInterval:
        values, level = self.replicates[:, index], self.given.level
        if kind == "percentile":
            return percentile_interval(values, level=level)
        return bca_interval(
            values, point=float(self.point[index]), acceleration=float(self.acceleration[index]), level=level
        )

    def _row(self, index: int, kind: str) -> dict[str, Any]:
        key, found = self.keys[index], self._interval(index, kind)
        bands = self.given.bands
        rows = slice(None) if key.band is None else slice(key.band, key.band + 1)
        own = carried_back(key.scale, np.array([self.point[index], found.low, found.high], dtype=float))
        values = carried_back(key.scale, self.replicates[:, index])
        finite = values[np.isfinite(values)]
        defined = bool(np.isfinite(own[0]))
        without = found.low is None or not defined
        return {
            "measure": key.measure,
            "estimator": self.estimator,
            "condition": self.given.condition,
            "sex": key.sex,
            "age_low": None if key.band is None else bands.lows[key.band],
            "age_high": None if key.band is None else bands.highs[key.band],
            "standard": key.standard,
            "point": own[0] if defined else np.nan,
            "se": np.nan if without or finite.size < 2 else float(np.std(finite, ddof=1)),
            "low": np.nan if without else own[1],
            "high": np.nan if without else own[2],
            "level": self.given.level,
            "interval": kind,
            "n_replicates": self.replicates.shape[0],
            "n_undefined": found.n_undefined,
            "n_patients": round(float(self.given.arrays.n_patients[rows].sum())),
            "n_validated": round(float(self.given.arrays.n_validated[rows].sum())),
            "state": "undefined" if not defined else "no_interval" if without else "estimated",
            "note": found.note or None,
        }
