"""Scoring piece by piece: nothing of the table is held, and a run that has all its rows starts no cluster."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pandas as pd

from sexstrat.scores import read_scores, score_images
from sexstrat.scores.engine_dask import score_on_dask
from sexstrat.scores.members import members_of
from sexstrat.scores.score import score_to_table
from sexstrat.scores.scoring import Scoring


def test_pieces_are_the_table(tmp_path: Path, synthetic: ModuleType) -> None:
    """The pieces given out and the written table are what scoring at once gives; the summary counts them."""
    photos, out = tmp_path / "photos", tmp_path / "scores.parquet"
    synthetic.write_fundi(photos, 5)
    model = synthetic.arithmetic_model()
    pieces: list[pd.DataFrame] = []
    summary = score_to_table(photos, Scoring(models=(model,), out=str(out)), pieces.append)
    whole = score_images(photos, model=model)
    pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), whole)
    pd.testing.assert_frame_equal(read_scores(out), whole)
    assert summary.n_images == 5


def test_no_cluster_is_started_for_nothing(synthetic: ModuleType) -> None:
    """Without a file to score no worker is started and no scheduler is looked for."""
    scoring = Scoring(models=(synthetic.arithmetic_model(),), engine="dask", scheduler="tcp://127.0.0.1:1")
    assert list(score_on_dask(iter(()), members_of(scoring)[0], scoring)) == []
