"""Complex samples: what must not matter does not, and what cannot be known is said."""

from __future__ import annotations

import numpy as np
import pytest

from sexstrat.errors import EstimationError
from sexstrat.estimates.numbers.linearisation import stratified_variance
from sexstrat.estimates.numbers.survey import survey_mean, survey_proportion, survey_ratio, survey_total
from sexstrat.estimates.numbers.survey_design import SurveyDesign

RNG = np.random.default_rng(5)
STRATUM = np.repeat([0, 1, 2], 40)
PSU = np.tile(np.repeat(np.arange(8), 5), 3)
WEIGHT = RNG.uniform(0.5, 4.0, 120)
PRESENT = RNG.random(120) < 0.3


def test_a_simple_sample_has_the_textbook_variance() -> None:
    """Equal weights, one stratum, people drawn one by one: p (1 - p) / (n - 1)."""
    found = survey_proportion([1] * 3 + [0] * 7, SurveyDesign(weight=np.ones(10)))
    assert found.se == pytest.approx((0.3 * 0.7 / 9) ** 0.5)
    assert found.df == 9


def test_constant_weights_of_four_change_nothing() -> None:
    """A weight that is the same for everybody neither moves a proportion nor narrows its interval."""
    plain = survey_proportion(PRESENT, SurveyDesign(weight=WEIGHT, stratum=STRATUM, psu=PSU))
    four = survey_proportion(PRESENT, SurveyDesign(weight=4 * WEIGHT, stratum=STRATUM, psu=PSU))
    np.testing.assert_allclose((plain.point, plain.low, plain.high), (four.point, four.low, four.high), rtol=1e-12)


def test_names_and_order_of_units_do_not_matter() -> None:
    """Units renamed within their strata and people shuffled give the same interval."""
    plain = survey_proportion(PRESENT, SurveyDesign(weight=WEIGHT, stratum=STRATUM, psu=PSU))
    order = RNG.permutation(120)
    names = np.array([f"unit {(7 * unit + 3) % 8}" for unit in PSU])
    moved = survey_proportion(
        PRESENT[order], SurveyDesign(weight=WEIGHT[order], stratum=STRATUM[order], psu=names[order])
    )
    np.testing.assert_allclose((plain.low, plain.high), (moved.low, moved.high), rtol=1e-12)


def test_a_domain_keeps_the_units_that_have_nobody_in_it() -> None:
    """Leaving the others out would understate how the domain's size varies: the variance of a total is larger."""
    inside = (PSU < 4) & PRESENT
    design = SurveyDesign(weight=WEIGHT, stratum=STRATUM, psu=PSU)
    dropped = SurveyDesign(weight=WEIGHT[PSU < 4], stratum=STRATUM[PSU < 4], psu=PSU[PSU < 4])
    whole = survey_total(np.ones(120), design, domain=inside)
    cut = survey_total(np.ones(60), dropped, domain=inside[PSU < 4])
    assert whole.point == pytest.approx(cut.point)
    assert whole.se > 1.1 * cut.se


def test_lonely_units_are_handled_as_asked_and_said() -> None:
    """Totals 1 and 3 in one stratum, 5 alone in the other: 4 if certain, 8 on average, 4 + (5 - 3)^2 centred."""
    found = {
        how: stratified_variance([1.0, 3.0, 5.0], [0, 0, 1], lonely=how) for how in ("certainty", "average", "centred")
    }
    assert {how: round(float(one.covariance[0, 0]), 9) for how, one in found.items()} == {
        "certainty": 4.0,
        "average": 8.0,
        "centred": 8.0,
    }
    for one in found.values():
        assert "1 of 2 strata has one primary sampling unit" in one.note
        assert (one.df, one.n_lonely) == (1, 1)


@pytest.mark.parametrize("value", [0, 1])
def test_no_case_on_one_side_counts_units_and_not_people(value: int) -> None:
    """Nobody of 120 in 24 units: Wilson at 24, z^2 / (24 + z^2) = 0.138, and its mirror image."""
    found = survey_proportion(np.full(120, value), SurveyDesign(weight=WEIGHT, stratum=STRATUM, psu=PSU))
    limits = sorted([abs(value - found.low), abs(value - found.high)])
    assert limits == pytest.approx([0.0, 1.959964**2 / (24 + 1.959964**2)], rel=1e-5)
    assert found.se is None
    assert "Wilson" in found.note


def test_units_that_agree_exactly_give_no_interval() -> None:
    """Half of the people of every unit are diseased: no width is printed, and the reason is."""
    found = survey_proportion(np.tile([1, 0], 6), SurveyDesign(weight=np.ones(12), psu=np.repeat(range(6), 2)))
    assert (found.point, found.low, found.state) == (0.5, None, "no_interval")
    assert "agree exactly" in found.note


def test_an_empty_domain_and_a_denominator_of_zero_are_undefined() -> None:
    """Neither has a point, and both say why."""
    design = SurveyDesign(weight=np.ones(3))
    nobody = survey_mean([1.0, 2.0, 3.0], design, domain=[False] * 3)
    nothing = survey_ratio([1.0, 2.0, 3.0], [0.0, 0.0, 0.0], design)
    assert (nobody.state, nobody.point, nothing.state, nothing.point) == ("undefined", None, "undefined", None)
    assert "nobody" in nobody.note
    assert "adds up to 0" in nothing.note


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: SurveyDesign(weight=[1.0, 0.0]), "weight above 0"),
        (lambda: SurveyDesign(weight=[1.0, np.nan]), "weight above 0"),
        (lambda: SurveyDesign(weight=[1.0, 1.0], psu=[1]), "psu must name one value per person"),
        (lambda: SurveyDesign(weight=[1.0], lonely="fail"), "centred, average, certainty"),
        (lambda: survey_mean([1.0], SurveyDesign(weight=[1.0, 1.0])), "one value per person"),
        (lambda: survey_mean([np.nan, 1.0], SurveyDesign(weight=[1.0, 1.0])), "missing"),
        (lambda: survey_proportion([0.5, 1.0], SurveyDesign(weight=[1.0, 1.0])), "True or False"),
        (lambda: survey_mean([0.5, 1.0], SurveyDesign(weight=[1.0, 1.0]), domain=[True]), "domain must say"),
        (lambda: survey_mean([0.5, 1.0], SurveyDesign(weight=[1.0, 1.0]), level=95), "level must lie"),
        (lambda: stratified_variance([], []), "at least one unit"),
        (lambda: stratified_variance([1.0], [0], lonely="x"), "no way 'x'"),
    ],
)
def test_mistakes_are_named(call: object, words: str) -> None:
    """Every mistake says what is wrong and what is allowed."""
    with pytest.raises(EstimationError, match=words):
        call()  # type: ignore[operator]
