"""One measure simulated over draws of an unknown error: median, interval, and the draws that were impossible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["LARGEST_IMPOSSIBLE", "WARNED_IMPOSSIBLE", "SimulatedMeasure"]

Array = NDArray[np.float64]

# Conventions of this project. Draws that the data rule out are evidence against the stated priors: leaving them out in
# silence replaces the priors by others that nobody stated.
WARNED_IMPOSSIBLE = 0.10
LARGEST_IMPOSSIBLE = 0.50


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedMeasure:
    """The draws of one contrast at one place.

    Parameters
    ----------
    measure : name of the contrast, as in the contract of estimates.
    on_log : the draws are logarithms.
    place : keys of the row: condition, age_low, age_high, standard, n_patients, n_diseased and the like.
    systematic : draws that vary with the unknown error alone, shape (kept,).
    total : the same with random error added.
    draws : number drawn, impossible ones included.
    impossible : share of all draws that are impossible, by reason.
    level : mass of the interval.
    refused : why there is no number here, or "".
    without_correction : the contrast with no error assumed, on its own scale, or None where it is not defined.

    Examples
    --------
    >>> one = SimulatedMeasure(
    ...     measure="prevalence_difference",
    ...     on_log=False,
    ...     place={"standard": "crude"},
    ...     systematic=np.array([0.1, 0.2, 0.3]),
    ...     total=np.array([0.0, 0.2, 0.4]),
    ...     draws=4,
    ...     impossible={"too few": 0.25},
    ... )
    >>> one.row()["median"], one.row()["share_impossible"], one.state
    (0.2, 0.25, 'bias_analysis')
    """

    measure: str
    on_log: bool
    place: Mapping[str, Any]
    systematic: Array
    total: Array
    draws: int
    impossible: Mapping[str, float]
    level: float = 0.95
    refused: str = ""
    without_correction: float | None = None

    @property
    def share_impossible(self) -> float:
        """Share of the draws that the data rule out."""
        return float(sum(self.impossible.values()))

    @property
    def why_refused(self) -> str:
        """Why there is no number here, or ""."""
        if self.refused:
            return self.refused
        if self.share_impossible > LARGEST_IMPOSSIBLE:
            most = max(self.impossible, key=lambda reason: self.impossible[reason])
            return (
                f"{self.share_impossible:.0%} of the draws are impossible, most often because {most}: the stated "
                "priors and the data do not fit together; state others, and say why"
            )
        return ""

    @property
    def state(self) -> str:
        """``bias_analysis``, or ``refused`` where no number can be defended."""
        return "refused" if self.why_refused else "bias_analysis"

    @property
    def note(self) -> str | None:
        """What the reader must know."""
        if self.why_refused:
            return self.why_refused
        if self.share_impossible > WARNED_IMPOSSIBLE:
            return (
                f"{self.share_impossible:.0%} of the draws are impossible and left out: the interval holds for the "
                "priors cut to what the data allow"
            )
        return None

    def _back(self, values: Array) -> Array:
        return np.exp(values) if self.on_log else values

    def row(self) -> dict[str, Any]:
        """Return median and interval with and without random error, and the share of impossible draws."""
        row = {
            "measure": self.measure,
            **self.place,
            "without_correction": self.without_correction,
            "level": self.level,
            "draws": self.draws,
            "share_impossible": self.share_impossible,
            "state": self.state,
            "note": self.note,
        }
        if self.state == "refused":
            return row
        at = [0.5, (1 - self.level) / 2, (1 + self.level) / 2]
        names = ("median", "low", "high")
        total, systematic = (self._back(np.quantile(values, at)) for values in (self.total, self.systematic))
        return {
            **row,
            **dict(zip(names, map(float, total), strict=True)),
            **{f"systematic_{name}": float(value) for name, value in zip(names, systematic, strict=True)},
        }

    def histogram(self, bins: int = 40) -> pd.DataFrame:
        """Return figure data: bins of equal width on the scale of the draws, with the density of both kinds of draws.

        The bins run over the central 99 % of the draws with random error; ``low`` and ``high`` are on the measure's own
        scale, densities per unit of the scale of the draws (log for ratios), so that bars have equal widths there.

        Parameters
        ----------
        bins : number of bins.

        Returns
        -------
        Columns low, high, density_total, density_systematic; no row where the measure is refused.
        """
        columns = ["low", "high", "density_total", "density_systematic"]
        if self.state == "refused":
            return pd.DataFrame({name: pd.Series(dtype=float) for name in columns})
        first, last = (float(end) for end in np.quantile(self.total, [0.005, 0.995]))
        edges = np.linspace(first, last, bins + 1)
        width = edges[1] - edges[0]
        density = [np.histogram(values, edges)[0] / (values.size * width) for values in (self.total, self.systematic)]
        ends = self._back(edges)
        return pd.DataFrame(dict(zip(columns, (ends[:-1], ends[1:], *density), strict=True)))
