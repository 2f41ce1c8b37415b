"""At which ages does the model err more, and for which sex?

python analyses/02_audit_by_age.py [SCORES PERSONS]

Prints the share correct among men and among women, the AUC and the predicted minus the observed male share by age
band, each with an interval that counts patients, not photographs. Without tables 6,000 patients are simulated.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import sexstrat
from sexstrat.study.simulated import write_simulated_study
from sexstrat.values.age_bands import AgeBands

BANDS = AgeBands((20, 40, 50, 60, 70, 80))
METRICS = ("correct_among_men", "correct_among_women", "auc", "predicted_minus_observed_male_share")


def main() -> None:
    """Read the tables, audit, print."""
    with TemporaryDirectory() as temporary:
        folder, given = Path(temporary), [Path(name) for name in sys.argv[1:3]]
        if not given:
            simulated = write_simulated_study(folder / "simulated", n_patients=6000, seed=5).parent
            given = [simulated / "scores.parquet", simulated / "truth.csv"]
        tables = dict(zip(("scores", "persons"), given, strict=True))
        with sexstrat.Cohort.create(folder / "cohort.duckdb", **tables) as cohort:
            frame = cohort.score_frame()
    audit = sexstrat.audit_scores(frame, bands=BANDS).to_frame()
    for metric in METRICS:
        rows = audit.loc[audit["metric"] == metric, ["level_name", "point", "low", "high", "n_patients", "state"]]
        print(f"\n{metric}")
        print(rows.to_string(index=False, na_rep="", float_format=lambda value: f"{value:.3f}"))


if __name__ == "__main__":
    main()
