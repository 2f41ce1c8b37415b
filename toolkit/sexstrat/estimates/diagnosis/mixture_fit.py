"""Whether the scores of people of unknown sex are a mixture of those of known men and known women."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy
from scipy.stats import chi2

from sexstrat.errors import EstimationError

__all__ = ["MixtureFit", "fit_mixture"]

Array = NDArray[np.float64]
State = tuple[Array, Array, Array]

TOLERANCE = 1e-7  # on the log likelihood of each group; shares may still drift along a ridge that it does not see
LONGEST_SEARCH = 500  # accelerated steps; about 30 are usual
LONGEST_LEAP = 1e3  # steps of expectation and maximisation that one extrapolation may stand for


@dataclass(frozen=True, slots=True, kw_only=True)
class MixtureFit:
    """The mixture that fits best, group by group, and how badly.

    Parameters
    ----------
    pi : share of men among those of unknown sex, shape (groups,).
    men, women : score distribution of either sex under the mixture model, shape (groups, bins).
    deviance : twice the log likelihood lost against three free distributions, shape (groups,).
    df : its degrees of freedom, bins with anybody less two; 0 where nothing can be tested.

    Examples
    --------
    >>> one = np.array([[0.5, 0.5]])
    >>> MixtureFit(pi=np.array([0.5]), men=one, women=one, deviance=np.zeros(1), df=np.zeros(1)).p_value.tolist()
    [nan]
    """

    pi: Array
    men: Array
    women: Array
    deviance: Array
    df: Array

    @property
    def mixed(self) -> Array:
        """Score distribution that the model gives to those of unknown sex."""
        return self.pi[..., None] * self.men + (1 - self.pi[..., None]) * self.women

    @property
    def p_value(self) -> Array:
        """Chi-square tail of each group's deviance; NaN where nothing can be tested."""
        return np.where(self.df > 0, chi2.sf(self.deviance, np.maximum(self.df, 1)), np.nan)


def _likelihood(counts: State, shares: State) -> Array:
    """Return the log likelihood of each group, shape (groups,)."""
    (mixed, men, women), (pi, f1, f0) = counts, shares
    both = pi[..., None] * f1 + (1 - pi[..., None]) * f0
    return np.asarray((xlogy(mixed, both) + xlogy(men, f1) + xlogy(women, f0)).sum(axis=-1))


def _step(counts: State, shares: State) -> State:
    """Return one step of expectation and maximisation."""
    (mixed, men, women), (pi, f1, f0) = counts, shares
    first = pi[..., None] * f1
    both = first + (1 - pi[..., None]) * f0
    taken = mixed * np.divide(first, both, out=np.zeros_like(both), where=both > 0)
    all_men, all_women = men + taken, women + mixed - taken
    return (
        taken.sum(axis=-1) / mixed.sum(axis=-1),
        all_men / all_men.sum(axis=-1, keepdims=True),
        all_women / all_women.sum(axis=-1, keepdims=True),
    )


def _packed(shares: State) -> Array:
    return np.concatenate([shares[0][..., None], shares[1], shares[2]], axis=-1)


def _unpacked(values: Array, nearby: Array) -> State:
    """Return shares, none of which has gone more than nine tenths of the way from a nearby point to 0 (pi, to 1).

    A share of exactly 0 would stay there for ever, and a search that lands on it would stop too early.
    """
    bins = (values.shape[-1] - 1) // 2
    values = np.maximum(values, 0.1 * nearby)
    f1, f0 = values[..., 1 : bins + 1], values[..., bins + 1 :]
    pi = np.minimum(values[..., 0], 0.9 + 0.1 * nearby[..., 0])
    return pi, f1 / f1.sum(axis=-1, keepdims=True), f0 / f0.sum(axis=-1, keepdims=True)


def _leaps(here: Array, first: Array, second: Array) -> Iterator[Array]:
    """Yield where two steps point to, by squared extrapolation: far, then nearer."""
    move, bend = first - here, second - 2 * first + here
    length = np.sqrt(np.sum(move**2, axis=-1) / np.maximum(np.sum(bend**2, axis=-1), 1e-300))
    for nearer in (1.0, 0.25, 0.06):
        reach = np.clip(nearer * length, 1.0, LONGEST_LEAP)[..., None]
        yield here + 2 * reach * move + reach**2 * bend


def _climbed(counts: State, shares: State) -> tuple[State, Array]:
    """Return better shares and their log likelihood: of two steps and the leaps they suggest, the best by group."""
    once = _step(counts, shares)
    twice = _step(counts, once)
    second, value = _packed(twice), _likelihood(counts, twice)
    best = second
    for point in _leaps(_packed(shares), _packed(once), second):
        leap = _step(counts, _unpacked(point, second))
        reached = _likelihood(counts, leap)
        best = np.where((reached > value)[..., None], _packed(leap), best)
        value = np.maximum(value, reached)
    return _unpacked(best, best), value


def _maximum(counts: State) -> State:
    """Return the shares of greatest likelihood."""
    mixed, men, women = counts
    bins = mixed.shape[-1]
    start = [(one + 0.5) / (one.sum(axis=-1, keepdims=True) + 0.5 * bins) for one in (men, women)]
    shares: State = (np.full(mixed.shape[:-1], 0.5), start[0], start[1])
    value = _likelihood(counts, shares)
    for _ in range(LONGEST_SEARCH):
        before = value
        shares, value = _climbed(counts, shares)
        if np.max(value - before) < TOLERANCE:
            return shares
    if np.max(value - before) < 1e3 * TOLERANCE:  # a ridge so flat that the deviance does not see it
        return shares
    raise EstimationError("the mixture of men's and women's scores did not settle; use fewer score bins")


def fit_mixture(mixed: Array, men: Array, women: Array) -> MixtureFit:
    """Fit mixed ~ pi men + (1 - pi) women by maximum likelihood, and measure the lack of fit.

    All three distributions are multinomial over the same bins of the score; the error of the known men and women
    counts as much as that of the others. pi and both distributions are estimated together, so that under the model
    the deviance 2 (log likelihood of three free distributions - log likelihood of the model) is chi-square on bins
    less two. It assumes independent people, and in each group the same score distribution given sex in both samples.

    Parameters
    ----------
    mixed, men, women : people by group and bin, shape (groups, bins); effective numbers where they carry weights.

    Raises
    ------
    EstimationError : a sample of a group is empty, shapes differ, or the search does not settle.

    References
    ----------
    Hosmer DW. Biometrics 1973;29:761-770 (mixture with known members of each kind).
    Varadhan R, Roland C. Scand J Stat 2008;35:335-353 (squared extrapolation).

    Examples
    --------
    Men are high in 80 %, women in 20 %. Two bins: 44 % high means pi = (.44 - .2) / .6 = .4, and nothing is left to
    test.

    >>> fit = fit_mixture(np.array([[560.0, 440.0]]), np.array([[20.0, 80.0]]), np.array([[80.0, 20.0]]))
    >>> round(float(fit.pi[0]), 4), round(float(fit.deviance[0]), 6), float(fit.df[0])
    (0.4, 0.0, 0.0)

    Three bins, and a pile in the middle where neither men nor women have it: no mixture does that.

    >>> fit = fit_mixture(
    ...     np.array([[10.0, 80.0, 10.0]]), np.array([[10.0, 10.0, 80.0]]), np.array([[80.0, 10.0, 10.0]])
    ... )
    >>> float(fit.df[0]), bool(fit.p_value[0] < 1e-12)
    (1.0, True)
    """
    counts = tuple(np.atleast_2d(np.asarray(one, dtype=float)) for one in (mixed, men, women))
    if len({one.shape for one in counts}) != 1:
        raise EstimationError(f"the three samples need equal shapes; found {', '.join(str(c.shape) for c in counts)}")
    if any((one.sum(axis=-1) <= 0).any() for one in counts):
        raise EstimationError("a group has nobody of unknown sex, no known man or no known woman; leave the group out")
    pi, f1, f0 = _maximum((counts[0], counts[1], counts[2]))
    free = [one / one.sum(axis=-1, keepdims=True) for one in counts]
    best = sum(xlogy(one, share).sum(axis=-1) for one, share in zip(counts, free, strict=True))
    deviance = 2 * (best - _likelihood((counts[0], counts[1], counts[2]), (pi, f1, f0)))
    used = np.sum(counts[0] + counts[1] + counts[2] > 0, axis=-1)
    return MixtureFit(
        pi=pi, men=f1, women=f0, deviance=np.maximum(deviance, 0.0), df=np.maximum(used - 2, 0).astype(float)
    )
