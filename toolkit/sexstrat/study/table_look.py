"""Look at a table before a study is written on it: its columns, the values of one, how its text is encoded."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from sexstrat.errors import StudyError
from sexstrat.values.tables import table_schema

__all__ = ["TableLook", "look_at_table", "proposed_columns"]

_LOOKED_AT = 50_000  # rows of a CSV whose values are shown; a proposal, never a check
_ENCODINGS = ("utf-8-sig", "cp932")  # Japanese registries write the second; what is neither is asked for
_WORDS: Mapping[str, tuple[str, ...]] = {
    "patient_id": ("patient", "pid", "subject_id", "person_id", "患者番号", "患者ID", "ID", "id"),
    "age_years": ("age", "age_at_visit", "年齢"),
    "birth_date": ("birthdate", "date_of_birth", "dob", "生年月日"),
    "visit_date": ("date", "exam_date", "acquired_on", "検査日", "撮影日"),
    "recorded_sex": ("sex", "gender", "sex_recorded", "性別"),
    "condition": ("disease", "diagnosis", "病名", "疾患"),
    "present": ("value", "status", "has", "有無"),
    "eye": ("laterality", "side", "眼", "左右"),
    "site": ("hospital", "centre", "center", "施設"),
    "weight": ("survey_weight", "sampling_weight"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLook:
    """What a table shows at first sight.

    Parameters
    ----------
    path : the file.
    columns : its column names, in order.
    encoding : of a CSV, one that the study file knows; "utf-8" for other files.
    delimiter : of a CSV; "," for other files.

    Examples
    --------
    >>> TableLook(path=Path("p.csv"), columns=("id", "sex"), encoding="utf-8", delimiter=",").columns
    ('id', 'sex')
    """

    path: Path
    columns: tuple[str, ...]
    encoding: str
    delimiter: str

    def values(self, column: str, most: int = 12) -> list[str]:
        """Return the commonest values of a column as they are written, commonest first.

        Parameters
        ----------
        column : one of ``columns``.
        most : how many at most.
        """
        if self.path.suffix.lower() == ".parquet":
            import pyarrow.parquet as pq

            held = pq.read_table(self.path, columns=[column]).column(0).cast("string").to_pylist()
            counted = Counter("" if value is None else value for value in held)
        else:
            rows = csv.reader(io.StringIO(_decoded(self.path)[0]), delimiter=self.delimiter)
            place = next(rows).index(column)
            counted = Counter(row[place] for row, _ in zip(rows, range(_LOOKED_AT), strict=False) if len(row) > place)
        return [value for value, _ in counted.most_common(most)]


def look_at_table(path: str | Path) -> TableLook:
    """Read the header of a CSV or Parquet file.

    Parameters
    ----------
    path : the file.

    Returns
    -------
    Its columns, and for a CSV the encoding (UTF-8 or CP932) and the delimiter that its header shows.

    Raises
    ------
    StudyError : the file is absent, empty, or is neither Parquet nor text in one of these encodings.
    """
    file = Path(path)
    if not file.is_file():
        raise StudyError(f"{file}: no such file")
    if file.suffix.lower() == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            names = tuple(pq.read_schema(file).names)
        except (pa.ArrowException, OSError) as problem:
            raise StudyError(f"{file.name}: not a Parquet file that can be read: {problem}") from problem
        return TableLook(path=file, columns=names, encoding="utf-8", delimiter=",")
    text, encoding = _decoded(file)
    header = text.partition("\n")[0].rstrip("\r")
    if not header.strip():
        raise StudyError(f"{file.name}: the file is empty or its first line is; allowed: a line of column names")
    delimiter = max(",;\t|", key=header.count)
    columns = next(csv.reader([header], delimiter=delimiter))
    return TableLook(path=file, columns=tuple(columns), encoding=encoding, delimiter=delimiter)


def proposed_columns(contract: str, columns: Sequence[str]) -> dict[str, str]:
    """Propose which column of a table is which column of a contract, by name alone.

    Parameters
    ----------
    contract : name of the contract, for instance "person".
    columns : the table's column names.

    Returns
    -------
    Contract column -> table column, only where the names differ; for people to confirm.

    Examples
    --------
    >>> proposed_columns("person", ["patient_id", "Age", "性別"])
    {'age_years': 'Age', 'recorded_sex': '性別'}
    """
    by_folded = {name.strip().casefold(): name for name in reversed(columns)}
    found: dict[str, str] = {}
    taken = {name for name in columns if name in table_schema(contract).columns}
    for wanted in table_schema(contract).columns:
        if wanted in taken:
            continue
        words = (wanted, *_WORDS.get(wanted, ()))
        match = next((by_folded[word.casefold()] for word in words if word.casefold() in by_folded), None)
        if match is None and table_schema(contract).column(wanted).required:
            close = get_close_matches(wanted, list(by_folded), n=1, cutoff=0.75)
            match = by_folded[close[0]] if close else None
        if match is not None and match not in taken:
            found[wanted] = match
            taken.add(match)
    return found


def _decoded(file: Path) -> tuple[str, str]:
    data = file.read_bytes()[: 64 * 2**20]
    for encoding in _ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as problem:
            if problem.start < len(data) - 4:  # the cut may fall inside a character
                continue
            text = data[: problem.start].decode(encoding)
        marked = data.startswith(b"\xef\xbb\xbf")
        return text, "utf-8" if encoding == "utf-8-sig" and not marked else encoding
    raise StudyError(f"{file.name}: neither UTF-8 nor CP932 text; allowed: a CSV in one of these, or Parquet")
