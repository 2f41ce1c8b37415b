"""Persons and diseases out of an OMOP common data model, in a database and in files, by hand-checked records."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from sexstrat.cli.app import run
from sexstrat.cohort import Cohort, TableInput, check_inputs
from sexstrat.cohort.omop import MeasuredDisease, OmopSettings
from sexstrat.errors import StudyError

DIABETES = MeasuredDisease(concept=3004410, unit=8554, at_least=6.5)
SETTINGS = OmopSettings(
    visit="first",
    without_record="absent",
    conditions={"glaucoma": [437541, 435262]},
    measurements={"diabetes": DIABETES},
)
TABLES = {
    "person": pd.DataFrame(
        [(1, 8507, 1960, 3, 2, 5), (2, 8532, 1950, None, None, 5), (3, 8521, 1970, 1, 1, 6), (4, 0, 1980, 1, 1, 6),
         (5, 8551, 1980, 1, 1, None)],
        columns=["person_id", "gender_concept_id", "year_of_birth", "month_of_birth", "day_of_birth", "care_site_id"],
    ).astype("Int64"),
    "visit_occurrence": pd.DataFrame(
        [(1, 1, 9202, "2020-03-01"), (2, 1, 9202, "2021-01-01"), (3, 2, 9202, "2020-06-30"), (4, 3, 9201, "2020-01-01"),
         (5, 4, 9202, "2020-01-01")],
        columns=["visit_occurrence_id", "person_id", "visit_concept_id", "visit_start_date"],
    ),
    "condition_occurrence": pd.DataFrame(
        [(1, 1, 437541, "2020-03-01"), (2, 1, 437541, "2020-05-01"), (3, 2, 435262, "2020-07-01"),
         (4, 3, 1, "2019-01-01")],
        columns=["condition_occurrence_id", "person_id", "condition_concept_id", "condition_start_date"],
    ),
    "measurement": pd.DataFrame(
        [(1, 1, 3004410, "2020-01-01", 6.4, 8554), (2, 1, 3004410, "2020-02-01", 6.5, 8554),
         (3, 2, 3004410, "2020-02-01", 6.4, 8554), (4, 3, 3004410, "2020-02-01", 9.0, 8554),
         (5, 4, 1, "2019-01-01", 9.0, 1)],
        columns=["measurement_id", "person_id", "measurement_concept_id", "measurement_date", "value_as_number",
                 "unit_concept_id"],
    ),
}  # fmt: skip


def written(place: Path) -> Path:
    """Write the model as a DuckDB file, or as one file a table in a folder."""
    if place.suffix:
        with duckdb.connect(str(place)) as made:
            made.execute("CREATE SCHEMA cdm")
            for name, frame in TABLES.items():
                made.register("frame", frame)
                made.execute(f"CREATE TABLE cdm.{name} AS SELECT * FROM frame")
        return place
    place.mkdir()
    for number, (name, frame) in enumerate(TABLES.items()):
        (frame.to_csv(place / f"{name.upper()}.csv", index=False) if number % 2
         else frame.to_parquet(place / f"{name}.parquet"))  # fmt: skip
    return place


@pytest.mark.parametrize("name", ["registry.duckdb", "cdm"])
def test_persons_and_conditions_of_a_common_data_model(tmp_path: Path, name: str) -> None:
    """Sex by concept, completed years at the first visit, diagnoses and values up to it, absence where declared."""
    model = TableInput(source=written(tmp_path / name), omop=SETTINGS)
    with Cohort.create(tmp_path / "c.duckdb", persons=model, conditions=model) as cohort:
        assert {(problem.kind, problem.count) for problem in cohort.problems} == {
            ("imprecise_birth_date", 1),
            ("no_age", 1),  # person 5 has no visit
        }
    with duckdb.connect(str(tmp_path / "c.duckdb"), read_only=True) as made:
        persons = made.execute("SELECT patient_id, recorded_sex, age_years, site FROM patient ORDER BY 1").fetchall()
        diseases = made.execute(
            "SELECT patient_id, condition, diseased FROM patient_condition ORDER BY 1, 2"
        ).fetchall()
    # person 1 turns 60 the day after the first visit; person 2 is taken to be born on 1950-07-01
    assert persons == [("1", "male", 59, "5"), ("2", "female", 69, "5"), ("3", "other", 50, "6"),
                       ("4", "unknown", 40, "6"), ("5", "unknown", None, None)]  # fmt: skip
    # the diagnosis of 2 is after the visit, the value of 3 too; 4 was not measured; of 5 nothing is known
    assert diseases == [("1", "diabetes", True), ("1", "glaucoma", True), ("2", "diabetes", False),
                        ("2", "glaucoma", False), ("3", "glaucoma", False), ("4", "glaucoma", False)]  # fmt: skip


def test_visits_of_a_kind_and_units_that_differ(tmp_path: Path) -> None:
    """Only visits of the declared concepts date an age, and a value in another unit is an error until dropped."""
    model = written(tmp_path / "registry.duckdb")
    measured = {"diabetes": MeasuredDisease(concept=3004410, unit=1, at_least=6.5)}
    settings = OmopSettings(
        visit="last", visit_concepts=[9202], without_record="unknown", until_visit=False, measurements=measured
    )
    inputs = {"persons": TableInput(source=model, omop=settings), "conditions": TableInput(source=model, omop=settings)}
    problems = {problem.kind: problem for problem in check_inputs(**inputs).problems}
    unit = problems["other_unit"]
    assert (unit.source, unit.value, unit.allowed, unit.count) == ("registry.duckdb: measurement", "8554", "1", 4)
    assert 'drop = ["other_unit"] in [conditions]' in unit.hint
    assert problems["no_age"].count == 2  # 3 has an inpatient visit only
    inputs["conditions"] = TableInput(source=model, omop=settings, drop=["other_unit"])
    found = check_inputs(**inputs)
    assert "error" not in {problem.severity for problem in found.problems}
    (measured,) = [one for one in found.rows if one.source.endswith("measurement")]
    assert (measured.read, measured.accepted, measured.dropped) == (5, 1, {"other_unit": 4})


def test_rows_of_two_tables_are_told_apart_and_counted(tmp_path: Path) -> None:
    """A diagnosis left out takes no value of the same row number with it, and each table's rows are counted."""
    folder = written(tmp_path / "cdm")
    stranger = pd.DataFrame([(9, 99, 437541, "2019-01-01")], columns=TABLES["condition_occurrence"].columns)
    diagnoses = pd.concat([TABLES["condition_occurrence"][:2], stranger], ignore_index=True)
    (folder / "CONDITION_OCCURRENCE.csv").unlink(missing_ok=True)
    diagnoses.to_parquet(folder / "condition_occurrence.parquet")
    settings = OmopSettings(
        visit="first", without_record="unknown", until_visit=False, conditions={"glaucoma": [437541]},
        measurements={"diabetes": MeasuredDisease(concept=3004410, unit=8554, at_least=6.5)},
    )  # fmt: skip
    model = TableInput(source=folder, omop=settings)
    conditions = TableInput(source=folder, omop=settings, drop=["unknown_patient"])
    (problem,) = [p for p in check_inputs(persons=model, conditions=model).problems if p.kind == "unknown_patient"]
    assert (problem.source, problem.row) == ("cdm: condition_occurrence", 3)
    with Cohort.create(tmp_path / "c.duckdb", persons=model, conditions=conditions) as cohort:
        assert cohort.condition_counts()[["condition", "n_known"]].values.tolist() == [["diabetes", 3], ["glaucoma", 1]]
    rows = {one.source: one for one in check_inputs(persons=model, conditions=conditions).rows}
    read = {name: (one.table, one.read, one.accepted, one.dropped) for name, one in rows.items() if ": " in name}
    assert read == {
        "cdm: person": ("persons", 5, 5, {}),
        "cdm: visit_occurrence": ("persons", 5, 5, {}),
        "cdm: condition_occurrence": ("conditions", 3, 3, {}),
        "cdm: measurement": ("conditions", 5, 5, {}),
    }
    made = rows["cdm"]  # of conditions, the last: one of two people with glaucoma, and three values
    assert (made.table, made.read, made.accepted, made.dropped) == ("conditions", 5, 4, {"unknown_patient": 1})


def test_a_model_that_lacks_a_table_or_names_an_unknown_sex(tmp_path: Path) -> None:
    """A missing file, a missing column and an undeclared concept are named with what to do."""
    folder = written(tmp_path / "cdm")
    (folder / "MEASUREMENT.csv").unlink()
    person = TABLES["person"].assign(gender_concept_id=[8507, 8532, 38003564, 0, 0])
    person.drop(columns="year_of_birth").to_parquet(folder / "person.parquet")
    model = TableInput(source=folder, omop=SETTINGS)
    problems = {problem.kind: problem for problem in check_inputs(persons=model, conditions=model).problems}
    assert problems["missing_file"].source == "cdm: measurement"
    assert (problems["missing_column"].source, problems["missing_column"].column) == ("cdm: person", "year_of_birth")
    assert problems["undeclared_sex_code"].value == "38003564"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"visit": "latest"}, "omop.visit is one of first, last, none; found 'latest'"),
        ({"without_record": "no"}, "omop.without_record is one of absent, unknown; found 'no'"),
        ({"conditions": {}}, "omop: no disease is declared"),
    ],
)
def test_settings_of_a_model_that_are_not_allowed(change: dict[str, object], told: str) -> None:
    """What is not declared is not guessed."""
    with pytest.raises(StudyError, match=told):
        OmopSettings(**({"visit": "first", "without_record": "absent", "conditions": {"a": [1]}} | change))


STUDY = """schema_version = 1
title = "registry"
[scores]
source = "scores.csv"
[persons]
source = "registry.duckdb"
[conditions]
source = "registry.duckdb"
[omop]
visit = "first"
without_record = "absent"
schema = "cdm"
[omop.conditions]
glaucoma = [437541, 435262]
[omop.measurements]
diabetes = { concept = 3004410, unit = 8554, at_least = 6.5 }
[analysis]
conditions = ["glaucoma"]
[validation]
design = "random"
"""


@pytest.mark.parametrize(
    ("right", "wrong", "code", "told"),
    [
        ("", "", 0, "no errors"),
        ('visit = "first"', 'visit = "frist"', 2, "allowed: one of first, last, none; did you mean first?"),
        ("[437541, 435262]", "437541", 2, "allowed: a table such as { glaucoma = [437541] }"),
        (", at_least = 6.5", "", 2, "with at_least or below"),
        ('schema = "cdm"', 'schema = "omop"', 2, "it has no table 'omop.person'; did you mean cdm.person?"),
        ("unit = 8554", "unit = 9579", 3, 'write drop = ["other_unit"] in [conditions] of the study file'),
    ],
)
def test_a_study_of_a_common_data_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], right: str, wrong: str, code: int, told: str
) -> None:
    """The study file declares the model; a slip is told with what is allowed, before anything is written."""
    written(tmp_path / "registry.duckdb")
    header = "image_id,path,patient_id,eye,model_id,model_sha256,precision,decode,prob_male,status"
    (tmp_path / "scores.csv").write_text(f"{header}\ni,i,1,R,m,{'0' * 64},float32,exact,0.7,ok\n")
    (tmp_path / "study.toml").write_text(STUDY.replace(right, wrong))
    assert run(["check", str(tmp_path / "study.toml")]) == code
    printed = capsys.readouterr()
    assert told in printed.out + printed.err


def test_the_study_file_of_the_page_is_checked_as_it_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], repository: Path
) -> None:
    """What the page on common data models shows can be copied, and the rows of the model are told."""
    page = (repository / "docs" / "how-to" / "read_omop.md").read_text(encoding="utf-8")
    written(tmp_path / "registry.duckdb")
    header = "image_id,path,patient_id,eye,model_id,model_sha256,precision,decode,prob_male,status"
    frame = pd.DataFrame(
        [("i", "i", "1", "R", "m", "0" * 64, "float32", "exact", 0.7, "ok")], columns=header.split(",")
    )
    frame.to_parquet(tmp_path / "scores.parquet")
    (tmp_path / "study.toml").write_text(page.partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    assert run(["check", str(tmp_path / "study.toml")]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["conditions", "registry.duckdb:", "measurement", "5", "5", "none"] in lines
