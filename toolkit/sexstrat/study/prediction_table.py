"""A table of predictions of a binary attribute, read with declared columns and classes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sexstrat.errors import Problem, SchemaError, StudyError
from sexstrat.values.tables import table_schema

__all__ = ["PREDICTED", "Classes", "read_predictions", "with_diseases"]

PREDICTED = "predicted"  # column of predicted classes, for predictions without probabilities
_RULES = {"patient_id": "score", "prob_male": "score", "recorded_sex": "person", "age_years": "person"}
_SEXES = ("male", "female")
_REST = ("other", "unknown")
_DISEASED = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """The declared classes of the attribute, the positive one first.

    Parameters
    ----------
    positive, negative : their values in the table; male and female unless the attribute is another.

    Raises
    ------
    StudyError : both are the same.

    Examples
    --------
    >>> smoking = Classes(positive="smoker", negative="never")
    >>> smoking.words("Correct among men"), smoking.words("Observed male share")
    ('Correct among smoker', 'Observed smoker share')
    """

    positive: str = "male"
    negative: str = "female"

    def __post_init__(self) -> None:
        if self.positive == self.negative:
            raise StudyError(f"the positive and the negative class are the same, {self.positive!r}")

    @property
    def sexes(self) -> bool:
        """Tell whether the attribute is recorded sex in its own words."""
        return (self.positive, self.negative) == _SEXES

    def words(self, text: str) -> str:
        """Return a text about men and women in the words of these classes."""
        if self.sexes:
            return text
        words = {"men": self.positive, "women": self.negative, "male": self.positive, "female": self.negative}
        words |= {"woman": self.negative, "man": self.positive}
        parts = text.split(" ")
        return " ".join(words.get(part.strip(",.;"), part) for part in parts)

    def recorded(self, frame: pd.DataFrame, source: str) -> pd.DataFrame:
        """Return the frame with recorded_sex in the audit's codes."""
        if "recorded_sex" not in frame.columns or self.sexes:
            return frame
        return frame.assign(recorded_sex=self._coded(frame["recorded_sex"], "recorded_sex", source, _REST))

    def scored(self, frame: pd.DataFrame, source: str) -> pd.DataFrame:
        """Return the frame with prob_male 1 or 0 from predicted classes, and empty where there is none."""
        coded = self._coded(frame[PREDICTED], PREDICTED, source, ())
        return frame.assign(prob_male=coded.map({"male": 1.0, "female": 0.0}).astype("float64"))

    def _coded(self, values: pd.Series[Any], name: str, source: str, also: Sequence[str]) -> pd.Series[Any]:
        text = values.astype("str").where(values.notna(), None)
        codes = {self.positive: "male", self.negative: "female"} | {word: word for word in also}
        wrong = values.notna() & ~text.isin(list(codes))
        if wrong.any():
            first = int(np.flatnonzero(wrong.to_numpy(dtype=bool))[0])
            problem = Problem(
                kind="not_allowed",
                message="value is no declared class",
                source=source,
                row=first + 2,
                column=name,
                value=str(values.iloc[first]),
                allowed=", ".join(codes),
                count=int(wrong.sum()),
            )
            raise SchemaError([problem])
        return text.map(codes)


def read_predictions(path: Path, classes: Classes, columns: Mapping[str, str], needed: Sequence[str]) -> pd.DataFrame:
    """Read predictions of a binary attribute and give them the columns and codes of an audit.

    Parameters
    ----------
    path : CSV or Parquet file.
    classes : values of the recorded and predicted attribute.
    columns : the file's name of each column that has another one there: {"recorded_sex": "smoking"}.
    needed : columns that must be there besides patient_id, recorded_sex and one of prob_male and predicted.

    Returns
    -------
    One row an image: recorded_sex is male for the positive class and female for the negative, other values of the
    declared ones being refused; prob_male is 1 or 0 where the file only has a predicted class.

    Raises
    ------
    StudyError : there is no such file, or a column is mapped that audits do not have.
    SchemaError : a column is missing or holds a value that is not allowed.
    """
    if not path.is_file():
        raise StudyError(f"predictions not found: {path}")
    text: Any = {columns.get("patient_id", "patient_id"): "str"}  # 007 and 7 are two patients
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=text)
    absent = [theirs for theirs in columns.values() if theirs not in frame.columns]
    if absent:
        found = ", ".join(map(str, frame.columns))
        raise StudyError(f"--column names {absent[0]!r}, which {path.name} does not have; columns found: {found}")
    frame = frame.rename(columns={theirs: ours for ours, theirs in columns.items()})
    if "prob_male" not in frame.columns and PREDICTED in frame.columns:
        frame = classes.scored(frame, path.name)
    frame = classes.recorded(frame, path.name)
    wanted = list(dict.fromkeys([*("patient_id", "prob_male", "recorded_sex"), *needed]))
    problems = [
        Problem(
            kind="missing_column",
            message="column is missing",
            source=path.name,
            column=name,
            allowed=f"columns found: {', '.join(map(str, frame.columns))}",
        )
        for name in wanted
        if name not in frame.columns
    ]
    for name in _RULES if not problems else ():
        problems += _breaches(frame[name], name, path.name) if name in frame.columns else []
    if problems:
        raise SchemaError(problems)
    frame["recorded_sex"] = frame["recorded_sex"].fillna("unknown")
    if "age_years" not in frame.columns:
        frame["age_years"] = float("nan")
    if "image_id" not in frame.columns:
        frame["image_id"] = [str(number) for number in range(len(frame))]
    if "status" not in frame.columns:
        frame["status"] = ["missing_file" if missing else "ok" for missing in frame["prob_male"].isna()]
    return frame


def with_diseases(frame: pd.DataFrame, names: Sequence[str], source: str) -> pd.DataFrame:
    """Return the frame with each named column as true, false or empty.

    Parameters
    ----------
    frame : one row an image.
    names : columns of diseases.
    source : name of the file, for the message.

    Raises
    ------
    SchemaError : a column holds something else; every such column is listed.

    Examples
    --------
    >>> found = with_diseases(pd.DataFrame({"amd": ["True", "0", None]}), ["amd"], "table.csv")
    >>> found["amd"].isna().tolist(), found["amd"].sum()
    ([False, False, True], np.int64(1))
    """
    problems, found = [], {}
    for name in names:
        values = frame[name]
        coded = values.astype("str").str.strip().str.lower().map(_DISEASED)
        wrong = np.flatnonzero((values.notna() & coded.isna()).to_numpy(dtype=bool))
        if len(wrong):
            problems.append(
                Problem(
                    kind="not_allowed", message="a disease is neither true nor false", source=source, column=name,
                    row=int(wrong[0]) + 2, value=str(values.iloc[wrong[0]]), allowed="true, false, 1, 0 or empty",
                    count=len(wrong),
                )
            )  # fmt: skip
        found[name] = coded.where(values.notna(), None).astype("boolean")
    if problems:
        raise SchemaError(problems)
    return frame.assign(**found)


def _breaches(values: pd.Series[Any], name: str, source: str) -> list[Problem]:
    rule = table_schema(_RULES[name]).column(name)
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
