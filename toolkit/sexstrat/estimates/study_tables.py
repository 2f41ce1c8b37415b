"""All tables of a study's answers: estimates, what they rest on, what could change them, and imputation compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sexstrat.estimates.all_estimates import frame_and_choices
from sexstrat.estimates.diagnostics_table import diagnostic_rows_of, diagnostics_frame_of
from sexstrat.estimates.estimated_study import EstimatedStudy, estimated_study
from sexstrat.estimates.imputation_table import imputation_frame
from sexstrat.estimates.sensitivity.beliefs import Beliefs
from sexstrat.estimates.sensitivity_table import sensitivity_frame
from sexstrat.estimates.what_if import WhatIf, what_if
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import Target, ValidationDesign

__all__ = ["StudyTables", "study_tables"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyTables:
    """The tables of a study's answers.

    Parameters
    ----------
    estimates, diagnostics, sensitivity, imputation : rows of the contracts of these names.
    choices : one mapping a condition: estimator, state, why, assumptions, warnings, and ``advice``: what would help.
    what_if : the typed results behind ``sensitivity``, one a condition.
    """

    estimates: pd.DataFrame
    diagnostics: pd.DataFrame
    sensitivity: pd.DataFrame
    imputation: pd.DataFrame
    choices: tuple[Mapping[str, Any], ...]
    what_if: tuple[WhatIf, ...]


def _site_names(cells: Cells, condition: str, bands: AgeBands) -> list[str] | None:
    """Name the site codes that the people of one condition have, or None where the cells name no site."""
    frame = cells.of(condition).frame
    ages = bands.index(frame["age_years"].to_numpy(dtype=float, na_value=float("nan")))
    sites = frame.loc[(ages >= 0) & (frame["recorded_sex"] != "other").to_numpy(), "site"]
    if sites.isna().all():
        return None
    return [name or "no site named" for name in sorted(set(sites.astype("string").fillna("")))]


def _beside(
    study: EstimatedStudy, beliefs: Beliefs, standards: Sequence[str | Mapping[int, float]]
) -> tuple[WhatIf, ...]:
    return tuple(what_if(study.given[one.condition], one, beliefs, standards=standards) for one in study.chosen)


def study_tables(
    cells: Cells,
    *,
    conditions: Sequence[str] | None = None,
    bands: AgeBands,
    design: ValidationDesign | str,
    target: Target | str = Target.population,
    standards: Sequence[str | Mapping[int, float]] = ("cohort",),
    level: float = 0.95,
    seed: int = 20231207,
    truth: Cells | None = None,
    external: Cells | None = None,
    beliefs: Beliefs | None = None,
) -> StudyTables:
    """Return every table of a study: the decision table with all that it puts beside an answer.

    Parameters
    ----------
    cells, conditions, bands, design, target, standards, level, seed, truth, external : as in
        :func:`sexstrat.estimates.all_estimates.all_estimates`.
    beliefs : what the study states about errors that its data cannot check; None states nothing.

    Returns
    -------
    Estimates and choices as by ``all_estimates``; diagnostics, sensitivity analyses and the comparison of imputations.

    Raises
    ------
    EstimationError : as by ``all_estimates``.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> found = study_tables(worked_cells(), bands=worked_bands(), design="none")
    >>> found.choices[0]["state"], found.sensitivity["state"].iloc[0], len(found.imputation)
    ('refused', 'missing', 0)
    """
    study = estimated_study(
        cells,
        conditions=conditions,
        bands=bands,
        design=design,
        target=target,
        level=level,
        seed=seed,
        truth=truth,
        external=external,
    )
    frame, choices = frame_and_choices(study, standards)
    beside = _beside(study, Beliefs() if beliefs is None else beliefs, standards)
    names = [name for name in standards if isinstance(name, str)]
    diagnosed = []
    for one in study.chosen:
        labelled = cells if external is None else external
        known_for = one.condition if one.condition in labelled.conditions else labelled.conditions[0]
        sites = _site_names(labelled, known_for, bands)
        rows = diagnostic_rows_of(study.given[one.condition], one, sites=sites, standards=names)
        diagnosed.append((one.condition, rows))
    lead = next(iter(standards), "cohort")
    return StudyTables(
        estimates=frame,
        diagnostics=diagnostics_frame_of(diagnosed),
        sensitivity=sensitivity_frame(beside),
        imputation=imputation_frame(list(study.given.values()), standard=lead),
        choices=tuple(
            {**choice, "advice": list(one.statements), "what_if_assumptions": list(one.assumptions)}
            for choice, one in zip(choices, beside, strict=True)
        ),
        what_if=beside,
    )
