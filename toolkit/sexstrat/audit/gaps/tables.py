"""All tables of gaps of an audit: differences and ratios, tests, shrunken shares, criteria of fairness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.audit.gaps.compare import compare
from sexstrat.audit.gaps.group_draws import between_row, shrunken_rows, smallest
from sexstrat.audit.gaps.grouped import OVERALL, GroupedMetric
from sexstrat.audit.gaps.homogeneity import PERMUTATIONS, Homogeneity, homogeneity, wald_of_covariance
from sexstrat.audit.gaps.largest import largest_gap
from sexstrat.audit.gaps.limits import SHARES
from sexstrat.audit.gaps.moments import covariance_of_sums, second_moments
from sexstrat.audit.gaps.multiplicity import adjusted
from sexstrat.audit.gaps.parity import parity
from sexstrat.audit.group_data import DRAWN, Gathered, Options
from sexstrat.audit.grouping import EVERYONE, Grouping
from sexstrat.audit.influence import INFLUENCE_METRICS
from sexstrat.audit.linear import LINEAR_METRICS
from sexstrat.audit.measuring import Measured
from sexstrat.audit.replicates import Replicates
from sexstrat.audit.sampling import NOT_EXCHANGEABLE

__all__ = ["TESTED", "GapTables", "gap_tables", "grouped_metrics"]

Row = dict[str, Any]

TESTED = ("correct_among_men", "correct_among_women", "predicted_minus_observed_male_share", "ungradable")
"""The family tested and adjusted unless another is declared: errors by sex, their net effect, losses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GapTables:
    """Rows of the contracts ``gap``, ``audit_test``, ``audit_shrunken`` and ``audit_parity``.

    Examples
    --------
    >>> GapTables().gaps
    []
    """

    gaps: list[Row] = field(default_factory=list)
    tests: list[Row] = field(default_factory=list)
    shrunken: list[Row] = field(default_factory=list)
    parity: list[Row] = field(default_factory=list)


def gap_tables(
    groupings: Sequence[Grouping],
    measured: Measured,
    references: Mapping[str, str],
    options: Options,
    *,
    family: Sequence[str] = TESTED,
    adjustment: str = "holm",
    margin: float | None = None,
    permutations: int = PERMUTATIONS,
    full: bool = True,
) -> GapTables:
    """Compare the groups of every grouping variable in every metric whose influence values are known.

    Two families are adjusted for: the permutation tests of ``family`` over all grouping variables, and the
    differences from the reference groups in these metrics. Metrics that are biased in small groups (ICI, ECE) are not
    compared.

    Parameters
    ----------
    groupings : the grouping variables.
    measured : measurements, sums and covariances of all of them.
    references : reference group of each grouping variable.
    options : threshold, level, seed, number of replicates.
    family : metrics that are tested, declared before the data were seen.
    adjustment : ``holm``, ``bh`` or ``by``.
    margin : of equivalence, for shares; None for no such test.
    permutations : number of permutations of each test.
    full : whether to make the tests, the shrunken shares and the criteria of fairness besides the gaps.

    Returns
    -------
    GapTables.
    """
    tables = GapTables()
    for grouping in groupings:
        if not grouping.labels:
            continue
        known = measured.gathered[grouping.name]
        metrics = grouped_metrics(grouping, measured)
        tests: Mapping[str, Homogeneity] = {}
        if full and measured.in_units:
            untested = Homogeneity(state="undefined", note=NOT_EXCHANGEABLE)
            tests = {name: untested for name in family if name in metrics and name in LINEAR_METRICS}
        elif full:
            tests = _tests(metrics, known, family, permutations, options.seed)
        reference = references.get(grouping.name)
        for name, one in metrics.items():
            bound = margin if name in SHARES else None
            against = [OVERALL] if reference is None else [reference, OVERALL]
            for other in against:
                tables.gaps.extend(compare(one, other, level=options.level, margin=bound, seed=options.seed))
            tables.gaps.extend(largest_gap(one, tests.get(name), level=options.level, seed=options.seed))
        if not full:
            continue
        tables.tests.extend(_test_rows(metrics, tests, options.level))
        tables.shrunken.extend(_drawn_rows(metrics, known.drawn, options))
        tables.parity.extend(parity(metrics, level=options.level, seed=options.seed))
    _adjust([row for row in tables.tests if row["test"] == "permutation"], adjustment)
    compared = [row for row in tables.gaps if row["comparison"] == "reference" and row["metric"] in family]
    _adjust([row for row in compared if row["scale"] == "difference"], adjustment)
    return tables


def grouped_metrics(grouping: Grouping, measured: Measured) -> dict[str, GroupedMetric]:
    """Gather every metric that was measured and whose covariances follow from patients' contributions.

    Parameters
    ----------
    grouping : one grouping variable.
    measured : measurements, sums and covariances, of this one among others.
    """
    found, known = measured.found, measured.gathered[grouping.name]
    moments = second_moments(known.sums, known.alike)
    result = {}
    for metric in INFLUENCE_METRICS:
        keys = {label: (metric, grouping.name, label) for label in grouping.labels}
        keys[OVERALL] = (metric, EVERYONE, OVERALL)
        if not all(key in found for key in keys.values()):
            continue
        result[metric] = GroupedMetric(
            metric=metric,
            group=grouping.name,
            labels=grouping.labels,
            measured={label: found[key] for label, key in keys.items()},
            covariance=covariance_of_sums(metric, moments)
            if metric in LINEAR_METRICS
            else measured.covariances[grouping.name][metric],
        )
    return result


def _tests(
    metrics: Mapping[str, GroupedMetric], known: Gathered, family: Sequence[str], permutations: int, seed: int
) -> dict[str, Homogeneity]:
    return {
        name: homogeneity(
            known.sums, name, metrics[name].defined, alike=known.alike, permutations=permutations, seed=seed
        )
        for name in family
        if name in metrics and name in LINEAR_METRICS
    }


def _test_rows(metrics: Mapping[str, GroupedMetric], tests: Mapping[str, Homogeneity], level: float) -> list[Row]:
    rows = []
    for name, permuted in tests.items():
        one = metrics[name]
        left_out = "; ".join(f"{label} ({reason})" for label, reason in one.excluded.items())
        for kind, test in (("permutation", permuted), ("wald", wald_of_covariance(one))):
            note = "; ".join(part for part in (test.note, f"left out: {left_out}" if left_out else "") if part)
            rows.append(
                {
                    "metric": name,
                    "group": one.group,
                    "test": kind,
                    "statistic": test.statistic,
                    "df": test.df,
                    "p_value": test.p_value,
                    "permutations": test.permutations,
                    "level": level,
                    "n_patients": smallest(one),
                    "state": test.state,
                    "note": note,
                }
            )
        if name in SHARES:
            rows.append(between_row(one, level=level))
    return rows


def _drawn_rows(metrics: Mapping[str, GroupedMetric], drawn: Replicates, options: Options) -> list[Row]:
    names = [name for name in DRAWN if name in metrics]
    replicates: dict[str, NDArray[np.float64]] = {name: drawn.of(name)[:, :-1] for name in names}
    return [row for name in names for row in shrunken_rows(metrics[name], replicates[name], level=options.level)]


def _adjust(rows: list[Row], method: str) -> None:
    """Write adjusted p values, the method and the size of the family into the rows of one family."""
    raw = np.array([np.nan if row.get("p_value") is None else row["p_value"] for row in rows], dtype=float)
    made = int(np.count_nonzero(~np.isnan(raw)))
    for row, value in zip(rows, adjusted(raw, method=method), strict=True):
        if not np.isnan(value):
            row |= {"p_adjusted": float(value), "adjustment": method, "family_size": made}
