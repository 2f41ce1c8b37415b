"""What was scored is not scored again, unless the photograph, the list or the model changed."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from sexstrat.scores import forward, parts, read_scores, score_images, tally
from sexstrat.scores.checkpoints import Checkpoints


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the name of every photograph that is opened."""
    names: list[str] = []
    read = forward.read_photograph

    def recording(path: str, **options: str | None) -> bytes:
        names.append(Path(path).name)
        return read(path, **options)

    monkeypatch.setattr(forward, "read_photograph", recording)
    return names


def test_a_second_run_opens_only_what_changed(tmp_path: Path, synthetic: ModuleType, opened: list[str]) -> None:
    """New and touched photographs are read; the others keep their scores; rows of photographs gone are dropped."""
    photos, out = tmp_path / "photos", tmp_path / "scores.parquet"
    paths = synthetic.write_fundi(photos, 5)
    first = score_images(photos, model=synthetic.arithmetic_model(), out=out)
    opened.clear()
    pd.testing.assert_frame_equal(score_images(photos, model=synthetic.arithmetic_model(), out=out), first)
    assert opened == []
    synthetic.write_fundi(photos, 1, start=5)
    synthetic.draw_fundus(99, width=160, height=120).save(paths[1])
    paths[3].unlink()
    os.utime(paths[4], ns=(0, 0))  # touched: same size, another time
    second = score_images(photos, model=synthetic.arithmetic_model(), out=out)
    assert sorted(opened) == ["001.jpg", "004.jpg", "005.jpg"]
    assert second["image_id"].tolist() == ["000.jpg", "001.jpg", "002.jpg", "004.jpg", "005.jpg"]
    assert second["prob_male"].iloc[1] != first["prob_male"].iloc[1]
    assert len(Checkpoints(Path(f"{out}.parts")).load()) == 5


def test_another_model_scores_everything_again(tmp_path: Path, synthetic: ModuleType, opened: list[str]) -> None:
    """Scores of other weights are never reused."""
    photos, out = tmp_path / "photos", tmp_path / "scores.parquet"
    synthetic.write_fundi(photos, 3)
    score_images(photos, model=synthetic.arithmetic_model(), out=out)
    opened.clear()
    found = score_images(photos, model=synthetic.arithmetic_model(digest="b" * 64), out=out)
    assert len(opened) == 3
    assert found["model_sha256"].unique().tolist() == ["b" * 64]


def test_what_may_be_the_machines_fault_is_tried_again(tmp_path: Path, synthetic: ModuleType) -> None:
    """A model that failed once and a file that was missing get another chance; a text file does not need one."""
    photos, out = tmp_path / "photos", tmp_path / "scores.parquet"
    synthetic.write_fundi(photos, 2)
    (photos / "note.jpg").write_text("not a photograph", encoding="utf-8")
    listing = pd.DataFrame({"path": [str(photos / n) for n in ("000.jpg", "001.jpg", "002.jpg", "note.jpg")]})
    first = score_images(listing, model=synthetic.arithmetic_model(fails=lambda n: n in {1, 2}), out=out)
    assert first["status"].tolist() == ["model_failed", "ok", "missing_file", "not_an_image"]
    synthetic.write_fundi(photos, 1, start=2)
    second = score_images(listing, model=synthetic.arithmetic_model(), out=out)
    assert second["status"].tolist() == ["ok", "ok", "ok", "not_an_image"]


def test_a_run_that_stops_half_way_goes_on_from_its_last_part(
    tmp_path: Path, synthetic: ModuleType, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an interruption the finished parts are kept and only the rest is scored; the table is the same."""
    monkeypatch.setattr(parts, "PART_ROWS", 4)
    monkeypatch.setattr(tally, "_PROGRESS_SECONDS", 0.0)
    photos, out = tmp_path / "photos", tmp_path / "scores.parquet"
    synthetic.write_fundi(photos, 12)

    def stop(line: str) -> None:
        if line.startswith("10 of 12"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_images(photos, model=synthetic.arithmetic_model(), out=out, batch_size=2, progress=stop)
    assert not out.exists()
    opened.clear()
    resumed = score_images(photos, model=synthetic.arithmetic_model(), out=out, batch_size=2)
    assert sorted(opened) == [f"{i:03d}.jpg" for i in range(8, 12)]
    pd.testing.assert_frame_equal(resumed, score_images(photos, model=synthetic.arithmetic_model()))
    pd.testing.assert_frame_equal(read_scores(out), resumed)
    assert len(list(Path(f"{out}.parts").iterdir())) == 1


def test_a_damaged_part_is_scored_again(tmp_path: Path, synthetic: ModuleType) -> None:
    """A part that cannot be read costs its rows' time, not the run."""
    photos, out = tmp_path / "photos", tmp_path / "scores.parquet"
    synthetic.write_fundi(photos, 3)
    first = score_images(photos, model=synthetic.arithmetic_model(), out=out)
    (part,) = Path(f"{out}.parts").iterdir()
    part.write_bytes(part.read_bytes()[:50])
    pd.testing.assert_frame_equal(score_images(photos, model=synthetic.arithmetic_model(), out=out), first)


def test_an_output_inside_the_folder_is_not_scored(tmp_path: Path, synthetic: ModuleType) -> None:
    """A table written into the folder of photographs is not taken for one at the next run."""
    synthetic.write_fundi(tmp_path, 2)
    out = tmp_path / "scores.csv"
    for _ in range(2):
        found = score_images(tmp_path, model=synthetic.arithmetic_model(), out=out)
        assert found["image_id"].tolist() == ["000.jpg", "001.jpg"]


def test_equal_bytes_under_two_names_are_two_rows(tmp_path: Path, synthetic: ModuleType) -> None:
    """A copied photograph, and one file listed twice under two ids, keep a row each with the same score."""
    path = synthetic.write_fundi(tmp_path, 1)[0]
    (tmp_path / "copy.jpg").write_bytes(path.read_bytes())
    os.utime(tmp_path / "copy.jpg", ns=(0, 0))
    listing = pd.DataFrame({"image_id": list("abc"), "path": [str(path), str(path), str(tmp_path / "copy.jpg")]})
    found = score_images(listing, model=synthetic.arithmetic_model(), out=tmp_path / "scores.parquet")
    assert found["image_id"].tolist() == ["a", "b", "c"]
    assert found["prob_male"].tolist() == [found["prob_male"].iloc[0]] * 3
