"""Diagnostics, sensitivity, regression, resampling and planning of degenerate data: a number or a reason."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sexstrat import estimates
from sexstrat.errors import EstimationError
from sexstrat.estimates import ComposeInput, ErrorPriors, Goal, beta_prior
from sexstrat.estimates.cell_arrays import cell_arrays
from sexstrat.estimates.compose import compose_input, estimated
from sexstrat.simulation import People, Setting, cells_of_people, draw_people
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import ValidationDesign

BANDS = AgeBands((20, 50, 65))
ONE = Setting(name="small", auc=0.9, prevalence=0.3, validated=0.3, patients=500)
NO_NUMBER = {"undefined", "refused", "too_few", "not_applicable"}
NEAR = beta_prior(mean=0.9, sd=0.03)
PRIORS = ErrorPriors.alike(sensitivity=NEAR, specificity=NEAR, by_disease=0.8)


@cache
def people() -> People:
    """Return the 500 patients that every case bends."""
    return draw_people(ONE, 500, np.random.default_rng(11))


def chosen(one: People, rows: np.ndarray) -> People:
    fields = {name: getattr(one, name) for name in one.__dataclass_fields__}
    return dataclasses.replace(one, **{name: value[rows] for name, value in fields.items() if value is not None})


def bent(one: People, **values: Any) -> People:
    """Return the patients with some values in place of theirs, one for all or one each."""
    size = one.male.size
    return dataclasses.replace(one, **{name: np.broadcast_to(value, size).copy() for name, value in values.items()})


def scored(one: People, logit: np.ndarray | float) -> People:
    """Return the patients with other scores of the eyes they have."""
    given = np.broadcast_to(np.asarray(logit, dtype=float), one.male.size)[:, None]
    return dataclasses.replace(one, eye_logit=np.where(np.isnan(one.eye_logit), np.nan, given))


def two_cases(one: People) -> People:
    keep = one.validated & ~one.diseased
    for male in (True, False):
        keep[np.flatnonzero(one.validated & one.diseased & (one.male == male))[:1]] = True
    return bent(one, validated=keep)


CASES: Mapping[str, Callable[[People], People]] = {
    "no_cases_in_men": lambda one: bent(one, diseased=one.diseased & ~one.male),
    "no_cases_in_women": lambda one: bent(one, diseased=one.diseased & one.male),
    "nobody_diseased": lambda one: bent(one, diseased=False),
    "everybody_diseased": lambda one: bent(one, diseased=True),
    "men_only": lambda one: chosen(one, one.male),
    "an_empty_band": lambda one: chosen(one, (one.age_years < 50) | (one.age_years >= 65)),
    "one_age": lambda one: bent(one, age_years=70),
    "all_validated": lambda one: bent(one, validated=True, validation_probability=1.0),
    "none_validated": lambda one: bent(one, validated=False),
    "only_men_validated": lambda one: bent(one, validated=one.validated & one.male),
    "two_validated_cases": two_cases,
    "one_site": lambda one: bent(one, site=0),
    "two_sites": lambda one: bent(one, site=np.arange(one.male.size) % 2),
    "constant_score": lambda one: scored(one, 0.7),
    "swapped_score": lambda one: dataclasses.replace(one, eye_logit=-one.eye_logit),
    "perfect_score": lambda one: scored(one, np.where(one.male, 12.0, -12.0)),
    "weights_of_zero": lambda one: bent(one, weight=0.0),
    "validated_weigh_nothing": lambda one: bent(one, weight=np.where(one.validated, 0.0, 1.0)),
    "one_patient": lambda one: chosen(one, np.arange(one.male.size) == 3),
    "two_patients": lambda one: chosen(one, np.arange(one.male.size) < 2),
    "one_unit": lambda one: bent(one, psu=0),
    "three_units": lambda one: bent(one, psu=np.arange(one.male.size) % 3),
    "a_lonely_stratum": lambda one: bent(
        one, stratum=np.arange(one.male.size) // 400, psu=np.where(np.arange(one.male.size) < 400, one.age_years % 9, 0)
    ),
}


@cache
def cells(case: str) -> Cells:
    one = CASES[case](people())
    return cells_of_people(one, one.validated)


@cache
def elsewhere() -> Cells:
    one = draw_people(dataclasses.replace(ONE, name="elsewhere"), 400, np.random.default_rng(12))
    return cells_of_people(one, np.ones(one.male.size, dtype=bool))


Tool = Callable[[ComposeInput, Cells], Any]


def planned(cells: Cells) -> Any:
    return estimates.pilot_cells(cells, bands=BANDS, design="random")


def transport(given: ComposeInput, _: Cells) -> Any:
    other = cell_arrays(elsewhere(), BANDS, ValidationDesign.random)
    return estimates.transport_test(given.arrays, other), estimates.transport_test(other, given.arrays)


def shown(method: str, tool: Callable[..., Any]) -> Tool:
    """Return a tool that reads a composition."""
    return lambda given, _: tool(estimated(given, method))


TOOLS: Mapping[str, Tool] = {
    "diagnose": lambda given, _: estimates.diagnose(given),
    "compare_imputations": lambda given, _: estimates.compare_imputations(given, m=5),
    "transport_test": transport,
    "bias_analysis": lambda given, _: estimates.bias_analysis(given, PRIORS, draws=1000),
    "misclassification_grid": lambda given, _: estimates.misclassification_grid(
        given, sensitivity=(0.8, 0.95), specificity=(0.8, 0.95)
    ),
    "tipping_point_of_score": lambda given, _: estimates.tipping_point_of_score(given, steps=2),
    "tipping_point_of_recording": lambda given, _: estimates.tipping_point_of_recording(given, steps=2),
    "noisy_recorded_sex": shown("complete_case", estimates.noisy_recorded_sex),
    "noisy_recorded_sex_of_auto": shown("auto", estimates.noisy_recorded_sex),
    "noisy_recorded_sex_prior": shown(
        "auto", lambda one: estimates.noisy_recorded_sex_prior(one, beta_prior(mean=0.02, sd=0.01), draws=1000)
    ),
    "band_homogeneity": shown("auto", estimates.band_homogeneity),
    "mantel_haenszel_rows": shown("auto", estimates.mantel_haenszel_rows),
    "mantel_haenszel_rows_of_counts": shown("complete_case", estimates.mantel_haenszel_rows),
    "regression_adjusted": lambda given, _: estimates.regression_adjusted(given, imputations=5),
    "regression_adjusted_logistic": lambda given, _: estimates.regression_adjusted(
        given, link="logistic", imputations=np.inf
    ),
    "regression_adjusted_by_site": lambda given, _: estimates.regression_adjusted(given, imputations=5, cluster="site"),
    "bootstrap_e1": lambda given, _: estimates.bootstrap_e1(given, replicates=30),
    "bootstrap": lambda given, _: estimates.bootstrap(
        given, lambda one: estimated(one, "complete_case"), replicates=10
    ),
    "bootstrap_by_unit": lambda given, _: estimates.bootstrap(
        given, lambda one: estimated(one, "complete_case"), replicates=10, by="psu"
    ),
    "variance_parts": lambda given, _: estimates.variance_parts(given),
    "anticipated_interval": lambda _, some: estimates.anticipated_interval(planned(some), 100),
    "validated_only_interval": lambda _, some: estimates.validated_only_interval(planned(some), 100),
    "optimal_allocation": lambda _, some: estimates.optimal_allocation(planned(some), further=20),
    "needed_validated": lambda _, some: estimates.needed_validated(planned(some), Goal(measure="ratio", width=2.0)),
    "fewest_validated": lambda _, some: estimates.fewest_validated(planned(some)),
}


def tables(found: Any) -> Iterator[pd.DataFrame]:
    """Yield every table of a result."""
    if isinstance(found, pd.DataFrame):
        yield found
    elif hasattr(found, "to_frame"):
        yield found.to_frame()
    elif isinstance(found, tuple | list):
        for one in found:
            yield from tables(one)


def wrong(frame: pd.DataFrame) -> Iterator[str]:
    """Say what is wrong with a table: endless numbers, intervals without width, numbers missing without a reason."""
    for name in frame.select_dtypes("float"):
        if np.isinf(frame[name]).any() and name != "df":  # an infinite df is the normal distribution
            yield f"infinite {name}"
    for low in (name for name in frame if str(name) == "low" or (str(name).endswith("_low") and name != "age_low")):
        lower, upper = frame[low].astype(float), frame[str(low).replace("low", "high")].astype(float)
        if (lower == upper).any():
            yield f"no width: {frame[lower == upper].iloc[0].dropna().to_dict()}"
        if (lower.isna() != upper.isna()).any():
            yield "one limit of two"
    if {"point", "state", "note"} <= set(frame):
        missing = frame[frame["point"].isna()]
        if not missing["state"].isin(NO_NUMBER).all() or (missing["note"].fillna("") == "").any():
            yield f"missing without a state or a reason: {missing.iloc[0].dropna().to_dict()}"


def nameless(found: Any, path: str = "") -> Iterator[str]:
    """Yield the fields that are not a number in a value that says nothing of it."""
    if isinstance(found, float) and math.isnan(found):
        yield path
    elif dataclasses.is_dataclass(found) and getattr(found, "state", "") not in NO_NUMBER:
        for field in dataclasses.fields(found):
            yield from nameless(getattr(found, field.name), f"{path}.{field.name}")


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Impute 20 times instead of 400: what a number is called does not depend on it."""
    monkeypatch.setattr("sexstrat.estimates.imputation.IMPUTATIONS", 20)


@pytest.mark.parametrize("case", CASES)
def test_every_tool_answers_degenerate_data(case: str) -> None:
    """Each tool gives numbers with intervals of some width, a state with its reason, or an error in words."""
    given = compose_input(cells(case), bands=BANDS, design="random")
    found = []
    for name, tool in TOOLS.items():
        try:
            answer = tool(given, cells(case))
        except EstimationError as refusal:
            found += [] if len(str(refusal)) > 20 else [f"{name}: says only {refusal}"]
            continue
        made = list(tables(answer))
        found += [f"{name}: {told}" for frame in made for told in wrong(frame)]
        found += [f"{name}: not a number: {told}" for told in ([] if made else nameless(answer))]
    assert not found, "\n".join(found[:20])


def test_most_tools_answer_ordinary_data() -> None:
    """With 500 patients of one site no tool but those by site or unit refuses: the sweep is not empty."""
    given = compose_input(cells("one_site"), bands=BANDS, design="random")
    refusals = set()
    for name, tool in TOOLS.items():
        try:
            tool(given, cells("one_site"))
        except EstimationError:
            refusals.add(name)
    assert refusals <= {"regression_adjusted_by_site", "bootstrap_by_unit"}


def test_a_perfect_score_has_a_brier_interval_of_some_width() -> None:
    """Every loss is 0: the upper limit is that of a share of which none of n was seen, 1 - .025^(1/n)."""
    given = compose_input(cells("perfect_score"), bands=BANDS, design="random")
    frame = estimates.diagnose(given).to_frame()
    brier = frame[(frame["statistic"] == "brier") & (frame["group"] == "all")].iloc[0]
    assert brier["point"] < 1e-6
    assert brier["high"] == pytest.approx(1 - 0.025 ** (1 / brier["n_validated"]), rel=1e-3)
    assert "none of which was seen" in brier["note"]


@pytest.mark.parametrize("case", ["nobody_diseased", "everybody_diseased"])
def test_mantel_haenszel_without_both_states_is_undefined_with_a_reason(case: str) -> None:
    """Nobody or everybody diseased: no odds ratio, and the state and note say why; no NaN is called a number."""
    one = estimated(compose_input(cells(case), bands=BANDS, design="random"), "complete_case")
    rows = estimates.mantel_haenszel_rows(one).to_frame()
    odds = rows[rows["measure"].str.contains("odds")]
    assert odds["point"].isna().all()
    assert set(odds["state"]) == {"undefined"}
    assert odds["note"].str.len().min() > 10


def test_patients_without_weight_stand_for_nobody() -> None:
    """Where all weights are 0 every diagnostic is too few or undefined, and says so."""
    given = compose_input(cells("weights_of_zero"), bands=BANDS, design="random")
    frame = estimates.diagnose(given).to_frame()
    compared = frame[frame["diagnostic"] == "recorded_against_unrecorded"]
    assert compared["point"].isna().all()
    assert frame.loc[frame["diagnostic"] == "calibration", "state"].isin(["too_few", "undefined"]).all()
