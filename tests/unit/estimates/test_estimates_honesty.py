"""What a number is called, and what interval it has, where few validated patients stand behind it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from sexstrat.estimates import Composition, all_estimates, compose, headline_rows, wilson
from sexstrat.estimates.boundary import boundary_interval
from sexstrat.estimates.cell_arrays import cell_arrays
from sexstrat.estimates.composition import Margin
from sexstrat.estimates.imputation import uninformed_bands
from sexstrat.estimates.recalibration import cross_fitted, design_matrix, recalibrate
from sexstrat.estimates.worked_example import worked_bands, worked_cells
from sexstrat.simulation import simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import ValidationDesign

BANDS = AgeBands((20, 50, 60, 70, 80))
DECADES = AgeBands((20, 30, 40, 50, 60, 70, 80))
WHO = "who_2000_2025"


def standardised(one: Composition, standard: str | dict[int, float]) -> dict[str, object]:
    """Return the row of the standardised ratio."""
    return next(row for row in one.contrast("ratio", standard).rows if row["standard"] != "crude")


def hide_diseased(cells: Cells, keep: int) -> Cells:
    """Return cells in which about ``keep`` diseased patients stay validated."""
    frame = cells.frame.copy()
    rows = frame.index[frame["diseased"].astype(bool) & (frame["recorded_sex"] != "unknown")]
    gone = rows[frame.loc[rows, "n"].cumsum() > keep]
    frame.loc[gone, ["recorded_sex", "fold"]] = ["unknown", None]
    return Cells(frame=frame, edges=cells.edges)


def test_a_standard_that_weighs_thin_bands_is_not_called_corrected() -> None:
    """The WHO standard puts 67 % on bands with fewer than 20 validated cases: E2 answers whole, labelled, with why."""
    cells = simulate_cells("baseline", 20_000, 1).cells
    one = compose(cells, bands=BANDS, design="random")
    thin = [state != "corrected" for state in one.band_state]
    row = standardised(one, WHO)
    assert any(thin) and one.state == "corrected"
    assert (row["estimator"], row["state"]) == ("E2", "model_based")
    assert "of this standard's weight is in bands with too few validated patients" in str(row["note"])
    alone = standardised(compose(cells, bands=BANDS, design="random", method="E2"), WHO)
    assert [row[name] for name in ("point", "low", "high")] == [alone[name] for name in ("point", "low", "high")]


def test_a_standard_on_well_validated_bands_stays_corrected() -> None:
    """The same cohort standardised to ages 60 to 79 rests on E1's own bands alone."""
    one = compose(simulate_cells("baseline", 20_000, 1).cells, bands=BANDS, design="random")
    assert one.band_state[2:4] == ("corrected", "corrected")
    row = standardised(one, {20: 0.0, 60: 6.0, 70: 4.0, 80: 0.0})
    assert (row["estimator"], row["state"]) == ("E1", "corrected")
    assert "too few validated" not in str(row["note"])


def test_explicit_e1_does_not_call_a_standard_on_thin_bands_corrected() -> None:
    """Asked for E1 there is nobody to hand over to: the number stays E1's, model-based, and says why."""
    one = compose(simulate_cells("baseline", 20_000, 1).cells, bands=BANDS, design="random", method="E1")
    row = standardised(one, WHO)
    assert (row["estimator"], row["state"]) == ("E1", "model_based")
    assert "their correction leans on other bands" in str(row["note"])


def test_the_headline_follows_the_standard() -> None:
    """One row answers each question: the crude ratio from E1, the WHO ratio from E2, and the choice names both."""
    cells = simulate_cells("baseline", 20_000, 1).cells
    frame, choices = all_estimates(cells, bands=BANDS, design="random", standards=(WHO,))
    assert choices[0]["standard_estimators"] == {WHO: "E2"}
    head = headline_rows(frame, choices, BANDS)
    ratios = head[(head["measure"] == "prevalence_ratio") & head["age_low"].isna()].set_index("standard")
    assert ratios["estimator"].to_dict() == {"crude": "E1", WHO: "E2"}
    assert ratios["state"].to_dict() == {"crude": "corrected", WHO: "model_based"}


def test_explicit_e1_on_few_cases_is_labelled_and_warns() -> None:
    """Fifteen validated diseased patients: E1 on request gives its number, but never calls it corrected."""
    cells = hide_diseased(simulate_cells("baseline", 20_000, 1).cells, 15)
    one = compose(cells, bands=AgeBands((20,)), design="random", method="E1")
    assert 10 <= one.n_validated[0, 1] <= 19
    assert (one.estimator, one.state, one.band_state) == ("E1", "model_based", ("model_based",))
    assert any("needs at least 20 validated patients with the disease" in warning for warning in one.warnings)
    assert set(one.prevalence("cohort").to_frame()["state"]) == {"model_based"}


def test_a_band_with_ten_to_nineteen_validated_cases_is_not_called_corrected_by_e1() -> None:
    """The rule of 20 holds for each band too, whether auto or E1 was asked for."""
    cells = simulate_cells("baseline", 20_000, 1).cells
    asked, automatic = (compose(cells, bands=BANDS, design="random", method=name) for name in ("E1", "auto"))
    counts = asked.n_validated
    assert ((counts[:, 1] >= 10) & (counts[:, 1] < 20)).any()
    assert asked.band_state == automatic.band_state
    assert [state == "corrected" for state in asked.band_state] == (counts >= 20).all(axis=1).tolist()


def test_a_band_brought_back_by_its_neighbours_is_handed_to_e2() -> None:
    """Many validated, but a corrected share beyond 100 %: what E1 pooled is E2's to report, even with 20 in a cell."""
    cells = worked_cells()
    frame = cells.frame.copy()
    old = frame["age_years"].ge(60) & frame["diseased"].astype(bool)
    frame.loc[old & (frame["recorded_sex"] == "female"), "recorded_sex"] = "male"
    frame.loc[old & frame["recorded_sex"].eq("male"), ["sum_w_over_r", "sum_w2_over_r"]] *= 1.6
    frame.loc[old & frame["recorded_sex"].eq("male"), "sum_w2_over_r2"] *= 1.6**2
    one = compose(Cells(frame=frame, edges=cells.edges), bands=worked_bands(), design="known_probability")
    assert (one.n_validated >= 20).all()
    assert one.band_state == ("corrected", "model_based")
    assert one.band_estimators == ("E1", "E2")


def test_a_band_that_nothing_informs_has_no_number() -> None:
    """Ten cases at 20 to 29, none validated: the ratio would be 64 (0.003 to 1.6 million); it is refused instead."""
    cells = simulate_cells("baseline", 20_000, 1).cells
    for method in ("auto", "E2"):
        one = compose(cells, bands=DECADES, design="random", method=method)
        assert one.n_patients[0, 1] == 10 and one.n_validated[0, 1] == 0
        assert one.band_state[0] == "refused"
        assert any("band 20-29: any share of men would fit" in warning for warning in one.warnings)
        frame = one.contrast("ratio", WHO).to_frame()
        first = frame[frame["age_low"] == 20].iloc[0]
        assert first["state"] == "refused" and "any share of men would fit" in first["note"]
        assert np.isnan(first[["point", "se", "low", "high"]].astype(float)).all()
        assert frame.loc[frame["age_low"] != 20, "point"].notna().all()
        prevalence = one.prevalence().to_frame()
        assert (prevalence.loc[prevalence["age_low"] == 20, "state"] == "refused").all()
        shares = one.male_share().to_frame()
        assert shares["point"].notna().all() and "refused" not in set(shares["state"])


def test_a_band_without_validated_cases_keeps_its_number_where_the_pattern_over_age_informs_it() -> None:
    """Four cases at 20 to 29, none validated, but the model knows the log odds to 0.8: the number stays."""
    one = compose(simulate_cells("baseline", 6_000, 1).cells, bands=DECADES, design="random", method="E2")
    assert one.n_patients[0, 1] == 4 and one.n_validated[0, 1] == 0
    assert one.band_state == ("model_based",) * 7
    assert 0.8 < one.contrast("ratio").to_frame().loc[1, "se"] < 1.5


def test_the_limit_of_information_is_the_uniform_distribution() -> None:
    """Log odds of a uniform share have SD 1.8138: one half with SE .453 is known better, with .454 it is not."""
    one = np.ones((1, 2))
    fields = {"n": one, "n_variance": one, "n_patients": one, "n_validated": one, "effective_validated": one}
    for se, expected in ((0.453, False), (0.454, True)):
        between = np.diag([0.0, se**2])
        margin = Margin(**fields, pi=one / 2, covariance=between, between=between)
        assert uninformed_bands(margin).tolist() == [expected]


def boundary(n: tuple[float, float], **fields: object) -> Margin:
    """Return one band with given people (well, diseased), a tenth of them validated unless said otherwise."""
    people = np.array([n])
    given = {"n_variance": people, "n_patients": people, "n_validated": people / 10, "effective_validated": people / 10}
    return Margin(**{**given, "n": people, "pi": np.array([[0.5, 1.0]]), "covariance": np.zeros((2, 2)), **fields})


@pytest.mark.parametrize("sampled", [True, False])
def test_all_cases_estimated_men_rests_on_the_validated(sampled: bool) -> None:
    """Of 300 cases 30 are validated, all men: up to z^2/(30 + z^2) = 11.4 % of the 300 may be women, whoever is meant.

    Wilson at the cohort's number of women, 2,000, would end at 0.19 %; the truth may be 1.7 %.
    """
    margin = boundary((4_000, 300), sampled=sampled)
    low, high = boundary_interval(margin, sex="female", value=0.0, weights=np.ones(1), level=0.95)
    hidden = 300 * 3.8415 / (30 + 3.8415)
    assert low == 0
    assert high == pytest.approx(hidden / (hidden + 2_000), rel=1e-4)
    assert wilson(0, 2_000)[1] < high / 8


def test_nobody_told_means_no_interval() -> None:
    """All cases taken as men and none validated: no interval can be given."""
    margin = boundary((4_000, 300), n_validated=np.array([[400.0, 0.0]]))
    assert boundary_interval(margin, sex="female", value=0.0, weights=np.ones(1), level=0.95) is None


def test_a_row_that_nobody_tells_is_refused() -> None:
    """A share of exactly 1 among cases of whom none is validated: no number, not "0, counted in this cohort"."""
    one = compose(worked_cells(), bands=worked_bands(), design="random", method="E2", target="cohort")
    pi, validated = one.pi.copy(), one.n_validated.copy()
    pi[1, 1], validated[1, 1] = 1.0, 0.0
    frame = replace(one, by_band=replace(one.by_band, pi=pi, n_validated=validated)).prevalence().to_frame()
    women = frame[(frame["age_low"] == 60) & (frame["sex"] == "female")].iloc[0]
    assert women["state"] == "refused" and "any share of men would fit" in women["note"]
    assert np.isnan(women[["point", "low", "high"]].astype(float)).all()


def test_no_case_at_all_is_counted_at_the_number_of_people() -> None:
    """Nobody of 1,000 is diseased: Wilson at the 500 women for a population, 0 itself for these very people."""
    limits = [
        boundary_interval(boundary((1_000, 0), sampled=s), sex="female", value=0.0, weights=np.ones(1), level=0.95)
        for s in (True, False)
    ]
    assert limits == [(0.0, pytest.approx(wilson(0, 500)[1])), (0.0, 0.0)]


def test_everybody_ill_is_the_mirror_image() -> None:
    """Prevalence 1 has the interval of prevalence 0 turned round."""
    one = boundary((4_000, 300))
    turned = ("n", "n_variance", "n_patients", "n_validated", "effective_validated")
    ill = replace(one, pi=np.array([[1.0, 0.5]]), **{name: getattr(one, name)[:, ::-1] for name in turned})
    given = {"sex": "female", "weights": np.ones(1), "level": 0.95}
    low, high = boundary_interval(ill, value=1.0, **given)
    assert (1 - high, 1 - low) == pytest.approx(boundary_interval(one, value=0.0, **given))


def test_survey_weights_do_not_narrow_wilson() -> None:
    """A weight of 4 for everybody leaves the interval of a prevalence of 0 where it was (Kish)."""
    cells = worked_cells()
    frame = cells.frame[~((cells.frame["age_years"] == 65) & cells.frame["diseased"].astype(bool))]
    heavy = frame.assign(
        **{
            name: frame[name] * by
            for name, by in {
                "sum_w": 4, "sum_w2": 16, "sum_w_over_r": 4, "sum_w2_over_r": 16, "sum_w2_over_r2": 16,
            }.items()
        }
    )  # fmt: skip
    limits = []
    for one in (frame, heavy):
        made = Cells(frame=one.reset_index(drop=True), edges=cells.edges)
        rows = compose(made, bands=worked_bands(), design="random", method="E1").prevalence().to_frame()
        limits.append(rows.loc[rows["age_low"] == 60, "high"].to_numpy())
    np.testing.assert_allclose(limits[0], limits[1], rtol=1e-6)
    assert (limits[0] > 0).all()


@pytest.mark.parametrize("sex", ["male", "female"])
@pytest.mark.parametrize(("target", "exact"), [("population", False), ("cohort", True)])
def test_a_cohort_of_one_sex_is_of_one_sex(sex: str, target: str, exact: bool) -> None:
    """Everybody recorded and of one sex: that share with Wilson at all patients, or itself for these very people."""
    cells = worked_cells(all_known=True)
    same = Cells(frame=cells.frame.assign(recorded_sex=sex), edges=cells.edges)
    frame = compose(same, bands=worked_bands(), design="random", target=target).male_share().to_frame()
    value = float(sex == "male")
    assert (frame["point"] == value).all()
    for row in frame.itertuples():
        expected = (value, value) if exact else wilson(value * row.n_patients, row.n_patients)
        assert (row.low, row.high) == pytest.approx(expected)
    other = compose(same, bands=worked_bands(), design="random").prevalence().to_frame()
    assert (other.loc[other["sex"] != sex, "state"] == "undefined").all()


@pytest.mark.parametrize("target", ["population", "cohort"])
def test_e1_counts_the_residuals_that_make_its_variance(target: str) -> None:
    """Degrees of freedom 2 v^2 / sum of squared contributions, patient by patient: fewer than were validated."""
    cells = simulate_cells("recording_by_sex", 20_000, 3).cells
    one = compose(cells, bands=BANDS, design="known_probability", method="E1", target=target)
    arrays = cell_arrays(cells, BANDS, ValidationDesign.known_probability)
    p, rows = cross_fitted(arrays), arrays.validated & (arrays.group == 2 * 2 + 1)
    times = arrays.n[rows].astype(int)
    inverse = np.repeat(arrays.w_over_r[rows] / arrays.n[rows], times)
    e = np.repeat(arrays.male[rows] - p[rows], times)
    c = np.repeat(p[rows], times) - one.pi[2, 1]
    added = inverse**2 * e**2 + 2 * inverse * e * c if target == "population" else (inverse**2 - inverse) * e**2
    variance = one.covariance[5, 5] * one.n[2, 1] ** 2
    expected = 2 * variance**2 / np.sum(added**2)
    assert one.by_band.variance_df[2, 1] == pytest.approx(expected, rel=1e-9)
    assert expected < 0.9 * (one.by_band.effective_validated[2, 1] - 1)
    uncertainty = one.by_band.uncertainty(np.eye(10)[5].reshape(5, 2), np.zeros((5, 2)))
    assert uncertainty.df == pytest.approx(expected)


def test_varying_weights_get_the_leave_one_out_sandwich() -> None:
    """The covariance of the imputation model equals Mancl and DeRouen's, written out patient by patient."""
    cells = simulate_cells("recording_by_sex", 20_000, 3).cells
    arrays = cell_arrays(cells, BANDS, ValidationDesign.known_probability)
    model = recalibrate(arrays)
    rows = np.repeat(np.flatnonzero(arrays.validated), arrays.n[arrays.validated].astype(int))
    x = design_matrix(arrays)[0][rows]
    weight = (arrays.w_over_r[rows] - arrays.w[rows]) / arrays.n[rows]  # r is the same for all of a row here
    weight = weight / weight.mean()
    p = expit(x @ model.beta)
    leverage = np.diag(x @ model.inverse_information @ (x * (weight * p * (1 - p))[:, None]).T)
    left_out = x * (weight * (arrays.male[rows] - p) / (1 - leverage))[:, None]
    sd = [10.0 if name == "intercept" else 2.5 for name in model.names]
    meat = left_out.T @ left_out + np.diag(1 / np.square(sd))
    np.testing.assert_allclose(
        model.covariance, model.inverse_information @ meat @ model.inverse_information, rtol=1e-8
    )
    plain = (x * (weight * (arrays.male[rows] - p))[:, None]).T @ (x * (weight * (arrays.male[rows] - p))[:, None])
    narrower = model.inverse_information @ (plain + np.diag(1 / np.square(sd))) @ model.inverse_information
    informed = [name != "no_eye" for name in model.names]  # everybody has a photograph in this setting
    assert (np.diag(model.covariance)[informed] > 1.01 * np.diag(narrower)[informed]).all()


def test_everybody_validated_in_a_cell_leaves_nothing_uncertain() -> None:
    """With every sex of the diseased recorded, all men: nothing is estimated: Wilson at the women's number."""
    margin = boundary((4_000, 300), n_validated=np.array([[400.0, 300.0]]))
    high = boundary_interval(margin, sex="female", value=0.0, weights=np.ones(1), level=0.95)[1]
    assert high == pytest.approx(wilson(0, 2_000)[1])
    weighted = replace(margin, n=margin.n * 4, n_variance=margin.n_variance * 16)
    again = boundary_interval(weighted, sex="female", value=0.0, weights=np.ones(1), level=0.95)[1]
    assert again == pytest.approx(high)
