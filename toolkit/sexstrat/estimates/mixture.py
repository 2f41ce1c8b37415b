"""The share of men in each cell from the likelihood ratios of its people's scores: the two-component mixture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MixtureShares", "mixture_shares"]

Array = NDArray[np.float64]

STEPS = 200  # bisection alone needs 50 for double precision; Newton's steps make it about 8
SETTLED = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class MixtureShares:
    """Maximum likelihood shares of men by group.

    Parameters
    ----------
    pi : share of men, 0 or 1 where the likelihood rises to that border, NaN in an empty group.
    score : derivative of each row's log likelihood by its group's share: (R - 1) / (pi R + 1 - pi).
    information : sum over the group of weight x score squared.
    """

    pi: Array
    score: Array
    information: Array


def mixture_shares(log_ratio: Array, weight: Array, group: NDArray[np.int64], n_groups: int) -> MixtureShares:
    """Return the share of men of each group that makes its people's scores likeliest.

    The share solves sum w (R - 1) / (pi R + 1 - pi) = 0, R the likelihood ratio of a person's score; it is the fixed
    point of the EM iteration pi <- mean of pi R / (pi R + 1 - pi). The left side falls in pi, so there is one solution.

    Parameters
    ----------
    log_ratio : log R of each row, shape (rows,).
    weight : sum of weights of each row.
    group : index of the group of each row, 0 to n_groups - 1.
    n_groups : number of groups.

    Returns
    -------
    Shares with what their variance is made of.

    References
    ----------
    Saerens M, Latinne P, Decaestecker C. Neural Comput 2002;14:21-41.

    Examples
    --------
    A perfect score: three of four people are certainly men.

    >>> found = mixture_shares(np.array([60.0, 60, 60, -60]), np.ones(4), np.zeros(4, int), 1)
    >>> found.pi.round(9).tolist()
    [0.75]

    Half of the people look like men, and men do so in 80 %, women in 20 %: one half are men.

    >>> mixture_shares(np.log([4.0, 0.25]), np.ones(2), np.zeros(2, int), 1).pi.round(9).tolist()
    [0.5]
    """
    excess = np.expm1(np.clip(log_ratio, -700, 700))

    def total(values: Array) -> Array:
        return np.asarray(np.bincount(group, weights=values, minlength=n_groups), dtype=float)

    people = total(weight)
    low, high = np.zeros(n_groups), np.ones(n_groups)
    pi = np.full(n_groups, 0.5)
    at_zero = total(weight * excess) <= 0
    at_one = total(weight * -np.expm1(np.clip(-log_ratio, -700, 700))) >= 0
    for _ in range(STEPS):
        score = excess / (1 + pi[group] * excess)
        slope, curve = total(weight * score), total(weight * score**2)
        low, high = np.where(slope > 0, pi, low), np.where(slope > 0, high, pi)
        moved = pi + np.divide(slope, curve, out=np.zeros(n_groups), where=curve > 0)
        moved = np.where((moved > low) & (moved < high), moved, (low + high) / 2)
        settled = float(np.max(np.abs(moved - pi), initial=0.0)) < SETTLED
        pi = moved
        if settled:
            break
    pi = np.select([people <= 0, at_zero, at_one], [np.nan, 0.0, 1.0], pi)
    score = excess / (1 + np.nan_to_num(pi)[group] * excess)
    return MixtureShares(pi=pi, score=score, information=total(weight * score**2))
