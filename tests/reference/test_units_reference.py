"""Every estimator of a sample drawn in units within strata, against R's survey, mitools and numerical derivatives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from sexstrat.estimates import Composition, compose
from sexstrat.estimates.clustered_imputation import ImputedMargin, imputation_model
from sexstrat.estimates.compose import compose_input
from sexstrat.estimates.degrees_of_freedom import rubin_pool
from sexstrat.estimates.measures import Smooth, difference, log_odds_ratio, log_ratio, prevalence_of
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.logit_bins import FIXED_POINT, logit_edges, logit_midpoints
from sexstrat.values.tables import table_schema

EXPECTED = json.loads((Path(__file__).parent / "outputs" / "units.json").read_text(encoding="utf-8"))
ALL, OLD = AgeBands((40,)), AgeBands((60,))
FORMULAS = {"log_ratio": log_ratio, "difference": difference, "log_odds_ratio": log_odds_ratio}


def cells_of(table: dict[str, list[Any]], sex: np.ndarray) -> Cells:
    """Return stored patients as cells of one each; ``sex`` is 1, 0 or -1 for not recorded."""
    people = pd.DataFrame(table)
    edges = logit_edges()
    people["logit_bin"] = np.abs(people["logit"].to_numpy()[:, None] - logit_midpoints(edges)).argmin(axis=1)
    people["recorded_sex"] = pd.Series(sex).map({1: "male", 0: "female", -1: "unknown"})
    people["fold"] = pd.Series(np.arange(len(people)) % 5).where(pd.Series(sex) >= 0)
    p = expit(people["logit"])
    keys = {"age_years": people["age"], "diseased": people["diseased"].astype(bool), "condition": "disease", "n": 1}
    keys |= {"psu": people["psu"].astype(str), "stratum": people["stratum"].astype(str)}
    sums = {"sum_w": people["weight"], "sum_w2": people["weight"] ** 2, "sum_p": p * FIXED_POINT}
    frame = people.assign(**keys, **sums, sum_p2=p**2 * FIXED_POINT).reindex(columns=table_schema("cell").columns)
    frame[["logit_bin", "fold"]] = frame[["logit_bin", "fold"]].astype("Int64")
    frame.loc[frame["n_eyes"] == 0, "logit_bin"] = pd.NA
    return Cells(frame=frame, edges=edges)


def seen() -> np.ndarray:
    people = EXPECTED["people"]
    return np.where(np.array(people["known"]) == 1, people["male"], -1)


def measured(one: Composition, kind: str) -> tuple[Smooth, float]:
    """Return a crude contrast of all ages and its standard error."""
    found = FORMULAS[kind](*(prevalence_of(one.overall, sex, np.ones(1)) for sex in ("male", "female")))
    return found, one.overall.uncertainty(found.by_pi, found.by_n).variance ** 0.5


@pytest.mark.parametrize("method", ["recorded", "complete_case", "naive_threshold", "naive_weighted"])
def test_counts_are_those_of_survey(method: str) -> None:
    """Ratio, difference and odds ratio with standard errors over units are those of svyby, svytotal and svycontrast."""
    sex = np.array(EXPECTED["people"]["male"]) if method == "recorded" else seen()
    expected = EXPECTED[method]
    for bands, place in ((ALL, expected.get("all", expected)), (OLD, expected.get("old", {}))):
        one = compose(cells_of(EXPECTED["people"], sex), bands=bands, design="random", method=method)
        for kind, figures in place.items():
            found, se = measured(one, kind)
            assert found.value == pytest.approx(figures["point"], rel=1e-6)
            assert se == pytest.approx(figures["se"], rel=1e-6)
            assert one.overall.uncertainty(found.by_pi, found.by_n).df == EXPECTED["recorded"]["df"]


def test_given_imputations_pool_as_by_mitools() -> None:
    """Five stored imputations, each counted over units, pooled with units less strata: MIcombine's point, T and df.

    For the complete data's degrees of freedom mitools takes W / (W + B) where Barnard and Rubin (equation 3) have
    W / (W + (1 + 1/m) B); with that share ours are its to six digits.
    """
    points, variances = [], []
    for sex in EXPECTED["imputed"]:
        one = compose(cells_of(EXPECTED["people"], np.array(sex)), bands=ALL, design="random", method="recorded")
        found, se = measured(one, "log_ratio")
        points.append(found.value)
        variances.append(se**2)
    expected = EXPECTED["combined"]
    pooled = rubin_pool(points, variances, complete_df=expected["complete_df"])
    assert pooled.point == pytest.approx(expected["point"], rel=1e-6)
    assert pooled.total == pytest.approx(expected["variance"], rel=1e-6)
    m, c, extra = 5, expected["complete_df"], 1.2 * pooled.between
    for share, df in ((pooled.between, expected["df"]), (extra, pooled.df)):
        observed = (c + 1) / (c + 3) * c * pooled.within / (pooled.within + share)
        assert 1 / ((extra / pooled.total) ** 2 / (m - 1) + 1 / observed) == pytest.approx(df, rel=1e-6)


def test_every_part_of_e2_is_that_of_r(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of E2: point, W, B from the sandwich over units, and the linearised total agree to six digits."""
    monkeypatch.setattr("sexstrat.estimates.imputation.MAXIMUM_DRAWS", 0)
    cells, expected = cells_of(EXPECTED["people"], seen()), EXPECTED["e2"]
    one = compose(cells, bands=ALL, design="random", method="E2")
    model = imputation_model(compose_input(cells, bands=ALL, design="random"))
    assert model.beta == pytest.approx(expected["beta"], rel=1e-6)
    assert model.covariance == pytest.approx(np.array(expected["covariance"]), rel=1e-5, abs=1e-8)
    found, _ = measured(one, "log_ratio")
    margin = one.overall
    assert isinstance(margin, ImputedMargin)
    assert one.crude_pi == pytest.approx(expected["pi"], rel=1e-6)
    assert found.value == pytest.approx(expected["point"], rel=1e-6)
    assert margin.units_variance(found.by_pi, found.by_n) == pytest.approx(expected["linearised"], rel=1e-6)
    g = found.by_pi.ravel()
    assert margin.between is not None
    assert g @ margin.between @ g == pytest.approx(expected["between"], rel=1e-6)
    parts = margin.pooled(found.by_pi, found.by_n)
    assert parts.within == pytest.approx(expected["within"], rel=1e-6)
    least = expected["within"] + expected["noise"]
    assert parts.total == pytest.approx(max(expected["linearised"] + expected["silent"], least), rel=1e-6)
    assert parts.within < parts.total


@pytest.mark.parametrize("place", ["own", "external"])
def test_e4_over_units_is_that_of_r(place: str) -> None:
    """Shares, ratio and standard error, labelled people in units of their own or the cohort's, to six digits."""
    expected = EXPECTED[f"e4_{place}"]
    people, other = EXPECTED["people"], EXPECTED["other"]
    if place == "own":
        one = compose(cells_of(people, seen()), bands=ALL, design="may_depend_on_sex", method="E4")
    else:
        nobody, there = np.full(len(people["male"]), -1), cells_of(other, np.array(other["male"]))
        one = compose(cells_of(people, nobody), bands=ALL, design="external", method="E4", external=there)
    found, se = measured(one, "log_ratio")
    assert one.crude_pi == pytest.approx(expected["pi"], rel=1e-6)
    assert found.value == pytest.approx(expected["point"], rel=1e-6)
    assert se == pytest.approx(expected["se"], rel=1e-6)
