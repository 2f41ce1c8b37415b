"""Gaps between the groups of an audit: how large, how sure, how many looked at, and what could have been seen.

In the order of use: ``grouped_metric`` gathers one metric over the groups of one variable; ``compare`` gives
differences and ratios with intervals that hold one by one and together; ``largest_gap`` names the two groups furthest
apart; ``homogeneity`` and ``wald_homogeneity`` test that no group differs; ``parity`` reads the usual criteria of
fairness; ``adjusted`` allows for the number of looks; ``detectable_gap`` and ``equivalence`` say what a gap that was
not shown means; ``shrunken_shares``, ``beta_binomial_shares`` and ``worst_probability`` keep small groups from being
the worst by chance; ``judge`` applies a declared ``Rule``. ``gap_tables`` does all of it for an audit.
"""

from __future__ import annotations

from sexstrat.audit.gaps.beta_binomial import beta_binomial_shares
from sexstrat.audit.gaps.compare import compare
from sexstrat.audit.gaps.detectable import detectable_difference, detectable_gap
from sexstrat.audit.gaps.difference import difference, difference_p_value
from sexstrat.audit.gaps.equivalence import equivalence
from sexstrat.audit.gaps.grouped import GroupedMetric, grouped_metric
from sexstrat.audit.gaps.homogeneity import Homogeneity, homogeneity, wald_homogeneity
from sexstrat.audit.gaps.largest import largest_gap
from sexstrat.audit.gaps.multiplicity import adjusted
from sexstrat.audit.gaps.parity import parity
from sexstrat.audit.gaps.ratio import ratio
from sexstrat.audit.gaps.rules import Rule, judge
from sexstrat.audit.gaps.shrinkage import Shrunken, shrunken, shrunken_shares
from sexstrat.audit.gaps.simultaneous import simultaneous_quantile
from sexstrat.audit.gaps.tables import GapTables, gap_tables
from sexstrat.audit.gaps.worst import rank_interval, worst_probability

__all__ = [
    "GapTables",
    "GroupedMetric",
    "Homogeneity",
    "Rule",
    "Shrunken",
    "adjusted",
    "beta_binomial_shares",
    "compare",
    "detectable_difference",
    "detectable_gap",
    "difference",
    "difference_p_value",
    "equivalence",
    "gap_tables",
    "grouped_metric",
    "homogeneity",
    "judge",
    "largest_gap",
    "parity",
    "rank_interval",
    "ratio",
    "shrunken",
    "shrunken_shares",
    "simultaneous_quantile",
    "wald_homogeneity",
    "worst_probability",
]
