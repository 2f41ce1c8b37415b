"""One metric over the groups of one variable: what was measured, and how the estimates go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.audit.influence import Influence
from sexstrat.audit.interval import normal_quantile
from sexstrat.audit.measurement import Measurement

__all__ = ["OVERALL", "GroupedMetric", "grouped_metric"]

OVERALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedMetric:
    """A metric in every group of a grouping variable, and in all images together.

    Parameters
    ----------
    metric : what is measured.
    group : grouping variable.
    labels : names of the groups.
    measured : measurement of each group, by label, and of all images under ``OVERALL``.
    covariance : patient-clustered covariance of the groups' estimates and, last, of the overall one, shape
        (groups + 1, groups + 1); NaN where undefined.

    Examples
    --------
    >>> from sexstrat.audit.proportion import clustered_proportion
    >>> a, b = clustered_proportion([1, 0] * 20, range(40)), clustered_proportion([1] * 20, range(20))
    >>> both = GroupedMetric(
    ...     metric="accuracy",
    ...     group="site",
    ...     labels=("a", "b"),
    ...     measured={"a": a, "b": b, "all": clustered_proportion([1, 0] * 20 + [1] * 20, range(60))},
    ...     covariance=np.diag([a.se**2, 0.0, 0.003]),
    ... )
    >>> both.defined, both.correlation("a", "b")
    (('a', 'b'), 0.0)
    """

    metric: str
    group: str
    labels: tuple[str, ...]
    measured: Mapping[str, Measurement]
    covariance: NDArray[np.float64]

    @property
    def defined(self) -> tuple[str, ...]:
        """Name the groups with a number and an interval: those large enough for the metric."""
        return tuple(label for label in self.labels if has_interval(self.measured[label]))

    @property
    def excluded(self) -> dict[str, str]:
        """Name the groups without a number, each with the reason."""
        return {label: self.measured[label].note for label in self.labels if not has_interval(self.measured[label])}

    def position(self, label: str) -> int:
        """Return the row of a group, or of the overall estimate, in the covariance."""
        return len(self.labels) if label == OVERALL else self.labels.index(label)

    def correlation(self, label: str, other: str) -> float:
        """Return the correlation of two estimates, −1 to 1.

        From the patients' influence. A group in which every image agrees has no influence to go by: with the overall
        estimate, of which it is a part, the correlation is then its share of the images times the ratio of the two
        standard errors that the intervals stand for; with another group it is 0.
        """
        one, two = self.position(label), self.position(other)
        spread = self.covariance[one, one] * self.covariance[two, two]
        if spread > 0:
            return float(np.clip(self.covariance[one, two] / np.sqrt(spread), -1, 1))
        if OVERALL not in {label, other}:
            return 0.0
        part, whole = self.measured[label if other == OVERALL else other], self.measured[OVERALL]
        if whole.n_images == 0 or _half_width(whole) == 0:
            return 0.0
        return float(min(1.0, part.n_images / whole.n_images * _half_width(part) / _half_width(whole)))

    def filled_covariance(self, labels: Sequence[str]) -> NDArray[np.float64]:
        """Return the covariance of some estimates; a variance of 0 is replaced by what the interval stands for."""
        index = [self.position(label) for label in labels]
        matrix = self.covariance[np.ix_(index, index)].copy()
        for place, label in enumerate(labels):
            if not matrix[place, place] > 0:
                matrix[place, :] = matrix[:, place] = 0.0
                matrix[place, place] = self.standard_error(label) ** 2
        return matrix

    def standard_error(self, label: str) -> float:
        """Return the standard error of a defined estimate, from the half width of its interval where it has none."""
        one = self.measured[label]
        return one.se if one.se else _half_width(one) / normal_quantile(one.level)


def has_interval(measured: Measurement) -> bool:
    """Tell whether a measurement has a number with limits."""
    return measured.point is not None and measured.low is not None and measured.high is not None


def _half_width(measured: Measurement) -> float:
    return ((measured.high or 0.0) - (measured.low or 0.0)) / 2


def grouped_metric(
    group: str, found: Mapping[tuple[str, str, str], Measurement], influence: Influence
) -> GroupedMetric:
    """Gather the measurements of one metric over the groups of one variable.

    Parameters
    ----------
    group : grouping variable.
    found : measurements by (metric, grouping variable, group), the overall one under ("overall", "all").
    influence : of the same metric over the same groups, which gives the covariances.

    Raises
    ------
    ValueError : a group of the influence values has not been measured.

    Examples
    --------
    >>> from sexstrat.audit.proportion import clustered_proportion
    >>> half = clustered_proportion([1, 0], [1, 2])
    >>> values = np.array([[0.25, 0.25], [-0.25, -0.25]])
    >>> influence = Influence(
    ...     metric="accuracy",
    ...     labels=("a", "all"),
    ...     point=np.array([0.5, 0.5]),
    ...     n_patients=np.array([2, 2]),
    ...     values=values,
    ... )
    >>> keys = [("accuracy", "site", "a"), ("accuracy", "overall", "all")]
    >>> grouped_metric("site", dict.fromkeys(keys, half), influence).correlation("a", "all")
    1.0
    """
    metric, labels = influence.metric, influence.labels[:-1]
    keys = {label: (metric, group, label) for label in labels} | {OVERALL: (metric, "overall", OVERALL)}
    absent = [label for label, key in keys.items() if key not in found]
    if absent:
        raise ValueError(f"{metric} by {group} was not measured in {', '.join(absent)}")
    return GroupedMetric(
        metric=metric,
        group=group,
        labels=labels,
        measured={label: found[key] for label, key in keys.items()},
        covariance=influence.covariance(),
    )
