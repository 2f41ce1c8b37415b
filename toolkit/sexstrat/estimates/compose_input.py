"""What every estimator receives, and the parts of a composition that all share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.cluster_codes import drawn_in_units
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import Target, ValidationDesign

__all__ = ["ComposeInput", "margin", "refused"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeInput:
    """One condition, ready for an estimator.

    Parameters
    ----------
    condition : the disease.
    bands : declared age bands.
    arrays : its cells.
    design : declared validation design.
    target : whom the estimates are about.
    level : confidence level.
    seed : seed of every random draw.
    external : labelled people of another cohort, whose score errors are carried over; None when there are none.
    external_has_disease : whether they were also looked at for this disease.
    """

    condition: str
    bands: AgeBands
    arrays: CellArrays
    design: ValidationDesign
    target: Target
    level: float = 0.95
    seed: int = 20231207
    external: CellArrays | None = None
    external_has_disease: bool = True

    @property
    def labelled(self) -> CellArrays:
        """The people whose sex is known: the external cohort where there is one, else the cohort's own."""
        return self.arrays if self.external is None else self.external

    @property
    def clustered(self) -> bool:
        """The people are a sample of a population drawn in units, or within strata, that the cells name."""
        return self.sampled and drawn_in_units(self.arrays)

    @property
    def sampled(self) -> bool:
        """The cohort is a sample of the population the estimates are about."""
        return self.target is Target.population


def margin(given: ComposeInput, pi: Array, covariance: Array, **parts: Any) -> Margin:
    """Return the margin by band (pi with as many rows as bands) or of all ages (one row).

    Parameters
    ----------
    given : the input; its counts are summed as pi's shape asks.
    pi, covariance : shares and their covariance.
    parts : further fields of :class:`Margin`.

    Examples
    --------
    Each band has 400 patients without the disease and 150 with it; all ages have both bands.

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> margin(given, np.full((2, 2), 0.5), np.eye(4)).n.tolist()
    [[400.0, 150.0], [400.0, 150.0]]
    >>> margin(given, np.full((1, 2), 0.5), np.eye(2)).n.tolist()
    [[800.0, 300.0]]
    """
    arrays = given.arrays
    tables = [*arrays.weights, arrays.n_patients, arrays.n_validated, *arrays.validated_weights]
    if pi.shape[0] == 1 != len(given.bands):
        tables = [table.sum(axis=0, keepdims=True) for table in tables]
    n, n_variance, patients, validated, first, second = tables
    effective = np.divide(first**2, second, out=np.zeros_like(first), where=second > 0)
    fields: dict[str, Any] = {
        "n": n,
        "n_variance": n_variance,
        "n_patients": patients,
        "n_validated": validated,
        "effective_validated": effective,
        "pi": pi,
        "covariance": covariance,
        "sampled": given.sampled,
    }
    return Margin(**{**fields, **parts})


def refused(given: ComposeInput, estimator: str, why: str, **parts: Any) -> Composition:
    """Return a composition without numbers that says why there are none.

    Parameters
    ----------
    given : the input; its counts stay.
    estimator : the estimator that would have been asked.
    why : the reason, a sentence.
    parts : further fields of :class:`Composition`.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> one = refused(given, "E1", "Nobody is validated.")
    >>> one.state, one.why, one.overall.pi.tolist(), one.overall.n.tolist()
    ('refused', 'Nobody is validated.', [[nan, nan]], [[800.0, 300.0]])
    """
    bands = len(given.bands)
    return Composition(
        condition=given.condition,
        bands=given.bands,
        estimator=estimator,
        target=given.target,
        by_band=margin(given, np.full((bands, 2), np.nan), np.full((2 * bands, 2 * bands), np.nan)),
        overall=margin(given, np.full((1, 2), np.nan), np.full((2, 2), np.nan)),
        band_state=("refused",) * bands,
        state="refused",
        why=why,
        level=given.level,
        **parts,
    )
