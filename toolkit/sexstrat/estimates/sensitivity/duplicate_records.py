"""Known duplicates: how often recorded sex is wrong, from people found under several ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar
from scipy.special import gammaln
from scipy.stats import chi2

from sexstrat.errors import EstimationError
from sexstrat.estimates.numbers.proportions import wilson

__all__ = ["DuplicateDisagreement", "disagreement_to_error", "duplicate_disagreement"]

Array = NDArray[np.float64]

WHY = (
    "Records of one person that name different sexes cannot all be right; how many do tells how often a record is "
    "wrong, if each record is wrong independently of the person's others."
)
ASSUMPTIONS = (
    "Each record is wrong at one rate, the same for men and women, independently of the person's other records; "
    "records copied from one another make the rate look smaller than it is.",
    "The groups are of one person each: a wrong link makes the rate look larger than it is.",
    "People with several ids are recorded as carefully as the others.",
)
NO_BETTER = "half of the pairs or more disagree, so that records are no better than chance, or the links are wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateDisagreement:
    """The error rate of recorded sex that disagreeing duplicates imply.

    Parameters
    ----------
    error_rate, low, high : share of wrong records with its interval; None when refused.
    method : ``wilson`` (all groups are pairs) or ``likelihood`` (some are larger).
    disagreement : share of groups in which records differ.
    n_groups, n_records : groups with at least two usable records, and those records.
    n_disagreeing : groups whose records differ.
    n_single, n_unusable : groups with a single usable record; records without a male or female sex.
    level : confidence level.
    state : ``measured`` or ``refused``.
    why, assumptions : sentences for the report.
    """

    error_rate: float | None
    low: float | None
    high: float | None
    method: str
    disagreement: float | None
    n_groups: int
    n_records: int
    n_disagreeing: int
    n_single: int
    n_unusable: int
    level: float
    state: str
    why: str
    assumptions: tuple[str, ...] = ASSUMPTIONS

    def to_frame(self) -> pd.DataFrame:
        """Return one row."""
        names = [name for name in self.__dataclass_fields__ if name != "assumptions"]
        frame = pd.DataFrame([{name: getattr(self, name) for name in names}])
        return frame.astype(dict.fromkeys(("error_rate", "low", "high", "disagreement"), "Float64"))


def disagreement_to_error(disagreement: float) -> float:
    """Return the error rate e at which two records of one person disagree that often: 2 e (1 - e), e at most 1/2.

    Parameters
    ----------
    disagreement : share of pairs that disagree, 0 to 1/2.

    Raises
    ------
    EstimationError : a share outside 0 to 1/2, which independent records of one person do not have.

    Examples
    --------
    2 x .1 x .9 = .18.

    >>> round(disagreement_to_error(0.18), 6)
    0.1
    """
    if not 0 <= disagreement <= 0.5:
        raise EstimationError(
            f"the share of disagreeing pairs must lie between 0 and 1/2; found {disagreement}: above it records would "
            "be no better than chance"
        )
    return float((1 - np.sqrt(1 - 2 * disagreement)) / 2)


def _log_likelihood(error: float, size: Array, minority: Array, groups: Array) -> float:
    """Return the log likelihood of how many of a group's records are in the minority; the person's sex cancels.

    P(m of k differ from the others) = C(k, m) {e^m (1 - e)^(k - m) + e^(k - m) (1 - e)^m}, halved when m = k / 2.
    """
    wrong, right = np.log(max(error, 1e-300)), np.log1p(-error)
    ways = gammaln(size + 1) - gammaln(minority + 1) - gammaln(size - minority + 1)
    both = np.logaddexp(minority * wrong + (size - minority) * right, (size - minority) * wrong + minority * right)
    return float(groups @ (ways + both - np.where(2 * minority == size, np.log(2), 0.0)))


def _by_likelihood(size: Array, minority: Array, groups: Array, level: float) -> tuple[float, float, float]:
    """Return the maximum-likelihood error rate below 1/2 and its likelihood-ratio interval."""

    def value(error: float) -> float:
        return _log_likelihood(error, size, minority, groups)

    if not minority.any():
        best = 0.0
    else:
        best = float(minimize_scalar(lambda e: -value(e), bounds=(1e-12, 0.5), options={"xatol": 1e-12}).x)
    drop = value(best) - float(chi2.ppf(level, 1)) / 2

    def depth(error: float) -> float:
        return value(error) - drop

    low = 0.0 if best == 0 else float(brentq(depth, 1e-300, best))
    high = 0.5 if depth(0.5) > 0 else float(brentq(depth, max(best, 1e-300), 0.5))
    return best, low, high


def _counted(groups: Sequence[object], sexes: Sequence[object]) -> tuple[pd.DataFrame, int, int]:
    """Return size and minority of every group with two usable records, singles, and unusable records."""
    frame = pd.DataFrame({"group": pd.Series(list(groups)), "sex": pd.Series(list(sexes), dtype="string")})
    usable = frame["sex"].isin(["male", "female"]) & frame["group"].notna()
    kept = frame[usable].assign(male=lambda one: (one["sex"] == "male").astype(int))
    table = kept.groupby("group")["male"].agg(["size", "sum"])
    table["minority"] = np.minimum(table["sum"], table["size"] - table["sum"])
    several = table[table["size"] >= 2]
    return several, int((table["size"] == 1).sum()), int((~usable).sum())


def duplicate_disagreement(
    groups: Sequence[object], sexes: Sequence[object], *, level: float = 0.95
) -> DuplicateDisagreement:
    """Return the error rate of recorded sex from people known to stand under several ids.

    Two records of one person disagree with probability 2 e (1 - e): with pairs alone e follows from the share that
    disagree, and its interval from the Wilson interval of that share. With larger groups e maximises the likelihood of
    how many records are in the minority of each, and the interval is that of the likelihood ratio. Errors of men's and
    women's records cannot be told apart this way.

    Parameters
    ----------
    groups : the person of each record.
    sexes : recorded sex of each: male and female count; anything else is not usable and is counted.
    level : confidence level.

    Returns
    -------
    The error rate with an interval that covers it under independent errors; ``refused`` without a group of two usable
    records, or where half of the pairs or more disagree.

    Raises
    ------
    EstimationError : unequal lengths.

    References
    ----------
    Wilson EB. JASA 1927;22:209-212. Hui SL, Walter SD. Biometrics 1980;36:167-171 (two independent records).

    Examples
    --------
    Four of 200 pairs disagree: (1 - sqrt(1 - .04)) / 2.

    >>> groups = [person for person in range(200) for _ in range(2)]
    >>> sexes = ["male", "female"] * 4 + ["female"] * 392
    >>> found = duplicate_disagreement(groups, sexes)
    >>> round(found.error_rate, 6), found.n_disagreeing
    (0.010102, 4)
    """
    if len(groups) != len(sexes):
        raise EstimationError(f"need one recorded sex for each record; found {len(groups)} and {len(sexes)}")
    table, single, unusable = _counted(groups, sexes)
    size, minority = table["size"].to_numpy(dtype=float), table["minority"].to_numpy(dtype=float)
    n, differing = int(size.size), int((minority > 0).sum())
    pairs = bool((size == 2).all())
    refused = ""
    limits: tuple[float | None, float | None, float | None] = (None, None, None)
    if n == 0:
        refused = "no person has two records with a male or female sex"
    elif pairs and 2 * differing >= n:
        refused = NO_BETTER
    elif pairs:
        ends = (min(value, 0.5) for value in wilson(differing, n, level=level))
        low, high = (disagreement_to_error(value) for value in ends)
        limits = disagreement_to_error(differing / n), low, high
    else:
        kinds, inverse = np.unique(np.column_stack([size, minority]), axis=0, return_inverse=True)
        best, low, high = _by_likelihood(
            kinds[:, 0], kinds[:, 1], np.bincount(inverse.reshape(-1)).astype(float), level
        )
        limits = (best, low, high)
        refused = NO_BETTER if best > 0.5 - 1e-6 else ""
    rate, low_limit, high_limit = (None, None, None) if refused else limits
    return DuplicateDisagreement(
        error_rate=rate,
        low=low_limit,
        high=high_limit,
        method="wilson" if pairs else "likelihood",
        disagreement=differing / n if n else None,
        n_groups=n,
        n_records=int(size.sum()),
        n_disagreeing=differing,
        n_single=single,
        n_unusable=unusable,
        level=level,
        state="refused" if refused else "measured",
        why=f"No error rate: {refused}." if refused else WHY,
    )
