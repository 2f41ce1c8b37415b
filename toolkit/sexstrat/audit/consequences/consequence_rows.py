"""The consequences of one disease, for all ages and by age band, in tidy rows that an author can cite."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

import pandas as pd

from sexstrat.audit.consequences.bias import QUANTITIES, naive_bias
from sexstrat.audit.consequences.error_table import ErrorTable
from sexstrat.audit.consequences.repair import Repair, repair
from sexstrat.audit.rows import contract_frame
from sexstrat.errors import EstimationError
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import ValidationDesign

__all__ = ["ALL_AGES", "consequences"]

ALL_AGES = "all"


def consequences(
    condition: str,
    tables: Sequence[ErrorTable],
    bands: AgeBands,
    *,
    design: ValidationDesign = ValidationDesign.random,
    everybody: bool = False,
    level: float = 0.95,
    min_patients: int = 10,
) -> pd.DataFrame:
    """Return what the measured errors do to the prevalence ratio of one disease, by age band and over all ages.

    The line for all ages is about the crude ratio; errors that change with age act there like errors that differ by
    disease, since the diseased are older.

    Parameters
    ----------
    condition : name of the disease.
    tables : patients of known sex, a table a band, from :func:`error_tables`.
    bands : the age bands.
    design : how sex came to be recorded, as declared.
    everybody : sex is recorded for everybody.
    level : confidence level.
    min_patients : as in :func:`naive_bias`.

    Returns
    -------
    Rows of the ``consequence`` contract; biases as fractions (-0.1 is 10 % too low).

    Raises
    ------
    EstimationError : there are not as many tables as bands.

    Examples
    --------
    >>> import numpy as np
    >>> cells = np.array([[[810.0, 90], [80, 720]], [[90, 10], [20, 180]]])
    >>> table = ErrorTable(patients=cells, weight=cells, squares=cells)
    >>> rows = consequences("cataract", [table], AgeBands((40,))).set_index(["age_band", "quantity"])
    >>> row = rows.loc[("40+", "relative_bias")]
    >>> round(float(row["point"]), 4), row["repaired_by"], int(row["n_diseased_men"])
    (-0.1364, 'E1', 200)
    """
    if len(tables) != len(bands):
        raise EstimationError(f"there must be a table for each of the {len(bands)} age bands; found {len(tables)}")
    whole = reduce(add, tables)
    well, diseased = whole.patients.sum(axis=(1, 2))
    rows: list[dict[str, Any]] = []
    for name, table in ((ALL_AGES, whole), *zip(bands.labels, tables, strict=True)):
        inside = table.patients.sum(axis=(1, 2))
        in_band = None if name == ALL_AGES else (float(inside[1]), float(inside[0]))
        repaired = repair(design, diseased=float(diseased), well=float(well), in_band=in_band, everybody=everybody)
        rows += _rows(condition, name, table, repaired, level, min_patients)
    return contract_frame(rows, "consequence")


def _rows(
    condition: str, age_band: str, table: ErrorTable, repaired: Repair, level: float, min_patients: int
) -> list[dict[str, Any]]:
    bias = naive_bias(table, level=level, min_patients=min_patients)
    n, recorded = table.patients, table.recorded
    shared = {
        "condition": condition,
        "age_band": age_band,
        "level": level,
        "n_patients": int(n.sum()),
        "n_diseased_men": int(recorded[1, 1]),
        "n_diseased_women": int(recorded[1, 0]),
        "n_well_men": int(recorded[0, 1]),
        "n_well_women": int(recorded[0, 0]),
        "n_fewest": int(n[n > 0].min()) if (n > 0).any() else 0,
        "n_empty": int((n == 0).sum()),
        "repaired_by": repaired.estimator,
        "why": repaired.why,
    }
    rows = []
    for quantity in QUANTITIES:
        if quantity in bias.found:
            point, low, high = bias.found[quantity]
            found = {"point": point, "low": low, "high": high, "state": "measured", "note": ""}
        else:
            found = {"state": "undefined", "note": bias.undefined[quantity]}
        rows.append({**shared, "quantity": quantity, **found})
    return rows
