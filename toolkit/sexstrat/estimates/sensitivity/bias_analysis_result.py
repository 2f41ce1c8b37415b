"""What a bias analysis returns: contrasts with their draws, as tables and figure data."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from sexstrat.errors import EstimationError
from sexstrat.estimates.sensitivity.simulated_measure import SimulatedMeasure
from sexstrat.values.shown import Shown

__all__ = ["BiasAnalysis"]

_TEXT = ["measure", "condition", "standard", "state", "note"]
_INTEGERS = ["age_low", "age_high", "n_patients", "n_diseased", "n_scored", "draws"]
_NUMBERS = [
    *("without_correction", "median", "low", "high"),
    *("systematic_median", "systematic_low", "systematic_high", "level", "share_impossible"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasAnalysis(Shown):
    """What prior beliefs about the errors of predicted sex make of the contrasts between men and women.

    Parameters
    ----------
    measures : every contrast at every place, with its draws.
    seed : seed of the draws; None where the draws were given.
    draws : number of draws.
    n_patients : patients it is about.
    state : ``bias_analysis``, never ``corrected``; ``refused`` where the crude contrasts are.
    why, assumptions, warnings : sentences for the report.
    """

    measures: tuple[SimulatedMeasure, ...]
    seed: int | None
    draws: int
    n_patients: int
    state: str
    why: str
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return one row a contrast and place; a refused one carries no number and its reason."""
        order = ["measure", "condition", "age_low", "age_high", "standard", *_NUMBERS, *_INTEGERS[2:], "state", "note"]
        frame = pd.DataFrame([one.row() for one in self.measures], columns=order)
        types = {**dict.fromkeys(_INTEGERS, "Int64"), **dict.fromkeys(_NUMBERS, "Float64")}
        return frame.astype({**types, **dict.fromkeys(_TEXT, "string")}).assign(seed=self.seed)

    def discarded(self) -> pd.DataFrame:
        """Return the share of draws that are impossible, one row a contrast, place and reason."""
        keys = ("condition", "age_low", "age_high", "standard")
        rows = [
            {"measure": one.measure, **{key: one.place[key] for key in keys}, "reason": reason, "share": share}
            for one in self.measures
            for reason, share in one.impossible.items()
        ]
        frame = pd.DataFrame(rows, columns=["measure", *keys, "reason", "share"])
        return frame.astype({"age_low": "Int64", "age_high": "Int64", "share": float})

    def measure(self, name: str = "prevalence_ratio", *, standard: str = "crude") -> SimulatedMeasure:
        """Return the draws of one contrast of all ages.

        Raises
        ------
        EstimationError : it was not asked for.
        """
        for one in self.measures:
            if one.measure == name and one.place["standard"] == standard and one.place["age_low"] is None:
                return one
        raise EstimationError(f"no {name} with standard {standard!r} in this bias analysis")
