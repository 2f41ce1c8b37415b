"""Where, for whom and by how much does a model err, and what does that do to the naive prevalence ratios?

python analyses/04_audit_of_the_shipped_model.py [SCORES PERSONS CONDITIONS]

Without tables it simulates a cohort of 6,000. Every interval counts patients, not photographs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

import sexstrat
from sexstrat.audit.ageing import audit_by_age
from sexstrat.audit.consequences import consequences_of_scores
from sexstrat.audit.missingness import audit_missing
from sexstrat.cohort.condition_frame import condition_frame
from sexstrat.study.simulated import write_simulated_study
from sexstrat.values.age_bands import AgeBands

BANDS = AgeBands((20, 40, 50, 60, 70))
METRICS = ("auc", "correct_among_men", "correct_among_women", "predicted_minus_observed_male_share")
ESTIMATE = ["point", "low", "high", "state"]


def show(title: str, rows: pd.DataFrame, columns: list[str]) -> None:
    """Print columns of a table, three decimals, empty where there is no number."""
    print(f"\n{title}")
    print(rows[columns].to_string(index=False, na_rep="", float_format=lambda value: f"{value:.3f}"))


def main() -> None:
    """Read or simulate, audit, print."""
    with TemporaryDirectory() as temporary:
        folder, given = Path(temporary), [Path(name) for name in sys.argv[1:4]]
        if not given:
            simulated = write_simulated_study(folder / "simulated", n_patients=6000, seed=5).parent
            given = [simulated / name for name in ("scores.parquet", "truth.csv", "conditions.csv")]
        tables = dict(zip(("scores", "persons", "conditions"), given, strict=True))
        with sexstrat.Cohort.create(folder / "cohort.duckdb", **tables) as cohort:
            diseases = list(cohort.conditions)
            frame = cohort.score_frame().merge(condition_frame(cohort), on="patient_id", how="left")
    audit = sexstrat.audit_scores(frame, bands=BANDS, groups=["age_band", *diseases]).to_frame()
    for metric in METRICS:
        show(metric, audit[audit["metric"] == metric], ["group", "level_name", *ESTIMATE, "n_patients"])
    trends = audit_by_age(frame, bands=BANDS).trends
    show("over continuous age", trends, ["metric", "quantity", *ESTIMATE, "p_value", "note"])
    missing = audit_missing(frame, bands=BANDS, covariates=diseases)
    show("without a score", missing[missing["group"] == "overall"], ["quantity", "method", *ESTIMATE])
    found = consequences_of_scores(frame, conditions=diseases, bands=BANDS)
    show("what the errors do", found, ["condition", "age_band", "quantity", *ESTIMATE, "repaired_by"])


if __name__ == "__main__":
    main()
