"""Tipping points: where the interval reaches 1, by hand on the worked example, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from sexstrat.errors import EstimationError
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.recalibration import recalibrate
from sexstrat.estimates.sensitivity.crossing import crossings, grid_of
from sexstrat.estimates.sensitivity.delta_adjustment import delta_adjusted
from sexstrat.estimates.sensitivity.score_logit_shift import ScoreModel, shifted_composition
from sexstrat.estimates.sensitivity.tipping_point import tipping_point_of_recording, tipping_point_of_score
from sexstrat.estimates.worked_example import worked_input
from sexstrat.values.design import Target, ValidationDesign


def designed(design: ValidationDesign) -> ComposeInput:
    return replace(worked_input(), design=design)


def crude_ratio(pi: np.ndarray) -> float:
    """Return the prevalence ratio of 800 well and 300 diseased with these shares of men."""
    well, ill = 800 * pi[0], 300 * pi[1]
    return float((ill / (well + ill)) / ((300 - ill) / (1100 - well - ill)))


def test_the_weighted_shift_is_the_mean_of_shifted_probabilities() -> None:
    """180 of 300 diseased score near .8 and 120 near .2; logits 1.35 and -1.35, the middles of their bins."""
    pi = shifted_composition(worked_input(), 0.5, estimator="weighted").crude_pi
    assert pi[0] == pytest.approx(0.5, abs=1e-9)
    assert pi[1] == pytest.approx(0.6 * expit(1.35 - 0.5) + 0.4 * expit(-1.35 - 0.5), abs=1e-9)


def test_the_em_share_solves_its_equation() -> None:
    """Sum of pi LR / (pi LR + 1 - pi) equals N pi at the share found, whatever the trained share of men."""
    for base in (0.5, 0.6):
        pi = shifted_composition(worked_input(), 0.3, model=ScoreModel(trained_male_share=base)).crude_pi[1]
        high, low = (np.exp(sign * 1.35 - 0.3 - logit(base)) for sign in (1, -1))
        mean = 0.6 * pi * high / (pi * high + 1 - pi) + 0.4 * pi * low / (pi * low + 1 - pi)
        assert mean == pytest.approx(pi, abs=1e-9)


def test_the_em_variance_is_that_of_the_likelihood() -> None:
    """1 / information of the mixture: sum of ((LR - 1) / (1 + pi (LR - 1)))^2; less pi (1 - pi) / N for the cohort."""
    given = worked_input()
    one = shifted_composition(given, 0.0)
    pi = one.crude_pi[1]
    ratio = np.exp([1.35, -1.35])
    information = np.array([180.0, 120.0]) @ ((ratio - 1) / (1 + pi * (ratio - 1))) ** 2
    assert one.overall.covariance[1, 1] == pytest.approx(1 / information, rel=1e-6)
    very = shifted_composition(replace(given, target=Target.cohort), 0.0).overall.covariance[1, 1]
    assert very == pytest.approx(1 / information - pi * (1 - pi) / 300, rel=1e-6)


def test_scores_that_fit_no_share_are_refused() -> None:
    """A shift that makes every diseased patient more likely a man than any share explains gives no number."""
    one = shifted_composition(worked_input(), -5.0)
    assert one.state == "refused"
    row = one.contrast("ratio").rows[0]
    assert row["state"] == "refused"
    assert "point" not in row


def test_the_limit_equals_one_at_the_tipping_point() -> None:
    """At the shift found the lower limit is 1; the ratio itself passes 1 where both shares of men are equal."""
    given = designed(ValidationDesign.none)
    found = tipping_point_of_score(given)
    row = shifted_composition(given, found.tipping).contrast("ratio").rows[0]
    assert row["low"] == pytest.approx(1.0, abs=1e-6)
    at_one = shifted_composition(given, found.found.roots["point"][0])
    assert crude_ratio(at_one.crude_pi) == pytest.approx(1.0, abs=1e-6)
    assert at_one.crude_pi[0] == pytest.approx(at_one.crude_pi[1], abs=1e-6)
    assert "comes to include 1" in found.statement
    frame = found.to_frame()
    assert bool(frame.loc[frame["shift"] == 0, "excludes_one"].iloc[0]) is True
    assert frame.loc[frame["point"].notna(), "point"].is_monotonic_decreasing
    assert set(found.crossings_frame()["curve"]) == {"point", "low", "high"}


def test_a_delta_moves_only_the_unvalidated() -> None:
    """Half of the diseased are validated, 2/3 of them men: the others' imputed odds are multiplied by exp(delta)."""
    given = worked_input()
    model = recalibrate(given.arrays)
    none = delta_adjusted(given, model, well=0.0, diseased=0.0)
    moved = delta_adjusted(given, model, well=0.0, diseased=-0.7)
    rows = ~given.arrays.validated & (given.arrays.diseased == 1)
    q, n = model.probability[rows], given.arrays.n[rows]
    expected = (100 + n @ expit(logit(q) - 0.7)) / 300
    assert moved.crude_pi[1] == pytest.approx(expected, abs=1e-12)
    assert moved.crude_pi[0] == none.crude_pi[0]
    assert moved.state == "bias_analysis"
    assert set(moved.band_state) == {"bias_analysis"}


def test_the_tipping_point_of_recording_puts_a_limit_on_one() -> None:
    """At the shift found the limit is 1, for a shift in the diseased alone; a common one changes less."""
    given = worked_input()
    found = tipping_point_of_recording(given, pattern="diseased")
    row = delta_adjusted(given, recalibrate(given.arrays), well=0.0, diseased=found.tipping).contrast("ratio").rows[0]
    assert min(abs(np.log(row["low"])), abs(np.log(row["high"]))) == pytest.approx(0.0, abs=1e-6)
    common = tipping_point_of_recording(given, pattern="common", standardise="cohort", limit=1.0)
    assert common.tipping is None
    assert "no shift within +-1 makes it include 1" in common.statement
    assert common.standard == "cohort"


def test_what_cannot_be_shifted_is_refused() -> None:
    """No validated patients, too few, everybody recorded: a reason, an empty table, no number."""
    outside = tipping_point_of_recording(designed(ValidationDesign.external))
    assert outside.state == "refused"
    assert "no validated patients of this cohort" in outside.statement
    assert outside.to_frame().empty
    assert outside.tipping is None
    given = worked_input()
    ill = given.arrays.validated & (given.arrays.diseased == 1)
    few = replace(given, arrays=replace(given.arrays, n=np.where(ill, given.arrays.n / 20, given.arrays.n)))
    assert "at least 10 are needed" in tipping_point_of_recording(few).why
    whole = replace(given, arrays=replace(given.arrays, validated=np.ones_like(given.arrays.validated)))
    assert "every patient's sex is recorded" in tipping_point_of_recording(whole).why


def test_recording_that_may_depend_on_sex_is_what_it_is_for() -> None:
    """The design that refuses every corrected number still gets its tipping point, as a bias analysis."""
    found = tipping_point_of_recording(designed(ValidationDesign.may_depend_on_sex))
    assert found.state == "bias_analysis"
    assert found.n_validated == 550


def test_an_interval_that_holds_one_can_come_to_exclude_it() -> None:
    """Where 1 is inside, the tipping point is where it first falls outside, on the nearer side."""

    def ratio_at(x: float) -> dict[str, float]:
        return {"point": np.exp(x), "low": np.exp(x - 0.4), "high": np.exp(x + 0.3)}

    found = crossings(ratio_at, grid_of(1.0, 10))
    assert found.includes_one
    assert found.tipping == pytest.approx(-0.3, abs=1e-6)
    assert found.roots["low"] == pytest.approx((0.4,), abs=1e-6)


def test_no_root_is_made_up_beside_a_missing_number() -> None:
    """A curve that stops before 1 has no crossing, and its end carries no number."""
    found = crossings(lambda x: {"point": np.exp(1 - x) if x < 0.6 else None}, grid_of(1.0, 10, both_sides=False))
    assert found.roots["point"] == ()
    assert found.includes_one is None
    assert found.frame["point"].isna().sum() == 5
    assert pd.isna(found.frame["excludes_one"]).all()


def test_mistakes_are_named() -> None:
    """Unknown patterns and estimators, limits that are none, score models that cannot be."""
    given = worked_input()
    with pytest.raises(EstimationError, match="no pattern"):
        tipping_point_of_recording(given, pattern="women")
    with pytest.raises(EstimationError, match="no estimator"):
        tipping_point_of_score(given, estimator="threshold")
    with pytest.raises(EstimationError, match="positive limit"):
        tipping_point_of_score(given, limit=0.0)
    with pytest.raises(EstimationError, match="trained_male_share"):
        ScoreModel(trained_male_share=1.0)
    with pytest.raises(EstimationError, match="must be a number"):
        shifted_composition(given, float("nan"))
