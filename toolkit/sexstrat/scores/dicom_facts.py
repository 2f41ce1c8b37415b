"""Fill in what the headers of listed DICOM files say: patient, eye, camera, day, and one row for each frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from sexstrat.errors import ImageError, StudyError
from sexstrat.images import DicomHeader, has_preamble, read_dicom_header
from sexstrat.scores.breaches import typed_columns
from sexstrat.scores.paths import lies_under, openable
from sexstrat.scores.storage import local_copy
from sexstrat.scores.urls import is_remote
from sexstrat.values.tables import table_schema

__all__ = ["dicom_header_of", "with_dicom_facts"]

_PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")


def dicom_header_of(path: str) -> DicomHeader | None:
    """Return the header of a listed DICOM file; None for any other file and for one that cannot be read.

    A file named as a JPEG, PNG or TIFF picture is not looked into, so that a million of them are listed without
    opening each; every other file is one when its preamble says so, whatever its name.

    Parameters
    ----------
    path : path or URL as listed; a file behind a URL is copied here for as long as it is looked into.

    Examples
    --------
    >>> dicom_header_of("no such file.dcm") is None
    True
    """
    if path.lower().endswith(_PICTURES):
        return None
    try:
        with local_copy(path if is_remote(path) else openable(path)) as file:
            return read_dicom_header(file) if has_preamble(file) else None
    except (ImageError, StudyError, OSError, ValueError):
        return None  # decoding the file says in its row why it cannot be read


def with_dicom_facts(listing: pd.DataFrame, *, root: str | Path | None = None) -> pd.DataFrame:
    """Fill in patient, eye, camera and day of DICOM files where the list leaves them empty, and tell frames apart.

    What the list gives is kept; an eye of the header that differs stays in ``dicom_eye`` and becomes a reported
    disagreement. A file of several frames gives one row a frame, with ``#1``, ``#2``, ... after its image_id, unless
    the list names the frame.

    Parameters
    ----------
    listing : columns of the image contract.
    root : folder outside which no file is opened, or None.

    Returns
    -------
    Columns of the image contract, with as many rows or, for files of several frames, more.

    Examples
    --------
    >>> listed = typed_columns(
    ...     pd.DataFrame({"image_id": ["a"], "path": ["a.jpg"], "eye": ["R"]}), table_schema("image")
    ... )
    >>> with_dicom_facts(listed)["eye_source"].tolist()
    ['list']
    """
    frame = listing.copy()
    frame["eye_source"] = pd.Series("list", index=frame.index, dtype="str").where(frame["eye"].notna())
    frame["dicom_eye"] = pd.Series(pd.NA, index=frame.index, dtype="str")
    headers = {
        i: header
        for i, path in enumerate(frame["path"])
        if (root is None or lies_under(path, root)) and (header := dicom_header_of(path)) is not None
    }
    if not headers:
        return frame
    records = frame.astype(object).to_dict("records")
    rows = [row for i, record in enumerate(records) for row in _rows(record, headers.get(i))]
    return typed_columns(pd.DataFrame(rows, columns=frame.columns), table_schema("image"))


def _rows(record: dict[Any, Any], header: DicomHeader | None) -> list[dict[Any, Any]]:
    if header is None:
        return [record]
    filled = dict(record)
    day = None if header.acquired_on is None else header.acquired_on.isoformat()
    for name, value in (("patient_id", header.patient_id), ("camera", header.camera), ("acquired_on", day)):
        if pd.isna(filled[name]):
            filled[name] = value
    filled["dicom_eye"] = header.eye
    if pd.isna(filled["eye"]) and header.eye is not None:
        filled["eye"], filled["eye_source"] = header.eye, "dicom"
    if header.frames == 1 or not pd.isna(filled["frame"]):
        return [filled]
    return [{**filled, "frame": n, "image_id": f"{filled['image_id']}#{n}"} for n in range(1, header.frames + 1)]
