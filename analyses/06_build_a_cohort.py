"""Which rows of my tables can be used, who is lost on the way to the estimates, and what is counted of the others?

python analyses/06_build_a_cohort.py [SCORES PERSONS CONDITIONS]

Checks every rule of data_schemas/, leaves out the rows that LEFT_OUT names, says how many and why, and writes one
DuckDB file. Without tables 3,000 patients are simulated, and two are added whom nobody can use.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from sexstrat.cohort import Cohort, TableInput, check_inputs
from sexstrat.study.simulated import write_simulated_study
from sexstrat.values.age_bands import AgeBands

BANDS = AgeBands((20, 40, 50, 60, 70, 80))
LEFT_OUT = {"persons": ["no_age", "above_maximum"], "conditions": ["unknown_patient"], "scores": ["unknown_patient"]}
UNUSABLE = pd.DataFrame({"patient_id": ["without age", "too old"], "age_years": ["", "300"], "recorded_sex": "male"})
LOST = ["step", "name", "n_patients", "patients_lost", "n_images", "images_lost"]


def simulated_tables(folder: Path) -> list[Path]:
    """Write a simulated cohort, and among its persons those whom nobody can use."""
    write_simulated_study(folder, n_patients=3000, seed=5)
    persons = pd.read_csv(folder / "persons.csv", dtype=str)
    pd.concat([persons, UNUSABLE]).to_csv(folder / "persons.csv", index=False)
    return [folder / name for name in ("scores.parquet", "persons.csv", "conditions.csv")]


def main() -> None:
    """Check the tables, build the cohort, and print what was left out, who was lost and what is counted."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        given = [Path(name) for name in sys.argv[1:4]] or simulated_tables(folder / "simulated")
        sources = dict(zip(("scores", "persons", "conditions"), given, strict=True))
        tables = {
            name: TableInput(source=source, name=source.name, section=name, drop=LEFT_OUT[name])
            for name, source in sources.items()
        }
        found = check_inputs(**tables)
        print(*(f"{problem.severity}: {problem}" for problem in found.problems), sep="\n")
        for rows in found.rows:
            reasons = ", ".join(f"{kind}: {n:,}" for kind, n in rows.dropped.items()) or "nothing"
            print(f"{rows.table}: {rows.read:,} rows read, {rows.accepted:,} kept; left out: {reasons}")
        with Cohort.create(folder / "cohort.duckdb", bands=BANDS, **tables) as cohort:
            print(f"\nwho was lost\n{cohort.flow()[LOST].to_string(index=False)}")
            print(f"\nconditions\n{cohort.condition_counts().to_string(index=False)}")
            patterns = cohort.pattern_counts(age_width=20).drop(columns="sum_p")
            print(f"\npatients by pattern\n{patterns.astype('object').fillna('not known').to_string(index=False)}")
            print(f"\n{len(cohort.cells().frame):,} cells hold all that the estimates need")


if __name__ == "__main__":
    main()
