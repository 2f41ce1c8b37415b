"""What is believed about a probability before any data: a beta prior, by moments, parameters or interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import expit, logit
from scipy.stats import beta, norm

from sexstrat.errors import EstimationError

__all__ = ["BetaPrior", "beta_prior"]

Array = NDArray[np.float64]

_WAYS = "mean= and sd=, a= and b=, or low= and high="


@dataclass(frozen=True, slots=True, kw_only=True)
class BetaPrior:
    """A beta distribution of a probability: what is believed about it before any data.

    Parameters
    ----------
    a, b : its parameters, positive: a - 1 successes and b - 1 failures on top of a uniform prior.

    Raises
    ------
    EstimationError : a parameter that is not positive and finite.

    Examples
    --------
    >>> prior = BetaPrior(a=9.0, b=1.0)
    >>> prior.mean, round(prior.sd, 4)
    (0.9, 0.0905)
    """

    a: float
    b: float

    def __post_init__(self) -> None:
        if not all(np.isfinite(value) and value > 0 for value in (self.a, self.b)):
            raise EstimationError(f"the parameters of a beta prior must be positive; found a = {self.a}, b = {self.b}")

    @property
    def mean(self) -> float:
        """Its mean, a / (a + b)."""
        return self.a / (self.a + self.b)

    @property
    def sd(self) -> float:
        """Its standard deviation, sqrt(mean (1 - mean) / (a + b + 1))."""
        return float(np.sqrt(self.mean * (1 - self.mean) / (self.a + self.b + 1)))

    def quantile(self, probability: Array) -> Array:
        """Return the value below which the probability lies."""
        return np.asarray(beta.ppf(probability, self.a, self.b))

    def __str__(self) -> str:
        low, high = self.quantile(np.array([0.025, 0.975]))
        return f"beta({self.a:.4g}, {self.b:.4g}): mean {self.mean:.3f}, 95 % from {low:.3f} to {high:.3f}"


def _of_moments(mean: float, sd: float) -> BetaPrior:
    if not (0 < mean < 1 and 0 < sd**2 < mean * (1 - mean)):
        raise EstimationError(
            f"a beta prior needs a mean inside 0 to 1 and a standard deviation below sqrt(mean (1 - mean)); "
            f"found mean {mean} and sd {sd}"
        )
    size = mean * (1 - mean) / sd**2 - 1
    return BetaPrior(a=mean * size, b=(1 - mean) * size)


def _of_interval(low: float, high: float, level: float) -> BetaPrior:
    if not (0 < low < high < 1 and 0 < level < 1):
        raise EstimationError(
            f"an interval for a beta prior must lie inside 0 to 1 and its level too; found {low} to {high} at {level}"
        )
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    target = logit([low, high])
    middle = float(expit(target.mean()))
    spread = (high - low) / (2 * float(norm.ppf(tails[1])))
    size = max(middle * (1 - middle) / spread**2 - 1, 0.5)
    start = np.log([middle * size, (1 - middle) * size])

    def miss(logs: Array) -> Array:
        found = np.clip(beta.ppf(tails, *np.exp(logs)), 1e-300, 1 - 1e-16)
        return np.asarray(logit(found) - target)

    fitted = least_squares(miss, start, bounds=(-7, 25), xtol=1e-14, ftol=1e-14, gtol=1e-14)
    if np.max(np.abs(fitted.fun)) > 1e-5:
        raise EstimationError(
            f"no beta prior has {level:.0%} of its mass from {low} to {high}; give mean and sd instead"
        )
    a, b = np.exp(fitted.x)
    return BetaPrior(a=float(a), b=float(b))


def beta_prior(
    *,
    mean: float | None = None,
    sd: float | None = None,
    a: float | None = None,
    b: float | None = None,
    low: float | None = None,
    high: float | None = None,
    level: float = 0.95,
) -> BetaPrior:
    """Return the beta prior with a given mean and standard deviation, parameters, or interval.

    Mean and sd: a = mean k, b = (1 - mean) k with k = mean (1 - mean) / sd^2 - 1. Interval: a and b such that equal
    tails of (1 - level) / 2 lie below ``low`` and above ``high``.

    Parameters
    ----------
    mean, sd : of the probability.
    a, b : beta parameters.
    low, high : limits strictly inside 0 to 1 that hold the probability with certainty ``level``.
    level : mass between them.

    Raises
    ------
    EstimationError : not exactly one of the three pairs, or values that no beta distribution has.

    References
    ----------
    Lash TL, Fox MP, Fink AK. Applying Quantitative Bias Analysis to Epidemiologic Data. Springer 2009, chapter 8.

    Examples
    --------
    k = .9 x .1 / .03^2 - 1 = 99.

    >>> prior = beta_prior(mean=0.9, sd=0.03)
    >>> round(prior.a, 6), round(prior.b, 6)
    (89.1, 9.9)
    >>> beta_prior(low=0.85, high=0.95).quantile(np.array([0.025, 0.975])).round(6).tolist()
    [0.85, 0.95]
    """
    pairs = {"moments": (mean, sd), "parameters": (a, b), "interval": (low, high)}
    given = [name for name, pair in pairs.items() if pair[0] is not None and pair[1] is not None]
    if len(given) != 1 or sum(value is not None for pair in pairs.values() for value in pair) != 2:
        raise EstimationError(f"a beta prior is given by exactly one pair: {_WAYS}")
    first, second = (float(value) for value in pairs[given[0]] if value is not None)
    if given[0] == "moments":
        return _of_moments(first, second)
    return BetaPrior(a=first, b=second) if given[0] == "parameters" else _of_interval(first, second, level)
