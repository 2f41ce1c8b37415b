"""Metrics by group in the shape of fairlearn's MetricFrame, with intervals, and undefined where they are undefined."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sexstrat.audit.clusters import Clusters
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.named_rates import NAMED_METRICS, named_metric
from sexstrat.audit.proportion import positive_weights
from sexstrat.errors import StudyError

__all__ = ["MetricFrame"]

Metric = str | Callable[[NDArray[Any], NDArray[Any]], float]
METHODS = ("between_groups", "to_overall")


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class MetricFrame:
    """Metrics overall and by group, from true and predicted classes.

    Parameters
    ----------
    metrics : one metric or a mapping of names to metrics: a name ("accuracy", "balanced_accuracy", "selection_rate",
        "true_positive_rate", "true_negative_rate", "false_positive_rate", "false_negative_rate", "precision",
        "negative_predictive_value", "f1", "count") or a function of true and predicted classes.
    y_true, y_pred : true and predicted class of each row.
    sensitive_features : group of each row: a column, or a frame whose columns are crossed.
    control_features : the same; gaps are taken within each of its values.
    patients : patient of each row; each row is its own patient when None.
    sample_weight : weight of each row, above 0.
    pos_label : the positive class.
    min_patients : smallest number of patients in a metric's own denominator with which a group enters a gap; by_group
        shows it whatever its size.
    level : confidence level.

    Examples
    --------
    Nobody is positive in group b: its true positive rate is undefined, not 0, and there is no gap to report.

    >>> found = MetricFrame(
    ...     metrics="true_positive_rate",
    ...     y_true=[1, 1, 0, 0],
    ...     y_pred=[1, 0, 0, 0],
    ...     sensitive_features=["a", "a", "b", "b"],
    ...     min_patients=1,
    ... )
    >>> found.by_group["true_positive_rate"].tolist(), float(found.difference()["true_positive_rate"])
    ([0.5, nan], nan)
    >>> found.to_frame()["note"].tolist()[-1]
    'nobody in the denominator'
    """

    measurements: Mapping[tuple[str, tuple[Any, ...], tuple[Any, ...] | None], Measurement]
    metric_names: tuple[str, ...]
    sensitive_names: tuple[str, ...]
    control_names: tuple[str, ...]
    min_patients: int

    def __init__(
        self,
        *,
        metrics: Metric | Mapping[str, Metric],
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sensitive_features: ArrayLike | pd.DataFrame | pd.Series | Mapping[str, ArrayLike],
        control_features: ArrayLike | pd.DataFrame | pd.Series | Mapping[str, ArrayLike] | None = None,
        patients: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        pos_label: Any = 1,
        min_patients: int = 10,
        level: float = 0.95,
    ) -> None:
        named = _named(metrics)
        true, predicted = np.asarray(y_true), np.asarray(y_pred)
        n = len(true)
        sensitive = _features(sensitive_features, "sensitive_feature", n)
        control = _features(control_features, "control_feature", n)
        if len(predicted) != n:
            raise StudyError(f"y_true has {n} rows and y_pred {len(predicted)}; they must be about the same rows")
        data = _Rows(
            true=true,
            predicted=predicted,
            clusters=Clusters.of(np.arange(n) if patients is None else np.asarray(patients)),
            weight=positive_weights(sample_weight, n),
            pos_label=pos_label,
            level=level,
        )
        found: dict[tuple[str, tuple[Any, ...], tuple[Any, ...] | None], Measurement] = {}
        for within, inside in _parts(control, np.arange(n)):
            for name, metric in named.items():
                found[(name, within, None)] = data.measure(metric, inside)
                for group, rows in _parts(sensitive, inside):
                    found[(name, within, group)] = data.measure(metric, rows)
        for field, value in (
            ("measurements", found),
            ("metric_names", tuple(named)),
            ("sensitive_names", tuple(map(str, sensitive.columns))),
            ("control_names", tuple(map(str, control.columns))),
            ("min_patients", min_patients),
        ):
            object.__setattr__(self, field, value)

    @property
    def overall(self) -> pd.Series | pd.DataFrame:
        """Return each metric over all rows; by control feature where there is one."""
        table = self._table(groups=False)
        return table if self.control_names else table.iloc[0].rename(None)

    @property
    def by_group(self) -> pd.DataFrame:
        """Return each metric by group, NaN where it is undefined."""
        return self._table(groups=True)

    def difference(self, method: str = "between_groups") -> pd.Series | pd.DataFrame:
        """Return the largest gap of each metric over the defined groups of sufficient size.

        Parameters
        ----------
        method : "between_groups" for largest minus smallest, "to_overall" for the largest distance to all rows.

        Returns
        -------
        One number a metric, by control feature where there is one; NaN where fewer groups are defined than it takes.
        It is the gap seen: its size grows with the number of groups by chance alone.
        """
        return self._gap(method, _largest_difference)

    def ratio(self, method: str = "between_groups") -> pd.Series | pd.DataFrame:
        """Return the smallest ratio of each metric over the defined groups of sufficient size, at most 1.

        Parameters
        ----------
        method : "between_groups" for smallest over largest, "to_overall" for the ratio furthest from 1 to all rows.

        Returns
        -------
        As :meth:`difference`; 0 where one group's rate is 0 and another's is not, NaN where all are 0.
        """
        return self._gap(method, _smallest_ratio)

    def left_out(self) -> pd.DataFrame:
        """Return the groups that enter no gap, with the reason."""
        frame = self.to_frame()
        few = (frame["state"] == "measured") & (frame["n_patients"] < self.min_patients)
        frame.loc[few, "note"] = f"fewer than {self.min_patients} patients in the denominator"
        inside = frame[list(self.sensitive_names)].notna().all(axis=1)
        return frame.loc[inside & (few | (frame["state"] != "measured"))].reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a metric and group with its interval, counts, state and reason; no group means all rows."""
        rows = []
        for (metric, within, group), one in self.measurements.items():
            features = dict(zip(self.control_names, within, strict=True))
            features |= dict(zip(self.sensitive_names, group or (None,) * len(self.sensitive_names), strict=True))
            rows.append({"metric": metric} | features | asdict(one))
        return pd.DataFrame(rows)

    def _table(self, *, groups: bool) -> pd.DataFrame:
        keys = dict.fromkeys((within, group) for _, within, group in self.measurements if (group is not None) == groups)
        columns = {
            metric: [_number(self.measurements[(metric, within, group)].point) for within, group in keys]
            for metric in self.metric_names
        }
        names = [*self.control_names, *(self.sensitive_names if groups else ())]
        labels = [(*within, *(group or ())) for within, group in keys]
        index: pd.Index[Any] = pd.RangeIndex(1)
        if len(names) == 1:
            index = pd.Index([label[0] for label in labels], name=names[0])
        elif names:
            index = pd.MultiIndex.from_tuples(labels, names=names)
        return pd.DataFrame(columns, index=index)

    def _gap(self, method: str, largest: Callable[[list[float], float | None], float]) -> pd.Series | pd.DataFrame:
        if method not in METHODS:
            raise StudyError(f"unknown method {method!r}; allowed: {', '.join(METHODS)}")
        withins = list(dict.fromkeys(within for _, within, _ in self.measurements))
        rows = {
            within: {
                metric: largest(
                    self._sized(metric, within), self._all(metric, within) if method == METHODS[1] else None
                )
                for metric in self.metric_names
            }
            for within in withins
        }
        table = pd.DataFrame(list(rows.values()), columns=list(self.metric_names))
        if not self.control_names:
            return table.iloc[0].rename(None)
        table.index = pd.Index([within[0] if len(within) == 1 else within for within in withins])
        table.index.name = self.control_names[0] if len(self.control_names) == 1 else None
        return table

    def _sized(self, metric: str, within: tuple[Any, ...]) -> list[float]:
        return [
            one.point
            for (name, inside, group), one in self.measurements.items()
            if name == metric and inside == within and group is not None
            and one.point is not None and one.n_patients >= self.min_patients
        ]  # fmt: skip

    def _all(self, metric: str, within: tuple[Any, ...]) -> float:
        return _number(self.measurements[(metric, within, None)].point)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """The rows that metrics are computed from."""

    true: NDArray[Any]
    predicted: NDArray[Any]
    clusters: Clusters
    weight: NDArray[np.float64]
    pos_label: Any
    level: float

    def measure(self, metric: Metric, rows: NDArray[np.intp]) -> Measurement:
        """Measure one metric, named or callable, among the rows at these positions."""
        chosen = np.zeros(len(self.true), dtype=bool)
        chosen[rows] = True
        inside, true, predicted = self.clusters.within(chosen), self.true[chosen], self.predicted[chosen]
        if isinstance(metric, str):
            called, positive = predicted == self.pos_label, true == self.pos_label
            return named_metric(metric, positive, called, inside, weight=self.weight[chosen], level=self.level)
        counts: dict[str, Any] = {"level": self.level, "n_images": len(true), "n_patients": inside.n}
        value = float(metric(true, predicted)) if len(true) else float("nan")
        if not np.isfinite(value):
            return Measurement(**counts, state="undefined", note="the metric is not a number for these rows")
        return Measurement(**counts, point=value, note="a metric given as a function has no interval here")


def _named(metrics: Metric | Mapping[str, Metric]) -> dict[str, Metric]:
    given = metrics if isinstance(metrics, Mapping) else {_name(metrics): metrics}
    for name, metric in given.items():
        if isinstance(metric, str) and metric not in NAMED_METRICS:
            raise StudyError(f"unknown metric {metric!r} for {name!r}; allowed: {', '.join(NAMED_METRICS)}, a function")
    return dict(given)


def _name(metric: Metric) -> str:
    return metric if isinstance(metric, str) else metric.__name__


def _features(features: Any, name: str, n: int) -> pd.DataFrame:
    if features is None:
        return pd.DataFrame(index=range(n))
    if isinstance(features, pd.Series):
        frame = features.to_frame(name if features.name is None else features.name)
    elif isinstance(features, (pd.DataFrame, Mapping)):
        frame = pd.DataFrame(features)
    else:
        values = np.asarray(features)
        frame = pd.DataFrame({f"{name}_0": values}) if values.ndim == 1 else pd.DataFrame(values).add_prefix(f"{name}_")
    frame = frame.reset_index(drop=True)
    if len(frame) != n:
        raise StudyError(f"{name}s have {len(frame)} rows and y_true {n}; they must be about the same rows")
    absent = frame.columns[frame.isna().any()]
    if len(absent):
        raise StudyError(f"{name} {absent[0]!r} is empty in some rows; name such rows, for instance 'not recorded'")
    return frame


def _parts(features: pd.DataFrame, inside: NDArray[np.intp]) -> list[tuple[tuple[Any, ...], NDArray[np.intp]]]:
    """Return the combinations of features present, sorted, with their rows among those inside."""
    if not len(features.columns):
        return [((), inside)]
    grouped = features.iloc[inside].groupby(list(features.columns), sort=True, observed=True).indices
    parts = [(key if isinstance(key, tuple) else (key,), inside[place]) for key, place in grouped.items()]
    return sorted(parts, key=lambda part: part[0])


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _largest_difference(values: Sequence[float], overall: float | None) -> float:
    if overall is not None:
        return max((abs(value - overall) for value in values), default=float("nan"))
    return max(values) - min(values) if len(values) > 1 else float("nan")


def _smallest_ratio(values: Sequence[float], overall: float | None) -> float:
    if overall is not None:
        pairs = [(min(value, overall), max(value, overall)) for value in values]
    else:
        pairs = [(min(values), max(values))] if len(values) > 1 else []
    ratios = [low / high for low, high in pairs if high > 0]
    return min(ratios, default=float("nan"))
