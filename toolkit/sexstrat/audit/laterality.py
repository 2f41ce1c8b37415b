"""Right against left eyes of the same patients: a paired comparison of how often images are called rightly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest, norm

from sexstrat.audit.ageing.clustered_logistic import clustered_logistic
from sexstrat.audit.clusters import Clusters
from sexstrat.errors import EstimationError

__all__ = ["EyeComparison", "compare_eyes"]


NO_SPREAD = 1e-12  # of the variance of the intercept


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeComparison:
    """How the two eyes of patients compare; a number is None where it is undefined.

    Parameters
    ----------
    both, only_right, only_left, neither : patients with both eyes whose eyes are called rightly so.
    mcnemar_p : exact two-sided p value that each eye is as often called rightly, from the patients whose eyes differ.
    agreement : share of patients whose two eyes agree in being called rightly or wrongly.
    kappa, kappa_low, kappa_high : agreement beyond chance, −1 to 1, with its interval at ``level``.
    log_odds_ratio, se, p_value : right against left over all images, single eyes included, by the independence
        estimating equation with patients as clusters.
    level : confidence level.
    note : what is undefined, and why.

    Examples
    --------
    >>> compare_eyes([1, 0] * 6, ["R", "L"] * 6, np.repeat(range(6), 2)).mcnemar_p
    0.03125
    """

    both: int
    only_right: int
    only_left: int
    neither: int
    level: float
    mcnemar_p: float | None
    agreement: float | None
    kappa: float | None = None
    kappa_low: float | None = None
    kappa_high: float | None = None
    log_odds_ratio: float | None = None
    se: float | None = None
    p_value: float | None = None
    note: str = ""


def compare_eyes(
    right: ArrayLike, eye: ArrayLike, cluster: ArrayLike | Clusters, *, level: float = 0.95
) -> EyeComparison:
    """Compare the eyes of patients by McNemar's exact test, kappa, and a regression that uses single eyes too.

    McNemar's test is the binomial test that of the patients whose eyes differ half are right in the right eye. Kappa is
    (agreement − chance)/(1 − chance) with the large-sample standard error of Fleiss.

    Parameters
    ----------
    right : whether each image is called rightly.
    eye : "R" or "L" of each image; one image of each eye.
    cluster : patient of each image.
    level : confidence level.

    Returns
    -------
    EyeComparison.

    Raises
    ------
    EstimationError : an eye is neither R nor L, or a patient has several images of one eye.

    References
    ----------
    McNemar 1947, Psychometrika 12:153; Fleiss, Cohen & Everitt 1969, Psychol Bull 72:323, equation 14; Liang & Zeger
    1986, Biometrika 73:13.

    Examples
    --------
    Forty patients: 20 right in both eyes, 10 in neither, 8 in the right eye only, 2 in the left only.

    >>> pairs = [(1, 1)] * 20 + [(0, 0)] * 10 + [(1, 0)] * 8 + [(0, 1)] * 2
    >>> found = compare_eyes(np.ravel(pairs), ["R", "L"] * 40, np.repeat(range(40), 2))
    >>> round(found.mcnemar_p, 4), found.agreement, round(found.kappa, 4), round(found.log_odds_ratio, 4)
    (0.1094, 0.75, 0.4792, 0.6466)
    """
    y, side = np.asarray(right, dtype=bool), np.asarray(eye, dtype=object)
    patients = cluster if isinstance(cluster, Clusters) else Clusters.of(cluster)
    wrong = np.flatnonzero((side != "R") & (side != "L"))
    if len(wrong):
        raise EstimationError(f"an eye is R or L; found {side[wrong[0]]!r}")
    counts = np.zeros((patients.n, 2), dtype=np.int64)
    hits = np.zeros((patients.n, 2), dtype=bool)
    column = (side == "L").astype(np.intp)
    counts += np.bincount(patients.code * 2 + column, minlength=2 * patients.n).reshape(-1, 2)
    if (counts > 1).any():
        raise EstimationError("a patient has several images of one eye; choose one, or combine them, first")
    hits[patients.code, column] = y
    pairs = hits[(counts == 1).all(axis=1)]
    cells = [int(np.sum((pairs[:, 0] == a) & (pairs[:, 1] == b))) for a, b in ((1, 1), (1, 0), (0, 1), (0, 0))]
    discordant, n = cells[1] + cells[2], len(pairs)
    kappa, notes = _kappa(cells, level), []
    if kappa is None:
        notes.append("kappa: too few pairs, or all pairs are alike")
    fit = clustered_logistic(np.stack([np.ones(len(y)), side == "R"]).T.astype(float), y, patients)
    # eyes that never differ leave a variance that is rounding
    measured = fit.state == "measured" and fit.covariance[1, 1] > NO_SPREAD * fit.covariance[0, 0]
    se = float(np.sqrt(fit.covariance[1, 1] * patients.n / (patients.n - 1))) if measured else None
    odds = float(fit.coefficients[1]) if measured else None
    if odds is None or not se:
        notes.append("odds ratio: no finite estimate with spread between patients")
    return EyeComparison(
        both=cells[0],
        only_right=cells[1],
        only_left=cells[2],
        neither=cells[3],
        level=level,
        mcnemar_p=float(binomtest(cells[1], discordant, 0.5).pvalue) if discordant else None,
        agreement=(cells[0] + cells[3]) / n if n else None,
        kappa=None if kappa is None else kappa[0],
        kappa_low=None if kappa is None else kappa[1],
        kappa_high=None if kappa is None else kappa[2],
        log_odds_ratio=odds if se else None,
        se=se or None,
        p_value=float(2 * norm.sf(abs(odds) / se)) if odds is not None and se else None,
        note="; ".join([*notes, *(() if discordant else ("McNemar: no patient's eyes differ",))]),
    )


def _kappa(cells: list[int], level: float) -> tuple[float, float, float] | None:
    """Return kappa and its limits; None where chance agreement is complete or the estimate has no spread."""
    n = sum(cells)
    if n < 2:
        return None
    table = np.array([[cells[0], cells[1]], [cells[2], cells[3]]]) / n
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    observed, chance = float(np.trace(table)), float(rows @ columns)
    if chance >= 1:
        return None
    kappa = (observed - chance) / (1 - chance)
    diagonal = sum(table[k, k] * (1 - (rows[k] + columns[k]) * (1 - kappa)) ** 2 for k in range(2))
    off = (1 - kappa) ** 2 * sum(table[j, k] * (columns[j] + rows[k]) ** 2 for j, k in ((0, 1), (1, 0)))
    variance = float(diagonal + off - (kappa - chance * (1 - kappa)) ** 2) / (n * (1 - chance) ** 2)
    if variance <= 1e-15:
        return None
    half = float(norm.ppf(0.5 + level / 2)) * float(np.sqrt(variance))
    return kappa, max(-1.0, kappa - half), min(1.0, kappa + half)
