"""Bands of the curves over age and the age of crossing cover the truth, with two correlated eyes a patient."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from sexstrat.audit.ageing import AgeCurve, age_curve, age_knots, crossings, wald_test

Floats = NDArray[np.float64]

AGREEMENT = 0.6  # correlation of what makes the two eyes of a patient right or wrong
YEARS = np.arange(33.0, 78.0)


def men(age: Floats) -> Floats:
    """Return the true share called rightly among men: falling, faster in the old."""
    return np.asarray(expit(1.3 - 0.03 * (age - 55) - 0.0004 * (age - 55) ** 2))


def women(age: Floats) -> Floats:
    """Return the true share among women: rising; the two cross at 63.55 years."""
    return np.asarray(expit(0.85 + 0.018 * (age - 55)))


def flat(age: Floats) -> Floats:
    return np.full(age.shape, 0.75)


def crossing_truth() -> float:
    ages = np.linspace(55, 75, 20_001)
    return float(ages[np.argmin(np.abs(men(ages) - women(ages)))])


def one_sex(rng: np.random.Generator, patients: int, share, knots: tuple[float, ...]) -> AgeCurve:
    """Simulate the eyes of one sex and fit its curve; the eyes' marginal shares are exactly the true ones."""
    age = rng.uniform(30, 80, patients)
    patient = np.repeat(np.arange(patients), rng.integers(1, 3, patients))
    own, eye = rng.normal(size=patients)[patient], rng.normal(size=patient.size)
    luck = norm.cdf(np.sqrt(AGREEMENT) * own + np.sqrt(1 - AGREEMENT) * eye)
    return age_curve(age[patient], luck < share(age[patient]), patient, ages=YEARS, knots=knots)


def coverage(replicates: int, patients: int, seed: int) -> dict[str, float]:
    """Return how often the bands hold the truth, at single ages and at all at once, and the crossing's interval."""
    knots = age_knots(np.linspace(30, 80, 501), 4)
    truth, hits = crossing_truth(), {"pointwise": [], "simultaneous": [], "crossing": []}
    for k in range(replicates):
        rng = np.random.default_rng(seed + k)
        curves = [one_sex(rng, patients, share, knots) for share in (men, women)]
        for curve, share in zip(curves, (men, women), strict=True):
            assert curve.state == "measured"
            true = share(YEARS)
            hits["pointwise"].append(np.mean((curve.low <= true) & (true <= curve.high)))
            hits["simultaneous"].append(np.all((curve.low_simultaneous <= true) & (true <= curve.high_simultaneous)))
        found = crossings(curves[0], curves[1], youngest=33, oldest=77)
        hits["crossing"].append(any(one.low is not None and one.low <= truth <= one.high for one in found))
    return {name: float(np.mean(values)) for name, values in hits.items()}


def false_trends(replicates: int, patients: int, seed: int) -> float:
    """Return how often the joint test sees a trend where there is none."""
    knots = age_knots(np.linspace(30, 80, 501), 4)
    seen = []
    for k in range(replicates):
        fit = one_sex(np.random.default_rng(seed + k), patients, flat, knots).fit
        test = wald_test(fit.coefficients[1:], fit.corrected[1:, 1:], df_denominator=fit.df)
        seen.append(test.p_value <= 0.05)
    return float(np.mean(seen))


def test_bands_and_crossing_cover_in_a_few_replicates() -> None:
    """In 24 seeded cohorts no kind of band falls so low as wrong intervals would."""
    for name, share in coverage(24, 400, seed=71_000).items():
        assert share >= 0.85, name


@pytest.mark.slow
@pytest.mark.parametrize("patients", [200, 600])
def test_bands_and_crossing_cover_at_their_level(patients: int) -> None:
    """500 seeded cohorts: pointwise bands, simultaneous bands and the crossing's interval cover in at least .92."""
    found = coverage(500, patients, seed=72_000)
    for name, share in found.items():
        assert share >= 0.92, name


@pytest.mark.slow
def test_joint_test_of_a_trend_keeps_its_size() -> None:
    """Where how often the model is right does not change with age, the joint test says so in at least 92 of 100."""
    share = false_trends(1000, 200, seed=73_000)
    assert share <= 0.08


def test_ignoring_patients_would_make_the_bands_too_narrow() -> None:
    """With eyes taken as patients the pointwise band falls short: the check above can fail."""
    knots = age_knots(np.linspace(30, 80, 501), 4)
    hits = []
    for k in range(30):
        rng = np.random.default_rng(74_000 + k)
        age = np.repeat(rng.uniform(30, 80, 300), 4)
        own = np.repeat(rng.normal(size=300), 4)
        right = norm.cdf(np.sqrt(0.9) * own + np.sqrt(0.1) * rng.normal(size=1200)) < men(age)
        curve = age_curve(age, right, np.arange(1200), ages=YEARS[::11], knots=knots)
        hits.append(np.mean((curve.low <= men(YEARS[::11])) & (men(YEARS[::11]) <= curve.high)))
    assert np.mean(hits) < 0.85
