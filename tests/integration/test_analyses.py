"""Every numbered script in analyses/ runs, as it is or on simulated tables, and prints what it promises."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sexstrat.study.simulated import write_simulated_study

LONGEST = 60  # lines: a script is read before it is trusted
TABLES = ["scores.parquet", "persons.csv", "conditions.csv"]
# script: the simulated files it is given, none where it is run as it is, and what it promises to print
CASES = {
    "01_prevalence_ratio.py": (TABLES, ["who_2000_2025", "naive_threshold", "complete_case"]),
    "02_audit_by_age.py": (["scores.parquet", "persons.csv"], ["correct_among_women"]),
    "03_decode_change.py": (["photographs"], ["openvino fast float32"]),
    "04_audit_of_the_shipped_model.py": (["scores.parquet", "truth.csv", "conditions.csv"], ["bias_of_unequal_errors"]),
    "05_score_photographs.py": ([], ["4 scored, 1 without a score (1 unreadable)", "broken_on_purpose (unreadable)"]),
    "06_build_a_cohort.py": (
        [],
        ["persons: 3,002 rows read, 3,000 kept; left out: above_maximum: 1, no_age: 1", "cells hold all"],
    ),
    "07_imputation_uncertainty.py": (TABLES, ["analytic_limit", "monte_carlo_share", "complete_case", "E1"]),
    "08_bias_without_validation.py": (
        TABLES,
        ["share_impossible", "excludes_one", "no data of this study inform them"],
    ),
    "09_plan_validation.py": ([], ["What is needed", "further_probability", "from the pilot: 500 further patients"]),
    "10_pool_sites.py": ([], ["north sends", "all sites", "mean of sites", "a new site", "note: disease"]),
}
NO_NUMBER = re.compile(r"(?i)(?<![a-z])(nan|<na>|none|inf)(?![a-z])")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory, synthetic: ModuleType) -> Path:
    """Return a folder with a simulated cohort of 3,000 and a few synthetic photographs."""
    folder = write_simulated_study(tmp_path_factory.mktemp("tables"), n_patients=3000, seed=5).parent
    synthetic.write_fundi(folder / "photographs", 3)
    return folder


def printed(script: Path, arguments: list[str], patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what a script prints when it is run as a program."""
    patch.setattr(sys, "argv", [str(script), *arguments])
    runpy.run_path(str(script), run_name="__main__")
    return capsys.readouterr().out


def test_every_numbered_script_has_a_case_here(repository: Path) -> None:
    assert sorted(path.name for path in (repository / "analyses").glob("[0-9]*.py")) == sorted(CASES)


@pytest.mark.parametrize("script", sorted(CASES))
def test_a_numbered_script_is_short(script: str, repository: Path) -> None:
    """A numbered script has at most sixty lines."""
    assert len((repository / "analyses" / script).read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("script", sorted(CASES))
def test_script_runs_and_prints_its_figures(
    script: str, tables: Path, repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It runs, prints what it promises, and never prints the absence of a number as if it were one."""
    files, promised = CASES[script]
    text = printed(repository / "analyses" / script, [str(tables / name) for name in files], monkeypatch, capsys)
    assert [words for words in promised if words not in text] == []
    assert NO_NUMBER.findall(text) == []


@pytest.mark.parametrize("script", sorted(CASES))
def test_the_documentation_lists_the_script_by_its_question(script: str, repository: Path) -> None:
    """The page of scripted analyses says of each the question with which it opens."""
    page = (repository / "docs" / "how-to" / "run_an_analysis.md").read_text(encoding="utf-8")
    text = (repository / "analyses" / script).read_text(encoding="utf-8")
    assert f"| `{script}` | {text.splitlines()[0].strip(chr(34))} |" in page


@pytest.mark.slow
@pytest.mark.parametrize("script", sorted(CASES))
def test_script_runs_as_it_is(
    script: str, repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without any table each makes, or takes along, what it needs."""
    text = printed(repository / "analyses" / script, [], monkeypatch, capsys)
    assert [words for words in CASES[script][1] if words not in text] == []
    assert NO_NUMBER.findall(text) == []
