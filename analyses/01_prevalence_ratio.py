"""How does a disease's prevalence compare between the sexes when sex is recorded for a few patients only?

python analyses/01_prevalence_ratio.py [SCORES PERSONS CONDITIONS] [--condition NAME]

Scores come from `sexstrat score`, persons and conditions are your tables in the contracts of data_schemas/; without
tables 6,000 patients are simulated. Prints what was estimated, by which method and why, the naive figures beside it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import sexstrat
from sexstrat.study.simulated import write_simulated_study
from sexstrat.values.age_bands import AgeBands

BANDS = AgeBands((20, 40, 50, 60, 70, 80))


def main() -> None:
    """Read the tables, compose, and print the prevalence ratio, crude and standardised."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", type=Path, metavar="SCORES PERSONS CONDITIONS")
    parser.add_argument("--condition", default=None, help="all when left out")
    arguments = parser.parse_args()
    with TemporaryDirectory() as temporary:
        folder, given = Path(temporary), arguments.tables
        if not given:
            simulated = write_simulated_study(folder / "simulated", n_patients=6000, seed=5).parent
            given = [simulated / name for name in ("scores.parquet", "persons.csv", "conditions.csv")]
        tables = dict(zip(("scores", "persons", "conditions"), given, strict=True))
        with sexstrat.Cohort.create(folder / "cohort.duckdb", **tables) as cohort:
            cells = cohort.cells()
    for condition in [arguments.condition] if arguments.condition else cells.conditions:
        for method in ("auto", "naive_threshold", "complete_case"):
            composition = sexstrat.compose(cells, condition=condition, bands=BANDS, design="random", method=method)
            frame = composition.contrast("ratio", standardise="who_2000_2025").to_frame()
            whole = frame[frame["age_low"].isna() | (frame["standard"] != "crude")]
            print(f"\n{condition}: {composition.estimator} ({composition.state}) {composition.why}")
            print(
                whole[["standard", "point", "low", "high", "n_patients", "n_validated", "state"]].to_string(index=False)
            )


if __name__ == "__main__":
    main()
