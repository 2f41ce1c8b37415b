"""Tables of the cohort file, derived from the contracts: names, types and comments are typed once, there."""

from __future__ import annotations

from sexstrat.cohort.sql import Connection, literal, quoted
from sexstrat.values.tables import Field, TableSchema

__all__ = ["COLUMN_TYPES", "column_type", "create_statement", "create_table"]

COLUMN_TYPES = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
}


def column_type(field: Field) -> str:
    """Return the SQL type of a column of a contract.

    Parameters
    ----------
    field : a column's contract.

    Examples
    --------
    >>> column_type(Field(name="age_years", type="number"))
    'DOUBLE'
    """
    return COLUMN_TYPES[field.type]


def create_statement(schema: TableSchema) -> str:
    """Return the CREATE TABLE statement of a contract.

    Keys are checked before rows are stored (``contract_rules``), so no index is built: it would double time and size.

    Parameters
    ----------
    schema : the table's contract.

    Examples
    --------
    >>> from sexstrat.values.tables import table_schema
    >>> print(create_statement(table_schema("condition")))
    CREATE TABLE "condition" (
      "patient_id" VARCHAR NOT NULL,
      "eye" VARCHAR,
      "condition" VARCHAR NOT NULL,
      "present" BOOLEAN NOT NULL
    )
    """
    columns = ",\n".join(
        f"  {quoted(field.name)} {column_type(field)}" + (" NOT NULL" if field.required else "")
        for field in schema.fields
    )
    return f"CREATE TABLE {quoted(schema.name)} (\n{columns}\n)"


def create_table(connection: Connection, schema: TableSchema) -> None:
    """Create an empty table of a contract, with the contract's words as its comments.

    Parameters
    ----------
    connection : a writable connection.
    schema : the table's contract.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> from sexstrat.values.tables import table_schema
    >>> connection = connect()
    >>> create_table(connection, table_schema("person"))
    >>> connection.execute("SELECT comment FROM duckdb_columns() WHERE column_name = 'weight'").fetchall()
    [('survey weight',)]
    """
    connection.execute(create_statement(schema))
    key = ", ".join(schema.primary_key)
    comment_on_table(connection, schema.name, f"{schema.title}; a row is identified by {key}")
    for field in schema.fields:
        comment_on_column(connection, schema.name, field.name, field.description)


def comment_on_table(connection: Connection, table: str, comment: str) -> None:
    """Say in the file what a table holds."""
    connection.execute(f"COMMENT ON TABLE {quoted(table)} IS {literal(comment)}")


def comment_on_view(connection: Connection, view: str, comment: str) -> None:
    """Say in the file what a view shows."""
    connection.execute(f"COMMENT ON VIEW {quoted(view)} IS {literal(comment)}")


def comment_on_column(connection: Connection, table: str, column: str, comment: str) -> None:
    """Say in the file what a column holds."""
    connection.execute(f"COMMENT ON COLUMN {quoted(table)}.{quoted(column)} IS {literal(comment)}")
