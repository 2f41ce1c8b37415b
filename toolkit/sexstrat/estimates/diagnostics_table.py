"""Rows of the ``diagnostic`` contract: what an answer rests on, with the checks of the answer itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd

from sexstrat.errors import EstimationError
from sexstrat.estimates.age_trend import age_trend, mean_ages
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.diagnosis.band_homogeneity import band_homogeneity
from sexstrat.estimates.diagnosis.diagnostic_rows import DiagnosticRow
from sexstrat.estimates.diagnosis.diagnostics import diagnose
from sexstrat.estimates.diagnosis.label_shift_rows import label_shift_rows
from sexstrat.estimates.numbers.breslow_day import Homogeneity, breslow_day
from sexstrat.estimates.numbers.stratified_tables import StratifiedTables
from sexstrat.estimates.resampling.bootstrap_e1 import bootstrap_e1
from sexstrat.estimates.sensitivity_table import typed_frame
from sexstrat.estimates.validation_needed import ValidationNeeded, validation_needed

__all__ = ["diagnostic_rows_of", "diagnostics_frame_of"]

_AGES = re.compile(r"^(.*), (\d+)-(\d+)$")
HOMOGENEITY, INTERACTION, BOOTSTRAP = "homogeneity_over_age", "interaction_of_sex_and_age", "bootstrap"


def _coarse_ages(rows: Sequence[DiagnosticRow]) -> Iterator[DiagnosticRow]:
    """Yield the rows with open first and last age groups: their ends are the ages of single patients."""
    found = [(row, _AGES.match(row.level) if row.group == "disease_and_age" else None) for row in rows]
    ends: dict[str, list[tuple[int, int]]] = {}
    for _, match in found:
        if match is not None:
            ends.setdefault(match[1], []).append((int(match[2]), int(match[3])))
    for row, match in found:
        if match is None:
            yield row
            continue
        name, low, high = match[1], int(match[2]), int(match[3])
        first, last = low == min(ends[name])[0], high == max(pair[1] for pair in ends[name])
        ages = "all ages" if first and last else f"up to {high}" if first else f"{low}+" if last else f"{low}-{high}"
        yield replace(row, level=f"{name}, {ages}")


def _recorded_tables(given: ComposeInput) -> StratifiedTables:
    """Return the tables of sex by disease, one per age band, of the patients whose sex is recorded."""
    arrays = given.arrays
    men = arrays.total(arrays.n, arrays.validated & arrays.male)
    women = arrays.total(arrays.n, arrays.validated & ~arrays.male)
    return StratifiedTables(
        male_cases=men[:, 1], male_well=men[:, 0], female_cases=women[:, 1], female_well=women[:, 0]
    )


def _homogeneity(found: Homogeneity, statistic: str, **fields: Any) -> DiagnosticRow:
    test = f"chi-square with {found.df:g} degrees of freedom" if found.df is not None else None
    note = "; ".join(part for part in (test, found.reason) if part) or None
    return DiagnosticRow(
        diagnostic=HOMOGENEITY,
        statistic=statistic,
        point=found.statistic,
        p_value=found.p_value,
        state="ok" if found.statistic is not None else "undefined",
        note=note,
        **fields,
    )


def _of_answer(given: ComposeInput, one: Composition) -> Iterator[DiagnosticRow]:
    """Yield the tests whether men and women compare alike at every age: of the answer, and of recorded sexes alone."""
    people: dict[str, Any] = {
        "n_patients": round(float(given.arrays.n_patients.sum())),
        "n_validated": round(float(given.arrays.n_validated.sum())),
    }
    if one.state != "refused":
        yield _homogeneity(band_homogeneity(one), "wald_chi_square", **people)
        trend = age_trend(one, ages=mean_ages(given.arrays))
        defined = trend.statistic is not None
        yield DiagnosticRow(
            diagnostic=INTERACTION,
            statistic="wald_chi_square",
            point=trend.statistic,
            p_value=trend.p_value,
            state="ok" if defined else "undefined",
            note="that odds change with age alike in men and women" if defined else trend.reason,
            **people,
        )
    tested = breslow_day(_recorded_tables(given))
    yield _homogeneity(tested, "breslow_day_tarone", group="recorded_sex", level="recorded", **people)


def _bootstrapped(given: ComposeInput, one: Composition, standards: Sequence[str]) -> Iterator[DiagnosticRow]:
    """Yield bootstrap intervals of the ratio, where the answer is E1's and its cohort a sample."""
    if one.estimator != "E1" or one.state != "corrected" or not given.sampled:
        return
    try:
        found = bootstrap_e1(given, standards=standards, by="psu" if (given.arrays.psu >= 0).any() else "patient")
    except EstimationError as problem:
        yield DiagnosticRow(
            diagnostic=BOOTSTRAP, statistic="prevalence_ratio", state="not_applicable", note=str(problem)
        )
        return
    frame = found.intervals("bca")
    for row in frame[(frame["measure"] == "prevalence_ratio") & frame["age_low"].isna()].to_dict("records"):
        told = row["state"] == "estimated"
        yield DiagnosticRow(
            diagnostic=BOOTSTRAP,
            statistic="prevalence_ratio",
            group="standard",
            level=str(row["standard"]),
            point=row["point"] if told else None,
            low=row["low"] if told else None,
            high=row["high"] if told else None,
            confidence=row["level"] if told else None,
            n_patients=row["n_patients"],
            n_validated=row["n_validated"],
            state="ok" if told else "undefined",
            note=f"{found.how} (BCa)" if told else row["note"],
        )


def _needed(found: ValidationNeeded) -> Iterator[DiagnosticRow]:
    for statistic, value in (
        ("more_validated_for_an_estimate", found.more_for_estimate),
        ("more_validated_for_limits_a_factor_2_apart", found.more_for_width),
    ):
        yield DiagnosticRow(
            diagnostic="planning",
            statistic=statistic,
            point=None if value is None else float(value),
            n_patients=found.n_patients,
            n_validated=found.n_validated,
            state="undefined" if value is None else "ok",
            note=found.statement,
        )


def diagnostic_rows_of(
    given: ComposeInput,
    one: Composition,
    *,
    sites: Sequence[str] | None = None,
    standards: Sequence[str] = ("cohort",),
) -> tuple[DiagnosticRow, ...]:
    """Return every diagnostic of one condition and of its answer.

    Those of :func:`diagnose`; PACC against EMQ where people of another cohort taught the score's errors; whether men
    and women compare alike at every age (Wald tests of the answer, Breslow and Day's with Tarone's correction of
    recorded sexes alone); bootstrap intervals beside E1's; and where the answer is refused how many to validate.

    Parameters
    ----------
    given : the input.
    one : what ``auto`` answered.
    sites : names of the site codes; None numbers them.
    standards : standard populations of the bootstrap.

    Raises
    ------
    EstimationError : names for another number of sites.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells, worked_input
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> rows = diagnostic_rows_of(worked_input(), one)
    >>> sorted({row.diagnostic for row in rows} & {"bootstrap", "homogeneity_over_age", "interaction_of_sex_and_age"})
    ['bootstrap', 'homogeneity_over_age', 'interaction_of_sex_and_age']
    """
    rows = [
        *_coarse_ages(diagnose(given, sites=sites).rows),
        *label_shift_rows(given),
        *_of_answer(given, one),
        *_bootstrapped(given, one, [name for name in standards if isinstance(name, str)]),
    ]
    return (*rows, *(_needed(validation_needed(given)) if one.state == "refused" else ()))


def diagnostics_frame_of(
    found: Sequence[tuple[str, Sequence[DiagnosticRow]]],
) -> pd.DataFrame:
    """Return diagnostic rows of conditions as rows of the ``diagnostic`` contract.

    Parameters
    ----------
    found : pairs of condition and its rows.

    Examples
    --------
    >>> row = DiagnosticRow(diagnostic="calibration", statistic="brier", point=0.1)
    >>> diagnostics_frame_of([("glaucoma", [row])]).loc[0, ["condition", "state"]].tolist()
    ['glaucoma', 'measured']
    """
    rows = []
    for condition, of_condition in found:
        for row in of_condition:
            plain = asdict(row)
            plain |= {"condition": condition, "level_name": plain["level"], "level": plain.pop("confidence")}
            plain["state"] = "measured" if row.state == "ok" else row.state
            for name in ("point", "low", "high", "p_value"):
                value = plain[name]
                plain[name] = None if value is None or not np.isfinite(value) else float(value)
            rows.append(plain)
    return typed_frame(rows, "diagnostic")
