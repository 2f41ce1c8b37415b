"""Defects seen in other software, each held out of this one by a number or a state."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

import sexstrat.estimates
from sexstrat.estimates import Composition, compose, ppi_mean, rubin_pool
from sexstrat.estimates.cell_em import nondifferential_em
from sexstrat.estimates.compose import compose_input, estimated
from sexstrat.estimates.expected_tables import mantel_haenszel_rows
from sexstrat.estimates.numbers.class_accuracy import ClassAccuracy
from sexstrat.estimates.numbers.emq import emq
from sexstrat.estimates.numbers.mantel_haenszel import MANTEL_HAENSZEL, mantel_haenszel
from sexstrat.estimates.numbers.matrix_method import matrix_method
from sexstrat.estimates.numbers.misclassification import lang_reiczigel, rogan_gladen_delta, rogan_gladen_known
from sexstrat.estimates.numbers.misclassified_shares import classified
from sexstrat.estimates.numbers.quantification import pacc
from sexstrat.estimates.numbers.score_counts import score_counts
from sexstrat.estimates.numbers.stratified_tables import stratified_tables
from sexstrat.estimates.numbers.survey import survey_mean, survey_proportion
from sexstrat.estimates.numbers.survey_design import SurveyDesign
from sexstrat.estimates.numbers.validation_likelihood import validation_likelihood
from sexstrat.estimates.numbers.validation_table import validation_table
from sexstrat.estimates.sensitivity.beta_prior import beta_prior
from sexstrat.estimates.sensitivity.bias_analysis import bias_analysis
from sexstrat.estimates.sensitivity.error_priors import ErrorPriors, draw_errors
from sexstrat.estimates.sensitivity.simulated_measure import LARGEST_IMPOSSIBLE, WARNED_IMPOSSIBLE
from sexstrat.estimates.worked_example import worked_bands, worked_cells, worked_input
from sexstrat.simulation import cells_of_people, draw_people, setting, simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells

ALL = AgeBands((20,))
BANDS = AgeBands((20, 60))


def public() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield every public function of the estimates, and every public class by its constructor."""
    for module in pkgutil.walk_packages(sexstrat.estimates.__path__, "sexstrat.estimates."):
        made = importlib.import_module(module.name)
        for name in getattr(made, "__all__", ()):
            if callable(found := getattr(made, name)):
                yield f"{module.name}.{name}", found


def parameters(found: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the parameters of a callable; none where it cannot be asked."""
    try:
        return dict(inspect.signature(found).parameters)
    except (TypeError, ValueError):
        return {}


def test_every_interval_is_a_95_percent_interval_unless_asked() -> None:
    """ppi_py's default alpha is 0.1: here every default level is .95."""
    defaults = {
        name: arguments["level"].default
        for name, found in public()
        if (arguments := parameters(found)).get("level") is not None and isinstance(arguments["level"].default, float)
    }
    assert len(defaults) > 20
    assert {name: level for name, level in defaults.items() if level != 0.95} == {}


def test_no_function_takes_a_one_sided_request_that_it_might_forget() -> None:
    """ppi_py turns a one-sided request two-sided when it tunes lambda: here none is offered, tuned or not."""
    words = {"alternative", "one_sided", "two_sided", "sides", "tail"}
    assert [name for name, found in public() if words & set(parameters(found))] == []
    rng = np.random.default_rng(1)
    y = (rng.random(200) < 0.4).astype(float)
    labelled, others = y * 0.6 + rng.random(200) * 0.3, rng.random(3_000)
    for power in (None, 0.0, 0.7, 1.0):
        one = ppi_mean(y, labelled, others, power=power)
        assert one.point - one.low == pytest.approx(one.high - one.point, rel=1e-12)
        assert (one.high - one.low) / (2 * one.se) == pytest.approx(1.959964, abs=1e-6)


def labelled_scores(n: int) -> tuple[Any, Any]:
    """Return scores of n labelled men and n women: .8 for 80 % of the men and 20 % of the women."""
    return score_counts([0.2, 0.8], [n // 5, n - n // 5]), score_counts([0.2, 0.8], [n - n // 5, n // 5])


def test_the_bootstrap_of_emq_holds_the_error_of_the_labelled_sample() -> None:
    """QuaPy's default resamples the target alone (coverage 43 %): with 50 labelled of each sex the error is theirs."""
    target = score_counts([0.2, 0.8], [10_000, 10_000])
    errors = {}
    for n in (50, 50_000):
        men, women = labelled_scores(n)
        found = emq(target, men=men, women=women, draws=600, seed=1)
        errors[n] = found.se
        # with two values of the score PACC and EMQ are one estimator, whose variance is known:
        # {.25 / 20,000 + (.25 + .25) x .16 / n} / .6^2
        expected = np.sqrt(0.25 / 20_000 + 0.5 * 0.16 / n) / 0.6
        assert found.se == pytest.approx(expected, rel=0.15)
        assert pacc(target, men=men, women=women).se == pytest.approx(expected, rel=0.03)
    assert errors[50] > 10 * errors[50_000]


def heavier(cells: Cells, by: float = 4.0) -> Cells:
    """Return cells in which everybody's survey weight is ``by`` times as large."""
    powers = {"sum_w": 1, "sum_w2": 2, "sum_w_over_r": 1, "sum_w2_over_r": 2, "sum_w2_over_r2": 2}
    return replace(cells, frame=cells.frame.assign(**{name: cells.frame[name] * by**k for name, k in powers.items()}))


def every_row(one: Composition) -> pd.DataFrame:
    """Return prevalence, all contrasts and the share of men as one table."""
    parts = [
        one.prevalence("cohort"),
        *(one.contrast(kind, "cohort") for kind in ("ratio", "difference", "odds_ratio")),
    ]
    return pd.concat([part.to_frame() for part in (*parts, one.male_share())], ignore_index=True)


@pytest.mark.parametrize("target", ["population", "cohort"])
@pytest.mark.parametrize(
    ("design", "methods"),
    [
        ("random", ("auto", "E1", "E2", "naive_threshold", "naive_weighted", "complete_case")),
        ("modelled", ("E1",)),
        ("may_depend_on_sex", ("E4",)),
    ],
)
def test_a_weight_of_four_for_everybody_changes_nothing(design: str, methods: tuple[str, ...], target: str) -> None:
    """birdie halves its standard errors with constant weights of 4: here every figure, its interval and df stay."""
    cells = simulate_cells(replace(setting("baseline"), validated=0.2), 4_000, 5).cells
    for method in methods:
        plain, weighted = (
            every_row(compose(one, bands=BANDS, design=design, method=method, target=target))
            for one in (cells, heavier(cells))
        )
        assert plain["point"].notna().any()
        columns = ["point", "se", "low", "high", "df", "fmi"]
        np.testing.assert_allclose(weighted[columns], plain[columns], rtol=2e-6, atol=1e-12)
        assert weighted["state"].tolist() == plain["state"].tolist()


def test_a_weight_of_four_changes_no_survey_cluster_or_nondifferential_interval() -> None:
    """The same in Taylor linearisation, in E1 of a sample drawn in units, and in E5, shown or not."""
    cells = simulate_cells(replace(setting("baseline"), validated=0.2), 4_000, 5).cells
    given = [compose_input(c, bands=BANDS, design="may_depend_on_sex") for c in (cells, heavier(cells))]
    em, again = (every_row(nondifferential_em(one, one.labelled, why="asked")) for one in given)
    assert em["low"].notna().all()
    np.testing.assert_allclose(again[["point", "low", "high"]], em[["point", "low", "high"]], rtol=2e-6)
    rng = np.random.default_rng(2)
    present, unit, w = rng.random(300) < 0.3, np.arange(300) % 12, rng.random(300) + 0.5
    one, four = (survey_proportion(present, SurveyDesign(weight=by * w, psu=unit)) for by in (1, 4))
    assert (four.point, four.se, four.low, four.high) == pytest.approx((one.point, one.se, one.low, one.high))
    people = draw_people(setting("baseline"), 4_000, rng)
    drawn = replace(people, psu=np.arange(4_000) % 40, weight=rng.random(4_000) + 0.5)
    cells = cells_of_people(drawn, drawn.validated)
    plain, weighted = (every_row(compose(c, bands=ALL, design="random", method="E1")) for c in (cells, heavier(cells)))
    assert plain["low"].notna().all()
    np.testing.assert_allclose(
        weighted[["point", "se", "low", "high", "df"]], plain[["point", "se", "low", "high", "df"]], rtol=1e-6
    )


def test_unequal_weights_count() -> None:
    """birdie's bootstrap drops unequal weights: here they move the point and widen the interval."""
    people = draw_people(setting("baseline"), 4_000, np.random.default_rng(3))
    unequal = np.where(people.age_years % 2 == 0, 5.0, 0.2)
    plain, weighted = (
        compose(cells_of_people(one, one.validated), bands=ALL, design="random", method="E1").contrast("ratio").rows[0]
        for one in (people, replace(people, weight=unequal))
    )
    assert weighted["point"] != pytest.approx(plain["point"], rel=1e-3)
    assert weighted["se"] > 1.1 * plain["se"]  # Kish: sqrt(1.85) = 1.36 expected, here by chance 1.19


def recorded_cells(counts: dict[tuple[int, bool, str], int]) -> Cells:
    """Return cells of people of known sex by age, disease and sex."""
    first = worked_cells(all_known=True)
    rows = [
        {**first.frame.iloc[0].to_dict(), "age_years": age, "diseased": diseased, "recorded_sex": sex, "n": n}
        for (age, diseased, sex), n in counts.items()
    ]
    frame = pd.DataFrame(rows)
    for name in ("sum_w", "sum_w2", "sum_w_over_r", "sum_w2_over_r", "sum_w2_over_r2"):
        frame[name] = frame["n"].astype(float)
    return replace(first, frame=frame.astype({"fold": "Int64", "logit_bin": "Int64"}))


def test_the_crude_ratio_is_crude() -> None:
    """epiR prints 1.22 as the crude score interval of a crude ratio of 1.47: here it is cases over people, pooled."""
    counts = {
        (45, True, "male"): 20, (45, False, "male"): 180, (45, True, "female"): 45, (45, False, "female"): 555,
        (65, True, "male"): 240, (65, False, "male"): 360, (65, True, "female"): 70, (65, False, "female"): 130,
    }  # fmt: skip
    one = compose(recorded_cells(counts), bands=worked_bands(), design="random")
    crude, young, old = one.contrast("ratio").rows
    assert one.state == "recorded"
    assert crude["point"] == pytest.approx((260 / 800) / (115 / 800), rel=1e-12)
    assert (young["point"], old["point"]) == pytest.approx((0.1 / 0.075, 0.4 / 0.35), rel=1e-12)
    se = np.sqrt((1 - 260 / 800) / 260 + (1 - 115 / 800) / 115)
    assert crude["se"] == pytest.approx(se, rel=1e-6)
    assert np.log([crude["low"], crude["high"]]) == pytest.approx(
        np.log(crude["point"]) + np.array([-1, 1]) * 1.959964 * se
    )
    adjusted = mantel_haenszel_rows(one).to_frame().set_index("measure")["point"]
    by_hand = (20 * 600 / 800 + 240 * 200 / 800) / (45 * 200 / 800 + 70 * 600 / 800)
    assert adjusted["mantel_haenszel_prevalence_ratio"] == pytest.approx(by_hand, rel=1e-12)
    assert crude["point"] > 1.8 * by_hand


def accuracy(n: int) -> ClassAccuracy:
    """Return a sensitivity of .9 and a specificity of .8 from n labelled people of each sex."""
    return ClassAccuracy(correct_men=0.9 * n, n_men=n, correct_women=0.8 * n, n_women=n)


def test_sensitivity_and_specificity_are_estimated() -> None:
    """epiR takes them as known: here the width is that of the labelled people, and nears the known one with many."""
    known = rogan_gladen_known(1_100, 2_000, sensitivity=0.9, specificity=0.8)
    for method in (rogan_gladen_delta, lang_reiczigel):
        few, many = (method(1_100, 2_000, accuracy=accuracy(n)) for n in (100, 10_000_000))
        assert few.high - few.low > 2.2 * (many.high - many.low)  # delta: sqrt(.2475/2000 + .25 x .25/100) against less
        assert many.high - many.low == pytest.approx(known.high - known.low, rel=0.01)
    assert any("known without error" in text for text in known.assumptions)
    ratios = [
        matrix_method([550, 620], [1_000, 1_000], accuracy=[accuracy(n)] * 2).measures.ratio for n in (60, 10_000_000)
    ]
    assert ratios[0].se > 1.5 * ratios[1].se
    tables = [
        validation_table(
            [[400, 500], [150, 250]], np.array([[[40, 10], [5, 45]], [[16, 4], [3, 27]]]) * times, internal=False
        )
        for times in (1, 10_000)
    ]
    few, many = (validation_likelihood(table).measures.ratio for table in tables)
    assert few.se > 1.3 * many.se


def test_pooled_estimates_have_finite_degrees_of_freedom() -> None:
    """statsmodels pools with a normal quantile: here 5 imputations get Rubin's few df, and E2 its t interval."""
    pooled = rubin_pool([1.0, 1.2, 0.9, 1.1, 1.3], [0.02] * 5)
    extra = 1.2 * np.var([1.0, 1.2, 0.9, 1.1, 1.3], ddof=1)
    assert pooled.df == pytest.approx(4 * (1 + 0.02 / extra) ** 2)
    frame = every_row(compose(worked_cells(), bands=worked_bands(), design="random", method="E2"))
    ratios = frame[frame["measure"] == "prevalence_ratio"]
    assert ratios["df"].between(1, 550).all()
    reach = np.log(ratios["high"] / ratios["low"]) / (2 * ratios["se"])
    np.testing.assert_allclose(reach, student.isf(0.025, ratios["df"]), rtol=1e-9)


@pytest.mark.parametrize("kind", MANTEL_HAENSZEL)
def test_mantel_haenszel_has_intervals_for_every_measure(kind: str) -> None:
    """statsmodels' StratifiedTable has none for ratio and difference: here each has its own standard error."""
    tables = stratified_tables(
        male_cases=[12, 30], male_people=[100, 90], female_cases=[8, 22], female_people=[120, 80]
    )
    one = mantel_haenszel(tables, kind)
    assert one.state == "recorded" and one.low < one.point < one.high
    centre, limits = (np.log(one.point), np.log([one.low, one.high])) if kind != "difference" else (
        one.point, np.array([one.low, one.high])
    )  # fmt: skip
    assert limits == pytest.approx(centre + np.array([-1, 1]) * 1.959964 * one.se, rel=1e-6)


def test_a_domain_without_degrees_of_freedom_has_no_interval() -> None:
    """samplics and svy print a zero-width interval for it: here a point, a state and the reason."""
    stratum, unit = [1, 1, 1, 1, 2, 2, 2, 2], [1, 1, 2, 2, 1, 1, 2, 2]
    design = SurveyDesign(weight=np.ones(8), stratum=stratum, psu=unit)
    domain = np.array([1, 1, 0, 0, 1, 1, 0, 0], dtype=bool)
    for found in (
        survey_proportion([1, 0, 0, 0, 1, 1, 0, 1], design, domain=domain),
        survey_mean(np.arange(8.0), design, domain=domain),
    ):
        assert (found.state, found.df) == ("no_interval", 0)
        assert (found.se, found.low, found.high) == (None, None, None)
        assert "as many strata as primary sampling units" in found.note
    people = draw_people(setting("baseline"), 2_000, np.random.default_rng(4))
    alone = replace(people, psu=np.zeros(2_000, dtype=np.int64))
    one = compose(cells_of_people(alone, alone.validated), bands=ALL, design="random", method="E1")
    assert one.state == "refused" and "1 sampling units in 1 strata" in one.why


def test_impossible_draws_are_counted() -> None:
    """episensr drops them in silence: here their share, by reason, is that of the draws, and too many are refused."""
    given = worked_input()
    share = classified(given.arrays).all_ages().share[0]
    for mean, refused in ((0.9, False), (0.75, False), (0.62, True)):
        wide = beta_prior(mean=mean, sd=0.1)
        priors = ErrorPriors.alike(sensitivity=wide, specificity=wide, by_disease=0.5)
        found = bias_analysis(given, priors, draws=4_000)
        errors = draw_errors(priors, draws=4_000, seed=given.seed)
        se, sp = errors.sensitivity[:, 0], errors.specificity[:, 0]
        possible = ((se + sp > 1) & (share > 1 - sp) & (share < se)).all(axis=1)
        row = found.to_frame().iloc[0]
        assert row["draws"] == 4_000
        assert row["share_impossible"] == pytest.approx(1 - possible.mean(), abs=0.002)
        parts = found.discarded()
        crude = parts[(parts["measure"] == "prevalence_ratio") & parts["age_low"].isna()]
        assert crude["share"].sum() == pytest.approx(float(row["share_impossible"]))
        assert bool(row["share_impossible"] > LARGEST_IMPOSSIBLE) == refused
        assert (found.state == "refused") == refused
        if not refused:
            assert row["share_impossible"] > 0.001
            warned = any("impossible given the data and are left out" in told for told in found.warnings)
            assert warned == (mean == 0.75) == bool(row["share_impossible"] > WARNED_IMPOSSIBLE)
        else:
            assert pd.isna(row["median"]) and "of the draws are impossible" in row["note"]


def test_a_site_of_one_sex_has_an_undefined_rate() -> None:
    """fairlearn returns 0 for five women's male prevalence, aequitas 10.0 for a division by zero: here undefined."""
    counts = {(45, True, "female"): 2, (45, False, "female"): 3}
    one = compose(recorded_cells(counts), bands=worked_bands(), design="random")
    frame = every_row(one)
    men = frame[(frame["measure"] == "prevalence") & (frame["sex"] == "male")]
    contrasts = frame[frame["measure"].str.contains("_ratio|_difference")]
    for rows in (men, contrasts):
        assert len(rows) >= 3
        assert (rows["state"] == "undefined").all() and rows["note"].str.len().gt(10).all()
        assert rows[["point", "se", "low", "high"]].isna().all(axis=None)
    women = frame[(frame["measure"] == "prevalence") & (frame["sex"] == "female")].iloc[0]
    assert women["point"] == pytest.approx(0.4) and women["low"] < 0.4 < women["high"]


def test_a_ratio_over_nothing_is_undefined() -> None:
    """aequitas turns division by zero into 10.0: a ratio with no case among women has no number, and says why."""
    counts = {(45, True, "male"): 40, (45, False, "male"): 160, (45, False, "female"): 200}
    one = compose(recorded_cells(counts), bands=worked_bands(), design="random")
    for kind in ("ratio", "odds_ratio"):
        row = one.contrast(kind).rows[0]
        assert row["state"] == "undefined" and "no case in one sex" in row["note"] and "point" not in row
    found = one.contrast("difference").rows[0]
    assert found["point"] == pytest.approx(0.2) and found["low"] < 0.2 < found["high"]
    zero = next(row for row in one.prevalence().rows if row["sex"] == "female")
    assert zero["point"] == 0 and zero["low"] == 0 and zero["high"] == pytest.approx(3.8415 / (200 + 3.8415), rel=1e-3)


def test_the_minimum_size_is_of_the_figure_s_own_denominator() -> None:
    """seismometer's minimum size counts rows: 10,000 patients with 9 validated cases are still refused."""
    cells = simulate_cells("baseline", 10_000, 1).cells
    frame = cells.frame.copy()
    rows = frame.index[frame["diseased"].astype(bool) & (frame["recorded_sex"] != "unknown")]
    gone = rows[frame.loc[rows, "n"].cumsum() > 9]
    frame.loc[gone, ["recorded_sex", "fold"]] = ["unknown", None]
    given = compose_input(replace(cells, frame=frame), bands=ALL, design="random")
    assert given.arrays.n_validated.sum() > 400 and given.arrays.n_validated[0, 1] == 9
    one = estimated(given, "auto")
    assert one.state == "refused" and "only 9 patients with the disease" in one.why
