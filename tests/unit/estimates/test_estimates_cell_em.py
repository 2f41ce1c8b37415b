"""E4, E5 and the estimated recording probability: what they solve, what they refuse, and how they are chosen."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from sexstrat.errors import EstimationError
from sexstrat.estimates import ComposeInput, compose
from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.cell_em import shares_with_influence
from sexstrat.estimates.class_likelihood import validation_tables
from sexstrat.estimates.compose import compose_input
from sexstrat.estimates.likelihood_ratio import likelihood_ratio
from sexstrat.estimates.mixture import mixture_shares
from sexstrat.estimates.numbers.validation_table import closed_form_shares, validation_table
from sexstrat.estimates.recording_model import recording_probability, with_estimated_recording
from sexstrat.estimates.refusal import labelled_refusal, youden
from sexstrat.estimates.worked_example import worked_arrays, worked_bands, worked_cells, worked_input
from sexstrat.simulation import setting, simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import ValidationDesign

BANDS = AgeBands((20, 50, 60, 70, 80))


def em_iteration(log_ratio: np.ndarray, weight: np.ndarray, steps: int) -> float:
    """Return the share of men by the EM iteration itself."""
    pi, ratio = 0.5, np.exp(log_ratio)
    for _ in range(steps):
        pi = float(np.average(pi * ratio / (pi * ratio + 1 - pi), weights=weight))
    return pi


def test_the_mixture_share_is_the_limit_of_em() -> None:
    """Newton's solution equals two thousand EM steps, in every group, weights and all."""
    rng = np.random.default_rng(5)
    log_ratio, weight = rng.normal(0.3, 1.5, 60), rng.integers(1, 9, 60).astype(float)
    group = np.repeat([0, 2, 3], 20)
    found = mixture_shares(log_ratio, weight, group, 4)
    for one in (0, 2, 3):
        rows = group == one
        assert found.pi[one] == pytest.approx(em_iteration(log_ratio[rows], weight[rows], 2_000), abs=1e-8)
    assert np.isnan(found.pi[1])


def test_scores_of_one_sex_alone_lie_on_the_border() -> None:
    """Where every score speaks for men, the likelihood rises to 1: no number strictly inside."""
    found = mixture_shares(np.array([1.0, 2.0, -1.0, -2.0]), np.ones(4), np.array([0, 0, 1, 1]), 2)
    assert found.pi.tolist() == [1.0, 0.0]


def hidden(arrays: CellArrays) -> CellArrays:
    """Return the same people with nobody's sex known."""
    nobody = np.zeros(arrays.n.size, dtype=bool)
    zero = np.zeros(arrays.n.size)
    return dataclasses.replace(
        arrays, validated=nobody, male=nobody, w_over_r=zero, w2_over_r=zero, w2_over_r2=zero,
        fold=np.full(arrays.n.size, -1),
    )  # fmt: skip


def shifted(arrays: CellArrays, row: int, people: float) -> CellArrays:
    """Return the cells with a little more of one row's people."""
    more = arrays.n.copy()
    more[row] += people
    return dataclasses.replace(arrays, n=more, w=more, w2=more)


def test_influence_of_the_cohort_is_the_derivative() -> None:
    """Adding a thousandth of a patient to a row moves the shares as its influence says."""
    labelled = worked_arrays()
    cohort, ratio = hidden(labelled), likelihood_ratio(labelled)
    base = shares_with_influence(cohort, labelled, ratio)
    for row in range(cohort.n.size):
        moved = shares_with_influence(shifted(cohort, row, 1e-3), labelled, ratio)
        assert (moved.pi - base.pi) / 1e-3 == pytest.approx(base.own[row], abs=2e-6)


def test_influence_of_the_labelled_is_the_derivative() -> None:
    """A labelled patient more moves the shares as told, up to the stretch of leave-one-out residuals."""
    labelled = worked_arrays()
    cohort, ratio = hidden(labelled), likelihood_ratio(labelled)
    base = shares_with_influence(cohort, labelled, ratio)
    for row in np.flatnonzero(labelled.validated):
        moved = shares_with_influence(cohort, labelled, likelihood_ratio(shifted(labelled, row, 1e-3)))
        assert (moved.pi - base.pi) / 1e-3 == pytest.approx(base.learned[row], rel=0.06, abs=2e-5)


def test_nothing_is_lost_when_all_are_recorded() -> None:
    """With everybody's sex known the mixture has nobody to look for: the recorded shares come out."""
    arrays = worked_input().arrays
    known = cell_arrays_known()
    found = shares_with_influence(known, arrays, likelihood_ratio(arrays))
    assert found.pi == pytest.approx([0.5, 2 / 3, 0.5, 2 / 3])
    assert found.realised == pytest.approx(np.zeros(4))
    assert found.solved.all()


def cell_arrays_known() -> CellArrays:
    from sexstrat.estimates.cell_arrays import cell_arrays

    return cell_arrays(worked_cells(all_known=True), worked_bands(), ValidationDesign.random)


@pytest.mark.parametrize(
    ("design", "estimator", "state"),
    [("modelled", "E1", "corrected"), ("may_depend_on_sex", "E4", "assumption")],
)
def test_the_declared_design_chooses(design: str, estimator: str, state: str) -> None:
    """Recording modelled: E1 with estimated weights. Recording that may depend on sex: E4, never called corrected.

    The score of the worked example has two values, so that transport cannot be tested and E4 rests on assumption.
    """
    one = compose(worked_cells(), bands=worked_bands(), design=design)
    assert (one.estimator, one.state) == (estimator, state)
    assert one.crude_pi == pytest.approx([0.5, 2 / 3], abs=0.01)
    assert one.assumptions and one.why


def test_an_external_cohort_gives_e4_or_e5() -> None:
    """External people looked at for the disease give E4; those who were not give E5 with its assumption as state."""
    cohort = hide_all(worked_cells())
    labelled = worked_cells(all_known=True)
    four = compose(cohort, bands=worked_bands(), design="external", external=labelled)
    assert (four.estimator, four.state) == ("E4", "assumption")
    assert four.crude_pi == pytest.approx([0.5, 2 / 3], abs=0.01)
    frame = labelled.frame.assign(condition="nothing", diseased=False)
    five = compose(cohort, bands=worked_bands(), design="external", external=Cells(frame=frame, edges=labelled.edges))
    assert (five.estimator, five.state) == ("E5", "assumption")
    assert any("does not depend on the disease" in text for text in five.assumptions)


@pytest.mark.parametrize("name", ["recording_by_sex_unknown", "external"])
def test_a_score_that_can_be_tested_gives_a_model_based_answer(name: str) -> None:
    """With many score values transport is tested; where it holds E4 answers near the truth and says the p-value."""
    both = simulate_cells(name, 20_000, 4)
    one = compose(both.cells, bands=BANDS, design=setting(name).design, external=both.external)
    assert (one.estimator, one.state) == ("E4", "model_based")
    assert 0.05 < one.diagnostics["transport_p_value"] <= 1
    row = one.contrast("ratio").rows[0]
    assert row["low"] < 1.404 < row["high"]
    assert row["state"] == "model_based"


def test_broken_transport_gives_no_number() -> None:
    """A score that is worse here than where it was learned is refused, and the reason is the test."""
    both = simulate_cells("external_broken", 20_000, 4)
    one = compose(both.cells, bands=BANDS, design="external", external=both.external)
    assert one.state == "refused"
    assert "transport test" in one.why
    assert one.diagnostics["transport_p_value"] < 0.05
    assert one.contrast("ratio", "cohort").to_frame()[["point", "low", "high"]].isna().all(axis=None)


def hide_all(cells: Cells) -> Cells:
    frame = cells.frame.assign(recorded_sex="unknown", fold=None)
    return Cells(frame=frame, edges=cells.edges)


def test_external_people_without_an_external_design_are_a_mistake() -> None:
    """Two sources of known sex and a design that names one: the user must say which."""
    with pytest.raises(EstimationError, match="declare external"):
        compose(worked_cells(), bands=worked_bands(), design="random", external=worked_cells(all_known=True))


def test_few_labelled_men_or_women_are_refused() -> None:
    """Nine labelled diseased women teach nothing; the reason counts them."""
    external = worked_cells(all_known=True).frame.copy()
    women = external["diseased"].astype(bool) & (external["recorded_sex"] == "female")
    external.loc[women, "n"] = 0
    external.loc[external.index[women][0], "n"] = 9
    cells = Cells(frame=external, edges=worked_cells().edges)
    one = compose(hide_all(worked_cells()), bands=worked_bands(), design="external", external=cells)
    assert one.state == "refused"
    assert "only 9 women with the disease" in one.why
    missing = compose(hide_all(worked_cells()), bands=worked_bands(), design="external")
    assert missing.state == "refused" and "external" in missing.why


def test_a_score_that_does_not_separate_is_refused() -> None:
    """Sensitivity + specificity - 1 near 0 leaves a mixture nothing to hold on to."""
    given = worked_input()
    arrays = given.arrays
    blind = dataclasses.replace(arrays, predicted_male=np.ones_like(arrays.predicted_male))
    assert youden(blind) == 0
    reason = labelled_refusal(dataclasses.replace(given, arrays=blind))
    assert reason is not None and "hardly tells the sexes apart" in reason


def test_relabelling_mirrors_e4() -> None:
    """Men called women and scores turned round: every share becomes one minus itself, with the same covariance."""
    given = worked_input()
    arrays = given.arrays
    turned = dataclasses.replace(
        arrays, male=arrays.validated & ~arrays.male, logit=-arrays.logit, predicted_male=~arrays.predicted_male
    )
    one, other = (e4(dataclasses.replace(given, arrays=cells)) for cells in (arrays, turned))
    assert other.pi == pytest.approx(1 - one.pi, abs=1e-9)
    assert other.covariance == pytest.approx(one.covariance, rel=1e-6, abs=1e-12)


def e4(given: ComposeInput) -> object:
    from sexstrat.estimates.cell_em import cell_em

    return cell_em(given, given.arrays, why="a test")


def test_estimated_recording_follows_age_and_disease() -> None:
    """Where the diseased and the young are recorded more often, the fitted probability is the true one."""
    both = simulate_cells(setting("recording_by_age_disease_score"), 40_000, 2)
    from sexstrat.estimates.cell_arrays import cell_arrays

    arrays = cell_arrays(both.cells, BANDS, ValidationDesign.known_probability)
    fitted = recording_probability(arrays)
    rows = arrays.validated
    true = arrays.n[rows] / arrays.w_over_r[rows]
    assert np.average(np.abs(np.log(fitted[rows] / true)), weights=arrays.n[rows]) < 0.12
    again = with_estimated_recording(arrays)
    assert again.w_over_r.sum() == pytest.approx(arrays.n.sum(), rel=0.02)


def test_nobody_or_everybody_recorded_cannot_be_modelled() -> None:
    """Without both kinds of people there is no probability of being recorded."""
    with pytest.raises(EstimationError, match="everybody's sex is recorded"):
        recording_probability(cell_arrays_known())
    with pytest.raises(EstimationError, match="nobody's sex is recorded"):
        recording_probability(hidden(worked_arrays()))


def crude_variance(arrays: CellArrays, d: int) -> float:
    """Return the variance of a share of men of all ages, people counted one by one: sum w^2 (S - pi)^2 / N^2."""
    rows = arrays.diseased == d
    w, w2, male = arrays.w[rows], arrays.w2[rows], arrays.male[rows]
    pi = w @ male / w.sum()
    return float(w2 @ (male - pi) ** 2 / w.sum() ** 2)


@pytest.mark.parametrize("weighted", [False, True])
def test_all_ages_vary_with_the_ages_of_the_sample_and_with_unequal_weights(weighted: bool) -> None:
    """Known sexes, 90 % men at 40 and 10 % at 60: the share of all ages has the variance of one of all people.

    Taking the ages of the sample as given would leave out most of it; a row whose people weigh 1 and 3 counts 1 + 9.
    """
    cells = worked_cells(all_known=True)
    frame = cells.frame.copy()
    share = np.where((frame["age_years"] < 60) == (frame["recorded_sex"] == "male"), 1.8, 0.2)
    for name in ("n", "sum_w", "sum_w2"):
        frame[name] = (frame[name] * 5 * share).round().astype(frame[name].dtype)
    if weighted:
        frame["sum_w"], frame["sum_w2"] = frame["n"] * 2.0, frame["n"] * 5.0
    known = dataclasses.replace(cells, frame=frame)
    one = compose(known, bands=worked_bands(), design="may_depend_on_sex", method="E4")
    from sexstrat.estimates.cell_arrays import cell_arrays

    arrays = cell_arrays(known, worked_bands(), ValidationDesign.random)
    for d in (0, 1):
        assert one.crude_covariance[d, d] == pytest.approx(crude_variance(arrays, d), rel=1e-9)
        fixed_ages = np.sum((one.n[:, d] / one.n[:, d].sum()) ** 2 * np.diag(one.covariance)[d::2])
        assert one.crude_covariance[d, d] > 2 * fixed_ages


def test_likelihood_on_class_is_its_closed_form() -> None:
    """E3 by band: q P + (1 - q)(1 - N), with q the share called men and P, N the predictive values of the validated."""
    cells = simulate_cells("error_by_disease", 30_000, 6).cells
    one = compose(cells, bands=AgeBands((20, 60)), design="random", method="E3")
    arrays = compose_input(cells, bands=AgeBands((20, 60)), design="random").arrays
    main, validation = validation_tables(arrays)
    for band in range(2):
        shares, variances = closed_form_shares(validation_table(main[band], validation[band]))
        assert one.pi[band] == pytest.approx(shares, abs=1e-7)
        assert np.diag(one.covariance)[2 * band : 2 * band + 2] == pytest.approx(variances, rel=1e-3)
    assert one.diagnostics["differential_error_p_value"] < 0.01
    assert main.sum() + validation.sum() == arrays.n.sum()
    weighted = compose(worked_cells(), bands=worked_bands(), design="modelled", method="E3")
    assert weighted.state == "refused" and "simple random" in weighted.why
