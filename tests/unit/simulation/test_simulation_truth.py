"""What is drawn agrees with the exact truth of each setting, within Monte Carlo error."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from sexstrat.simulation import (
    Clusters,
    EyeDisease,
    People,
    Setting,
    draw_people,
    joint_shares,
    population_truth,
    setting,
    settings,
    true_composition,
    true_eye_prevalence,
    true_eye_prevalence_by_band,
    true_prevalence_ratio,
)
from sexstrat.simulation.cells import patient_probability

N = 60_000
BAND_LOWS = (20, 50, 65)


def with_many_groups(one: Setting) -> Setting:
    """Return a setting with so many small groups that their chance is small beside that of the patients."""
    if one.clusters is None:
        return one
    return replace(one, clusters=replace(one.clusters, number=3_000, size_sd=0.0))


@cache
def drawn(name: str, n: int = N) -> tuple[Setting, People]:
    one = with_many_groups(setting(name))
    return one, draw_people(one, n, np.random.default_rng(2024))


def weighted_shares(people: People) -> tuple[np.ndarray, np.ndarray]:
    """Return weighted shares of band, disease and sex, and the standard error of each."""
    weight = np.ones(people.male.size) if people.weight is None else people.weight
    band = np.searchsorted(BAND_LOWS, people.age_years, side="right") - 1
    share, error = np.zeros((3, 2, 2)), np.zeros((3, 2, 2))
    for at in np.ndindex(share.shape):
        here = weight * ((band == at[0]) & (people.diseased == at[1]) & (people.male == at[2]))
        share[at] = here.mean()
        error[at] = here.std() / np.sqrt(here.size)
    return share, error


@pytest.mark.parametrize("name", settings())
def test_a_draw_has_the_shares_of_the_truth(name: str) -> None:
    """Twelve shares of band, disease and sex lie within 5 standard errors of quadrature: 1 in 150,000 each by chance.

    With hospitals or sampling units the errors are inflated by 1.5, more than the clusters' own chance.
    """
    one, people = drawn(name)
    share, error = weighted_shares(people)
    inflation = 1.5 if one.clusters else 1.0
    assert np.all(np.abs(share - true_composition(one, BAND_LOWS)) < 5 * inflation * error + 1e-12)


@pytest.mark.parametrize("name", settings())
def test_the_margins_are_those_asked_for(name: str) -> None:
    """Prevalence and the share of men are exact in the population; the share validated holds in expectation."""
    one, people = drawn(name)
    shares = joint_shares(one)
    assert shares.sum() == pytest.approx(1, abs=1e-9)
    assert shares[:, 1].sum() == pytest.approx(one.prevalence, abs=1e-9)
    assert shares[:, :, 1].sum() == pytest.approx(one.male_share, abs=1e-9)
    r = people.validation_probability
    assert abs(r.mean() - one.validated) <= 5 * r.std() / np.sqrt(r.size) + 1e-12
    assert abs(people.validated.mean() - one.validated) <= 5 * np.sqrt(one.validated / r.size) + 1e-12


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("baseline", 1.31), ("weak", 1.22), ("error_by_disease", 1.98), ("null_crude_error_by_disease", 1.52),
        ("error_by_age", 1.41), ("label_shift", 1.30), ("external", 1.30), ("external_error_by_disease", 1.98),
        ("external_broken", 2.21),
    ],
)  # fmt: skip
def test_predicted_sex_misleads_as_published(name: str, published: float) -> None:
    """The ratio by sex predicted at 0.5 comes within .04 of the methods page's table (standard error .01 here)."""
    _, people = drawn(name, 300_000)
    predicted = patient_probability(people) >= 0.5
    ratio = people.diseased[predicted].mean() / people.diseased[~predicted].mean()
    assert ratio == pytest.approx(published, abs=0.04)


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("baseline", 1.40), ("label_shift", 1.40), ("everything", 1.35), ("rare", 1.51),
        ("null_crude_error_by_disease", 1.00),
    ],
)  # fmt: skip
def test_true_ratios_are_the_published_ones(name: str, published: float) -> None:
    """The exact crude ratios round to those of the methods page."""
    assert true_prevalence_ratio(setting(name)) == pytest.approx(published, abs=0.0051)


def test_intercepts_of_hospitals_are_integrated_not_left_out() -> None:
    """With very different hospitals the ratio of the population of all hospitals differs from that of an average one.

    Sex and disease keep their margins, yet a spread of 1.5 in the log odds of disease pulls the ratio towards 1; the
    drawn ratio over 20,000 hospitals agrees.
    """
    one = Setting(name="far apart", clusters=Clusters(number=20_000, prevalence_sd=1.5, male_sd=0.5, size_sd=0.0))
    plain = true_prevalence_ratio(Setting(name="alike"))
    truth = true_prevalence_ratio(one)
    assert truth < plain - 0.04
    people = draw_people(one, 400_000, np.random.default_rng(5))
    ratio = people.diseased[people.male].mean() / people.diseased[~people.male].mean()
    assert ratio == pytest.approx(truth, abs=0.035)


def test_the_sample_of_a_survey_differs_from_its_target() -> None:
    """Unweighted shares are those expected in the sample, and far from the target: the weights are informative."""
    one, people = drawn("survey_weights")
    expected = joint_shares(one, sample=True).sum(axis=0)
    found = np.array([[(people.diseased == d) & (people.male == s) for s in (0, 1)] for d in (0, 1)]).mean(axis=2)
    np.testing.assert_allclose(found, expected, atol=0.012)
    assert people.diseased.mean() > one.prevalence + 0.02
    assert people.weight is not None
    assert people.weight.mean() == pytest.approx(1, abs=0.02)


def test_affected_eyes_are_as_many_as_the_truth_says() -> None:
    """Of graded eyes the share affected, by sex, agrees with the sum over the states of the eyes."""
    one = replace(setting("eye_level_disease"), no_image=0.05, eye_disease=EyeDisease(both=0.3, both_by_male=1.0))
    people = draw_people(one, 200_000, np.random.default_rng(6))
    assert people.affected is not None
    graded = people.graded
    seen = (people.affected & graded).sum(axis=1)
    assert np.array_equal(people.diseased, seen > 0)
    assert graded.sum(axis=1)[people.n_eyes == 0].min() == 2
    for sex, truth in zip((False, True), true_eye_prevalence(one), strict=True):
        assert seen[people.male == sex].sum() / graded[people.male == sex].sum() == pytest.approx(truth, abs=0.003)


def test_true_eye_prevalence_by_band_is_that_of_the_people_drawn() -> None:
    """Affected over graded eyes of each band and sex in 60,000 people, within Monte Carlo error."""
    one = replace(setting("eye_level_disease"), no_image=0.05)
    people = draw_people(one, N, np.random.default_rng(8))
    assert people.affected is not None
    band = np.searchsorted(BAND_LOWS, people.age_years, side="right") - 1
    graded = people.graded
    for index, truth in enumerate(true_eye_prevalence_by_band(one, BAND_LOWS)):
        for sex in (0, 1):
            rows = (band == index) & (people.male == bool(sex))
            found = (people.affected & graded)[rows].sum() / graded[rows].sum()
            assert found == pytest.approx(truth[sex], abs=4 * (truth[sex] / rows.sum()) ** 0.5)


def test_population_truth_lists_every_figure_once() -> None:
    """Three bands: each prevalence and contrast crude, by band and standardised; eyes only where recorded by eye."""
    truth = population_truth(setting("eye_level_disease"), BAND_LOWS)
    key = ["measure", "unit", "sex", "age_low", "age_high", "standard"]
    assert not truth.duplicated(key).any()
    assert len(truth) == 1 + 2 * 5 * (1 + 3 + 1)
    assert truth["value"].notna().all()
    crude = truth[(truth["unit"] == "eyes") & (truth["standard"] == "crude") & truth["age_low"].isna()]
    women, men = true_eye_prevalence(setting("eye_level_disease"))
    assert crude.set_index("measure")["value"]["prevalence_difference"].item() == pytest.approx(men - women)
    assert set(population_truth(setting("baseline"), BAND_LOWS)["unit"]) == {"persons"}
