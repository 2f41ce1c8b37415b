"""One scan, part by part or under a memory limit: the same cells; one file, read by many, never half written."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from sexstrat.cli.export_command import export
from sexstrat.cohort import Cohort, ScoreUse, memory_limited
from sexstrat.cohort.cells_dask import cells_on_dask, fingerprint_of, parts_of, whole_numbers_of_part
from sexstrat.cohort.cells_query import add_parts, cell_queries
from sexstrat.cohort.condition_bits import places
from sexstrat.cohort.provenance import sql_digest
from sexstrat.cohort.sql import connect
from sexstrat.errors import DisclosureError, StudyError

CONDITIONS = ("amd", "glaucoma", "retinal detachment")


def write_tables(folder: Path, n: int, seed: int = 3) -> dict[str, Path]:
    """Write a cohort with weights, two eyes, three conditions, one of them by eye, as Parquet."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"P{k:06d}" for k in range(n)])
    sexes = rng.choice(["male", "female", "other", "unknown"], n, p=[0.1, 0.1, 0.01, 0.79])
    validated = np.isin(sexes, ("male", "female"))
    persons = {"patient_id": ids, "age_years": rng.integers(30, 80, n), "recorded_sex": sexes}
    persons |= {"weight": rng.gamma(2.0, 1.0, n), "site": rng.choice(["Oita", "Lima"], n)}
    persons |= {"validation_probability": np.where(validated, rng.uniform(0.1, 0.4, n), np.nan)}
    scores = {"image_id": np.char.add(np.tile(ids, 2), np.repeat(["/R", "/L"], n)), "path": "p"}
    scores |= {
        "patient_id": np.tile(ids, 2),
        "eye": np.repeat(["R", "L"], n),
        "model_id": "m",
        "model_sha256": "0" * 64,
    }
    readable, named = np.arange(2 * n) % 17 != 5, np.arange(2 * n) % 1001 != 7
    scores |= {"patient_id": np.where(named, scores["patient_id"], None), "quality": np.where(readable, 0.9, np.nan)}
    scores |= {"prob_male": np.where(readable, rng.random(2 * n), np.nan), "precision": "float32", "decode": "exact"}
    scores |= {"status": np.where(readable, "ok", "unreadable")}
    rows = [
        pd.DataFrame({"patient_id": ids, "eye": None, "condition": c, "present": rng.random(n) < 0.2})
        for c in CONDITIONS[:2]
    ]
    rows += [
        pd.DataFrame({"patient_id": ids, "eye": eye, "condition": CONDITIONS[2], "present": rng.random(n) < 0.1})
        for eye in "RL"
    ]
    frames = {"persons": pd.DataFrame(persons), "scores": pd.DataFrame(scores), "conditions": pd.concat(rows)}
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    return {name: folder / f"{name}.parquet" for name in frames}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the tables of 4,000 patients."""
    return write_tables(tmp_path_factory.mktemp("tables"), 4_000)


@pytest.fixture(scope="module")
def cohort(tables: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cohort]:
    """Return their cohort."""
    with Cohort.create(tmp_path_factory.mktemp("cohort") / "c.duckdb", **tables) as one:
        yield one


def same_bytes(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    return one.to_csv(float_format="%.17g") == other.to_csv(float_format="%.17g") and (one.dtypes == other.dtypes).all()


def test_two_worker_processes_count_the_same_cells(cohort: Cohort) -> None:
    """A real cluster of two processes gives the bytes of one machine, keys, weights and eyes included."""
    whole = cohort.cells()
    parts = cohort.cells(engine="dask", workers=2)
    assert same_bytes(parts.frame, whole.frame)
    np.testing.assert_array_equal(parts.edges, whole.edges)


def test_export_of_a_study_too_small_for_any_cell_is_blocked(tables: dict[str, Path], tmp_path: Path) -> None:
    """Cells that no coarsening makes large enough do not leave, exit code 5; their owner gets the patients' rows."""
    sections = "".join(f'[{name}]\nsource = "{path.as_posix()}"\n' for name, path in tables.items())
    head = 'schema_version = 1\ntitle = "t"\n'
    study = tmp_path / "study.toml"
    study.write_text(head + sections + '[validation]\ndesign = "random"\n', encoding="utf-8")
    out = tmp_path / "table"
    with pytest.raises(DisclosureError, match="too many cells are small"):
        export(study, out=out, run=tmp_path / "run")
    assert not out.exists()
    export(study, out=out, run=tmp_path / "run", patients_for_the_owner=True)
    names = ["codebook.json", "headline.csv", "patients.csv", "patients.parquet", "read_patients.R"]
    assert sorted(path.name for path in out.iterdir()) == names


@pytest.mark.parametrize("cuts", [(0, 4000), (0, 1, 2, 4000), (0, 1333, 2666, 4000), tuple(range(0, 4001, 500))])
def test_any_parts_of_the_patients_add_up(cohort: Cohort, cuts: tuple[int, ...]) -> None:
    """Wherever the table is cut, no patient is lost, counted twice or divided: the sums are those of all."""
    connection = connect(cohort.path, read_only=True)
    queries = cell_queries(connection, places(connection), ["site"])
    wanted = [
        pd.concat([connection.execute(query.as_text, [query.place.condition, *part]).df() for query in queries])
        for part in pairwise(cuts)
    ]
    found = add_parts(connection, queries, wanted)
    connection.close()
    assert same_bytes(found, cohort.cells(keys=["site"]).frame)


def test_parts_cover_every_row_once() -> None:
    """Parts follow each other without gap or overlap, for any number of patients and workers."""
    for n in (1, 122_880, 122_881, 5_000_000):
        for workers in (1, 2, 7):
            parts = parts_of(n, workers)
            assert parts[0][0] == 0
            assert parts[-1][1] == n
            assert all(one[1] == other[0] for one, other in pairwise(parts))


def test_a_worker_that_sees_another_file_says_so(cohort: Cohort, tmp_path: Path) -> None:
    """No part is counted in a file that is not the one asked for, or is not there."""
    with pytest.raises(StudyError, match="sees another file"):
        whole_numbers_of_part(str(cohort.path), "0" * 64, [], 0, 1)
    connection = connect(cohort.path, read_only=True)
    with pytest.raises(StudyError, match="no Dask scheduler answers"):
        cells_on_dask(connection, cohort.path, [], scheduler="nowhere")
    connection.close()
    assert fingerprint_of(cohort.path) == fingerprint_of(cohort.path)
    with pytest.raises(StudyError, match="does not see"):
        whole_numbers_of_part(str(tmp_path / "none.duckdb"), "0" * 64, [], 0, 1)


def test_engines_and_schedulers_that_are_not_there_are_refused(cohort: Cohort) -> None:
    """A wrong engine is named with those there are; a silent scheduler ends the wait with what to do."""
    with pytest.raises(StudyError, match=r"engine is one of local, dask; found 'spark'"):
        cohort.cells(engine="spark")
    with pytest.raises(StudyError, match=r"no Dask scheduler answers at nowhere"):
        cohort.cells(engine="dask", scheduler="nowhere")


def test_row_order_and_threads_change_no_byte(tables: dict[str, Path], cohort: Cohort, tmp_path: Path) -> None:
    """Shuffled files and one thread give the same cells, byte by byte."""
    shuffled = {}
    for name, path in tables.items():
        shuffled[name] = tmp_path / path.name
        pd.read_parquet(path).sample(frac=1, random_state=1).to_parquet(shuffled[name], index=False, row_group_size=700)
    with Cohort.create(tmp_path / "c.duckdb", threads=1, **shuffled) as other:
        assert same_bytes(other.cells().frame, cohort.cells().frame)


def test_the_shorter_way_to_the_flow_counts_the_same(tables: dict[str, Path], cohort: Cohort, tmp_path: Path) -> None:
    """Images counted with each patient, or joined again because a least quality is declared: one flow."""
    with Cohort.create(tmp_path / "c.duckdb", score_use=ScoreUse(min_quality=0.0), **tables) as other:
        longer = other.flow()
    longer = longer[~longer["name"].str.startswith("images not below")].drop(columns="step").reset_index(drop=True)
    pd.testing.assert_frame_equal(longer, cohort.flow().drop(columns="step"))


def test_memory_is_named_in_sizes_and_too_little_is_explained(tables: dict[str, Path], tmp_path: Path) -> None:
    """A size without unit is refused before any work; one that cannot hold the work says what to give."""
    with pytest.raises(StudyError, match="'4' is no size"), memory_limited("4"):
        pass
    with pytest.raises(StudyError, match="too little memory"), memory_limited("1MB"):
        Cohort.create(tmp_path / "c.duckdb", **tables)
    assert list(tmp_path.iterdir()) == []


def test_many_read_while_a_new_one_is_built(tables: dict[str, Path], tmp_path: Path) -> None:
    """Readers in this and another process keep the cohort they opened; nobody can write to it."""
    path = tmp_path / "c.duckdb"
    Cohort.create(path, **tables).close()
    code = "import sys; from sexstrat.cohort import Cohort; print(Cohort.open(sys.argv[1]).cells().frame['n'].sum())"
    with Cohort.open(path) as one, Cohort.open(path) as two:
        other = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
        assert int(other.stdout) == one.cells().frame["n"].sum() == two.cells().frame["n"].sum()
        few = {name: path.with_name(f"few {name}.parquet") for name in ("persons", "conditions")}
        for name, target in few.items():
            pd.read_parquet(tables[name]).query("patient_id < 'P000100'").to_parquet(target, index=False)
        with Cohort.create(path, **few) as new:
            assert new.cells().frame["n"].sum() < one.cells().frame["n"].sum()
    with duckdb.connect(str(path), read_only=True) as connection, pytest.raises(duckdb.Error):
        connection.execute("DROP TABLE patient")


def test_the_file_names_what_it_was_built_from(tables: dict[str, Path], cohort: Cohort) -> None:
    """Each input's digest and the code's are in the file, and every table, view and column of patients has words."""
    with duckdb.connect(str(cohort.path), read_only=True) as connection:
        told = dict(connection.execute("SELECT label, sha256 FROM provenance").fetchall())
        assert told == {"sexstrat.cohort": sql_digest()} | {path.name: digest(path) for path in tables.values()}
        assert all(words for _, words in connection.execute('SELECT * FROM "README"').fetchall())


BUILD = """
import sys
from pathlib import Path
from sexstrat.cohort import Cohort
folder = Path(sys.argv[2])
tables = {name: folder / f"{name}.parquet" for name in ("persons", "scores", "conditions")}
with Cohort.create(sys.argv[1], threads=1, **tables) as cohort:
    print("built", flush=True)
    if len(sys.argv) > 3:
        while True:
            cohort.cells()
"""


def killed_build(path: Path, folder: Path, after: float, *more: str) -> bool:
    """Start a build, kill it without warning some seconds after its file is begun, and tell whether it was at work."""
    command = [sys.executable, "-c", BUILD, str(path), str(folder), *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        if more:
            assert process.stdout is not None
            assert process.stdout.readline() == b"built\n"
        end = time.monotonic() + 120
        while not more and not list(path.parent.glob(f"{path.name}.*.building")) and process.poll() is None:
            assert time.monotonic() < end
            time.sleep(0.001)
        time.sleep(after)
        at_work = process.poll() is None
        process.kill()
    return at_work


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def killed_loads(tmp_path: Path, n: int, moments: list[float]) -> int:
    """Kill builds at moments over an older cohort, which must stay; return how many were hit at work."""
    few, many = write_tables(tmp_path / "few", 60), write_tables(tmp_path / "many", n, seed=4)
    path = tmp_path / "run" / "c.duckdb"
    with Cohort.create(path, **few) as one:
        old = one.cells().frame
    before, hit = digest(path), 0
    for moment in moments:
        if killed_build(path, tmp_path / "many", moment):
            hit += 1
        if digest(path) != before:
            break  # this build was through before it was killed
        with Cohort.open(path) as one:
            assert same_bytes(one.cells().frame, old)
    with Cohort.create(tmp_path / "unbroken.duckdb", **many) as one:
        expected = one.cells().frame
    with Cohort.create(path, **many) as one:
        assert same_bytes(one.cells().frame, expected)
    assert [file.name for file in path.parent.iterdir()] == ["c.duckdb"]
    return hit


def test_a_load_killed_over_an_older_cohort_leaves_it_whole(tmp_path: Path) -> None:
    """The old file stays byte by byte until the new one is whole; the next build gives what an unbroken one gives."""
    assert killed_loads(tmp_path, 20_000, [0.0, 0.15]) >= 1


@pytest.mark.slow
def test_loads_killed_at_many_moments_leave_the_older_cohort_whole(tmp_path: Path) -> None:
    """Three hundred thousand patients, killed at twenty moments of the load."""
    assert killed_loads(tmp_path, 300_000, [0.1 * k for k in range(20)]) >= 10


def test_counting_killed_in_its_midst_leaves_the_file_and_the_next_count_as_they_were(
    tables: dict[str, Path], cohort: Cohort, tmp_path: Path
) -> None:
    """Cells are only read: a killed count changes no byte of the cohort."""
    path = tmp_path / "run" / "c.duckdb"
    Cohort.create(path, **tables).close()
    assert killed_build(path, next(iter(tables.values())).parent, 0.1, "count")
    with Cohort.open(path) as one:
        assert same_bytes(one.cells().frame, cohort.cells().frame)
    assert [file.name for file in path.parent.iterdir()] == ["c.duckdb"]
