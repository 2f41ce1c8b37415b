"""A run killed without warning loses at most one part, and its table is the one an undisturbed run writes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from sexstrat.scores import forward, parts, read_scores, score_images
from sexstrat.scores.checkpoints import Checkpoints

PART = 6
RUN = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("synthetic_fundus", sys.argv[1])
synthetic = importlib.util.module_from_spec(spec)
spec.loader.exec_module(synthetic)
from sexstrat.scores import parts, score_images
parts.PART_ROWS = int(sys.argv[4])
score_images(sys.argv[2], model=synthetic.arithmetic_model(delay=0.3), out=sys.argv[3], batch_size=3)
"""


def wait_for_parts(folder: Path, number: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while len(list(folder.glob("part-*.parquet"))) < number:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "no part appeared within a minute"
        time.sleep(0.01)


def test_a_killed_run_goes_on_where_it_stopped(
    tmp_path: Path, synthetic: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after its second part, the run keeps both; the next run scores the rest and no more."""
    photos, out = tmp_path / "photos", tmp_path / "scores.parquet"
    synthetic.write_fundi(photos, 5 * PART)
    arguments = [sys.executable, "-c", RUN, str(synthetic.__file__), str(photos), str(out), str(PART)]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        wait_for_parts(Path(f"{out}.parts"), 2, process)
        process.kill()
    assert not out.exists()
    kept = Checkpoints(Path(f"{out}.parts")).load()
    assert len(kept) in {2 * PART, 3 * PART}
    opened = []
    read = forward.read_photograph
    monkeypatch.setattr(forward, "read_photograph", lambda path, **o: opened.append(path) or read(path, **o))
    monkeypatch.setattr(parts, "PART_ROWS", PART)
    resumed = score_images(photos, model=synthetic.arithmetic_model(), out=out, batch_size=3)
    assert len(opened) == 5 * PART - len(kept)
    pd.testing.assert_frame_equal(read_scores(out), resumed)
    pd.testing.assert_frame_equal(resumed, score_images(photos, model=synthetic.arithmetic_model(), batch_size=3))
    assert [path.name for path in Path(f"{out}.parts").iterdir() if path.suffix == ".tmp"] == []


@pytest.mark.skipif(sys.platform == "win32", reason="interrupts reach a child otherwise there")
def test_an_interrupted_run_stops_at_once_and_goes_on(tmp_path: Path, synthetic: ModuleType) -> None:
    """Ctrl-C ends a run within seconds, as an interrupt; its parts are kept and the next run completes them."""
    photos, out = tmp_path / "photos", tmp_path / "scores.parquet"
    synthetic.write_fundi(photos, 20 * PART)
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # ignored in a background shell
    arguments = [sys.executable, "-c", heard + RUN, str(synthetic.__file__), str(photos), str(out), str(PART)]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        wait_for_parts(Path(f"{out}.parts"), 2, process)
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=10)[1]
    assert process.returncode == -signal.SIGINT
    assert told.rstrip().endswith("KeyboardInterrupt")
    assert not out.exists()
    assert 2 * PART <= len(Checkpoints(Path(f"{out}.parts")).load()) <= 6 * PART
    resumed = score_images(photos, model=synthetic.arithmetic_model(), out=out)
    assert resumed["status"].tolist() == ["ok"] * 20 * PART
    pd.testing.assert_frame_equal(resumed, score_images(photos, model=synthetic.arithmetic_model()))
