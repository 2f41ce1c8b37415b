"""`sexstrat score --persons` writes the sex and age that DICOM headers record, and changes no byte of its input."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import sexstrat
from sexstrat.cli.app import run
from sexstrat.cli.persons_text import described_persons
from sexstrat.errors import StudyError
from sexstrat.scores import hashed_identifier, list_images, score_images, write_dicom_persons

KEY = "0123456789abcdef" * 4


@pytest.fixture
def folder(tmp_path: Path, synthetic: ModuleType, dicom: ModuleType) -> Path:
    """Return five DICOM files of three patients, one of whom is male in one file and female in another."""
    place = tmp_path / "in" / "photographs"
    place.mkdir(parents=True)
    pixels = np.asarray(synthetic.draw_fundus(1, width=160, height=120))
    for name, facts in {
        "1.dcm": {"PatientID": "a", "PatientSex": "M", "PatientBirthDate": "19500101", "StudyDate": "20200101"},
        "2.dcm": {"PatientID": "b", "PatientSex": "F", "PatientAge": "061Y"},
        "3.dcm": {"PatientID": "c", "PatientSex": "M", "PatientBirthDate": "19600101", "StudyDate": "20200101"},
        "4.dcm": {"PatientID": "c", "PatientSex": "F", "PatientBirthDate": "19610101", "StudyDate": "20200101"},
        "5.dcm": {"PatientSex": "F"},
    }.items():
        (place / name).write_bytes(dicom.dicom_bytes(pixels, **facts))
    return place


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def score(folder: Path, out: Path, persons: Path, *more: str) -> list[str]:
    words = ["score", str(folder), "--out", str(out), "--persons", str(persons), "--runtime", "openvino", *more]
    return [*words, "--json"]


def test_persons_are_written_as_headers_record_them(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One row a patient; what contradicts is open and told with both files; every input keeps its bytes."""
    before, persons = digests(folder), tmp_path / "persons.parquet"
    assert run(score(folder, tmp_path / "scores.parquet", persons)) == 0
    printed = capsys.readouterr()
    told: dict[str, Any] = json.loads(printed.out)
    rows = pd.read_parquet(persons).set_index("patient_id")
    assert rows["recorded_sex"].to_dict() == {"a": "male", "b": "female", "c": "unknown"}
    assert rows.loc["a", "age_years"] == pytest.approx(70.0, abs=0.01)
    assert rows.loc["b", "age_years"] == 61
    assert pd.isna(rows.loc["c", "age_years"])
    assert pq.read_schema(persons).metadata[b"schema_version"] == b"1"
    assert (told["persons"], told["persons_without_recorded_sex"], told["persons_without_age"]) == (3, 1, 1)
    assert (told["dicom_files"], told["dicom_files_without_patient"], told["scored"]) == (5, 1, 5)
    assert [problem["column"] for problem in told["person_problems"]] == ["PatientSex", "PatientBirthDate"]
    assert all(name in told["person_problems"][0]["message"] for name in ("3.dcm", "4.dcm", "male", "female"))
    assert "different sexes" in printed.err
    assert digests(folder) == before


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_table_of_persons_makes_a_cohort(folder: Path, tmp_path: Path, synthetic: ModuleType, suffix: str) -> None:
    """The table is one that a cohort reads as it is, with the sex recorded for each patient."""
    persons, scores = tmp_path / f"persons{suffix}", tmp_path / "scores.parquet"
    write_dicom_persons(folder, persons)
    listing = list_images(folder).iloc[:4]  # a score without a patient belongs to no cohort
    score_images(listing, model=synthetic.arithmetic_model(), out=scores)
    with sexstrat.Cohort.create(tmp_path / "cohort.duckdb", persons=persons, scores=scores) as cohort:
        assert [problem.kind for problem in cohort.problems] == ["no_age"]  # of c, whose headers contradict
        rows = cohort.score_frame().drop_duplicates("patient_id").set_index("patient_id")
    assert rows["recorded_sex"].to_dict() == {"a": "male", "b": "female", "c": "unknown"}


def test_hashed_persons_meet_hashed_scores_and_name_nobody(folder: Path, tmp_path: Path) -> None:
    """With a key, patients have the hash of the score table, and no problem names a file or a birth date."""
    key = tmp_path / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    found = write_dicom_persons(folder, tmp_path / "persons.csv", hash_ids=key)
    assert set(found.table["patient_id"]) == {hashed_identifier(KEY.encode(), "patient", one) for one in "abc"}
    text = " ".join(map(str, found.problems))
    assert "different birth dates" in text
    assert not any(secret in text for secret in (".dcm", "1960", str(folder)))


def test_what_cannot_be_written_is_refused_before_scoring(
    folder: Path, tmp_path: Path, synthetic: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """No DICOM file, a wrong suffix, or a table in another's place: said at once, nothing scored."""
    out = tmp_path / "scores.csv"
    synthetic.write_fundi(tmp_path / "jpegs", 1)
    with pytest.raises(StudyError, match=r"1 files are listed, among them no DICOM file"):
        write_dicom_persons(tmp_path / "jpegs", tmp_path / "persons.csv")
    with pytest.raises(StudyError, match="give it its own file"):
        described_persons(str(folder), str(out), None, None, (str(out), None))
    for place, words in ((tmp_path / "persons.xlsx", ".parquet or .csv"), (out, "give it its own file")):
        assert run(score(folder, out, place)) == 2
        assert words in json.loads(capsys.readouterr().out)["error"]["message"]
    assert not out.exists()
