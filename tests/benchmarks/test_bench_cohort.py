"""How long a cohort takes from files, and a question of its patient table, beside hand-written work on the same data.

Wall-clock times of one run, interleaved. Sizes are set by SEXSTRAT_BENCH_PATIENTS (10 million when left out) and, for
the large cohort under a memory limit, SEXSTRAT_BENCH_LARGE (50 million; about 15 minutes, 12 GB of disk).
"""

from __future__ import annotations

import json
import logging
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

PATIENTS = int(os.environ.get("SEXSTRAT_BENCH_PATIENTS", "10_000_000"))
LARGE = int(os.environ.get("SEXSTRAT_BENCH_LARGE", "50_000_000"))
DISEASES = ("amd", "bvo", "cataract", "dr", "erm", "glaucoma")
PART = 10  # pandas works on a tenth of the patients, ten times: all of them would need tens of gigabytes
MEMORY, MOST_RESIDENT = "4GB", 5e9
LOAD_TIMES, PER_PATIENT_TIMES, GROUP_TIMES, SCAN_TIMES = 6.0, 1.3, 50.0, 2.5  # the bars

ID = "'P' || lpad(CAST(i AS VARCHAR), 9, '0')"
PERSONS = """SELECT {id} AS patient_id, CAST(20 + hash(i) % 75 AS BIGINT) AS age_years,
    CASE WHEN hash(i * 7919 + 1) % 1000 < 25 THEN 'male' WHEN hash(i * 7919 + 1) % 1000 < 50 THEN 'female'
         ELSE 'unknown' END AS recorded_sex FROM range({n}) t(i)"""
SCORES = """SELECT {id} || '/' || eye AS image_id, 'x' AS path, {id} AS patient_id, eye, 'm' AS model_id,
    repeat('0', 64) AS model_sha256, 'float32' AS "precision", 'exact' AS decode,
    (hash(i * 7919 + ord(eye)) % 1000003 + 0.5) / 1000004.0 AS prob_male, 'ok' AS status
    FROM range({n}) t(i), (VALUES ('R'), ('L')) e(eye)"""
CONDITIONS = """SELECT {id} AS patient_id, d AS condition, hash(i * 31 + hash(d)) % 100 < 12 AS present
    FROM range({n}) t(i), (VALUES {diseases}) e(d)"""
BARE = """
SELECT age_years, recorded_sex, condition, present, n_eyes, logit_bin, count(*), sum(p) FROM (
    SELECT patient_id, count(*) AS n_eyes, 1 / (1 + exp(-avg(ln(prob_male / (1 - prob_male))))) AS p,
           CAST(floor(avg(ln(prob_male / (1 - prob_male))) * 10) AS INTEGER) AS logit_bin
    FROM '{folder}/scores.parquet' WHERE status = 'ok' GROUP BY patient_id
) RIGHT JOIN '{folder}/persons.parquet' USING (patient_id) JOIN '{folder}/conditions.parquet' USING (patient_id)
GROUP BY ALL
"""
GROUPED = """SELECT recorded_sex, age_years // 5, conditions_1, count(*), sum(prob_male) FROM patient
    WHERE in_study GROUP BY ALL"""
SCANNED = """SELECT max(recorded_sex), sum(age_years // 5), sum(conditions_1), count(*), sum(prob_male) FROM patient
    WHERE in_study"""
CREATE = """
import json, resource, sys, time
from pathlib import Path
from sexstrat.cohort import Cohort
folder, limit = Path(sys.argv[1]), sys.argv[2] or None
tables = {name: folder / f"{name}.parquet" for name in ("persons", "scores", "conditions")}
started = time.perf_counter()
cohort = Cohort.create(folder / "cohort.duckdb", memory_limit=limit, **tables)
created = time.perf_counter() - started
n = int(cohort.cells().frame["n"].sum())
whole = time.perf_counter() - started
resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({"create": created, "whole": whole, "n": n, "resident": resident}))
"""

logger = logging.getLogger(__name__)


def write_files(folder: Path, n: int) -> None:
    """Write persons, the scores of two eyes each and six diseases as three Parquet files."""
    with duckdb.connect(config={"preserve_insertion_order": "false", "memory_limit": "6GB"}) as connection:
        diseases = ", ".join(f"('{name}')" for name in DISEASES)
        for name, template in (("persons", PERSONS), ("scores", SCORES), ("conditions", CONDITIONS)):
            query = template.format(id=ID, n=n, diseases=diseases)
            connection.execute(f"COPY ({query}) TO '{folder.as_posix()}/{name}.parquet'")


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def bare(folder: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(BARE.format(folder=folder.as_posix())).fetchall()


def created(folder: Path, memory: str = "") -> dict[str, float]:
    """Build the cohort and count its cells in a process of its own, whose memory is then its own too."""
    command = [sys.executable, "-c", CREATE, str(folder), memory]
    done = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8")
    found: dict[str, float] = json.loads(done.stdout)  # nothing else may stand there
    return found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the folder of the files, which is emptied in the end: they are large."""
    folder = tmp_path_factory.mktemp("cohort")
    write_files(folder, PATIENTS)
    yield folder
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.benchmark_suite
def test_first_load_with_validation_beside_a_bare_join(files: Path) -> None:
    """Checking every rule, linking, writing the file and counting cells: at most six bare joins that only count."""
    times = [(seconds(lambda: bare(files)), created(files)) for _ in range(2)]
    joined = min(one for one, _ in times)
    built = min((one for _, one in times), key=lambda one: one["create"])
    assert built["n"] == len(DISEASES) * PATIENTS
    logger.warning(
        "%s patients: bare join %.1f s, create %.1f s (%.1f x), with cells %.1f s (%.1f x)",
        *(f"{PATIENTS:,}", joined, built["create"], built["create"] / joined, built["whole"], built["whole"] / joined),
    )
    assert built["create"] <= LOAD_TIMES * joined


@pytest.mark.benchmark_suite
def test_a_question_of_the_patient_table_beside_pandas_and_a_scan(files: Path, tmp_path: Path) -> None:
    """Sex by five years of age by pattern of diseases: against pandas from the raw files, and reading alone."""
    if not (files / "cohort.duckdb").exists():
        created(files)
    write_files(tmp_path, PATIENTS // PART)

    def in_pandas() -> pd.DataFrame:
        scores = pd.read_parquet(tmp_path / "scores.parquet", columns=["patient_id", "prob_male"])
        scores["logit"] = np.log(scores["prob_male"] / (1 - scores["prob_male"])).clip(-10, 10)
        p = 1 / (1 + np.exp(-scores.groupby("patient_id", sort=False)["logit"].mean()))
        conditions = pd.read_parquet(tmp_path / "conditions.parquet")
        wide = conditions.pivot_table(index="patient_id", columns="condition", values="present", aggfunc="first")
        joined = pd.read_parquet(tmp_path / "persons.parquet").merge(wide, left_on="patient_id", right_index=True)
        joined = joined.merge(p.rename("p"), left_on="patient_id", right_index=True)
        keys = ["recorded_sex", joined["age_years"] // 5, *DISEASES]
        return joined.groupby(keys, observed=True)["p"].agg(["size", "sum"])

    with duckdb.connect(str(files / "cohort.duckdb"), read_only=True) as cohort:
        slow, grouped, scanned = [], [], []
        for _ in range(2):
            slow.append(PART * seconds(in_pandas))  # no less than the whole would take: it is read, joined and sorted
            grouped += [seconds(lambda: cohort.execute(GROUPED).fetchall()) for _ in range(5)]
            scanned += [seconds(lambda: cohort.execute(SCANNED).fetchall()) for _ in range(5)]
        first = GROUPED.replace("in_study", f"in_study AND patient_id < 'P{PATIENTS // PART:09d}'")
        ours = pd.DataFrame(cohort.execute(first).fetchall())
    expected = in_pandas()
    assert sorted(ours[3]) == sorted(expected["size"])
    np.testing.assert_allclose(ours[4].sum(), expected["sum"].sum(), rtol=1e-9)
    by_pandas, group, scan = (statistics.median(one) for one in (slow, grouped, scanned))
    logger.warning(
        "%s patients: pandas %.2f s, group by %.3f s (%.0f x), scan %.3f s (%.2f x)",
        *(f"{PATIENTS:,}", by_pandas, group, by_pandas / group, scan, group / scan),
    )
    assert by_pandas >= GROUP_TIMES * group
    assert group <= SCAN_TIMES * scan


@pytest.mark.benchmark_suite
def test_a_large_cohort_fits_into_little_memory_at_the_same_pace(files: Path, tmp_path: Path) -> None:
    """Fifty million patients under a limit of 4 GB: resident memory below 5 GB, and no slower a patient."""
    write_files(tmp_path, LARGE)
    small, large = created(files, MEMORY), created(tmp_path, MEMORY)
    for path in tmp_path.iterdir():
        path.unlink()
    pace = (large["create"] / LARGE) / (small["create"] / PATIENTS)
    logger.warning(
        "%s patients: %.0f s and %.2f GB; %.2f x the seconds a patient of %s",
        *(f"{LARGE:,}", large["create"], large["resident"] / 1e9, pace, f"{PATIENTS:,}"),
    )
    assert large["n"] == len(DISEASES) * LARGE
    assert large["resident"] < MOST_RESIDENT
    assert pace <= PER_PATIENT_TIMES
