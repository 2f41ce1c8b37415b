"""A cohort small enough to check by hand: 1,100 patients, half of them with recorded sex.

At ages 45 and 65 alike there are 200 men and 200 women without the disease, 100 men and 50 women with it. The score
says 0.8 for 80 % of the men and 20 % of the women, and 0.2 for the others. Every second patient is validated. So
prevalence is 1/3 in men and 1/5 in women: ratio 5/3, difference 2/15, odds ratio 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sexstrat.estimates.cell_arrays import CellArrays, cell_arrays
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import Target, ValidationDesign
from sexstrat.values.logit_bins import FIXED_POINT, logit_bin, logit_edges
from sexstrat.values.tables import table_schema

__all__ = ["worked_arrays", "worked_bands", "worked_cells", "worked_input"]

_PATIENTS = {(False, "male"): 200, (False, "female"): 200, (True, "male"): 100, (True, "female"): 50}


def worked_bands() -> AgeBands:
    """Return the two age bands of the example.

    Examples
    --------
    >>> worked_bands().labels
    ('40-59', '60+')
    """
    return AgeBands((40, 60))


def worked_cells(*, all_known: bool = False) -> Cells:
    """Return the cells of the example.

    Parameters
    ----------
    all_known : give everybody's sex (the truth).

    Examples
    --------
    >>> int(worked_cells().frame["n"].sum())
    1100
    """
    edges = logit_edges()
    rows = []
    for age in (45, 65):
        for (diseased, sex), people in _PATIENTS.items():
            for score in (0.2, 0.8):
                count = round(people * (0.8 if (score > 0.5) == (sex == "male") else 0.2))
                base: dict[str, Any] = {
                    "condition": "disease",
                    "age_years": age,
                    "diseased": diseased,
                    "n_eyes": 2,
                    "logit_bin": int(logit_bin([score], edges)[0]),
                    "prob": score,
                }
                for fold in range(5):
                    rows.append({**base, "recorded_sex": sex, "fold": fold, "n": count // 10})
                hidden: dict[str, Any] = (
                    {"recorded_sex": sex, "fold": 0} if all_known else {"recorded_sex": "unknown", "fold": None}
                )
                rows.append({**base, **hidden, "n": count // 2})
    frame = pd.DataFrame(rows)
    keys = ["condition", "age_years", "diseased", "recorded_sex", "n_eyes", "logit_bin", "fold", "prob"]
    frame = frame.groupby(keys, dropna=False)["n"].sum().reset_index()
    p = frame.pop("prob").to_numpy(dtype=float)
    n = frame["n"].to_numpy(dtype=np.int64)
    validated = (frame["recorded_sex"] != "unknown").to_numpy()
    frame["sum_p"] = np.rint(p * FIXED_POINT).astype(np.int64) * n
    frame["sum_p2"] = np.rint(p**2 * FIXED_POINT).astype(np.int64) * n
    frame["sum_w"] = frame["sum_w2"] = n.astype(float)
    over = np.where(validated, n * (1.0 if all_known else 2.0), np.nan)
    frame["sum_w_over_r"] = frame["sum_w2_over_r"] = over
    frame["sum_w2_over_r2"] = np.where(validated, n * (1.0 if all_known else 4.0), np.nan)
    frame["fold"] = frame["fold"].astype("Int64")
    return Cells(frame=frame.reindex(columns=table_schema("cell").columns), edges=edges, model_id="worked-example")


def worked_arrays() -> CellArrays:
    """Return the example as arrays.

    Examples
    --------
    >>> worked_arrays().n_validated.tolist()
    [[200.0, 75.0], [200.0, 75.0]]
    """
    return cell_arrays(worked_cells(), worked_bands(), ValidationDesign.random)


def worked_input() -> ComposeInput:
    """Return the example as an estimator is given it: random validation, the cohort a sample of a population.

    Examples
    --------
    >>> int(worked_input().arrays.n_validated.sum())
    550
    """
    return ComposeInput(
        condition="disease",
        bands=worked_bands(),
        arrays=worked_arrays(),
        design=ValidationDesign.random,
        target=Target.population,
    )
