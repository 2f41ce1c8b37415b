"""The bootstrap on cells: E1's fast road equals E1, agrees with every resample run anew, and sees weights and units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sexstrat.errors import EstimationError
from sexstrat.estimates import ComposeInput
from sexstrat.estimates.aipw import aipw
from sexstrat.estimates.cell_arrays import cell_arrays
from sexstrat.estimates.clustered_composition import clustered_composition
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.recalibration import cross_fitted
from sexstrat.estimates.resampling.bootstrap import bootstrap
from sexstrat.estimates.resampling.bootstrap_e1 import bootstrap_e1
from sexstrat.estimates.resampling.bootstrap_intervals import bca_interval, normal_quantiles, percentile_interval
from sexstrat.estimates.resampling.bootstrap_result import Bootstrap
from sexstrat.estimates.resampling.bootstrap_table import entry_table, refitted_shares
from sexstrat.estimates.resampling.measure_vector import carried_back
from sexstrat.estimates.resampling.pooled_shares import pooled_shares
from sexstrat.estimates.resampling.resampling import cluster_multipliers, resampled_arrays, split_unequal
from sexstrat.estimates.thin_cells import pool_thin_bands
from sexstrat.simulation import People, cells_of_people, draw_people, setting, simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import Target, ValidationDesign

BANDS = AgeBands((20, 55, 70))
KEY = ["measure", "sex", "age_low", "standard"]


def input_of(cells: Cells, bands: AgeBands = BANDS, seed: int = 1) -> ComposeInput:
    design = ValidationDesign.known_probability
    arrays = cell_arrays(cells, bands, design)
    return ComposeInput(
        condition="disease", bands=bands, arrays=arrays, design=design, target=Target.population, seed=seed
    )


def people_of(n: int = 3_000, seed: int = 3) -> People:
    return draw_people(replace(setting("weak"), validated=0.3), n, np.random.default_rng(seed))


def survey_people(n: int = 3_000) -> People:
    """Return people of 60 units in 4 strata, alike in age within units, with unequal weights."""
    people = people_of(n)
    unit = np.argsort(np.argsort(people.age_years + np.random.default_rng(1).normal(0, 20, n))) * 60 // n
    return replace(people, stratum=unit // 15, psu=unit % 15, weight=np.random.default_rng(2).uniform(0.2, 6.0, n))


def cells_of(people: People) -> Cells:
    return cells_of_people(people, people.validated)


def keyed(frame: pd.DataFrame) -> pd.DataFrame:
    """Index rows by what they are about."""
    names = frame[KEY].astype(object).where(frame[KEY].notna(), "-")
    return frame.set_index(pd.Index([f"{m} {s} {'-' if a == '-' else int(a)} {t}" for m, s, a, t in names.to_numpy()]))


def analytic(one: Composition) -> pd.DataFrame:
    """Return a composition's rows; se is on the scale of the interval."""
    parts = (one.prevalence("cohort"), one.contrast("ratio", "cohort"), one.contrast("difference"), one.male_share())
    return keyed(pd.DataFrame([row for part in parts for row in part.rows]))


def spread(found: Bootstrap) -> pd.DataFrame:
    """Return the rows of a bootstrap, with the standard deviation of the replicates on the scale of the interval."""
    deviation = [np.std(one[np.isfinite(one)], ddof=1) for one in found.replicates.T]
    return keyed(found.intervals("percentile").assign(se=deviation))


def test_the_data_resampled_once_are_e1() -> None:
    """Every point of the fast road equals E1's own row: crude, by band, standardised; thin bands pooled as E1 pools."""
    bands = AgeBands(tuple(range(20, 92, 6)))
    for cells, given_bands in ((cells_of(survey_people()), BANDS), (simulate_cells("weak", 8_000, 4).cells, bands)):
        given = input_of(cells, given_bands)
        one = aipw(given)
        expected = analytic(one)["point"].dropna().astype(float)
        found = spread(bootstrap_e1(given, replicates=2)).loc[expected.index, "point"]
        np.testing.assert_allclose(found, expected, rtol=1e-8)
    assert "model_based" in one.band_state


def test_the_table_keeps_the_recalibration() -> None:
    """Its probabilities are those of cross-fitting, and a Newton step at the data themselves moves nothing."""
    arrays = input_of(cells_of(survey_people())).arrays
    models = refitted_shares(arrays)
    np.testing.assert_allclose(models.p, cross_fitted(arrays), rtol=1e-9)
    table = entry_table(arrays)
    ones = np.ones((1, table.n.size))
    held, refitted = (table.resampled(ones, None, refit=refit) for refit in (False, True))
    np.testing.assert_allclose(refitted, held, rtol=1e-6, atol=1e-4)


def test_one_newton_step_follows_the_refitted_model() -> None:
    """Units drawn again: one step from the fit and E1 run anew on the same units give nearly the same shares."""
    given = input_of(cells_of(survey_people()))
    fixed, stepped = (bootstrap_e1(given, replicates=200, by="psu", refit=refit) for refit in (False, True))
    clusters = np.unique(np.column_stack([given.arrays.stratum, given.arrays.psu]), axis=0, return_inverse=True)[1]
    table = entry_table(given.arrays, (clusters.reshape(-1), np.repeat(np.arange(4), 15)))
    rng = np.random.Generator(np.random.SFC64(given.seed))
    times = cluster_multipliers(table.stratum, size=200, rng=rng)[:40]
    index = [key.measure for key in stepped.keys].index("male_share")
    anew = [replace(given, arrays=resampled_arrays(given.arrays, one[clusters.reshape(-1)])) for one in times]
    exact = np.array([aipw(one).male_share().rows[0]["point"] for one in anew])
    far, near = (np.abs(carried_back("logit", one.replicates[:40, index]) - exact).mean() for one in (fixed, stepped))
    assert near < 0.25 * far


@pytest.mark.parametrize("scheme", ["poisson", "multinomial"])
def test_patients_drawn_again_vary_as_the_analytic_variance_says(scheme: str) -> None:
    """With unequal weights, hidden in cells of many patients too, bootstrap and analytic intervals are as wide."""
    people = replace(survey_people(20_000), psu=None, stratum=None)
    cells = cells_of(replace(people, age_years=people.age_years // 20 * 20 + 10))
    given = input_of(cells, AgeBands((20, 60)))
    assert (given.arrays.n > 1).mean() > 0.3
    expected = analytic(aipw(given))
    found = bootstrap_e1(given, replicates=1_500, scheme=scheme)
    frame = spread(found).loc[expected.index]
    ratio = frame["se"] / expected["se"]
    assert ratio.min() > 0.9 and ratio.max() < 1.1


def test_units_drawn_again_vary_as_the_clustered_variance_says() -> None:
    """Whole units within strata, the recalibration held: as wide as the linearised intervals; refitted, no narrower."""
    given = input_of(cells_of(survey_people()))
    expected = analytic(clustered_composition(given, aipw(given)))
    held, refitted = (
        spread(bootstrap_e1(given, replicates=1_500, by="psu", refit=refit)).loc[expected.index, "se"]
        for refit in (False, True)
    )
    ratio = held / expected["se"]
    assert ratio.min() > 0.88 and ratio.max() < 1.15
    assert abs(ratio.median() - 1) < 0.06
    assert (refitted / held).median() > 0.98


def test_the_fast_road_and_every_resample_run_anew_agree() -> None:
    """Standard errors of E1's measures from matrix products and from E1 itself differ by Monte Carlo error only."""
    given = input_of(cells_of(replace(survey_people(), psu=None, stratum=None)))
    fast, slow = bootstrap_e1(given, replicates=1_500), bootstrap(given, aipw, replicates=250)
    assert [key.measure for key in fast.keys] == [key.measure for key in slow.keys]
    np.testing.assert_allclose(fast.point, slow.point, rtol=1e-7)
    ratio = np.nanstd(fast.replicates, axis=0) / np.nanstd(slow.replicates, axis=0)
    assert ratio.min() > 0.8 and ratio.max() < 1.25
    crude = slice(0, 5)
    np.testing.assert_allclose(fast.acceleration[crude], slow.acceleration[crude], atol=0.02)


def test_constant_weights_of_four_change_no_interval() -> None:
    """Regression against a known defect elsewhere (weights dropped, or taken as counts): the same replicates."""
    cells = cells_of(people_of())
    weights = {name: 16.0 if name.startswith("sum_w2") else 4.0 for name in cells.frame if name.startswith("sum_w")}
    four = replace(cells, frame=cells.frame.assign(**{name: cells.frame[name] * k for name, k in weights.items()}))
    plain, heavy = (bootstrap_e1(input_of(one), replicates=300) for one in (cells, four))
    np.testing.assert_allclose(plain.replicates, heavy.replicates, rtol=1e-6)


def test_unequal_weights_widen_the_interval() -> None:
    """The same people with weights from 0.2 to 6: the standard error rises by about the Kish factor."""
    people = people_of(6_000)
    weight = np.random.default_rng(2).lognormal(0, 1, 6_000)
    plain, heavy = (
        bootstrap_e1(input_of(cells_of(one)), replicates=800) for one in (people, replace(people, weight=weight))
    )
    kish = (np.mean(weight**2) / np.mean(weight) ** 2) ** 0.5
    ratio = heavy.replicates[:, 3].std() / plain.replicates[:, 3].std()
    assert 0.75 * kish < ratio < 1.25 * kish


def test_names_of_units_do_not_matter() -> None:
    """Renamed units are other draws of the same law: the same points and accelerations."""
    cells = cells_of(survey_people())
    named = cells.frame.assign(psu="u" + ((cells.frame["psu"].astype(int) * 7 + 3) % 15).astype(str))
    one, two = (bootstrap_e1(input_of(some), replicates=400, by="psu") for some in (cells, replace(cells, frame=named)))
    np.testing.assert_allclose(one.point, two.point, rtol=1e-9)
    np.testing.assert_allclose(one.acceleration, two.acceleration, atol=1e-9)
    np.testing.assert_allclose(one.replicates.std(axis=0)[:5], two.replicates.std(axis=0)[:5], rtol=0.2)


def test_seeds_repeat() -> None:
    """The same seed gives the same replicates to the bit, another does not."""
    cells = cells_of(people_of())
    one, again, other = (bootstrap_e1(input_of(cells, seed=seed), replicates=50) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.replicates, again.replicates)
    assert not np.array_equal(one.replicates, other.replicates)


def test_pooled_shares_are_pool_thin_bands_row_by_row() -> None:
    """Thousands of resamples at once give what the one-at-a-time pooling gives, borrowed and refused bands included."""
    rng = np.random.default_rng(8)
    n = rng.integers(0, 60, (300, 6)).astype(float)
    validated = np.minimum(rng.integers(0, 25, (300, 6)), n)
    model = n * rng.uniform(0.05, 0.95, (300, 6))
    residual = rng.normal(0, 12, (300, 6)) * (validated > 0)
    found = pooled_shares(n, validated, model, residual)
    for row in range(300):
        safe = np.where(n[row] > 0, n[row], 1.0)
        one = pool_thin_bands(n=n[row], n_validated=validated[row], model=model[row] / safe, residual=residual[row])
        np.testing.assert_allclose(found[row], one.pi, atol=1e-9)
    assert np.isnan(found[n > 0]).sum() < 200


def test_split_cells_keep_their_sums() -> None:
    """Cells of unequal weights are split into cells of equal ones with the same sums and sums of squares."""
    people = replace(survey_people(20_000), psu=None, stratum=None)
    r = np.where(people.male, 0.5, 0.2)
    people = replace(people, age_years=people.age_years // 20 * 20 + 10, validation_probability=r)
    arrays = input_of(cells_of(people)).arrays
    split = split_unequal(arrays)
    assert split.n.size > 1.3 * arrays.n.size
    for name in ("n", "w", "w2", "w_over_r", "w2_over_r", "w2_over_r2"):
        whole, parts = getattr(arrays, name), getattr(split, name)
        np.testing.assert_allclose(parts.sum(), whole.sum(), rtol=2e-3)
        by_cell = [np.bincount(one.group, weights=getattr(one, name)) for one in (arrays, split)]
        np.testing.assert_allclose(by_cell[1], by_cell[0], rtol=0.02)
    np.testing.assert_allclose(split.w2, split.w**2 / split.n, rtol=1e-9)
    assert (split.w > -1e-9).all()


def test_what_cannot_be_resampled_is_said() -> None:
    """Each refusal names what is wrong and what there is instead."""
    given = input_of(cells_of(survey_people()))
    lonely = replace(given.arrays, psu=np.zeros_like(given.arrays.psu))
    nobody = replace(given.arrays, validated=np.zeros_like(given.arrays.validated))
    cases = [
        (replace(given, target=Target.cohort), {}, "these very people"),
        (replace(given, arrays=nobody), {}, "nobody's recorded sex is known"),
        (given, {"scheme": "bayesian"}, "poisson, multinomial"),
        (given, {"by": "clinic"}, "patient, psu, site"),
        (given, {"replicates": 0}, "at least 1"),
        (replace(given, arrays=lonely), {"by": "psu"}, "nothing to draw again"),
    ]
    for one, options, words in cases:
        with pytest.raises(EstimationError, match=words):
            bootstrap_e1(one, **options)
    with pytest.raises(EstimationError, match="bca, percentile"):
        bootstrap_e1(given, replicates=2).intervals("basic")


def test_no_interval_has_no_width_and_every_missing_one_a_reason() -> None:
    """Nobody diseased below 55, and 40 replicates: NaN limits, a state and a note, never low = high."""
    people = people_of()
    given = input_of(cells_of(replace(people, diseased=people.diseased & (people.age_years >= 55))))
    frame = bootstrap_e1(given, replicates=400).intervals()
    young = frame[(frame["age_low"] == 20) & (frame["measure"] != "male_share")]
    assert (young["state"] != "estimated").all()
    assert young["note"].notna().all()
    whole = frame[frame["state"] == "estimated"]
    assert (whole["low"] < whole["high"]).all() and len(whole) > 10
    few = bootstrap_e1(given, replicates=40).intervals("percentile")
    assert (few["state"] != "estimated").all()
    assert few["note"].str.contains("needs 200|one side|undefined|edge|no value").all()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.r_[np.full(50, np.nan), np.arange(450)], "undefined in 50 of 500"),
        (np.arange(100), "100 replicates"),
        (np.ones(500), "the same figure"),
        (np.r_[np.full(300, -np.inf), np.arange(300)], "edge of what is possible"),
    ],
)
def test_replicates_that_cannot_carry_an_interval(values: np.ndarray, words: str) -> None:
    """Undefined, few, constant or infinite replicates give a reason instead of limits."""
    for found in (
        percentile_interval(values),
        bca_interval(values, point=float(np.nanmedian(values[np.isfinite(values)])) + 1.0, acceleration=0.0),
    ):
        assert (found.low, found.high) == (None, None)
        assert found.note
    assert words in percentile_interval(values).note


def test_bca_says_when_it_cannot_correct() -> None:
    """A figure outside all its replicates, one without a value, and an absurd acceleration."""
    values = np.arange(500.0)
    assert "one side" in bca_interval(values, point=-1.0, acceleration=0.0).note
    assert "no value" in bca_interval(values, point=np.nan, acceleration=0.0).note
    assert "too large" in bca_interval(values, point=250.0, acceleration=1.0).note
    assert "most extreme" in percentile_interval(np.arange(300.0), level=0.999).note
    with pytest.raises(EstimationError, match="level must lie"):
        percentile_interval(values, level=95)


def test_quantiles_at_the_ends_are_the_extremes() -> None:
    """Beyond the first and last order statistic there is nothing to interpolate."""
    np.testing.assert_allclose(normal_quantiles(np.arange(9.0), [0.01, 0.1, 0.5, 0.999]), [0.0, 0.0, 4.0, 8.0])
