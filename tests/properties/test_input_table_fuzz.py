"""Mutated input tables: each ends in rows accounted for or in an error that names its place; no data runs as SQL."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import io
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sexstrat.cohort import TableInput
from sexstrat.cohort.build import BuildSettings, write_cohort
from sexstrat.cohort.check import as_inputs, stage_and_check
from sexstrat.cohort.drops import DROPPABLE
from sexstrat.cohort.parquet_scan import scanned_files
from sexstrat.cohort.sql import connect, single_row
from sexstrat.errors import Problem, SchemaError, StudyError

LONGEST = 60.0  # seconds one table may take on a busy machine: far above any, far below a hang
HASH = "0" * 64
Rows = list[list[Any]]
Random = np.random.Generator


def sound(kind: str) -> Rows:
    """Return a sound table, header first."""
    if kind == "persons":
        return [["patient_id", "age_years", "birth_date", "visit_date", "recorded_sex", "weight", "site"],
                *([f"P{k}", 40 + k, "1960-01-31", f"20{k:02d}-06-30", ["male", "female", ""][k % 3], 1.5, "a"]
                  for k in range(24))]  # fmt: skip
    if kind == "conditions":
        return [["patient_id", "eye", "condition", "present"],
                *([f"P{k % 24}", "RL"[k // 24], "amd", k % 2] for k in range(48))]  # fmt: skip
    return [["image_id", "path", "patient_id", "eye", "model_id", "model_sha256", "precision", "decode", "prob_male",
             "status"], *([f"i{k}", f"i{k}", f"P{k}", "R", "m", HASH, "float32", "exact", 0.02 + k / 30, "ok"]
                          for k in range(24))]  # fmt: skip


def attacks(folder: Path) -> list[str]:
    """Return texts that would leave a trace in the folder, or take the canary, if anything ran them."""
    out = folder / "pwned"
    return [
        f"'); COPY (SELECT 1) TO '{out}.csv'; --", f'"; ATTACH \'{out}.db\' AS x; --',
        f"'; DROP TABLE IF EXISTS staged_person; EXPORT DATABASE '{out}'; --", '"; DROP VIEW typed_person; --',
        f"' || (SELECT content FROM read_text('{folder / 'canary.txt'}')) || '", "{rows} {table} {0} %s $1 ?",
        f"=cmd|'/c calc > {out}'!A0", '=HYPERLINK("http://x","y")', "@SUM(A1)", "+1+1", "$(touch pwned)", "`id`",
        "'", '"', "''", "--", "/*", "\\", ";",
    ]  # fmt: skip


VALUES = [
    "", " ", "　", "NULL", "nan", "NaN", "inf", "-inf", "1e999", "-0", "0x10", "６１", "４５歳", "2020-02-30",
    "0000-00-00", "99999-01-01", "9999999999999999999999", "1,5", "1_000", "true", "P1", "P1 ", "\x00", "a\x00b",
    "\u202etxt", "\U0001f441", "é", "e\u0301", "x" * 5000, "line\nbreak", "tab\tbed", "R", "male", "男", "-1", "121",
]  # fmt: skip
TYPES: list[Callable[[int], Any]] = [
    lambda n: pa.array([None] * n), lambda n: pa.array(range(n), pa.uint64()), lambda n: pa.array([2**63 - 1] * n),
    lambda n: pa.array([2**64 - 1] * n, pa.uint64()), lambda n: pa.array([float("nan"), float("inf")] * (n // 2)),
    lambda n: pa.array([True, None] * (n // 2)), lambda n: pa.array([dt.datetime(2020, 1, 1)] * n),
    lambda n: pa.array([dt.datetime(2020, 1, 1)] * n, pa.timestamp("ns", "Asia/Tokyo")),
    lambda n: pa.array([dt.timedelta(1)] * n), lambda n: pa.array([decimal.Decimal("61.5")] * n),
    lambda n: pa.array([[1, 2]] * n), lambda n: pa.array([{"a": 1}] * n), lambda n: pa.array([b"\xff\x00"] * n),
    lambda n: pa.array(["male"] * n).dictionary_encode(), lambda n: pa.array([dt.date(2020, 1, 1)] * n),
    lambda n: pa.array([dt.time(1)] * n), lambda n: pa.array(["x"] * n, pa.large_string()),
    lambda n: pa.array(["P1"] * n, pa.string_view()), lambda n: pa.array([1.5] * n, pa.float16()),
    lambda n: pa.array([[("a", 1)]] * n, pa.map_(pa.string(), pa.int64())), lambda n: pa.array([dt.date(1, 1, 1)] * n),
    lambda n: pa.array([decimal.Decimal(10) ** 30] * n),
    lambda n: pa.array([[1.0, 2.0]] * n, pa.list_(pa.float32(), 2)),
]  # fmt: skip


def mutate_rows(rows: Rows, rng: Random, folder: Path) -> dict[str, str]:
    """Change cells, rows and headings in place; return a mapping of columns that may go with it."""
    texts = [*VALUES, *attacks(folder)]
    mapping: dict[str, str] = {}
    for _ in range(int(rng.integers(1, 4))):
        what = int(rng.integers(9))
        row, column = int(rng.integers(1, len(rows))), int(rng.integers(len(rows[0])))
        text = texts[int(rng.integers(len(texts)))]
        if what < 4:
            rows[row][min(column, len(rows[row]) - 1)] = text
        elif what == 4:
            if rng.random() < 0.5:
                mapping[str(rows[0][column])] = text
            rows[0][column] = text
        elif what == 5:
            rows.append(list(rows[row]))
        elif what == 6:
            rows[row] = [*rows[row], "extra"] if rng.random() < 0.5 else rows[row][:-1]
        elif what == 7:
            rows[0][column] = rows[0][int(rng.integers(len(rows[0])))]
        else:
            for each in rows[1:]:
                each[min(column, len(each) - 1)] = text
    return mapping


def mutate_bytes(data: bytes, rng: Random) -> bytes:
    """Damage a file as transfers, editors and attackers do."""
    place = int(rng.integers(len(data) + 1))
    return [
        lambda: data, lambda: data, lambda: data, lambda: data[:place], lambda: b"", lambda: b"\xef\xbb\xbf" + data,
        lambda: data[:place] + bytes(rng.integers(0, 256, 8, dtype=np.uint8)) + data[place:],
        lambda: data[:place] + b"\x00" + data[place:], lambda: data[:place] + b'"' + data[place:],
        lambda: data.replace(b"\n", b"\r\n", 5), lambda: data.replace(b"\n", b"\r"), lambda: data + b"\n\n\n",
        lambda: data.replace(b",", b";"), lambda: data[data.find(b"\n") + 1 :], lambda: data[: data.find(b"\n")],
        lambda: data[:place] + b"y" * 300_000 + data[place:], lambda: bytes(rng.integers(0, 256, 500, dtype=np.uint8)),
        lambda: data.decode("utf-8", "replace").encode("utf-16"), lambda: b"\xff\xfe" + data, lambda: data * 2,
        lambda: data.decode("utf-8", "replace").encode("cp932", "replace"), lambda: data.replace(b"male", b"\x92j"),
    ][int(rng.integers(22))]()  # fmt: skip


def source_of(rows: Rows, rng: Random, folder: Path) -> Any:
    """Return the mutated rows as a CSV file, a Parquet file or a frame."""
    form = ["csv", "csv", "parquet", "frame"][int(rng.integers(4))]
    if form == "csv":
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        path = folder / "table.csv"
        path.write_bytes(mutate_bytes(text.getvalue().encode("utf-8", "replace"), rng))
        return path
    width = len(rows[0])
    columns = [[(row + [None] * width)[k] for row in rows[1:]] for k in range(width)]
    if form == "frame":
        frame = pd.DataFrame({k: pd.Series(column, dtype="object") for k, column in enumerate(columns)})
        frame.columns = pd.Index([str(name) for name in rows[0]])
        return frame
    arrays: list[Any] = [pa.array([None if v is None else str(v) for v in column], pa.string()) for column in columns]
    for _ in range(int(rng.integers(3))):
        chosen = TYPES[int(rng.integers(len(TYPES)))](len(rows[1:]) + 1)
        arrays[int(rng.integers(width))] = chosen.slice(0, len(rows[1:]))
    arrays = [array if len(array) == len(rows) - 1 else pa.nulls(len(rows) - 1) for array in arrays]
    path = folder / "table.parquet"
    pq.write_table(pa.Table.from_arrays(arrays, names=[str(name) for name in rows[0]]), path)
    if rng.random() < 0.3:
        path.write_bytes(mutate_bytes(path.read_bytes(), rng))
    return path


def case(seed: int, folder: Path) -> tuple[str, dict[str, Any]]:
    """Return which table is mutated, and the tables of the study."""
    rng = np.random.default_rng(seed)
    kind = ["persons", "persons", "conditions", "scores"][int(rng.integers(4))]
    tables: dict[str, Any] = {}
    for name in ("persons", "conditions", "scores"):
        rows = sound(name)
        tables[name] = pd.DataFrame(rows[1:], columns=rows[0])
    rows = sound(kind)
    mapping = mutate_rows(rows, rng, folder)
    contract = kind.removesuffix("s")
    drop: Sequence[str] = DROPPABLE[contract] if rng.random() < 0.4 else ()
    known = {name: text for name, text in mapping.items() if name in sound(kind)[0]}
    source = source_of(rows, rng, folder)
    encoding = ["utf-8", "cp932"][int(rng.random() < 0.1)]
    tables[kind] = TableInput(source=source, name="hostile", columns=known, drop=drop, encoding=encoding)
    return kind, tables


def named(problems: Sequence[Problem]) -> str:
    """Return the kind of the first problem; each says what is wrong where, and what is allowed."""
    assert str(SchemaError(problems))
    for problem in problems:
        assert problem.source and problem.message and problem.allowed, problem
        whole = {"empty_file", "missing_file", "unreadable_file", "files_disagree"}
        assert problem.kind in whole or problem.row is not None, problem
    return problems[0].kind


def outcome(kind: str, tables: dict[str, Any]) -> str:
    """Check and build a cohort of the tables; say how it ended."""
    contract = kind.removesuffix("s")
    connection = connect(readable=scanned_files(as_inputs(tables).values()), ordered=False, threads=1)
    try:
        staged, problems = stage_and_check(connection, tables, coding=None, training_ages=None)
        given, kept, left = (
            single_row(connection, f"SELECT count(DISTINCT source_row) FROM {table}")[0]
            for table in (f"given_{contract}", f"typed_{contract}", f"left_out WHERE contract = '{contract}'")
        )
        assert given == kept + left, "a row is neither kept nor left out"
        errors = [problem for problem in problems if problem.severity == "error"]
        if errors:
            return f"refused: {named(errors)}"
        write_cohort(connection, staged, problems, BuildSettings())
        (patients,) = single_row(connection, "SELECT count(*) FROM patient")
        (persons,) = single_row(connection, "SELECT count(*) FROM typed_person")
        (scores,) = single_row(connection, "SELECT count(*) FROM score")
        assert patients == persons
        if kind == "scores":
            assert scores <= kept
        return "kept in part, the rest left out and counted" if left else "kept whole"
    finally:
        connection.close()


def run_cases(seeds: range, folder: Path) -> Counter[str]:
    """Run mutated tables; return how many ended how."""
    canary = folder / "canary.txt"
    canary.write_text("alive", encoding="utf-8")
    ends: Counter[str] = Counter()
    for seed in seeds:
        started = time.monotonic()
        try:
            ends[outcome(*case(seed, folder))] += 1
        except StudyError:
            ends["refused: declaration"] += 1
        except SchemaError as err:
            ends[f"refused: {named(err.problems)}"] += 1
        except Exception as err:
            raise AssertionError(f"seed {seed}: {type(err).__name__}: {err}") from err
        assert time.monotonic() - started < LONGEST, f"seed {seed} took too long"
        assert canary.read_text(encoding="utf-8") == "alive"
        assert {path.name for path in folder.iterdir()} <= {"canary.txt", "table.csv", "table.parquet"}, seed
    return ends


def test_mutated_tables_end_in_rows_or_errors(tmp_path: Path) -> None:
    """Of 12 seeded mutations none crashes, hangs, loses a row or runs what it holds."""
    ends = run_cases(range(12), tmp_path)
    assert sum(ends.values()) == 12
    assert any(name.startswith("kept") for name in ends) and any(name.startswith("refused") for name in ends)


@pytest.mark.slow
def test_a_thousand_mutated_tables_end_in_rows_or_errors(tmp_path: Path) -> None:
    """The same of 1,000, and every outcome occurs."""
    ends = run_cases(range(1000), tmp_path)
    (tmp_path / "outcomes.txt").write_text("\n".join(f"{count:5d}  {name}" for name, count in ends.most_common()))
    assert sum(ends.values()) == 1000
    assert ends["kept whole"] > 50 and ends["kept in part, the rest left out and counted"] > 50
    assert sum(count for name, count in ends.items() if name.startswith("refused")) > 200
