"""How many patients need known sex for an interval or a power that is wanted, and who should be looked up next?

python analyses/09_plan_validation.py [SCORES PERSONS CONDITIONS]

First from stated values, for scores of different quality; then from a pilot of which some patients are validated
already. Without tables 6,000 are simulated as the pilot.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

import sexstrat
from sexstrat.estimates import optimal_allocation, pilot_cells
from sexstrat.study.design import plan_design
from sexstrat.study.design_request import DesignRequest
from sexstrat.study.design_text import design_notes, design_tables
from sexstrat.study.simulated import write_simulated_study
from sexstrat.values.age_bands import AgeBands

BANDS = AgeBands((20, 45, 55, 65, 75))
BELIEVED = {"patients": 20_000, "prevalence": 0.15, "ratio": 1.4, "aucs": (0.8, 0.9, 0.95)}
WANTED = {"validated": (200, 1000, 5000), "width": 1.5, "power": 0.8}
FURTHER, FEWEST = 500, 20  # patients to look up next, and how many of each age band and disease state at least


def main() -> None:
    """Plan from stated values, then from a pilot, and print."""
    plan = plan_design(DesignRequest(**BELIEVED, **WANTED))
    for table in design_tables(plan):
        print(f"{table.title}\n{pd.DataFrame(table.rows, columns=list(table.header)).to_string(index=False)}\n")
    print(*design_notes(plan), sep="\n")
    with TemporaryDirectory() as temporary:
        folder, given = Path(temporary), [Path(name) for name in sys.argv[1:4]]
        if not given:
            simulated = write_simulated_study(folder / "simulated", n_patients=6000, seed=5).parent
            given = [simulated / name for name in ("scores.parquet", "persons.csv", "conditions.csv")]
        tables = dict(zip(("scores", "persons", "conditions"), given, strict=True))
        with sexstrat.Cohort.create(folder / "cohort.duckdb", **tables) as cohort:
            pilot = cohort.cells()
    for condition in pilot.conditions:
        cells = pilot_cells(pilot, condition=condition, bands=BANDS, design="random")
        places = optimal_allocation(cells, further=FURTHER, minimum=FEWEST)
        best, even = places.expected.width, places.expected_proportional.width
        print(
            f"\n{condition}, from the pilot: {FURTHER} further patients, placed as below, make the upper limit of the"
        )
        print(f"ratio {best:.2f} times the lower one; spread in proportion {even:.2f} times")
        print(places.to_frame().drop(columns=["score_low", "score_high"]).round(4).to_string(index=False))


if __name__ == "__main__":
    main()
