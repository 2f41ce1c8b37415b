"""Degrees of freedom of an interval, and Rubin's rules on plain numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["PooledVariance", "barnard_rubin", "pooled_total", "rubin_pool", "satterthwaite"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledVariance:
    """What Rubin's rules give for one quantity.

    Parameters
    ----------
    point : mean over imputations (NaN when only variances were pooled).
    within, between, total : W, B and T = W + (1 + 1/m) B.
    df : Barnard-Rubin degrees of freedom.
    fmi : fraction of missing information.
    relative_efficiency : 1 / (1 + fmi / m).
    monte_carlo_se : standard error of the point due to the finite number of imputations, sqrt(B / m).
    """

    point: float
    within: float
    between: float
    total: float
    df: float
    fmi: float
    relative_efficiency: float
    monte_carlo_se: float


def satterthwaite(parts: ArrayLike, df: ArrayLike, *, known: float = 0.0) -> float:
    """Return the degrees of freedom of a sum of independent variance estimates.

    df = (sum v + known)^2 / sum(v^2 / df), where ``known`` is variance without error of its own.

    Parameters
    ----------
    parts : variance contributed by each stratum.
    df : degrees of freedom of each; a stratum below 1 counts as 1.
    known : variance that adds no uncertainty.

    Returns
    -------
    At least 1; infinite when no part contributes.

    References
    ----------
    Satterthwaite FE. Biometrics Bulletin 1946;2:110-114.

    Examples
    --------
    Two equal variances on 9 degrees of freedom each:

    >>> satterthwaite([1.0, 1.0], [9, 9])
    18.0
    """
    v = np.abs(np.asarray(parts, dtype=float))
    nu = np.maximum(np.asarray(df, dtype=float), 1.0)
    noise = float(np.sum(v**2 / nu))
    return float("inf") if noise == 0 else max(float((v.sum() + known) ** 2 / noise), 1.0)


def barnard_rubin(*, within: float, between: float, imputations: float, complete_df: float = np.inf) -> PooledVariance:
    """Pool variances by Rubin's rules with the Barnard-Rubin degrees of freedom.

    lambda = (1 + 1/m) B / T; df_old = (m - 1) / lambda^2;
    df_obs = (c + 1)/(c + 3) c (1 - lambda) for c complete-data degrees of freedom; df = 1/(1/df_old + 1/df_obs).

    Parameters
    ----------
    within, between : W and B.
    imputations : m; infinite for the analytic limit.
    complete_df : degrees of freedom had nothing been missing.

    References
    ----------
    Barnard J, Rubin DB. Biometrika 1999;86:948-955.

    Examples
    --------
    >>> pooled = barnard_rubin(within=1.0, between=1.0, imputations=5)
    >>> pooled.total, round(pooled.df, 4)
    (2.2, 13.4444)
    """
    m = imputations
    extra = (1 + 1 / m) * between
    total = within + extra
    if total <= 0 or extra <= 0:
        return PooledVariance(
            point=np.nan,
            within=within,
            between=between,
            total=total,
            df=complete_df,
            fmi=0.0,
            relative_efficiency=1.0,
            monte_carlo_se=0.0,
        )
    share = extra / total
    old = (m - 1) / share**2
    observed = np.inf if np.isinf(complete_df) else (complete_df + 1) / (complete_df + 3) * complete_df * (1 - share)
    inverse = 1 / old + (0.0 if np.isinf(observed) else 1 / max(observed, 1e-9))
    df = np.inf if inverse == 0 else max(1 / inverse, 1.0)
    rise = np.inf if within <= 0 else extra / within
    fmi = 1.0 if np.isinf(rise) else float((rise + 2 / (df + 3)) / (1 + rise))
    return PooledVariance(
        point=np.nan,
        within=within,
        between=between,
        total=total,
        df=float(df),
        fmi=min(fmi, 1.0),
        relative_efficiency=float(1 / (1 + fmi / m)),
        monte_carlo_se=float(np.sqrt(between / m)),
    )


def pooled_total(*, within: float, total: float, drawn: float, imputations: float, df: float) -> PooledVariance:
    """Return Rubin's parts where the total variance, and not the between one, was estimated.

    B = (T - W) / (1 + 1/m); r = (1 + 1/m) B / W; fmi = (r + 2 / (df + 3)) / (1 + r).

    Parameters
    ----------
    within : W.
    total : T, of the mean of m imputations.
    drawn : variance between the imputations drawn, for the Monte Carlo error.
    imputations : m; infinite for the analytic limit.
    df : degrees of freedom of T.

    References
    ----------
    Rubin DB. Multiple Imputation for Nonresponse in Surveys. Wiley 1987, section 3.3.

    Examples
    --------
    >>> found = pooled_total(within=1.0, total=4.0, drawn=2.0, imputations=np.inf, df=37)
    >>> found.between, found.fmi, found.df
    (3.0, 0.7625, 37)
    """
    extra = max(total - within, 0.0)
    fmi = 1.0 if within <= 0 else (extra / within + 2 / (df + 3)) / (1 + extra / within) if extra > 0 else 0.0
    return PooledVariance(
        point=np.nan,
        within=within,
        between=extra / (1 + 1 / imputations),
        total=total,
        df=df,
        fmi=min(fmi, 1.0),
        relative_efficiency=float(1 / (1 + fmi / imputations)),
        monte_carlo_se=float(np.sqrt(drawn / imputations)),
    )


def rubin_pool(estimates: ArrayLike, variances: ArrayLike, *, complete_df: float = np.inf) -> PooledVariance:
    """Pool the estimates of m imputed data sets by Rubin's rules.

    point = mean; W = mean variance; B = variance of the estimates over imputations (divisor m - 1).

    Parameters
    ----------
    estimates, variances : one value per imputed data set, m >= 2.
    complete_df : degrees of freedom had nothing been missing.

    Raises
    ------
    ValueError : fewer than two imputations, or unequal lengths.

    References
    ----------
    Rubin DB. Multiple Imputation for Nonresponse in Surveys. Wiley 1987, chapter 3.

    Examples
    --------
    >>> pooled = rubin_pool([1.0, 2.0, 3.0], [0.5, 0.5, 0.5])
    >>> pooled.point, round(pooled.total, 4), round(pooled.df, 4)
    (2.0, 1.8333, 3.7812)
    """
    q, u = np.asarray(estimates, dtype=float), np.asarray(variances, dtype=float)
    if q.ndim != 1 or q.shape != u.shape or q.size < 2:
        raise ValueError(f"need m >= 2 estimates and as many variances; found shapes {q.shape} and {u.shape}")
    pooled = barnard_rubin(
        within=float(u.mean()), between=float(q.var(ddof=1)), imputations=q.size, complete_df=complete_df
    )
    return PooledVariance(
        point=float(q.mean()),
        within=pooled.within,
        between=pooled.between,
        total=pooled.total,
        df=pooled.df,
        fmi=pooled.fmi,
        relative_efficiency=pooled.relative_efficiency,
        monte_carlo_se=pooled.monte_carlo_se,
    )
