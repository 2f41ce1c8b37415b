"""Say which eye a photograph shows, where that comes from, and what speaks against it."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["stated_eyes"]


def stated_eyes(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with ``eye``, ``eye_source`` and ``eye_disagreement`` by the order list, DICOM header, disc side.

    An eye that the list or the header names is never replaced: where the side of the disc, with enough confidence,
    or the header speaks for the other eye, ``eye_disagreement`` says so. An eye that nothing names is the inferred
    one, if any, and ``eye_source`` is then ``inferred``. The model's score does not depend on an inferred eye.

    Parameters
    ----------
    rows : ``eye`` and ``eye_source`` of the list (source ``list`` or ``dicom``), ``dicom_eye`` and ``inferred_eye``.

    Returns
    -------
    The rows without ``dicom_eye``.

    Examples
    --------
    >>> rows = pd.DataFrame(
    ...     {
    ...         "eye": ["R", "R", None, None],
    ...         "eye_source": ["list", "list", None, None],
    ...         "dicom_eye": [None, "L", None, None],
    ...         "inferred_eye": ["R", "L", "L", None],
    ...     },
    ...     dtype="str",
    ... )
    >>> found = stated_eyes(rows)
    >>> found["eye"].fillna("").tolist(), found["eye_source"].tolist()
    (['R', 'R', 'L', ''], ['list', 'list', 'inferred', 'none'])
    >>> found["eye_disagreement"].fillna("").tolist()
    ['', 'dicom and inferred', '', '']
    """
    named, inferred = rows["eye"].notna(), rows["inferred_eye"].notna()
    eye = rows["eye"].where(named, rows["inferred_eye"])
    source = rows["eye_source"].where(named, pd.Series("none", index=rows.index).mask(inferred, "inferred"))
    against = {
        "dicom": (named & rows["dicom_eye"].notna() & (rows["dicom_eye"] != eye)).to_numpy(dtype=bool),
        "inferred": (named & inferred & (rows["inferred_eye"] != eye)).to_numpy(dtype=bool),
    }
    both = against["dicom"] & against["inferred"]
    chosen = np.select([both, against["dicom"], against["inferred"]], ["dicom and inferred", "dicom", "inferred"], "")
    disagreement = pd.Series(chosen, index=rows.index, dtype="str")
    return rows.drop(columns="dicom_eye").assign(
        eye=eye, eye_source=source, eye_disagreement=disagreement.mask(disagreement == "")
    )
