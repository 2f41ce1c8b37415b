"""A study's declared rules are judged in its run, printed, released without numbers, and end it with exit code 4."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from sexstrat.cli.app import run
from sexstrat.study.simulated import write_simulated_study

RULES = """
[[audit.rules]]
metric = "accuracy"
comparison = "at_least"
limit = 0.999

[[audit.rules]]
metric = "accuracy"
comparison = "at_least"
limit = 0.5
"""


def test_a_failed_rule_ends_the_run_with_exit_code_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One rule fails and one passes: both are told, the page is there, the numbers behind them are not released."""
    study = write_simulated_study(tmp_path / "study", setting="error_by_disease", n_patients=2000, seed=3)
    study.write_text(study.read_text(encoding="utf-8") + RULES, encoding="utf-8")
    assert run(["run", str(study), "--out", str(tmp_path / "run"), "--json"]) == 4
    told = json.loads(capsys.readouterr().out)["rules"]
    assert [one["outcome"] for one in told] == ["fail", "pass"]
    assert (tmp_path / "run" / "report.html").is_file()
    rules = pd.read_csv(tmp_path / "run" / "tables" / "rules.csv")
    assert rules["outcome"].tolist() == ["fail", "pass"]
    assert rules["point"].isna().all()
    for name in ("group_tests", "parity"):
        assert len(pd.read_csv(tmp_path / "run" / "tables" / f"{name}.csv"))
