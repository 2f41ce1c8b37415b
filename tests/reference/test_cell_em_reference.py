"""E4's likelihood ratio, shares and sampling variance against R's optim, uniroot and numerical derivatives."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose import compose_input
from sexstrat.estimates.em_influence import shares_with_influence
from sexstrat.estimates.likelihood_ratio import likelihood_ratio
from sexstrat.estimates.worked_example import worked_bands, worked_cells

OUTPUTS = Path(__file__).parent / "outputs"


def arrays_of(table: dict[str, Any], *, known: bool) -> CellArrays:
    """Return stored rows as cells, everybody's sex known or nobody's."""
    base = compose_input(worked_cells(), bands=worked_bands(), design="random").arrays
    columns = {name: np.asarray(values) for name, values in table.items()}
    n, size = columns["n"].astype(float), len(table["n"])
    validated, zero = np.full(size, known), np.zeros(size)
    male = columns["male"].astype(bool) if known else np.zeros(size, dtype=bool)
    whole = np.zeros(size, dtype=np.int64)
    return replace(
        base, group=columns["group"], age_years=columns["age"].astype(float), diseased=columns["diseased"],
        n_eyes=columns["n_eyes"], site=whole, stratum=whole, psu=whole - 1, validated=validated, male=male,
        logit=columns["logit"].astype(float), predicted_male=columns["logit"] >= 0, fold=whole, n=n,
        mean_prob_male=zero, w=n, w2=n, w_over_r=zero, w2_over_r=zero, w2_over_r2=zero, n_bands=2,
    )  # fmt: skip


def test_shares_and_their_sampling_variance_are_those_of_r() -> None:
    """Coefficients and shares agree to 1e-6; the variance through the cohort's people with numerical derivatives."""
    given = json.loads((OUTPUTS / "cell_em_input.json").read_text(encoding="utf-8"))
    expected = json.loads((OUTPUTS / "cell_em.json").read_text(encoding="utf-8"))
    labelled, cohort = arrays_of(given["labelled"], known=True), arrays_of(given["cohort"], known=False)
    ratio = likelihood_ratio(labelled)
    assert ratio.beta == pytest.approx(expected["beta"], abs=2e-5)
    assert ratio.prior_beta == pytest.approx(expected["gamma"], abs=2e-5)
    found = shares_with_influence(cohort, labelled, ratio)
    assert found.pi == pytest.approx(expected["pi"], abs=1e-6)
    assert (found.own**2).T @ cohort.n == pytest.approx(expected["own_variance"], rel=1e-5)
