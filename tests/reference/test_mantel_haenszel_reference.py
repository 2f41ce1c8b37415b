"""Mantel-Haenszel estimates, variances and homogeneity tests against R (stats, metafor, epiR) and statsmodels.

``scripts/mantel_haenszel.R`` made ``outputs/mantel_haenszel.json``: five sets of tables (ages, two large strata, ten
sparse ones, opposed effects, a stratum without cases).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import StratifiedTable

from sexstrat.estimates.numbers.breslow_day import breslow_day
from sexstrat.estimates.numbers.mantel_haenszel import MANTEL_HAENSZEL, mantel_haenszel
from sexstrat.estimates.numbers.stratified_tables import StratifiedTables, stratified_tables

OUTPUT = Path(__file__).parent / "outputs" / "mantel_haenszel.json"
SETS: dict[str, Any] = json.loads(OUTPUT.read_text(encoding="utf-8"))["sets"]


def tables(name: str) -> StratifiedTables:
    return stratified_tables(**SETS[name]["input"])


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("kind", MANTEL_HAENSZEL)
def test_estimate_and_variance_agree_with_metafor(name: str, kind: str) -> None:
    """Point, standard error and limits of all three measures are metafor's rma.mh to 9 digits."""
    found, theirs = mantel_haenszel(tables(name), kind), SETS[name]["metafor"][kind]
    back = float if kind == "difference" else np.exp
    expected = [back(theirs["theta"]), theirs["se"], back(theirs["low"]), back(theirs["high"])]
    np.testing.assert_allclose([found.point, found.se, found.low, found.high], expected, rtol=1e-9)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("kind", MANTEL_HAENSZEL)
def test_limits_agree_with_epir(name: str, kind: str) -> None:
    """Point and limits are those of epiR's Mantel-Haenszel part (Sato for the difference) to 9 digits."""
    found, theirs = mantel_haenszel(tables(name), kind), SETS[name]["epiR"][kind]
    expected = [theirs["est"], theirs["lower"], theirs["upper"]]
    np.testing.assert_allclose([found.point, found.low, found.high], expected, rtol=1e-9)


@pytest.mark.parametrize("name", SETS)
def test_odds_ratio_agrees_with_mantelhaen_test(name: str) -> None:
    """The odds ratio and its Robins-Breslow-Greenland limits are those of R's mantelhaen.test."""
    found, theirs = mantel_haenszel(tables(name), "odds_ratio"), SETS[name]["mantelhaen"]
    expected = [theirs["estimate"], theirs["low"], theirs["high"]]
    np.testing.assert_allclose([found.point, found.low, found.high], expected, rtol=1e-9)


@pytest.mark.parametrize("name", SETS)
def test_breslow_day_and_tarone_agree_with_metafor(name: str) -> None:
    """Both statistics and the corrected p are metafor's, also with sparse strata and an empty margin."""
    found, theirs = breslow_day(tables(name)), SETS[name]["metafor"]["odds_ratio"]
    np.testing.assert_allclose(
        [found.uncorrected, found.statistic, found.p_value],
        [theirs["breslow_day"], theirs["tarone"], theirs["tarone_p"]],
        rtol=1e-8,
    )


@pytest.mark.parametrize("name", ["ages", "two_large", "opposed"])
def test_what_statsmodels_has_agrees(name: str) -> None:
    """StratifiedTable: pooled odds and risk ratio, variance of the log odds ratio, adjusted test of equal odds."""
    t = tables(name)
    theirs = StratifiedTable(
        [
            np.array([[a, b], [c, d]])
            for a, b, c, d in zip(t.male_cases, t.male_well, t.female_cases, t.female_well, strict=True)
        ]
    )
    odds, ratio = mantel_haenszel(t, "odds_ratio"), mantel_haenszel(t, "ratio")
    expected = [theirs.oddsratio_pooled, theirs.logodds_pooled_se, theirs.riskratio_pooled]
    np.testing.assert_allclose([odds.point, odds.se, ratio.point], expected, rtol=1e-9)
    test = theirs.test_equal_odds(adjust=True)
    found = breslow_day(t)
    np.testing.assert_allclose([found.statistic, found.p_value], [test.statistic, test.pvalue], rtol=1e-9, atol=1e-14)
