"""Regressions on cells against R on patients (glm, sandwich, geepack, mice) and against statsmodels GEE.

``scripts/regression.R`` made ``outputs/regression.json`` from 2,400 patients of eight sites, from 44 of them, and from
the twenty imputations of the worked example that ``scripts/regression_imputed_men.py`` wrote.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from sexstrat.estimates import ComposeInput
from sexstrat.estimates.cell_arrays import cell_arrays
from sexstrat.estimates.numbers.mean_model import LINKS, MeanModel, fit_mean_model
from sexstrat.estimates.regression.regression_adjusted import regression_adjusted
from sexstrat.estimates.regression.robust_variance import Counts, cluster_variance, patient_variance
from sexstrat.estimates.worked_example import worked_input
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import Target, ValidationDesign
from sexstrat.values.logit_bins import logit_edges
from sexstrat.values.tables import table_schema

OUTPUT = Path(__file__).parent / "outputs" / "regression.json"
STORED: dict[str, Any] = json.loads(OUTPUT.read_text(encoding="utf-8"))


def fitted(table: str, link: str) -> tuple[np.ndarray, MeanModel, Counts, np.ndarray, np.ndarray]:
    """Return covariates, fit, counts, slope of the mean and site of the stored patients, grouped."""
    frame = pd.DataFrame(STORED[table])
    x = np.column_stack([np.ones(len(frame)), frame["male"], (frame["age"] - 60) / 10]).astype(float)
    counts = Counts.unweighted(frame["cases"].to_numpy(float), frame["people"].to_numpy(float))
    fit = fit_mean_model(x, counts.cases, counts.people, link)
    assert fit is not None
    site = np.unique(frame["site"], return_inverse=True)[1].astype(np.int64)
    return x, fit, counts, LINKS[link].slope(x @ fit.beta), site


def known_input(target: Target = Target.population) -> ComposeInput:
    """Return the stored patients as cells, every sex recorded."""
    counts = pd.DataFrame(STORED["counts"])
    both = [counts.assign(n=counts["cases"], d=True), counts.assign(n=counts["people"] - counts["cases"], d=False)]
    rows = pd.concat(both, ignore_index=True).query("n > 0").reset_index(drop=True)
    n = rows["n"].to_numpy(dtype=np.int64)
    frame = pd.DataFrame(
        {
            "condition": "disease",
            "site": rows["site"].map("hospital {}".format),
            "age_years": rows["age"],
            "diseased": rows["d"],
            "recorded_sex": np.where(rows["male"] == 1, "male", "female"),
            "n_eyes": 0,
            "fold": 0,
            "n": n,
            "sum_p": 0,
            "sum_p2": 0,
            **dict.fromkeys(["sum_w", "sum_w2", "sum_w_over_r", "sum_w2_over_r", "sum_w2_over_r2"], n.astype(float)),
        }
    )
    cells = Cells(frame=frame.reindex(columns=table_schema("cell").columns), edges=logit_edges())
    bands = AgeBands((40, 60), end=80)
    design = ValidationDesign.random
    return ComposeInput(
        condition="disease", bands=bands, arrays=cell_arrays(cells, bands, design), design=design, target=target
    )


@pytest.mark.parametrize("link", LINKS)
def test_coefficients_and_patient_variance_agree_with_r(link: str) -> None:
    """Coefficients are glm's; the HC1 standard errors are those of sandwich::vcovHC on patients one by one."""
    x, fit, counts, slope, _ = fitted("counts", link)
    theirs = STORED["plain"][link]
    np.testing.assert_allclose(fit.beta, theirs["coefficients"], rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(patient_variance(x, fit, counts, slope))), theirs["hc1"], rtol=1e-8)


@pytest.mark.parametrize("link", LINKS)
def test_mancl_derouen_agrees_with_the_whole_hat_matrix(link: str) -> None:
    """Eight sites: standard errors from (I - H)^-1 of every patient of a site, written out in R, to 8 digits."""
    x, fit, counts, slope, site = fitted("counts", link)
    found = cluster_variance(x, fit, counts, slope, site, np.arange(3))
    assert found is not None
    np.testing.assert_allclose(np.sqrt(np.diag(found)), STORED["plain"][link]["mancl_derouen"], rtol=1e-8)


@pytest.mark.parametrize("link", LINKS)
def test_cluster_hc1_agrees_with_sandwich_and_geepack(link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the small-sample residuals: vcovCL's HC1, and without its factor geepack's robust standard errors."""
    monkeypatch.setattr("sexstrat.estimates.regression.robust_variance.FEW_CLUSTERS", 2)
    x, fit, counts, slope, site = fitted("counts", link)
    found = cluster_variance(x, fit, counts, slope, site, np.arange(3))
    assert found is not None
    se, theirs, n = np.sqrt(np.diag(found)), STORED["plain"][link], counts.patients
    np.testing.assert_allclose(se, theirs["cluster_hc1"], rtol=1e-8)
    np.testing.assert_allclose(se / np.sqrt(8 / 7 * (n - 1) / (n - 3)), theirs["geepack"], rtol=1e-7)


@pytest.mark.parametrize("link", LINKS)
def test_mancl_derouen_agrees_with_statsmodels(link: str) -> None:
    """GEE's bias-reduced covariance with working independence, patients one by one."""
    frame = pd.DataFrame(STORED["counts"])
    cases, well = frame["cases"], frame["people"] - frame["cases"]
    each = pd.concat(
        [frame.loc[frame.index.repeat(cases)].assign(d=1), frame.loc[frame.index.repeat(well)].assign(d=0)]
    )
    family = sm.families.Poisson() if link == "poisson" else sm.families.Binomial()
    x_each = np.column_stack([np.ones(len(each)), each["male"], (each["age"] - 60) / 10])
    model = sm.GEE(each["d"].to_numpy(), x_each, groups=each["site"].to_numpy(), family=family)
    theirs = model.fit(cov_type="bias_reduced", ctol=1e-12)
    x, fit, counts, slope, site = fitted("counts", link)
    found = cluster_variance(x, fit, counts, slope, site, np.arange(3))
    assert found is not None
    np.testing.assert_allclose(np.sqrt(np.diag(found)), theirs.bse, rtol=1e-6)


@pytest.mark.parametrize("link", LINKS)
def test_few_patients_take_the_leave_one_out_variance(link: str) -> None:
    """44 patients: HC3, the same correction with every patient a cluster."""
    x, fit, counts, slope, _ = fitted("few_counts", link)
    theirs = STORED["fewest"][link]
    np.testing.assert_allclose(fit.beta, theirs["coefficients"], rtol=1e-8)
    np.testing.assert_allclose(np.sqrt(np.diag(patient_variance(x, fit, counts, slope))), theirs["hc3"], rtol=1e-8)


@pytest.mark.parametrize("link", LINKS)
def test_the_whole_regression_with_every_sex_recorded(link: str) -> None:
    """From cells, adjusted for age and site: ratios and HC1 standard errors as those of glm on patients with sites."""
    found = regression_adjusted(known_input(), link=link)
    theirs = STORED["with_sites"][link]
    assert (found.state, found.imputations, found.n_patients) == ("recorded", 0, 2400)
    assert found.adjusted_for == ("age", "site")
    table = found.to_frame()
    np.testing.assert_allclose(np.log(table["ratio"]), theirs["coefficients"][1:], rtol=1e-8)
    np.testing.assert_allclose(table["se"], theirs["hc1"][1:], rtol=1e-8)


@pytest.mark.parametrize("link", LINKS)
def test_pooled_fits_agree_with_mice(link: str) -> None:
    """Twenty imputations fitted in R and pooled by mice: point, W, B, T, Barnard-Rubin df and fmi."""
    found = regression_adjusted(worked_input(), link=link, imputations=20)
    for ours, theirs in zip(found.coefficients, STORED["pooled"][link], strict=True):
        assert ours.se is not None
        assert np.log(ours.ratio) == pytest.approx(theirs["point"], rel=1e-8)
        numbers = [ours.within, ours.between, ours.se**2, ours.df, ours.fmi]
        expected = [theirs[name] for name in ("within", "between", "total", "df", "fmi")]
        np.testing.assert_allclose(numbers, expected, rtol=1e-7)
