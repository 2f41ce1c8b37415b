"""The page tells of the audit over age, of photographs without a score, and of what the errors do."""

from __future__ import annotations

import pandas as pd
import pytest

from sexstrat.disclosure import release
from sexstrat.reporting.group_tests_view import group_test_table, rule_table
from sexstrat.reporting.page import page
from sexstrat.reporting.rows import Rows
from sexstrat.reporting.tables import write_tables


@pytest.fixture(scope="module")
def beyond(example):
    """Return the page of the example, as released by uk-5."""
    return page(release(example(), "uk-5"))


def test_curves_are_drawn_with_text_and_table_beside(beyond):
    """The figure has a title and a description with numbers, and the same numbers as a table and a CSV."""
    start = beyond.index("Over continuous age")
    part = beyond[start : beyond.index("Photographs without a score", start)]
    assert 'id="audit-curve-title"' in part
    assert "men aged 40: " in part
    assert "Shaded: interval for one age" in part
    assert 'download="age-curves.csv"' in part
    assert 'download="age-trends.csv"' in part


def test_joint_tests_are_said_in_words_before_any_other(beyond):
    """The sentences speak of the joint tests; a linear line without a joint finding is marked."""
    assert "How often the model is right changes with the age of men (p &lt; 0.001)." in beyond
    assert "is not shown to change with the age of women" in beyond
    assert "do not read this line alone" in beyond


def test_missing_scores_have_shares_and_bounds(beyond):
    """Who has no score stands by age and sex; what they could do, with the weighting's note, beside it."""
    for words in ("Photograph ungradable", "The others all wrong", "Weighted to all", "Weights by age_years"):
        assert words in beyond


def test_consequences_name_bias_parts_and_repair(beyond):
    """Every disease has its lines, its sentence and the estimator that repairs it."""
    part = beyond[beyond.index('id="consequences"') :]
    part = part[: part.index("</section>")]
    for words in ("Glaucoma", "Of it, equal errors", "Of it, unequal errors", "Attenuation", "Repaired by", "E1"):
        assert words in part
    assert "Glaucoma: the naive ratio" in part


def test_nothing_withheld_stands_in_the_tables(example, tmp_path):
    """What only the gate may read is empty in every file, and said to be withheld."""
    write_tables(release(example(), "uk-5"), tmp_path)
    curves = pd.read_csv(tmp_path / "age_curves.csv")
    assert curves["n_near"].isna().all()
    assert curves.loc[curves["age_years"].notna(), "withheld"].str.contains("n_near").all()
    consequences = pd.read_csv(tmp_path / "consequences.csv")
    assert consequences[["n_fewest", "n_empty"]].isna().all(axis=None)
    trends = pd.read_csv(tmp_path / "age_trends.csv")
    assert set(trends["value_state"]) <= {"shown", "undefined"}


def test_page_without_the_new_tables_keeps_silent(example):
    """An audit that went no further has none of these parts, and no empty heading."""
    empty = dict.fromkeys(("age_curves", "age_trends", "missingness", "consequences"), pd.DataFrame())
    text = page(release(example(**empty), "uk-5"))
    for words in ("Over continuous age", "Photographs without a score", "What the errors do"):
        assert words not in text


def test_a_rule_that_cannot_be_told_is_no_pass():
    """Outcome, difference in points, reason, and the sentence that an open rule is not kept."""
    row = {"number": 1, "rule": "correct among women at least correct among men less 5 points", "metric": "accuracy"}
    row |= {"comparison": "not_below", "limit": 0.05, "point": -0.03, "low": -0.09, "high": 0.03, "level": 0.9}
    row |= {"outcome": "cannot tell", "state": "measured", "note": "the interval holds the limit"}
    table = rule_table(Rows.of(pd.DataFrame([row]), "audit_rule"))
    assert table is not None
    assert [cell.text for cell in table.groups[0].rows[0]][1:] == [
        "cannot tell",
        "−3.0 points",
        "the interval holds the limit",
    ]
    assert "It is not a pass" in table.note


def test_tests_between_groups_print_raw_and_adjusted():
    """A test has both p values and the size of its family; a suppressed one has its word."""
    row = {"metric": "auc", "group": "age_band", "test": "permutation", "p_value": 0.0304, "p_adjusted": 0.12}
    row |= {"family_size": 4, "level": 0.95, "state": "measured"}
    gone = row | {"metric": "accuracy", "p_value": None, "p_adjusted": None, "state": "suppressed"}
    table = group_test_table(Rows.of(pd.DataFrame([row, gone]), "audit_test"))
    assert table is not None
    shown, hidden = ([cell.text for cell in line] for line in table.groups[0].rows)
    assert shown[3:] == ["0.030", "0.120", "4"]
    assert hidden[3:5] == ["suppressed", "suppressed"]
