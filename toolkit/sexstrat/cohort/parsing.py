"""From the text of a file to the type of its contract, strictly: what does not parse is named, never guessed."""

from __future__ import annotations

import pyarrow as pa

from sexstrat.values.tables import Field

__all__ = ["as_text", "needs_cleaning", "staged_expression", "staged_type", "typed_expression"]

BLANK_CHARACTERS = ("' '", "chr(9)", "chr(10)", "chr(13)", "chr(12288)")  # the last is the full-width space
FULL_WIDTH = "'０１２３４５６７８９．－＋'"
HALF_WIDTH = "'0123456789.-+'"
NUMBER = r"[+-]?([0-9]+({mark}[0-9]*)?|{mark}[0-9]+)([eE][+-]?[0-9]+)?"
INTEGER = r"[+-]?[0-9]{1,18}([.]0*)?"
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T]00:00:00([.]0+)?)?"


def staged_type(arrow: pa.DataType) -> str:
    """Return the SQL type in which a source column is staged: text, unless the source itself is typed.

    Parameters
    ----------
    arrow : the column's Arrow type.

    Examples
    --------
    >>> staged_type(pa.float32()), staged_type(pa.string()), staged_type(pa.timestamp("s"))
    ('DOUBLE', 'VARCHAR', 'VARCHAR')
    """
    if pa.types.is_boolean(arrow):
        return "BOOLEAN"
    if pa.types.is_integer(arrow) and arrow != pa.uint64():
        return "BIGINT"
    if pa.types.is_floating(arrow) or pa.types.is_decimal(arrow):
        return "DOUBLE"
    if pa.types.is_date(arrow):
        return "DATE"
    return "VARCHAR"


def staged_expression(column: str, staged: str) -> str:
    """Return SQL that brings a source column to its staged type, empty text and not-a-number to NULL.

    Parameters
    ----------
    column : quoted source column.
    staged : result of :func:`staged_type`.

    Examples
    --------
    >>> staged_expression('"age"', "BIGINT")
    'CAST("age" AS BIGINT)'
    """
    if staged == "VARCHAR":
        text = f"CAST({column} AS VARCHAR)"
        trimmed = f"nullif(trim({text}, {' || '.join(BLANK_CHARACTERS)}), '')"
        # Trimming copies the text: it is done only where a cheap look says that there may be a blank to trim.
        return f"CASE WHEN {needs_cleaning(column, staged)} THEN {trimmed} ELSE {text} END"
    if staged == "DOUBLE":
        return f"CASE WHEN NOT isnan(CAST({column} AS DOUBLE)) THEN CAST({column} AS DOUBLE) END"
    return f"CAST({column} AS {staged})"


def needs_cleaning(column: str, staged: str) -> str:
    """Return SQL that is true where :func:`staged_expression` may change a value.

    Parameters
    ----------
    column : quoted source column.
    staged : result of :func:`staged_type`.

    Examples
    --------
    >>> needs_cleaning('"weight"', "DOUBLE")
    'isnan(CAST("weight" AS DOUBLE))'
    """
    if staged == "VARCHAR":
        text = f"CAST({column} AS VARCHAR)"
        # Any other end than a printed ASCII character is looked at more closely; empty text is below '!' too.
        return f"{text} < '!' OR {text} >= chr(12288) OR {text}[-1] NOT BETWEEN '!' AND '~'"
    if staged == "DOUBLE":
        return f"isnan(CAST({column} AS DOUBLE))"
    return f"CAST({column} AS {staged}) IS NULL AND {column} IS NOT NULL"


def as_text(column: str, staged: str) -> str:
    """Return SQL for the value as text: 17.0 reads 17, so that numbered patients match across files.

    Parameters
    ----------
    column : quoted staged column.
    staged : its type.

    Examples
    --------
    >>> as_text('"id"', "BIGINT")
    'CAST("id" AS VARCHAR)'
    """
    if staged != "DOUBLE":
        return f"CAST({column} AS VARCHAR)"
    whole = f"CAST(CAST({column} AS BIGINT) AS VARCHAR)"
    return f"CASE WHEN {_is_whole(column)} THEN {whole} ELSE CAST({column} AS VARCHAR) END"


def typed_expression(field: Field, column: str, staged: str, decimal: str = ".") -> str:
    """Return SQL of the column in its contract's type, NULL where the value does not parse.

    Parameters
    ----------
    field : the column's contract.
    column : quoted staged column.
    staged : its staged type.
    decimal : decimal mark in text.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> age = Field(name="age", type="number")
    >>> text = typed_expression(age, "x", "VARCHAR", decimal=",")
    >>> connect().execute(f"SELECT {text} FROM (VALUES ('６1,5'), ('61.5'), ('45歳')) t(x)").fetchall()
    [(61.5,), (None,), (None,)]
    """
    if field.type == "string":
        return as_text(column, staged)
    if staged == "VARCHAR":
        return _from_text(field.type, column, decimal)
    if field.type == "number" and staged in {"BIGINT", "DOUBLE"}:
        return f"CASE WHEN isfinite(CAST({column} AS DOUBLE)) THEN CAST({column} AS DOUBLE) END"
    if field.type == "integer" and staged == "BIGINT":
        return column
    if field.type == "integer" and staged == "DOUBLE":
        return f"CASE WHEN {_is_whole(column)} THEN CAST({column} AS BIGINT) END"
    if field.type == "boolean" and staged == "BOOLEAN":
        return column
    if field.type == "boolean" and staged in {"BIGINT", "DOUBLE"}:
        return f"CASE WHEN {column} = 1 THEN true WHEN {column} = 0 THEN false END"
    if field.type == "date" and staged == "DATE":
        return column
    return "NULL"


def _from_text(kind: str, column: str, decimal: str) -> str:
    number = f"translate({column}, {FULL_WIDTH}, {HALF_WIDTH})"
    if kind == "number":
        pattern = NUMBER.replace("{mark}", "[.]" if decimal == "." else ",")
        value = f"TRY_CAST(replace({number}, ',', '.') AS DOUBLE)"
        return f"CASE WHEN regexp_full_match({number}, '{pattern}') AND isfinite({value}) THEN {value} END"
    if kind == "integer":
        whole = f"TRY_CAST(regexp_replace({number}, '[.]0*$', '') AS BIGINT)"
        return f"CASE WHEN regexp_full_match({number}, '{INTEGER}') THEN {whole} END"
    if kind == "boolean":
        word = f"lower({column})"
        return f"CASE WHEN {word} IN ('true', '1') THEN true WHEN {word} IN ('false', '0') THEN false END"
    return f"CASE WHEN regexp_full_match({column}, '{DATE}') THEN TRY_CAST(left({column}, 10) AS DATE) END"


def _is_whole(column: str) -> str:
    return f"isfinite({column}) AND {column} = trunc({column}) AND abs({column}) < 9e15"
