"""What a run came to with one model, as rows of the score contract in the order of the list, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from sexstrat.scores.breaches import typed_columns
from sexstrat.scores.eyes import stated_eyes
from sexstrat.scores.recipe import Recipe
from sexstrat.values.tables import table_schema

__all__ = ["CHUNK_ROWS", "Scored"]

CHUNK_ROWS = 65_536
"""Rows of the table that are put together and written at a time."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """Scored rows by their keys, and the list that they belong to.

    Parameters
    ----------
    listing : the listed images, with the key of each in the column ``key``.
    rows : one row a key, in any order; more keys than the list has do no harm.
    recipe : what decided the scores besides the photographs.
    reused : how many of the listed images were scored by an earlier run.
    """

    listing: pd.DataFrame
    rows: pd.DataFrame
    recipe: Recipe
    reused: int

    def chunks(self) -> Iterator[pd.DataFrame]:
        """Give the rows of the score table, one a listed image, in the list's order.

        Yields
        ------
        Rows of the score contract, at most ``CHUNK_ROWS`` at a time.

        Raises
        ------
        RuntimeError
            A listed image has no row: a defect, because every image must be accounted for.
        """
        index = pd.Index(self.rows["key"])
        for start in range(0, len(self.listing), CHUNK_ROWS):
            listed = self.listing.iloc[start : start + CHUNK_ROWS].reset_index(drop=True)
            places = index.get_indexer(listed["key"])
            if (places < 0).any():
                lost = listed["path"][int((places < 0).argmax())]
                raise RuntimeError(f"{(places < 0).sum():,} listed images have no row, the first of them {lost}")
            yield self._table(listed, self.rows.iloc[places].reset_index(drop=True))

    def _table(self, listed: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
        own = ["image_id", "path", "patient_id", "frame", "eye", "eye_source", "dicom_eye"]
        frame = stated_eyes(listed[own].join(rows.drop(columns="key")))
        if "shown_path" in listed:
            frame = frame.assign(path=listed["shown_path"])
        recipe = self.recipe
        frame = frame.assign(
            model_id=recipe.model_id,
            model_sha256=recipe.model_sha256,
            precision=recipe.precision,
            runtime=recipe.runtime,
            decode=recipe.decode,
        )
        return typed_columns(frame, table_schema("score"))
