"""Tests that a metric is the same in every group: patients permuted, and Wald's test beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from sexstrat.audit.alike import AlikePatients
from sexstrat.audit.gaps.grouped import GroupedMetric
from sexstrat.audit.gaps.limits import SHARES
from sexstrat.audit.gaps.permuted import Dealt, PatientTable, embedded, patient_table
from sexstrat.audit.influence import Influence
from sexstrat.audit.linear import LOSS_METRICS, linear_gradient, linear_value
from sexstrat.audit.sums import PatientSums

__all__ = ["ENOUGH_FOR_WALD", "PERMUTATIONS", "Homogeneity", "homogeneity", "wald_homogeneity", "wald_of_covariance"]

PERMUTATIONS = 999
ENOUGH_FOR_WALD = 200  # patients a group: below it Wald's test by the sandwich rejects too often
BORROWED = 20.0  # patients' worth of pooled variance in each group's own, so that a group without an error has one
CANNOT = "fewer than two groups have a number"
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Homogeneity:
    """A test that the groups do not differ, with the largest gap beside what chance alone makes of it.

    Parameters
    ----------
    statistic, p_value : of the test; None where it cannot be made.
    df : degrees of freedom, groups − 1.
    permutations : number of permutations; None for Wald's test.
    largest : largest minus smallest estimate; None for Wald's test.
    chance : mean of that over the permutations: the gap that these group sizes show when no group differs.
    state : ``measured`` or ``undefined``.
    note : the reason, or a warning.
    """

    statistic: float | None = None
    p_value: float | None = None
    df: int | None = None
    permutations: int | None = None
    largest: float | None = None
    chance: float | None = None
    state: str = "measured"
    note: str = ""

    @property
    def excess(self) -> float | None:
        """Return the largest gap minus its mean by chance: a description, not an estimate of the true gap."""
        return None if self.largest is None or self.chance is None else self.largest - self.chance


def homogeneity(
    sums: PatientSums,
    metric: str,
    labels: Sequence[str],
    *,
    alike: AlikePatients | None = None,
    permutations: int = PERMUTATIONS,
    seed: int = 1,
) -> Homogeneity:
    """Test by permuting patients that a metric is the same in all groups.

    Statistic: Σ over groups of (estimate − their precision-weighted mean)²/variance, with clustered variances
    (correlated groups: the quadratic form of the contrasts), so that groups whose patients vary more do not decide it.
    Each variance holds twenty patients' worth of the pooled one. p = (b + 1)/(B + 1), b permutations reaching the
    observed statistic. A patient is permuted whole; patients with images in several groups, such as both eyes, have
    these exchanged within. Exact where group and result are independent; by the studentising nearly so where only the
    metric is the same.

    Parameters
    ----------
    sums : what each patient adds in each group.
    metric : a name of ``sexstrat.audit.linear.LINEAR_METRICS``.
    labels : the groups to compare: those in which the metric is defined.
    alike : the same patients gathered by what they add, where known already.
    permutations : number B of permutations.
    seed : of the permutations.

    Returns
    -------
    Homogeneity; ``undefined`` with fewer than two groups or without any variation.

    References
    ----------
    Phipson & Smyth 2010, Stat Appl Genet Mol Biol 9:39 (b + 1); Janssen 1997, Stat Probab Lett 36:9; Chung & Romano
    2013, Ann Stat 41:484 (studentised permutation).

    Examples
    --------
    Eight of eight men right in one group and none of eight in the other: 2 of the 12,870 dealings are as far apart.

    >>> right = np.repeat([1.0, 0.0], 8)
    >>> one, none = np.ones(16), np.zeros(16)
    >>> sums = PatientSums(
    ...     labels=("a", "b"),
    ...     patient=np.arange(16),
    ...     group=np.repeat([0, 1], 8),
    ...     sums=np.column_stack([one, right, none, none, none, none, one, none]),
    ...     counts=np.column_stack([one, right, none, none, one, none]).astype(np.int64),
    ...     n_patients=16,
    ... )
    >>> found = homogeneity(sums, "correct_among_men", ("a", "b"))
    >>> found.p_value, found.largest, round(found.excess, 1)
    (0.001, 1.0, 0.8)
    """
    if len(labels) < 2:
        return Homogeneity(state="undefined", note=CANNOT)
    if alike is None or metric in LOSS_METRICS:
        table = patient_table(sums, metric, labels)
    else:
        table = patient_table(alike.sums, metric, labels, alike.times)
    pooled = _pooled_variance(table, metric)
    if not pooled > 0:
        return Homogeneity(
            state="undefined", df=len(labels) - 1, note="every patient has the same result: nothing can differ"
        )
    statistic, largest = _studentised(table.observed(), table, metric, pooled)
    reached, gaps = 0, []
    for batch in table.dealt(permutations, seed):
        each, apart = _studentised(batch, table, metric, pooled)
        reached += int(np.count_nonzero(each >= statistic[0] * (1 - 1e-9)))
        gaps.append(apart)
    return Homogeneity(
        statistic=float(statistic[0]),
        p_value=(reached + 1) / (permutations + 1),
        df=len(labels) - 1,
        permutations=permutations,
        largest=float(largest[0]),
        chance=float(np.concatenate(gaps).mean()),
    )


def _pooled_variance(table: PatientTable, metric: str) -> float:
    """Return the variance of the metric over the patients of all groups, as one group."""
    seen = table.observed()
    gradient = linear_gradient(metric, embedded(seen.total.sum(axis=1), table.columns))[0, table.columns]
    together = seen.product.sum(axis=(1, 3))[0]
    return float(gradient @ together @ gradient)


def _studentised(dealt: Dealt, table: PatientTable, metric: str, pooled: float) -> tuple[Floats, Floats]:
    """Return the statistic and the largest gap of each dealing."""
    total = embedded(dealt.total, table.columns)
    point, gradient = linear_value(metric, total), linear_gradient(metric, total)[..., table.columns]
    n = table.patients
    own = n / (n + BORROWED)
    borrowed = (1 - own) * pooled * n.sum() / n
    apart = np.nanmax(point, axis=1) - np.nanmin(point, axis=1)
    gradient = np.nan_to_num(gradient)
    if len(table.shared_counts) == 0:
        groups = np.arange(table.n_groups)
        diagonal = dealt.product[:, groups, :, groups, :]
        variance = own * np.einsum("bgc,gbcd,bgd->bg", gradient, diagonal, gradient) + borrowed
        weight = np.where(np.isnan(point), 0.0, 1 / variance)
        centre = np.nansum(weight * point, axis=1) / weight.sum(axis=1)
        return np.nansum(weight * (point - centre[:, None]) ** 2, axis=1), apart
    covariance = np.einsum("bgc,bgchd,bhd->bgh", gradient, dealt.product, gradient)
    covariance = covariance * np.sqrt(np.outer(own, own)) + np.diag(borrowed)
    missing = np.isnan(point)
    covariance[missing] = 0.0
    covariance[np.swapaxes(np.broadcast_to(missing[:, None, :], covariance.shape), 1, 2)] = 0.0
    inverse = np.linalg.inv(covariance + np.einsum("bg,gh->bgh", missing, np.eye(table.n_groups)))
    inverse[missing] = 0.0
    filled = np.nan_to_num(point)
    across = inverse.sum(axis=1) - np.where(missing, inverse.sum(axis=1), 0.0)
    centre = (across * filled).sum(axis=1) / across.sum(axis=1)
    off = np.where(missing, 0.0, filled - centre[:, None])
    return np.einsum("bg,bgh,bh->b", off, inverse, off), apart


def wald_homogeneity(influence: Influence, labels: Sequence[str], *, enough: int = ENOUGH_FOR_WALD) -> Homogeneity:
    """Test by Wald's statistic of a GEE with one parameter a group that a metric is the same in all groups.

    With independence as the working correlation the estimates are the groups' own, and the sandwich is the sum over
    patients of the products of their contributions, U'U: no loop over patients. Shares are compared on the logit
    scale, as a binomial GEE does, other metrics as they are.

    Parameters
    ----------
    influence : contributions of the patients to the metric of each group.
    labels : the groups to compare.
    enough : smallest number of patients a group for which the test is made.

    Returns
    -------
    Homogeneity; ``undefined`` with fewer than two groups, too few patients, or a share of exactly 0 or 1.

    References
    ----------
    Liang & Zeger 1986, Biometrika 73:13; Rotnitzky & Jewell 1990, Biometrika 77:485.

    Examples
    --------
    Half of 400 right against three quarters of 400: (log 3)² / (1/100 + 1/75).

    >>> values = np.zeros((800, 3))
    >>> values[:400, 0] = np.repeat([0.5, -0.5], 200) / 400
    >>> values[400:, 1] = np.repeat([0.25, -0.75], [300, 100]) / 400
    >>> influence = Influence(
    ...     metric="accuracy",
    ...     labels=("a", "b", "all"),
    ...     point=np.array([0.5, 0.75, 0.625]),
    ...     n_patients=np.array([400, 400, 800]),
    ...     values=values,
    ... )
    >>> round(wald_homogeneity(influence, ("a", "b")).statistic, 3)
    51.726
    """
    if len(labels) < 2:
        return Homogeneity(state="undefined", note=CANNOT)
    chosen = [influence.labels.index(label) for label in labels]
    covariance = influence.values[:, chosen].T @ influence.values[:, chosen]
    return _wald(influence.metric, influence.point[chosen], covariance, influence.n_patients[chosen], enough)


def wald_of_covariance(grouped: GroupedMetric, *, enough: int = ENOUGH_FOR_WALD) -> Homogeneity:
    """Make the test of :func:`wald_homogeneity` from a covariance that is known already.

    Parameters
    ----------
    grouped : the metric in every group; those without a number take no part.
    enough : smallest number of patients a group for which the test is made.

    Examples
    --------
    >>> from sexstrat.audit.proportion import clustered_proportion
    >>> a = clustered_proportion([1, 0] * 200, range(400))
    >>> b = clustered_proportion([1, 1, 1, 0] * 100, range(400))
    >>> two = GroupedMetric(
    ...     metric="accuracy",
    ...     group="site",
    ...     labels=("a", "b"),
    ...     measured={"a": a, "b": b, "all": a},
    ...     covariance=np.diag([a.se**2, b.se**2, 1.0]),
    ... )
    >>> round(wald_of_covariance(two).statistic, 3)
    51.726
    """
    labels = grouped.defined
    if len(labels) < 2:
        return Homogeneity(state="undefined", note=CANNOT)
    index = [grouped.position(label) for label in labels]
    measured = [grouped.measured[label] for label in labels]
    n = np.array([one.n_patients for one in measured], dtype=np.int64)
    root = np.sqrt((n - 1.0) / n)  # without the factor G/(G − 1) of each group, as in a GEE
    covariance = grouped.covariance[np.ix_(index, index)] * np.outer(root, root)
    return _wald(grouped.metric, np.array([float(one.point or 0.0) for one in measured]), covariance, n, enough)


def _wald(metric: str, point: Floats, covariance: Floats, n: NDArray[np.int64], enough: int) -> Homogeneity:
    df = len(point) - 1
    if n.min() < enough:
        note = f"a group has fewer than {enough} patients, too few for a Wald test"
        return Homogeneity(state="undefined", df=df, note=note)
    if metric in SHARES:
        if ((point <= 0) | (point >= 1)).any():
            return Homogeneity(state="undefined", df=df, note="a share is exactly 0 or 1: its logit is infinite")
        slope = 1 / (point * (1 - point))
        covariance = covariance * np.outer(slope, slope)
        point = np.log(point / (1 - point))
    contrast = np.column_stack([-np.ones(df), np.eye(df)])
    off, spread = contrast @ point, contrast @ covariance @ contrast.T
    if np.linalg.matrix_rank(spread) < df:
        return Homogeneity(state="undefined", df=df, note="the estimates do not vary: nothing to test against")
    statistic = float(off @ np.linalg.solve(spread, off))
    return Homogeneity(statistic=statistic, p_value=float(chdtrc(df, statistic)), df=df)
