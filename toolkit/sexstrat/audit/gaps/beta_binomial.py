"""Shares of groups drawn towards their mean by the beta-binomial model of counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, expit, ndtri

__all__ = ["beta_binomial_shares"]

Floats = NDArray[np.float64]
GRID = 48  # points a side; three passes, each on the part of the last that holds the weight
NEGLIGIBLE = 1e-7  # of the largest weight
STEPS = 200
NEAR = 1e-5  # standard deviations: the Newton step that is the last one


def beta_binomial_shares(
    successes: Sequence[float], totals: Sequence[float], *, level: float = 0.95
) -> tuple[Floats, Floats, Floats]:
    """Return shares of groups under the beta-binomial model, integrated over its two parameters.

    Successes are binomial given a group's share, and the shares beta with mean m and correlation c = 1/(a + b + 1); m
    and c are uniform on 0 to 1 beforehand. The estimate is the mean of (a + x)/(a + b + n) over what the counts leave
    of m and c, the limits are quantiles of the mixture of the beta distributions: so the interval allows for not
    knowing how much groups differ. The alternative to the logit-normal model for few and rare errors.

    Parameters
    ----------
    successes : x of each group; effective counts, need not be whole.
    totals : n of each group, above 0.
    level : probability of the interval.

    Returns
    -------
    Point, lower and upper limits, shape (groups,).

    Raises
    ------
    ValueError : fewer than two groups, or counts that are not 0 to n.

    References
    ----------
    Griffiths 1973, Biometrics 29:637; Gelman et al. 2013, Bayesian Data Analysis, 3rd ed., section 5.3.

    Examples
    --------
    Four groups alike: each is drawn to the common half, and knows more than its own ten would tell.

    >>> point, low, high = beta_binomial_shares([5, 5, 5, 5], [10, 10, 10, 10])
    >>> point.round(6).tolist(), bool(high[0] - low[0] < 0.5)
    ([0.5, 0.5, 0.5, 0.5], True)
    """
    x, n = np.asarray(successes, dtype=float), np.asarray(totals, dtype=float)
    if x.size < 2 or x.shape != n.shape or not ((x >= 0) & (x <= n) & (n > 0)).all():
        raise ValueError("the beta-binomial model needs two groups or more, each with 0 to n successes of n above 0")
    weight, a, b = _posterior(x, n)
    point = np.array([float(weight @ ((a + one) / (a + b + of))) for one, of in zip(x, n, strict=True)])
    tail = (1 - level) / 2
    limits = np.empty((2, len(x)))
    for place, (one, of) in enumerate(zip(x, n, strict=True)):
        of_group = a + one, b + of - one
        log_beta = betaln(*of_group)
        limits[:, place] = [_quantile(weight, *of_group, log_beta, share) for share in (tail, 1 - tail)]
    return point, limits[0], limits[1]


def _posterior(x: Floats, n: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the weights of the grid points that matter, and the two beta parameters there."""
    mean_range, correlation_range = (-12.0, 12.0), (-18.0, 6.0)  # logits
    for _ in range(3):
        mean_logit = np.linspace(*mean_range, GRID)
        correlation_logit = np.linspace(*correlation_range, GRID)
        u, t = (one.ravel() for one in np.meshgrid(mean_logit, correlation_logit, indexing="ij"))
        mean, size = expit(u), np.exp(-t)  # a + b = 1/c − 1
        a, b = mean * size, expit(-u) * size
        log_weight = np.log(mean) + np.log(expit(-u)) + np.log(expit(t)) + np.log(expit(-t))
        for one, of in zip(x, n, strict=True):
            log_weight += betaln(a + one, b + of - one) - betaln(a, b)
        weight = np.exp(log_weight - log_weight.max())
        kept = weight > NEGLIGIBLE
        mean_range = _around(u[kept], mean_logit)
        correlation_range = _around(t[kept], correlation_logit)
    return weight[kept] / weight[kept].sum(), a[kept], b[kept]


def _around(kept: Floats, grid: Floats) -> tuple[float, float]:
    step = float(grid[1] - grid[0])
    return float(kept.min()) - step, float(kept.max()) + step


def _quantile(weight: Floats, a: Floats, b: Floats, log_beta: Floats, share: float) -> float:
    """Return the quantile of a mixture of beta distributions by Newton steps from that of the normal alike."""
    mean = a / (a + b)
    centre = float(weight @ mean)
    spread = float(np.sqrt(weight @ (mean * (1 - mean) / (a + b + 1) + (mean - centre) ** 2)))
    low, high = 0.0, 1.0
    at = centre + spread * float(ndtri(share))
    for _ in range(STEPS):
        if not low < at < high:
            at = (low + high) / 2
        excess = float(weight @ betainc(a, b, at)) - share
        low, high = (low, at) if excess > 0 else (at, high)
        density = float(weight @ np.exp((a - 1) * np.log(at) + (b - 1) * np.log1p(-at) - log_beta))
        step = excess / density if density > 0 else np.inf
        # Newton's error is squared at each step
        if abs(step) < NEAR * spread:
            return min(max(at - step, low), high)
        at = at - step
    return at
