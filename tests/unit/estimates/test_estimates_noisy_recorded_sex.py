"""Errors of recorded sex: the linear map by hand, its prior, the tipping rate, and duplicates."""

from __future__ import annotations

import numpy as np
import pytest

from sexstrat.errors import EstimationError
from sexstrat.estimates.compose import compose
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.numbers.proportions import wilson
from sexstrat.estimates.sensitivity.beta_prior import beta_prior
from sexstrat.estimates.sensitivity.duplicate_records import disagreement_to_error, duplicate_disagreement
from sexstrat.estimates.sensitivity.duplicate_units import duplicate_units
from sexstrat.estimates.sensitivity.misrecorded_margin import OUTSIDE, RecordingError, misrecorded_margin
from sexstrat.estimates.sensitivity.noisy_recorded_sex import noisy_recorded_sex, recording_error
from sexstrat.estimates.sensitivity.noisy_recorded_sex_prior import noisy_recorded_sex_prior
from sexstrat.estimates.worked_example import worked_bands, worked_cells


def worked(method: str = "auto", target: str = "population", *, all_known: bool = False) -> Composition:
    return compose(
        worked_cells(all_known=all_known), bands=worked_bands(), design="random", method=method, target=target
    )


@pytest.mark.parametrize("method", ["E1", "E2"])
def test_errors_by_sex_map_shares_and_errors_linearly(method: str) -> None:
    """(2/3 - .02) / (1 - .05 - .02), and every standard error over .93."""
    one = worked(method)
    found = misrecorded_margin(one.overall, RecordingError(men=0.05, women=0.02))
    assert found.pi[0, 1] == pytest.approx((one.crude_pi[1] - 0.02) / 0.93)
    gradient, none = np.array([[0.3, 1.0]]), np.zeros((1, 2))
    before, after = (part.uncertainty(gradient, none) for part in (one.overall, found))
    assert after.variance**0.5 == pytest.approx(before.variance**0.5 / 0.93)
    assert after.df == pytest.approx(before.df, rel=1e-6)


def test_no_error_changes_nothing() -> None:
    """Rate 0 leaves every number of the composition."""
    one = worked()
    frame = noisy_recorded_sex(one, rates=[0.0, 0.01]).to_frame()
    first = frame[frame["error_men"] == 0]
    expected = one.contrast("ratio").to_frame().loc[0]
    row = first[first["measure"] == "prevalence_ratio"].iloc[0]
    assert row[["point", "low", "high"]].astype(float).tolist() == pytest.approx(
        expected[["point", "low", "high"]].astype(float).tolist()
    )
    assert set(frame["state"]) == {"bias_analysis"}


def test_the_very_cohort_adds_the_chance_of_its_records() -> None:
    """Everybody recorded, 5 % wrong: {pi e (1 - e) + (1 - pi) e (1 - e)} / N / .9^2 where there was no error at all."""
    one = worked("recorded", "cohort", all_known=True)
    found = misrecorded_margin(one.overall, RecordingError.common(0.05))
    assert np.diag(found.covariance) == pytest.approx(0.05 * 0.95 / np.array([800, 300]) / 0.81)
    row = noisy_recorded_sex(one, rates=[0.0, 0.05]).rows[1][2]
    assert row["low"] < row["point"] < row["high"]


def test_the_rate_at_which_the_conclusion_changes() -> None:
    """Only diseased women recorded as men: a ratio of 5/3 shrinks to 1, and the limit passes 1 before."""
    found = noisy_recorded_sex(worked(), rates=np.linspace(0, 0.4, 41), whose="women", diseased_only=True)
    row = noisy_recorded_sex(worked(), rates=[0.0, found.tipping], whose="women", diseased_only=True).rows[1][2]
    assert row["low"] == pytest.approx(1.0, abs=1e-6)
    at_one = found.found.roots["point"][0]
    assert (2 / 3 - at_one) / (1 - at_one) == pytest.approx(0.5, abs=1e-6)  # as many men as among the well
    assert "comes to include 1" in found.statement


def test_rates_beyond_the_data_are_refused_with_the_reason() -> None:
    """A third of diseased records say female: if 40 % of men's records did, more than all would be men."""
    found = noisy_recorded_sex(worked(), rates=[0.0, 0.2, 0.4], whose="men")
    last = found.rows[2]
    assert {row["state"] for row in last} == {"refused"}
    assert {row["note"] for row in last} == {OUTSIDE}
    assert not any("point" in row for row in last)
    assert "beyond it the shares would leave 0 to 1" in found.statement


def test_a_refused_composition_stays_refused() -> None:
    """No number comes out of a composition that has none, over a grid or under a prior."""
    one = compose(worked_cells(), bands=worked_bands(), design="none")
    assert one.state == "refused"
    found = noisy_recorded_sex(one)
    assert found.state == "refused"
    assert found.statement.startswith("No number")
    assert found.to_frame()["point"].isna().all()
    prior = noisy_recorded_sex_prior(one, beta_prior(mean=0.01, sd=0.005), draws=1000)
    assert prior.state == "refused"
    assert prior.to_frame()["median"].isna().all()


def test_a_narrow_prior_is_the_grid_at_its_rate() -> None:
    """Prior within 1e-5 of 3 %: the simulated limits agree with the interval at 3 %, t and all, within 1 %."""
    one = worked()
    found = noisy_recorded_sex_prior(one, beta_prior(mean=0.03, sd=1e-5), draws=12_000, standardise="cohort")
    for standard in ("crude", "cohort"):
        asked = None if standard == "crude" else standard
        row = noisy_recorded_sex(one, rates=[0.0, 0.03], standardise=asked).rows[1][2]
        simulated = found.measure(standard=standard).row()
        ours = [simulated[name] for name in ("median", "low", "high")]
        np.testing.assert_allclose(ours, [row[name] for name in ("point", "low", "high")], rtol=0.01)


def test_impossible_rates_are_counted() -> None:
    """Men's records wrong in 30 to 40 %: draws above a third are impossible and counted as such."""
    sure = beta_prior(mean=1e-4, sd=1e-5)
    found = noisy_recorded_sex_prior(worked(), beta_prior(mean=0.33, sd=0.02), women=sure, draws=4000)
    one = found.measure()
    assert 0.3 < one.impossible[OUTSIDE] < 0.6
    assert one.share_impossible == pytest.approx(sum(one.impossible.values()))


def test_pairs_by_hand_and_by_wilson() -> None:
    """4 of 200 pairs: e (1 - e) = .01, so e = .010102; limits from Wilson's for .02, larger than the rate's own."""
    groups = np.repeat(np.arange(200), 2).tolist()
    found = duplicate_disagreement(groups, ["male", "female"] * 4 + ["male"] * 392)
    assert found.method == "wilson"
    assert found.error_rate == pytest.approx(0.0101020514)
    assert (found.low, found.high) == pytest.approx(tuple(disagreement_to_error(p) for p in wilson(4, 200)))
    assert 2 * found.high * (1 - found.high) == pytest.approx(wilson(4, 200)[1])


def test_no_disagreement_still_has_an_upper_limit() -> None:
    """Fifty pairs that all agree: rate 0 with an upper limit, never a zero-width interval; larger groups alike."""
    pairs = duplicate_disagreement(np.repeat(np.arange(50), 2).tolist(), ["female"] * 100)
    assert (pairs.error_rate, pairs.low) == (0.0, 0.0)
    assert pairs.high > 0.01
    triples = duplicate_disagreement(np.repeat(np.arange(50), 3).tolist(), ["female"] * 150)
    assert (triples.error_rate, triples.low) == (0.0, 0.0)
    assert 150 * np.log1p(-triples.high) == pytest.approx(-3.841459 / 2, rel=1e-4)  # (1 - e)^150 against 1


def test_pairs_through_the_likelihood_are_the_same() -> None:
    """One agreeing triple beside many pairs hardly moves the rate; what is not usable is counted."""
    groups = [*np.repeat(np.arange(5000), 2).tolist(), 9999, 9999, 9999, 7777, 7778, 7778]
    sexes = [*(["male", "female"] * 100), *(["male"] * 9800), *(["male"] * 3), "male", "male", "unknown"]
    found = duplicate_disagreement(groups, sexes)
    assert found.method == "likelihood"
    assert found.error_rate == pytest.approx(disagreement_to_error(0.02), rel=1e-3)
    assert (found.n_groups, found.n_single, found.n_unusable, found.n_disagreeing) == (5001, 2, 1, 100)


@pytest.mark.parametrize("size", [2, 3])
def test_records_no_better_than_chance_are_refused(size: int) -> None:
    """Half of the pairs disagree, or triples split as coins do: no rate, a reason."""
    male = {2: ["male", "female", "male", "male"], 3: ["male", "female", "male", "female", "female", "male"]}[size]
    groups = np.repeat(np.arange(200), size).tolist()
    found = duplicate_disagreement(groups, male * 100)
    assert found.state == "refused"
    assert found.error_rate is None
    assert "no better than chance" in found.why
    assert found.to_frame()["error_rate"].isna().all()
    assert duplicate_disagreement([1, 2], ["male", "male"]).state == "refused"


def test_units_and_their_design_effect_by_hand() -> None:
    """Units ab, c, d with 1 1 0 0: deviations add to 1, -.5, -.5; 1.5 times 3/2 over 4 x .25 times 4/3."""
    found = duplicate_units(["a", "b", "c", "d"], [("a", "b"), ("d", "elsewhere")])
    assert found.sizes.tolist() == [2, 1, 1]
    assert found.n_unknown == 1
    assert found.design_effect([1, 1, 0, 0]) == pytest.approx(1.5 * 1.5 / (1.0 * 4 / 3))
    assert found.design_effect([1, 1, 1, 1]) is None
    assert found.to_frame()["units"].tolist() == [2, 1]
    apart = duplicate_units(["a", "b", "c", "d"], [])
    assert apart.design_effect([1, 1, 0, 0]) == pytest.approx(1.0)


def test_mistakes_are_named() -> None:
    """Rates that do not rise from 0, records worse than chance, unequal lengths, ids listed twice."""
    with pytest.raises(EstimationError, match="rise from 0"):
        noisy_recorded_sex(worked(), rates=[0.1, 0.2])
    with pytest.raises(EstimationError, match="less than 1"):
        RecordingError.common(0.5)
    with pytest.raises(EstimationError, match="no errors of"):
        recording_error(0.1, "children")
    with pytest.raises(EstimationError, match="for each record"):
        duplicate_disagreement([1, 1], ["male"])
    with pytest.raises(EstimationError, match="between 0 and 1/2"):
        disagreement_to_error(0.6)
    with pytest.raises(EstimationError, match="listed once"):
        duplicate_units(["a", "a"], [])
    with pytest.raises(EstimationError, match="one known value"):
        duplicate_units(["a", "b"], []).design_effect([1.0])
    with pytest.raises(EstimationError, match="at least 1000"):
        noisy_recorded_sex_prior(worked(), beta_prior(mean=0.01, sd=0.005), draws=5)
