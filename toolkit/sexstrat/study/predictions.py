"""Audit a table of predictions that sexstrat need not have made, through the disclosure gate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sexstrat.disclosure import Released, release
from sexstrat.errors import Problem, SchemaError, StudyError
from sexstrat.reporting.number_format import count
from sexstrat.reporting.rows import Rows, printed
from sexstrat.reporting.texts import METRICS
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.results import StudyResults
from sexstrat.values.tables import table_schema

__all__ = ["AuditSummary", "audit_predictions"]

_NEEDED = {"patient_id": "score", "prob_male": "score", "recorded_sex": "person", "age_years": "person"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSummary:
    """A released audit, ready to print.

    Parameters
    ----------
    released : what passed the gate.
    """

    released: Released

    @property
    def notices(self) -> tuple[str, ...]:
        """What was left out or suppressed, in words."""
        return self.released.notices

    def document(self) -> list[dict[str, Any]]:
        """Return the released audit rows as plain values."""
        frame = self.released.audit.astype(object)
        return [{str(k): v for k, v in row.items()} for row in frame.where(frame.notna(), None).to_dict("records")]

    def rows(self) -> list[list[str]]:
        """Return metric, estimate with interval and patients as text, each group under its name."""
        lines: list[list[str]] = []
        for (group, level), part in self.released.audit.groupby(["group", "level_name"], sort=False):
            name = str(level).replace("-", "\N{EN DASH}")
            lines.append([f"age {name}" if group == "age_band" else str(level), "", ""])
            lines += [_line(row) for row in Rows.of(part, "audit").rows]
        return lines


def _line(row: Mapping[str, Any]) -> list[str]:
    metric = str(row["metric"])
    patients = "" if row["n_patients"] is None else count(row["n_patients"])
    return [f"  {METRICS.get(metric, metric)}", " ".join(printed(row, metric)).strip(), patients]


def audit_predictions(
    path: str | Path,
    *,
    bands: str = "20,30,40,50,60,70,80",
    profile: str = "uk-5",
    reason: str = "",
    out: Path | None = None,
) -> AuditSummary:
    """Audit a CSV or Parquet table of predictions by age band.

    Parameters
    ----------
    path : table with patient_id, prob_male (0 to 1), recorded_sex (male, female, other, unknown), age_years, and
        optionally image_id and status.
    bands : first years of the age bands, comma-separated and rising; the last band is open.
    profile, reason : disclosure profile and, for ``none``, why.
    out : folder for the released tables, or None.

    Returns
    -------
    The released audit.

    Raises
    ------
    SchemaError : a column is missing or a value is outside what its contract allows.
    StudyError : the bands are not rising whole numbers.
    """
    from sexstrat.audit import audit_scores

    frame = _read(Path(path))
    try:
        age_bands = AgeBands(tuple(int(word) for word in bands.split(",")))
    except ValueError as err:
        raise StudyError(f"--bands {bands!r}: must be rising whole numbers such as 40,50,60 ({err})") from err
    result = audit_scores(frame, bands=age_bands)
    empty = {name: pd.DataFrame(columns=table_schema(name).columns) for name in ("estimate", "flow")}
    results = StudyResults(
        title=f"Audit of {Path(path).name}",
        estimates=empty["estimate"],
        audit=result.audit,
        gaps=result.gaps,
        flow=empty["flow"],
    )
    released = release(results, profile, reason)
    if out is not None:
        from sexstrat.reporting import write_tables

        write_tables(released, out)
    return AuditSummary(released=released)


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise StudyError(f"predictions not found: {path}")
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype={"patient_id": "str"})
    problems = [
        Problem(
            kind="missing_column",
            message="column is missing",
            source=path.name,
            column=name,
            allowed=f"columns found: {', '.join(map(str, frame.columns))}",
        )
        for name in _NEEDED
        if name not in frame.columns
    ]
    for name in _NEEDED if not problems else ():
        problems += _breaches(frame[name], name, path.name)
    if problems:
        raise SchemaError(problems)
    frame["recorded_sex"] = frame["recorded_sex"].fillna("unknown")
    if "image_id" not in frame.columns:
        frame["image_id"] = [str(number) for number in range(len(frame))]
    if "status" not in frame.columns:
        frame["status"] = ["missing_file" if missing else "ok" for missing in frame["prob_male"].isna()]
    return frame


def _breaches(values: pd.Series[Any], name: str, source: str) -> list[Problem]:
    rule = table_schema(_NEEDED[name]).column(name)
    present = values.notna()
    if rule.enum:
        wrong = present & ~values.isin(rule.enum)
    elif rule.type == "number":
        number = pd.to_numeric(values, errors="coerce")
        low = -math.inf if rule.minimum is None else rule.minimum
        wrong = present & ~number.between(low, math.inf if rule.maximum is None else rule.maximum)
    else:
        wrong = ~present
    if not wrong.any():
        return []
    first = int(wrong.to_numpy().argmax())
    return [
        Problem(
            kind="not_allowed",
            message="value is not allowed",
            source=source,
            row=first + 2,
            column=name,
            value=str(values.iloc[first]),
            allowed=rule.allowed,
            count=int(wrong.sum()),
        )
    ]
