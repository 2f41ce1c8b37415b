"""Is it shown that the score's errors do not differ by disease? The shift of logit p by disease, in SDs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.diagnosis.disease_shift import LARGEST_SHIFT
from sexstrat.estimates.numbers.sex_disease_rows import SexDiseaseRows
from sexstrat.estimates.numbers.share_of_men import normal_quantile

__all__ = ["NondifferentialError", "nondifferential_error"]

Array = NDArray[np.float64]

LEVEL = 0.90  # two one-sided tests at 5 %
FEWEST_IN_A_GROUP = 10  # validated patients of each sex x disease: with fewer the sandwich itself is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class NondifferentialError:
    """The shift of logit p by disease in each sex, and whether it is shown to be negligible.

    Parameters
    ----------
    shift_men, shift_women : mean logit p of diseased less well, in SDs within sex and age; None when too few.
    interval_men, interval_women : their two-sided intervals; None when too few.
    level : 0.90.
    largest : the shift allowed, 0.1 SD.
    shown : both intervals lie within it.
    n_validated : validated patients used.
    reason : one sentence.
    """

    shift_men: float | None
    shift_women: float | None
    interval_men: tuple[float, float] | None
    interval_women: tuple[float, float] | None
    level: float
    largest: float
    shown: bool
    n_validated: int
    reason: str


def _weighted_sandwich(z: Array, y: Array, n: Array) -> tuple[Array, Array, float]:
    """Return least-squares coefficients, their HC1 covariance and the residual variance, rows counting n times."""
    gram = (z * n[:, None]).T @ z
    beta = np.linalg.lstsq(gram, z.T @ (n * y), rcond=None)[0]
    residual = y - z @ beta
    inverse = np.linalg.pinv(gram)
    patients, rank = float(n.sum()), int(np.linalg.matrix_rank(gram))
    meat = (z * (n * residual**2)[:, None]).T @ z
    scale = patients / (patients - rank)
    return (
        np.asarray(beta, float),
        np.asarray(scale * inverse @ meat @ inverse),
        float(n @ residual**2) / (patients - rank),
    )


def _too_few(rows: SexDiseaseRows, n: int) -> str:
    groups = {
        f"{name} {sex}": float(rows.counts[(rows.male == s) & (rows.diseased == d)].sum())
        for s, sex in ((1, "men"), (0, "women"))
        for d, name in ((1, "diseased"), (0, "well"))
    }
    few = [f"{count:g} {name}" for name, count in groups.items() if count < FEWEST_IN_A_GROUP]
    return f"only {', '.join(few)} are validated; {FEWEST_IN_A_GROUP} of each are needed" if few and n else ""


def nondifferential_error(rows: SexDiseaseRows) -> NondifferentialError:
    """Return the shift of logit p by disease in each sex, and whether it is shown to lie within 0.1 SD.

    Least squares of logit p on sex x stratum, disease and sex x disease among validated patients, robust (HC1)
    variance; the shifts are divided by the residual standard deviation, whose own error is left out (with a shift of
    0.1 it adds less than 1 % to the standard error). Both sexes must pass: a shift of opposite signs averages to 0.

    Parameters
    ----------
    rows : patients or cells.

    Returns
    -------
    Shifts with 90 % intervals. Absence of evidence of a shift does not show that there is none: few patients give
    wide intervals, which do not pass.

    References
    ----------
    Schuirmann DJ. J Pharmacokinet Biopharm 1987;15:657-680. MacKinnon JG, White H. J Econometrics 1985;29:305-325.

    Examples
    --------
    Scores +-1 around 2 in men and -2 in women, diseased or not: no shift, and 4,000 patients show it.

    >>> from sexstrat.estimates.numbers.sex_disease_rows import sex_disease_rows
    >>> x, s, d = np.meshgrid([-1.0, 1.0], [1.0, 0.0], [0.0, 1.0], indexing="ij")
    >>> rows = sex_disease_rows((x + 4 * s - 2).ravel(), d.ravel(), s.ravel(), counts=np.full(8, 500))
    >>> one = nondifferential_error(rows)
    >>> one.shown, abs(round(one.shift_men, 6)), [round(limit, 3) for limit in one.interval_men]
    (True, 0.0, [-0.074, 0.074])
    """
    used = rows.validated
    n_validated = int(rows.counts[used].sum())
    if reason := _too_few(rows, n_validated) or ("" if n_validated else "nobody's sex is recorded"):
        return _not_shown(reason, n_validated)
    s, d, n = rows.male[used], rows.diseased[used], rows.counts[used]
    by_stratum = rows.strata[used]
    z = np.column_stack([by_stratum * s[:, None], by_stratum * (1 - s)[:, None], d * s, d * (1 - s)])
    beta, covariance, variance = _weighted_sandwich(z, rows.logit_p[used], n)
    if not variance > 0:
        return _not_shown("logit p does not vary within sex and stratum, so that no shift can be judged", n_validated)
    shifts = beta[-2:] / np.sqrt(variance)
    errors = np.sqrt(np.diag(covariance)[-2:] / variance)
    margin = normal_quantile(LEVEL) * errors
    intervals = [(float(a - b), float(a + b)) for a, b in zip(shifts, margin, strict=True)]
    shown = all(low > -LARGEST_SHIFT and high < LARGEST_SHIFT for low, high in intervals)
    words = "lie" if shown else "do not both lie"
    return NondifferentialError(
        shift_men=float(shifts[0]),
        shift_women=float(shifts[1]),
        interval_men=intervals[0],
        interval_women=intervals[1],
        level=LEVEL,
        largest=LARGEST_SHIFT,
        shown=shown,
        n_validated=n_validated,
        reason=f"the 90 % intervals of the shift by disease, {_text(intervals[0])} SD in men and {_text(intervals[1])} "
        f"SD in women, {words} within {LARGEST_SHIFT} SD of 0",
    )


def _text(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}"


def _not_shown(reason: str, n_validated: int) -> NondifferentialError:
    return NondifferentialError(
        shift_men=None,
        shift_women=None,
        interval_men=None,
        interval_women=None,
        level=LEVEL,
        largest=LARGEST_SHIFT,
        shown=False,
        n_validated=n_validated,
        reason=reason,
    )
