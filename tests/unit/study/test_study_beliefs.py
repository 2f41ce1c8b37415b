"""Beliefs of a study file: read, contradicted where they are stated by halves, and planned."""

from __future__ import annotations

from pathlib import Path

import pytest

from sexstrat.errors import StudyError
from sexstrat.study import load_study, plan_study
from sexstrat.study.beliefs import beliefs_of

TEXT = """
schema_version = 1
title = "t"
[scores]
source = "s.parquet"
[persons]
source = "p.csv"
[conditions]
source = "c.csv"
[validation]
design = "none"
"""


def study(folder: Path, more: str = "") -> Path:
    """Write a study file."""
    path = folder / "study.toml"
    path.write_text(TEXT + more, encoding="utf-8")
    return path


def test_no_section_states_nothing(tmp_path: Path) -> None:
    """Without [bias_analysis] there are no priors: nothing is invented."""
    assert beliefs_of(load_study(study(tmp_path)).settings).priors is None


def test_ranges_become_priors_with_declared_defaults(tmp_path: Path) -> None:
    """Ranges hold 95 % of their prior; the diseased have the same unless stated; defaults are documented ones."""
    more = "recorded_sex_error = 0.01\n[bias_analysis]\nsensitivity = [0.8, 0.95]\nspecificity = [0.7, 0.9]\n"
    more += "sensitivity_diseased = [0.6, 0.95]\n"
    found = beliefs_of(load_study(study(tmp_path, more)).settings)
    assert found.recorded_sex_error == 0.01 and found.draws == 20_000
    assert found.priors is not None and found.priors.by_disease == 0.8
    limits = [round(float(value), 3) for value in found.priors.sensitivity_diseased.quantile([0.025, 0.975])]
    assert limits == [0.6, 0.95]
    assert found.priors.specificity_diseased == found.priors.specificity_well


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("[bias_analysis]\nsensitivity = [0.8, 0.95]\n", "bias_analysis.specificity: missing; sensitivity is stated"),
        ("[bias_analysis]\nspecificity_diseased = [0.8, 0.9]\n", "bias_analysis.specificity: missing"),
        ("[bias_analysis]\nsensitivity = [0.9, 0.8]\n", r"found \[0.9, 0.8\]; allowed: \[lowest, highest\]"),
        ("[bias_analysis]\nsensitivity = 0.9\n", "found 0.9; allowed"),
        ("[bias_analysis]\ncorelation = 0.9\n", "did you mean correlation"),
        ("recorded_sex_error = 0.4\n", "found 0.4; allowed: a number from 0 to 0.2"),
    ],
)
def test_beliefs_by_halves_or_out_of_range_are_named(tmp_path: Path, more: str, message: str) -> None:
    """The line says the key, the value found and what is allowed."""
    with pytest.raises(StudyError, match=message):
        load_study(study(tmp_path, more))


def test_a_changed_belief_runs_the_estimates_anew_and_not_the_cohort(tmp_path: Path) -> None:
    """Only stages that read the section are stale."""
    from sexstrat.study.plan import stage_components

    before = load_study(study(tmp_path))
    first = {stage: stage_components(before, stage) for stage in ("cohort", "estimates", "report")}
    after = load_study(study(tmp_path, "[bias_analysis]\nsensitivity = [0.8, 0.9]\nspecificity = [0.8, 0.9]\n"))
    same = {stage: stage_components(after, stage) == first[stage] for stage in first}
    assert same == {"cohort": True, "estimates": False, "report": False}
    assert plan_study(after, tmp_path / "nowhere")[0].stale
