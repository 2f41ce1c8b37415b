"""Empty cells of a table, and write down beside them that they were emptied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.profiles import Profile
from sexstrat.errors import DisclosureError
from sexstrat.values.tables import table_schema

__all__ = ["group_numbers", "numbers", "releasable_frame", "suppress_rows", "withhold_cells", "withhold_further"]

PER_PERSON = ("patient_id", "image_id", "path", "prob_male", "recorded_sex", "predicted_sex")
TYPES = {"integer": "Int64", "number": "float64", "string": "str"}


def releasable_frame(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Return a copy with the columns of the contract, and only those, plus an empty ``withheld``.

    Parameters
    ----------
    frame : rows of the table; an empty frame may lack columns.
    table : name of the contract.

    Raises
    ------
    DisclosureError : the frame holds a column about single patients or images.

    Examples
    --------
    >>> releasable_frame(pd.DataFrame(), "gap").columns[-1]
    'withheld'
    """
    per_person = [name for name in PER_PERSON if name in frame]
    if per_person:
        raise DisclosureError(
            f"the {table} table holds {', '.join(per_person)}: rows about single patients are never released"
        )
    schema = table_schema(table)
    kept = frame.reindex(columns=schema.columns).reset_index(drop=True)
    kept = kept.astype({field.name: TYPES[field.type] for field in schema.fields})
    return kept.assign(withheld="")


def numbers(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return a column as floats, NaN where it is empty.

    Examples
    --------
    >>> numbers(pd.DataFrame({"n": pd.array([3, None], dtype="Int64")}), "n").tolist()
    [3.0, nan]
    """
    return frame[column].to_numpy(dtype=float, na_value=np.nan)


def group_numbers(frame: pd.DataFrame, keys: Sequence[str]) -> NDArray[np.intp]:
    """Number the groups of rows with equal keys from 0, empty keys being equal to each other.

    Examples
    --------
    >>> group_numbers(pd.DataFrame({"sex": ["male", "female", "male"]}), ["sex"]).tolist()
    [0, 1, 0]
    """
    return np.asarray(frame.groupby(list(keys), dropna=False, sort=False).ngroup(), dtype=np.intp)


def withhold_cells(frame: pd.DataFrame, rows: NDArray[np.bool_], columns: Sequence[str]) -> pd.DataFrame:
    """Empty the columns in the chosen rows and name them in ``withheld``.

    Examples
    --------
    >>> frame = pd.DataFrame({"n_male": [3, 40], "withheld": ["", ""]})
    >>> withhold_cells(frame, np.array([True, False]), ["n_male"])["withheld"].tolist()
    ['n_male', '']
    """
    if not rows.any():
        return frame
    emptied = frame.copy()
    for name in columns:
        emptied[name] = emptied[name].mask(rows)
    before = emptied.loc[rows, "withheld"]
    emptied.loc[rows, "withheld"] = [" ".join(dict.fromkeys([*text.split(), *columns])) for text in before]
    return emptied


def suppress_rows(
    frame: pd.DataFrame, rows: NDArray[np.bool_], columns: Sequence[str], profile: Profile
) -> pd.DataFrame:
    """Empty the columns in the chosen rows, set their state to suppressed, and replace their note by the profile's.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> frame = pd.DataFrame({"n_male": [3], "state": ["measured"], "note": ["only 3"], "withheld": [""]})
    >>> suppress_rows(frame, np.array([True]), ["n_male"], PROFILES["uk-5"]).loc[0, "note"]
    'withheld by disclosure profile uk-5'
    """
    emptied = withhold_cells(frame, rows, columns)
    if not rows.any():
        return emptied
    emptied.loc[rows, "state"] = "suppressed"
    text = "note" if "note" in emptied else "reason"
    emptied.loc[rows, text] = f"withheld by disclosure profile {profile.name}"
    return emptied


def withhold_further(
    frame: pd.DataFrame, further: Mapping[int, Set[str]], columns: Sequence[str], profile: Profile
) -> pd.DataFrame:
    """Withhold what was found to give something away in another table: single cells, or whole rows.

    Parameters
    ----------
    frame : protected rows of a table.
    further : by row, the columns; "point" stands for the whole row.
    columns : what a suppressed row of this table loses.
    profile : the rule for small counts.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> frame = pd.DataFrame({"point": [0.1, 0.2], "n_male": [30, 40], "state": "measured", "note": "", "withheld": ""})
    >>> done = withhold_further(frame, {0: {"n_male"}, 1: {"point"}}, ["point", "n_male"], PROFILES["uk-5"])
    >>> done["point"].tolist(), done["n_male"].isna().tolist(), done["state"].tolist()
    ([0.1, nan], [True, True], ['measured', 'suppressed'])
    """
    rows = np.array([place in further and "point" in further[place] for place in range(len(frame))], dtype=bool)
    for name in sorted(set().union(*further.values()) - {"point"}):
        chosen = np.array([place in further and name in further[place] for place in range(len(frame))], dtype=bool)
        frame = withhold_cells(frame, chosen & ~rows & frame[name].notna().to_numpy(dtype=bool), [name])
    return suppress_rows(frame, rows, columns, profile)
