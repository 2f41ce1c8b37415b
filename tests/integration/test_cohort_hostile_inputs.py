"""What a user's mistakes look like to the user: each has its own message with file, row, column, value, allowed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from sexstrat.cohort import Cohort, TableInput, TrainingAges, check_inputs
from sexstrat.errors import Problem, SchemaError

PERSONS = "patient_id,age_years,recorded_sex\nP1,61,male\nP2,55,female\nP3,70,\n"


def written(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def only(problems: Sequence[Problem], kind: str) -> Problem:
    found = [problem for problem in problems if problem.kind == kind]
    assert len(found) == 1, [str(problem) for problem in problems]
    return found[0]


def test_wrong_column_name_is_named_with_the_nearest_in_the_file(tmp_path: Path) -> None:
    """A misnamed column says which column of the file was probably meant."""
    path = written(tmp_path, "persons.csv", PERSONS.replace("patient_id", "PatientID"))
    problem = only(check_inputs(persons=path).problems, "missing_column")
    assert (problem.source, problem.row, problem.column, problem.value) == ("persons.csv", 1, "patient_id", "PatientID")
    assert problem.allowed == "a column named patient_id (the file has PatientID, age_years, recorded_sex)"
    assert 'columns.patient_id = "PatientID"' in problem.hint


def test_misnamed_age_is_an_error_although_the_column_may_be_absent(tmp_path: Path) -> None:
    """Without an age column every patient would be lost, so a slip in its name stops the run."""
    path = written(tmp_path, "persons.csv", PERSONS.replace("age_years", "age"))
    problem = only(check_inputs(persons=path).problems, "missing_column")
    assert (problem.column, problem.value, problem.severity) == ("age_years", "age", "error")


def test_negative_age(tmp_path: Path) -> None:
    """An age of -3 is found on its line."""
    path = written(tmp_path, "persons.csv", PERSONS.replace("55", "-3"))
    problem = only(check_inputs(persons=path).problems, "below_minimum")
    assert (problem.source, problem.row, problem.column, problem.value) == ("persons.csv", 3, "age_years", "-3")
    assert problem.allowed == "a number from 0 to 120"


def test_undeclared_sex_codes_are_never_guessed(tmp_path: Path) -> None:
    """Sex coded 1 and 2 without a declaration gives one message per value and says what to write."""
    path = written(tmp_path, "persons.csv", PERSONS.replace("female", "2").replace("male", "1"))
    problems = [p for p in check_inputs(persons=path).problems if p.kind == "undeclared_sex_code"]
    assert [(p.source, p.row, p.column, p.value) for p in problems] == [
        ("persons.csv", 2, "recorded_sex", "1"),
        ("persons.csv", 3, "recorded_sex", "2"),
    ]
    assert problems[0].allowed == "female, male, other, unknown, or empty (unknown)"
    assert 'sex_coding = "iso5218" (0 (unknown), 1 (male), 2 (female), 9 (unknown))' in problems[0].hint
    assert '{ "1" = "...", "2" = "..." }' in problems[0].hint
    assert check_inputs(persons=path, sex_coding="iso5218").problems == ()


def test_duplicated_patient_and_two_recorded_sexes(tmp_path: Path) -> None:
    """A repeated patient_id is named at its second line; contradicting sexes get their own message."""
    path = written(tmp_path, "persons.csv", PERSONS + "P1,61,female\n")
    problems = check_inputs(persons=path).problems
    repeated = only(problems, "duplicate_key")
    assert (repeated.source, repeated.row, repeated.column, repeated.value) == ("persons.csv", 5, "patient_id", "P1")
    assert repeated.allowed == "each patient_id once"
    assert only(problems, "two_recorded_sexes").value == "P1: female, male"


def test_condition_for_an_unknown_patient(tmp_path: Path) -> None:
    """A condition of a patient whom the person table lacks stops the run, or is left out when declared so."""
    persons = written(tmp_path, "persons.csv", PERSONS)
    conditions = written(tmp_path, "conditions.csv", "patient_id,condition,present\nP1,amd,true\nP9,amd,false\n")
    problem = only(check_inputs(persons=persons, conditions=conditions).problems, "unknown_patient")
    assert (problem.source, problem.row, problem.column, problem.value) == ("conditions.csv", 3, "patient_id", "P9")
    assert problem.allowed == "a patient_id of persons.csv"
    assert problem.severity == "error"
    assert 'write drop = ["unknown_patient"] in [conditions] of the study file' in problem.hint
    leaving = TableInput(source=conditions, drop=["unknown_patient"])
    dropped = only(check_inputs(persons=persons, conditions=leaving).problems, "unknown_patient")
    assert dropped.severity == "warning"


def test_all_problems_at_once_with_exit_code_3(tmp_path: Path) -> None:
    """A run stops with every problem in one message, not the first."""
    text = "patient_id,age_years,recorded_sex\nP1,-3,1\nP1,abc,2\n,61,male\n"
    persons = written(tmp_path, "persons.csv", text)
    with pytest.raises(SchemaError) as caught:
        Cohort.create(tmp_path / "cohort.duckdb", persons=persons)
    assert caught.value.exit_code == 3
    kinds = [problem.kind for problem in caught.value.problems]
    assert kinds == [
        "below_minimum",
        "undeclared_sex_code",
        "wrong_type",
        "undeclared_sex_code",
        "duplicate_key",
        "missing_value",
    ]
    assert "persons.csv, row 3, column age_years: value is not a number; found 'abc'" in str(caught.value)
    assert list(tmp_path.iterdir()) == [persons]


def test_many_breaches_are_counted_and_the_first_rows_named(tmp_path: Path) -> None:
    """A rule broken on many rows is one message with the count and the first rows."""
    rows = "".join(f"P{k},{130 if k % 2 else 50},male\n" for k in range(20))
    path = written(tmp_path, "persons.csv", "patient_id,age_years,recorded_sex\n" + rows)
    problem = only(check_inputs(persons=path).problems, "above_maximum")
    assert (problem.count, problem.row) == (10, 3)
    assert problem.message.endswith("(rows 3, 5, 7, 9, 11, ...)")


def test_japanese_file_in_cp932(tmp_path: Path) -> None:
    """A CP932 file with Japanese headings, sexes and full-width digits is read by declaration."""
    text = "患者,年齢,性別\r\nP1,６１,男\r\nP2,55,女\r\nP3,70,不明\r\n"
    path = written(tmp_path, "persons.csv", text, "cp932")
    columns = {"patient_id": "患者", "age_years": "年齢", "recorded_sex": "性別"}
    table = TableInput(source=path, columns=columns, encoding="cp932")
    with Cohort.create(tmp_path / "cohort.duckdb", persons=table, sex_coding="ja") as cohort:
        flow = cohort.flow()
    assert flow[["n_male", "n_female", "n_unknown"]].iloc[2].tolist() == [1, 1, 1]


def test_cp932_read_as_utf8_names_the_line_and_the_remedy(tmp_path: Path) -> None:
    """Undecodable bytes are named with their line and the encoding to declare."""
    path = written(tmp_path, "persons.csv", "patient_id,age_years,recorded_sex\nP1,61,\nP2,61,男\n", "cp932")
    problem = only(check_inputs(persons=path, sex_coding="ja").problems, "wrong_encoding")
    assert (problem.row, problem.value) == (3, "bytes 92")
    assert 'encoding = "cp932"' in problem.hint


def test_byte_order_mark_is_not_part_of_the_first_column(tmp_path: Path) -> None:
    """A UTF-8 file saved by Excel reads like any other."""
    path = written(tmp_path, "persons.csv", PERSONS, "utf-8-sig")
    assert check_inputs(persons=path).problems == ()


def test_line_numbers_survive_quoted_newlines_and_blank_lines(tmp_path: Path) -> None:
    """The row of a message is the line of the file, whatever the rows before it hold."""
    text = 'patient_id,age_years,recorded_sex,site\nP1,61,male,"two\nlines"\n\nP2,-1,male,x\n'
    path = written(tmp_path, "persons.csv", text)
    assert only(check_inputs(persons=path).problems, "below_minimum").row == 5


@pytest.mark.parametrize(
    ("text", "kind", "row"),
    [
        ("", "empty_file", 1),
        ("patient_id,age_years,recorded_sex\nP1,61\n", "wrong_field_count", 2),
        ('patient_id,age_years,recorded_sex\nP1,"61,male\n', "broken_csv", 2),
        ("patient_id,age_years,age_years,recorded_sex\nP1,6,6,male\n", "duplicate_column", 1),
        ("patient_id;age_years;recorded_sex\nP1;6;male\n", "wrong_delimiter", 1),
    ],
)
def test_broken_files(tmp_path: Path, text: str, kind: str, row: int) -> None:
    """A file that is no table says so, on the line where it stops being one."""
    assert only(check_inputs(persons=written(tmp_path, "persons.csv", text)).problems, kind).row == row


def test_missing_file(tmp_path: Path) -> None:
    """An absent file is a message, not a traceback."""
    assert only(check_inputs(persons=tmp_path / "no.csv").problems, "missing_file").value == str(tmp_path / "no.csv")
    assert only(check_inputs(persons=tmp_path / "no.parquet").problems, "missing_file").source == "no.parquet"
    garbage = written(tmp_path, "garbage.parquet", "not a table")
    assert only(check_inputs(persons=garbage).problems, "unreadable_file").source == "garbage.parquet"


def test_names_that_look_like_sql_stay_names(tmp_path: Path) -> None:
    """Hostile column names and values are data: nothing is executed."""
    column = 'age"; DROP TABLE person; --'
    value = "'); DROP TABLE person; --"
    frame = pd.DataFrame({"patient_id": [value], column: [61], "recorded_sex": ["male"]})
    conditions = pd.DataFrame({"patient_id": [value], "condition": [value], "present": [True]})
    persons = TableInput(source=frame, columns={"age_years": column})
    with Cohort.create(tmp_path / "c.duckdb", persons=persons, conditions=conditions) as cohort:
        assert cohort.conditions == (value,)
        assert cohort.cells([value]).frame["n"].tolist() == [1]


def test_scores_that_contradict_their_status(tmp_path: Path) -> None:
    """A probability without status ok, and status ok without one, are named."""
    header = "image_id,path,patient_id,model_id,model_sha256,precision,decode,prob_male,status\n"
    row = "{},x,P1,m," + "0" * 64 + ",float32,exact,{},{}\n"
    text = header + row.format("a", "", "ok") + row.format("b", "0.4", "unreadable") + row.format("c", "1.2", "ok")
    scores = written(tmp_path, "scores.csv", text + row.format("d", "0.3", "fine"))
    problems = check_inputs(persons=written(tmp_path, "persons.csv", PERSONS), scores=scores).problems
    found = {(p.kind, p.row, p.column) for p in problems}
    assert found == {
        ("status_contradicts_score", 2, "prob_male"),
        ("status_contradicts_score", 3, "prob_male"),
        ("above_maximum", 4, "prob_male"),
        ("not_allowed", 5, "status"),
    }


def test_conditions_that_contradict_each_other(tmp_path: Path) -> None:
    """The same eye with and without a disease is an error, person against eye a warning."""
    text = "patient_id,eye,condition,present\nP1,R,amd,true\nP1,R,amd,false\nP2,,dr,false\nP2,L,dr,true\n"
    conditions = written(tmp_path, "conditions.csv", text)
    problems = check_inputs(persons=written(tmp_path, "persons.csv", PERSONS), conditions=conditions).problems
    assert only(problems, "condition_conflict").value == "P1, R, amd: true and false"
    assert only(problems, "person_and_eye_disagree").severity == "warning"


def test_condition_without_a_value_is_not_known(tmp_path: Path) -> None:
    """An empty value of a condition is a warning, and the patient is missing from its cube."""
    persons = written(tmp_path, "persons.csv", PERSONS)
    conditions = written(tmp_path, "conditions.csv", "patient_id,condition,present\nP1,amd,1\nP2,amd,\n")
    with Cohort.create(tmp_path / "c.duckdb", persons=persons, conditions=conditions) as cohort:
        assert [(p.kind, p.row, p.value) for p in cohort.problems] == [("not_known", 3, "P2, amd")]
        assert cohort.condition_counts().values.tolist() == [["amd", 1, 1, 2]]


def test_semicolons_and_decimal_commas_are_declared(tmp_path: Path) -> None:
    """A file of a continental spreadsheet is read when its marks are declared."""
    path = written(tmp_path, "persons.csv", "patient_id;age_years;recorded_sex\nP1;61,5;male\n")
    assert check_inputs(persons=TableInput(source=path, delimiter=";", decimal=",")).problems == ()


def test_warnings_of_persons(tmp_path: Path) -> None:
    """Ages outside training, ages that disagree with dates and missing ages warn and are kept in the file."""
    text = (
        "patient_id,age_years,birth_date,visit_date,recorded_sex\n"
        "P1,61,1950-01-01,2020-01-01,male\nP2,,1960-06-30,2020-06-29,\nP3,,,,\nP4,12,,,female\n"
    )
    persons = written(tmp_path, "persons.csv", text)
    with Cohort.create(tmp_path / "c.duckdb", persons=persons, training_ages=TrainingAges(low=17, high=94)) as cohort:
        found = {(p.kind, p.row, p.value) for p in cohort.problems}
    assert found == {
        ("ages_disagree", 2, "61 against 1950-01-01 to 2020-01-01"),
        ("no_age", 4, None),
        ("outside_training_ages", 5, "12"),
    }


def test_impossible_persons(tmp_path: Path) -> None:
    """A visit before birth, a probability of 0 and weights for some only are errors."""
    text = (
        "patient_id,birth_date,visit_date,recorded_sex,validation_probability,weight\n"
        "P1,2020-01-01,1950-01-01,male,0,2\nP2,1960-01-01,2020-01-01,male,,\n"
    )
    problems = check_inputs(persons=written(tmp_path, "persons.csv", text)).problems
    assert {(p.kind, p.row, p.column, p.severity) for p in problems if p.kind != "no_age"} == {
        ("visit_before_birth", 2, "visit_date", "error"),
        ("below_minimum", 2, "validation_probability", "error"),
        ("partly_given", 3, "validation_probability", "error"),
        ("partly_given", 3, "weight", "error"),
    }


def test_rows_read_kept_and_left_out_are_counted_by_reason(tmp_path: Path) -> None:
    """Every row of every table is accounted for: those a file cannot give columns to, those left out, those kept."""
    persons = written(tmp_path, "persons.csv", PERSONS + "P4,61\nP5,,male\nP6,300,male\nP7,,male\n")
    scores = pd.DataFrame(
        {"image_id": ["a", "b"], "path": "x", "patient_id": ["P1", None], "model_id": "m", "model_sha256": "0" * 64,
         "precision": "float32", "decode": "exact", "prob_male": [0.5, 0.5], "status": "ok"}
    )  # fmt: skip
    conditions = written(
        tmp_path, "conditions.csv", "patient_id,condition,present\nP1,amd,true\nP2,amd,\nP9,amd,true\nP8,amd,\n"
    )
    found = check_inputs(
        persons=TableInput(source=persons, drop=["wrong_field_count", "no_age", "above_maximum"]),
        scores=scores,
        conditions=TableInput(source=conditions, drop=["unknown_patient"]),
    )
    assert {problem.severity for problem in found.problems} == {"warning"}
    counted = {one.table: (one.source, one.read, one.accepted, dict(one.dropped)) for one in found.rows}
    assert counted == {
        "persons": ("persons.csv", 7, 3, {"above_maximum": 1, "no_age": 2, "wrong_field_count": 1}),
        "scores": ("scores", 2, 1, {"no_patient": 1}),
        "conditions": ("conditions.csv", 4, 1, {"not_known": 1, "unknown_patient": 2}),
    }
