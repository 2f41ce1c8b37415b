"""The audit of a run: by group, over continuous age, of images without a score, and what the errors do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from sexstrat.audit import audit_scores
from sexstrat.audit.consequences import consequences, error_tables
from sexstrat.cohort import Cohort
from sexstrat.cohort.condition_frame import condition_frame
from sexstrat.estimates.cell_arrays import cell_arrays
from sexstrat.study.counted import counted
from sexstrat.study.declared_use import use_rows
from sexstrat.study.file import Study
from sexstrat.study.rules import rules_of
from sexstrat.study.stages import write_private
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import ValidationDesign
from sexstrat.values.tables import table_schema

__all__ = ["study_consequences"]


def run_audit(study: Study, folder: Path, tell: Callable[[str], None]) -> str:
    """Audit the score against recorded sex and leave the tables in the run folder.

    Parameters
    ----------
    study : the study.
    folder : its run folder, with the cohort.
    tell : called with one line where something must be said.

    Returns
    -------
    One line for the terminal.
    """
    level, least = study.section("analysis")["level"], study.section("audit")["min_patients"]
    with Cohort.open(folder / "private" / "cohort.duckdb") as cohort:
        frame, diseases = cohort.score_frame(), condition_frame(cohort)
        cells = cohort.cells(tuple(study.section("analysis")["conditions"]) or None)
        declared = use_rows(study, cohort)
    if "external_persons" in study:  # sex is known there, and there the errors are measured
        with Cohort.open(folder / "private" / "external.duckdb") as cohort:
            cells = cohort.cells()
    with_diseases = frame.merge(diseases, on="patient_id", how="left", validate="many_to_one")
    named = [name for name in diseases.columns if name not in frame]
    places = [name for name in ("site", "camera") if len(frame[name].dropna().unique()) > 1]
    eyes = ["eye"] if len(frame["eye"].dropna().unique()) > 1 else []
    groups = ["age_band", *places, *eyes, *named]
    result = audit_scores(
        with_diseases, bands=study.audit_bands, groups=groups, level=level, min_patients=least, seed=study.seed,
        full=True, covariates=[*places, *named], rules=rules_of(study.settings),
    )  # fmt: skip
    design = ValidationDesign(study.section("validation")["design"])
    errors = study_consequences(cells, study.bands, design, level=level, min_patients=least)
    tables: Mapping[str, pd.DataFrame] = {
        "audit": pd.concat([result.audit, declared], ignore_index=True),
        "gaps": result.gaps, "age_curves": result.curves, "age_trends": result.trends,
        "missingness": result.missingness, "consequences": errors, "group_tests": result.tests,
        "shrunken": result.shrunken, "parity": result.parity, "rules": result.rules,
    }  # fmt: skip
    write_private(folder, tables)
    figures = sum(len(table) for name, table in tables.items() if name != "gaps")
    return f"{counted(figures, 'figure')}, {counted(len(result.gaps), 'gap')}"


def study_consequences(
    cells: Cells, bands: AgeBands, design: ValidationDesign, *, level: float, min_patients: int
) -> pd.DataFrame:
    """Return the consequences of every condition from the cells: the very classes that the naive estimator counts.

    Parameters
    ----------
    cells : cells of the patients whose sex is known, and of the others, who are left out.
    bands : age bands.
    design : how sex came to be recorded.
    level : confidence level.
    min_patients : smallest number of diseased or well men or women that defines anything.

    Returns
    -------
    Rows of the ``consequence`` contract.

    Examples
    --------
    Of the worked example's 150 diseased patients of known sex 100 are men, whose class is right in 80 of 100.

    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> rows = study_consequences(worked_cells(), worked_bands(), ValidationDesign.random, level=0.95, min_patients=10)
    >>> row = rows.set_index(["age_band", "quantity"]).loc[("all", "attenuation_factor")]
    >>> round(float(row["point"]), 4), int(row["n_diseased_men"])
    (0.5968, 100)
    """
    found = []
    for condition in cells.conditions:
        arrays = cell_arrays(cells.of(condition), bands, design)
        known = arrays.validated & (arrays.n_eyes > 0)
        tables = error_tables(
            arrays.diseased[known], arrays.male[known], arrays.predicted_male[known],
            (arrays.group // 2)[known], len(bands), patients=arrays.n[known], weight=arrays.w_over_r[known],
            squares=arrays.w2_over_r2[known],
        )  # fmt: skip
        everybody = bool(arrays.validated.all() and np.sum(arrays.n) > 0 and design is not ValidationDesign.external)
        found.append(
            consequences(
                condition, tables, bands, design=design, everybody=everybody, level=level, min_patients=min_patients
            )
        )
    empty = pd.DataFrame(columns=table_schema("consequence").columns)
    return pd.concat(found, ignore_index=True) if found else empty
