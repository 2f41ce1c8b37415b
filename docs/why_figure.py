"""Draw the figure of the README: one simulated cohort, its true ratio, and what each way of analysing it says.

python docs/why_figure.py [docs/why.svg]

The cohort is that of `sexstrat demo`: 20,000 patients of whom one in twenty has a recorded sex, and a disease that
makes both sexes look more male to the network. The same command gives the same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import sexstrat
from sexstrat.estimates import all_estimates
from sexstrat.reporting.figure_style import Svg
from sexstrat.reporting.figures import forest_figure
from sexstrat.reporting.headline import headlines
from sexstrat.reporting.rows import Rows
from sexstrat.study.demo import N_PATIENTS, SEED
from sexstrat.study.simulated import write_simulated_study
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells

BANDS = AgeBands((20, 45, 55, 65, 75))
WAYS = ("E1", "naive_threshold", "naive_weighted", "complete_case")


def cells_of(folder: Path, persons: str) -> Cells:
    """Return the cells of the cohort with these recorded sexes."""
    tables = {"persons": folder / persons, "scores": folder / "scores.parquet", "conditions": folder / "conditions.csv"}
    with sexstrat.Cohort.create(folder / f"{persons}.duckdb", **tables) as cohort:
        return cohort.cells()


def why_svg() -> str:
    """Return the figure as an SVG that stands alone."""
    with TemporaryDirectory() as temporary:
        folder = write_simulated_study(temporary, n_patients=N_PATIENTS, seed=SEED).parent
        cells, truth = cells_of(folder, "persons.csv"), cells_of(folder, "truth.csv")
    frame, choices = all_estimates(
        cells, bands=BANDS, design="random", target="population", standards=(), methods=WAYS, truth=truth
    )
    rows = Rows.of(frame, "estimate")
    drawn = forest_figure(rows, headlines(rows, choices))
    if not isinstance(drawn.svg, Svg) or drawn.svg.figure is None:
        raise SystemExit(f"nothing to draw: {drawn.title}")
    drawn.svg.figure.stand_alone()
    return drawn.svg.figure._repr_svg_() + "\n"


if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("why.svg")
    out.write_text(why_svg(), encoding="utf-8", newline="\n")
