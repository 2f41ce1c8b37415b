"""How much uncertainty does imputing sex add, and which ways of imputing hide it?

python analyses/07_imputation_uncertainty.py [SCORES PERSONS CONDITIONS]

Six ways to treat the sexes that are not recorded stand side by side: dropped, imputed once, many times improperly, many
times properly, the limit of infinitely many, and imputed without the disease. E1, which is analytic and needs no
imputation model, stands below. Without tables 6,000 are simulated, whose true ratio is printed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

import sexstrat
from sexstrat.estimates import compare_imputations
from sexstrat.estimates.compose import compose_input
from sexstrat.study.simulated import write_simulated_study
from sexstrat.values.age_bands import AgeBands

BANDS = AgeBands((20, 45, 55, 65, 75))
WAYS = ["method", "validity", "point", "low", "high", "within", "between", "fmi", "monte_carlo_share", "state"]
COUNTS = ["n_patients", "n_validated"]


def show(rows: pd.DataFrame, columns: list[str]) -> None:
    """Print columns of a table, empty where there is no number."""
    text = rows[columns].astype(object).where(rows[columns].notna(), "")
    print(text.to_string(index=False, float_format=lambda value: f"{value:.4f}"), end="\n\n")


def main() -> None:
    """Read or simulate, compare, print."""
    with TemporaryDirectory() as temporary:
        folder, given, truth = Path(temporary), [Path(name) for name in sys.argv[1:4]], {}
        if not given:
            simulated = write_simulated_study(folder / "simulated", n_patients=6000, seed=5).parent
            given = [simulated / name for name in ("scores.parquet", "persons.csv", "conditions.csv")]
            truth = json.loads((simulated / "population_truth.json").read_text(encoding="utf-8"))
        tables = dict(zip(("scores", "persons", "conditions"), given, strict=True))
        with sexstrat.Cohort.create(folder / "cohort.duckdb", **tables) as cohort:
            cells = cohort.cells()
    for condition in cells.conditions:
        print(f"{condition}: prevalence ratio, men to women, crude; within and between are variances of its log")
        frame = compare_imputations(compose_input(cells, condition=condition, bands=BANDS, design="random")).to_frame()
        crude = frame[(frame["measure"] == "prevalence_ratio") & (frame["standard"] == "crude")]
        show(crude, WAYS)
        show(crude, ["method", "imputations", "imputations_needed", *COUNTS, "note"])
        analytic = sexstrat.compose(cells, condition=condition, bands=BANDS, design="random", method="E1")
        show(analytic.contrast("ratio").to_frame().head(1), ["estimator", "point", "low", "high", "state", *COUNTS])
    for row in truth["population"][3:4] if truth else []:
        print(f"true {row['measure']} of the simulated population: {row['value']:.4f}")


if __name__ == "__main__":
    main()
