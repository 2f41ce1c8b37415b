"""The audit of a score table against recorded sex."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from sexstrat.audit.automatic_bands import automatic_bands
from sexstrat.audit.beyond import beyond_groups
from sexstrat.audit.consequences import consequences_of_scores
from sexstrat.audit.gaps.rule_rows import rule_rows
from sexstrat.audit.gaps.rules import Rule
from sexstrat.audit.gaps.tables import gap_tables
from sexstrat.audit.group_data import Options
from sexstrat.audit.grouping import AGE_BAND, EVERYONE, Grouping, columns_of, grouping_of
from sexstrat.audit.images import UNITS, AuditImages, audit_images
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.measuring import measured
from sexstrat.audit.reference_groups import reference_labels
from sexstrat.audit.replicates import REPLICATES
from sexstrat.audit.result import AuditResult
from sexstrat.audit.rows import contract_frame
from sexstrat.audit.sampling import sampling_notices
from sexstrat.errors import StudyError
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import ValidationDesign
from sexstrat.values.one_thread import one_thread

__all__ = ["audit_scores"]

Key = tuple[str, str, str]

FEWEST_REPLICATES = 200  # below it the tails of a 95 % interval rest on a handful of replicates


@one_thread()  # long sums on several threads mostly wait for one another, and round otherwise on other machines
def audit_scores(
    frame: pd.DataFrame,
    *,
    bands: AgeBands | None = None,
    groups: Sequence[str] = (AGE_BAND,),
    cuts: Mapping[str, Sequence[float]] | None = None,
    reference: str | Mapping[str, str] | None = None,
    level: float = 0.95,
    threshold: float = 0.5,
    min_patients: int = 10,
    unit: str = "image",
    n_replicates: int = REPLICATES,
    seed: int = 1,
    full: bool = False,
    covariates: Sequence[str] = (),
    conditions: Sequence[str] = (),
    design: ValidationDesign = ValidationDesign.random,
    rules: Sequence[Rule] = (),
) -> AuditResult:
    """Audit predicted against recorded sex, overall and by group, with patient-clustered intervals.

    Counts and the ungradable share are about every listed image; the other metrics about images that have a score
    and a recorded sex of male or female, weighted by survey weight / validation probability where those are given, with
    the unweighted estimate beside.
    A metric whose own denominator holds fewer than ``min_patients`` patients (for the AUC and the calibration: of
    each sex) is ``undefined`` with the reason, never 0; one for which nothing was recorded is ``missing``.

    Parameters
    ----------
    frame : one row an image: image_id, patient_id, prob_male (empty unless status is ok), status, age_years,
        recorded_sex (male, female, other, unknown), any group column; optional weight (survey weight, above 0) and
        validation_probability (above 0, up to 1), each ignored where wholly empty; psu and stratum of patients who
        were sampled in units, which the intervals of metrics and gaps then count.
    bands : age bands; by default ten years wide, or five where each holds at least 20 men and 20 women.
    groups : grouping variables: "age_band", columns of the frame, or intersections such as "site x age_band".
    cuts : cut points of columns that hold numbers, by column: {"quality": (0.5, 0.8)}.
    reference : the group that the others are compared with, by name: one label for the age bands, or a mapping from
        grouping variable to label; by default the group with the most patients.
    level : confidence level.
    threshold : an image is called male when prob_male ≥ threshold.
    min_patients : smallest denominator, in patients, that defines a metric; at least 2.
    unit : "image", or "patient" for the mean score of each patient's gradable images (counts of images then count
        patients, and a patient's age is that of the first photograph).
    n_replicates, seed : number of bootstrap replicates of patients, at least 200, and their seed.
    full : whether to test as well that no group differs (patients permuted), to draw shares towards their mean, to
        read the criteria of fairness, to draw curves over age, to say for whom images have no score and what that
        could do, and, where a column ``eye`` (R or L) is there, to compare the eyes of patients.
    covariates : columns, besides age and recorded sex, that say who has a score, for the weighted sensitivity analysis
        of a full audit.
    conditions : columns of diseases (true, false or empty) for which to say what the errors do to the prevalence ratio.
    design : how sex came to be recorded, which decides what repairs that ratio.
    rules : declared rules to judge.

    Returns
    -------
    AuditResult; its gaps are each group against the reference and against all, and the two furthest apart, as
    differences (MOVER) and ratios, each with its own interval and one that holds together with the others.

    Raises
    ------
    SchemaError : the frame lacks a column or holds values that are not allowed; every problem is listed.
    StudyError : an option is not possible, or the reference names no group.

    Examples
    --------
    Twelve men and twelve women, one photograph each; one man is called a woman.

    >>> frame = pd.DataFrame(
    ...     {
    ...         "image_id": [f"i{n}" for n in range(24)],
    ...         "patient_id": [f"p{n}" for n in range(24)],
    ...         "prob_male": [0.9] * 11 + [0.4] + [0.1] * 12,
    ...         "status": "ok",
    ...         "age_years": 55.0,
    ...         "recorded_sex": ["male"] * 12 + ["female"] * 12,
    ...     }
    ... )
    >>> rows = audit_scores(frame, bands=AgeBands((50, 60), end=70)).to_frame().set_index(["metric", "level_name"])
    >>> round(float(rows.loc[("correct_among_men", "all"), "point"]), 4), rows.loc[("auc", "60-69"), "state"]
    (0.9167, 'undefined')
    """
    options = Options(threshold=threshold, level=level, min_patients=min_patients, n_replicates=n_replicates, seed=seed)
    _check_options(groups, unit, options)
    images, rows = audit_images(frame, [*columns_of(groups), *covariates], unit)
    chosen = bands or _bands(images, rows)
    groupings = [grouping_of(name, rows, chosen, cuts or {}) for name in groups]
    measures = measured(images, groupings, options)
    references = reference_labels(groupings, measures.found, reference)
    left_out = _left_out(frame, images, groupings)
    tables = gap_tables(groupings, measures, references, options, full=full)
    beside: dict[str, pd.DataFrame] = {}
    if full:
        beside, eyes = beyond_groups(images, rows, chosen, groupings, options, covariates)
        tables.tests.extend(eyes)
    if conditions:
        beside["consequences"] = consequences_of_scores(
            frame, conditions=conditions, bands=chosen, design=design, threshold=threshold, level=level,
            min_patients=min_patients,
        )  # fmt: skip
    return AuditResult(
        audit=contract_frame([_row(key, one) for key, one in measures.found.items()], "audit"),
        rules=contract_frame(rule_rows(images, rows["age_years"], groupings, rules, options), "audit_rule"),
        gaps=contract_frame(tables.gaps, "gap"),
        tests=contract_frame(tables.tests, "audit_test"),
        shrunken=contract_frame(tables.shrunken, "audit_shrunken"),
        parity=contract_frame(tables.parity, "audit_parity"),
        **beside,
        unit=unit,
        notices=(*(_NOTICES[reason] for reason, n in left_out.items() if n), *sampling_notices(frame)),
        left_out=left_out,
        threshold=threshold,
        level=level,
        min_patients=min_patients,
    )


def _bands(images: AuditImages, rows: pd.DataFrame) -> AgeBands:
    """Choose age bands by the youngest age of each patient."""
    code, ages = images.patients.code, rows["age_years"].to_numpy(dtype=float, na_value=np.nan)
    first = np.full(images.patients.n, -1)
    order = np.lexsort((-ages, code))
    first[code[order]] = order  # the last assignment of a patient is the youngest
    return automatic_bands(ages[first], images.male[first], images.female[first])


def _check_options(groups: Sequence[str], unit: str, options: Options) -> None:
    if unit not in UNITS:
        raise StudyError(f"unknown unit {unit!r}; allowed: {', '.join(UNITS)}")
    if not 0.5 <= options.level <= 0.999:
        raise StudyError(f"confidence level must lie in 0.5 to 0.999; found {options.level}")
    if not 0 < options.threshold < 1:
        raise StudyError(f"threshold must lie strictly between 0 and 1; found {options.threshold}")
    if options.min_patients < 2:
        raise StudyError(f"min_patients must be at least 2; found {options.min_patients}")
    if options.n_replicates < FEWEST_REPLICATES:
        raise StudyError(f"n_replicates must be at least {FEWEST_REPLICATES}; found {options.n_replicates}")
    if isinstance(groups, str) or len(set(groups)) < len(groups) or EVERYONE in groups:
        raise StudyError(f"groups must be a sequence of different names other than '{EVERYONE}'; found {groups!r}")


_NOTICES = {
    "no_patient_id": "Images without a patient_id were left out: without it they cannot be counted by patient.",
    "other": "Patients whose recorded sex is other are counted, and left out of the comparison with recorded sex.",
    "unknown": "Images without a recorded sex are counted, and left out of the comparison with recorded sex.",
    "outside_age_bands": "Images at an age outside the declared bands, or unknown, count in the overall rows only.",
}


def _left_out(frame: pd.DataFrame, images: AuditImages, groupings: Sequence[Grouping]) -> dict[str, int]:
    bands = [grouping for grouping in groupings if grouping.name == AGE_BAND]
    return {
        "no_patient_id": int(frame["patient_id"].isna().sum()),
        "other": int((frame["recorded_sex"] == "other").sum()),
        "unknown": int((~(images.male | images.female)).sum() - (frame["recorded_sex"] == "other").sum()),
        "outside_age_bands": int(sum(np.count_nonzero(grouping.code < 0) for grouping in bands)),
    }


def _row(key: Key, one: Measurement) -> dict[str, Any]:
    return {"metric": key[0], "group": key[1], "level_name": key[2], **asdict(one)}
