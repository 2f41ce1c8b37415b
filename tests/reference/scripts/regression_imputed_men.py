"""Write the men of each group in twenty imputations of the worked example, for R to fit and pool.

Run before ``regression.R``: python tests/reference/scripts/regression_imputed_men.py
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from sexstrat.estimates.recalibration import recalibrate
from sexstrat.estimates.regression.imputed_counts import imputed_men
from sexstrat.estimates.regression.regression_design import regression_design
from sexstrat.estimates.worked_example import worked_input

given = worked_input()
design = regression_design(given, link="poisson")
draws = imputed_men(
    given.arrays, recalibrate(given.arrays), design.group, design.size, 20, np.random.default_rng(given.seed)
)
found = {
    "age": [45, 45, 65, 65],
    "diseased": [0, 1, 0, 1],
    "people": design.weight.tolist(),
    "men": [men.weight.tolist() for men in draws],
}
output = Path(__file__).parents[1] / "outputs" / "regression_imputed_men.json"
output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
