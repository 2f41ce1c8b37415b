"""Cross-fitting folds by a digest that any language can reproduce, so that every run and hospital agrees."""

from __future__ import annotations

import hashlib

__all__ = ["DEFAULT_SALT", "N_FOLDS", "fold_of", "fold_sql"]

N_FOLDS = 5  # statistics: fold = hash mod 5
DEFAULT_SALT = "sexstrat"


def fold_of(key: str, salt: str = DEFAULT_SALT) -> int:
    """Return the fold of a patient: the first 8 hexadecimal digits of SHA-256(salt + key), modulo 5.

    Parameters
    ----------
    key : patient_id, or the primary sampling unit when the cohort is clustered.
    salt : text put before the key; another salt gives another division.

    Returns
    -------
    A fold from 0 to 4.

    Examples
    --------
    SHA-256 of ``abc`` begins with ba7816bf, which is 3128432319, and 4 modulo 5.

    >>> fold_of("abc", salt="")
    4
    """
    digest = hashlib.sha256((salt + key).encode("utf-8")).hexdigest()
    return int(digest[:8], 16) % N_FOLDS


def fold_sql(key: str) -> str:
    """Return the SQL expression of :func:`fold_of`; its one parameter is the salt.

    Parameters
    ----------
    key : SQL expression of the key.

    Examples
    --------
    >>> from sexstrat.cohort.sql import connect
    >>> connect().execute("SELECT " + fold_sql("'abc'"), [""]).fetchone()
    (4,)
    """
    return f"CAST(CAST('0x' || substr(sha256(? || {key}), 1, 8) AS UBIGINT) % {N_FOLDS} AS BIGINT)"
