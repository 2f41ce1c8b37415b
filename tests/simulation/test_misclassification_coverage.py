"""Seeded samples: intervals of corrected shares, ratios and differences cover the truth; the naive ones do not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import binom, norm

from sexstrat.errors import EstimationError
from sexstrat.estimates.numbers.class_accuracy import ClassAccuracy
from sexstrat.estimates.numbers.differential_error import differential_error_test
from sexstrat.estimates.numbers.emq import emq
from sexstrat.estimates.numbers.label_shift import label_shift_check
from sexstrat.estimates.numbers.matrix_method import matrix_method
from sexstrat.estimates.numbers.misclassification import lang_reiczigel, rogan_gladen_known
from sexstrat.estimates.numbers.quantification import acc, pacc
from sexstrat.estimates.numbers.regression_calibration import regression_calibration
from sexstrat.estimates.numbers.score_counts import ScoreCounts, score_counts
from sexstrat.estimates.numbers.sex_disease_rows import sex_disease_rows
from sexstrat.estimates.numbers.validation_likelihood import validation_likelihood
from sexstrat.estimates.numbers.validation_table import validation_table

LOGITS = np.linspace(-8, 8, 81)
SEPARATION = 1.9  # area under the curve .91
Fact = Callable[[np.random.Generator], bool]


def covered(fact: Fact, times: int, seed: int) -> int:
    """Count how often a fact is true over seeded samples."""
    return sum(fact(np.random.default_rng([seed, number])) for number in range(times))


def plausible(hits: int, times: int, *, low: float = 0.93, high: float = 0.97) -> bool:
    """Tell whether a count is what a coverage between two values gives, but for chances of 1 in 500."""
    return bool(binom.ppf(0.002, times, low) <= hits <= binom.ppf(0.998, times, high))


def scores(rng: np.random.Generator, n: int, men: bool, blur: float = 0.0) -> ScoreCounts:
    """Return n scores on a grid, calibrated where 60 % are men, of one sex."""
    density = norm.pdf(LOGITS, (logit(0.6) + (1 if men else -1) * SEPARATION**2 / 2) * (1 - blur), SEPARATION)
    return score_counts(expit(LOGITS), rng.multinomial(n, density / density.sum()))


def joined(one: ScoreCounts, other: ScoreCounts) -> ScoreCounts:
    return score_counts(np.concatenate([one.values, other.values]), np.concatenate([one.counts, other.counts]))


def samples(rng: np.random.Generator, blur: float = 0.0) -> tuple[ScoreCounts, ScoreCounts, ScoreCounts]:
    """Return a target of 1,500, two fifths men, and 120 labelled men and 80 labelled women."""
    men = int(rng.binomial(1_500, 0.4))
    target = joined(scores(rng, men, True, blur), scores(rng, 1_500 - men, False, blur))
    labelled = int(rng.binomial(200, 0.6))
    return target, scores(rng, labelled, True), scores(rng, 200 - labelled, False)


@pytest.mark.parametrize("name", ["pacc", "acc", "emq"])
def test_label_shift_estimators_cover(name: str) -> None:
    """Labelled at 60 % men, applied at 40 %: 95 % intervals cover .4 with both samples' errors in them."""
    times = 120 if name == "emq" else 400

    def fact(rng: np.random.Generator) -> bool:
        target, men, women = samples(rng)
        one = {
            "pacc": lambda: pacc(target, men=men, women=women),
            "acc": lambda: acc(target, men=men, women=women),
            "emq": lambda: emq(target, men=men, women=women, draws=200, seed=int(rng.integers(1_000))),
        }[name]()
        return one.low <= 0.4 <= one.high

    assert plausible(covered(fact, times, 1), times, low=0.92, high=0.98)


def test_label_shift_check_holds_its_size_and_sees_a_blur() -> None:
    """The two estimators part in about 5 % of samples where label shift holds, and in most where scores are blurred."""

    def parts(blur: float) -> Fact:
        def fact(rng: np.random.Generator) -> bool:
            target, men, women = samples(rng, blur)
            return label_shift_check(target, men=men, women=women, draws=150).state == "disagree"

        return fact

    assert covered(parts(0.0), 80, 2) <= binom.ppf(0.998, 80, 0.07)
    assert covered(parts(0.8), 20, 2) >= 14


def test_lang_reiczigel_covers_where_known_accuracy_does_not() -> None:
    """Sensitivity .9 and specificity .85 from 60 people each: only the interval that knows it covers."""

    def fact(known: bool) -> Fact:
        def one(rng: np.random.Generator) -> bool:
            called = int(rng.binomial(2_000, 0.3 * 0.9 + 0.7 * 0.15))
            right = int(rng.binomial(60, 0.9)), int(rng.binomial(60, 0.85))
            if known:
                found = rogan_gladen_known(called, 2_000, sensitivity=right[0] / 60, specificity=right[1] / 60)
            else:
                accuracy = ClassAccuracy(correct_men=right[0], n_men=60, correct_women=right[1], n_women=60)
                found = lang_reiczigel(called, 2_000, accuracy=accuracy)
            return found.low <= 0.3 <= found.high

        return one

    assert plausible(covered(fact(False), 600, 3), 600, low=0.94, high=0.98)
    assert covered(fact(True), 600, 3) / 600 < 0.75


def cohort(rng: np.random.Generator, sensitivity: tuple[float, float], n: int = 4_000) -> tuple[np.ndarray, np.ndarray]:
    """Return main and validation counts: 45 % men among 85 % well, 55 % among the diseased, 400 validated at random."""
    shares = np.array([[0.85 * 0.55, 0.85 * 0.45], [0.15 * 0.45, 0.15 * 0.55]])
    called = np.array([[0.15, sensitivity[0]], [0.15, sensitivity[1]]])
    joint = np.stack([shares * (1 - called), shares * called], axis=2)
    known, hidden = (rng.multinomial(size, joint.ravel()).reshape(2, 2, 2) for size in (400, n))
    return hidden.sum(axis=1), known


TRUE_RATIO = (0.15 * 0.55 / (0.15 * 0.55 + 0.85 * 0.45)) / (0.15 * 0.45 / (0.15 * 0.45 + 0.85 * 0.55))


def ratio_covered(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and low <= TRUE_RATIO <= high


def test_the_validation_likelihood_covers_under_differential_error() -> None:
    """Sensitivity .80 in the well, .95 in the diseased: the differential fit covers, the common one does not."""

    def fact(error: str) -> Fact:
        def one(rng: np.random.Generator) -> bool:
            ratio = validation_likelihood(validation_table(*cohort(rng, (0.80, 0.95))), error=error).measures.ratio
            return ratio_covered(ratio.low, ratio.high)

        return one

    assert plausible(covered(fact("differential"), 100, 4), 100)
    assert covered(fact("nondifferential"), 40, 4) / 40 < 0.8


def test_the_nondifferential_likelihood_covers_and_its_test_holds_its_size() -> None:
    """Sensitivity .88 in both states: the common fit covers with a narrower interval, the test rejects near 5 %."""
    widths, rejections, hits = [], 0, 0
    for number in range(80):
        test = differential_error_test(validation_table(*cohort(np.random.default_rng([5, number]), (0.88, 0.88))))
        wide, narrow = (one.measures.ratio for one in (test.differential, test.nondifferential))
        assert wide.se is not None and narrow.se is not None
        widths.append(narrow.se / wide.se)
        rejections += test.p_value < 0.05
        hits += ratio_covered(narrow.low, narrow.high)
    assert plausible(hits, 80)
    assert np.median(widths) < 0.95
    assert binom.ppf(0.002, 80, 0.03) <= rejections <= binom.ppf(0.998, 80, 0.08)


def test_the_matrix_method_by_disease_covers() -> None:
    """Accuracy by disease from a separate sample of 200 of each: the ratio's interval covers; pooled it does not."""

    def fact(pooled: bool) -> Fact:
        def one(rng: np.random.Generator) -> bool:
            main, _ = cohort(rng, (0.80, 0.95))
            right = [(int(rng.binomial(100, se)), int(rng.binomial(100, 0.85))) for se in (0.80, 0.95)]
            by = [ClassAccuracy(correct_men=m, n_men=100, correct_women=w, n_women=100) for m, w in right]
            both = ClassAccuracy(
                correct_men=right[0][0] + right[1][0], n_men=200, correct_women=right[0][1] + right[1][1], n_women=200
            )
            found = matrix_method(main[:, 1], main.sum(axis=1), accuracy=both if pooled else by).measures.ratio
            return ratio_covered(found.low, found.high)

        return one

    assert plausible(covered(fact(False), 400, 6), 400)
    assert covered(fact(True), 200, 6) / 200 < 0.85


def test_regression_calibration_covers_only_with_the_calibrations_error() -> None:
    """A difference of .40 with 150 of 3,000 validated: the two-stage interval covers, wider than the naive."""
    hits, ratios = 0, []
    for number in range(250):
        rng = np.random.default_rng([7, number])
        male = rng.random(3_000) < 0.48
        x = rng.normal(1.7 * male - 0.85, 1.0).round(1)
        ill = rng.random(3_000) < np.where(male, 0.65, 0.25)
        known = np.where(np.arange(3_000) < 150, male, np.nan)
        one = regression_calibration(sex_disease_rows(x, ill, known), assume_nondifferential=True)
        hits += one.low <= 0.40 <= one.high
        ratios.append(one.se / one.naive_se)
    assert plausible(hits, 250)
    assert np.median(ratios) > 1.1


def test_refusals_are_errors_of_ours() -> None:
    """Ten labelled patients of each sex and a weak class: an interval or an EstimationError, never anything else."""
    rng = np.random.default_rng(8)
    refused = 0
    for _ in range(300):
        accuracy = ClassAccuracy(
            correct_men=int(rng.binomial(10, 0.6)), n_men=10, correct_women=int(rng.binomial(10, 0.6)), n_women=10
        )
        try:
            one = lang_reiczigel(int(rng.binomial(50, 0.5)), 50, accuracy=accuracy)
        except EstimationError:
            refused += 1
        else:
            assert 0 <= one.low <= one.point <= one.high <= 1
            assert one.low < one.high
    assert 100 < refused < 300
