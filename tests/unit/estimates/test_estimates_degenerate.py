"""Data that no estimator was made for: each answer is a number with its interval, or a state with its reason."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sexstrat.errors import EstimationError
from sexstrat.estimates import ESTIMATORS, Composition, all_estimates, headline_rows, truth_composition
from sexstrat.estimates.compose import compose_input, estimated
from sexstrat.estimates.contrasts import CONTRASTS, contrast_at
from sexstrat.estimates.estimate_rows import Place
from sexstrat.estimates.places import band_places, crude_place, standardised_place
from sexstrat.estimates.prevalence import SEXES, prevalence_row
from sexstrat.estimates.sensitivity.beliefs import Beliefs, stated_priors
from sexstrat.estimates.study_tables import study_tables
from sexstrat.simulation import ExternalCohort, People, Setting, cells_of_people, draw_people
from sexstrat.simulation.external import external_setting
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import Target, ValidationDesign
from sexstrat.values.tables import table_schema

BANDS = AgeBands((20, 50, 65))
BASE = Setting(
    name="small", auc=0.9, prevalence=0.3, validated=0.3, patients=600, external=ExternalCohort(patients=400)
)
STATES = {"corrected", "model_based", "naive", "recorded", "truth", "assumption", "check", "refused", "undefined"}
WITHOUT_NUMBER = {"refused", "undefined"}
WITHOUT_INTERVAL = "a point without an interval"
NO_WEIGHT = re.compile("needs the cohort's own patients by age band|has no weight at the ages of this cohort")
COUNTED_WITHOUT_NOTE = "counted people with an interval of no width and no note"
NUMBERS = ("point", "se", "low", "high")
DESIGNS = tuple(one.value for one in ValidationDesign)
TARGETS = ("population", "cohort")
STANDARDS = ("cohort", "who_2000_2025")


@cache
def people() -> People:
    """Return the 600 patients that every case bends: 30 % diseased, 30 % validated."""
    return draw_people(BASE, 600, np.random.default_rng(7))


def chosen(one: People, rows: np.ndarray) -> People:
    """Return some of the patients."""
    fields = {name: getattr(one, name) for name in one.__dataclass_fields__}
    return replace(one, **{name: value[rows] for name, value in fields.items() if value is not None})


def validated_cases(count: int) -> Callable[[People], People]:
    """Return what leaves a given number of diseased patients validated, as many of the men as of the women."""

    def bend(one: People) -> People:
        keep = one.validated & ~one.diseased
        for male in (True, False):
            keep[np.flatnonzero(one.validated & one.diseased & (one.male == male))[: count // 2]] = True
        return replace(one, validated=keep)

    return bend


def same_for_all(**values: Any) -> Callable[[People], People]:
    """Return what gives all patients one value."""

    def bend(one: People) -> People:
        return replace(one, **{name: np.full_like(getattr(one, name), value) for name, value in values.items()})

    return bend


def _swapped_score(one: People) -> People:
    return replace(one, eye_logit=-one.eye_logit)


def _useless_score(one: People) -> People:
    shuffled = np.random.default_rng(3).permutation(one.male.size)
    return replace(one, eye_logit=one.eye_logit[shuffled], n_eyes=one.n_eyes[shuffled])


def _without_photograph(one: People) -> People:
    return replace(one, n_eyes=np.zeros_like(one.n_eyes), eye_logit=np.full_like(one.eye_logit, np.nan))


def _perfect_score(one: People) -> People:
    return replace(one, eye_logit=np.where(np.isnan(one.eye_logit), np.nan, np.where(one.male, 12.0, -12.0)[:, None]))


def _hospitals(one: People) -> People:
    return replace(one, site=np.arange(one.male.size) % 2, psu=np.arange(one.male.size) % 7)


PATIENTS: Mapping[str, Callable[[People], People]] = {
    "as_drawn": lambda one: one,
    "no_cases_in_men": lambda one: replace(one, diseased=one.diseased & ~one.male),
    "no_cases_in_women": lambda one: replace(one, diseased=one.diseased & one.male),
    "nobody_diseased": lambda one: replace(one, diseased=np.zeros_like(one.diseased)),
    "everybody_diseased": lambda one: replace(one, diseased=np.ones_like(one.diseased)),
    "one_case": lambda one: replace(one, diseased=np.arange(one.male.size) == int(np.flatnonzero(one.validated)[0])),
    "men_only": lambda one: chosen(one, one.male),
    "women_only": lambda one: chosen(one, ~one.male),
    "an_empty_band": lambda one: chosen(one, (one.age_years < 50) | (one.age_years >= 65)),
    "a_band_without_cases": lambda one: replace(one, diseased=one.diseased & (one.age_years >= 50)),
    "a_band_of_cases": lambda one: replace(one, diseased=one.diseased | (one.age_years < 50)),
    "a_band_of_men": lambda one: chosen(one, one.male | (one.age_years >= 50)),
    "a_band_without_validated": lambda one: replace(one, validated=one.validated & (one.age_years >= 50)),
    "one_age": same_for_all(age_years=70),
    "all_outside_the_bands": same_for_all(age_years=10),
    "all_validated": same_for_all(validated=True, validation_probability=1.0),
    "none_validated": same_for_all(validated=False),
    "two_validated_cases": validated_cases(2),
    "ten_validated_cases": validated_cases(10),
    "only_cases_validated": lambda one: replace(one, validated=one.validated & one.diseased),
    "only_men_validated": lambda one: replace(one, validated=one.validated & one.male),
    "one_validated": lambda one: replace(one, validated=np.arange(one.male.size) == 0),
    "all_but_one_validated": lambda one: replace(one, validated=np.arange(one.male.size) > 0),
    "one_site": lambda one: replace(one, site=np.zeros(one.male.size, dtype=np.int64)),
    "two_sites_and_units": _hospitals,
    "one_unit": lambda one: replace(one, psu=np.zeros(one.male.size, dtype=np.int64)),
    "a_unit_for_each": lambda one: replace(one, psu=np.arange(one.male.size)),
    "constant_score": lambda one: replace(one, eye_logit=np.where(np.isnan(one.eye_logit), np.nan, 0.7)),
    "useless_score": _useless_score,
    "swapped_score": _swapped_score,
    "perfect_score": _perfect_score,
    "no_photograph": _without_photograph,
    "no_photograph_of_cases": lambda one: replace(
        one,
        n_eyes=np.where(one.diseased, 0, one.n_eyes),
        eye_logit=np.where(one.diseased[:, None], np.nan, one.eye_logit),
    ),
    "one_patient": lambda one: chosen(one, np.arange(one.male.size) == 3),
    "two_patients": lambda one: chosen(one, np.arange(one.male.size) < 2),
    "sixty_patients": lambda one: chosen(one, np.arange(one.male.size) < 60),
    "tiny_weights": lambda one: replace(one, weight=np.full(one.male.size, 1e-9)),
    "a_huge_weight": lambda one: replace(one, weight=np.where(np.arange(one.male.size) == 5, 1e6, 1.0)),
    "weights_of_zero": lambda one: replace(one, weight=np.zeros(one.male.size)),
    "half_the_weights_zero": lambda one: replace(one, weight=(np.arange(one.male.size) % 2).astype(float)),
}


def _others(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(recorded_sex="other")


def _validated_are_others(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(recorded_sex=frame["recorded_sex"].replace({"male": "other", "female": "other"}))


FRAMES: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "everybody_other": _others,
    "validated_are_others": _validated_are_others,
    "no_cells_but_one": lambda frame: frame.iloc[:1],
}
CASES = (*PATIENTS, *FRAMES)


@cache
def cells(case: str) -> Cells:
    """Return the cells of a case."""
    one = PATIENTS.get(case, PATIENTS["as_drawn"])(people())
    made = cells_of_people(one, one.validated)
    bent = FRAMES.get(case, lambda frame: frame)(made.frame)
    return replace(made, frame=bent.reset_index(drop=True))


@cache
def elsewhere(case: str = "as_drawn") -> Cells:
    """Return the cells of the external cohort, bent as a case asks."""
    there = external_setting(BASE)
    one = PATIENTS[case](draw_people(there, there.patients, np.random.default_rng(8)))
    return cells_of_people(one, np.ones(one.male.size, dtype=bool))


def numbers(row: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a row that are there."""
    found = {name: row.get(name) for name in (*NUMBERS, "df", "fmi")}
    return {name: float(value) for name, value in found.items() if value is not None and not pd.isna(value)}


def wrong(row: Mapping[str, Any], *, the_very_cohort: bool) -> str:
    """Say what is wrong with a row of the contract, or "" where nothing is."""
    found, state, note = numbers(row), row["state"], row.get("note")
    if state not in STATES:
        return f"state {state!r}"
    if not all(math.isfinite(value) for value in found.values()):
        return f"not finite: {found}"
    if state in WITHOUT_NUMBER:
        given = [name for name in NUMBERS if name in found]
        return f"{state} with {given}" if given else "" if note else f"{state} without a reason"
    if "point" not in found:
        return f"{state} without a point"
    if "low" not in found or "high" not in found:
        counted = the_very_cohort and (
            row["n_validated"] == row["n_patients"] or row["n_diseased"] in {0, row["n_patients"]}
        )
        return "" if counted and note else f"{WITHOUT_INTERVAL}, {state}, note {note!r}"
    low, point, high = found["low"], found["point"], found["high"]
    if not low <= point <= high:
        return f"{state}: {point} outside {low} to {high}"
    if low == high and the_very_cohort and row["n_validated"] == row["n_patients"] and not note:
        return COUNTED_WITHOUT_NOTE
    if low == high and not the_very_cohort:
        return f"{state}: an interval without width at {point}, note {note!r}"
    shares = row["measure"] in {"prevalence", "male_share"}
    if (shares and not 0 <= low <= high <= 1) or ("ratio" in row["measure"] and not low > 0):
        return f"{state}: limits {low} to {high} out of range"
    if found.get("df", 1) <= 0 or not 0 <= found.get("fmi", 0) <= 1 or found.get("se", 1) <= 0:
        return f"{state}: df, fmi or se out of range: {found}"
    return ""


def rows_of(one: Composition) -> Iterator[Mapping[str, Any]]:
    """Yield every measure at every place; a standard without patients to weight is an error in words."""
    yield from one.male_share().rows
    for place in (crude_place(one), *band_places(one)):
        yield from rows_at(place)
    for name in STANDARDS:
        try:
            yield from rows_at(standardised_place(one, name))
        except EstimationError as refusal:
            if NO_WEIGHT.search(str(refusal)) is None:
                raise


def rows_at(place: Place) -> Iterator[Mapping[str, Any]]:
    """Yield prevalence and every contrast at one place."""
    for sex in SEXES:
        yield prevalence_row(place, sex)
    for kind in CONTRASTS:
        yield contrast_at(place, kind)


def complaints(one: Composition) -> list[str]:
    """Return everything that is wrong with a composition and its rows."""
    found = []
    if one.state not in STATES or not one.why or not all(isinstance(text, str) and text for text in one.warnings):
        found.append(f"state {one.state!r}, why {one.why!r}, warnings {one.warnings}")
    exact = one.target is Target.cohort
    for row in rows_of(one):
        if told := wrong(row, the_very_cohort=exact):
            place = [row["measure"], row["sex"], row["age_low"], row["standard"]]
            found.append(f"{one.estimator} {one.target.value} {place}: {told}")
    return found


def answers(case: str, design: str, target: str, external: Cells | None) -> Iterator[str]:
    """Yield what is wrong with what each estimator says about a case under a design."""
    given = compose_input(cells(case), bands=BANDS, design=design, target=target, external=external)
    for method in ESTIMATORS:
        try:
            yield from complaints(estimated(given, method))
        except EstimationError as refusal:
            yield f"{method} raises: {refusal}"


def outside(design: str) -> Cells | None:
    """Return the external cohort for the design that needs one."""
    return elsewhere() if design == "external" else None


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Impute, and draw for EMQ, 20 times instead of 400: what a number is called does not depend on it."""
    monkeypatch.setattr("sexstrat.estimates.imputation.IMPUTATIONS", 20)
    monkeypatch.setattr("sexstrat.estimates.quantification_composition.DRAWS", 20)


TARGETS_OF = {"random": TARGETS, "external": TARGETS, "may_depend_on_sex": TARGETS}


def degenerate(designs: tuple[str, ...]) -> list[Any]:
    """Return every case under some designs."""
    return [pytest.param(case, design) for case in CASES for design in designs]


@pytest.mark.parametrize(("case", "design"), degenerate(DESIGNS))
def test_every_estimator_answers_degenerate_data(case: str, design: str) -> None:
    """Under every design and target each estimator gives numbers with intervals, or a state with its reason."""
    found = [
        told
        for target in TARGETS_OF.get(design, TARGETS[:1])
        for told in answers(case, design, target, outside(design))
    ]
    assert not found, "\n".join(found[:20])


@pytest.mark.parametrize("case", ["nobody_diseased", "everybody_diseased", "a_band_without_cases", "a_band_of_cases"])
def test_a_population_never_has_a_number_without_an_interval(case: str) -> None:
    """A difference of 0 where nobody is diseased, or a ratio of 1 where all are, has limits, or is undefined."""
    assert not list(answers(case, "random", "population", None))


def test_counted_people_of_a_cohort_are_said_to_be_counted() -> None:
    """Everybody recorded but one: the other bands of the very cohort are counts, which the note says."""
    assert not list(answers("all_but_one_validated", "random", "cohort", None))


def test_no_limit_is_infinite() -> None:
    """One degree of freedom and a wide log ratio: the limits are numbers, or there is no interval and a reason."""
    assert not list(answers("a_band_of_men", "known_probability", "cohort", None))


BENT_OUTSIDE = [case for case in PATIENTS if "weight" not in case and "validated" not in case and "unit" not in case]


@pytest.mark.parametrize("case", BENT_OUTSIDE)
def test_a_degenerate_external_cohort_is_told(case: str) -> None:
    """An external cohort that cannot teach the score's errors ends in a refusal, not in a confident number."""
    given = compose_input(cells("none_validated"), bands=BANDS, design="external", external=elsewhere(case))
    for method in ("auto", "E4", "E5", "matrix", "matrix_pooled", "pacc", "emq", "simex"):
        one = estimated(given, method)
        assert not complaints(one)
        allowed = {"matrix_pooled": {"naive"}, "simex": {"check"}}.get(method, {"model_based", "assumption"})
        assert one.state in {"refused", *allowed}
        taught = {"men_only", "women_only", "swapped_score", "constant_score", "no_photograph", "one_patient"}
        if case in taught | {"two_patients", "useless_score"}:
            assert one.state == "refused", case


@pytest.mark.parametrize(("case", "design"), degenerate(("random", "external")))
def test_a_whole_study_of_degenerate_data_is_told(case: str, design: str) -> None:
    """The table of a study has one row a key, each with a number or a reason, and one headline row a question."""
    settings = {"bands": BANDS, "design": design, "external": outside(design), "standards": ("who_2000_2025",)}
    try:
        frame, choices = all_estimates(cells(case), **settings)
    except EstimationError as refusal:
        if case in {"all_outside_the_bands", "everybody_other", "weights_of_zero"} and NO_WEIGHT.search(str(refusal)):
            return
        raise
    key = list(table_schema("estimate").primary_key)
    assert not frame.duplicated(key).any()
    told = [wrong(row, the_very_cohort=False) for row in frame.to_dict("records")]
    assert not [one for one in told if one]
    head = headline_rows(frame, choices, BANDS)
    assert not head.duplicated([name for name in key if name != "estimator"]).any()
    assert set(head["state"]) <= {"corrected", "model_based", "recorded", "assumption", "refused", "undefined"}
    assert len(head) == 5 * (2 + len(BANDS)) + 1 + len(BANDS)  # five figures a place, and shares of men


@pytest.mark.parametrize("target", TARGETS)
def test_everybody_recorded_is_counted_under_every_design(target: str) -> None:
    """With every sex recorded, recording needs no model, and E1, E2 and auto count the same people."""
    for design in ("random", "known_probability", "modelled"):
        points = [
            [
                row["point"]
                for row in estimated(
                    compose_input(cells("all_validated"), bands=BANDS, design=design, target=target), method
                )
                .contrast("ratio")
                .rows
            ]
            for method in ("recorded", "auto", "E1", "E2")
        ]
        for other in points[1:]:
            np.testing.assert_allclose(other, points[0], rtol=1e-12)


def test_weights_that_add_up_to_zero_are_refused() -> None:
    """Patients who stand for nobody have no estimate, and the reason says so."""
    for design, method in (("random", "E1"), ("random", "E2"), ("external", "E4"), ("external", "auto")):
        given = compose_input(cells("weights_of_zero"), bands=BANDS, design=design, external=outside(design))
        one = estimated(given, method)
        assert one.state == "refused"
        assert "weights of the 600 patients add up to 0" in one.why


def test_the_truth_of_degenerate_data_is_counted() -> None:
    """Known sexes give the truth without an interval, with a note, or undefined with a reason: never a guess."""
    for case in CASES:
        bent = PATIENTS.get(case)
        if bent is None:
            continue
        one = bent(people())
        known = replace(one, validation_probability=np.ones(one.male.size))
        truth = truth_composition(cells_of_people(known, np.ones(one.male.size, dtype=bool)), bands=BANDS)
        assert truth.state == "truth"
        for row in truth.contrast("ratio").rows:
            assert row["state"] in {"truth", "undefined"} and row["note"]
            assert "low" not in row


def test_degenerate_tables_print_no_nan() -> None:
    """The printed table of refused and undefined figures leaves cells empty."""
    for case in ("nobody_diseased", "two_validated_cases", "men_only"):
        given = compose_input(cells(case), bands=BANDS, design="random")
        printed = estimated(given, "auto").contrast("ratio")._repr_html_()
        assert "nan" not in printed.lower().replace("nance", "") and "inf<" not in printed


FEW = ("nobody_diseased", "only_men_validated", "swapped_score", "two_validated_cases", "all_validated", "one_patient")


@pytest.mark.parametrize("case", FEW)
@pytest.mark.parametrize("design", ["random", "none"])
def test_what_stands_beside_degenerate_data_is_told(case: str, design: str) -> None:
    """Diagnostics, what-if and imputation tables keep their contracts, and no interval is infinite or without width."""
    beliefs = Beliefs(
        priors=stated_priors(sensitivity=(0.8, 0.95), specificity=(0.8, 0.95)), recorded_sex_error=0.01, draws=1_000
    )
    found = study_tables(cells(case), bands=BANDS, design=design, beliefs=beliefs)
    for name, table in (("diagnostics", "diagnostic"), ("sensitivity", "sensitivity"), ("imputation", "imputation")):
        frame, schema = getattr(found, name), table_schema(table)
        assert not frame.duplicated(list(schema.primary_key)).any()
        limits = frame.loc[frame["low"].notna(), ["low", "high"]].to_numpy(dtype=float)
        assert np.isfinite(limits).all() and (limits[:, 0] < limits[:, 1]).all(), name
        without = frame[frame["point"].isna()]
        assert not without["state"].isin(("measured", "bias_analysis", "companion", "corrected")).any(), name
