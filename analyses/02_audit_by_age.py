"""At which ages does the model err more, and for which sex?

python analyses/02_audit_by_age.py SCORES PERSONS

Prints the share correct among men and among women, the AUC and the predicted minus the observed male share by age
band, each with an interval that counts patients, not photographs.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import sexstrat
from sexstrat.values.age_bands import AgeBands

BANDS = AgeBands((20, 40, 50, 60, 70, 80))
METRICS = ("correct_among_men", "correct_among_women", "auc", "predicted_minus_observed_male_share")


def main() -> None:
    """Read the tables, audit, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scores", type=Path)
    parser.add_argument("persons", type=Path)
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cohort.duckdb"
        with sexstrat.Cohort.create(path, scores=arguments.scores, persons=arguments.persons) as cohort:
            frame = cohort.score_frame()
    audit = sexstrat.audit_scores(frame, bands=BANDS).to_frame()
    for metric in METRICS:
        rows = audit.loc[audit["metric"] == metric, ["level_name", "point", "low", "high", "n_patients", "state"]]
        print(f"\n{metric}")
        print(rows.to_string(index=False, float_format=lambda value: f"{value:.3f}"))


if __name__ == "__main__":
    main()
