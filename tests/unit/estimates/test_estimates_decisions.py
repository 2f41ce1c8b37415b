"""The decision table: which estimator answers, and when none may."""

from __future__ import annotations

import numpy as np
import pytest

from sexstrat.errors import EstimationError
from sexstrat.estimates import compose, truth_composition
from sexstrat.estimates.refusal import validated_auc
from sexstrat.estimates.worked_example import worked_arrays, worked_bands, worked_cells
from sexstrat.simulation import Setting, simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells

BANDS = AgeBands((20, 50, 60, 70, 80))


def hide_diseased(cells: Cells, keep: int) -> Cells:
    """Return cells in which only about ``keep`` diseased patients stay validated."""
    frame = cells.frame.copy()
    rows = frame.index[frame["diseased"].astype(bool) & (frame["recorded_sex"] != "unknown")]
    total = frame.loc[rows, "n"].cumsum()
    gone = rows[total > keep]
    frame.loc[gone, "recorded_sex"] = "unknown"
    frame.loc[gone, "fold"] = None
    return Cells(frame=frame, edges=cells.edges)


def test_twenty_of_each_give_e1() -> None:
    """Enough validated patients: E1, state corrected, and it says why and on what it rests."""
    one = compose(worked_cells(), bands=worked_bands(), design="random")
    assert (one.estimator, one.state, one.fallback) == ("E1", "corrected", None)
    assert one.why and one.assumptions


def test_a_thin_band_is_reported_from_e2() -> None:
    """Fewer than 20 validated in a cell of a band: that band's rows come from E2 and are model-based."""
    one = compose(simulate_cells("baseline", 20_000, 1).cells, bands=BANDS, design="random")
    thin = (one.n_validated < 20).any(axis=1)
    assert thin.any() and not thin.all()
    assert one.band_estimators == tuple("E2" if x else "E1" for x in thin)
    frame = one.contrast("ratio").to_frame()
    bands = frame[frame["age_low"].notna()]
    assert bands["estimator"].tolist() == list(one.band_estimators)
    assert bands["state"].tolist() == ["model_based" if x else "corrected" for x in thin]
    assert frame.loc[0, "estimator"] == "E1"


def test_ten_to_nineteen_diseased_give_shrunk_e2() -> None:
    """Between 10 and 19 validated diseased patients: imputation with a shrunk model, labelled."""
    cells = hide_diseased(simulate_cells("baseline", 20_000, 1).cells, 15)
    one = compose(cells, bands=BANDS, design="random")
    assert 10 <= one.n_validated[:, 1].sum() <= 19
    assert (one.estimator, one.state) == ("E2", "model_based")
    assert one.diagnostics["shrunk"] is True
    assert "shrunk" in " ".join(one.warnings)


def test_few_diseased_in_a_clustered_sample_count_units() -> None:
    """In 40 hospitals with 15 validated diseased shrunk E2 stands in, over 40 units; E3, which cannot, is refused."""
    cells = hide_diseased(simulate_cells("site_clusters", 20_000, 1).cells, 15)
    one = compose(cells, bands=BANDS, design="random")
    assert (one.estimator, one.state) == ("E2", "model_based")
    assert one.diagnostics["sampling_units"] == 40
    assert one.contrast("ratio").to_frame()["df"].max() <= 39
    assert compose(cells, bands=BANDS, design="random", method="E3").state == "refused"


def test_fewer_than_ten_diseased_are_refused_without_a_number() -> None:
    """Nine validated diseased patients: no corrected number anywhere, and the reason names them."""
    cells = hide_diseased(simulate_cells("baseline", 20_000, 1).cells, 9)
    for method in ("auto", "E1", "E2"):
        one = compose(cells, bands=BANDS, design="random", method=method)
        assert one.state == "refused"
        assert "only 9 patients with the disease" in one.why
        frame = one.prevalence("cohort").to_frame()
        assert (frame["state"] == "refused").all()
        assert frame[["point", "se", "low", "high"]].isna().all(axis=None)
        assert frame["n_patients"].notna().all()


@pytest.mark.parametrize("design", ["may_depend_on_sex", "external", "none"])
def test_designs_that_allow_no_correction_are_refused(design: str) -> None:
    """The declared design alone forbids the number; the reason names the design and what would be needed."""
    for method in ("E1", "E2") if design == "may_depend_on_sex" else ("auto", "E1", "E2"):
        one = compose(worked_cells(), bands=worked_bands(), design=design, method=method)
        assert one.state == "refused"
        assert design in one.why
    naive = compose(worked_cells(), bands=worked_bands(), design=design, method="naive_threshold")
    assert naive.state == "naive"


def test_fewer_than_fifty_patients_are_refused() -> None:
    """Forty patients are too few for any correction."""
    frame = worked_cells().frame.copy()
    cells = Cells(
        frame=frame[frame["recorded_sex"].eq("unknown") | (frame["n"] <= 1)].assign(n=1), edges=worked_cells().edges
    )
    patients = int(cells.frame["n"].sum())
    assert patients < 50
    one = compose(cells, bands=worked_bands(), design="random")
    assert one.state == "refused"
    assert f"only {patients} patients" in one.why


def test_swapped_classes_are_refused() -> None:
    """A score that ranks women above men is probably coded the other way round."""
    cells = worked_cells()
    frame = cells.frame.copy()
    frame["logit_bin"] = len(cells.edges) - 2 - frame["logit_bin"]
    one = compose(Cells(frame=frame, edges=cells.edges), bands=worked_bands(), design="random")
    assert one.state == "refused"
    assert "swapped" in one.why and "0.20" in one.why


def test_a_useless_score_warns_and_is_still_corrected() -> None:
    """AUC near one half adds nothing but E1 stays valid: a warning, not a refusal."""
    useless = Setting(name="useless", auc=0.51, validated=0.2)
    for seed in range(40):
        one = compose(simulate_cells(useless, 4_000, seed).cells, bands=AgeBands((20,)), design="random")
        if one.state != "refused":
            break
    assert one.state == "corrected"
    assert any("hardly tells the sexes apart" in warning for warning in one.warnings)


def test_extreme_weights_warn() -> None:
    """One validated patient standing for a thousand is worth a warning."""
    cells = worked_cells()
    frame = cells.frame.copy()
    row = frame.index[frame["recorded_sex"] == "male"][0]
    frame.loc[row, "sum_w_over_r"] *= 500
    frame.loc[row, "sum_w2_over_r2"] *= 500**2
    one = compose(Cells(frame=frame, edges=cells.edges), bands=worked_bands(), design="known_probability", method="E2")
    assert any("extreme weights" in warning for warning in one.warnings)


def test_everybody_recorded_is_counted() -> None:
    """Nothing to impute: estimator recorded; for the very cohort no interval, for a population the binomial one."""
    cells = worked_cells(all_known=True)
    one = compose(cells, bands=worked_bands(), design="random", target="cohort")
    assert (one.estimator, one.state) == ("recorded", "recorded")
    frame = one.contrast("ratio").to_frame()
    assert frame["se"].isna().all()
    assert frame["note"].str.contains("counted, not estimated").all()
    sample = compose(cells, bands=worked_bands(), design="random").contrast("ratio").to_frame()
    expected = np.sqrt(1 / 200 - 1 / 600 + 1 / 100 - 1 / 500)
    assert sample.loc[0, "se"] == pytest.approx(expected)


def test_truth_needs_everybody() -> None:
    """The truth of cells with unknown sexes is an error, not a guess."""
    with pytest.raises(EstimationError, match="recorded sex"):
        truth_composition(worked_cells(), bands=worked_bands())
    one = truth_composition(worked_cells(all_known=True), bands=worked_bands())
    assert one.contrast("ratio").to_frame().loc[0, "state"] == "truth"


def test_a_wrong_imputation_model_is_noticed() -> None:
    """A male excess among the diseased at 60 to 69 alone fits no smooth imputation model: E1 and E2 part, and say so.

    Without the bump the two agree.
    """
    cells = simulate_cells(Setting(name="plain", auc=0.75, validated=0.3, prevalence=0.3), 20_000, 3).cells
    frame = cells.frame.copy()
    bump = frame["diseased"].astype(bool) & frame["age_years"].between(60, 69) & (frame["recorded_sex"] == "female")
    frame.loc[bump, "recorded_sex"] = np.where(frame.index[bump] % 3 > 0, "male", "female")
    plain = compose(cells, bands=BANDS, design="random")
    bumped = compose(Cells(frame=frame, edges=cells.edges), bands=BANDS, design="random")
    assert not any("E1 and E2 differ" in warning for warning in plain.warnings)
    assert any("E1 and E2 differ" in warning for warning in bumped.warnings)
    assert bumped.diagnostics["e1_e2_difference_in_se"] > 4


def test_auc_counts_ties_half() -> None:
    """Two score values only: .8 x .8 + half of the ties = 0.8."""
    assert validated_auc(worked_arrays()) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "E9"}, "no estimator 'E9'"),
        ({"level": 1.2}, "level must lie between"),
    ],
)
def test_mistakes_are_named(arguments: dict[str, object], message: str) -> None:
    """A wrong method or level says what is allowed."""
    with pytest.raises(EstimationError, match=message):
        compose(worked_cells(), bands=worked_bands(), design="random", **arguments)


def test_an_unknown_condition_lists_those_there_are() -> None:
    """A condition without cells is a KeyError that names the others."""
    with pytest.raises(KeyError, match="disease"):
        compose(worked_cells(), condition="glaucoma", bands=worked_bands(), design="random")
