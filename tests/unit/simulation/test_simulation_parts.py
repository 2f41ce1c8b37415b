"""Large cohorts are drawn in parts; records may be wrong; what the design does not know is not given away."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from sexstrat.errors import StudyError
from sexstrat.simulation import (
    Clusters,
    ExternalCohort,
    People,
    Setting,
    Survey,
    add_cells,
    cells_of_people,
    draw_people,
    external_setting,
    knob_names,
    setting,
    settings,
    simulate_cells,
    simulate_cohort,
    with_knobs,
)
from sexstrat.simulation.drawn_cells import draw_parts


def half(people: People, first: bool) -> People:
    middle = people.male.size // 2
    chosen = slice(0, middle) if first else slice(middle, None)
    arrays = {one.name: getattr(people, one.name) for one in fields(people)}
    return replace(people, **{name: array[chosen] for name, array in arrays.items() if array is not None})


@pytest.mark.parametrize(
    "name", ["baseline", "everything", "survey_weights", "site_clusters", "some_without_photograph"]
)
def test_cells_of_two_halves_add_up_to_those_of_the_whole(name: str) -> None:
    """Counts and integer sums are equal, sums of weights to rounding; the order of rows is that of the contract."""
    people = draw_people(setting(name), 8_000, np.random.default_rng(5))
    whole = cells_of_people(people, people.validated).frame
    halves = [cells_of_people(one, one.validated) for one in (half(people, True), half(people, False))]
    pd.testing.assert_frame_equal(add_cells(halves).frame, whole, rtol=1e-12)


def test_a_cohort_in_parts_is_whole() -> None:
    """Ten parts: as many patients as asked, hospitals the same throughout, and the same for the same seed."""
    drawn, again = (simulate_cells("site_clusters", 9_500, seed=3, part_size=1_000) for _ in range(2))
    assert drawn.cells.frame["n"].sum() == drawn.truth.frame["n"].sum() == 9_500
    assert drawn.cells.frame.equals(again.cells.frame)
    by_site = drawn.truth.frame.groupby("site")["n"].sum()
    parts = list(draw_parts(setting("site_clusters"), 9_500, 3, 1_000))
    sites = np.concatenate([part.site for part in parts if part.site is not None])
    assert by_site.to_dict() == pd.Series(sites.astype(str)).value_counts().to_dict()
    folds = drawn.cells.frame.dropna(subset=["fold"]).groupby("psu")["fold"].nunique()
    assert (folds == 1).all()


def test_nobody_or_no_part_is_an_error() -> None:
    """A cohort of none is refused in words."""
    with pytest.raises(StudyError, match="allowed: 1 or more"):
        simulate_cells("baseline", 0, seed=1)


def test_wrong_records_are_in_what_is_seen_and_not_in_the_truth() -> None:
    """One recorded sex in five is wrong when asked for: tables and cells show it alike, the truth stays true."""
    one = replace(setting("noisy_recorded_sex"), recorded_wrong=0.2, validated=0.5)
    cohort, both = simulate_cohort(one, 20_000, 6), simulate_cells(one, 20_000, 6)
    persons = cohort.persons.merge(cohort.truth, on="patient_id")
    recorded = persons[persons["recorded_sex"] != "unknown"]
    assert (recorded["recorded_sex"] != recorded["true_sex"]).mean() == pytest.approx(0.2, abs=0.02)
    assert (
        both.cells.frame.groupby("recorded_sex")["n"].sum().to_dict()
        == persons["recorded_sex"].value_counts().to_dict()
    )
    assert (
        both.truth.frame.groupby("recorded_sex")["n"].sum().to_dict()
        == cohort.truth["true_sex"].value_counts().to_dict()
    )


@pytest.mark.parametrize("name", settings())
def test_cells_give_r_away_only_where_the_design_knows_it(name: str) -> None:
    """Sums over r are filled for validated rows of designs with r by chance or known, and empty everywhere else."""
    frame = simulate_cells(name, 4_000, seed=2).cells.frame
    known = setting(name).design.value in {"random", "known_probability"}
    filled = frame["sum_w_over_r"].notna()
    assert filled.equals((frame["recorded_sex"] != "unknown") & known)


def test_a_setting_says_how_many_patients_it_has() -> None:
    """The small cohort has 2,700 patients, a fifth of them validated, and is about these very people."""
    small = setting("small_cohort")
    assert (small.patients, small.validated, small.target.value) == (2_700, 0.20, "cohort")
    assert simulate_cells("small_cohort").truth.frame["n"].sum() == 2_700


def test_every_knob_of_a_setting_has_a_plain_name() -> None:
    """Fields of the setting and of its parts can all be turned, but for the lists of a survey's strata."""
    whole = {"clusters", "survey", "external", "eye_disease", "about"}
    for field in fields(Setting):
        assert field.name in knob_names() or field.name in whole
    assert {f"external_{field.name}" for field in fields(ExternalCohort)} <= set(knob_names())
    assert with_knobs(setting("baseline"), survey=True).survey == Survey()
    assert with_knobs(setting("site_clusters"), sites=0).clusters is None


def test_the_design_follows_from_the_knobs() -> None:
    """Who is validated, and why, decides the declared design unless one is given."""
    base = setting("baseline")
    assert with_knobs(base, recorded_by_age=-0.4).design.value == "known_probability"
    assert with_knobs(base, recorded_by_male=0.8, design="may_depend_on_sex").design.value == "may_depend_on_sex"
    assert with_knobs(base, validated=0.0).design.value == "none"
    assert with_knobs(base, validated=0.0, external_patients=500).design.value == "external"
    assert with_knobs(setting("external"), external_patients=0).design.value == "none"
    assert with_knobs(setting("external"), validated=0.1).design.value == "random"


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"auc": 1.2}, r"auc is 1\.2; allowed: above 0 and below 1"),
        ({"auc": float("nan")}, r"auc is nan; allowed"),
        ({"sites": 1}, r"clusters: number is 1; allowed: a whole number at least 2"),
        ({"external_prevalence": 0.0}, r"external: prevalence is 0\.0; allowed: above 0"),
        ({"design": "external"}, r"the design is external, but there is no external cohort; add one"),
        ({"validated": 0.0, "recorded_by_age": 1.0}, r"validated is 0, so that recording cannot depend"),
        ({"survey": False, "response_by_age": 0.1}, r"survey is switched off, but response_by_age"),
        ({"by_eye": True, "prevalence": 0.99}, r"a graded eye shows the disease in only 0\.9"),
        ({"recorded_by_sex": 1.0}, r"no knob 'recorded_by_sex'; did you mean recorded_by_"),
        ({"target": "sample"}, r"target is 'sample'; allowed: population, cohort"),
    ],
)
def test_what_cannot_be_is_refused_in_words(knobs: dict[str, object], message: str) -> None:
    """Each refusal names the knob, what was found and what is allowed."""
    with pytest.raises(StudyError, match=message):
        draw_people(with_knobs(setting("baseline"), **knobs), 10, np.random.default_rng(1))


def test_strata_must_fit_together() -> None:
    """Lists of unequal length, or shares that do not add up to 1, are refused."""
    with pytest.raises(StudyError, match="population has 4, sampled has 2"):
        Survey(sampled=(0.5, 0.5))
    with pytest.raises(StudyError, match=r"sampled adds up to 0\.9"):
        Survey(sampled=(0.3, 0.2, 0.2, 0.2))


def test_a_setting_without_external_cohort_has_no_setting_for_one() -> None:
    """The message says what to do."""
    with pytest.raises(StudyError, match="has no external cohort; give it one"):
        external_setting(Setting(name="alone", clusters=Clusters()))


def test_disease_by_male_elsewhere_is_its_own_knob() -> None:
    """Men are no sicker than women there, half as sick again here; the main cohort does not move by a patient."""
    base = with_knobs(setting("external"), male_by_age=0.0)
    one = with_knobs(base, external_disease_by_male=0.0, external_patients=40_000)
    assert one.external is not None
    assert external_setting(one).disease_by_male == 0.0
    assert external_setting(base).disease_by_male == base.disease_by_male == 0.5
    drawn, plain = simulate_cells(one, 3_000, 4), simulate_cells(base, 3_000, 4)
    assert drawn.cells.frame.equals(plain.cells.frame)
    assert drawn.external is not None
    frame = drawn.external.frame
    frame = frame.assign(cases=frame["n"] * frame["diseased"].astype(int))
    sums = frame.groupby("recorded_sex")[["cases", "n"]].sum()
    rate = sums["cases"] / sums["n"]
    assert rate["male"] / rate["female"] == pytest.approx(1.0, abs=0.05)
    with pytest.raises(StudyError, match="disease_by_male is 9"):
        with_knobs(setting("external"), external_disease_by_male=9.0)
