"""Bootstrap intervals against R's boot package (scripts/bootstrap.R): the same replicates, and the same people."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sexstrat.estimates import ComposeInput
from sexstrat.estimates.cell_arrays import cell_arrays
from sexstrat.estimates.resampling.bootstrap_e1 import bootstrap_e1
from sexstrat.estimates.resampling.bootstrap_intervals import acceleration, bca_interval, percentile_interval
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import Target, ValidationDesign
from sexstrat.values.logit_bins import FIXED_POINT, logit_edges
from sexstrat.values.tables import table_schema

STORED = json.loads((Path(__file__).parent / "outputs" / "bootstrap.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("stored", STORED["same"]["intervals"], ids=lambda one: str(one["level"]))
def test_the_same_replicates_give_the_same_intervals(stored: dict) -> None:
    """Percentile and BCa limits of 999 stored replicates at 80, 95 and 99 % equal boot.ci's to six digits."""
    replicates, level = STORED["same"]["replicates"], stored["level"]
    a = float(acceleration(STORED["same"]["influence"]))
    bca = bca_interval(replicates, point=STORED["point"], acceleration=a, level=level)
    percentile = percentile_interval(replicates, level=level)
    np.testing.assert_allclose((percentile.low, percentile.high), stored["percentile"], rtol=1e-6)
    np.testing.assert_allclose((bca.low, bca.high), stored["bca"], rtol=1e-6)


def all_known() -> ComposeInput:
    """Return R's 600 people as cells in which everybody's sex is known for certain."""
    counts = STORED["counts"]
    rows = [
        {
            "diseased": state == "diseased",
            "recorded_sex": "male" if who == "men" else "female",
            "n": round(n / 2),
            "fold": fold,
        }
        for (who, state), n in ((name.split("_"), n) for name, n in counts.items())
        for fold in (0, 1)
    ]
    frame = pd.DataFrame(rows).reindex(columns=table_schema("cell").columns)
    frame = frame.assign(condition="disease", age_years=50, n_eyes=2, logit_bin=100)
    n = frame["n"].to_numpy(dtype=float)
    frame = frame.assign(sum_p=(n * FIXED_POINT / 2).astype(int), sum_p2=(n * FIXED_POINT / 4).astype(int))
    frame = frame.assign(**{name: n for name in frame if name.startswith("sum_w")})
    bands, design = AgeBands((20,)), ValidationDesign.known_probability
    arrays = cell_arrays(Cells(frame=frame, edges=logit_edges()), bands, design)
    return ComposeInput(condition="disease", bands=bands, arrays=arrays, design=design, target=Target.population)


@pytest.mark.parametrize("scheme", ["poisson", "multinomial"])
def test_the_same_people_give_the_same_intervals_within_monte_carlo_error(scheme: str) -> None:
    """8,000 resamples of R's 600 people by cells: the log ratio's standard error and limits within simulation error."""
    found = bootstrap_e1(all_known(), replicates=8_000, scheme=scheme)
    index = next(i for i, key in enumerate(found.keys) if key.measure == "prevalence_ratio")
    assert found.point[index] == pytest.approx(STORED["point"], rel=1e-9)
    theirs, se = STORED["many"]["interval"], STORED["many"]["se"]
    values = found.replicates[:, index]
    assert values.std(ddof=1) == pytest.approx(se, rel=4 / (2 * 8_000) ** 0.5 * 1.2)
    for kind in ("percentile", "bca"):
        row = found.intervals(kind).iloc[index]
        # the standard error of a 2.5 % quantile is sqrt(.025 x .975 / R) / density, about 2.7 se / sqrt(R)
        tolerance = 4 * 2.7 * se * (1 / 8_000 + 1 / 20_000) ** 0.5
        np.testing.assert_allclose(np.log([row["low"], row["high"]]), theirs[kind], atol=tolerance)
