"""From a simulated cohort to the page: every stage's own output, nothing invented in between."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

from sexstrat.audit import audit_scores
from sexstrat.disclosure import release
from sexstrat.estimates import all_estimates
from sexstrat.reporting import report, write_tables
from sexstrat.simulation import setting, simulate_cells, simulate_cohort
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.results import StudyResults

BANDS = AgeBands((20, 40, 50, 60, 70, 80))


@pytest.fixture(scope="module")
def released():
    """Simulate, estimate, audit and release 20,000 patients whose score errs more in the diseased."""
    rules = setting("error_by_disease")
    cells = simulate_cells(rules, 20_000, 7)
    estimates, choices = all_estimates(
        cells.cells, bands=BANDS, design=rules.design, standards=("who_2000_2025",), truth=cells.truth
    )
    cohort = simulate_cohort(rules, 4_000, 7)
    columns = ["patient_id", "age_years", "recorded_sex", "validation_probability"]
    audited = audit_scores(cohort.scores.merge(cohort.persons[columns], on="patient_id"), bands=BANDS)
    flow = pd.DataFrame(
        [{"step": 1, "name": "Simulated patients", "n_patients": 20_000, "n_images": None, "n_male": None,
          "n_female": None, "n_other": None, "n_unknown": None, "patients_lost": 0, "images_lost": None, "reason": "",
          "state": "counted"}]
    )  # fmt: skip
    results = StudyResults(
        title="A simulated cohort", estimates=estimates, audit=audited.audit, gaps=audited.gaps, flow=flow,
        choices=tuple(choices), settings={"validation": {"design": "random"}}, notices=("This cohort is simulated.",),
    )  # fmt: skip
    return release(results, "uk-5")


def test_page_prints_the_estimates_of_the_chain(released, tmp_path):
    """The standardised, naive and true ratios that the stages computed are those of the page's summary and figure."""
    text = report(released, tmp_path).read_text(encoding="utf-8")
    frame = released.estimates
    ratios = frame[(frame["measure"] == "prevalence_ratio") & (frame["standard"] == "who_2000_2025")].set_index(
        "estimator"
    )
    chosen = released.choices[0]["standard_estimators"]["who_2000_2025"]
    assert (released.choices[0]["estimator"], chosen) == (
        "E1",
        "E2",
    )  # the young bands, where WHO puts weight, are thin
    for name in (chosen, "naive_threshold"):
        row = ratios.loc[name]
        printed = f"{row['point']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
        assert text.count(printed) >= 2, printed
    answer = text[text.index('<div class="answer">') : text.index("</section>")]
    assert f"{ratios.loc['truth', 'point']:.2f}" in answer
    assert "inside the model-based interval" in answer
    assert len(text.encode()) < 1_000_000


def test_every_number_of_the_files_passed_the_gate(released, tmp_path):
    """No count from 1 to 4 stands in any written file."""
    files = write_tables(released, tmp_path)
    tables = json.loads(files[-1].read_text(encoding="utf-8"))["tables"]
    counts = [
        value
        for table in tables.values()
        for row in table["rows"]
        for name, value in row.items()
        if name.startswith(("n_patients", "n_male", "n_female", "n_diseased", "n_validated")) and value is not None
    ]
    assert len(counts) > 100
    assert not [value for value in counts if 0 < value < 5]
    assert not re.search(r"nan|NaN|<NA>", (tmp_path / "estimates.csv").read_text(encoding="utf-8"))
