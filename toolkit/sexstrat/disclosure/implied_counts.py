"""The numbers of men and women that a prevalence gives away where sex was counted, not estimated."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.withhold import group_numbers, numbers

__all__ = ["EXACT_ESTIMATORS", "implied_counts", "is_exact"]

# estimators whose sexes are counts of people, so that point × denominator is a whole number of them
EXACT_ESTIMATORS = ("complete_case", "naive_threshold", "recorded", "truth")


def is_exact(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which estimate rows come from counts by sex: recorded or true sex, or sex called by a threshold.

    Examples
    --------
    >>> is_exact(pd.DataFrame({"estimator": ["E1", "complete_case"], "state": ["corrected", "naive"]})).tolist()
    [False, True]
    """
    exact = frame["estimator"].isin(EXACT_ESTIMATORS) | frame["state"].isin(("recorded", "truth"))
    return np.asarray(exact, dtype=bool)


def implied_counts(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Return the numbers by sex that exact, crude rows imply, NaN where they imply none.

    With N patients of whom D are diseased (for complete cases: of those with recorded sex), the two prevalences give
    the number of men, N·share with share = (D/N − p_female)/(p_male − p_female), and so the diseased and the healthy
    of each sex. Where the prevalences are equal the male share row, else one half, stands in for the share.

    Parameters
    ----------
    frame : rows of the ``estimate`` contract.

    Returns
    -------
    Shape (rows, 6): diseased men, healthy men, diseased women, healthy women, men, women; whole people.

    Examples
    --------
    20 patients, 10 men, of whom one is diseased, and 10 women, of whom seven are.

    >>> from sexstrat.disclosure.withhold import releasable_frame
    >>> rows = {
    ...     "measure": "prevalence",
    ...     "estimator": "recorded",
    ...     "condition": "d",
    ...     "sex": ["male", "female"],
    ...     "standard": "crude",
    ...     "point": [0.1, 0.7],
    ...     "level": 0.95,
    ...     "n_patients": 20,
    ...     "n_diseased": 8,
    ...     "state": "recorded",
    ... }
    >>> implied_counts(releasable_frame(pd.DataFrame(rows), "estimate"))[:, :4].tolist()
    [[1.0, 9.0, nan, nan], [nan, nan, 7.0, 3.0]]
    """
    found = np.full((len(frame), 6), np.nan)
    point, complete = numbers(frame, "point"), (frame["estimator"] == "complete_case").to_numpy(dtype=bool)
    n = np.where(complete, numbers(frame, "n_validated"), numbers(frame, "n_patients"))
    diseased = np.where(complete, numbers(frame, "n_validated_diseased"), numbers(frame, "n_diseased"))
    usable = is_exact(frame) & (frame["standard"] == "crude").to_numpy(dtype=bool) & np.isfinite(point) & (n > 0)
    measure, sex = frame["measure"].to_numpy(dtype=object), frame["sex"].to_numpy(dtype=object)
    band = group_numbers(frame, ["estimator", "age_low", "age_high"])
    shares: dict[int, float] = {}
    for k in np.flatnonzero(usable & (measure == "male_share")):
        found[k, 4:] = _people(point[k] * n[k]), _people(n[k] - point[k] * n[k])
        shares[int(band[k])] = float(point[k])
    wanted = np.flatnonzero(usable & (measure == "prevalence"))
    key = group_numbers(frame, ["estimator", "condition", "age_low", "age_high"])
    for number in np.unique(key[wanted]):
        by_sex = {sex[k]: int(k) for k in wanted[key[wanted] == number]}
        otherwise = shares.get(int(band[next(iter(by_sex.values()))]), 0.5)
        share = _share(by_sex, point, n, diseased, otherwise)
        for name, row in by_sex.items():
            people, first = (n[row] * share, 0) if name == "male" else (n[row] * (1 - share), 2)
            found[row, first : first + 2] = _people(people * point[row]), _people(people * (1 - point[row]))
    return found


def _share(
    by_sex: dict[object, int],
    point: NDArray[np.float64],
    n: NDArray[np.float64],
    diseased: NDArray[np.float64],
    otherwise: float,
) -> float:
    if "male" not in by_sex or "female" not in by_sex:
        return otherwise
    male, female = by_sex["male"], by_sex["female"]
    difference = point[male] - point[female]
    if abs(difference) < 1e-9 or not np.isfinite(diseased[male]):
        return otherwise
    share = float((diseased[male] / n[male] - point[female]) / difference)
    return share if 0 < share < 1 else otherwise


def _people(count: float) -> float:
    """Round to whole people; above 0 but under half a person is still a person."""
    return max(1.0, float(round(count))) if count > 1e-6 else 0.0
