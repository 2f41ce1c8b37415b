"""The audit over continuous age: curves, bands, tests and crossings by numbers that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from sexstrat.audit.ageing import (
    age_curve,
    age_knots,
    audit_by_age,
    band_trend,
    clustered_logistic,
    crossings,
    spline_columns,
)
from sexstrat.errors import EstimationError
from sexstrat.values.age_bands import AgeBands

KNOTS = (35.0, 50.0, 65.0, 78.0)


def eyes(patients: int, seed: int, slope: float = -0.02) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return age, right and patient of two independent eyes a patient."""
    rng = np.random.default_rng(seed)
    age = np.repeat(rng.uniform(30, 80, patients), 2)
    return age, rng.random(2 * patients) < 0.75 + slope * (age - 55) / 5, np.repeat(np.arange(patients), 2)


def scores(patients: int = 800, seed: int = 3) -> pd.DataFrame:
    """Return a table of scores of one photograph a patient; men are called worse with age, women alike."""
    rng = np.random.default_rng(seed)
    male = np.arange(patients) % 2 == 0
    age = rng.uniform(30, 85, patients)
    right = rng.random(patients) < np.where(male, 0.9 - 0.008 * (age - 30), 0.75)
    return pd.DataFrame(
        {
            "image_id": [f"i{k}" for k in range(patients)],
            "patient_id": [f"p{k}" for k in range(patients)],
            "prob_male": np.where(right == male, 0.8, 0.2),
            "status": "ok",
            "age_years": age,
            "recorded_sex": np.where(male, "male", "female"),
        }
    )


def test_spline_is_straight_beyond_its_knots_and_smooth_at_them() -> None:
    """Second differences vanish below the first and above the last knot, and nowhere jump."""
    ages = np.arange(20.0, 95.0, 0.01)
    columns = spline_columns(ages, KNOTS)
    curved = np.diff(columns[:, 2:], n=2, axis=0)
    inside = (ages[1:-1] > KNOTS[0]) & (ages[1:-1] < KNOTS[-1])
    assert np.abs(curved[~inside & (np.abs(ages[1:-1] - KNOTS[-1]) > 0.05)]).max() < 1e-9
    assert np.abs(np.diff(curved, axis=0)).max() < 1e-6


def test_knots_are_whole_years_and_refused_where_they_coincide() -> None:
    """No knot is anybody's own age with decimals; one age gives no knots; five are no choice."""
    assert all(knot == round(knot) for knot in age_knots(np.random.default_rng(1).uniform(20, 90, 500), 4))
    assert age_knots([50.0] * 40, 3) == ()
    with pytest.raises(EstimationError, match="3 or 4 knots; found 5"):
        age_knots([50.0], 5)


def test_separated_ages_give_no_fit_rather_than_a_number() -> None:
    """Where the old are all right and the young all wrong there are no finite coefficients."""
    age = np.arange(40, 80).repeat(2)
    fit = clustered_logistic(spline_columns(age, (45, 60, 75)), age >= 60, np.arange(80))
    assert fit.state == "undefined"
    assert "no finite coefficients" in fit.note


def test_curve_of_few_errors_is_undefined_with_the_reason() -> None:
    """Nineteen patients called wrongly bear no curve of two slopes, and no number of patients is told."""
    age, wrong = np.linspace(40, 80, 300), np.arange(300) < 19
    curve = age_curve(age, ~wrong, np.arange(300), ages=[50, 60], knots=(45, 60, 75))
    assert (curve.state, curve.note) == ("undefined", "wrong in fewer than 20 patients: too few for a curve")
    assert curve.point.size == 0


def test_simultaneous_band_holds_the_pointwise_one() -> None:
    """The band for all ages is wider at every age, and both hold the estimate."""
    age, right, patient = eyes(500, 1)
    curve = age_curve(age, right, patient, ages=np.arange(35, 76), knots=KNOTS)
    assert np.all(curve.low_simultaneous < curve.low)
    assert np.all((curve.low < curve.point) & (curve.point < curve.high))
    assert np.all(curve.high < curve.high_simultaneous)


def test_a_repeated_image_changes_nothing_but_the_count_of_images() -> None:
    """Every image given twice leaves point and patient-clustered error as they are."""
    age, right, patient = eyes(300, 2)
    once = age_curve(age, right, patient, ages=[45, 60], knots=KNOTS)
    twice = age_curve(np.tile(age, 2), np.tile(right, 2), np.tile(patient, 2), ages=[45, 60], knots=KNOTS)
    np.testing.assert_allclose(once.point, twice.point, atol=1e-9)
    np.testing.assert_allclose(once.se, twice.se, atol=1e-9)


def test_straight_curves_cross_where_fieller_says() -> None:
    """With straight lines the interval of the crossing is Fieller's, solved by hand as a quadratic."""
    straight = (40.0, 70.0)
    curves = [age_curve(*eyes(900, seed, slope), ages=[55], knots=straight) for seed, slope in ((3, 0.03), (4, -0.03))]
    (found,) = crossings(curves[0], curves[1], youngest=30, oldest=80)
    a, b = curves[0].fit.coefficients - curves[1].fit.coefficients
    v = curves[0].fit.corrected + curves[1].fit.corrected
    q = student.ppf(0.975, curves[0].fit.df + curves[1].fit.df) ** 2
    roots = np.roots([b * b - q * v[1, 1], 2 * (a * b - q * v[0, 1]), a * a - q * v[0, 0]])
    low, high = sorted(55 + 10 * roots.real)
    assert found.age == pytest.approx(55 - 10 * a / b)
    assert found.low == pytest.approx(low, abs=0.06)  # the ages looked at are 0.05 years apart
    assert found.high == pytest.approx(high, abs=0.06)


def test_curves_apart_do_not_cross_and_say_whether_that_is_shown() -> None:
    """Far apart: no crossing and no ages left open; close together: the ages that the data do not exclude."""
    rng = np.random.default_rng(5)
    age = rng.uniform(30, 80, 3000)
    high, low, near = (
        age_curve(age, rng.random(3000) < share, np.arange(3000), ages=[55], knots=KNOTS) for share in (0.9, 0.6, 0.62)
    )
    (apart,) = crossings(high, low, youngest=35, oldest=75)
    assert (apart.state, apart.low) == ("absent", None)
    found = crossings(near, low, youngest=35, oldest=75)
    assert all(one.low is not None for one in found)


def test_one_band_or_no_errors_has_no_trend() -> None:
    """A trend needs two bands and both outcomes, and says which is lacking."""
    assert band_trend([1, 1], [0, 1], [1, 2]).note == "one age band only"
    assert band_trend([1, 2], [1, 1], [1, 2]).note == "all images agree"
    assert band_trend([], [], []).note == "nobody in the bands"


def test_audit_finds_the_sex_whose_errors_change() -> None:
    """Men are called worse with age and women are not: the joint tests and the interaction say so."""
    found = audit_by_age(scores(4000), bands=AgeBands((30, 45, 60, 75)))
    p = found.trends.set_index(["metric", "quantity"])["p_value"]
    assert p["correct_among_men", "any_trend"] < 1e-6
    assert p["correct_among_women", "any_trend"] > 0.01
    assert p["men_minus_women", "sex_by_age"] < 1e-4
    assert len(found.knots) == 4


def test_order_of_rows_and_unknown_ages_change_nothing() -> None:
    """Shuffled rows, and added photographs of unknown age, give the same curves to the last digits that matter."""
    frame = scores()
    unknown = frame.head(50).assign(age_years=np.nan, patient_id=[f"q{k}" for k in range(50)], image_id=range(50))
    mixed = pd.concat([frame, unknown.astype({"image_id": "str"})]).sample(frac=1, random_state=1)
    bands = AgeBands((30, 45, 60, 75))
    first, second = audit_by_age(frame, bands=bands).curves, audit_by_age(mixed, bands=bands).curves
    pd.testing.assert_frame_equal(first, second, rtol=1e-8)


def test_five_patients_of_a_sex_have_no_curve_and_no_crossing() -> None:
    """A table with five women gives men's curve, women's reason, and no comparison."""
    frame = scores()
    few = frame[(frame["recorded_sex"] == "male") | frame.index.isin(frame.index[frame.index % 2 == 1][:5])]
    found = audit_by_age(few, bands=AgeBands((30, 45, 60, 75)))
    women = found.curves[found.curves["metric"] == "correct_among_women"]
    assert women["state"].tolist() == ["undefined"]
    assert women["age_years"].isna().all()
    crossing = found.trends.set_index("quantity").loc["crossing_age"]
    assert crossing["state"] == "undefined"
    assert crossing["note"].startswith(("men:", "women:"))
