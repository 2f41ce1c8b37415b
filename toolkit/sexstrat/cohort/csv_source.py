"""CSV decoded in Python to text with the line numbers of the file: UTF-8, with or without mark, and CP932."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import pyarrow as pa

from sexstrat.errors import Problem, SchemaError

__all__ = ["ENCODINGS", "ROW", "CsvFile"]

ENCODINGS = ("utf-8", "utf-8-sig", "cp932")
ROW = "source_row"
BATCH = 50_000  # rows held in Python at once


@dataclass(slots=True, kw_only=True)
class CsvFile:
    """A CSV file to read once, in batches of text.

    Parameters
    ----------
    path : the file.
    source : its name in messages.
    encoding : utf-8 (a byte order mark is accepted), utf-8-sig or cp932.
    delimiter : one character.
    problems : rows whose number of fields is wrong, gathered while reading.
    """

    path: Path
    source: str
    encoding: str = "utf-8"
    delimiter: str = ","
    problems: list[Problem] = field(default_factory=list)

    def header(self) -> list[str]:
        """Return the column names.

        Raises
        ------
        SchemaError : the file is empty or cannot be decoded.
        """
        with self._open() as lines:
            for number, row in self._rows(lines):
                self._refuse_other_delimiter(number, row)
                return [name.strip() for name in row]
        problem = Problem(
            kind="empty_file", message="the file is empty", source=self.source, row=1, allowed="a header line and rows"
        )
        raise SchemaError([problem])

    def batches(self, columns: Mapping[str, int]) -> Iterator[pa.Table]:
        """Yield tables of text with the line of each row.

        Parameters
        ----------
        columns : name to give -> position in the file.

        Raises
        ------
        SchemaError : the file cannot be decoded or its quoting is broken.
        """
        with self._open() as lines:
            rows = self._rows(lines)
            _, header = next(rows)
            numbers: list[int] = []
            kept: list[list[str]] = []
            for number, row in rows:
                if len(row) != len(header):
                    self._ragged(number, row, header)
                    continue
                numbers.append(number)
                kept.append(row)
                if len(kept) >= BATCH:
                    yield _table(numbers, kept, columns)
                    numbers, kept = [], []
            yield _table(numbers, kept, columns)

    def _refuse_other_delimiter(self, number: int, header: list[str]) -> None:
        other = next((mark for mark in ";\t|," if mark != self.delimiter and mark in header[0]), None)
        if len(header) > 1 or other is None:
            return
        problem = Problem(
            kind="wrong_delimiter",
            message=f"the header is one column: it is not separated by {self.delimiter!r}",
            source=self.source,
            row=number,
            value=header[0],
            allowed=f"columns separated by {self.delimiter!r}",
            hint=f"Declare delimiter = {other!r}",
        )
        raise SchemaError([problem])

    def _open(self) -> TextIO:
        encoding = "utf-8-sig" if self.encoding == "utf-8" else self.encoding
        try:
            return self.path.open(encoding=encoding, newline="")
        except OSError as err:
            problem = Problem(
                kind="missing_file",
                message="the file cannot be opened",
                source=self.source,
                value=str(self.path),
                allowed=f"a readable file ({err.strerror})",
            )
            raise SchemaError([problem]) from err

    def _rows(self, lines: TextIO) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        first = 1
        try:
            for row in reader:
                if row:
                    yield first, row
                first = reader.line_num + 1
        except UnicodeDecodeError as err:
            raise SchemaError([self._undecodable()]) from err
        except csv.Error as err:
            problem = Problem(
                kind="broken_csv",
                message=f"the quoting is broken: {err}",
                source=self.source,
                row=first,
                allowed='quoted values closed by ", quotes inside doubled, fields under 131,072 characters',
            )
            raise SchemaError([problem]) from err

    def _undecodable(self) -> Problem:
        data = self.path.read_bytes()
        line, value = 1, ""
        try:
            data.decode(self.encoding)
        except UnicodeDecodeError as err:
            line = data.count(b"\n", 0, err.start) + 1
            value = "bytes " + data[err.start : err.end].hex(" ")
        other = 'encoding = "utf-8"' if self.encoding == "cp932" else 'encoding = "cp932" for files of Japanese Excel'
        return Problem(
            kind="wrong_encoding",
            message=f"the file is not {self.encoding}",
            source=self.source,
            row=line,
            value=value,
            allowed=", ".join(ENCODINGS),
            hint=f"Declare its encoding, for instance {other}",
        )

    def _ragged(self, number: int, row: list[str], header: list[str]) -> None:
        for position, known in enumerate(self.problems):
            if known.kind == "wrong_field_count":
                self.problems[position] = _counted(known)
                return
        self.problems.append(
            Problem(
                kind="wrong_field_count",
                message="the row has another number of fields than the header",
                source=self.source,
                row=number,
                value=f"{len(row)} fields",
                allowed=f"{len(header)} fields separated by {self.delimiter!r}",
                hint="Quote values that hold the separator",
            )
        )


def _counted(problem: Problem) -> Problem:
    return Problem(
        kind=problem.kind,
        message=problem.message,
        source=problem.source,
        row=problem.row,
        value=problem.value,
        allowed=problem.allowed,
        hint=problem.hint,
        count=problem.count + 1,
    )


def _table(numbers: list[int], rows: list[list[str]], columns: Mapping[str, int]) -> pa.Table:
    data = {ROW: pa.array(numbers, type=pa.int64())}
    for name, position in columns.items():
        data[name] = pa.array([row[position] for row in rows], type=pa.string())
    return pa.table(data)
