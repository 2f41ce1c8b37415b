"""What can be said where nobody's predicted sex was ever checked, and how wrong would the errors have to be?

python analyses/08_bias_without_validation.py [SCORES PERSONS CONDITIONS]

No number is corrected here. A bias analysis says what believed ranges of sensitivity and specificity allow, and which
share of the draws the data rule out; a tipping point says how far the disease would have to move the score before the
conclusion changes. Recorded sex plays no part. Without tables 6,000 are simulated, whose disease does move the score:
the beliefs below do not hold there, and the true ratio of 1.40 lies outside what they allow. Only validation tells.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

import sexstrat
from sexstrat.estimates import Beliefs, stated_priors
from sexstrat.study.simulated import write_simulated_study
from sexstrat.values.age_bands import AgeBands

BANDS = AgeBands((20, 45, 55, 65, 75))
# believed with a certainty of 95 %: share of men called male, and of women called female
BELIEFS = Beliefs(priors=stated_priors(sensitivity=(0.80, 0.95), specificity=(0.80, 0.95)))
ROW = ["standard", "age_low", "without_correction", "median", "low", "high", "n_patients", "share_impossible", "state"]


def show(title: str, rows: pd.DataFrame, columns: list[str]) -> None:
    """Print columns of a table, empty where there is no number."""
    text = rows[columns].astype(object).where(rows[columns].notna(), "")
    print(f"\n{title}\n{text.to_string(index=False, float_format=lambda value: f'{value:.4f}')}")


def main() -> None:
    """Read or simulate, ask what the beliefs allow and where the conclusion tips, print."""
    with TemporaryDirectory() as temporary:
        folder, given = Path(temporary), [Path(name) for name in sys.argv[1:4]]
        if not given:
            simulated = write_simulated_study(folder / "simulated", n_patients=6000, seed=5).parent
            given = [simulated / name for name in ("scores.parquet", "persons.csv", "conditions.csv")]
        tables = dict(zip(("scores", "persons", "conditions"), given, strict=True))
        with sexstrat.Cohort.create(folder / "cohort.duckdb", **tables) as cohort:
            cells = cohort.cells()
    for condition in cells.conditions:
        found = sexstrat.compose(cells, condition=condition, bands=BANDS, design="none", beliefs=BELIEFS).what_if
        ratio = found.bias.to_frame().query("measure == 'prevalence_ratio'")
        show(f"{condition}: prevalence ratio that the beliefs and random error allow", ratio, ROW)
        impossible = found.bias.discarded().query("measure == 'prevalence_ratio' and share > 0")
        show("draws left out as impossible", impossible, ["standard", "age_low", "reason", "share"])
        curve = found.tipping[0]
        show(curve.statement, curve.to_frame(), ["shift", "point", "low", "high", "excludes_one", "state"])
        print("\nassumed:", *found.assumptions, sep="\n- ")


if __name__ == "__main__":
    main()
