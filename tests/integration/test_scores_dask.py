"""Scoring on a Dask cluster of real worker processes gives the rows of one machine, whatever happens to the workers."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType

import dask
import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster

from sexstrat.errors import ModelError, StudyError
from sexstrat.scores import engine_dask, parts, read_scores, score_images
from sexstrat.scores.checkpoints import Checkpoints
from sexstrat.scores.forward import ListedFile
from sexstrat.scores.members import members_of
from sexstrat.scores.scoring import Scoring


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Start a scheduler and two worker processes; a piece whose worker dies is tried twice."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=logging.CRITICAL
        ) as running,
    ):
        yield running


def worker_pids(cluster: LocalCluster) -> set[int]:
    with Client(cluster, set_as_default=False) as client:
        return set(client.run(os.getpid).values())


def kill_a_worker_when_parts_appear(cluster: LocalCluster, folder: Path, killed: list[int]) -> threading.Thread:
    """Kill one worker, without any warning, as soon as two parts are on disk."""
    (victim, *_) = sorted(worker_pids(cluster))

    def watch() -> None:
        end = time.monotonic() + 60
        while len(list(folder.glob("part-*.parquet"))) < 2 and time.monotonic() < end:
            time.sleep(0.01)
        os.kill(victim, signal.SIGKILL)
        killed.append(victim)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def assert_same_scores(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    rest = [name for name in expected.columns if name != "prob_male"]
    pd.testing.assert_frame_equal(found[rest], expected[rest])
    np.testing.assert_allclose(found["prob_male"], expected["prob_male"], atol=1e-6)


@pytest.mark.parametrize("number", [120, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_killed_worker_loses_nothing_and_doubles_nothing(
    cluster: LocalCluster,
    tmp_path: Path,
    synthetic: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    """One of two worker processes is killed mid-run; the table is that of one machine, a row an image."""
    monkeypatch.setattr(engine_dask, "PART_ROWS", number // 15)
    monkeypatch.setattr(parts, "PART_ROWS", number // 15)
    photos, out = tmp_path / "photos", tmp_path / "scores.parquet"
    synthetic.write_fundi(photos, number)
    (photos / "note.jpg").write_text("not a photograph", encoding="utf-8")
    model = synthetic.arithmetic_model(delay=0.05)
    killed: list[int] = []
    watcher = kill_a_worker_when_parts_appear(cluster, Path(f"{out}.parts"), killed)
    address = cluster.scheduler_address
    found = score_images(photos, model=model, out=out, engine="dask", scheduler=address, batch_size=4)
    watcher.join()
    assert killed
    assert killed[0] not in worker_pids(cluster)
    assert found["image_id"].is_unique
    assert len(found) == number + 1
    assert_same_scores(found, score_images(photos, model=synthetic.arithmetic_model(), batch_size=4))
    pd.testing.assert_frame_equal(read_scores(out), found)
    assert len(Checkpoints(f"{out}.parts").load()) == number + 1


@pytest.mark.slow
def test_a_photograph_that_kills_its_process_costs_its_own_row(cluster: LocalCluster) -> None:
    """A piece that ends its worker again and again is halved; its neighbours, blamed with it, get their rows."""
    names = [f"{number:03d}.jpg" for number in range(8)]
    files = tuple(ListedFile(key=name, path=name) for name in names)
    with Client(cluster, set_as_default=False) as client:
        pieces = iter([files[:4], files[4:]])
        found = pd.concat(engine_dask.results_of(client, pieces, partial(die_over, name="002.jpg")), ignore_index=True)
    found = found.set_index("key").sort_index()
    assert found.index.tolist() == names
    assert found.index[found["status"] != "ok"].tolist() == ["002.jpg"]
    assert found.loc["002.jpg", ["status", "reason"]].tolist() == [
        "unreadable",
        "the process that scored it died, again and again, with nothing else to do",
    ]


def die_over(files: tuple[ListedFile, ...], *, name: str) -> pd.DataFrame:
    import os as system
    import signal as signals

    if any(file.key == name for file in files):
        system.kill(system.getpid(), signals.SIGKILL)
    return pd.DataFrame({"key": [file.key for file in files], "status": "ok"})


def test_what_cannot_be_is_said_before_anything_is_scored(
    tmp_path: Path, synthetic: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No scheduler at the address, an address without the engine, a model that is another one on the worker."""
    synthetic.write_fundi(tmp_path, 1)
    model = synthetic.arithmetic_model()
    monkeypatch.setattr(engine_dask, "_ANSWER_SECONDS", 0.5)
    with pytest.raises(StudyError, match="needs the engine dask"):
        score_images(tmp_path, model=model, scheduler="tcp://127.0.0.1:1")
    with pytest.raises(StudyError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1"):
        score_images(tmp_path, model=model, engine="dask", scheduler="tcp://127.0.0.1:1")


def test_a_worker_that_has_another_model_is_refused(synthetic: ModuleType) -> None:
    """A worker loads the model itself, and compares what it has loaded with the recipe of the run."""
    (member,) = members_of(Scoring(models=(synthetic.arithmetic_model(),)))
    assert member.load.keywords["expected"] == member.recipe.text
    with pytest.raises(ModelError, match="another one than at the start"):
        member.load.func(synthetic.arithmetic_model(digest="b" * 64), **member.load.keywords)
