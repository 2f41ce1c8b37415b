"""Which diseases a table of conditions holds, without building a cohort."""

from __future__ import annotations

from sexstrat.cohort.check import TableLike, as_inputs
from sexstrat.cohort.parquet_scan import scanned_files
from sexstrat.cohort.sex_coding import SexCoding
from sexstrat.cohort.sql import connect
from sexstrat.cohort.staging import stage

__all__ = ["condition_names"]


def condition_names(conditions: TableLike) -> tuple[str, ...]:
    """Return the names of the diseases in a table of conditions, sorted.

    Parameters
    ----------
    conditions : the table, as for :func:`sexstrat.cohort.check_inputs`.

    Examples
    --------
    >>> import pandas as pd
    >>> condition_names(
    ...     pd.DataFrame({"patient_id": ["a", "b"], "condition": ["myopia", "glaucoma"], "present": [1, 0]})
    ... )
    ('glaucoma', 'myopia')
    """
    tables = as_inputs({"conditions": conditions})
    if (model := tables["conditions"].omop) is not None:
        return tuple(sorted({*model.conditions, *model.measurements}))
    connection = connect(readable=scanned_files(tables.values()), ordered=False)
    try:
        stage(connection, "condition", tables["conditions"], SexCoding.declared(None))
        found = connection.execute(
            "SELECT DISTINCT condition FROM typed_condition WHERE condition IS NOT NULL ORDER BY 1"
        )
        return tuple(str(name) for (name,) in found.fetchall())
    finally:
        connection.close()
