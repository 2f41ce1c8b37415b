"""What an audit has to say of a survey's primary sampling units, which its intervals do not carry."""

from __future__ import annotations

import pandas as pd

__all__ = ["UNITS_NOTICE", "sampling_notices"]

UNIT = "psu"
UNITS_NOTICE = (
    "Intervals and tests of the audit count patients, not the primary sampling units of the survey: where patients of "
    "one unit are alike, they are too narrow."
)


def sampling_notices(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return what every reader must know where patients were sampled in units.

    Parameters
    ----------
    frame : one row a patient, an image or a cell; the column ``psu`` names the primary sampling unit, where there is
        one.

    Examples
    --------
    >>> sampling_notices(pd.DataFrame({"psu": [None, None]})), len(sampling_notices(pd.DataFrame({"psu": ["a", "b"]})))
    ((), 1)
    """
    return (UNITS_NOTICE,) if UNIT in frame and bool(frame[UNIT].notna().any()) else ()
