"""Score bins in SQL, exactly those of Python: each bin is known by the smallest probability that lies in it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.values.logit_bins import logit_bin

__all__ = ["bin_frame", "bin_sql", "lowest_probabilities"]


def lowest_probabilities(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the smallest double in each bin, so that comparing probabilities replaces computing logarithms.

    A database and numpy may differ in the last bit of a logarithm, and a score on an edge would change its bin.
    Here the border is searched for among the doubles themselves, by bisection on their bit patterns.

    Parameters
    ----------
    edges : rising edges on the logit scale.

    Returns
    -------
    One probability per bin; the first is 0.

    Examples
    --------
    >>> from sexstrat.values.logit_bins import logit_edges
    >>> float(lowest_probabilities(logit_edges())[100])
    0.5
    """
    bins = np.arange(1, len(edges) - 1)
    low = np.zeros(len(bins), dtype=np.int64)  # bit pattern of 0.0, below every border
    high = np.full(len(bins), np.float64(1.0).view(np.int64))  # 1.0, above every border
    while np.any(high - low > 1):
        middle = low + (high - low) // 2
        inside = logit_bin(middle.view(np.float64), edges) >= bins
        high = np.where(inside, middle, high)
        low = np.where(inside, low, middle)
    return np.concatenate([[0.0], high.view(np.float64)])


def bin_sql(column: str, lowest: NDArray[np.float64]) -> str:
    """Return SQL of the bin of a probability: comparisons with the borders themselves, halving as they go.

    A join with the table of bins would sort every patient by score first.

    Parameters
    ----------
    column : SQL of the probability, from 0 to 1 or NULL.
    lowest : smallest probability of each bin, from :func:`lowest_probabilities`.

    Examples
    --------
    >>> bin_sql("p", np.array([0.0, 0.5]))
    "CASE WHEN p < CAST('0.5' AS DOUBLE) THEN 0 ELSE 1 END"
    """

    def between(first: int, last: int) -> str:
        if first == last:
            return str(first)
        middle = (first + last + 1) // 2
        border = f"CAST('{float(lowest[middle])!r}' AS DOUBLE)"
        return f"CASE WHEN {column} < {border} THEN {between(first, middle - 1)} ELSE {between(middle, last)} END"

    return between(0, len(lowest) - 1)


def bin_frame(edges: NDArray[np.float64]) -> pd.DataFrame:
    """Return the bins as a table: index, edges on the logit scale, smallest probability.

    Parameters
    ----------
    edges : rising edges on the logit scale.

    Examples
    --------
    >>> bin_frame(np.array([-10.0, 0.0, 10.0]))["prob_low"].tolist()
    [0.0, 0.5]
    """
    return pd.DataFrame(
        {
            "logit_bin": np.arange(len(edges) - 1, dtype=np.int64),
            "logit_low": edges[:-1],
            "logit_high": edges[1:],
            "prob_low": lowest_probabilities(edges),
        }
    )
