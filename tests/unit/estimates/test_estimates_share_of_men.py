"""The share of men of a sample without recorded sex: hand-checked numbers, refusals, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest

from sexstrat.errors import EstimationError
from sexstrat.estimates.numbers.class_accuracy import ClassAccuracy
from sexstrat.estimates.numbers.emq import emq
from sexstrat.estimates.numbers.label_shift import label_shift_check
from sexstrat.estimates.numbers.label_shift_likelihood import mixture_share
from sexstrat.estimates.numbers.misclassification import (
    lang_reiczigel,
    rogan_gladen,
    rogan_gladen_delta,
    rogan_gladen_known,
)
from sexstrat.estimates.numbers.ppi import ppi_mean
from sexstrat.estimates.numbers.quantification import acc, pacc
from sexstrat.estimates.numbers.score_counts import ScoreCounts, score_counts
from sexstrat.estimates.numbers.share_of_men import share_of_men

MEN = score_counts([0.15, 0.4, 0.6, 0.9], [5, 10, 25, 60])
WOMEN = score_counts([0.15, 0.4, 0.6, 0.9], [55, 25, 12, 8])
TARGET = score_counts([0.15, 0.4, 0.6, 0.9], [900, 500, 500, 1_100])
GOOD = ClassAccuracy(correct_men=90, n_men=100, correct_women=80, n_women=100)


def test_counts_stand_for_patients() -> None:
    """A cell with a count gives what as many single patients give, for all three estimators."""
    listed = [np.repeat(one.values, one.counts) for one in (TARGET, MEN, WOMEN)]
    for estimator in (pacc, acc, emq):
        by_count = estimator(TARGET, men=MEN, women=WOMEN)
        by_patient = estimator(listed[0], men=listed[1], women=listed[2])
        assert by_count == by_patient


def test_five_million_patients_cost_no_more_than_their_cells() -> None:
    """A hundred cells of 50,000 patients: the standard error is that of the labelled sample alone."""
    p = (np.arange(100) + 0.5) / 100
    men, women = score_counts(p, np.rint(60 * p).astype(int)), score_counts(p, np.rint(60 * (1 - p)).astype(int))
    found = pacc(score_counts(p, np.full(100, 50_000)), men=men, women=women)
    assert found.n_target == 5_000_000
    alone = found.point**2 * men.variance / men.n + (1 - found.point) ** 2 * women.variance / women.n
    assert found.se == pytest.approx(np.sqrt(alone) / (men.mean - women.mean), rel=1e-3)


def test_survey_weights_are_not_taken_for_patients() -> None:
    """Weights that are no whole numbers are refused, with the value found, not used to shrink an interval."""
    with pytest.raises(EstimationError, match=r"whole and not negative; found 2\.5"):
        score_counts([0.2, 0.4], [2.5, 1.0])


@pytest.mark.parametrize(
    ("scores", "counts", "message"),
    [
        ([0.2, np.nan], None, "between 0 and 1; found nan"),
        ([0.2, 1.2], None, "found 1.2"),
        ([0.2], None, "at least 2 patients; found 1"),
        ([[0.2], [0.3]], None, "one row of scores"),
        ([0.2, 0.3], [1, -1], "found -1.0"),
        ([0.2, 0.3], [1, np.inf], "found inf"),
    ],
)
def test_scores_that_cannot_be(scores: list[float], counts: list[float] | None, message: str) -> None:
    """What is wrong, and the value found."""
    with pytest.raises(EstimationError, match=message):
        score_counts(scores, counts)


@pytest.mark.parametrize("estimator", [pacc, emq, label_shift_check])
def test_a_constant_or_swapped_score_is_refused(estimator: object) -> None:
    """Labelled men must score above labelled women by more than chance."""
    assert callable(estimator)
    flat = score_counts([0.5], [100])
    with pytest.raises(EstimationError, match="says too little about sex"):
        estimator(TARGET, men=flat, women=flat)
    with pytest.raises(EstimationError, match="probably swapped"):
        estimator(TARGET, men=WOMEN, women=MEN)


@pytest.mark.parametrize("level", [0.0, 1.0, 95])
def test_a_level_of_95_is_not_0_95(level: float) -> None:
    """A level outside 0 to 1 is refused everywhere, and gives no NaN."""
    calls = (
        lambda: pacc(TARGET, men=MEN, women=WOMEN, level=level),
        lambda: acc(TARGET, men=MEN, women=WOMEN, level=level),
        lambda: emq(TARGET, men=MEN, women=WOMEN, level=level),
        lambda: rogan_gladen_known(10, 20, sensitivity=0.9, specificity=0.9, level=level),
        lambda: ppi_mean([0, 1, 1], [0, 1, 0], [0, 1], level=level),
    )
    for call in calls:
        with pytest.raises(EstimationError, match="level must lie strictly between 0 and 1"):
            call()


def test_classes_close_to_chance_are_refused() -> None:
    """Sensitivity + specificity - 1 at most 0.05, or within its margin of error, allows no correction."""
    with pytest.raises(EstimationError, match=r"is 0\.04 with a margin"):
        rogan_gladen(0.5, 0.54, 0.5)
    weak = ClassAccuracy(correct_men=12, n_men=20, correct_women=11, n_women=20)
    for interval in (rogan_gladen_delta, lang_reiczigel):
        with pytest.raises(EstimationError, match="too little for a correction"):
            interval(50, 100, accuracy=weak)
    wrong = ClassAccuracy(correct_men=10, n_men=100, correct_women=15, n_women=100)
    with pytest.raises(EstimationError, match="probably swapped"):
        lang_reiczigel(50, 100, accuracy=wrong)


def test_a_share_below_zero_is_cut_and_said() -> None:
    """Fewer called men than women alone would give: point 0, the uncut value kept, an interval of some width."""
    one = lang_reiczigel(12, 100, accuracy=GOOD)
    assert (one.point, one.state) == (0.0, "at_boundary")
    assert one.raw == pytest.approx(-0.08 / 0.7)
    assert one.low == 0 < one.high
    assert "-0.1143" in one.note
    with pytest.raises(EstimationError, match="outside 0 to 1"):
        rogan_gladen_delta(0, 1_000, accuracy=GOOD)


def test_no_interval_is_of_zero_width() -> None:
    """Perfect labelled patients and a target of women alone: acc gives a width, PACC and EMQ refuse one."""
    men, women, target = (score_counts([p], [n]) for p, n in ((1.0, 60), (0.0, 60), (0.0, 200)))
    one = acc(target, men=men, women=women)
    assert one.point == 0 == one.low
    assert 0.005 < one.high < 0.05
    for estimator in (pacc, emq):
        with pytest.raises(EstimationError, match="no variation"):
            estimator(target, men=men, women=women)
    with pytest.raises(EstimationError, match="do not vary"):
        ppi_mean([1, 1, 1], [0.9, 0.9, 0.9], [0.9, 0.9])


def test_the_interval_holds_the_point() -> None:
    """Limits that leave the point outside (as shifted ones may) are widened to it."""
    n = (10.0, 5.0, 5.0)
    one = share_of_men(estimator="x", raw=0.3, se=0.1, limits=(0.35, 0.6), level=0.95, n=n, assumptions=())
    assert (one.low, one.high) == (0.3, 0.6)


def test_a_mixture_of_one_sex_is_found_at_the_end() -> None:
    """Scores as among men alone give exactly 1, as among women alone exactly 0."""
    f1, f0 = np.array([0.1, 0.9]), np.array([0.9, 0.1])
    assert mixture_share([[5, 95], [95, 5]], f1, f0).tolist() == [1.0, 0.0]


def test_resampling_both_samples_widens_emq() -> None:
    """Twenty labelled patients of a sex against 2,000: the interval shrinks threefold, as it must not where only the
    target is resampled."""
    few_men, few_women = score_counts([0.2, 0.8], [4, 16]), score_counts([0.2, 0.8], [16, 4])
    men, women = score_counts([0.2, 0.8], [400, 1_600]), score_counts([0.2, 0.8], [1_600, 400])
    target = score_counts([0.2, 0.8], [2_000, 2_000])
    few, many = emq(target, men=few_men, women=few_women), emq(target, men=men, women=women)
    assert few.point == pytest.approx(many.point, abs=1e-3)
    assert few.high - few.low > 3 * (many.high - many.low)


def test_label_shift_that_fails_is_seen() -> None:
    """Middling scores, such as a blurred camera gives, move PACC and EMQ apart; a plain change of shares does not."""
    men, women = (score_counts(one.values, one.counts * 20) for one in (MEN, WOMEN))
    shifted = score_counts(MEN.values, MEN.counts * 20 + WOMEN.counts * 60)
    agree = label_shift_check(shifted, men=men, women=women, draws=400)
    assert agree.state == "agree"
    assert agree.pacc.point == pytest.approx(0.25, abs=1e-9)
    blurred = score_counts(MEN.values, [100, 1_500, 200, 1_200])
    apart = label_shift_check(blurred, men=men, women=women, draws=400)
    assert apart.state == "disagree"
    assert apart.z is not None and apart.p_value is not None
    assert abs(apart.z) == pytest.approx(abs(apart.difference) / apart.se)
    assert apart.p_value < 0.05


def test_draws_are_seeded_and_enough() -> None:
    """The same seed gives the same interval, another seed another one, and 50 draws are refused."""
    one, same, other = (emq(TARGET, men=MEN, women=WOMEN, draws=200, seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert one.low != other.low
    with pytest.raises(EstimationError, match="at least 100"):
        emq(TARGET, men=MEN, women=WOMEN, draws=50)


def test_unknown_intervals_and_counts_are_named() -> None:
    """The message lists what there is, or the counts that do not fit."""
    with pytest.raises(EstimationError, match="no interval 'exact'; there are lang_reiczigel, delta"):
        acc(TARGET, men=MEN, women=WOMEN, interval="exact")
    with pytest.raises(EstimationError, match="found 5 of 4"):
        ClassAccuracy(correct_men=5, n_men=4, correct_women=1, n_women=2)
    with pytest.raises(EstimationError, match="found called_men = 5, n = 4"):
        lang_reiczigel(5, 4, accuracy=GOOD)
    with pytest.raises(EstimationError, match="must be finite; found nan"):
        ppi_mean([0, 1, np.nan], [0, 1, 0], [0, 1])


def test_a_score_table_passes_through() -> None:
    """Counts given once are not counted again."""
    assert isinstance(MEN, ScoreCounts)
    assert score_counts(MEN) is MEN
