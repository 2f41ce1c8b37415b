"""Names of the views of a staged table and of the columns that stand in them beside those of the contract."""

from __future__ import annotations

from sexstrat.cohort.sql import quoted

__all__ = ["absent_column", "given_table", "raw_column", "typed_table"]


def raw_column(name: str) -> str:
    """Return the quoted name under which a column's original text stands beside the typed one.

    Parameters
    ----------
    name : contract column.

    Examples
    --------
    >>> raw_column("age_years")
    '"raw age_years"'
    """
    return quoted(f"raw {name}")


def absent_column(name: str) -> str:
    """Return the quoted name of the column that is true where the source has no value.

    To ask so of the original text would write every number as text first.

    Parameters
    ----------
    name : contract column.

    Examples
    --------
    >>> absent_column("age_years")
    '"no age_years"'
    """
    return quoted(f"no {name}")


def typed_table(contract: str) -> str:
    """Return the quoted name of the view of typed rows of a contract, parsed only where they are asked for.

    Parameters
    ----------
    contract : name of the table's contract.

    Examples
    --------
    >>> typed_table("person")
    '"typed_person"'
    """
    return quoted(f"typed_{contract}")


def given_table(contract: str) -> str:
    """Return the quoted name of the view of all typed rows of a contract, those left out too.

    Parameters
    ----------
    contract : name of the table's contract.

    Examples
    --------
    >>> given_table("person")
    '"given_person"'
    """
    return quoted(f"given_{contract}")
