"""Write the table of persons that the headers of listed DICOM files make: sex and age as recorded."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from sexstrat.errors import StudyError
from sexstrat.scores.dicom_persons import DicomPersons, dicom_persons
from sexstrat.scores.identifiers import read_key
from sexstrat.scores.listing import list_images
from sexstrat.scores.table import write_table
from sexstrat.values.tables import table_schema

__all__ = ["write_dicom_persons"]


def write_dicom_persons(
    source: str | Path | pd.DataFrame,
    out: str | Path,
    *,
    root: str | Path | None = None,
    hash_ids: str | Path | None = None,
) -> DicomPersons:
    """Write one row a patient with the sex and the age that DICOM files record; no file is changed.

    Recorded sex is what the header says, never an estimate. What files of one patient contradict is left open
    (sex unknown, age empty) and reported; a patient without a DICOM file has no row.

    Parameters
    ----------
    source, root : as in :func:`sexstrat.scores.list_images`.
    out : table of the person contract to write, ``.parquet`` or ``.csv``, a path or a URL.
    hash_ids : key file; patient_id is then the keyed hash that a score table made with the same key holds.

    Returns
    -------
    The persons, and what contradicts.

    Raises
    ------
    StudyError
        No listed file is a DICOM file whose header can be read, or none of them names a patient; nothing is written.
    SchemaError
        The list breaks the image contract.
    """
    key = None if hash_ids is None else read_key(hash_ids)
    listing = list_images(source, root=root)
    found = dicom_persons(listing, key=key)
    if found.table.empty:
        n = listing["path"].nunique()
        what = f"{found.n_files:,} DICOM files, none of which names a patient" if found.n_files else "no DICOM file"
        raise StudyError(
            f"{out}: no table of persons can be made: {n:,} files are listed, among them {what} with a header that "
            "can be read; leave --persons out and give recorded sex and age in a table of your own"
        )
    write_table([found.table], out, table_schema("person"))
    return found
