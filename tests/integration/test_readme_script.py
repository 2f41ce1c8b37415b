"""The script in the README runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sexstrat.study.simulated import write_simulated_study


def test_readme_script_prints_a_corrected_ratio(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a simulated cohort the README's script says why it chose its estimator, and prints corrected ratios."""
    text = (repository / "README.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    write_simulated_study("simulated", n_patients=6000)
    exec(compile(script, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "E1" in printed
    assert "corrected" in printed
