"""Score tables are written whole, with their contract's types and version, and read with their faults named."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sexstrat.errors import SchemaError, StudyError
from sexstrat.scores import ScoreSummary, read_scores, write_scores
from sexstrat.scores.replacing import replace_file
from sexstrat.values.tables import table_schema


def table() -> pd.DataFrame:
    rows = {
        "image_id": ["a", "b"],
        "path": ["a.jpg", "右.jpg"],
        "patient_id": ["1", None],
        "eye": ["R", None],
        "model_id": "m",
        "model_sha256": "0" * 64,
        "precision": "float32",
        "runtime": "keras",
        "decode": "exact",
        "fold": pd.array([3, None], dtype="Int64"),
        "prob_male": [0.1 + 0.2, None],
        "status": ["ok", "unreadable"],
        "reason": [None, "cut off, at byte 3"],
        "quality": [0.9, None],
    }
    return pd.DataFrame(rows)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_table_comes_back_as_it_was_written(tmp_path: Path, suffix: str) -> None:
    """Values to the last bit, empty cells, types and column order survive both formats."""
    path = tmp_path / f"scores{suffix}"
    write_scores(table(), path)
    found = read_scores(path)
    assert list(found.columns) == table_schema("score").columns
    assert found["prob_male"].iloc[0] == 0.1 + 0.2
    assert found.isna().sum().sum() == 26
    assert found["fold"].tolist() == [3, pd.NA]
    assert str(found["image_id"].dtype) == "str"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_parquet_carries_version_and_types(tmp_path: Path) -> None:
    """The schema version is in the metadata; columns have the contract's types even where all cells are empty."""
    path = tmp_path / "scores.parquet"
    write_scores(table().assign(fold=None, eye=None), path)
    schema = pq.read_schema(path)
    assert schema.metadata[b"schema_version"] == b"3"
    assert schema.metadata[b"table"] == b"score"
    assert [schema.field(n).type for n in ("fold", "eye", "prob_male")] == [pa.int64(), pa.string(), pa.float64()]
    assert not schema.field("image_id").nullable


@pytest.mark.parametrize("version", ["1", "4", "soon"])
def test_another_schema_version_is_refused_by_name(tmp_path: Path, version: str) -> None:
    """An older, newer or nonsensical version says what was found and what is read."""
    write_scores(table(), tmp_path / "scores.parquet")
    old = pq.read_table(tmp_path / "scores.parquet")
    pq.write_table(old.replace_schema_metadata({"schema_version": version}), tmp_path / "old.parquet")
    old.to_pandas().assign(schema_version=version).to_csv(tmp_path / "old.csv", index=False)
    for path in (tmp_path / "old.parquet", tmp_path / "old.csv"):
        with pytest.raises(SchemaError, match=f"found '{version}'; allowed: version 2 or 3"):
            read_scores(path)


def test_a_table_of_version_2_is_read_without_predicted_ages(tmp_path: Path) -> None:
    """Version 2 differs by the column of predicted ages alone, which then reads as empty."""
    write_scores(table(), tmp_path / "scores.parquet")
    old = pq.read_table(tmp_path / "scores.parquet").drop_columns(["predicted_age"])
    pq.write_table(old.replace_schema_metadata({"schema_version": "2"}), tmp_path / "old.parquet")
    found = read_scores(tmp_path / "old.parquet")
    assert found["prob_male"].iloc[0] == 0.1 + 0.2
    assert found["predicted_age"].isna().all()


def test_a_table_made_elsewhere_is_read_and_held_to_the_contract(tmp_path: Path) -> None:
    """Without a version a table is of the present one; its breaches have row, column and value."""
    path = tmp_path / "theirs.csv"
    table().assign(prob_male=[0.4, 1.7], status=["ok", "fine"]).to_csv(path, index=False)
    with pytest.raises(SchemaError) as caught:
        read_scores(path)
    assert [(p.row, p.column, p.value) for p in caught.value.problems] == [
        (3, "prob_male", "1.7"),
        (3, "status", "fine"),
    ]
    table().to_csv(path, index=False)
    assert len(read_scores(path)) == 2


def test_a_probability_that_is_no_number_is_named(tmp_path: Path) -> None:
    """Text among numbers is a problem with its row."""
    path = tmp_path / "theirs.csv"
    table().assign(prob_male=["high", None], fold=["1.5", None]).to_csv(path, index=False)
    with pytest.raises(SchemaError) as caught:
        read_scores(path)
    assert [(p.column, p.kind) for p in caught.value.problems] == [
        ("fold", "not_a_whole_number"),
        ("prob_male", "not_a_number"),
    ]


def test_nothing_is_written_when_a_row_breaks_the_contract(tmp_path: Path) -> None:
    """Two rows of one image are refused and leave no file, not even half of one."""
    with pytest.raises(SchemaError, match="more than once"):
        write_scores(table().assign(image_id="a"), tmp_path / "scores.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    """Writing that breaks off leaves the old file; writing that succeeds puts a new file in its place at once."""
    path, held = tmp_path / "scores.csv", tmp_path / "held.csv"
    path.write_text("old", encoding="utf-8")
    held.hardlink_to(path)

    def broken(target: Path) -> None:
        target.write_text("ne", encoding="utf-8")
        raise OSError(28, "No space left on device")

    with pytest.raises(StudyError, match=r"scores\.csv cannot be written: No space .* free space there"):
        replace_file(path, broken)
    assert path.read_text(encoding="utf-8") == "old"
    replace_file(path, lambda target: target.write_text("new", encoding="utf-8"))
    assert (path.read_text(encoding="utf-8"), held.read_text(encoding="utf-8")) == ("new", "old")
    assert {p.name for p in tmp_path.iterdir()} == {"scores.csv", "held.csv"}


@pytest.mark.parametrize("name", ["scores.xlsx", "scores"])
def test_other_formats_are_refused(tmp_path: Path, name: str) -> None:
    """Only Parquet and CSV are written and read."""
    with pytest.raises(StudyError, match=r"\.parquet or \.csv"):
        write_scores(table(), tmp_path / name)


@pytest.mark.parametrize("name", ["scores.parquet", "scores.csv"])
def test_a_file_of_other_content_is_refused(tmp_path: Path, name: str) -> None:
    """A picture named like a table is a problem of the input, not a traceback."""
    (tmp_path / name).write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x81")
    with pytest.raises(SchemaError):
        read_scores(tmp_path / name)


def test_the_summary_accounts_for_every_image() -> None:
    """Statuses are counted in the contract's order and sum to the images listed."""
    rows = pd.DataFrame({"status": ["too_small", "ok", "empty_file", "ok"], "patient_id": [None, "1", "2", "1"]})
    summary = ScoreSummary.of(rows)
    assert list(summary.by_status.items()) == [("ok", 2), ("empty_file", 1), ("too_small", 1)]
    assert sum(summary.by_status.values()) == summary.n_images == 4
    assert str(summary) == "4 images of 2 patients: 2 scored, 2 without a score (1 empty file, 1 too small)"
    assert str(ScoreSummary.of(rows.iloc[[1]].assign(patient_id=None))) == "1 image: 1 scored"
