"""Coverage of prevalence among eyes and among persons where the disease is recorded eye by eye."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from sexstrat.estimates import ComposeInput
from sexstrat.estimates.cell_arrays import cell_arrays
from sexstrat.estimates.compose import ESTIMATORS
from sexstrat.estimates.eye_composition import eye_composition
from sexstrat.estimates.eye_informative import informative_eyes
from sexstrat.estimates.imputation import analytic, imputed_composition
from sexstrat.estimates.recalibration import recalibrate
from sexstrat.simulation import (
    Setting,
    setting,
    simulate_cells,
    true_composition,
    true_eye_prevalence,
    true_eye_prevalence_by_band,
    with_knobs,
)
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import Target

BANDS = AgeBands((20, 50, 60, 70, 80))
ENOUGH_EXPECTED = 30  # validated patients expected in both disease states of a band whose coverage is judged
SETTINGS = {
    "eye_level_disease": setting("eye_level_disease"),
    "informative_eyes": with_knobs(setting("informative_eyes"), by_eye=True),
}
WAYS = ("male", "female", "ratio", "difference")


def _values(by_sex: np.ndarray) -> dict[str, float]:
    female, male = by_sex
    return {"male": male, "female": female, "ratio": male / female, "difference": male - female}


def truths(one: Setting, ages: np.ndarray) -> dict[tuple[str, str], dict[str, float]]:
    """Return what is true of persons and of eyes: crude, by band, and standardised to a cohort's ages."""
    shares = true_composition(one, BANDS.lows)
    total = shares.sum(axis=0)
    persons = shares[:, 1] / shares.sum(axis=1)
    eyes = true_eye_prevalence_by_band(one, BANDS.lows)
    found = {("persons", "crude"): _values(total[1] / total.sum(axis=0))}
    found["eyes", "crude"] = _values(np.array(true_eye_prevalence(one)))
    for unit, by_band in (("persons", persons), ("eyes", eyes)):
        found[unit, "standardised"] = _values(ages / ages.sum() @ by_band)
        found |= {(unit, str(low)): _values(by_band[band]) for band, low in enumerate(BANDS.lows)}
    return found


def replicate(one: Setting, n: int, seed: int) -> list[dict[str, Any]]:
    cells = simulate_cells(one, n, seed).cells
    arrays = cell_arrays(cells, BANDS, one.design)
    given = ComposeInput(condition="disease", bands=BANDS, arrays=arrays, design=one.design, target=Target.population)
    true = truths(one, arrays.weights[0].sum(axis=1))
    model = recalibrate(arrays)
    answers = {"E1": ESTIMATORS["E1"](given), "E2": imputed_composition(given, analytic(arrays, model))}
    rows = []
    for estimator, persons in answers.items():
        for unit, composition in (("persons", persons), ("eyes", eye_composition(given, persons))):
            parts = [composition.prevalence("cohort"), *(composition.contrast(kind, "cohort") for kind in WAYS[2:])]
            for row in (row for part in parts for row in part.rows):
                where = "standardised" if row["standard"] == "cohort" else str(row["age_low"] or "crude")
                way = row["sex"] or row["measure"].removeprefix("prevalence_")
                truth = true[unit, where][way]
                covered = row["low"] <= truth <= row["high"] if row.get("low") is not None else np.nan
                rows.append(
                    {"estimator": estimator, "unit": unit, "where": where, "way": way, "truth": truth}
                    | {"covered": covered, "error": row.get("point", np.nan) - truth, "seed": seed}
                )
    found = informative_eyes(given)
    rows.append({"estimator": "test", "unit": "eyes", "where": "crude", "way": "rejects", "covered": found.rejects})
    return rows


def run(name: str, n: int, seeds: range) -> pd.DataFrame:
    rows = [row for seed in seeds for row in replicate(SETTINGS[name], n, seed)]
    keys = ["estimator", "unit", "where", "way"]
    frame = pd.DataFrame(rows)
    frame["covered"] = frame["covered"].astype(float)
    frame = frame.groupby(keys).agg(
        coverage=("covered", "mean"),
        answered=("covered", "count"),
        bias=("error", "mean"),
        sd=("error", "std"),
    )
    return frame.reset_index()


def judged_bands(one: Setting) -> set[str]:
    """Name the places with enough validated patients expected in both disease states."""
    expected = true_composition(one, BANDS.lows).sum(axis=2) * one.patients * one.validated
    enough = (expected >= ENOUGH_EXPECTED).all(axis=1)
    return {"crude", "standardised", *(str(low) for low, good in zip(BANDS.lows, enough, strict=True) if good)}


@pytest.mark.parametrize("name", SETTINGS)
def test_eyes_and_persons_are_covered_in_a_few_cohorts(name: str) -> None:
    """In 12 cohorts of 8,000 the crude intervals hold the truth of their own unit at least 9 times."""
    found = run(name, 8_000, range(12))
    crude = found[(found["where"] == "crude") & (found["estimator"] != "test")]
    assert len(crude) == 2 * 2 * len(WAYS)
    assert crude["answered"].eq(12).all()
    assert crude["coverage"].ge(9 / 12).all(), crude


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_eyes_and_persons_are_covered_in_500_cohorts(name: str) -> None:
    """E1 and E2 cover prevalence, ratio and difference of eyes and of persons in [.92, .98], and are not biased."""
    found = run(name, SETTINGS[name].patients, range(1_000, 1_500))
    judged = found[found["where"].isin(judged_bands(SETTINGS[name])) & (found["estimator"] != "test")]
    assert judged["coverage"].between(0.92, 0.98).all(), judged[~judged["coverage"].between(0.92, 0.98)]
    error = judged["bias"].abs() - 2 * judged["sd"] / judged["answered"] ** 0.5
    assert (error < 0.15 * judged["sd"]).all()
    rejected = float(found.loc[found["estimator"] == "test", "coverage"].iloc[0])
    assert rejected > 0.95, "the number of graded eyes is informative in both settings"
