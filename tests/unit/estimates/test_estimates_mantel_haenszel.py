"""Mantel-Haenszel estimates on plain tables: hand-checked numbers, mirrors, and what has no number."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from sexstrat.errors import EstimationError
from sexstrat.estimates.numbers.breslow_day import breslow_day
from sexstrat.estimates.numbers.mantel_haenszel import MANTEL_HAENSZEL, MantelHaenszel, mantel_haenszel
from sexstrat.estimates.numbers.stratified_tables import StratifiedTables, stratified_tables


def tables(*rows: tuple[float, float, float, float]) -> StratifiedTables:
    """Return strata given as (male cases, men, female cases, women)."""
    columns = np.array(rows, dtype=float).T
    return stratified_tables(
        male_cases=columns[0], male_people=columns[1], female_cases=columns[2], female_people=columns[3]
    )


TWO = tables((10, 50, 5, 50), (30, 40, 20, 60))


def test_two_strata_by_hand() -> None:
    """(10 x 45 + 30 x 40) / (40 x 5 + 10 x 20) over 100 each; (10 x 50 + 30 x 60) / (5 x 50 + 20 x 40); 9.5 / 49."""
    assert mantel_haenszel(TWO, "odds_ratio").point == pytest.approx(1_650 / 400)
    assert mantel_haenszel(TWO, "ratio").point == pytest.approx(2_300 / 1_050)
    assert mantel_haenszel(TWO, "difference").point == pytest.approx((2_300 - 1_050) / (2_500 + 2_400))
    found = mantel_haenszel(TWO, "odds_ratio")
    assert (found.n, found.n_cases, found.n_strata, found.n_used, found.state) == (200, 65, 2, 2, "recorded")


def test_one_stratum_has_the_textbook_variances() -> None:
    """One table: 1/a + 1/b + 1/c + 1/d; 1/a - 1/n1 + 1/c - 1/n0; p1 q1 / n1 + p0 q0 / n0."""
    one = tables((12, 60, 9, 90))
    by_hand = {
        "odds_ratio": 1 / 12 + 1 / 48 + 1 / 9 + 1 / 81,
        "ratio": 1 / 12 - 1 / 60 + 1 / 9 - 1 / 90,
        "difference": 0.2 * 0.8 / 60 + 0.1 * 0.9 / 90,
    }
    for kind, variance in by_hand.items():
        se = mantel_haenszel(one, kind).se
        assert se is not None
        assert se**2 == pytest.approx(variance)


def test_a_stratum_of_one_sex_changes_nothing_and_is_counted() -> None:
    """Men without women to compare with have weight 0 in every measure."""
    more = tables((10, 50, 5, 50), (30, 40, 20, 60), (7, 9, 0, 0))
    for kind in MANTEL_HAENSZEL:
        with_it, without = mantel_haenszel(more, kind), mantel_haenszel(TWO, kind)
        assert (with_it.point, with_it.se) == (without.point, without.se)
        assert (with_it.n_strata, with_it.n_used, with_it.n) == (3, 2, 200)


@pytest.mark.parametrize("kind", MANTEL_HAENSZEL)
def test_exchanging_the_sexes_mirrors(kind: str) -> None:
    """Ratios become their reciprocals, the difference its negative, limits change places."""
    swapped = tables((5, 50, 10, 50), (20, 60, 30, 40))
    ours, mirror = mantel_haenszel(TWO, kind), mantel_haenszel(swapped, kind)

    def scale(one: MantelHaenszel) -> np.ndarray:
        values = np.array([one.point, one.low, one.high], dtype=float)
        return values if kind == "difference" else np.log(values)

    np.testing.assert_allclose(scale(mirror), -scale(ours)[[0, 2, 1]], rtol=1e-12)


@pytest.mark.parametrize(
    ("strata", "kind", "reason"),
    [
        (((0, 50, 5, 50), (0, 40, 2, 60)), "ratio", "no diseased men"),
        (((3, 50, 0, 50),), "ratio", "no diseased women"),
        (((0, 50, 0, 50),), "ratio", "nobody with the disease"),
        (((0, 50, 5, 50),), "odds_ratio", "diseased men beside well women"),
        (((50, 50, 50, 50),), "odds_ratio", "nobody, or everybody"),
        (((5, 50, 0, 0), (0, 0, 3, 20)), "difference", "no stratum has both men and women"),
    ],
)
def test_what_cannot_be_formed_is_undefined_and_says_why(
    strata: tuple[tuple[float, float, float, float], ...], kind: str, reason: str
) -> None:
    """No finite logarithm, or nobody to compare: no number at all, a state and a reason, and never a NaN."""
    found = mantel_haenszel(tables(*strata), kind)
    assert found.state == "undefined"
    assert reason in found.reason
    assert (found.point, found.se, found.low, found.high) == (None, None, None, None)


@pytest.mark.parametrize("strata", [(0, 50, 0, 50), (50, 50, 0, 50), (50, 50, 50, 50)])
def test_a_difference_without_variance_has_no_interval(strata: tuple[float, float, float, float]) -> None:
    """Everybody of a sex alike: the difference is a number, its interval of width 0 is not printed."""
    found = mantel_haenszel(tables(strata, strata), "difference")
    assert found.point == (strata[0] - strata[2]) / 50
    assert (found.low, found.high) == (None, None)
    assert "no interval" in found.reason


def test_nothing_is_ever_nan() -> None:
    """All tables of up to two men and two women, alone and in pairs: numbers or None, and a reason where None."""
    small = [(a, m, c, w) for m in range(3) for a in range(m + 1) for w in range(3) for c in range(w + 1)]
    for first in small:
        for second in small:
            t = tables(first, second)
            results = [*(mantel_haenszel(t, kind) for kind in MANTEL_HAENSZEL), breslow_day(t)]
            for found in results:
                numbers = [value for value in asdict(found).values() if isinstance(value, float)]
                assert np.isfinite(numbers).all(), (first, second, found)
                missing = None in asdict(found).values()
                assert found.reason or not missing
                if isinstance(found, MantelHaenszel) and found.low is not None:
                    assert found.high is not None
                    assert found.point is not None
                    assert found.low < found.point < found.high


def test_breslow_day_is_zero_where_the_odds_ratio_is_the_same() -> None:
    """Odds ratio 2 in both strata: nothing is left to test, p = 1."""
    same = tables((20, 60, 20, 100), (50, 100, 40, 120))  # odds 1/2 and 1/4; 1 and 1/2
    found = breslow_day(same)
    assert found.statistic == pytest.approx(0, abs=1e-20)
    assert found.p_value == pytest.approx(1)


@pytest.mark.parametrize("odds_ratio", [1e-3, 0.3, 1.0, 1 + 1e-9, 7.0, 1e4])
def test_expected_cells_have_the_common_odds_ratio_and_the_margins(odds_ratio: float) -> None:
    """Expected men with the disease give the odds ratio back, also near 1, where the quadratic cancels."""
    from sexstrat.estimates.numbers.breslow_day import _expected_male_cases

    t = tables((10, 50, 5, 50), (30, 40, 55, 60), (1, 200, 3, 10))
    a = _expected_male_cases(t, odds_ratio)
    b, c, d = t.male_people - a, t.cases - a, t.female_people - t.cases + a
    assert (np.stack([a, b, c, d]) > 0).all()
    np.testing.assert_allclose(a * d / (b * c), odds_ratio, rtol=1e-7)


def test_breslow_day_needs_two_strata() -> None:
    """One stratum, or none with all margins, cannot be compared: undefined, with the reason."""
    found = breslow_day(tables((10, 50, 5, 50), (0, 40, 0, 60)))
    assert (found.state, found.statistic, found.n_used) == ("undefined", None, 1)
    assert "two are needed" in found.reason


def test_mistakes_are_named() -> None:
    """Unknown measure, level out of range, more cases than people, a missing or negative count, unequal lengths."""
    with pytest.raises(EstimationError, match="no Mantel-Haenszel measure 'hazard'; there are odds_ratio"):
        mantel_haenszel(TWO, "hazard")
    with pytest.raises(EstimationError, match=r"between 0\.5 and 0\.999; found 95"):
        mantel_haenszel(TWO, "ratio", level=95)
    with pytest.raises(EstimationError, match="found 11 cases of 10 people in stratum 1"):
        tables((11, 10, 1, 10))
    with pytest.raises(EstimationError, match="counts of 0 or more; found nan"):
        tables((np.nan, 10, 1, 10))
    with pytest.raises(EstimationError, match="female_people 2"):
        stratified_tables(male_cases=[1], male_people=[2], female_cases=[1], female_people=[2, 3])
