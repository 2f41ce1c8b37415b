"""Audit a table of predictions that sexstrat need not have made, through the disclosure gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from sexstrat.disclosure import Released, release
from sexstrat.errors import StudyError
from sexstrat.reporting.consequence_view import consequence_sentences
from sexstrat.reporting.number_format import count
from sexstrat.reporting.rows import Rows, printed
from sexstrat.reporting.texts import METRICS
from sexstrat.study.prediction_table import PREDICTED, Classes, read_predictions, with_diseases
from sexstrat.study.rules import read_rules, rule_outcomes
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import ValidationDesign
from sexstrat.values.results import StudyResults
from sexstrat.values.tables import table_schema

__all__ = ["AuditSummary", "audit_predictions"]

OF_PROBABILITIES = (
    *("auc", "brier", "scaled_brier", "log_loss", "calibration_in_the_large", "calibration_slope"),
    *("ici", "e50", "e90", "ece", "ece_if_calibrated"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSummary:
    """A released audit, ready to print.

    Parameters
    ----------
    released : what passed the gate.
    classes : the classes, by whose names figures are printed.
    """

    released: Released
    classes: Classes = field(default_factory=Classes)

    @property
    def outcomes(self) -> tuple[dict[str, str], ...]:
        """Each declared rule in words, with its outcome and what must be said of it."""
        return rule_outcomes(Rows.of(self.released.rules, "audit_rule").rows)

    @property
    def failed(self) -> bool:
        """Tell whether a declared rule failed."""
        return any(one["outcome"] == "fail" for one in self.outcomes)

    @property
    def notices(self) -> tuple[str, ...]:
        """What was left out or suppressed, in words."""
        return self.released.notices

    @property
    def consequences(self) -> tuple[str, ...]:
        """What the errors do to the prevalence ratio of each disease, in words."""
        return consequence_sentences(Rows.of(self.released.consequences, "consequence"))

    def document(self, table: str = "audit") -> list[dict[str, Any]]:
        """Return the released rows of a contract, ``audit`` or ``consequence``, as plain values."""
        frames = {"audit": self.released.audit, "consequence": self.released.consequences}
        frame = frames[table].astype(object)
        return [{str(k): v for k, v in row.items()} for row in frame.where(frame.notna(), None).to_dict("records")]

    def rows(self) -> list[list[str]]:
        """Return metric, estimate with interval and patients as text, each group under its name."""
        lines: list[list[str]] = []
        for (group, level), part in self.released.audit.groupby(["group", "level_name"], sort=False):
            name = str(level).replace("-", "\N{EN DASH}")
            named = {"age_band": f"age {name}", "overall": str(level)}.get(str(group), f"{group} {level}")
            lines.append([named, "", ""])
            lines += [_line(row, self.classes) for row in Rows.of(part, "audit").rows]
        return lines


def _line(row: Mapping[str, Any], classes: Classes) -> list[str]:
    metric = str(row["metric"])
    patients = "" if row["n_patients"] is None else count(row["n_patients"])
    return [f"  {classes.words(METRICS.get(metric, metric))}", " ".join(printed(row, metric)).strip(), patients]


def audit_predictions(
    path: str | Path,
    *,
    bands: str = "20,30,40,50,60,70,80",
    groups: Sequence[str] = ("age_band",),
    cuts: Mapping[str, Sequence[float]] | None = None,
    reference: Mapping[str, str] | None = None,
    unit: str = "image",
    level: float = 0.95,
    threshold: float = 0.5,
    rules: Path | None = None,
    conditions: Sequence[str] = (),
    design: ValidationDesign = ValidationDesign.random,
    full: bool = False,
    columns: Mapping[str, str] | None = None,
    classes: Classes | None = None,
    profile: str = "uk-5",
    reason: str = "",
    out: Path | None = None,
) -> AuditSummary:
    """Audit a CSV or Parquet table of predictions of a binary attribute, by any group.

    Parameters
    ----------
    path : table with patient_id, prob_male (0 to 1) or predicted (a class), recorded_sex (male, female, other,
        unknown), age_years where ages group, the columns to group by, and optionally image_id, status, weight and
        validation_probability.
    bands : first years of the age bands, comma-separated and rising; the last band is open. ``auto`` for ten-year
        bands, or five-year ones where each is well filled.
    groups : grouping variables: age_band, columns, intersections such as "site x age_band".
    cuts : cut points of columns that hold numbers.
    reference : reference group of a grouping variable.
    unit : "image" or "patient".
    level : confidence level.
    threshold : an image is called male when prob_male reaches it.
    rules : TOML file of declared rules.
    conditions : columns of diseases (true or false, 1 or 0, empty where not known): each groups the audit too,
        and what the errors do to its prevalence ratio is told by age.
    design : how sex came to be recorded, which decides what repairs that ratio.
    full : whether to compare groups in every way and draw curves over age, in the tables written to ``out``.
    columns : the file's name of each column that has another one there.
    classes : positive and negative class; male and female when None.
    profile, reason : disclosure profile and, for ``none``, why.
    out : folder for the released tables, or None.

    Returns
    -------
    The released audit, and the outcome of each rule.

    Raises
    ------
    SchemaError : a column is missing or a value is outside what its contract allows.
    StudyError : an option is not possible.
    """
    from sexstrat.audit import audit_scores
    from sexstrat.audit.grouping import AGE_BAND, columns_of

    declared = classes or Classes()
    groups = tuple(dict.fromkeys([*groups, *conditions]))
    uses_age = bool(conditions) or any(AGE_BAND in group for group in groups)
    needed = [*(("age_years",) if uses_age else ()), *columns_of(groups)]
    frame = with_diseases(read_predictions(Path(path), declared, columns or {}, needed), conditions, Path(path).name)
    result = audit_scores(
        frame,
        bands=_bands(bands),
        groups=groups,
        cuts=cuts,
        reference=reference,
        unit=unit,
        level=level,
        threshold=threshold,
        rules=() if rules is None else read_rules(rules),
        full=full,
        conditions=tuple(conditions),
        design=design,
    )
    audit, gaps = (_without_probabilities(one, frame) for one in (result.audit, result.gaps))
    empty = {name: pd.DataFrame(columns=table_schema(name).columns) for name in ("estimate", "flow")}
    results = StudyResults(
        title=f"Audit of {Path(path).name}",
        estimates=empty["estimate"],
        audit=audit,
        gaps=gaps,
        flow=empty["flow"],
        age_curves=result.curves,
        age_trends=result.trends,
        group_tests=result.tests,
        shrunken=result.shrunken,
        parity=result.parity,
        missingness=result.missingness,
        consequences=result.consequences,
        rules=result.rules,
        notices=result.notices,
    )
    released = release(results, profile, reason)
    if out is not None:
        from sexstrat.reporting import write_tables

        write_tables(released, out)
    return AuditSummary(released=released, classes=declared)


def _bands(text: str) -> AgeBands | None:
    if text == "auto":
        return None
    try:
        return AgeBands(tuple(int(word) for word in text.split(",")))
    except ValueError as err:
        raise StudyError(f"--bands {text!r}: must be rising whole numbers such as 40,50,60, or auto ({err})") from err


def _without_probabilities(rows: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out what is about probabilities where the table only has predicted classes."""
    if PREDICTED not in frame.columns or not frame["prob_male"].dropna().isin((0.0, 1.0)).all():
        return rows
    return rows[~rows["metric"].isin(OF_PROBABILITIES)].reset_index(drop=True)
