"""Shares of men among eyes: each patient counts as often as eyes are graded, and stays the unit that varies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.eye_patterns import graded_eyes_of

__all__ = ["EyeComposition", "EyeSums", "eye_composition_of", "eye_margin", "eye_sums"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeComposition(Composition):
    """Whose the affected and the healthy eyes are, by age band.

    Margins are those of eyes: column 1 counts affected eyes, column 0 the other graded ones, and pi is the share of
    them that belongs to men. So sum k N pi / sum n N pi over patients with k of n eyes affected is the prevalence of a
    margin of two columns, and every measure of persons reads as one of eyes. Numbers of patients stay those of persons.

    Parameters
    ----------
    people, people_validated : patients, and validated ones, by band and disease in any eye, shape (A, 2).
    """

    people: Array
    people_validated: Array

    @property
    def n_patients(self) -> Array:
        """Patients by band and disease in any eye."""
        return self.people

    @property
    def n_validated(self) -> Array:
        """Validated patients by band and disease in any eye."""
        return self.people_validated


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeSums:
    """How often each row's patients count, and sums over them.

    Parameters
    ----------
    counts : eyes of a patient of each row in each count, shape (rows, shares); index 2 a + d by band, d for all ages.
    by_band : shares of every band; otherwise of all ages.
    """

    counts: Array
    by_band: bool

    @property
    def holding(self) -> NDArray[np.bool_]:
        """Tell under which count a patient is one who tells of shares: once, affected eyes before the others."""
        held = self.counts > 0
        held[:, 0::2] &= ~held[:, 1::2]
        return held

    def total(self, values: Array) -> Array:
        """Return the sum of values over eyes, shape (shares,)."""
        return np.asarray(values @ self.counts)

    def products(self, values: Array) -> Array:
        """Return the sum of values over pairs of eyes of one patient, shape (shares, shares)."""
        return np.asarray((self.counts * values[:, None]).T @ self.counts)


def eye_sums(arrays: CellArrays, *, by_band: bool) -> EyeSums:
    """Return how often each row's patients count among affected and other graded eyes.

    Parameters
    ----------
    arrays : cells of a condition recorded by eye.
    by_band : of every band; otherwise of all ages.

    Examples
    --------
    One of two eyes affected: the patient counts once in either column.

    >>> from dataclasses import replace
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> arrays = worked_arrays()
    >>> one = replace(arrays.chosen(np.flatnonzero(arrays.diseased)[:1]), eyes=np.array([[1.0, 1.0]]))
    >>> eye_sums(one, by_band=True).counts.tolist(), eye_sums(one, by_band=False).counts.tolist()
    ([[1.0, 1.0, 0.0, 0.0]], [[1.0, 1.0]])
    """
    eyes = graded_eyes_of(arrays)
    if not by_band:
        return EyeSums(counts=eyes, by_band=False)
    counts = np.zeros((eyes.shape[0], 2 * arrays.n_bands))
    rows, first = np.arange(eyes.shape[0]), 2 * (arrays.group // 2)
    counts[rows, first], counts[rows, first + 1] = eyes[:, 0], eyes[:, 1]
    return EyeSums(counts=counts, by_band=True)


def eye_margin(given: ComposeInput, sums: EyeSums, pi: Array, covariance: Array, **parts: Any) -> Margin:
    """Return the margin of eyes.

    Parameters
    ----------
    given : the input; its rows are those counted.
    sums : how often its rows count.
    pi : share of men in each count, shape (shares,).
    covariance : of pi.
    parts : further fields of :class:`Margin`.

    Returns
    -------
    ``n`` counts eyes, ``n_variance`` sums the squares of each patient's eyes, so that n^2 / n_variance is the number of
    patients they are worth; patients and validated are those with such an eye.

    Examples
    --------
    Both eyes of 800 well and 300 diseased patients: 1,600 and 600 eyes, worth as many patients as there are.

    >>> from dataclasses import replace
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> eyes = 2.0 * np.column_stack([1 - given.arrays.diseased, given.arrays.diseased])
    >>> given = replace(given, arrays=replace(given.arrays, eyes=eyes))
    >>> one = eye_margin(given, eye_sums(given.arrays, by_band=False), np.array([0.5, 0.6]), np.eye(2))
    >>> one.n.tolist(), (one.n**2 / one.n_variance).tolist(), one.n_patients.tolist()
    ([[1600.0, 600.0]], [[800.0, 300.0]], [[800.0, 300.0]])
    """
    arrays = given.arrays
    squares = sums.counts**2
    present = (sums.counts > 0).astype(float)
    first, second = sums.total(arrays.w_over_r), arrays.w2_over_r2 @ squares
    tables = {
        "n": sums.total(arrays.w),
        "n_variance": arrays.w2 @ squares,
        "n_patients": arrays.n @ present,
        "n_validated": np.where(arrays.validated, arrays.n, 0.0) @ present,
        "effective_validated": np.divide(first**2, second, out=np.zeros_like(first), where=second > 0),
        "pi": pi,
    }
    fields: dict[str, Any] = {name: np.asarray(table).reshape(-1, 2) for name, table in tables.items()}
    return Margin(**{**fields, "covariance": covariance, "sampled": given.sampled, **parts})


def eye_composition_of(given: ComposeInput, estimator: str, **parts: Any) -> EyeComposition:
    """Return a composition of eyes with what belongs to its input.

    Parameters
    ----------
    given : the input; its patients are those the numbers are about.
    estimator : by name.
    parts : further fields of :class:`EyeComposition`: margins, states, reasons.

    Examples
    --------
    Numbers of patients are those of persons, by band and disease.

    >>> from sexstrat.estimates.compose_input import refused
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> empty = refused(given, "E1", "").overall
    >>> parts = dict(by_band=empty, overall=empty, band_state=("refused",) * 2, state="refused", why="")
    >>> eye_composition_of(given, "E1", **parts).n_patients.tolist()
    [[400.0, 150.0], [400.0, 150.0]]
    """
    fields: dict[str, Any] = {
        "condition": given.condition,
        "bands": given.bands,
        "estimator": estimator,
        "target": given.target,
        "level": given.level,
        "people": given.arrays.n_patients,
        "people_validated": given.arrays.n_validated,
        "cohort_ages": given.arrays.weights[0].sum(axis=1),
    }
    return EyeComposition(**{**fields, **parts})
