"""The linkage file: which hash stands for whom, readable by its owner alone, written row by row."""

from __future__ import annotations

import csv
import io
import os
import secrets
import stat
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from sexstrat.errors import StudyError
from sexstrat.scores.identifiers import read_key
from sexstrat.scores.replacing import clear_leftovers
from sexstrat.scores.table import VERSION_COLUMN
from sexstrat.values.tables import table_schema

__all__ = ["LinkageFile", "LinkageRow", "key_of", "private_file"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkageRow:
    """One input file and what stands for it; the fields are those of the contract ``linkage``."""

    image_id: str
    path: str
    patient_id: str = ""
    eye: str = ""
    deidentified_image_id: str
    deidentified_patient_id: str = ""
    deidentified_path: str = ""
    format: str = ""
    status: str = "ok"
    reason: str = ""
    burned_in: str = ""
    removed: str = ""
    source_size: str = ""
    source_modified: str = ""
    sha256: str = ""


_COLUMNS = [field.name for field in fields(LinkageRow)]


class LinkageFile:
    """A CSV file of :class:`LinkageRow` that only its owner may read.

    Parameters
    ----------
    path : where it is or will be.

    Raises
    ------
    StudyError
        There is another file in its place, or others than its owner may read it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = LinkageFile(Path(folder, "linkage.csv"))
    ...     file.add(LinkageRow(image_id="17.jpg", path="17.jpg", deidentified_image_id="ab" * 16))
    ...     list(LinkageFile(Path(folder, "linkage.csv")).rows)
    ['17.jpg']
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.rows: dict[str, LinkageRow] = {}
        if os.path.lexists(self.path):
            _check_private(self.path)
            self.rows = _read(self.path)

    def add(self, row: LinkageRow) -> None:
        """Append a row; a run that is killed after this keeps it."""
        if not self.path.exists():
            self.replace([])
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(_lines([row]))
        self.rows[row.image_id] = row

    def mend(self) -> None:
        """Write the rows known so far, without a last line that a killed run left half written."""
        clear_leftovers(self.path)
        self.replace(self.rows.values())

    def replace(self, rows: Iterable[LinkageRow]) -> None:
        """Write all rows anew, in their order; the file appears whole or not at all."""
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        rows = list(rows)
        private_file(temporary, _header() + _lines(rows))
        temporary.replace(self.path)
        self.rows = {row.image_id: row for row in rows}


def private_file(path: Path, text: str) -> None:
    """Write a new file that only its owner may read, from its first moment on.

    Parameters
    ----------
    path : the file; its folder is made if need be.
    text : its content.

    Raises
    ------
    StudyError
        There is such a file, or it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     private_file(Path(folder, "a"), "secret")
    ...     os.name != "posix" or oct(Path(folder, "a").stat().st_mode)[-3:]
    '600'
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as err:
        raise StudyError(f"{path}: cannot be written: {err.strerror or err}") from err


def key_of(path: str | Path) -> bytes:
    """Read the secret key, or make one where there is none.

    Parameters
    ----------
    path : the key file, as :func:`sexstrat.scores.read_key` reads it.

    Returns
    -------
    The key.

    Raises
    ------
    StudyError
        The key is too short, or others than its owner may read or write it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     key_of(Path(folder, "key")) == key_of(Path(folder, "key"))
    True
    """
    if not os.path.lexists(path):
        private_file(Path(path), secrets.token_hex(32) + "\n")
    return read_key(path)


def _check_private(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        raise StudyError(
            f"{path}: others than its owner can use this linkage file (mode {mode:o}); allowed: 600; "
            f"run: chmod 600 {path}"
        )


def _header() -> str:
    return ",".join([*_COLUMNS, VERSION_COLUMN]) + "\n"


def _lines(rows: Iterable[LinkageRow]) -> str:
    buffer = io.StringIO()
    writer, version = csv.writer(buffer, lineterminator="\n"), table_schema("linkage").version
    for row in rows:
        writer.writerow([*asdict(row).values(), version])
    return buffer.getvalue()


def _read(path: Path) -> dict[str, LinkageRow]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise StudyError(f"{path}: the linkage file cannot be read: {err}") from err
    if not text.startswith(_header()):
        raise StudyError(f"{path}: this is no linkage file of this version; give another name, or move the file away")
    rows: dict[str, LinkageRow] = {}
    for values in csv.reader(io.StringIO(text[len(_header()) :])):
        if len(values) == len(_COLUMNS) + 1 and values[-1] == str(table_schema("linkage").version):
            row = LinkageRow(**dict(zip(_COLUMNS, values[:-1], strict=True)))
            rows[row.image_id] = row
    return rows
