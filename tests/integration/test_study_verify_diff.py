"""A finished run is sealed; ``verify`` finds every later change, and ``diff`` says what two runs differ in and why."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import cast

import pandas as pd
import pytest

from sexstrat.cli.app import run
from sexstrat.errors import StudyError
from sexstrat.study import load_study, run_study
from sexstrat.study.differences import diff_runs
from sexstrat.study.manifest import MANIFEST, verify_run, write_manifest
from sexstrat.study.simulated import write_simulated_study
from sexstrat.study.stages import RUNNERS


@pytest.fixture(scope="module")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study file on 2,000 simulated patients."""
    return write_simulated_study(tmp_path_factory.mktemp("study"), setting="baseline", n_patients=2000, seed=5)


@pytest.fixture(scope="module")
def finished(study_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return its run folder."""
    return run_study(load_study(study_file), tmp_path_factory.mktemp("run")).out


def test_a_finished_run_verifies_with_and_without_its_private_part(finished: Path, tmp_path: Path) -> None:
    """The seal covers what is released: a copy without ``private`` verifies as well."""
    assert verify_run(finished).holds
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy, ignore=shutil.ignore_patterns("private"))
    found = verify_run(copy)
    assert found.holds
    assert {"report.html", "tables/estimates.csv", "tables/results.json"} <= set(found.unchanged)


def test_every_kind_of_change_is_found(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A changed byte, a missing file and an added one are each named; the exit code is 3."""
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    page = copy / "report.html"
    page.write_bytes(page.read_bytes().replace(b"men", b"men ", 1))
    (copy / "tables" / "gaps.csv").unlink()
    (copy / "tables" / "by_hand.csv").write_text("x\n", encoding="utf-8")
    assert run(["verify", str(copy), "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert (told["changed"], told["missing"], told["added"]) == (
        ["report.html"],
        ["tables/gaps.csv"],
        ["tables/by_hand.csv"],
    )
    assert told["ok"] is False
    assert run(["verify", str(copy)]) == 3
    assert "not as the run left it" in capsys.readouterr().out


def test_results_of_another_run_are_found_even_with_a_manifest_made_for_them(finished: Path, tmp_path: Path) -> None:
    """Whoever rewrites the digests still has a page and results that name another run."""
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    path = copy / "tables" / "results.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["provenance"]["run_id"] = "0123456789abcdef"
    path.write_text(json.dumps(document), encoding="utf-8")
    write_manifest(copy)
    assert verify_run(copy).statements == ("report.html does not name run 0123456789abcdef",)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema_version": 9, "files": {}}'])
def test_a_manifest_that_cannot_be_read_is_said(finished: Path, tmp_path: Path, text: str) -> None:
    """No traceback for a damaged seal."""
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    (copy / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match="not a manifest that can be read"):
        verify_run(copy)


@pytest.mark.parametrize("command", [["verify"], ["diff", "."]])
def test_a_folder_without_a_run_is_a_usage_error(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the folder and what to give."""
    assert run([*command, str(tmp_path / "nothing")]) == 2
    assert "no " in capsys.readouterr().err


def test_a_run_that_did_not_end_carries_no_seal(
    study_file: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seal goes before anything is rewritten and comes back last."""
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    other = study_file.with_name("level.toml")
    other.write_text(study_file.read_text(encoding="utf-8") + "\n[audit]\nmin_patients = 20\n", encoding="utf-8")

    def broken(*_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setitem(cast("dict[str, object]", RUNNERS), "report", broken)
        with pytest.raises(KeyboardInterrupt):
            run_study(load_study(other), out)
    assert not (out / MANIFEST).exists()
    run_study(load_study(other), out)
    assert verify_run(out).holds


def test_a_tampered_result_stays_found_when_the_study_is_run_again(
    study_file: Path, finished: Path, tmp_path: Path
) -> None:
    """A run that finds nothing stale seals nothing anew."""
    study, out = load_study(study_file), tmp_path / "out"
    shutil.copytree(finished, out)
    table = out / "tables" / "estimates.csv"
    table.write_text(table.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    run_study(study, out)
    assert verify_run(out).changed == ("tables/estimates.csv",)


def test_a_run_does_not_differ_from_its_copy(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Same inputs, settings and numbers: said in one line."""
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy, ignore=shutil.ignore_patterns("private"))
    assert run(["diff", str(finished), str(copy)]) == 0
    assert capsys.readouterr().out == "Same inputs, settings and versions; every released number is the same.\n"


def test_one_changed_input_row_is_named_as_the_cause(study_file: Path, finished: Path, tmp_path: Path) -> None:
    """One patient more with the disease: the conditions are the cause, and prevalences differ."""
    folder = tmp_path / "study"
    shutil.copytree(study_file.parent, folder)
    path = next(folder.glob("conditions.*"))
    table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    healthy = table.index[~table["present"].astype(bool)][0]
    table.loc[healthy, "present"] = True
    table.to_csv(path, index=False) if path.suffix == ".csv" else table.to_parquet(path, index=False)
    other = run_study(load_study(folder / study_file.name), tmp_path / "out").out
    found = diff_runs(finished, other)
    assert {change.what for change in found.causes} == {f"conditions: {path.name}", "cells"}
    assert {"estimates", "diagnostics"} <= {change.where for change in found.results}
    assert found.summary().startswith("Changed: inputs; ")
    one = next(change for change in found.results if change.where == "estimates" and "crude" in change.what)
    assert one.before != one.after


def test_a_changed_setting_is_named_with_both_values(study_file: Path, finished: Path, tmp_path: Path) -> None:
    """The confidence level: the limits differ, the inputs do not."""
    other = study_file.with_name("other_level.toml")
    other.write_text(
        study_file.read_text(encoding="utf-8").replace("[analysis]", "[analysis]\nlevel = 0.9", 1), encoding="utf-8"
    )
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    found = diff_runs(finished, run_study(load_study(other), out).out)
    assert [(one.where, one.what, one.before, one.after) for one in found.causes] == [
        ("settings", "analysis.level", "0.95", "0.9")
    ]
    assert any("low " in one.before and "point" not in one.before for one in found.results)
