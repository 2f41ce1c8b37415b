"""A study whose people of known sex are another cohort: from its tables to an answer, or to the reason for none."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sexstrat.errors import StudyError
from sexstrat.study import load_study, run_study
from sexstrat.study.simulated import write_simulated_study


@pytest.mark.parametrize(("setting", "state"), [("external", "model_based"), ("external_broken", "refused")])
def test_another_cohort_answers_or_is_refused(tmp_path: Path, setting: str, state: str) -> None:
    """E4 covers the truth where the score behaves alike in both cohorts, and gives no number where not."""
    study = write_simulated_study(tmp_path / "study", setting=setting, n_patients=12_000, seed=5)
    run_study(load_study(study), tmp_path / "run")
    estimates = pd.read_csv(tmp_path / "run" / "tables" / "estimates.csv")
    crude = estimates[
        (estimates["measure"] == "prevalence_ratio") & estimates["age_low"].isna() & (estimates["standard"] == "crude")
    ].set_index("estimator")
    assert crude.loc["E4", "state"] == state
    if state == "refused":
        assert pd.isna(crude.loc["E4", "point"])
        assert "transport test" in crude.loc["E4", "note"]
    else:
        assert crude.loc["E4", "low"] < crude.loc["truth", "point"] < crude.loc["E4", "high"]
    assert (estimates.loc[estimates["estimator"] == "E5", "state"] != "corrected").all()


def test_another_cohort_and_the_design_need_each_other(tmp_path: Path) -> None:
    """An external design names every table that is missing; tables without the design are contradicted."""
    study = write_simulated_study(tmp_path, setting="external", n_patients=300, seed=5)
    text = study.read_text(encoding="utf-8")
    lacking = text.replace("[external_scores]\nsource", "[images]\nsource")
    study.write_text(lacking[: lacking.index("[external_persons]")], encoding="utf-8")
    with pytest.raises(StudyError, match=r"\[external_conditions\] is missing"):
        load_study(study)
    study.write_text(text.replace('design = "external"', 'design = "random"'), encoding="utf-8")
    with pytest.raises(StudyError, match=r"another cohort is used by validation\.design external; found 'random'"):
        load_study(study)
