"""The cells of one condition as plain arrays, grouped by age band and disease."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import ValidationDesign
from sexstrat.values.logit_bins import FIXED_POINT, logit_midpoints

__all__ = ["CellArrays", "cell_arrays"]

Array = NDArray[np.float64]

SEXES = ("male", "female", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class CellArrays:
    """Rows of cells as arrays of equal length; recorded ``other`` and ages outside the bands are left out.

    Parameters
    ----------
    group : 2 x band + disease of each row, the index of every (band, disease) total.
    age_years, diseased, n_eyes, site : keys; site is an integer code.
    stratum : integer code; rows without one are a stratum of their own.
    psu : integer code of the primary sampling unit within its stratum, -1 where the row names none.
    validated, male : recorded sex is male or female; it is male (False where unknown).
    logit : middle of the score bin, 0 when there is no score.
    predicted_male : the bin lies at or above prob_male 0.5.
    fold : cross-fitting fold of validated rows, -1 elsewhere.
    n : patients.
    mean_prob_male : mean score of the row, NaN without a score.
    w, w2 : sums of weights and of squared weights.
    w_over_r, w2_over_r, w2_over_r2 : the same over the validation probability r, 0 for rows not validated.
    n_bands : number of declared bands.
    n_other, n_outside : patients left out: recorded sex ``other``; age outside every band.
    eyes : graded eyes of a patient of each row without and with the disease, shape (rows, 2), 0 and 0 where the row is
        about the person; None where every row is.
    by_pattern : a recalibration is told how many eyes are graded and affected, not only whether any is.
    computed : totals that were asked for once and will be again; every copy begins anew.
    """

    group: NDArray[np.int64]
    age_years: Array
    diseased: NDArray[np.int64]
    n_eyes: NDArray[np.int64]
    site: NDArray[np.int64]
    stratum: NDArray[np.int64]
    psu: NDArray[np.int64]
    validated: NDArray[np.bool_]
    male: NDArray[np.bool_]
    logit: Array
    predicted_male: NDArray[np.bool_]
    fold: NDArray[np.int64]
    n: Array
    mean_prob_male: Array
    w: Array
    w2: Array
    w_over_r: Array
    w2_over_r: Array
    w2_over_r2: Array
    n_bands: int
    n_other: int = 0
    n_outside: int = 0
    eyes: Array | None = None
    by_pattern: bool = False
    computed: dict[str, Array] = field(init=False, repr=False, compare=False, default_factory=dict)

    def total(self, values: Array, rows: NDArray[np.bool_] | None = None) -> Array:
        """Sum values over rows within each (band, disease); returns shape (bands, 2)."""
        chosen = slice(None) if rows is None else rows
        sums = np.bincount(self.group[chosen], weights=values[chosen], minlength=2 * self.n_bands)
        return np.asarray(sums, dtype=float).reshape(self.n_bands, 2)

    def chosen(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> CellArrays:
        """Return some of the rows as cells of their own."""
        values: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        by_row: dict[str, Any] = {name: one[rows] for name, one in values.items() if isinstance(one, np.ndarray)}
        return replace(self, **by_row)

    @property
    def n_patients(self) -> Array:
        """Patients by band and disease."""
        return self._once("patients", lambda: self.total(self.n))

    @property
    def n_validated(self) -> Array:
        """Validated patients by band and disease."""
        return self._once("validated", lambda: self.total(np.where(self.validated, self.n, 0.0)))

    @property
    def weights(self) -> tuple[Array, Array]:
        """Sums of weights and of squared weights by band and disease."""
        return self._once("w", lambda: self.total(self.w)), self._once("w2", lambda: self.total(self.w2))

    @property
    def validated_weights(self) -> tuple[Array, Array]:
        """Sums over the validated of w / r and of (w / r)^2 by band and disease."""
        first = self._once("w_over_r", lambda: self.total(self.w_over_r))
        return first, self._once("w2_over_r2", lambda: self.total(self.w2_over_r2))

    def _once(self, name: str, compute: Callable[[], Array]) -> Array:
        if name not in self.computed:
            self.computed[name] = compute()
            self.computed[name].flags.writeable = False
        return self.computed[name]

    @property
    def effective_validated(self) -> Array:
        """Kish effective number validated, (sum w/r)^2 / sum (w/r)^2, by band and disease."""
        first, fourth = self.validated_weights
        squared = first**2
        return np.divide(squared, fourth, out=np.zeros_like(squared), where=fourth > 0)


def _numbers(column: pd.Series) -> Array:
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fi":
        return np.asarray(column.to_numpy(), dtype=np.float64)
    return np.asarray(column.astype("Float64").to_numpy(dtype=float, na_value=np.nan), dtype=np.float64)


def _codes(keys: pd.Series) -> NDArray[np.int64]:
    """Return integer codes in the order of the sorted names; an absent name is one of its own, before the others."""
    if keys.isna().all():
        return np.zeros(len(keys), dtype=np.int64)
    return np.asarray(pd.factorize(keys.astype("string").fillna(""), sort=True)[0], dtype=np.int64)


def _nested_units(units: pd.Series, stratum: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return codes of sampling units, whose names count within their stratum, as surveys number them afresh in each."""
    absent = units.isna().to_numpy(dtype=bool)
    if absent.all():
        return np.full(len(units), -1, dtype=np.int64)
    pairs = np.column_stack([stratum, _codes(units)])
    nested = np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1)
    return np.where(absent, -1, nested).astype(np.int64)


def _inverse_probability(
    frame: pd.DataFrame, design: ValidationDesign, validated: NDArray[np.bool_], n: Array
) -> tuple[Array, Array, Array]:
    """Return sums of w/r, w^2/r and w^2/r^2; r is the overall share validated unless it is declared known."""
    w, w2 = _numbers(frame["sum_w"]), _numbers(frame["sum_w2"])
    if design is not ValidationDesign.known_probability:
        r = float(n[validated].sum() / n.sum()) if validated.any() else 1.0
        shares = w / r, w2 / r, w2 / r**2
    else:
        shares = (
            _numbers(frame["sum_w_over_r"]),
            _numbers(frame["sum_w2_over_r"]),
            _numbers(frame["sum_w2_over_r2"]),
        )
        if any(np.isnan(share[validated]).any() for share in shares):
            raise EstimationError(
                "the design is declared known_probability, but some patients with recorded sex have no "
                "validation_probability; give it for every one of them, or declare the design random"
            )
    first, second, third = (np.where(validated, share, 0.0) for share in shares)
    return first, second, third


def _eyes(frame: pd.DataFrame) -> Array | None:
    """Return the graded eyes without and with the disease of a patient of each row."""
    graded, affected = (np.nan_to_num(_numbers(frame[name])) for name in ("n_graded_eyes", "n_diseased_eyes"))
    return np.column_stack([graded - affected, affected]) if graded.any() else None


def cell_arrays(cells: Cells, bands: AgeBands, design: ValidationDesign) -> CellArrays:
    """Return the cells of one condition as arrays.

    Parameters
    ----------
    cells : cells of one condition.
    bands : age bands; patients outside them are counted in ``n_outside`` and left out.
    design : known_probability reads r from the cells; otherwise r is the overall share validated.

    Raises
    ------
    EstimationError : r is declared known but absent for a validated patient.

    Examples
    --------
    >>> from sexstrat.values.tables import table_schema
    >>> empty = pd.DataFrame({c: [] for c in table_schema("cell").columns})
    >>> cells = Cells(frame=empty, edges=np.array([-10.0, 0.0, 10.0]))
    >>> cell_arrays(cells, AgeBands((0,)), ValidationDesign.random).n_patients.tolist()
    [[0.0, 0.0]]
    """
    sexes, names = pd.factorize(cells.frame["recorded_sex"])
    male, female, other = (sexes == list(names).index(name) if name in names else sexes < -1 for name in SEXES)
    age = _numbers(cells.frame["age_years"])
    band_of_row = bands.index(age)
    counts = _numbers(cells.frame["n"])
    kept = ~other & (band_of_row >= 0)
    frame = cells.frame if kept.all() else cells.frame.loc[kept]
    n, male, band = counts[kept], male[kept], band_of_row[kept]
    validated = male | female[kept]
    eyes = _numbers(frame["n_eyes"]).astype(np.int64)
    bins = np.nan_to_num(_numbers(frame["logit_bin"]), nan=0.0).astype(np.int64)
    scored = eyes > 0
    w_over_r, w2_over_r, w2_over_r2 = _inverse_probability(frame, design, validated, n)
    diseased = frame["diseased"].astype(bool).to_numpy().astype(np.int64)
    mean_p = np.where(scored, _numbers(frame["sum_p"]) / FIXED_POINT / np.maximum(n, 1), np.nan)
    site, stratum = _codes(frame["site"]), _codes(frame["stratum"])
    return CellArrays(
        group=2 * band + diseased,
        age_years=age[kept],
        diseased=diseased,
        n_eyes=eyes,
        site=site,
        stratum=stratum,
        psu=_nested_units(frame["psu"], stratum),
        validated=validated,
        male=male,
        logit=np.where(scored, logit_midpoints(cells.edges)[bins], 0.0),
        predicted_male=scored & (cells.edges[:-1][bins] >= 0),
        fold=np.where(validated, np.nan_to_num(_numbers(frame["fold"]), nan=0.0), -1.0).astype(np.int64),
        n=n,
        mean_prob_male=mean_p,
        w=_numbers(frame["sum_w"]),
        w2=_numbers(frame["sum_w2"]),
        w_over_r=w_over_r,
        w2_over_r=w2_over_r,
        w2_over_r2=w2_over_r2,
        n_bands=len(bands),
        eyes=_eyes(frame),
        n_other=int(counts[other].sum()),
        n_outside=int(counts[(band_of_row < 0) & ~other].sum()),
    )
