"""The files beside the page: every released row, and what each empty cell means."""

from __future__ import annotations

import csv
import io
import json

import pandas as pd
import pytest

from sexstrat.disclosure import release
from sexstrat.errors import DisclosureError
from sexstrat.reporting import estimates_table, write_tables
from sexstrat.values.tables import table_schema


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_every_table_is_written_with_its_contract(released, tmp_path):
    """A CSV file a table and one JSON file hold the columns of their contracts and every released row."""
    files = write_tables(released, tmp_path / "new")
    assert [path.name for path in files] == [
        *("estimates.csv", "audit.csv", "gaps.csv", "flow.csv"),
        *("diagnostics.csv", "sensitivity.csv", "imputation.csv"),
        *("age_curves.csv", "age_trends.csv", "missingness.csv", "consequences.csv"),
        *("group_tests.csv", "shrunken.csv", "parity.csv", "rules.csv", "results.json"),
    ]
    frames = (released.estimates, released.audit, released.gaps, released.flow)
    for path, frame, contract in zip(files, frames, ("estimate", "audit", "gap", "flow"), strict=False):
        rows = rows_of(path)
        assert len(rows) == len(frame)
        assert list(rows[0])[: len(table_schema(contract).columns)] == table_schema(contract).columns


def test_four_states_are_explicit(released, tmp_path):
    """Suppressed, missing and undefined are words in a column; a number is there exactly where it is shown."""
    rows = rows_of(write_tables(released, tmp_path)[0])
    states = {row["value_state"] for row in rows}
    assert {"shown", "suppressed", "missing", "undefined"} <= states
    assert all((row["point"] != "") == (row["value_state"] in {"shown", "zero"}) for row in rows)


def test_json_holds_the_same_rows_and_its_version(released, tmp_path):
    """The JSON is valid, versioned, in UTF-8, and holds the rows of the CSV files."""
    files = write_tables(released, tmp_path)
    document = json.loads(files[-1].read_text(encoding="utf-8"))
    assert document["schema_version"] == 1
    assert {name: len(table["rows"]) for name, table in document["tables"].items()} == {
        path.stem: len(rows_of(path)) for path in files[:-1]
    }
    assert document["tables"]["estimates"]["schema_version"] == table_schema("estimate").version
    assert document["disclosure"]["profile"] == "uk-5"


def test_files_are_the_same_every_time(released, tmp_path):
    """The same results give the same bytes."""
    first = [path.read_bytes() for path in write_tables(released, tmp_path / "a")]
    assert first == [path.read_bytes() for path in write_tables(released, tmp_path / "b")]


def test_japanese_and_formulas_survive(example, tmp_path):
    """A Japanese name is kept; a name that a spreadsheet would run as a formula is not run."""
    files = write_tables(release(example(names=("緑内障", '=HYPERLINK("x")')), "uk-5"), tmp_path)
    names = {row["condition"] for row in rows_of(files[0])}
    assert {"緑内障", '\'=HYPERLINK("x")'} <= names
    assert "緑内障" in files[-1].read_text(encoding="utf-8")


def test_infinite_limits_stay_valid_json(example, tmp_path):
    """An interval without an upper limit is written as a word, since JSON knows no infinity."""
    frame = example().estimates
    at = frame.index[(frame["measure"] == "prevalence_ratio") & (frame["estimator"] == "E2")][0]
    frame.loc[at, "high"] = float("inf")
    files = write_tables(release(example(estimates=frame), "uk-5"), tmp_path)
    rows = json.loads(files[-1].read_text(encoding="utf-8"))["tables"]["estimates"]["rows"]
    assert [row["high"] for row in rows].count("infinity") == 1


def test_empty_tables_still_have_their_header(example, tmp_path):
    """A table without a row is a file with its columns, not an empty file."""
    files = write_tables(release(example(gaps=pd.DataFrame()), "uk-5"), tmp_path)
    assert files[2].read_text(encoding="utf-8").startswith("metric,group,level_name,reference,point")


def test_results_that_did_not_pass_the_gate_are_refused(example, tmp_path):
    """Neither files nor a table are made of results that were not released."""
    with pytest.raises(DisclosureError, match="only released results"):
        write_tables(example(), tmp_path / "never")
    with pytest.raises(DisclosureError, match="only released results"):
        estimates_table(example())
    assert not (tmp_path / "never").exists()


def test_estimates_table_reads_like_the_page(released):
    """The table of estimates holds texts with intervals, and words where there is no number."""
    table = estimates_table(released)
    first = table[(table["condition"] == "Glaucoma") & (table["age"] == "all ages")].iloc[0]
    assert first["estimator"] == "Doubly robust (E1)"
    assert first["ratio"] == "1.44 (1.26 to 1.64)"
    assert first["men"] == "11.8% (10.4 to 13.5)"
    young = table[
        (table["age"] == "20–29") & (table["condition"] == "Glaucoma") & (table["estimator"] == "Doubly robust (E1)")
    ]
    assert young[["men", "women"]].to_numpy().tolist() == [["not defined", "missing"]]
