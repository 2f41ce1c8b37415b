"""Tables of predicted sex by disease, corrected: hand-checked numbers, identities and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, norm

from sexstrat.errors import EstimationError
from sexstrat.estimates.diagnosis.nondifferential import nondifferential_error
from sexstrat.estimates.numbers.class_accuracy import ClassAccuracy
from sexstrat.estimates.numbers.differential_error import differential_error_test
from sexstrat.estimates.numbers.matrix_method import matrix_method
from sexstrat.estimates.numbers.regression_calibration import regression_calibration
from sexstrat.estimates.numbers.sex_disease_rows import SexDiseaseRows, sex_disease_rows
from sexstrat.estimates.numbers.sex_measures import sex_measures
from sexstrat.estimates.numbers.simex import mc_simex, misclassification_power
from sexstrat.estimates.numbers.validation_likelihood import validation_likelihood
from sexstrat.estimates.numbers.validation_table import validation_table

GOOD = ClassAccuracy(correct_men=90, n_men=100, correct_women=80, n_women=100)


def made_rows(
    *, shift: float = 0.0, validated: int = 3_000, unknown: int = 20_000, slope: float = 2.0, difference: float = 0.1
) -> SexDiseaseRows:
    """Return expected counts of a cohort, half men, disease 20 % in women, scores shifted in the diseased."""
    x = np.linspace(-5, 5, 41)
    cells = []
    for known, people in ((True, validated), (False, unknown)):
        for s in (0, 1):
            for d in (0, 1):
                risk = 0.2 + difference * s
                density = norm.pdf(x, slope * (s - 0.5) + shift * d)
                counts = people / 2 * (risk if d else 1 - risk) * density / density.sum()
                cells.append((x, np.full(41, d), np.full(41, s if known else np.nan), np.rint(counts)))
    return sex_disease_rows(
        *(np.concatenate(part) for part in list(zip(*cells, strict=True))[:3]),
        counts=np.concatenate([c[3] for c in cells]),
    )


def test_amplified_differential_error() -> None:
    """A pooled matrix on errors that differ by disease is worse than no correction: true ratio 1, corrected 1.6.

    Half of well and of diseased are men; among the diseased sensitivity is .95 and specificity .65, among the well .85
    and .85, so that 50 % and 65 % look male.
    """
    called, patients = [500, 650], [1_000, 1_000]
    by_disease = [
        ClassAccuracy(correct_men=850, n_men=1_000, correct_women=850, n_women=1_000),
        ClassAccuracy(correct_men=950, n_men=1_000, correct_women=650, n_women=1_000),
    ]
    pooled = ClassAccuracy(correct_men=1_800, n_men=2_000, correct_women=1_500, n_women=2_000)
    apart = matrix_method(called, patients, accuracy=by_disease)
    together = matrix_method(called, patients, accuracy=pooled)
    naive = (650 / 1_150) / (350 / 850)
    assert apart.measures.ratio.point == pytest.approx(1.0)
    assert together.measures.ratio.point is not None and together.measures.ratio.point > naive
    assert (apart.error, together.error) == ("differential", "nondifferential")
    assert "amplifies" in together.assumptions[0]


def test_shares_that_do_not_fit_refuse_every_measure() -> None:
    """More called men than sensitivity allows: no number, the state refused, the share in the reason."""
    one = matrix_method([500, 960], [1_000, 1_000], accuracy=GOOD)
    for measure in (one.measures.ratio, one.measures.prevalence_men, one.measures.difference):
        assert (measure.state, measure.point, measure.se, measure.low, measure.high) == ("refused", *[None] * 4)
        assert "1.086, outside 0 to 1" in measure.note


def test_a_measure_without_value_says_so() -> None:
    """All the diseased are men: prevalence in women is 0, the ratio undefined, prevalence in men 1/3 all the same."""
    one = sex_measures([0.5, 1.0], np.diag([1e-4, 1e-4]), [800, 200])
    assert one.prevalence_men.point == pytest.approx(1 / 3)
    assert one.difference.point == pytest.approx(1 / 3)
    for measure in (one.ratio, one.odds_ratio, one.prevalence_women):
        assert measure.state == "undefined"
        assert measure.point is None
        assert measure.note
    still = sex_measures([0.5, 0.5], np.zeros((2, 2)), [800, 200], sampled=False)
    assert {still.ratio.state, still.difference.state} == {"undefined"}


@pytest.mark.parametrize(
    ("called", "patients"), [([1, 2, 3], [4, 5, 6]), ([5, 5], [4, 6]), ([0, 0], [0, 9]), ([1, np.nan], [4, 4])]
)
def test_tables_that_do_not_fit_are_refused(called: list[float], patients: list[float]) -> None:
    """Two numbers each, nobody missing, not more called men than there are."""
    for call in (
        lambda: matrix_method(called, patients, accuracy=GOOD),
        lambda: mc_simex(called, patients, sensitivity=0.9, specificity=0.9),
    ):
        with pytest.raises(EstimationError, match="among the well and the diseased"):
            call()


def test_validation_samples_that_cannot_inform_are_refused() -> None:
    """No validated women, a differential model without diseased men, negative counts, an external class by chance."""
    main = [[500, 500], [100, 100]]
    with pytest.raises(EstimationError, match="both sexes; found 0 women and 60 men"):
        validation_table(main, [[[0, 0], [10, 20]], [[0, 0], [10, 20]]])
    lame = validation_table(main, [[[40, 10], [5, 45]], [[20, 5], [0, 0]]])
    with pytest.raises(EstimationError, match="differential error needs validated men and women"):
        validation_likelihood(lame)
    assert validation_likelihood(lame, error="nondifferential").state == "estimated"
    with pytest.raises(EstimationError, match="finite and not negative"):
        validation_table(main, [[[40, -1], [5, 45]], [[20, 5], [1, 3]]])
    with pytest.raises(EstimationError, match="found shapes"):
        validation_table([500, 500], [[[40, 1], [5, 45]], [[20, 5], [1, 3]]])
    chance = validation_table(main, [[[25, 25], [25, 25]], [[25, 25], [25, 25]]], internal=False)
    with pytest.raises(EstimationError, match="too little for a correction"):
        validation_likelihood(chance)
    with pytest.raises(EstimationError, match="no error 'both'"):
        validation_likelihood(lame, error="both")


def test_no_error_seen_is_not_no_error() -> None:
    """Perfect validated patients: the known-sex shares, at the boundary, with a wider variance than known sex has."""
    table = validation_table([[600, 400], [80, 120]], [[[30, 0], [0, 20]], [[10, 0], [0, 15]]])
    one = validation_likelihood(table)
    assert one.state == "boundary"
    np.testing.assert_allclose(one.share_of_men, [420 / 1_050, 135 / 225], atol=1e-8)
    known = one.share_of_men * (1 - one.share_of_men) / table.patients
    assert (np.diag(one.covariance)[:2] > known).all()
    assert "half a patient" in one.note


def test_the_test_of_differential_error_tells_the_two_apart() -> None:
    """A specificity of .9 against .65 is found with 200 validated; equal errors give a p value of 1."""
    differ = [[[90, 10], [10, 90]], [[65, 35], [10, 90]]]
    assert differential_error_test(validation_table([[900, 900], [300, 500]], differ)).p_value < 0.001
    alike = [[[90, 10], [10, 90]], [[90, 10], [10, 90]]]
    assert differential_error_test(validation_table([[900, 900], [500, 500]], alike)).p_value == pytest.approx(1)


def test_matrix_powers_follow_the_matrix() -> None:
    """Powers 0, 1 and 3 of the misclassification matrix, multiplied out."""
    matrix = np.array([[0.8, 0.1], [0.2, 0.9]])  # columns: true sex, female first
    for power in (0, 1, 3):
        se, sp = misclassification_power(0.9, 0.8, power)
        np.testing.assert_allclose((sp, se), np.diag(np.linalg.matrix_power(matrix, power)), atol=1e-12)
    with pytest.raises(EstimationError, match="must exceed"):
        misclassification_power(0.5, 0.5, 1)


def exact_mean_log_odds(called: list[int], patients: list[int], se: float, sp: float) -> float:
    """Return the expected log odds ratio after misclassifying once more, by summing over all outcomes."""
    means = []
    for m, n in zip(called, patients, strict=True):
        stay, turn = binom.pmf(np.arange(m + 1), m, se), binom.pmf(np.arange(n - m + 1), n - m, 1 - sp)
        total = np.convolve(stay, turn)
        k = np.arange(1, n)
        means.append(float(np.sum(total[1:-1] * np.log(k / (n - k)))))
    return means[1] - means[0]


def test_simex_means_are_the_exact_ones() -> None:
    """The mean over 20,000 simulated tables against the sum over every possible table, within 4 standard errors."""
    called, patients = [60, 50], [130, 80]
    found = mc_simex(called, patients, sensitivity=0.9, specificity=0.85, simulations=20_000, seed=5)
    for power, mean in zip(found.lambdas[1:], found.log_estimates[1:], strict=True):
        exact = exact_mean_log_odds(called, patients, *misclassification_power(0.9, 0.85, float(power)))
        assert mean == pytest.approx(exact, abs=4 * 0.25 / np.sqrt(20_000))
    assert (found.state, "check only" in found.note) == ("check", True)


def test_simex_under_corrects_where_the_matrix_does_not() -> None:
    """Odds ratio 2.25 seen through sensitivity and specificity .8: the parabola stops short of it."""
    men = np.array([0.5, 0.6923077])
    called = np.rint(100_000 * (0.8 * men + 0.2 * (1 - men)))
    found = mc_simex(called, [100_000, 100_000], sensitivity=0.8, specificity=0.8)
    assert found.naive < found.point < 2.2
    exact = matrix_method(
        called,
        [100_000, 100_000],
        accuracy=ClassAccuracy(correct_men=800, n_men=1_000, correct_women=800, n_women=1_000),
    )
    assert exact.measures.odds_ratio.point == pytest.approx(2.25, abs=0.01)


def test_simex_refuses_what_it_cannot_simulate() -> None:
    """An empty cell, one lambda, few simulations, an unknown measure, part of a patient."""
    with pytest.raises(EstimationError, match="nobody in one of predicted sex"):
        mc_simex([0, 5], [20, 20], sensitivity=0.9, specificity=0.9)
    for settings in ({"lambdas": [1.0]}, {"lambdas": [1.0, 1.0]}, {"lambdas": [-1.0, 1.0]}, {"simulations": 5}):
        with pytest.raises(EstimationError, match="two or more different lambdas"):
            mc_simex([30, 30], [60, 60], sensitivity=0.9, specificity=0.9, **settings)
    with pytest.raises(EstimationError, match="no measure 'difference'"):
        mc_simex([30, 30], [60, 60], sensitivity=0.9, specificity=0.9, measure="difference")
    with pytest.raises(EstimationError, match="counts must be whole"):
        mc_simex([30.5, 30], [60, 60], sensitivity=0.9, specificity=0.9)


def test_the_slope_on_the_calibrated_score_is_the_difference() -> None:
    """Expected counts, no shift by disease, a true difference of .10: the slope is .10 but for rounded counts."""
    one = regression_calibration(made_rows(validated=40_000, unknown=400_000))
    assert one.state == "shown"
    assert one.nondifferential.shown
    assert one.point == pytest.approx(0.10, abs=0.001)


def test_a_shift_by_disease_is_refused_and_would_mislead() -> None:
    """Scores half an SD higher in the diseased: refused by name; under the false assumption the slope is far off."""
    rows = made_rows(shift=0.5, validated=40_000, unknown=40_000)
    with pytest.raises(EstimationError, match=r"needs errors shown not to differ by disease.*do not both lie"):
        regression_calibration(rows)
    wrong = regression_calibration(rows, assume_nondifferential=True)
    assert wrong.state == "assumed"
    assert wrong.low > 0.10


def test_absence_of_evidence_shows_nothing() -> None:
    """No shift at all among 300 validated patients is not shown to be none; among 40,000 it is."""
    few, many = (nondifferential_error(made_rows(validated=n, unknown=0)) for n in (300, 40_000))
    assert (few.shown, many.shown) == (False, True)
    assert few.shift_men is not None and abs(few.shift_men) < 0.1
    assert many.interval_men is not None and many.interval_men[1] < 0.1


def test_opposite_shifts_do_not_cancel() -> None:
    """A shift of -.3 SD in diseased men and +.3 in diseased women averages to none, and is not passed."""
    rows = made_rows(validated=40_000, unknown=0)
    moved = rows.logit_p + rows.diseased * np.where(rows.male == 1, -0.3, 0.3)
    one = nondifferential_error(sex_disease_rows(moved, rows.diseased, rows.male, counts=rows.counts))
    assert not one.shown
    assert one.shift_men == pytest.approx(-0.3, abs=0.02)
    assert one.shift_women == pytest.approx(0.3, abs=0.02)


def test_too_few_validated_show_nothing_and_say_so() -> None:
    """Nine diseased women, or a score without variation: not shown, the reason named, no number."""
    x = np.tile([-1.0, 0.0, 1.0], 4)
    d, s = np.repeat([0, 0, 1, 1], 3), np.repeat([0, 1, 0, 1], 3)
    few = nondifferential_error(sex_disease_rows(x, d, s, counts=np.where((d == 1) & (s == 0), 3, 40)))
    assert (few.shown, few.shift_men, few.interval_women) == (False, None, None)
    assert "only 9 diseased women are validated" in few.reason
    flat = nondifferential_error(sex_disease_rows(np.zeros(12), d, s, counts=np.full(12, 40)))
    assert "does not vary" in flat.reason
    nobody = nondifferential_error(
        SexDiseaseRows(
            logit_p=x, diseased=d.astype(float), male=np.full(12, np.nan), counts=np.ones(12), stratum=np.zeros(12, int)
        )
    )
    assert not nobody.shown


def test_rows_that_cannot_be_are_refused() -> None:
    """Unequal lengths, infinite logits, a third sex code, part of a patient, a stratum without validated patients."""
    cases = [
        (([1.0], [1, 0], [1]), {}, "of one length"),
        (([np.inf], [1], [1]), {}, "must be finite"),
        (([1.0], [2], [1]), {}, "diseased must be 0 or 1"),
        (([1.0], [1], [2]), {}, "male 0, 1 or NaN"),
        (([1.0], [1], [1]), {"counts": [0.5]}, "whole and not negative"),
        (([1.0, 1.0], [1, 0], [1, np.nan]), {"stratum": ["40-49", "50-59"]}, "no validated patient in: 50-59"),
        (([], [], []), {}, "empty"),
    ]
    for given, more, message in cases:
        with pytest.raises(EstimationError, match=message):
            sex_disease_rows(*given, **more)


def test_a_calibration_needs_men_and_women_in_every_stratum() -> None:
    """Nine validated men in one of two strata are too few for its intercept and slope."""
    rows = made_rows(validated=4_000, unknown=0)
    stratum = np.where((rows.male == 1) & (np.cumsum(rows.counts * (rows.male == 1)) <= 9), "80+", "60-79")
    split = sex_disease_rows(rows.logit_p, rows.diseased, rows.male, counts=rows.counts, stratum=stratum)
    with pytest.raises(EstimationError, match=r"validated (men|women) in each stratum"):
        regression_calibration(split, assume_nondifferential=True)


def test_disease_explained_entirely_has_no_interval_of_zero_width() -> None:
    """A score without information on sex, and nobody diseased: refused, not a slope with a tiny interval."""
    x, s = np.tile([-1.0, 1.0], 2), np.repeat([0, 1], 2)
    rows = sex_disease_rows(x, [1, 0, 0, 1], s, counts=np.full(4, 50))
    with pytest.raises(EstimationError, match="does not vary within strata"):
        regression_calibration(rows, assume_nondifferential=True)
    healthy = sex_disease_rows(x, np.zeros(4), s, counts=[40, 10, 10, 40])
    with pytest.raises(EstimationError, match="no interval can be given"):
        regression_calibration(healthy, assume_nondifferential=True)
