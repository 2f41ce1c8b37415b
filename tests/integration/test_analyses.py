"""Every numbered script in analyses/ runs on tables made by the simulation and prints what it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sexstrat.study.simulated import write_simulated_study

ARGUMENTS = {
    "01_prevalence_ratio.py": ["scores.parquet", "persons.csv", "conditions.csv"],
    "02_audit_by_age.py": ["scores.parquet", "persons.csv"],
    "03_decode_change.py": ["photographs"],
    "04_audit_of_the_shipped_model.py": ["scores.parquet", "truth.csv", "conditions.csv"],
}
PROMISED = {
    "01_prevalence_ratio.py": "who_2000_2025",
    "02_audit_by_age.py": "correct_among_women",
    "03_decode_change.py": "openvino fast float32",
    "04_audit_of_the_shipped_model.py": "bias_of_unequal_errors",
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory, synthetic: ModuleType) -> Path:
    """Return a folder with a simulated cohort of 3,000 and a few synthetic photographs."""
    folder = write_simulated_study(tmp_path_factory.mktemp("tables"), n_patients=3000, seed=5).parent
    synthetic.write_fundi(folder / "photographs", 3)
    return folder


def test_every_numbered_script_has_a_case_here(repository: Path) -> None:
    assert sorted(path.name for path in (repository / "analyses").glob("[0-9]*.py")) == sorted(ARGUMENTS)


@pytest.mark.parametrize("script", sorted(ARGUMENTS))
def test_script_runs_and_prints_its_figures(script: str, tables: Path, repository: Path) -> None:
    command = [
        sys.executable,
        str(repository / "analyses" / script),
        *(str(tables / name) for name in ARGUMENTS[script]),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert PROMISED[script] in done.stdout
    assert "nan" not in done.stdout.split("state")[1][:40]
