"""Ways to impute sex compared: what each leaves out of the variance, its states, and how many draws are enough."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sexstrat.errors import EstimationError
from sexstrat.estimates.cell_arrays import cell_arrays
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.diagnosis.imputation_comparison import COMPARED, compare_imputations
from sexstrat.estimates.diagnosis.imputations_needed import imputations_needed, von_hippel, white_royston_wood
from sexstrat.estimates.imputation import IMPUTATIONS
from sexstrat.estimates.worked_example import worked_arrays, worked_bands, worked_input
from sexstrat.simulation import simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import Target, ValidationDesign

BANDS = AgeBands((20, 60, 75))


def given_of(name: str, n: int, seed: int) -> ComposeInput:
    arrays = cell_arrays(simulate_cells(name, n, seed).cells, BANDS, ValidationDesign.random)
    return replace(worked_input(), arrays=arrays, bands=BANDS)


@pytest.fixture(scope="module")
def crude() -> pd.DataFrame:
    """Return the crude ratio by method, error by disease, 20,000 patients."""
    frame = compare_imputations(given_of("error_by_disease", 20_000, 4)).to_frame()
    chosen = (frame["standard"] == "crude") & (frame["measure"] == "prevalence_ratio")
    return frame[chosen].set_index("method")


def test_each_method_is_there_once(crude: pd.DataFrame) -> None:
    """Six methods in the declared order, each saying whether it can be trusted."""
    assert crude.index.tolist() == list(COMPARED)
    assert crude["validity"].tolist() == [COMPARED[method][0] for method in crude.index]


def test_what_is_left_out_of_the_variance_shows(crude: pd.DataFrame) -> None:
    """SE: single < improper < proper (its own limit within 8 %) < complete case; W is the same for all three."""
    se = crude["se"]
    assert se["single_imputation"] < se["improper_imputation"] < se["proper_imputation"] < se["complete_case"]
    assert se["proper_imputation"] == pytest.approx(se["analytic_limit"], rel=0.08)
    within = crude["within"]
    assert within["improper_imputation"] == pytest.approx(within["proper_imputation"], rel=0.02)


def test_totals_are_rubins(crude: pd.DataFrame) -> None:
    """se^2 = W + (1 + 1/m) B for draws, W + B in the limit, and the Monte Carlo error is sqrt(B / m)."""
    for method in ("improper_imputation", "proper_imputation", "imputation_without_disease"):
        row = crude.loc[method]
        assert row["se"] ** 2 == pytest.approx(row["within"] + (1 + 1 / 400) * row["between"])
        assert row["monte_carlo_se"] == pytest.approx(np.sqrt(row["between"] / 400))
        assert row["monte_carlo_share"] == pytest.approx(row["monte_carlo_se"] / row["se"])
    limit = crude.loc["analytic_limit"]
    assert limit["se"] ** 2 == pytest.approx(limit["within"] + limit["between"])
    assert limit["monte_carlo_se"] == 0
    assert pd.isna(limit["imputations"])
    single = crude.loc["single_imputation"]
    assert single["se"] ** 2 == pytest.approx(single["within"])
    assert single["imputations"] == 1
    assert single[["between", "fmi", "monte_carlo_se"]].isna().all()


def test_without_the_disease_the_error_by_disease_stays(crude: pd.DataFrame) -> None:
    """True ratio 1.40, naive near 1.9: proper imputation covers the truth, the model without disease does not."""
    proper, without = crude.loc["proper_imputation"], crude.loc["imputation_without_disease"]
    assert proper["low"] < 1.40 < proper["high"]
    assert without["low"] > 1.6
    assert (proper["state"], without["state"]) == ("model_based", "naive")


def test_the_default_number_of_imputations_is_always_enough() -> None:
    """B never exceeds T, so 400 draws hold the Monte Carlo error to 5 % of the SE whatever is missing."""
    assert imputations_needed(1.0, 1.0) == IMPUTATIONS == 400
    for between in np.linspace(0, 1, 21):
        total = 0.3 * (1 - between) + between
        assert imputations_needed(between, total) <= IMPUTATIONS


@pytest.mark.parametrize(
    ("fmi", "needed", "rule", "quadratic"), [(0.85, 340, 85, 146), (0.5, 200, 50, 51), (0, 2, 2, 2)]
)
def test_the_three_rules_by_hand(fmi: float, needed: int, rule: int, quadratic: int) -> None:
    """fmi / .0025, 100 fmi and 1 + 200 fmi^2, each rounded up and 2 at least."""
    assert imputations_needed(fmi, 1.0) == needed
    assert white_royston_wood(fmi) == rule
    assert von_hippel(fmi) == quadratic


def test_impossible_variances_are_refused() -> None:
    """B above T, negative, a share of 0 and an fmi of 2 are mistakes, and say so."""
    for between, total in ((2.0, 1.0), (-1.0, 1.0), (0.0, 0.0), (np.nan, 1.0)):
        with pytest.raises(EstimationError, match="between"):
            imputations_needed(between, total)
    with pytest.raises(EstimationError, match="Monte Carlo"):
        imputations_needed(0.5, 1.0, 0.0)
    with pytest.raises(EstimationError, match="fraction of missing information"):
        white_royston_wood(2.0)
    with pytest.raises(EstimationError, match="m = 1"):
        compare_imputations(worked_input(), m=1)


def test_too_few_validated_are_refused_and_complete_cases_still_shown() -> None:
    """With hardly a validated diseased patient no imputation carries a number; its reason stands in the note."""
    arrays = worked_arrays()
    known = arrays.validated & ((arrays.diseased == 0) | (arrays.age_years < 0))
    few = replace(arrays, validated=known, male=arrays.male & known)
    frame = compare_imputations(replace(worked_input(), arrays=few)).to_frame()
    imputed = frame[frame["method"] != "complete_case"]
    assert (imputed["state"] == "refused").all()
    assert imputed[["point", "low", "high", "se"]].isna().all().all()
    assert imputed["note"].str.contains("recorded sex is known for only 0 patients with the disease").all()


def test_one_draw_of_these_very_people_has_no_interval() -> None:
    """Target cohort: an imputed sex taken as recorded leaves no variance, and no interval of zero width is printed."""
    frame = compare_imputations(replace(worked_input(), target=Target.cohort)).to_frame()
    single = frame[frame["method"] == "single_imputation"]
    assert single[["low", "high", "se"]].isna().all().all()
    assert single["note"].str.contains("no interval").all()


def test_a_seed_gives_the_same_table() -> None:
    """The draws depend on the seed alone."""
    first, second = (compare_imputations(worked_input(), m=20).to_frame() for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    other = compare_imputations(replace(worked_input(), seed=1), m=20).to_frame()
    assert not first["point"].equals(other["point"])
    assert len(worked_bands()) == 2
