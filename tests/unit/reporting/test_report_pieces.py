"""Numbers, figures, flow and methods: each says what is there and nothing else."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from sexstrat.reporting.audit_figures import audit_figures
from sexstrat.reporting.band_chart import Series, band_chart
from sexstrat.reporting.flow_view import flow_steps
from sexstrat.reporting.forest import ForestRow, forest_plot
from sexstrat.reporting.headline import Headline
from sexstrat.reporting.methods import methods
from sexstrat.reporting.model_view import model_view
from sexstrat.reporting.number_format import interval, quantity
from sexstrat.reporting.outline import outline
from sexstrat.reporting.references import REFERENCES, cited
from sexstrat.reporting.rows import Rows


@pytest.mark.parametrize("value", [1e-9, 4e-4, 0.0049, 0.3, 0.99999])
def test_a_share_above_zero_is_never_printed_as_zero(value):
    """A small share is printed as less than the last decimal, never as 0, which would say nobody."""
    text = quantity("prevalence", value)
    assert not re.fullmatch(r"0(\.0)?%", text)


@pytest.mark.parametrize("state", ["suppressed", "missing", "undefined", "refused"])
def test_a_state_without_a_number_wins_over_a_number(state):
    """A number that came with a state that has none is not printed."""
    text, limits = interval("prevalence", 0.123, 0.1, 0.2, state)
    assert not any(character.isdigit() for character in text + limits)


def test_a_number_that_is_not_there_is_missing():
    """A row that claims a number without having one says missing."""
    assert interval("prevalence_ratio", math.nan, None, None, "corrected") == ("missing", "")


def test_forest_names_lines_without_a_number():
    """A line whose number is withheld keeps its place and says so; no mark is drawn for it."""
    shown = {"point": 1.4, "low": 1.2, "high": 1.6, "state": "corrected"}
    hidden = {"point": 9.876, "low": 8.0, "high": 12.0, "state": "suppressed"}
    lines = [
        ForestRow(condition="a", role="corrected", label="Corrected", row=shown),
        ForestRow(condition="a", role="naive_threshold", label="Naive", row=hidden),
    ]
    for narrow in (False, True):
        svg = forest_plot(lines, title="t", description="d", narrow=narrow)
        assert "suppressed" in svg
        assert not re.search(r">9\.8|>\(8", svg)
        assert "naive-threshold" not in svg


def test_forest_prints_names_as_they_are():
    """Dollar signs, backslashes and angle brackets in a name are text, not formulas or tags."""
    row = {"point": 1.4, "low": 1.2, "high": 1.6, "state": "corrected"}
    line = ForestRow(condition=r"$\frac{a}$ <b>", role="corrected", label="$x$", row=row)
    svg = forest_plot([line], title="t", description="d")
    assert r">$\frac{a}$ &lt;b&gt;</text>" in svg
    assert ">$x$</text>" in svg


def test_forest_survives_an_endless_interval():
    """An interval without an upper limit reaches the edge of the plot, and the plot is drawn."""
    endless = {"point": 5.0, "low": 0.01, "high": math.inf, "state": "corrected"}
    svg = forest_plot([ForestRow(condition="a", role="corrected", label="x", row=endless)], title="t", description="d")
    assert "5.00 (0.01 to ∞)" in svg
    assert "nan" not in svg.lower().replace("dominant", "")


def test_lines_are_not_drawn_across_missing_bands():
    """A band without a number is a gap, not a line from its neighbours."""
    gap = Series(label="Men", role="male", points=(0.1, math.nan, 0.3, 0.4), lows=(0.1,) * 4, highs=(0.5,) * 4)
    svg = band_chart(list("abcd"), [gap], name="x", measure="prevalence", axis="y", title="t", description="d")
    paths = re.findall(r'd="(M[^"]*)"[^>]*stroke: var\(--male', svg)
    assert max(path.count("L") for path in paths) == 1


def test_chart_of_nothing_is_not_drawn():
    """Without any number there is no empty frame."""
    empty = Series(label="Men", role="male", points=(math.nan,))
    assert band_chart(["a"], [empty], name="x", measure="prevalence", axis="y", title="t", description="d") == ""


def test_many_bands_do_not_collide():
    """With five-year bands every second or third label is left out rather than printed over its neighbour."""
    bands = [f"{low}–{low + 4}" for low in range(20, 100, 5)]
    line = Series(label="Men", role="male", points=tuple(0.01 * i for i in range(16)))
    svg = band_chart(bands, [line], name="x", measure="prevalence", axis="y", title="t", description="d")
    assert 5 <= sum(f">{band}<" in svg for band in bands) <= 8


def test_figures_leave_no_style_behind(released):
    """Drawing changes nothing global, and two drawings of one figure are equal."""
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    line = Series(label="Men", role="male", points=(0.1, 0.2))
    drawn = [
        band_chart(["a", "b"], [line], name="x", measure="auc", axis="y", title="t", description="d") for _ in range(2)
    ]
    assert drawn[0] == drawn[1]
    assert dict(mpl.rcParams) == before


def test_flow_hides_the_bar_when_a_part_is_withheld():
    """The bar of recorded sex would give a withheld count away, so it is not drawn then."""
    step = {"step": 1, "name": "all", "n_patients": 100, "n_images": None, "n_male": 48, "n_female": 50, "n_other": 0,
            "n_unknown": 2, "patients_lost": 0, "images_lost": None, "reason": "", "state": "counted"}  # fmt: skip
    full = flow_steps(Rows.of(pd.DataFrame([step]), "flow"))[0]
    assert [part.percent for part in full.parts] == ["48.00", "50.00", "2.00"]
    hidden = {**step, "n_other": None, "n_unknown": None, "withheld": "n_other n_unknown"}
    part = flow_steps(Rows.of(pd.DataFrame([hidden]), "flow"))[0].parts
    assert [one.text for one in part] == ["48", "50", "suppressed", "suppressed"]
    assert {one.percent for one in part} == {None}


def gate(settings, **more):
    profile = SimpleNamespace(name="uk-5", source="")
    names = ("diagnostics", "sensitivity", "imputation", "age_trends", "missingness", "consequences")
    beside = dict.fromkeys(names, pd.DataFrame())
    return SimpleNamespace(settings=settings, profile=profile, reason="", protection="", audit=(), **{**beside, **more})


def test_methods_speak_only_of_what_was_used():
    """An estimator that was not run is not described, nor its works cited."""
    row = {"estimator": "E1", "level": 0.9, "standard": "crude", "df": None}
    settings = {"": {"seed": 7}, "validation": {"design": "random"}, "analysis": {"target": "cohort"}}
    paragraphs = methods(gate(settings), Rows((row,)), [])
    text = " ".join(paragraph.text for paragraph in paragraphs)
    assert "inverse probability weighting" in text
    assert "multiple imputation" not in text
    assert "rubin1987" not in [key for paragraph in paragraphs for key in paragraph.works]
    assert "at 90%" in text
    assert "normal distribution" in text
    assert "seed 7" in text
    assert "simple random part" in text
    assert "these very people" in text


def test_every_cited_work_exists():
    """All works have a text; those with a DOI have an address that can be followed."""
    assert len(cited(REFERENCES)) == len(REFERENCES)
    assert all(work.url == "" or work.url.startswith("https://doi.org/10.") for work in REFERENCES.values())
    assert not [work for work in REFERENCES.values() if " " in work.url or "<" in work.url]


def test_outline_prints_columns_with_equal_decimals():
    """Numbers of one column have equally many decimals, so that 0.7 beside 0.671 reads 0.700."""
    table = outline({"by_age": [{"age": "18-49", "auc": 0.7}, {"age": "50+", "auc": 0.671}]})[0]
    assert table.rows == (("18-49", "0.700"), ("50+", "0.671"))


def test_outline_keeps_names_and_seeds_as_they_are():
    """File names, package names and seeds are not put into sentence case or given separators."""
    nodes = outline({"versions": {"numpy": "2.4"}, "digests": {"persons.csv": "ab"}, "seed": 20231207})
    assert [child.label for node in nodes for child in node.children] == ["numpy", "persons.csv"]
    assert nodes[-1].text == "20231207"


def test_card_says_whether_its_model_gave_the_scores():
    """A card beside simulated scores must not claim them."""
    card = {"model_id": "demo", "statement": "weak", "performance": [{"auc": 0.6}]}
    assert "come from another source (simulated)" in model_view(card, {"model_id": "simulated"}).origin
    assert "It gave the scores" in model_view(card, {"model_id": "demo"}).origin
    assert model_view(card, {}).origin == ""
    assert model_view(None, {}) is None


def test_card_performance_is_one_table_by_group():
    """Long rows of a card become one line a group, the whole first, ages in order, other groups named."""
    rows = [
        {"data": "test", "unit": "patient", "group": group, "level": level, "metric": metric, "point": point,
         "low": None, "high": None, "n_patients": 40}
        for group, level in (("overall", "all"), ("age_band", "100+"), ("age_band", "45-54"), ("disease", "dry_amd"))
        for metric, point in (("auc", 0.6), ("correct_among_men", 0.7))
    ]  # fmt: skip
    table = model_view({"model_id": "demo", "performance": rows[:-1]}, {}).performance
    lines = [[cell.text for cell in line] for line in table.groups[0].rows]
    assert [line[0] for line in lines] == ["All", "Age 45–54", "Age 100+", "Disease: dry amd"]
    assert lines[0] == ["All", "40", "0.600", "70.0%"]
    assert lines[-1] == ["Disease: dry amd", "40", "0.600", "—"]


def test_flow_says_unchanged_counts_once():
    """A step that loses nobody is short; one that loses somebody, or hides a count, is told in full."""
    step = {"step": 1, "name": "all", "n_patients": 100, "n_images": 200, "n_male": 48, "n_female": 52, "n_other": 0,
            "n_unknown": 0, "patients_lost": 0, "images_lost": 0, "reason": "", "state": "counted"}  # fmt: skip
    same = {**step, "step": 2, "name": "in_the_table"}
    fewer = {**same, "step": 3, "n_patients": 90, "n_male": 38, "patients_lost": 10, "images_lost": 1}
    steps = flow_steps(Rows.of(pd.DataFrame([fewer, same, step]), "flow"))
    assert [one.unchanged for one in steps] == [False, True, False]
    assert [one.name for one in steps] == ["All", "In the table", "In the table"]
    assert steps[2].lost == "10 patients and 1 photograph"


def correct_titles(*points):
    """Return the title of the figure of men called rightly at 20-39, 40-59 and 60+; None is suppressed."""
    rows = [
        {"metric": "correct_among_men", "group": "age_band", "level_name": name, "point": point, "low": 0.5,
         "high": 0.95, "state": "suppressed" if point is None else "measured", "n_patients": 99}
        for name, point in zip(("20-39", "40-59", "60+"), points, strict=True)
    ]  # fmt: skip
    return audit_figures(Rows.of(pd.DataFrame(rows), "audit"))[0].title


def test_a_title_says_every_age_only_where_every_age_is_shown():
    """One age band that is shown is not every age, nor are two that agree beside one that is withheld."""
    assert correct_titles(None, 0.88, None) == "Called rightly: 88.0% of men at age 40–59, the only one shown"
    assert correct_titles(0.9, 0.9, 0.9) == "Called rightly: 90.0% of men at every age"
    assert correct_titles(0.9, None, 0.9) == "Called rightly: 90.0% of men at every age shown"
    assert correct_titles(0.9, 0.8, None) == "Called rightly: 80.0% of men at age 40–59, 90.0% at 20–39"


@pytest.mark.parametrize(("measure", "expected"), [("ungradable", "(0 to 1.2%)"), ("prevalence_ratio", "(0 to 0.01)")])
def test_the_interval_of_a_bare_zero_has_a_unit(measure, expected):
    """Zero stands without a unit, so that its interval must say what it is in."""
    assert interval(measure, 0.0, 0.0, 0.012, "measured") == ("0", expected)


def test_methods_say_where_another_estimator_stands_in():
    """The choice names the bands and standards that a second estimator reports, and says nothing without any."""
    choice = {"condition": "d", "estimator": "E1", "why": "Because.", "band_estimators": ["E2", "E2", "E1"],
              "standard_estimators": {"cohort": "E2", "esp_2013": "E1"}}  # fmt: skip
    one = Headline(condition="d", standard="cohort", estimator="E2", choice=choice)
    (point,) = next(part for part in methods(gate({}), Rows(()), [one]) if part.heading == "Choice of estimator").points
    assert "E2 stands in its place for two of the three age bands and the age distribution of this cohort" in point
    same = replace(one, choice={**choice, "band_estimators": ["E1"], "standard_estimators": {"cohort": "E1"}})
    (point,) = next(
        part for part in methods(gate({}), Rows(()), [same]) if part.heading == "Choice of estimator"
    ).points
    assert point == "D: E1. Because."


def test_methods_list_the_standards_as_a_sentence():
    rows = [{"estimator": "E1", "level": 0.9, "standard": name, "df": None} for name in ("cohort", "esp_2013")]
    (text,) = [part.text for part in methods(gate({}), Rows(tuple(rows)), []) if part.heading == "Age standardisation"]
    assert text.startswith("Direct standardisation to the age distribution of this cohort and the European standard")


def test_card_prints_ages_as_a_range_and_counts_with_separators():
    card = {"model_id": "m", "training_ages": [15.0, 91.0], "training_data": {"n_photographs": 5120, "year": 2019}}
    nodes = {node.label: node for node in model_view(card, {}).card}
    assert nodes["Training ages"].text == "15 to 91"
    assert [child.text for child in nodes["Training data"].children] == ["5,120", "2019"]


def test_rare_prevalence_has_distinct_axis_numbers():
    """Far below one per cent the axis still tells its ticks apart."""
    line = Series(label="Men", role="male", points=(0.0004, 0.0011, 0.0019))
    svg = band_chart(list("abc"), [line], name="x", measure="prevalence", axis="y", title="t", description="d")
    numbers = re.findall(r">([0-9.]+)</text>", svg)
    assert len(numbers) == len(set(numbers)) >= 3


def test_methods_of_what_stands_beside_say_only_what_was_done():
    """A bias analysis is described, with its work, where the study has one, and a tipping point is not."""
    rows = pd.DataFrame({"analysis": ["bias_analysis"], "condition": ["d"]})
    found = {one.heading: one for one in methods(gate({}, sensitivity=rows), Rows(()), [])}
    assert found["What if"].works == ("lash2014", "fox2005")
    assert len(found["What if"].points) == 1 and "correlated beta distributions" in found["What if"].points[0]
    assert not {"Diagnostics", "Imputation compared", "Other adjustment for age"} & set(found)
