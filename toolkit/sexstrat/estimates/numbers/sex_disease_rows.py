"""Patients, or cells of alike patients, with a score, a disease and perhaps a recorded sex."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.errors import EstimationError

__all__ = ["SexDiseaseRows", "sex_disease_rows"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SexDiseaseRows:
    """Patients, or cells of alike patients, with a score, a disease and perhaps a recorded sex.

    Parameters
    ----------
    logit_p : logit of P(male), shape (rows,).
    diseased : 1 or 0.
    male : 1, 0, or NaN where sex is not recorded.
    counts : patients in each row.
    stratum : code of the age band (or age band x site) of each row, 0, 1, ...; each code has validated patients.
    """

    logit_p: Array
    diseased: Array
    male: Array
    counts: Array
    stratum: NDArray[np.intp]

    @property
    def validated(self) -> NDArray[np.bool_]:
        """Tell which rows have a recorded sex."""
        return np.isfinite(self.male)

    @property
    def strata(self) -> Array:
        """Indicator of each stratum, shape (rows, strata)."""
        return np.asarray(self.stratum[:, None] == np.arange(self.stratum.max() + 1), dtype=float)


def sex_disease_rows(
    logit_p: ArrayLike,
    diseased: ArrayLike,
    male: ArrayLike,
    *,
    counts: ArrayLike | None = None,
    stratum: ArrayLike | None = None,
) -> SexDiseaseRows:
    """Return the rows, checked.

    Parameters
    ----------
    logit_p : logit of P(male) of each patient or cell, finite.
    diseased : 1 or 0 (or True, False).
    male : 1, 0, or NaN where sex is not recorded.
    counts : patients in each row, whole; None for one each.
    stratum : age band, or any label, of each row; None for one stratum.

    Raises
    ------
    EstimationError : unequal lengths, values not allowed, a stratum without validated patients.

    Examples
    --------
    >>> rows = sex_disease_rows([1.0, -1.0], [1, 0], [1, np.nan], stratum=["40-49", "40-49"])
    >>> rows.validated.tolist(), rows.stratum.tolist()
    ([True, False], [0, 0])
    """
    x, d, s = (np.asarray(values, dtype=float) for values in (logit_p, diseased, male))
    n = np.ones(x.shape) if counts is None else np.asarray(counts, dtype=float)
    labels = np.zeros(x.shape, dtype=int) if stratum is None else np.asarray(stratum)
    if x.ndim != 1 or not x.shape == d.shape == s.shape == n.shape == labels.shape:
        raise EstimationError(
            "logit_p, diseased, male, counts and stratum must be of one length; found shapes "
            f"{x.shape}, {d.shape}, {s.shape}, {n.shape}, {labels.shape}"
        )
    if not bool(np.isfinite(x).all()):
        raise EstimationError("every logit of P(male) must be finite; cut scores of exactly 0 and 1, at +-10 say")
    if not bool(np.isin(d, (0.0, 1.0)).all() and np.isin(s[np.isfinite(s)], (0.0, 1.0)).all()):
        raise EstimationError("diseased must be 0 or 1, and male 0, 1 or NaN where sex is not recorded")
    if not bool((np.isfinite(n) & (n >= 0) & (n == np.rint(n))).all()):
        raise EstimationError("counts are numbers of patients, whole and not negative")
    kept = n > 0
    names, code = np.unique(labels[kept], return_inverse=True)
    rows = SexDiseaseRows(logit_p=x[kept], diseased=d[kept], male=s[kept], counts=n[kept], stratum=code)
    bare = np.bincount(code, weights=rows.counts * rows.validated, minlength=names.size) == 0
    if kept.sum() == 0 or bare.any():
        raise EstimationError(
            f"no validated patient in: {', '.join(map(str, names[bare])) or 'the rows, which are empty'}"
        )
    return rows
