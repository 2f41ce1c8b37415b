"""Prevalence among eyes with every sex known: R's survey (svymean by sex, svyratio) and geepack's independence GEE."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from sexstrat.estimates import compose
from sexstrat.estimates.compose import compose_input
from sexstrat.estimates.eye_rows import eye_rows
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.logit_bins import logit_edges
from sexstrat.values.tables import table_schema

STORED = json.loads((Path(__file__).parent / "outputs" / "eyes.json").read_text(encoding="utf-8"))
BANDS = AgeBands((40, 60))
PLACES = {("crude", None): "crude", ("crude", 40): "young", ("crude", 60): "old", ("user", None): "standardised"}
DIGITS = 1e-6


def rows(*, units: bool) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the rows about eyes by place and figure, of patients drawn one by one or of weighted sampling units."""
    people = pd.DataFrame(STORED["people"])
    weight = people["weight"] if units else pd.Series(1.0, index=people.index)
    frame = pd.DataFrame(
        {
            "condition": "disease",
            "stratum": people["stratum"].astype("str") if units else None,
            "psu": people["psu"].astype("str") if units else None,
            "age_years": people["age"],
            "diseased": people["affected"] > 0,
            "n_graded_eyes": people["graded"],
            "n_diseased_eyes": people["affected"],
            "recorded_sex": people["male"].map({1: "male", 0: "female"}),
            "n_eyes": 0,
            "fold": 0,
            **{"n": 1, "sum_p": 0, "sum_p2": 0, "sum_w": weight, "sum_w2": weight**2},
        }
    )
    cells = Cells(frame=frame.reindex(columns=table_schema("cell").columns), edges=logit_edges())
    given = compose_input(cells, bands=BANDS, design="random")
    one = compose(cells, bands=BANDS, design="random", method="recorded")
    young = people["age"] < 60
    standard = {40: float(weight[young].sum()), 60: float(weight[~young].sum())}
    found = {}
    for row in eye_rows(given, one, [standard]):
        place = PLACES["crude" if row["standard"] == "crude" else "user", row["age_low"]]
        found[place, row["sex"] or row["measure"].removeprefix("eye_prevalence_")] = row
    return found


def on_scale(name: str, point: float) -> float:
    if name in {"male", "female"}:
        return float(logit(point))
    return point if name == "difference" else float(np.log(point))


@pytest.mark.parametrize("kind", ["patients", "units"])
def test_eyes_are_those_of_survey(kind: str) -> None:
    """Points and standard errors of 5 figures at 4 places, patients or sampling units clustered, to 6 digits."""
    found = rows(units=kind == "units")
    for place, figures in STORED[kind].items():
        for name, expected in figures.items():
            row = found[place, name]
            assert on_scale(name, row["point"]) == pytest.approx(expected["point"], rel=DIGITS), (place, name)
            assert row["se"] == pytest.approx(expected["se"], rel=DIGITS), (place, name)


def test_eyes_are_the_ratio_of_affected_to_graded() -> None:
    """The prevalence among the eyes of a sex is svyratio of affected over graded eyes of its patients."""
    found = rows(units=False)
    for sex, (point, se) in STORED["svyratio"].items():
        row = found["crude", sex]
        assert row["point"] == pytest.approx(point, rel=DIGITS)
        assert row["se"] * point * (1 - point) == pytest.approx(se, rel=DIGITS)


def test_contrasts_of_eyes_are_those_of_an_independence_gee() -> None:
    """The log ratio and log odds ratio are geepack's, whose sandwich lacks the factor n / (n - 1)."""
    found = rows(units=False)
    n = len(STORED["people"]["male"])
    for name, measure in (("log_ratio", "ratio"), ("log_odds_ratio", "odds_ratio")):
        row, expected = found["crude", measure], STORED["geepack"][name]
        assert np.log(row["point"]) == pytest.approx(expected["point"], rel=DIGITS)
        assert row["se"] * ((n - 1) / n) ** 0.5 == pytest.approx(expected["se"], rel=DIGITS)
