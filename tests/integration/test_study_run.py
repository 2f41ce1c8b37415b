"""A study runs from its tables to the page, runs again only what is stale, and gives the same bytes every time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from sexstrat.cli.app import run
from sexstrat.disclosure.profiles import PROFILES
from sexstrat.disclosure.texts import without_small_counts
from sexstrat.study import load_study, plan_study, run_study
from sexstrat.study.demo import photographs_notice
from sexstrat.study.simulated import write_simulated_study

TABLES = (
    *("estimates.csv", "audit.csv", "gaps.csv", "flow.csv"),
    *("diagnostics.csv", "sensitivity.csv", "imputation.csv", "results.json"),
    *("age_curves.csv", "age_trends.csv", "missingness.csv", "consequences.csv"),
    *("group_tests.csv", "shrunken.csv", "parity.csv", "rules.csv"),
)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study file on 4,000 simulated patients whose sex is mostly hidden."""
    return write_simulated_study(tmp_path_factory.mktemp("study"), setting="error_by_disease", n_patients=4000, seed=3)


@pytest.fixture(scope="module")
def finished(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run folder of that study."""
    return run_study(load_study(simulated), tmp_path_factory.mktemp("run")).out


def test_run_leaves_page_and_tables_and_keeps_patients_private(finished: Path) -> None:
    assert (finished / "report.html").stat().st_size < 3_000_000
    assert sorted(path.name for path in (finished / "tables").iterdir()) == sorted(TABLES)
    for path in [finished / "report.html", *(finished / "tables").iterdir()]:
        assert "patient_id" not in path.read_text(encoding="utf-8"), path.name


def test_page_shows_truth_beside_corrected_and_naive(finished: Path) -> None:
    estimates = pd.read_csv(finished / "tables" / "estimates.csv")
    crude = estimates[
        (estimates["measure"] == "prevalence_ratio") & estimates["age_low"].isna() & (estimates["standard"] == "crude")
    ].set_index("estimator")
    assert {"truth", "E2", "naive_threshold", "naive_weighted", "complete_case"} <= set(crude.index)
    truth, naive = crude.loc["truth", "point"], crude.loc["naive_threshold"]
    assert naive["low"] > truth, "error by disease must mislead the naive analysis here"
    assert crude.loc["E2", "low"] <= truth <= crude.loc["E2", "high"]


def test_terminal_and_page_lead_with_the_same_number(
    simulated: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the terminal marks is the first tile of the page, truth and naive beside it, in 80 columns."""
    assert run(["run", str(simulated), "--out", str(finished)]) == 0
    lines = capsys.readouterr().out.splitlines()
    page = (finished / "report.html").read_text(encoding="utf-8")
    tiles = re.findall(r'class="big">([^<]+)</span> <span class="under">([^<]*)', page)
    (marked,) = [line for line in lines if line.startswith("* ")]
    assert " ".join(tiles[0]) in marked
    (naive,) = [line for line in lines if line.startswith("  Naive: predicted sex")]
    assert " ".join(tiles[1]) in naive
    (truth,) = [line for line in lines if line.startswith("  Truth")]
    assert f" {tiles[2][0]} " in truth
    assert max(map(len, lines[:-1])) <= 80


def test_the_notice_of_the_demonstration_passes_every_gate_as_it_is() -> None:
    """The gate must not read the package's own photographs as patients ("<5 of 5 were scored")."""
    for refused in (True, False):
        text = photographs_notice(refused=refused)
        assert {without_small_counts(text, profile) for profile in PROFILES.values()} == {text}


def test_second_run_does_nothing_and_a_changed_setting_runs_only_what_depends_on_it(
    simulated: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    study = load_study(simulated)
    run_study(study, out)
    assert [stage.stale for stage in plan_study(study, out)] == [False] * 5
    told: list[str] = []
    run_study(study, out, tell=told.append)
    assert told == [f"{name}: up to date" for name in ("scores", "cohort", "estimates", "audit", "report")]
    other = simulated.with_name("other.toml")
    other.write_text(simulated.read_text(encoding="utf-8").replace('profile = "uk-5"', 'profile = "ndb-10"'), "utf-8")
    plans = plan_study(load_study(other), out)
    assert [(plan.name, plan.stale) for plan in plans] == [
        ("scores", False), ("cohort", False), ("estimates", False), ("audit", False), ("report", True),
    ]  # fmt: skip
    assert plans[-1].why == "changed: setting disclosure.profile"


def test_same_inputs_and_seed_give_the_same_bytes(simulated: Path, finished: Path, tmp_path: Path) -> None:
    again = run_study(load_study(simulated), tmp_path / "again").out
    for name in ("report.html", *(f"tables/{table}" for table in TABLES)):
        assert (again / name).read_bytes() == (finished / name).read_bytes(), name


def test_core_install_runs_a_study_without_tensorflow_and_without_network(simulated: Path, tmp_path: Path) -> None:
    """Neither a network library nor a socket is touched when scores are given."""
    guard = tmp_path / "sitecustomize.py"
    guard.write_text(
        "import socket, sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in {'tensorflow', 'keras', 'openvino', 'h5py', 'pydicom'}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "def refuse(*a, **k):\n"
        "    raise AssertionError('network used')\n"
        "socket.socket.connect = refuse\n"
        "socket.create_connection = refuse\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "sexstrat", "run", str(simulated), "--out", str(tmp_path / "out"), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert Path(json.loads(done.stdout)["report"]).is_file()


def write_tables(folder: Path, persons: str, conditions: str, extra: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "persons.csv").write_text(persons, encoding="utf-8")
    (folder / "conditions.csv").write_text(conditions, encoding="utf-8")
    (folder / "scores.csv").write_text(
        "image_id,path,patient_id,model_id,model_sha256,precision,decode,prob_male,status\n"
        f"i1,i1.jpg,a,m,{'0' * 64},float32,exact,0.4,ok\n",
        encoding="utf-8",
    )
    (folder / "study.toml").write_text(
        'schema_version = 1\ntitle = "t"\n[scores]\nsource = "scores.csv"\n[persons]\nsource = "persons.csv"\n'
        f'{extra}[conditions]\nsource = "conditions.csv"\n[validation]\ndesign = "random"\n',
        encoding="utf-8",
    )
    return folder / "study.toml"


PERSONS = "patient_id,age_years,recorded_sex\na,50,male\nb,60,female\n"
CONDITIONS = "patient_id,condition,present\na,glaucoma,true\nb,glaucoma,false\n"


@pytest.mark.parametrize(
    ("persons", "conditions", "expected"),
    [
        (PERSONS.replace("age_years", "age_yeers"), CONDITIONS, ["persons.csv", "age_years", "age_yeers"]),
        (PERSONS.replace("60", "-3"), CONDITIONS, ["persons.csv, row 3, column age_years", "'-3'", "0 to 120"]),
        (
            PERSONS.replace("female", "2").replace("male", "1"),
            CONDITIONS,
            ["persons.csv, row 2, column recorded_sex", "'1'", "male, female, other or unknown", "sex_coding"],
        ),
        (PERSONS + "a,51,male\n", CONDITIONS, ["persons.csv, row 4, column patient_id", "'a'"]),
        (PERSONS, CONDITIONS + "z,glaucoma,true\n", ["conditions.csv, row 4, column patient_id", "'z'", "persons.csv"]),
    ],
    ids=["wrong column", "age of -3", "undeclared coding", "duplicated patient", "unknown patient"],
)
def test_bad_table_is_named_by_file_row_column_value_and_what_is_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], persons: str, conditions: str, expected: list[str]
) -> None:
    study = write_tables(tmp_path, persons, conditions)
    assert run(["check", str(study)]) == 3
    message = capsys.readouterr().err
    for part in expected:
        assert part in message
    assert "Traceback" not in message
    assert run(["run", str(study), "--out", str(tmp_path / "out")]) == 3


def test_all_problems_come_at_once_as_one_json_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = write_tables(tmp_path, PERSONS.replace("60", "-3") + "a,51,male\n", CONDITIONS + "z,glaucoma,true\n")
    assert run(["check", str(study), "--json"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    assert {problem["column"] for problem in document["error"]["problems"]} == {"age_years", "patient_id"}
    assert len(document["error"]["problems"]) == 3


def test_a_cohort_below_fifty_patients_is_not_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = write_tables(tmp_path, PERSONS, CONDITIONS)
    assert run(["run", str(study), "--out", str(tmp_path / "out")]) == 5
    assert "50" in capsys.readouterr().err
    assert not (tmp_path / "out" / "report.html").exists()


def test_unknown_setting_and_absent_study_are_usage_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "--setting", "nonsense", "--out", str(tmp_path)]) == 2
    assert "baseline" in capsys.readouterr().err
    assert run(["run", str(tmp_path / "none.toml")]) == 2
    assert run(["no-such-command"]) == 2
