"""Replicates of simulated cohorts, judged against the truth of the declared target."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sexstrat.estimates import ESTIMATORS, ComposeInput, Composition, truth_composition
from sexstrat.estimates.cell_arrays import cell_arrays
from sexstrat.estimates.imputation import analytic, imputed_composition
from sexstrat.estimates.recalibration import recalibrate
from sexstrat.estimates.refusal import ENOUGH_VALIDATED, reason_to_refuse
from sexstrat.simulation import Setting, setting, simulate_cells, true_composition
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import Target
from sexstrat.values.tables import table_schema

BANDS = AgeBands((20, 50, 60, 70, 80))
KEY = ["measure", "sex", "standard", "age_low"]


def read(one: Composition) -> list[dict[str, Any]]:
    """Return prevalence, ratio and difference: crude, by band, standardised to the cohort's ages."""
    parts = (one.prevalence("cohort"), one.contrast("ratio", "cohort"), one.contrast("difference", "cohort"))
    return [row for part in parts for row in part.rows]


def population_truth(one: Setting, ages: np.ndarray) -> list[float]:
    """Return the population's values in the order of ``read``, standardised to the cohort's ages."""
    shares = true_composition(one, BANDS.lows)
    total = shares.sum(axis=0)
    crude = total[1] / total.sum(axis=0)
    by_band = shares[:, 1] / shares.sum(axis=1)
    female, male = np.vstack([crude, by_band, (ages / ages.sum()) @ by_band]).T
    return list(np.concatenate([np.column_stack([male, female]).ravel(), male / female, male - female]))


def without_draws(given: ComposeInput) -> Composition:
    """Return E2 in its analytic limit, which a test holds against the draws, so that many replicates are quick."""
    if reason_to_refuse(given) is not None:
        return ESTIMATORS["E2"](given)
    few = given.arrays.n_validated.sum(axis=0).min() < ENOUGH_VALIDATED
    model = recalibrate(given.arrays, shrink=bool(few))
    return imputed_composition(given, analytic(given.arrays, model), shrunk=bool(few))


def replicate(one: Setting, n: int, seed: int, targets: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return every estimator's rows for every target, with the truth of that target beside them."""
    both = simulate_cells(one, n, seed)
    known = truth_composition(both.truth, bands=BANDS)
    arrays = cell_arrays(both.cells, BANDS, one.design)
    ages = known.n.sum(axis=1)
    rows = []
    for target in targets:
        realised = [row.get("point", np.nan) for row in read(known)]
        truth = realised if target == "cohort" else population_truth(one, ages)
        given = ComposeInput(
            condition="disease", bands=BANDS, arrays=arrays, design=one.design, target=Target(target), seed=seed
        )
        for name, estimator in RUNS.items():
            made = dataclasses.replace(estimator(given), cohort_ages=ages)
            for row, true in zip(read(made), truth, strict=True):
                rows.append({**row, "truth": true, "run": name, "target": target})
    return rows


RUNS: dict[str, Callable[[ComposeInput], Composition]] = {
    "E1": ESTIMATORS["E1"],
    "E2": without_draws,
    "complete_case": ESTIMATORS["complete_case"],
}


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Return coverage, bias in empirical standard errors, its Monte Carlo error, and the median width on the scale."""
    on_log = rows["measure"] == "prevalence_ratio"

    def scaled(name: str) -> pd.Series:
        return rows[name].where(~on_log, np.log(rows[name].where(rows[name] > 0)))

    rows = rows.assign(
        covered=((rows["low"] <= rows["truth"]) & (rows["truth"] <= rows["high"])).astype(float),
        error=scaled("point") - scaled("truth"),
        width=scaled("high") - scaled("low"),
        rejected=((rows["low"] > 1) | (rows["high"] < 1)).astype(float),
        answered=rows["point"].notna().astype(float),
    )
    grouped = rows.groupby(["target", "run", *KEY], dropna=False)
    table = grouped.agg(
        coverage=("covered", "mean"),
        bias=("error", "mean"),
        spread=("error", "std"),
        width=("width", "median"),
        rejected=("rejected", "mean"),
        answered=("answered", "mean"),
        replicates=("covered", "size"),
        validated=("n_validated", "mean"),
        validated_diseased=("n_validated_diseased", "mean"),
    ).reset_index()
    table["bias_in_se"] = table["bias"] / table["spread"]
    table["bias_error"] = 1 / np.sqrt(table["replicates"])
    return table


def run(
    name: str, *, replicates: int, targets: tuple[str, ...] = ("population",), n: int = 20_000, first_seed: int = 10_000
) -> pd.DataFrame:
    """Return the summary of many replicates of a setting."""
    one = setting(name)
    seeds = range(first_seed, first_seed + replicates)
    rows = [row for seed in seeds for row in replicate(one, n, seed, targets)]
    return summary(pd.DataFrame(rows, columns=[*table_schema("estimate").columns, "truth", "run", "target"]))


@pytest.fixture(scope="session")
def coverage() -> Callable[..., pd.DataFrame]:
    """Return the function that runs replicates of a setting."""
    return run
