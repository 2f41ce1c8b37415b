"""Inputs as registries keep them: CP932 with Japanese headings, partitioned Parquet, object storage, databases."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sexstrat.cli.app import run
from sexstrat.cohort import Cohort, TableInput, check_inputs
from sexstrat.errors import SchemaError, StudyError
from sexstrat.scores.storage import write_url

N = 160
SEX = {"male": "男", "female": "女", "": "不明"}
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")

STUDY = """schema_version = 1
title = "登録"

[scores]
source = "scores.csv"

[persons]
source = "患者.csv"
encoding = "cp932"
sex_coding = "ja"
columns = { patient_id = "患者番号", age_years = "年齢", recorded_sex = "性別", site = "施設" }

[conditions]
source = "病名.csv"
encoding = "cp932"
columns = { patient_id = "患者番号", condition = "病名", present = "有無" }

[validation]
design = "random"

[analysis]
age_bands = [40, 60]
age_end = 80

[disclosure]
profile = "none"
reason = "simulated data"
"""


def registry(folder: Path, study: str = STUDY) -> Path:
    """Write a registry in CP932 with full-width ages, and its scores, of 160 simulated patients."""
    rng = np.random.default_rng(20)
    male = rng.random(N) < 0.5
    sex = np.where(male, "male", "female")
    recorded = np.where(rng.random(N) < 0.5, sex, "")
    score = 1 / (1 + np.exp(-rng.normal(np.where(male, 1.2, -1.2), 1.0)))
    ages = rng.integers(40, 80, N)
    persons = ["患者番号,年齢,性別,施設"]
    persons += [f"P{k},{str(ages[k]).translate(FULL_WIDTH)},{SEX[recorded[k]]},第一病院" for k in range(N)]
    (folder / "患者.csv").write_bytes("\r\n".join(persons).encode("cp932"))
    present = rng.random(N) < np.where(male, 0.3, 0.2)
    conditions = ["患者番号,病名,有無", *(f"P{k},加齢黄斑変性,{int(present[k])}" for k in range(N))]
    (folder / "病名.csv").write_bytes("\r\n".join(conditions).encode("cp932"))
    header = "image_id,path,patient_id,eye,model_id,model_sha256,precision,decode,prob_male,status"
    rows = [f"i{k},i{k},P{k},R,m,{'0' * 64},float32,exact,{score[k]:.6f},ok" for k in range(N)]
    (folder / "scores.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    (folder / "study.toml").write_text(study, encoding="utf-8")
    return folder / "study.toml"


def test_a_japanese_registry_in_cp932_is_checked_and_analysed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Declared headings, 男 and 女 and full-width digits give the estimates of 160 patients, none lost."""
    study = registry(tmp_path)
    assert run(["check", str(study), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["problems"] == []
    assert [
        (one["table"], one["source"], one["read"], one["accepted"], one["dropped"]) for one in document["tables"]
    ] == [
        ("persons", "患者.csv", N, N, {}),
        ("scores", "scores.csv", N, N, {}),
        ("conditions", "病名.csv", N, N, {}),
    ]
    assert run(["check", str(study)]) == 0
    assert f"persons     患者.csv    {N}   {N}       none" in capsys.readouterr().out
    assert run(["run", str(study), "--out", str(tmp_path / "out")]) == 0
    estimates = pd.read_csv(tmp_path / "out" / "tables" / "estimates.csv")
    assert set(estimates["condition"].dropna()) == {"加齢黄斑変性"}
    flow = pd.read_csv(tmp_path / "out" / "tables" / "flow.csv")
    steps = flow[flow["variable"].isna()].set_index("name")
    assert steps.loc["in the table of persons", "n_patients"] == N
    assert steps.loc["patients with a usable score", "n_patients"] == N
    lost = flow[(flow["name"] == "recorded sex male or female") & (flow["category"] == "加齢黄斑変性")]
    assert lost[["n_known", "known_lost"]].sum(axis=1).tolist() == [N]
    assert "加齢黄斑変性" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ('encoding = "cp932"\nsex_coding', 'encoding = "utf-8"\nsex_coding', ["bytes", 'encoding = "cp932"']),
        ('"ja"', '"iso5218"', ["'男'", 'sex_coding = "ja"', "(iso5218)"]),
        ('"年齢"', '"年令"', ["column '年令' of the mapping is not in the file", "found '年齢'"]),
        ('"性別"', '"年齢"', ["recorded sex is not in the declared coding"]),
    ],
)
def test_a_wrong_declaration_is_caught_and_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], right: str, wrong: str, told: list[str]
) -> None:
    """A wrong encoding, coding or heading ends with exit 3, the place and what to declare."""
    study = registry(tmp_path, STUDY.replace(right, wrong, 1))
    assert run(["check", str(study), "--json"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert {problem["source"] for problem in document["error"]["problems"]} == {"患者.csv"}
    for words in told:
        assert words in document["error"]["message"]
    assert run(["run", str(study), "--out", str(tmp_path / "out")]) == 3
    assert not (tmp_path / "out" / "report.html").exists()


PERSONS = pd.DataFrame({"patient_id": ["P1", "P2", "P3"], "age_years": [61, 55, 70], "recorded_sex": ["male", "", ""]})


def test_partitioned_parquet_keeps_the_text_of_its_folders(tmp_path: Path) -> None:
    """A folder site=007 gives the site 007, and a problem names the file and its own row."""
    for site, rows in (("007", PERSONS[:2]), ("x y", PERSONS[2:])):
        (tmp_path / "t" / f"site={site}").mkdir(parents=True)
        pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), tmp_path / "t" / f"site={site}" / "p.parquet")
    for source in (tmp_path / "t", tmp_path / "t" / "*" / "*.parquet"):
        with Cohort.create(tmp_path / "c.duckdb", persons=source) as cohort:
            assert cohort.flow()["n_patients"].iloc[1] == 3
        with duckdb.connect(str(tmp_path / "c.duckdb"), read_only=True) as made:
            assert made.execute("SELECT DISTINCT site FROM patient ORDER BY site").fetchall() == [("007",), ("x y",)]
    bad = PERSONS.assign(age_years=[61, 55, 300])
    pq.write_table(pa.Table.from_pandas(bad, preserve_index=False), tmp_path / "t" / "site=x y" / "p.parquet")
    kinds = {problem.kind: problem for problem in check_inputs(persons=tmp_path / "t").problems}
    assert (kinds["above_maximum"].source, kinds["above_maximum"].row) == ("site=x y/p.parquet", 3)


def test_files_of_one_table_must_agree(tmp_path: Path) -> None:
    """A file with other types, a damaged one and an empty folder are named."""
    for name, rows in (("a", PERSONS), ("b", PERSONS.assign(age_years=["61", "x", "y"]))):
        pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), tmp_path / f"{name}.parquet")
    (problem,) = [p for p in check_inputs(persons=tmp_path / "*.parquet").problems if p.kind == "files_disagree"]
    assert (problem.source, problem.column, problem.value) == ("b.parquet", "age_years", "VARCHAR")
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-20])
    (problem,) = [p for p in check_inputs(persons=tmp_path / "*.parquet").problems if p.kind == "unreadable_file"]
    assert problem.source == "b.parquet"
    assert check_inputs(persons=tmp_path / "none*.parquet").problems[0].kind == "missing_file"


def test_tables_in_object_storage(tmp_path: Path) -> None:
    """CSV, Parquet, folders and globs are read by URL as from this machine; what is not there is named."""
    write_url("memory://registry/p.csv", PERSONS.to_csv(index=False).encode())
    pq.write_table(pa.Table.from_pandas(PERSONS, preserve_index=False), tmp_path / "p.parquet")
    write_url("memory://registry/t/site=007/p.parquet", tmp_path / "p.parquet")
    for source in ("memory://registry/p.csv", "memory://registry/t/site=007/p.parquet", "memory://registry/t",
                   "memory://registry/t/*/*.parquet"):  # fmt: skip
        with Cohort.create(tmp_path / "c.duckdb", persons=source) as cohort:
            assert cohort.flow()["n_patients"].iloc[1] == 3, source
    for absent in ("memory://registry/no.csv", "memory://registry/no.parquet", "memory://registry/none/*.parquet"):
        (problem, *_) = check_inputs(persons=absent).problems
        assert (problem.kind, problem.source) == ("missing_file", absent)
    with pytest.raises(StudyError, match="https:// is not opened"):
        check_inputs(persons="https://example.org/p.parquet")


def test_tables_and_views_of_a_database(tmp_path: Path) -> None:
    """A view is read like a table, and one that would read a file of this machine is refused."""
    (tmp_path / "secret.csv").write_text("patient_id,age_years,recorded_sex\nX,50,male\n")
    with duckdb.connect(str(tmp_path / "r.duckdb")) as made:
        made.register("frame", PERSONS)
        made.execute("CREATE TABLE p AS SELECT * FROM frame; CREATE SCHEMA s; CREATE VIEW s.q AS SELECT * FROM p")
        made.execute(f"CREATE VIEW leak AS SELECT * FROM read_csv('{tmp_path / 'secret.csv'}')")
    for table in ("p", "q", "s.q", "main.p"):
        source = TableInput(source=tmp_path / "r.duckdb", table=table)
        with Cohort.create(tmp_path / "c.duckdb", persons=source) as cohort:
            assert cohort.flow()["n_patients"].iloc[1] == 3
    (problem, *_) = check_inputs(persons=TableInput(source=tmp_path / "r.duckdb", table="leak")).problems
    assert problem.kind == "unreadable_file"
    with pytest.raises(StudyError, match=r"it has no table 'pp'.*allowed: leak, p, s.q"):
        check_inputs(persons=TableInput(source=tmp_path / "r.duckdb", table="pp"))


def test_age_at_the_photograph(tmp_path: Path) -> None:
    """A birth date alone gives completed years at the first photograph after it; one before birth is an error."""
    persons = pd.DataFrame({"patient_id": ["a", "b"], "birth_date": ["1960-06-30", "2019-01-01"], "recorded_sex": ""})
    images = pd.DataFrame({"image_id": ["i", "j", "k"], "patient_id": ["a", "a", "b"], "path": "x",
                           "acquired_on": ["2021-01-01", "2020-06-29", "2018-01-01"]})  # fmt: skip
    (problem,) = [p for p in check_inputs(persons=persons, images=images).problems if p.severity == "error"]
    assert (problem.kind, problem.row, problem.value) == (
        "image_before_birth",
        3,
        "b: born 2019-01-01, photographed 2018-01-01",
    )
    leaving = TableInput(source=images, name="images", drop=["image_before_birth"])
    with Cohort.create(tmp_path / "c.duckdb", persons=persons, images=leaving) as cohort:
        assert {problem.kind for problem in cohort.problems} == {"image_before_birth", "no_age"}
    with duckdb.connect(str(tmp_path / "c.duckdb"), read_only=True) as made:
        ages = made.execute("SELECT patient_id, age_years FROM patient ORDER BY patient_id").fetchall()
    assert ages == [("a", 59), ("b", None)]


def test_rows_left_out_by_declaration_are_counted(tmp_path: Path) -> None:
    """Each declared kind leaves its rows out, the flow counts them, and what is not declared still stops the run."""
    persons = pd.DataFrame(
        [("a", "61", "male"), ("b", "300", "male"), ("c", "50", "male"), ("c", "50", "male"), ("d", "50", "male"),
         ("d", "50", "female"), ("e", "50", "x"), ("f", "", "male"), ("g", "70", "female")],
        columns=["patient_id", "age_years", "recorded_sex"],
    )  # fmt: skip
    conditions = pd.DataFrame(
        [("a", "amd", 1), ("a", "amd", 0), ("b", "amd", 1), ("z", "amd", 1)],
        columns=["patient_id", "condition", "present"],
    )
    drop = ["above_maximum", "duplicate_key", "two_recorded_sexes", "undeclared_sex_code", "no_age"]
    kept = TableInput(source=conditions, name="conditions", drop=["unknown_patient"], on_conflict="present")
    inputs = {"persons": TableInput(source=persons, name="persons", drop=drop), "conditions": kept}
    with Cohort.create(tmp_path / "c.duckdb", **inputs) as cohort:
        flow = cohort.flow()
        told = {(problem.kind, problem.count, problem.severity) for problem in cohort.problems}
        cells = cohort.cells().frame
    left = flow.set_index("name").loc["without the rows left out"]
    assert left[["n_patients", "patients_lost"]].tolist() == [3, 4]  # a, c and g stay; b, d, e and f go
    assert "persons: above maximum: 1, persons: duplicate key: 3, persons: no age: 1" in left["reason"]
    assert ("condition_conflict", 1, "warning") in told and ("two_recorded_sexes", 1, "warning") in told
    assert cells[["diseased", "n"]].values.tolist() == [[True, 1]]
    for missing in drop[:1] + drop[3:4]:
        fewer = TableInput(source=persons, name="persons", drop=[kind for kind in drop if kind != missing])
        with pytest.raises(SchemaError, match=f'drop = \\["{missing}"\\] in \\[persons\\]'):
            Cohort.create(tmp_path / "d.duckdb", persons=fewer)
