"""Shares of sites that sent no cells join as strata."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sexstrat.errors import EstimationError
from sexstrat.estimates.compose import compose
from sexstrat.estimates.pooling.share_document import share_document, shares_from, without_cells
from sexstrat.estimates.pooling.site_pool import Question, Site, pool_sites
from sexstrat.estimates.pooling.stratified import stratified
from sexstrat.estimates.worked_example import worked_bands, worked_cells
from sexstrat.values.design import ValidationDesign


def test_shares_go_through_json_and_back() -> None:
    """Every number of a composition survives the file, to the last bit."""
    one = compose(worked_cells(), bands=worked_bands(), design="random", method="E2")
    again = shares_from(json.loads(json.dumps(share_document(one))))
    for margin in ("by_band", "overall"):
        for name in ("n", "pi", "covariance", "within", "between", "n_validated"):
            np.testing.assert_array_equal(getattr(getattr(again, margin), name), getattr(getattr(one, margin), name))
    assert (again.state, again.bands, again.target, again.level) == (one.state, one.bands, one.target, one.level)


def test_broken_shares_are_refused() -> None:
    """A missing entry or an array of another shape ends in words, not in a traceback."""
    document = share_document(compose(worked_cells(), bands=worked_bands(), design="random", method="E1"))
    with pytest.raises(EstimationError, match="cannot be read"):
        shares_from({name: value for name, value in document.items() if name != "by_band"})
    document["by_band"]["pi"] = [[0.5, 0.5]]
    with pytest.raises(EstimationError, match="shape"):
        shares_from(document)


def test_cells_and_shares_pool_as_strata() -> None:
    """A site with cells and one with its shares give the shares of both, weighed by their people."""
    shares = compose(worked_cells(), bands=worked_bands(), design="random", method="E1")
    sites = [Site(name="a", cells=worked_cells()), Site(name="b", shares={"disease": shares})]
    found = pool_sites(sites, Question(bands=worked_bands(), design=ValidationDesign.random))
    np.testing.assert_allclose(found.compositions["disease"].pi, shares.pi, rtol=1e-9)
    assert found.compositions["disease"].n_patients.sum() == 2200


def test_a_hidden_band_leaves_the_people_of_the_others() -> None:
    """Withholding a band takes its people out of all ages too, so that subtraction gives nothing."""
    one = compose(worked_cells(), bands=worked_bands(), design="random", method="E1")
    left = without_cells(one, np.array([[True, True], [False, False]]))
    assert left.overall.n.tolist() == [[400.0, 150.0]]
    both = stratified({"a": one, "b": left})
    assert both.n_patients.tolist() == [[400.0, 150.0], [800.0, 300.0]]
    np.testing.assert_allclose(both.pi, one.pi, rtol=1e-9)
