"""The prevalence ratio over a grid of sensitivities and specificities: figure data without any prior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from scipy.stats import norm

from sexstrat.errors import EstimationError
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.numbers.corrected_contrast import NOT_DEFINED, corrected_contrast, corrected_places
from sexstrat.estimates.numbers.misclassified_shares import IMPOSSIBLE, POSSIBLE
from sexstrat.estimates.sensitivity.bias_analysis import PATIENTS_COUNTED
from sexstrat.estimates.sensitivity.error_priors import ErrorDraws

__all__ = ["MisclassificationGrid", "misclassification_grid"]

WHY = "Each pair is one assumption about the errors of predicted sex, which nothing here checks."
ASSUMPTIONS = (
    "Sensitivity and specificity are those of the row, the same at every age.",
    "Patients without a score have the same share of men as those with one of the same age band and disease state.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MisclassificationGrid:
    """The ratio that each pair of sensitivity and specificity would imply.

    Parameters
    ----------
    frame : columns sensitivity, specificity, sensitivity_diseased, specificity_diseased, ratio, low, high, state
        (``bias_analysis``, ``impossible`` or ``refused``) and note.
    n_patients : patients it is about.
    standard : name of the standard population, or crude.
    state, why, assumptions : for the report.
    """

    frame: pd.DataFrame
    n_patients: int
    standard: str
    state: str
    why: str
    assumptions: tuple[str, ...] = ASSUMPTIONS

    def to_frame(self) -> pd.DataFrame:
        """Return one row a pair; where the data rule it out there is no number."""
        return self.frame.copy()


def misclassification_grid(
    given: ComposeInput,
    *,
    sensitivity: Sequence[float],
    specificity: Sequence[float],
    difference: tuple[float, float] = (0.0, 0.0),
    standardise: str | Mapping[int, float] | None = None,
) -> MisclassificationGrid:
    """Return the corrected prevalence ratio, men over women, for every pair of sensitivity and specificity.

    Parameters
    ----------
    given : the input; recorded sexes in it are not used.
    sensitivity, specificity : values in patients without the disease, 0 to 1.
    difference : what is added to each in patients with the disease (differential error).
    standardise : name of a standard population, weights by first year of age, or None for crude.

    Returns
    -------
    One row a pair, with the interval of random error alone at that pair.

    Raises
    ------
    EstimationError : no value, or one that leaves 0 to 1 after the difference.

    References
    ----------
    Greenland S. Int J Epidemiol 1996;25:1107-1116.

    Examples
    --------
    A specificity of .4 would make more than half of the well look male, and half do.

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> grid = misclassification_grid(worked_input(), sensitivity=[0.8, 1.0], specificity=[0.4, 0.8, 1.0])
    >>> frame = grid.to_frame()
    >>> [(row.sensitivity, row.specificity, row.state) for row in frame.itertuples()][:2]
    [(0.8, 0.4, 'impossible'), (0.8, 0.8, 'bias_analysis')]
    >>> round(float(frame.loc[1, "ratio"]), 6)
    1.666667
    """
    pairs = np.array(list(product(sensitivity, specificity)), dtype=float).reshape(-1, 2)
    diseased = pairs + np.asarray(difference)
    if not pairs.size or not bool(((diseased >= 0) & (diseased <= 1) & (pairs >= 0) & (pairs <= 1)).all()):
        raise EstimationError(
            "the grid needs sensitivities and specificities between 0 and 1, also after the difference is added"
        )
    values = np.stack([pairs, diseased], axis=-1)[:, :, None, :]
    errors = ErrorDraws(sensitivity=values[:, 0], specificity=values[:, 1])
    *_, place = corrected_places(given, errors, standardise)
    if standardise is None:
        place = next(corrected_places(given, errors))
    found = corrected_contrast(place, "ratio", sampled=given.sampled)
    possible = (found.code == POSSIBLE) & (place.refused == "")
    width = float(norm.isf((1 - given.level) / 2)) * np.sqrt(found.variance)
    reasons = (*IMPOSSIBLE, NOT_DEFINED)
    frame = pd.DataFrame(
        {
            "sensitivity": pairs[:, 0],
            "specificity": pairs[:, 1],
            "sensitivity_diseased": diseased[:, 0],
            "specificity_diseased": diseased[:, 1],
            "ratio": np.exp(found.value),
            "low": np.exp(found.value - width),
            "high": np.exp(found.value + width),
            "state": "refused" if place.refused else np.where(possible, "bias_analysis", "impossible"),
            "note": [place.refused or (None if code == POSSIBLE else reasons[code]) for code in found.code],
        }
    )
    frame.loc[~possible, ["ratio", "low", "high"]] = np.nan
    return MisclassificationGrid(
        frame=frame.astype(dict.fromkeys(("ratio", "low", "high"), "Float64")),
        n_patients=place.row()["n_patients"],
        standard=str(place.keys["standard"]),
        state="refused" if place.refused else "bias_analysis",
        why=f"No grid: {place.refused}." if place.refused else WHY,
        assumptions=(*ASSUMPTIONS, PATIENTS_COUNTED) if given.clustered else ASSUMPTIONS,
    )
