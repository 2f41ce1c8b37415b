"""Each branch of the decision table, from a study file to the page: what stands beside the answer, and never leads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sexstrat.study import load_study, run_study
from sexstrat.study.simulated import write_simulated_study

BELIEFS = "[bias_analysis]\nsensitivity = [0.8, 0.95]\nspecificity = [0.8, 0.95]\ndraws = 2000\n\n[disclosure]"
TABLES = ("diagnostics", "sensitivity", "imputation")


def keep_validated_diseased(folder: Path, count: int) -> None:
    """Forget the recorded sex of all but so many diseased patients."""
    persons = pd.read_csv(folder / "persons.csv")
    conditions = pd.read_csv(folder / "conditions.csv")
    diseased = set(conditions.loc[conditions["present"].astype(str).str.lower().isin(("true", "1")), "patient_id"])
    known = persons["recorded_sex"].isin(("male", "female")) & persons["patient_id"].isin(diseased)
    persons.loc[known & (known.cumsum() > count), "recorded_sex"] = "unknown"
    persons.to_csv(folder / "persons.csv", index=False)


def look_elsewhere(folder: Path) -> None:
    """Let the other cohort have been looked at for another disease."""
    conditions = pd.read_csv(folder / "external_conditions.csv").assign(condition="another")
    conditions.to_csv(folder / "external_conditions.csv", index=False)


# setting, patients, changes of the study file, change of the tables
BRANCHES: dict[str, tuple[str, int, tuple[tuple[str, str], ...], Callable[[Path], None] | None]] = {
    "fewer_than_ten": ("error_by_disease", 5000, (), lambda folder: keep_validated_diseased(folder, 4)),
    "ten_to_nineteen": (
        "error_by_disease", 5000, (("[disclosure]", BELIEFS),), lambda folder: keep_validated_diseased(folder, 14),
    ),
    "none": ("error_by_disease", 4000, (('"random"', '"none"'), ("[disclosure]", BELIEFS)), None),
    "none_without_beliefs": ("error_by_disease", 4000, (('"random"', '"none"'),), None),
    "external_without_disease": ("external", 8000, (("[disclosure]", BELIEFS),), look_elsewhere),
    "may_depend_on_sex": ("recording_by_sex_unknown", 8000, (), None),
    "hospitals": ("site_clusters", 8000, (), None),
    "random": ("error_by_disease", 8000, (), None),
}  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a maker of run folders, each made once."""
    made: dict[str, Path] = {}

    def run(name: str) -> Path:
        if name not in made:
            setting, patients, changes, bend = BRANCHES[name]
            folder = tmp_path_factory.mktemp(name)
            file = write_simulated_study(folder, setting=setting, n_patients=patients, seed=3)
            text = file.read_text(encoding="utf-8")
            for old, new in changes:
                assert old in text
                text = text.replace(old, new)
            file.write_text(text, encoding="utf-8")
            if bend is not None:
                bend(folder)
            made[name] = run_study(load_study(file), folder / "run").out
        return made[name]

    return run


def table(run: Path, name: str) -> pd.DataFrame:
    """Read a released table."""
    return pd.read_csv(run / "tables" / f"{name}.csv")


def choice(run: Path) -> dict[str, Any]:
    """Read what was chosen for the one condition."""
    document = json.loads((run / "tables" / "results.json").read_text(encoding="utf-8"))
    (one,) = document["choices"]
    return dict(one)


@pytest.mark.parametrize("name", ["fewer_than_ten", "none", "none_without_beliefs"])
def test_a_refused_answer_stays_refused_and_says_what_would_help(runs: Callable[[str], Path], name: str) -> None:
    """No corrected number anywhere, the tiles say refused, and the page tells how many more to validate."""
    run = runs(name)
    assert choice(run)["state"] == "refused"
    estimates = table(run, "estimates")
    corrected = ~estimates["estimator"].isin(("naive_threshold", "naive_weighted", "complete_case", "truth"))
    assert estimates.loc[corrected, "point"].isna().all()
    assert not estimates["state"].eq("bias_analysis").any()
    page = (run / "report.html").read_text(encoding="utf-8")
    assert '<span class="big">refused</span>' in page
    assert "more patients, chosen at" in " ".join(page.split()) and "What would help" in page


@pytest.mark.parametrize(
    ("name", "scenario"),
    [
        ("fewer_than_ten", "default priors"),
        ("ten_to_nineteen", "stated in the study file"),
        ("none", "stated in the study file"),
        ("external_without_disease", "stated in the study file"),
    ],
)
def test_bias_analysis_stands_beside_and_is_never_corrected(
    runs: Callable[[str], Path], name: str, scenario: str
) -> None:
    """It is there with its interval and its impossible draws, under a state of its own."""
    rows = table(runs(name), "sensitivity").query("analysis == 'bias_analysis' and statistic == 'estimate'")
    assert set(rows["scenario"]) == {scenario}
    assert set(rows["state"]) <= {"bias_analysis", "suppressed", "refused"}
    ratio = rows[(rows["measure"] == "prevalence_ratio") & rows["age_low"].isna() & (rows["standard"] == "crude")].iloc[
        0
    ]
    assert ratio["low"] < ratio["point"] < ratio["high"] and 0 <= ratio["share_impossible"] < 1


def test_without_beliefs_the_page_says_what_to_write(runs: Callable[[str], Path]) -> None:
    """No number is invented where nobody's sex is known and nothing is stated."""
    run = runs("none_without_beliefs")
    (row,) = table(run, "sensitivity").query("analysis == 'bias_analysis'").to_dict("records")
    assert row["state"] == "missing" and pd.isna(row["point"])
    assert "sensitivity = [lowest, highest]" in (run / "report.html").read_text(encoding="utf-8")


def test_a_shrunk_answer_has_its_companions(runs: Callable[[str], Path]) -> None:
    """10 to 19 validated diseased: E2 shrunk leads, E5 and tipping points stand beside."""
    run = runs("ten_to_nineteen")
    assert choice(run)["estimator"] == "E2" and choice(run)["state"] == "model_based"
    assert "E5" in set(table(run, "estimates")["estimator"])
    shifts = table(run, "sensitivity").query("statistic == 'tipping'")
    assert {"shift_of_score", "shift_of_recording", "error_of_recorded_sex"} <= set(shifts["analysis"])
    assert set(table(run, "imputation")["method"]) >= {"complete_case", "proper_imputation", "analytic_limit"}


def test_errors_unknown_by_disease_and_recording_by_sex_get_their_own_shift(runs: Callable[[str], Path]) -> None:
    """E5 is varied by a shift with the disease, E4 on own rows by a shift of recording."""
    outside, own = runs("external_without_disease"), runs("may_depend_on_sex")
    assert choice(outside)["estimator"] == "E5" and choice(own)["estimator"] == "E4"
    assert "shift_between_cohorts" in set(table(outside, "sensitivity")["analysis"])
    assert "label_shift" in set(table(outside, "diagnostics")["diagnostic"])
    assert "shift_of_recording" in set(table(own, "sensitivity")["analysis"])
    assert table(own, "imputation").empty and table(outside, "imputation").empty


@pytest.mark.parametrize("name", list(BRANCHES))
def test_the_page_has_its_sections_figures_and_tables(runs: Callable[[str], Path], name: str) -> None:
    """One small file: what the answer rests on, what if; each figure has a title, its table and a CSV."""
    page = (runs(name) / "report.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 3_000_000
    assert 'id="rests-on"' in page and 'id="what-if"' in page
    figures = re.findall(r'<svg role="img"[^>]*aria-labelledby="(whatif-[^"]+)-title"', page)
    curves = table(runs(name), "sensitivity").query("statistic == 'tipping'")
    assert bool(figures) == bool((curves["state"] != "refused").any())
    for figure in figures:
        assert re.search(rf'<title id="{figure}-title">[^<]+1', page), figure
        assert re.search(rf'<desc id="{figure}-desc">at [^<]+', page), figure
    if figures:
        assert 'download="curves-' in page
    assert 'download="diagnostics-' in page and 'download="what-if-' in page


def test_withheld_counts_of_validated_diseased_are_nowhere(runs: Callable[[str], Path]) -> None:
    """4 validated diseased: no released row says how many of the validated are well, from which 4 would follow."""
    run = runs("fewer_than_ten")
    private = pd.read_parquet(run / "private" / "estimates.parquet")
    crude = private[private["age_low"].isna() & (private["estimator"] == "E1")].iloc[0]
    well = int(crude["n_validated"] - crude["n_validated_diseased"])
    assert crude["n_validated_diseased"] == 4
    for name in (*TABLES, "estimates"):
        for line in (run / "tables" / f"{name}.csv").read_text(encoding="utf-8").splitlines():
            cells = [cell for cell in line.split(",") if cell in {str(well), f"{well}.0"}]
            assert not cells, line
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", (run / "report.html").read_text(encoding="utf-8"))
    assert str(well) not in {cell.strip() for cell in cells}
    released = table(run, "diagnostics")
    assert released.loc[released["level_name"].eq("with the disease"), "n_validated"].isna().all()


def test_a_refused_study_gives_the_same_bytes_twice(runs: Callable[[str], Path]) -> None:
    """The draws of a bias analysis start from the study's seed."""
    run = runs("none")
    again = run_study(load_study(run.parent / "study.toml"), run.parent / "again").out
    for name in ("report.html", *(f"tables/{one}.csv" for one in TABLES), "tables/results.json"):
        assert (again / name).read_bytes() == (run / name).read_bytes(), name


@pytest.mark.parametrize(("name", "in_units"), [("hospitals", True), ("random", False)])
def test_methods_name_the_variance_that_was_used(runs: Callable[[str], Path], name: str, in_units: bool) -> None:
    """Where patients were drawn in units the page says that variances count units, in place of Rubin's for E2."""
    page = (runs(name) / "report.html").read_text(encoding="utf-8")
    assert ("Patients were drawn in sampling units or strata" in page) is in_units


def test_the_terminal_tells_what_a_refused_study_lacks(tmp_path: Path) -> None:
    """One line says that the condition is refused and how many more patients to validate."""
    file = write_simulated_study(tmp_path, setting="error_by_disease", n_patients=1500, seed=3)
    file.write_text(file.read_text(encoding="utf-8").replace('"random"', '"none"'), encoding="utf-8")
    told: list[str] = []
    run_study(load_study(file), tmp_path / "run", tell=told.append)
    (line,) = [text for text in told if text.startswith("disease: refused. ")]
    assert re.search(r"recorded sex for about \d+ more patients, chosen at random", line)
