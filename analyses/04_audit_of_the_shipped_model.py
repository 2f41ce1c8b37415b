"""Where, for whom and by how much does a model err, and what does that do to the naive prevalence ratios?

python analyses/04_audit_of_the_shipped_model.py [SCORES PERSONS [CONDITIONS]]

Without tables it simulates a cohort. Prints, with intervals that count patients: the AUC and the share correct among
men and women by age band, disease by disease; the tests over continuous age and the ages at which the sexes cross; and
what the measured errors do to each naive ratio, with the estimator that repairs it.
"""

from __future__ import annotations

import argparse
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


def tables(arguments: argparse.Namespace, folder: Path) -> dict[str, Path]:
    """Return the tables given, or those of a simulated cohort of 6,000."""
    names = ("scores", "persons", "conditions")
    given = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    if given:
        return given
    simulated = write_simulated_study(folder / "simulated", n_patients=6000, seed=5).parent
    return {"scores": simulated / "scores.parquet", "persons": simulated / "truth.csv",
            "conditions": simulated / "conditions.csv"}  # fmt: skip


def show(title: str, rows: pd.DataFrame, columns: list[str]) -> None:
    """Print the columns of a table, three decimals, empty where there is no number."""
    print(f"\n{title}")
    print(rows[columns].to_string(index=False, na_rep="", float_format=lambda value: f"{value:.3f}"))


def main() -> None:
    """Read or simulate, audit, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("scores", "persons", "conditions"):
        parser.add_argument(name, type=Path, nargs="?")
    with TemporaryDirectory() as temporary:
        given = tables(parser.parse_args(), Path(temporary))
        with sexstrat.Cohort.create(Path(temporary) / "cohort.duckdb", **given) as cohort:
            diseases = list(cohort.conditions)
            frame = cohort.score_frame().merge(condition_frame(cohort), on="patient_id", how="left")
    estimate = ["point", "low", "high"]
    audit = sexstrat.audit_scores(frame, bands=BANDS, groups=["age_band", *diseases]).to_frame()
    for metric in METRICS:
        show(metric, audit[audit["metric"] == metric], ["group", "level_name", *estimate, "n_patients", "state"])
    trends = audit_by_age(frame, bands=BANDS).trends
    show("over continuous age", trends, ["metric", "quantity", *estimate, "p_value", "state", "note"])
    missing = audit_missing(frame, bands=BANDS, covariates=diseases)
    show("without a score", missing[missing["group"] == "overall"], ["quantity", "method", *estimate, "state"])
    if diseases:
        found = consequences_of_scores(frame, conditions=diseases, bands=BANDS)
        whole = found[found["age_band"] == "all"]
        show("what the errors do", whole, ["condition", "quantity", *estimate, "repaired_by", "state"])


if __name__ == "__main__":
    main()
