"""Read who is of which recorded sex, for recalibration."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from sexstrat.errors import Problem, SchemaError, StudyError
from sexstrat.scores.breaches import value_breaches
from sexstrat.scores.storage import local_copy
from sexstrat.values.tables import table_schema

__all__ = ["read_recorded_sex"]

_COLUMNS = ["patient_id", "recorded_sex"]


def read_recorded_sex(path: str | Path) -> pd.Series:
    r"""Return recorded sex by patient_id.

    Parameters
    ----------
    path : CSV (UTF-8) or Parquet table with patient_id and recorded_sex, coded male, female, other or unknown; other
        columns are left aside. Path or URL.

    Returns
    -------
    Recorded sex, indexed by patient_id.

    Raises
    ------
    StudyError
        There is no such file.
    SchemaError
        A column is missing, or a value breaks the person contract; every breach is given.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "persons.csv").write_text("patient_id,recorded_sex,age_years\na,male,60\n")
    ...     read_recorded_sex(Path(folder, "persons.csv")).to_dict()
    {'a': 'male'}
    """
    with local_copy(str(path)) as file:
        if not file.is_file():
            raise StudyError(f"{path}: no such table of recorded sex")
        try:
            frame = _read(file)
        except (ValueError, OSError) as err:
            problem = Problem(kind="malformed", message=f"the table cannot be read: {err}", source=str(path))
            raise SchemaError([problem]) from err
    schema = table_schema("person")
    missing = [
        Problem(
            kind="missing_column",
            message="column is missing",
            source=str(path),
            row=1,
            column=name,
            allowed=", ".join(map(str, frame.columns)),
        )
        for name in _COLUMNS
        if name not in frame.columns
    ]
    problems = missing or value_breaches(frame[_COLUMNS], schema, source=str(path))
    if problems:
        raise SchemaError(problems)
    return frame.set_index("patient_id")["recorded_sex"]


def _read(file: Path) -> pd.DataFrame:
    if file.suffix.lower() == ".parquet":
        return pd.read_parquet(file).astype("str")
    return pd.read_csv(file, dtype="str", keep_default_na=False, na_values=[""], encoding="utf-8-sig")
