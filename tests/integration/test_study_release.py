"""The page can be made again from what a run released, and the release pack holds what its statement says."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from sexstrat.cli.app import run
from sexstrat.disclosure import profile
from sexstrat.disclosure.reread import reread
from sexstrat.errors import DisclosureError
from sexstrat.reporting import page_parts, release_pack
from sexstrat.reporting.released_checks import FileCheck, check_table
from sexstrat.study import load_study, run_study
from sexstrat.study.finished import finished_results
from sexstrat.study.manifest import read_results
from sexstrat.study.simulated import write_simulated_study


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run folder of a study of 4,000 simulated patients."""
    folder = tmp_path_factory.mktemp("study")
    study = write_simulated_study(folder, setting="error_by_disease", n_patients=4000, seed=3)
    return run_study(load_study(study), folder / "out").out


@pytest.fixture(scope="module")
def pack(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return its release pack."""
    out = tmp_path_factory.mktemp("release") / "pack"
    assert run(["release", str(finished), "--out", str(out), "--json"]) == 0
    return out


def test_the_page_is_made_again_to_the_byte_without_the_private_part(finished: Path, tmp_path: Path) -> None:
    """What was released is enough for the page."""
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy, ignore=shutil.ignore_patterns("private"))
    (copy / "report.html").unlink()
    assert run(["report", str(copy)]) == 0
    assert (copy / "report.html").read_bytes() == (finished / "report.html").read_bytes()


@pytest.mark.parametrize("command", [["report"], ["release", "--out", "pack"]])
def test_altered_results_are_not_written_again(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """Nobody knows whether altered results passed the gate: exit code 5, nothing written."""
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    path = copy / "tables" / "results.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"n_patients": 4000', '"n_patients": 4001'), "utf-8")
    assert (
        run([command[0], str(copy), *[str(tmp_path / word) if word == "pack" else word for word in command[1:]]]) == 5
    )
    assert "not as the run left it" in capsys.readouterr().err
    assert not (tmp_path / "pack").exists()


def test_results_of_another_schema_are_refused(finished: Path) -> None:
    """An older table is refused by name and version."""
    document = read_results(finished)
    document["tables"]["estimates"]["schema_version"] = 0
    with pytest.raises(DisclosureError, match="table estimates has schema version 0"):
        reread(document)


def test_the_statement_names_every_file_with_its_digest_and_checks(pack: Path) -> None:
    """``files.csv`` and the pack agree, and every table passed both checks."""
    stated = {row["file"]: row for row in csv.DictReader((pack / "files.csv").read_text(encoding="utf-8").splitlines())}
    there = {path.relative_to(pack).as_posix() for path in pack.rglob("*") if path.is_file()}
    assert set(stated) == there - {"files.csv"}
    for name, row in stated.items():
        data = (pack / name).read_bytes()
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
        assert len(row["holds"]) > 5
        if name.endswith(".csv") and name != "codebook.csv":
            assert row["checks_passed"] == "no count hidden by uk-5; no row about one person"
            assert int(row["rows"]) == len(pd.read_csv(pack / name))


def test_tables_are_those_of_the_run_and_figures_are_whole(finished: Path, pack: Path) -> None:
    """The same bytes, and SVG that a program can parse, each with a title and a description."""
    for path in (pack / "tables").iterdir():
        assert path.read_bytes() == (finished / "tables" / path.name).read_bytes()
    figures = sorted((pack / "figures").glob("*.svg"))
    assert {"forest.svg", "ages-disease-1.svg", "audit-auc.svg"} <= {path.name for path in figures}
    for path in figures:
        root = ET.fromstring(path.read_text(encoding="utf-8"))
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.findtext("{http://www.w3.org/2000/svg}title")
        assert root.findtext("{http://www.w3.org/2000/svg}desc")
    page = (finished / "report.html").read_text(encoding="utf-8")
    assert len(page_parts.page_tables(page)) == page.count("data:text/csv")


def test_the_codebook_explains_every_column(pack: Path) -> None:
    """Each column of each table has a row with a meaning."""
    codebook = pd.read_csv(pack / "codebook.csv")
    explained = set(zip(codebook["table"], codebook["column"], strict=True))
    for path in (pack / "tables").glob("*.csv"):
        for column in pd.read_csv(path, nrows=0).columns:
            assert {(path.stem, column), ("every table", column)} & explained, column
    assert codebook["meaning"].notna().all()


def test_the_headline_is_recomputed_by_r(finished: Path, pack: Path) -> None:
    """The script names the headline's rows; R, where it is installed, finds the same numbers."""
    script = (pack / "recompute.R").read_text(encoding="utf-8")
    assert "{{" not in script
    assert 'condition = c("disease")' in script
    choice = read_results(finished)["choices"][0]
    assert f'estimator = c("{choice["standard_estimators"]["cohort"]}")' in script
    if (r := shutil.which("Rscript")) is not None:
        done = subprocess.run([r, "recompute.R"], cwd=pack, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        found = [float(number) for number in re.findall(r"\d+\.\d{4}", done.stdout)]
        rows = pd.read_csv(pack / "tables" / "estimates.csv").query("measure == 'prevalence_ratio' and age_low.isna()")
        row = rows[(rows["standard"] == "cohort") & (rows["estimator"] == choice["standard_estimators"]["cohort"])]
        assert found == pytest.approx(row[["point", "low", "high"]].to_numpy()[0], abs=6e-5)


def test_the_summary_says_what_the_page_says(finished: Path, pack: Path) -> None:
    """The sentences of the page, its disclosure statement and its provenance."""
    text = (pack / "summary.txt").read_text(encoding="utf-8")
    released = finished_results(finished)
    assert released.protection in text
    assert str(released.provenance["run_id"]) in text
    assert "SUMMARY\nDisease is more common in men" in text


def test_a_pack_goes_into_a_new_folder_only(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What lies there already would be taken for released."""
    (tmp_path / "mine.txt").write_text("x", encoding="utf-8")
    assert run(["release", str(finished), "--out", str(tmp_path)]) == 5
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_that_fails_its_check_releases_nothing(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check of the bytes is a second gate: it stops the whole pack."""

    def failing(text: str, _: object) -> tuple[FileCheck, ...]:
        return (replace(FileCheck(name="c", passed=True, found=""), passed="n_validated" not in text, found="n_x"),)

    monkeypatch.setattr(release_pack, "check_table", failing)
    with pytest.raises(DisclosureError, match=r"nothing was released: .*estimates\.csv: c: n_x"):
        release_pack.write_release(finished_results(finished), tmp_path / "pack")
    assert not [path for path in (tmp_path / "pack").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("n_patients,point\n5,0.2\n,0.3\n", [True, True]),
        ("n_patients,point\n0,0.2\n", [True, True]),
        ("n_diseased,point\n4,0.2\n", [False, True]),
        ("prob_male,point\n0.4,0.2\n", [True, False]),
        ("", [True, True]),
    ],
)
def test_checks_read_the_bytes(text: str, passed: list[bool]) -> None:
    """Small counts and columns about one person are found whoever wrote the table."""
    assert [check.passed for check in check_table(text, profile("uk-5"))] == passed


def test_release_prints_one_document(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json the statement is printed as it is written."""
    assert run(["release", str(finished), "--out", str(tmp_path / "p"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    assert {row["file"] for row in told["files"]} >= {"summary.txt", "codebook.csv", "recompute.R"}
