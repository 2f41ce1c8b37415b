"""Scoring killed without warning at any moment: the next run ends with the rows of one that nothing happened to."""

from __future__ import annotations

import json
import logging
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sexstrat.scores import parts, read_scores, score_images
from sexstrat.scores.checkpoints import Checkpoints

LOG = logging.getLogger(__name__)
RUN = """
import importlib.util, json, os, pathlib, signal, sys
spec = importlib.util.spec_from_file_location("synthetic_fundus", sys.argv[1])
synthetic = importlib.util.module_from_spec(spec)
spec.loader.exec_module(synthetic)
from sexstrat.scores import Scoring, parts, score_to_table

source, out, part_rows, fatal = sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
parts.PART_ROWS = part_rows
moment = 0

def deadly(name):
    plain = getattr(pathlib.Path, name)

    def called(*arguments, **options):
        global moment
        for result in (None, plain):  # a moment before the change of the disk, and one after it
            moment += 1
            if moment == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            if result is not None:
                return done
            done = plain(*arguments, **options)

    setattr(pathlib.Path, name, called)

if fatal:
    deadly("replace")
    deadly("unlink")
scoring = Scoring(models=(synthetic.arithmetic_model(delay=0.05),), out=out, batch_size=16)
print(json.dumps(score_to_table(source, scoring).to_document()))
"""


def command(synthetic: ModuleType, source: Path, out: Path, *, part_rows: int, fatal: int = 0) -> list[str]:
    return [sys.executable, "-c", RUN, str(synthetic.__file__), str(source), str(out), str(part_rows), str(fatal)]


def finished(words: list[str]) -> dict[str, Any]:
    """Run to the end and return what it counted."""
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=300)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def killed_when(words: list[str], folder: Path, part_count: int, seconds: float) -> bool:
    """Start a run and kill it some time after as many parts are on disk; False when it ended before."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while process.poll() is None and len(list(folder.glob("part-*.parquet"))) < part_count:
        time.sleep(0.002)
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    assert process.returncode == 0, process.communicate()[1]
    process.communicate()
    return False


def kept_keys(out: Path) -> list[str]:
    return Checkpoints(f"{out}.parts").load()["key"].tolist()


def assert_same_table(out: Path, unbroken: pd.DataFrame) -> None:
    """Compare the sorted table: prob_male within 1e-6, all else equal, and no trace of kills on the disk."""
    found = read_scores(out).sort_values("image_id", ignore_index=True)
    expected = unbroken.sort_values("image_id", ignore_index=True)
    assert found["image_id"].is_unique
    rest = [name for name in expected.columns if name != "prob_male"]
    pd.testing.assert_frame_equal(found[rest], expected[rest])
    np.testing.assert_allclose(found["prob_male"], expected["prob_male"], rtol=0, atol=1e-6)
    assert len(list(Path(f"{out}.parts").iterdir())) == 1
    assert not [path.name for path in out.parent.iterdir() if path.name.startswith(".")]


def write_list(folder: Path, synthetic: ModuleType, number: int) -> Path:
    """Write photographs, an empty file, a text file and a list that names one more."""
    paths = synthetic.write_fundi(folder, number - 3)
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "note.jpg").write_text("not a photograph", encoding="utf-8")
    paths += [folder / name for name in ("empty.jpg", "note.jpg", "missing.jpg")]
    random.Random(4).shuffle(paths)
    listing = folder.with_suffix(".csv")
    people = [f"p{i % 97}" for i in range(len(paths))]
    pd.DataFrame({"path": [str(path) for path in paths], "patient_id": people}).to_csv(listing, index=False)
    return listing


@pytest.mark.parametrize(("number", "kills"), [(200, 3), pytest.param(2000, 30, marks=pytest.mark.slow)])
def test_scoring_killed_at_random_moments_ends_with_the_same_table(
    tmp_path: Path, synthetic: ModuleType, number: int, kills: int
) -> None:
    """Kill -9 at random moments, up to three in a series; what was on disk is never scored again or written twice."""
    listing, out = write_list(tmp_path / "photos", synthetic, number), tmp_path / "out" / "scores.parquet"
    unbroken = score_images(listing, model=synthetic.arithmetic_model(), batch_size=16)
    part_rows = 16 if number < 1000 else 32  # whole batches
    words = command(synthetic, listing, out, part_rows=part_rows)
    drawn = random.Random(2026)
    done = mid_run = series = 0
    while done < kills:
        shutil.rmtree(out.parent, ignore_errors=True)
        out.parent.mkdir()
        series += 1
        for _ in range(drawn.randint(1, 3) if kills > 3 else 3):
            before = set(kept_keys(out))
            more = drawn.randint(0, number // part_rows - len(before) // part_rows)
            reached = len(list(Path(f"{out}.parts").glob("part-*.parquet"))) + more
            if done == kills or not killed_when(words, Path(f"{out}.parts"), reached, drawn.uniform(0, 0.15)):
                break
            done += 1
            after = kept_keys(out)
            assert before <= set(after)
            mid_run += len(before) < len(set(after)) < number - 1
        kept = len(set(kept_keys(out)))
        assert finished(words)["reused"] == kept
        assert_same_table(out, unbroken)
    assert mid_run > 0
    LOG.info("%d kills in %d series, %d of them while rows were being added", done, series, mid_run)


@pytest.mark.slow
def test_scoring_killed_before_and_after_every_change_of_the_disk_ends_with_the_same_table(
    tmp_path: Path,
    synthetic: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each rename and each removal of a run is a moment to die before and after: all of them, one by one."""
    monkeypatch.setattr(parts, "PART_ROWS", 8)
    listing = write_list(tmp_path / "photos", synthetic, 24)
    unbroken = score_images(listing, model=synthetic.arithmetic_model(), batch_size=16)
    out = tmp_path / "out" / "scores.parquet"
    for moment in range(1, 200):
        shutil.rmtree(out.parent, ignore_errors=True)
        out.parent.mkdir()
        words = command(synthetic, listing, out, part_rows=8, fatal=moment)
        code = subprocess.run(words, check=False, capture_output=True, timeout=120).returncode
        if code == 0:
            break
        assert code == -9
        resumed = score_images(listing, model=synthetic.arithmetic_model(), out=out, batch_size=16)
        pd.testing.assert_frame_equal(resumed, unbroken)
        assert_same_table(out, unbroken)
    assert moment > 20
    LOG.info("killed at each of %d moments", moment - 1)
