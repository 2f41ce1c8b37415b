"""The drawn scores have the strength, the errors and the correlation their setting asks for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import ks_2samp, rankdata

from sexstrat.simulation import ExternalCohort, People, draw_people, external_setting, setting, simulate_cells
from sexstrat.simulation.groups import draw_groups

N = 60_000


def draw(name: str, n: int = N, **knobs: object) -> People:
    return draw_people(replace(setting(name), **knobs), n, np.random.default_rng(77))  # type: ignore[arg-type]


def auc(score: np.ndarray, male: np.ndarray) -> float:
    ranks = rankdata(score)
    men = male.sum()
    return float((ranks[male].sum() - men * (men + 1) / 2) / (men * (~male).sum()))


@pytest.mark.parametrize(
    ("name", "expected"), [("baseline", 0.95), ("weak", 0.85), ("overconfident", 0.95), ("small_clinic", 0.635)]
)
def test_one_eye_separates_the_sexes_as_asked(name: str, expected: float) -> None:
    """The area under the curve of the right eye among the well is the knob's (standard error .002 at most)."""
    people = draw(name)
    well = ~people.diseased & (people.n_eyes > 0)
    assert auc(people.eye_logit[well, 0], people.male[well]) == pytest.approx(expected, abs=0.008)


def test_separation_falls_with_age() -> None:
    """In error by age an eye of people aged 78 to 82 has the AUC that 0.8 times the separation gives: .906."""
    people = draw("error_by_age", 300_000)
    old = np.abs(people.age_years - 80) <= 2
    assert auc(people.eye_logit[old, 0], people.male[old]) == pytest.approx(0.906, abs=0.008)


@pytest.mark.parametrize(("name", "expected"), [("baseline", 0.6), ("informative_eyes", 0.9)])
def test_the_errors_of_two_eyes_correlate_as_asked(name: str, expected: float) -> None:
    """Within each sex the correlation of the two logits is the knob's."""
    people = draw(name)
    for sex in (False, True):
        both = people.eye_logit[(people.n_eyes == 2) & (people.male == sex)]
        assert np.corrcoef(both.T)[0, 1] == pytest.approx(expected, abs=0.015)


def test_informative_eyes_are_informative() -> None:
    """Half the diseased and a tenth of the well have one photographed eye."""
    people = draw("informative_eyes")
    assert (people.n_eyes[people.diseased] == 1).mean() == pytest.approx(0.5, abs=0.02)
    assert (people.n_eyes[~people.diseased] == 1).mean() == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize(
    ("name", "men", "women"), [("error_by_disease", 0.6, 0.6), ("error_by_disease_and_sex", -0.5, 0.5)]
)
def test_disease_shifts_the_score_as_asked(name: str, men: float, women: float) -> None:
    """The mean logit of diseased less well, over the separation, is the shift of each sex."""
    people = draw(name)
    for sex, expected in ((True, men), (False, women)):
        mean = [people.eye_logit[(people.male == sex) & (people.diseased == d), 0].mean() for d in (True, False)]
        assert (mean[0] - mean[1]) / setting(name).separation == pytest.approx(expected, abs=0.06)


def test_only_the_affected_eye_shifts() -> None:
    """Where the disease is recorded by eye the unaffected eye of a diseased patient scores like that of the well."""
    people = draw("eye_level_disease", one_eye=0.0, one_eye_diseased=0.0)
    assert people.affected is not None
    right_only = people.affected[:, 0] & ~people.affected[:, 1] & people.male
    well = ~people.diseased & people.male
    separation = setting("eye_level_disease").separation
    shift = (people.eye_logit[right_only].mean(axis=0) - people.eye_logit[well].mean(axis=0)) / separation
    np.testing.assert_allclose(shift, [0.6, 0.0], atol=0.08)


def test_the_calibrated_score_is_calibrated_where_it_was_trained() -> None:
    """At a share of men of one half and no age effect, the odds of male at a logit near 1 are e: 73%."""
    people = draw("baseline", 200_000, male_share=0.5, male_by_age=0.0)
    near = np.abs(people.eye_logit[:, 0] - 1) < 0.2
    assert people.male[near].mean() == pytest.approx(1 / (1 + np.exp(-1)), abs=0.02)


def test_the_external_cohort_has_its_own_margins_and_the_same_scores() -> None:
    """Aged 52, 30% diseased, 60% men, all known; given sex, disease and age the score has the same distribution."""
    one = replace(setting("external_error_by_disease"), external=ExternalCohort(patients=50_000))
    there = draw_people(external_setting(one), 50_000, np.random.default_rng(3))
    assert there.age_years.mean() == pytest.approx(52, abs=0.5)
    assert there.diseased.mean() == pytest.approx(0.30, abs=0.01)
    assert there.male.mean() == pytest.approx(0.60, abs=0.012)
    assert there.validated.all()
    here = draw("external_error_by_disease")
    for sex in (False, True):
        for disease in (False, True):
            logits = [
                one_place.eye_logit[
                    (one_place.male == sex) & (one_place.diseased == disease) & (one_place.age_years == 55), 0
                ]
                for one_place in (here, there)
            ]
            assert ks_2samp(*logits).pvalue > 1e-4


def test_the_broken_external_cohort_scores_better_there() -> None:
    """AUC .97 there against .90 here, and no shift by disease there."""
    there = draw_people(external_setting(setting("external_broken")), N, np.random.default_rng(3))
    assert auc(there.eye_logit[:, 0], there.male) == pytest.approx(0.97, abs=0.005)
    here = draw("external_broken")
    assert auc(here.eye_logit[~here.diseased, 0], here.male[~here.diseased]) == pytest.approx(0.90, abs=0.008)


def test_simulated_cells_carry_the_external_cohort() -> None:
    """All 1,000 of it are recorded with certainty, nobody of the main cohort is, and a seed gives one draw."""
    both, again = (simulate_cells("external", 2_000, seed=4) for _ in range(2))
    assert both.external is not None
    frame = both.external.frame
    assert frame["n"].sum() == 1_000
    assert set(frame["recorded_sex"]) == {"male", "female"}
    np.testing.assert_allclose(frame["sum_w_over_r"], frame["n"])
    assert set(both.cells.frame["recorded_sex"]) == {"unknown"}
    assert again.external is not None
    assert frame.equals(again.external.frame)
    assert simulate_cells("baseline", 500, seed=4).external is None


def test_hospitals_shift_the_scores_of_all_their_patients() -> None:
    """The hospital's mean logit less its sex mix follows its own shift, times the separation."""
    one = setting("site_clusters")
    groups = draw_groups(one, np.random.default_rng(8))
    people = draw_people(one, 120_000, np.random.default_rng(9), groups)
    assert people.site is not None
    score = people.eye_logit[:, 0]
    well = ~people.diseased
    for place in np.argsort(-groups.share)[:5]:
        here = (people.site == place) & well
        mean = np.mean([score[here & (people.male == sex)].mean() for sex in (False, True)])
        expected = float(logit(one.model_male_share)) + one.separation * groups.score[place]
        assert mean == pytest.approx(expected, abs=0.2)
