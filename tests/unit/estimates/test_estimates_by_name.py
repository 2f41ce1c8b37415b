"""Methods asked for by name: equal to the plain functions on a cell's numbers, refused where the design forbids."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.special import expit

from sexstrat.estimates import (
    ESTIMATORS,
    ComposeInput,
    Composition,
    ScoreCounts,
    mc_simex,
    pacc,
    ppi_mean,
    score_counts,
)
from sexstrat.estimates.calibrated_composition import calibrated_shares
from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose import compose_input
from sexstrat.estimates.labelled_windows import labelled_means
from sexstrat.estimates.numbers.class_accuracy import ClassAccuracy
from sexstrat.estimates.numbers.label_shift_likelihood import emq_point
from sexstrat.estimates.numbers.matrix_method import matrix_method
from sexstrat.estimates.numbers.regression_calibration import regression_calibration
from sexstrat.estimates.numbers.sex_disease_rows import sex_disease_rows
from sexstrat.estimates.quantification_composition import _emq, _pacc
from sexstrat.estimates.worked_example import worked_arrays, worked_input
from sexstrat.simulation import Setting, setting, simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import Target, ValidationDesign

ALL = AgeBands((20,))
BANDS = AgeBands((20, 50, 60, 70, 80))
NEW = ("E6", "matrix", "matrix_pooled", "pacc", "emq", "ppi", "simex")
LABELLED = ("matrix", "matrix_pooled", "pacc", "emq", "simex")


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw 60 bootstrap samples: what is tested here does not rest on more."""
    monkeypatch.setattr("sexstrat.estimates.quantification_composition.DRAWS", 60)


@cache
def outside(bands: AgeBands = ALL, *, photographed: bool = True) -> ComposeInput:
    """Return 20,000 people of unknown sex and 1,000 labelled elsewhere; with a photograph each, unless asked."""
    drawn = simulate_cells(replace(setting("external"), name="elsewhere"), 20_000, 3)
    given = compose_input(drawn.cells, bands=bands, design="external", external=drawn.external)
    assert given.external is not None
    here, there = (one.chosen(one.n_eyes > 0) for one in (given.arrays, given.external))
    return replace(given, arrays=here, external=there) if photographed else given


@cache
def inside(bands: AgeBands = ALL, name: str = "baseline") -> ComposeInput:
    """Return 20,000 people of whom a twentieth is validated."""
    given = compose_input(simulate_cells(name, 20_000, 4).cells, bands=bands, design=setting(name).design)
    return replace(given, arrays=given.arrays.chosen(given.arrays.n_eyes > 0))


def accuracy(labelled: CellArrays, rows: np.ndarray) -> ClassAccuracy:
    n, male, called = labelled.n[rows], labelled.male[rows], labelled.predicted_male[rows]
    return ClassAccuracy(
        correct_men=n[male & called].sum(),
        n_men=n[male].sum(),
        correct_women=n[~male & ~called].sum(),
        n_women=n[~male].sum(),
    )


@pytest.mark.parametrize("method", ["matrix", "matrix_pooled"])
def test_the_matrix_method_of_one_band_is_that_of_its_table(method: str) -> None:
    """Shares and covariance of an external design equal the plain matrix method's, by disease or pooled, to 1e-9."""
    given = outside()
    labelled, arrays = given.labelled, given.arrays
    known = labelled.validated
    by_disease = [accuracy(labelled, known & (labelled.diseased == d)) for d in (0, 1)]
    called = arrays.total(arrays.n * arrays.predicted_male)[0]
    told = matrix_method(
        called, arrays.n_patients[0], accuracy=by_disease if method == "matrix" else accuracy(labelled, known)
    )
    one = ESTIMATORS[method](given)
    np.testing.assert_allclose(one.pi[0], told.share_of_men, rtol=1e-9)
    np.testing.assert_allclose(one.covariance, told.covariance, rtol=1e-9)
    np.testing.assert_allclose(one.crude_pi, told.share_of_men, rtol=1e-9)
    np.testing.assert_allclose(one.crude_covariance, told.covariance, rtol=1e-9)


def test_the_matrix_method_counts_recorded_sexes_as_they_are() -> None:
    """Internal design: (recorded men + unrecorded x Rogan-Gladen share) / all, and the variances of both parts."""
    given = inside()
    arrays = given.arrays
    one = ESTIMATORS["matrix"](given)
    for d in (0, 1):
        here = arrays.diseased == d
        known, unknown = here & arrays.validated, here & ~arrays.validated
        right = accuracy(arrays, known)
        n, v, h = (float(arrays.n[rows].sum()) for rows in (here, known, unknown))
        q = float(arrays.n[unknown] @ arrays.predicted_male[unknown]) / h
        share = (q + right.specificity - 1) / right.youden
        men = float(arrays.n[known] @ arrays.male[known])
        pi = (men + h * share) / n
        assert one.pi[0, d] == pytest.approx(pi, rel=1e-9)
        learned = share**2 * right.sensitivity_variance + (1 - share) ** 2 * right.specificity_variance
        variance = (h / n) ** 2 * (q * (1 - q) / h + learned) / right.youden**2
        own = men * (1 - pi) ** 2 + (v - men) * pi**2 + h * (share - pi) ** 2
        assert one.covariance[d, d] == pytest.approx(variance + own / n**2, rel=1e-9)


def mean_scores(arrays: CellArrays, rows: np.ndarray) -> ScoreCounts:
    return score_counts(arrays.mean_prob_male[rows], arrays.n[rows])


def test_pacc_of_one_band_is_that_of_its_scores() -> None:
    """PACC of each disease state equals the plain function to 1e-9; its error too, up to divisors n and n - 1."""
    given = outside()
    labelled, arrays = given.labelled, given.arrays
    one = ESTIMATORS["pacc"](given)
    for d in (0, 1):
        known = labelled.diseased == d
        target, men, women = (
            mean_scores(arrays, arrays.diseased == d),
            mean_scores(labelled, known & labelled.male),
            mean_scores(labelled, known & ~labelled.male),
        )
        told = pacc(target, men=men, women=women)
        assert one.pi[0, d] == pytest.approx(told.raw, rel=1e-9)
        parts = [
            factor * part.variance * (part.n - 1) / part.n**2
            for factor, part in ((1.0, target), (told.raw**2, men), ((1 - told.raw) ** 2, women))
        ]
        assert one.covariance[d, d] == pytest.approx(sum(parts) / (men.mean - women.mean) ** 2, rel=1e-9)
        assert np.sqrt(one.covariance[d, d]) == pytest.approx(told.se, rel=5e-3)


def test_emq_of_one_band_is_that_of_its_scores() -> None:
    """EMQ of each disease state, recalibrated on its labelled people, equals the plain function to 1e-9."""
    given = outside()
    labelled, arrays = given.labelled, given.arrays
    one = ESTIMATORS["emq"](given)
    for d in (0, 1):
        target, men, women = (
            score_counts(expit(some.logit[rows]), some.n[rows])
            for some, rows in (
                (arrays, arrays.diseased == d),
                (labelled, (labelled.diseased == d) & labelled.male),
                (labelled, (labelled.diseased == d) & ~labelled.male),
            )
        )
        assert one.pi[0, d] == pytest.approx(emq_point(target, men, women, True), rel=1e-9)
    assert one.assumptions and one.diagnostics["draws"] > 0


def test_ppi_of_every_cell_is_the_prediction_powered_mean() -> None:
    """Points and variances of all cells with ten validated patients equal PPI++ on patients one by one, to 1e-9.

    Lambda is the slope of sex on the score among the validated, over 1 + n/N.
    """
    given = inside(BANDS)
    arrays = given.arrays
    one = ESTIMATORS["ppi"](given)
    checked = 0
    for cell in range(2 * arrays.n_bands):
        rows = arrays.group == cell
        known, unknown = (
            np.repeat(np.flatnonzero(some), arrays.n[some].astype(int))
            for some in (rows & arrays.validated, rows & ~arrays.validated)
        )
        if known.size < 10:
            continue
        sex, p = arrays.male[known].astype(float), arrays.mean_prob_male
        power = np.clip(np.polyfit(p[known], sex, 1)[0] / (1 + known.size / unknown.size), 0, 1)
        told = ppi_mean(sex, p[known], p[unknown], power=float(power))
        assert one.pi.ravel()[cell] == pytest.approx(told.point, rel=1e-9)
        assert one.covariance[cell, cell] == pytest.approx(told.se**2, rel=1e-9)
        checked += 1
    assert checked >= 9


def test_e1_is_not_cell_ppi_under_another_name() -> None:
    """E1 recalibrates by disease and age and uses all patients' scores: other shares than PPI++ on raw scores."""
    given = inside(BANDS, "error_by_disease")
    first, second = (ESTIMATORS[name](given) for name in ("E1", "ppi"))
    assert np.abs(first.crude_pi - second.crude_pi).max() > 1e-3
    assert np.abs(np.diag(first.crude_covariance) / np.diag(second.crude_covariance) - 1).max() > 0.01


@cache
def many() -> ComposeInput:
    """Return 60,000 people of whom nearly half are validated, enough to show that errors do not differ by disease."""
    one = Setting(name="many", auc=0.9, validated=0.45, prevalence=0.25)
    given = compose_input(simulate_cells(one, 60_000, 8).cells, bands=AgeBands((20, 60)), design="random")
    return replace(given, arrays=given.arrays.chosen(given.arrays.n_eyes > 0))


def test_regression_calibration_of_every_band_is_that_of_its_rows() -> None:
    """E6's difference in each band equals the slope of the plain function on that band's rows, and its error nearly."""
    given = many()
    arrays = given.arrays
    one = ESTIMATORS["E6"](given)
    assert one.state == "assumption"
    rows = [row for row in one.contrast("difference").rows if row["age_low"] is not None]
    for band, row in enumerate(rows):
        here = arrays.group // 2 == band
        known = np.where(arrays.validated[here], arrays.male[here].astype(float), np.nan)
        told = regression_calibration(
            sex_disease_rows(arrays.logit[here], arrays.diseased[here], known, counts=arrays.n[here]),
            assume_nondifferential=True,
        )
        assert row["point"] == pytest.approx(told.point, rel=1e-9)
        assert row["se"] == pytest.approx(told.se, rel=0.01)


def test_every_patient_moves_a_calibrated_share_as_the_influence_says() -> None:
    """Numerical derivatives: a little more of any row of patients moves E6's shares by weight times influence."""
    given = many()
    arrays = given.arrays
    shares = calibrated_shares(arrays)[0]
    assert shares is not None
    rng = np.random.default_rng(1)
    for row in rng.choice(np.flatnonzero(arrays.n > 0), 12, replace=False):
        step = 1e-3 * arrays.n.size
        more = np.zeros(arrays.n.size)
        more[row] = step
        grown = replace(
            arrays,
            w=arrays.w + more,
            w_over_r=arrays.w_over_r + more * arrays.validated * arrays.w_over_r / arrays.n,
        )
        moved = calibrated_shares(grown)[0]
        assert moved is not None
        own_counts = expected_shift(arrays, shares.own, row)
        expected = step * (own_counts + shares.learned[row] * arrays.w_over_r[row] / arrays.n[row])
        np.testing.assert_allclose(moved.pi - shares.pi, expected, atol=3e-2 * np.abs(expected).max() + 1e-9)


def expected_shift(arrays: CellArrays, own: np.ndarray, row: int) -> np.ndarray:
    """Return the own influence of a row with what its cell's count adds, found by growing the whole cell."""
    cell = arrays.group == arrays.group[row]
    step = 1e-4
    whole = calibrated_shares(replace(arrays, w=arrays.w * (1 + step * cell)))[0]
    base = calibrated_shares(arrays)[0]
    assert whole is not None and base is not None
    return np.asarray(own[row] + (whole.pi - base.pi) / (step * arrays.w[cell].sum()))


def test_simex_of_one_band_is_that_of_its_table() -> None:
    """The odds ratio of the check equals MC-SIMEX of the table with the same seed, in an external design, to 1e-9."""
    given = outside()
    labelled, arrays = given.labelled, given.arrays
    right = [accuracy(labelled, labelled.diseased == d) for d in (0, 1)]
    told = mc_simex(
        arrays.total(arrays.n * arrays.predicted_male)[0],
        arrays.n_patients[0],
        sensitivity=[one.sensitivity for one in right],
        specificity=[one.specificity for one in right],
        seed=given.seed,
    )
    one = ESTIMATORS["simex"](given)
    pi = one.pi[0]
    assert pi[1] * (1 - pi[0]) / (pi[0] * (1 - pi[1])) == pytest.approx(told.point, rel=1e-9)
    assert one.state == "check"
    assert "under-corrects" in one.warnings[0]


def test_simex_falls_short_of_the_matrix_method() -> None:
    """With a weak score the check corrects the ratio part of the way only, and says that it does."""
    given = compose_input(simulate_cells("weak", 200_000, 2).cells, bands=ALL, design="random")
    ratios = [
        float(ESTIMATORS[name](given).contrast("ratio").rows[0]["point"])
        for name in ("naive_threshold", "simex", "matrix")
    ]
    assert ratios[0] < ratios[1] < ratios[2]


def refusals(given: ComposeInput, names: tuple[str, ...] = NEW) -> dict[str, str]:
    """Return what each method that refuses says."""
    made = {name: ESTIMATORS[name](given) for name in names}
    return {name: one.why for name, one in made.items() if one.state == "refused"}


def test_without_labelled_people_every_method_refuses() -> None:
    """Design none: no correction can be defended, by whatever name it is asked for."""
    told = refusals(replace(worked_input(), design=ValidationDesign.none))
    assert set(told) == set(NEW)
    assert all("nobody's recorded sex is known" in why for why in told.values())


def test_an_external_design_allows_no_transported_calibration() -> None:
    """External: calibration and PPI are refused by name, errors by sex and disease may be carried over."""
    told = refusals(outside())
    assert set(told) == {"E6", "ppi"}
    assert all("from another source" in why for why in told.values())
    nobody = refusals(replace(outside(), external=None))
    assert set(nobody) == set(NEW)


def test_recording_that_depends_on_sex_allows_only_what_is_learned_given_sex() -> None:
    """E6 and PPI are refused where recording may depend on sex; the others' errors are learned given sex."""
    given = replace(inside(), design=ValidationDesign.may_depend_on_sex)
    assert set(refusals(given)) == {"E6", "ppi"}


def test_errors_by_disease_cannot_be_learned_from_people_not_looked_at() -> None:
    """An external cohort without the disease teaches one accuracy for all, and nothing by disease."""
    told = refusals(replace(outside(), external_has_disease=False))
    assert set(told) == set(NEW) - {"matrix_pooled"}
    assert "not looked at for this disease" in told["matrix"]


def test_unweighted_ppi_is_refused_where_recording_varies() -> None:
    """Known probabilities that vary, a modelled one, or unequal weights: E1 is named instead."""
    drawn = simulate_cells("everything", 20_000, 4)
    varied = compose_input(drawn.cells, bands=ALL, design="known_probability")
    assert "the probability of being recorded varies from" in refusals(varied, ("ppi",))["ppi"]
    modelled = replace(inside(), design=ValidationDesign.modelled)
    assert "is modelled" in refusals(modelled, ("ppi",))["ppi"]
    arrays = inside().arrays
    heavy = replace(inside(), arrays=replace(arrays, w=2 * arrays.w, w_over_r=2 * arrays.w_over_r))
    assert "is unweighted" in refusals(heavy, ("ppi",))["ppi"]
    same = replace(inside(), design=ValidationDesign.known_probability)
    assert not refusals(same, ("ppi",))


def test_where_transport_fails_nothing_is_carried_over() -> None:
    """A camera that sees the disease there and not here: matrix, PACC and EMQ are refused, as E4 is."""
    drawn = simulate_cells("external_broken", None, 4)
    given = compose_input(drawn.cells, bands=ALL, design="external", external=drawn.external)
    told = refusals(given, LABELLED)
    assert set(told) == set(LABELLED)
    assert all("transport test p < 0.001" in why for why in told.values())


def test_e6_says_what_was_measured() -> None:
    """1,000 validated patients do not show it: the refusal of E6, and of E5, names both intervals."""
    told = refusals(inside(), ("E5", "E6"))
    assert told["E5"] == told["E6"]
    assert "SD in men and" in told["E6"] and "do not both lie within 0.1 SD of 0" in told["E6"]


def test_a_class_that_says_nothing_is_refused() -> None:
    """Everybody's score alike, or drawn at random: nothing to divide by, and no number."""
    arrays = worked_arrays()
    shuffled = replace(arrays, predicted_male=np.ones_like(arrays.predicted_male))
    told = refusals(replace(worked_input(), arrays=shuffled), LABELLED)
    assert set(told) == set(LABELLED)
    assert all("hardly tells the sexes apart" in why for why in told.values())


def few_labelled() -> ComposeInput:
    """Return the worked example in which only nine men and fifty women are labelled among the young diseased."""
    arrays = worked_arrays()
    rows = arrays.validated & (arrays.group == 1) & arrays.male
    n = np.where(rows, np.rint(arrays.n * 9 / arrays.n[rows].sum()), arrays.n)
    scale = n / arrays.n
    changed = {name: getattr(arrays, name) * scale for name in ("w", "w2", "w_over_r", "w2_over_r", "w2_over_r2")}
    return replace(worked_input(), arrays=replace(arrays, n=n, **changed))


def test_thin_cells_learn_from_their_neighbours_and_say_so() -> None:
    """Fewer than ten labelled men in a cell: sensitivity is that of both bands, and the report says it."""
    given = few_labelled()
    called = given.arrays.predicted_male.astype(float)
    means = labelled_means(given.arrays, called, by_disease=True, level=0.95)
    assert means.window[1].tolist() == [False, True, False, True]
    assert means.window[3].tolist() == [False, False, False, True]
    one = ESTIMATORS["matrix"](given)
    assert "learned from neighbouring bands too" in one.warnings[0]
    assert "band 40-59" in one.warnings[0]


def out_of_range() -> tuple[ComposeInput, float]:
    """Return the example in which all the young diseased without recorded sex are called men."""
    arrays = worked_arrays()
    young = ~arrays.validated & (arrays.group == 1)
    called = arrays.predicted_male | young
    given = replace(worked_input(), arrays=replace(arrays, predicted_male=called))
    total = float(arrays.n[young].sum())
    return given, total


def test_a_share_outside_its_range_is_pooled_not_clipped() -> None:
    """All called men would be 133 % men: the share of both bands together is taken, with its own wide variance."""
    given, hidden = out_of_range()
    one = ESTIMATORS["matrix"](given)
    alone = ESTIMATORS["matrix"](worked_input())
    share = (50 + hidden * 0.8 / 0.6 + 50 + hidden * 2 / 3) / 300
    assert one.pi[:, 1] == pytest.approx([share, 2 / 3], rel=1e-9)
    assert one.covariance[1, 1] > 0.2 * alone.covariance[1, 1]
    assert "outside 0 to 1" in one.warnings[-1]
    assert one.crude_pi[1] == pytest.approx(share, rel=1e-9)


def test_a_share_of_all_ages_outside_its_range_is_refused() -> None:
    """Everybody with the disease called a man: more men than people, so that no number is given."""
    arrays = worked_arrays()
    called = arrays.predicted_male | (~arrays.validated & (arrays.diseased == 1))
    told = refusals(replace(worked_input(), arrays=replace(arrays, predicted_male=called)), ("matrix",))
    assert "does not lie within 0 to 1" in told["matrix"]


def test_errors_that_nobody_made_have_a_variance() -> None:
    """Fifty labelled men all called men: sensitivity 1 is as uncertain as if one of fifty-two were not."""
    arrays = worked_arrays()
    right = arrays.predicted_male | (arrays.validated & arrays.male)
    given = replace(worked_input(), arrays=replace(arrays, predicted_male=right))
    called = right.astype(float)
    means = labelled_means(arrays, called, by_disease=True, level=0.95)
    assert means.steady[0].all() and not means.steady[1].any()
    one = ESTIMATORS["matrix"](given)
    q = float(arrays.n @ (right & ~arrays.validated & (arrays.group == 1))) / 75
    share = (q - 0.2) / 0.8
    seen = 0.5**2 * (q * (1 - q) / 75 + (1 - share) ** 2 * 0.16 / 25) / 0.8**2
    pi = one.pi[0, 1]
    own = (50 * (1 - pi) ** 2 + 25 * pi**2 + 75 * (share - pi) ** 2) / 150**2
    unseen = 0.5**2 * share**2 * 51 / 52**3
    assert one.covariance[1, 1] == pytest.approx(seen + own + unseen, rel=1e-9)


@pytest.mark.parametrize("method", ["matrix", "pacc", "ppi"])
def test_the_very_cohort_has_less_to_be_uncertain_of(method: str) -> None:
    """Target cohort: the variance falls by the people's own sexes, share (1 - share) over their number."""
    given = inside()
    whole, very = (ESTIMATORS[method](one) for one in (given, replace(given, target=Target.cohort)))
    pi, n = whole.pi[0], whole.n[0]
    np.testing.assert_allclose(whole.pi, very.pi, rtol=1e-12)
    less = np.diag(whole.covariance) - np.diag(very.covariance)
    np.testing.assert_allclose(less, pi * (1 - pi) / n, rtol=0.06)


def test_pacc_and_emq_part_where_label_shift_fails() -> None:
    """Labelled scores blurred by half: the two differ by more than chance, and both compositions say so."""
    given = outside()
    assert given.external is not None
    there = given.external
    blurred = replace(
        there,
        logit=there.logit / 2.2,
        mean_prob_male=expit(np.log(there.mean_prob_male / (1 - there.mean_prob_male)) / 2.2),
    )
    made: list[Composition] = []
    for method in (_pacc, _emq):  # past the transport test, which refuses these scores before
        made.append(method(replace(given, external=blurred)))
        assert any("label shift fails" in warning for warning in made[-1].warnings)
        assert made[-1].diagnostics["pacc_emq_p_value"] < 0.05
    assert ESTIMATORS["pacc"](replace(given, external=blurred)).state == "refused"
    fine = ESTIMATORS["pacc"](given)
    assert fine.diagnostics["pacc_emq_p_value"] > 0.05
    assert not any("label shift fails" in warning for warning in fine.warnings)


def test_units_widen_what_labelled_people_taught() -> None:
    """Patients drawn in fifty units whose people are of one sex: the matrix method's interval counts units."""
    given = inside()
    arrays = given.arrays
    rng = np.random.default_rng(2)
    psu = np.where(arrays.predicted_male, rng.integers(0, 25, arrays.n.size), rng.integers(25, 50, arrays.n.size))
    drawn = replace(given, arrays=replace(arrays, psu=psu))
    alone, units = (ESTIMATORS["matrix"](one) for one in (given, drawn))
    np.testing.assert_allclose(alone.crude_pi, units.crude_pi, rtol=1e-12)
    assert units.diagnostics["sampling_units"] == 50
    assert (np.diag(units.crude_covariance) > 2 * np.diag(alone.crude_covariance)).all()
    assert set(refusals(drawn, ("emq", "ppi", "simex"))) == {"emq", "ppi", "simex"}
