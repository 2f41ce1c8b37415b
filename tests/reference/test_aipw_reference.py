"""E1 and the limit of E2, shares and variances, against R on patients one by one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sexstrat.estimates import compose
from sexstrat.estimates.compose import compose_input
from sexstrat.estimates.imputation import analytic
from sexstrat.estimates.recalibration import recalibrate
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.logit_bins import logit_edges, logit_midpoints
from sexstrat.values.tables import table_schema

OUTPUTS = Path(__file__).parent / "outputs"


def stored_cells() -> Cells:
    """Return the stored patients as cells, each score in its bin."""
    people = pd.DataFrame(json.loads((OUTPUTS / "aipw_input.json").read_text(encoding="utf-8")))
    middles = logit_midpoints(logit_edges())
    people["logit_bin"] = np.abs(people["logit"].to_numpy()[:, None] - middles).argmin(axis=1)
    people["recorded_sex"] = people["sex"].map({1: "male", 0: "female", -1: "unknown"})
    people["fold"] = people["fold"].where(people["sex"] >= 0)
    keys = {"age_years": people["age"], "diseased": people["diseased"].astype(bool)}
    frame = people.assign(**keys, condition="disease", n=1, sum_w=1.0, sum_w2=1.0, sum_p=0, sum_p2=0)
    frame = frame.reindex(columns=table_schema("cell").columns)
    frame[["logit_bin", "fold"]] = frame[["logit_bin", "fold"]].astype("Int64")
    frame.loc[frame["n_eyes"] == 0, "logit_bin"] = pd.NA
    return Cells(frame=frame, edges=logit_edges())


@pytest.mark.parametrize("target", ["population", "cohort"])
def test_e1_is_that_of_r(target: str) -> None:
    """Shares of men without and with the disease, and their variances, agree to six digits."""
    expected = json.loads((OUTPUTS / "aipw.json").read_text(encoding="utf-8"))
    one = compose(stored_cells(), bands=AgeBands((40,)), design="random", method="E1", target=target)
    assert one.crude_pi == pytest.approx(expected["pi"], abs=1e-6)
    assert np.diag(one.crude_covariance) == pytest.approx(expected[target], rel=1e-6)


def test_the_limit_of_e2_is_that_of_r() -> None:
    """Shares of infinitely many imputations and their between variance agree to six digits."""
    expected = json.loads((OUTPUTS / "aipw.json").read_text(encoding="utf-8"))
    arrays = compose_input(stored_cells(), bands=AgeBands((40,)), design="random").arrays
    found = analytic(arrays, recalibrate(arrays))
    assert found.pi == pytest.approx(expected["imputed"], abs=1e-6)
    assert np.diag(found.between) == pytest.approx(expected["between"], rel=1e-5)
