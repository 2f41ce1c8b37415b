"""What must not matter to a correction of predicted sex: which sex is called which, and a class without errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sexstrat.errors import EstimationError
from sexstrat.estimates.numbers.class_accuracy import ClassAccuracy
from sexstrat.estimates.numbers.emq import emq
from sexstrat.estimates.numbers.matrix_method import matrix_method
from sexstrat.estimates.numbers.misclassification import lang_reiczigel, rogan_gladen_delta
from sexstrat.estimates.numbers.quantification import acc, pacc
from sexstrat.estimates.numbers.regression_calibration import regression_calibration
from sexstrat.estimates.numbers.score_counts import ScoreCounts, score_counts
from sexstrat.estimates.numbers.sex_disease_rows import sex_disease_rows
from sexstrat.estimates.numbers.sex_measures import SexMeasure
from sexstrat.estimates.numbers.share_of_men import ShareOfMen
from sexstrat.estimates.numbers.simex import mc_simex
from sexstrat.estimates.numbers.validation_likelihood import validation_likelihood
from sexstrat.estimates.numbers.validation_table import validation_table

GRID = np.array([0.02, 0.21, 0.37, 0.63, 0.79, 0.98])
counts = st.lists(st.integers(1, 60), min_size=6, max_size=6)
right = st.integers(70, 100)


def turned(one: ScoreCounts) -> ScoreCounts:
    return score_counts(1 - one.values, one.counts)


def mirrored(one: ShareOfMen, other: ShareOfMen, tolerance: float) -> None:
    """Check that one is the other with men called women."""
    np.testing.assert_allclose(
        (other.raw, other.low, other.high), (1 - one.raw, 1 - one.high, 1 - one.low), atol=tolerance
    )
    assert other.se == pytest.approx(one.se, abs=tolerance)


def inverted(one: SexMeasure, other: SexMeasure, tolerance: float = 1e-6) -> None:
    """Check that one ratio is 1 over the other."""
    assert one.state == other.state
    if one.point and one.high:
        assert other.point == pytest.approx(1 / one.point, rel=tolerance)
        assert other.low == pytest.approx(1 / one.high, rel=tolerance)


@given(tilt=st.integers(1, 12), target=counts)
def test_calling_men_women_mirrors_the_share(tilt: int, target: list[int]) -> None:
    """Scores turned around and labels exchanged give 1 minus PACC, ACC and the EMQ point."""
    men = score_counts(GRID, np.arange(1, 7) * tilt + 2)
    women = score_counts(GRID, np.arange(6, 0, -1) * 5)
    cohort = score_counts(GRID, np.array(target) * 10)
    for estimator in (pacc, acc):
        try:
            one = estimator(cohort, men=men, women=women)
        except EstimationError:
            with pytest.raises(EstimationError):
                estimator(turned(cohort), men=turned(women), women=turned(men))
            continue
        mirrored(one, estimator(turned(cohort), men=turned(women), women=turned(men)), 1e-9)
    try:
        ml = emq(cohort, men=men, women=women, draws=100)
        back = emq(turned(cohort), men=turned(women), women=turned(men), draws=100)
    except EstimationError:
        return
    assert back.point == pytest.approx(1 - ml.point, abs=1e-6)


@given(se=right, sp=right, called=st.tuples(st.integers(30, 170), st.integers(30, 170)))
def test_calling_men_women_inverts_the_ratios(se: int, sp: int, called: tuple[int, int]) -> None:
    """Intervals of corrected shares mirror; ratios of the matrix method, the likelihood and SIMEX become 1 over."""
    accuracy = ClassAccuracy(correct_men=se, n_men=100, correct_women=sp, n_women=100)
    other = ClassAccuracy(correct_men=sp, n_men=100, correct_women=se, n_women=100)
    rest = [200 - one for one in called]
    for interval in (lang_reiczigel, rogan_gladen_delta):
        try:
            one = interval(called[0], 200, accuracy=accuracy)
        except EstimationError:
            continue
        mirrored(one, interval(rest[0], 200, accuracy=other), 1e-9)
    before, after = (matrix_method(m, [200, 200], accuracy=a).measures for m, a in ((called, accuracy), (rest, other)))
    inverted(before.ratio, after.ratio)
    inverted(before.odds_ratio, after.odds_ratio)
    v = np.array([[[sp, 101 - sp], [101 - se, se]], [[sp, 101 - sp], [101 - se, se]]])
    main = np.column_stack([rest, called])
    fits = [validation_likelihood(validation_table(m, w)) for m, w in ((main, v), (main[:, ::-1], v[:, ::-1, ::-1]))]
    inverted(fits[0].measures.ratio, fits[1].measures.ratio)
    naive = [mc_simex(m, [200, 200], sensitivity=0.95, specificity=0.95, simulations=50) for m in (called, rest)]
    assert naive[0].naive == pytest.approx(1 / naive[1].naive)


@given(men=st.integers(20, 180), ill=st.integers(20, 180))
def test_a_perfect_class_gives_the_known_sex_answer(men: int, ill: int) -> None:
    """Nobody misclassified: share, ratio, likelihood and SIMEX are those of the table as it stands."""
    perfect = ClassAccuracy(correct_men=500, n_men=500, correct_women=500, n_women=500)
    assert lang_reiczigel(men, 200, accuracy=perfect).point == pytest.approx(men / 200)
    ones, zeros = score_counts([1.0], [500]), score_counts([0.0], [500])
    target = score_counts([0.0, 1.0], [200 - men, men])
    for estimator in (pacc, acc):
        assert estimator(target, men=ones, women=zeros).point == pytest.approx(men / 200, abs=1e-12)
    for recalibrate in (True, False):  # recalibrated, a score is cut at a logit of 10
        ml = emq(target, men=ones, women=zeros, recalibrate=recalibrate, draws=100)
        assert ml.point == pytest.approx(men / 200, abs=1e-6)
    plain = (ill / (men + ill)) / ((200 - ill) / (400 - men - ill))
    matrix = matrix_method([men, ill], [200, 200], accuracy=perfect)
    assert matrix.measures.ratio.point == pytest.approx(plain)
    none = np.array([[[50, 0], [0, 50]], [[50, 0], [0, 50]]])
    table = validation_table([[200 - men, men], [200 - ill, ill]], none, internal=False)
    for error in ("differential", "nondifferential"):
        assert validation_likelihood(table, error=error).measures.ratio.point == pytest.approx(plain, rel=1e-6)
    check = mc_simex([men, ill], [200, 200], sensitivity=1, specificity=1, measure="ratio", simulations=50)
    assert check.point == pytest.approx(plain)


@given(seed=st.integers(0, 1_000))
def test_the_calibrated_slope_changes_its_sign_and_nothing_else(seed: int) -> None:
    """Men called women and logits turned around: minus the difference, the same standard error, any order of rows."""
    rng = np.random.default_rng(seed)
    male = rng.random(800) < 0.5
    x = rng.normal(2 * male - 1, 1.5)
    ill = rng.random(800) < 0.2 + 0.2 * male
    known = np.where(np.arange(800) < 400, male, np.nan)
    order = rng.permutation(800)
    one = regression_calibration(sex_disease_rows(x, ill, known), assume_nondifferential=True)
    other = regression_calibration(
        sex_disease_rows(-x[order], ill[order], (1 - known)[order]), assume_nondifferential=True
    )
    assert other.point == pytest.approx(-one.point, rel=1e-6)
    assert other.se == pytest.approx(one.se, rel=1e-6)
