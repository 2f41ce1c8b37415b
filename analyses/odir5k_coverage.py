"""Does the interval cover what was hidden? ODIR-5K, 20 random choices of the 80 % whose sex is hidden, each disease.

python analyses/odir5k_coverage.py [TABLES] [--choices 20]      (after odir5k_prepare.py and the out-of-fold scores)

For each choice the cohort is built anew and the crude prevalence among men and the crude prevalence ratio are
estimated for the target `cohort` (these very patients), whose truth is known. Male and female mirror each other,
so each disease counts once. Prints coverage per disease and pooled, corrected and naive side by side.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from odir5k_prepare import hide_sex

from sexstrat.cohort import Cohort
from sexstrat.estimates import all_estimates
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells

BANDS = AgeBands((0, 45, 55, 65))
METHODS = ("E1", "E2", "naive_threshold", "naive_weighted", "complete_case")
MEASURES = {"prevalence": "prevalence among men", "prevalence_ratio": "prevalence ratio"}
MIN_PATIENTS = 100
KEY = ["measure", "condition"]


def cells_of(tables: Path, persons: pd.DataFrame, folder: Path) -> Cells:
    """Return the cells of the cohort with these persons."""
    with Cohort.create(
        folder / "cohort.duckdb",
        persons=persons,
        scores=tables / "scores.parquet",
        conditions=tables / "conditions.csv",
    ) as cohort:
        return cohort.cells()


def crude(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the crude prevalence among men and the crude prevalence ratio, all ages."""
    whole = frame["age_low"].isna() & frame["age_high"].isna() & (frame["standard"] == "crude")
    wanted = ((frame["measure"] == "prevalence") & (frame["sex"] == "male")) | (frame["measure"] == "prevalence_ratio")
    return frame.loc[whole & wanted]


def one_choice(tables: Path, people: pd.DataFrame, truth: Cells, seed: int) -> pd.DataFrame:
    """Return estimates and truth side by side for one random choice."""
    with TemporaryDirectory() as folder:
        cells = cells_of(tables, people.assign(recorded_sex=hide_sex(people, seed)), Path(folder))
    frame, _ = all_estimates(
        cells, bands=BANDS, design="random", target="cohort", standards=(), methods=METHODS, seed=seed, truth=truth
    )
    rows = crude(frame)
    known = rows.loc[rows["estimator"] == "truth", [*KEY, "point", "n_diseased"]]
    joined = rows.loc[rows["estimator"] != "truth"].merge(known, on=KEY, suffixes=("", "_truth"))
    return joined.assign(choice=seed)


def summary(results: pd.DataFrame) -> pd.DataFrame:
    """Return coverage, mean point, truth and mean relative width by measure, condition and estimator."""
    inside = (results["low"] <= results["point_truth"]) & (results["point_truth"] <= results["high"])
    table = results.assign(covered=inside.where(results["low"].notna()), width=results["high"] / results["low"])
    return (
        table.groupby(["measure", "condition", "estimator"], sort=False)
        .agg(
            patients=("n_diseased_truth", "first"),
            truth=("point_truth", "first"),
            mean=("point", "mean"),
            high_over_low=("width", "mean"),
            coverage=("covered", "mean"),
            estimates=("covered", "count"),
        )
        .reset_index()
    )


def main() -> int:
    """Print the tables; exit 1 when E1 or E2 covers less than 90 % pooled."""
    repository = Path(__file__).resolve().parents[1]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="?", type=Path, default=repository / ".work" / "odir")
    parser.add_argument("--choices", type=int, default=20)
    parser.add_argument("--out", type=Path, default=None, help="also write the table as CSV")
    arguments = parser.parse_args()
    people = pd.read_csv(arguments.tables / "truth.csv", dtype={"patient_id": "str"})
    with TemporaryDirectory() as folder:
        truth = cells_of(arguments.tables, people, Path(folder))
    results = pd.concat([one_choice(arguments.tables, people, truth, seed) for seed in range(1, arguments.choices + 1)])
    table = summary(results)
    table = table.loc[table["patients"] >= MIN_PATIENTS]
    if arguments.out is not None:
        table.to_csv(arguments.out, index=False)
    low = False
    for measure, label in MEASURES.items():
        part = table.loc[table["measure"] == measure]
        print(f"\n{label}, crude, {arguments.choices} choices, diseases with at least {MIN_PATIENTS} patients")
        print(part.drop(columns="measure").round(3).to_string(index=False))
        pooled = part.groupby("estimator", sort=False)["coverage"].mean()
        print("pooled coverage: " + ", ".join(f"{name} {value:.3f}" for name, value in pooled.items()))
        low |= bool(pooled["E1"] < 0.9 or pooled["E2"] < 0.9)
    return int(low)


if __name__ == "__main__":
    sys.exit(main())
