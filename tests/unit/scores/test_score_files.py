"""Decoding ahead and scoring in batches keep the order, the values and the rows of whatever fails."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from sexstrat.errors import StudyError
from sexstrat.images import prepare
from sexstrat.scores import forward, score_images, tally
from sexstrat.scores.forward import ListedFile, score_files
from sexstrat.scores.reading import read_photograph


def listed(paths: list[Path]) -> list[ListedFile]:
    return [ListedFile(key=path.name, path=str(path)) for path in paths]


@pytest.mark.parametrize("batch_size", [1, 7, 32])
def test_batching_does_not_change_a_score(tmp_path: Path, synthetic: ModuleType, batch_size: int) -> None:
    """Batches of 1, 7 and 32 give what each photograph gives alone, to 1e-6."""
    paths = synthetic.write_fundi(tmp_path, 20)
    model = synthetic.arithmetic_model()
    alone = [model.predict(prepare(path, model.card.prepared_size).pixels[None])[0] for path in paths]
    found = score_images(tmp_path, model=model, batch_size=batch_size)
    np.testing.assert_allclose(found["prob_male"], alone, atol=1e-6)
    assert np.ptp(alone) > 0.1


def test_the_eye_of_the_list_reaches_the_model(tmp_path: Path, synthetic: ModuleType) -> None:
    """A model that mirrors right eyes gives a right eye's row the score of its mirror image, resumed or not."""
    plain = synthetic.arithmetic_model()
    model = replace(plain, card=replace(plain.card, views="as_left_eye"))
    paths = [str(path) for path in synthetic.write_fundi(tmp_path, 3)]
    images = pd.DataFrame({"image_id": ["a", "b", "c"], "path": paths, "eye": ["L", "R", None]})
    crops = np.stack([prepare(path, plain.card.prepared_size).pixels for path in paths])
    left, right = plain.logits(crops), plain.logits(np.ascontiguousarray(crops[:, :, ::-1]))
    expected = expit([left[0], right[1], (left[2] + right[2]) / 2])
    out = tmp_path / "scores.parquet"
    np.testing.assert_allclose(score_images(images, model=model, out=out)["prob_male"], expected, atol=1e-9)
    turned = images.assign(eye=["R", "L", None])
    again = score_images(turned, model=model, out=out)["prob_male"]
    np.testing.assert_allclose(again[:2], expit([right[0], left[1]]), atol=1e-9)


def test_order_of_the_list_does_not_matter(tmp_path: Path, synthetic: ModuleType) -> None:
    """A shuffled list gives the same score to each image, in the list's new order."""
    synthetic.write_fundi(tmp_path, 20)
    (tmp_path / "007.jpg").write_bytes(b"")
    straight = score_images(tmp_path, model=synthetic.arithmetic_model(), batch_size=4)
    mixed = straight[["image_id", "path"]].sample(frac=1, random_state=3)
    again = score_images(mixed, model=synthetic.arithmetic_model(), batch_size=4)
    assert again["image_id"].tolist() == mixed["image_id"].tolist()
    merged = straight.merge(again, on="image_id", suffixes=("", "_again"))
    np.testing.assert_allclose(merged["prob_male"], merged["prob_male_again"], atol=1e-6)
    assert merged["status"].tolist() == merged["status_again"].tolist()


def test_order_and_values_do_not_depend_on_timing(
    tmp_path: Path, synthetic: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads that take random times give the same rows, bit for bit, as threads that do not."""
    files = listed(synthetic.write_fundi(tmp_path, 24))
    model = synthetic.arithmetic_model()
    calm = pd.concat(score_files(files, model, size=64, batch_size=5), ignore_index=True)
    jitter = random.Random(1)

    def slow(path: str, **options: str | None) -> bytes:
        time.sleep(jitter.random() / 100)
        return read_photograph(path, **options)

    monkeypatch.setattr(forward, "read_photograph", slow)
    hurried = pd.concat(score_files(files, model, size=64, batch_size=5), ignore_index=True)
    pd.testing.assert_frame_equal(calm, hurried)
    assert calm["key"].tolist() == [file.key for file in files]


def test_memory_holds_a_bounded_number_of_photographs(
    tmp_path: Path, synthetic: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the list, no more than two batches (and the threads' own) are read ahead of the model."""
    path = synthetic.write_fundi(tmp_path, 1)[0]
    read = []
    monkeypatch.setattr(forward, "read_photograph", lambda p, **_: read.append(p) or path.read_bytes())
    batches = score_files(listed([path] * 200), synthetic.arithmetic_model(), size=64, batch_size=4)
    done = len(next(batches))
    time.sleep(0.2)
    assert done == 4
    assert len(read) <= done + 2 * 4 + 1
    batches.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("decode")]


def test_the_model_works_while_the_caller_keeps_the_rows(tmp_path: Path, synthetic: ModuleType) -> None:
    """Between two batches asked for, one more is computed, so that writing costs no time; and no more than one."""
    path = synthetic.write_fundi(tmp_path, 1)[0]
    passes = []
    model = synthetic.arithmetic_model(fails=lambda number: passes.append(number) is not None)
    batches = score_files(listed([path] * 40), model, size=64, batch_size=4)
    for taken in (1, 2, 3):
        next(batches)
        time.sleep(0.2)
        assert passes == list(range(1, taken + 2))
    batches.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("decode", "forward"))]


def test_an_interrupt_while_the_caller_writes_ends_all_threads(tmp_path: Path, synthetic: ModuleType) -> None:
    """Ctrl-C drops what waits, finishes what runs, and comes out as itself."""
    path = synthetic.write_fundi(tmp_path, 1)[0]
    passes = []
    model = synthetic.arithmetic_model(fails=lambda number: passes.append(number) is not None)
    batches = score_files(listed([path] * 400), model, size=64, batch_size=4)
    next(batches)
    with pytest.raises(KeyboardInterrupt):
        batches.throw(KeyboardInterrupt)
    assert len(passes) <= 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("decode", "forward"))]


def test_a_batch_the_model_cannot_take_is_tried_one_by_one(tmp_path: Path, synthetic: ModuleType) -> None:
    """A model that runs out of memory on a batch still scores each photograph of it."""
    synthetic.write_fundi(tmp_path, 6)
    calm = score_images(tmp_path, model=synthetic.arithmetic_model(), batch_size=3)
    found = score_images(tmp_path, model=synthetic.arithmetic_model(fails=lambda n: n == 1), batch_size=3)
    pd.testing.assert_frame_equal(calm, found)


def test_a_photograph_the_model_cannot_take_is_a_row(tmp_path: Path, synthetic: ModuleType) -> None:
    """Of a batch of three whose second photograph always fails, two are scored and one says model_failed."""
    synthetic.write_fundi(tmp_path, 3)
    found = score_images(tmp_path, model=synthetic.arithmetic_model(fails=lambda n: n in {1, 3}), batch_size=3)
    assert found["status"].tolist() == ["ok", "model_failed", "ok"]
    assert found["reason"].iloc[1] == "the model failed: RuntimeError: out of memory"
    assert found["prob_male"].isna().tolist() == [False, True, False]
    assert found["quality"].notna().all()


def test_a_value_that_is_no_probability_is_not_written(tmp_path: Path, synthetic: ModuleType) -> None:
    """NaN or 1.5 from a model never reaches the table."""

    class Broken:
        def predict(self, pixels: np.ndarray, eyes: object = None) -> np.ndarray:
            return np.array([np.nan, 1.5, 0.25])[: len(pixels)]

    rows = pd.concat(score_files(listed(synthetic.write_fundi(tmp_path, 3)), Broken(), size=64))
    assert rows["status"].tolist() == ["model_failed", "model_failed", "ok"]
    assert rows["reason"].iloc[1] == "the model returned 1.5, which is no probability"
    assert rows["prob_male"].isna().tolist() == [True, True, False]


def test_a_decoder_that_breaks_in_an_unknown_way_costs_one_row(
    tmp_path: Path, synthetic: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error nobody foresaw in one photograph is that photograph's reason."""
    synthetic.write_fundi(tmp_path, 3)
    calls = iter([False, True, False])

    def fragile(data: bytes, size: int, *, decode: str, frame: int | None) -> object:
        if next(calls):
            raise RecursionError("too deep")
        return prepare(data, size, decode=decode, frame=frame)

    monkeypatch.setattr(forward, "prepare", fragile)
    monkeypatch.setattr(forward, "_THREADS", 1)
    found = score_images(tmp_path, model=synthetic.arithmetic_model())
    assert found["status"].tolist() == ["ok", "unreadable", "ok"]
    assert found["reason"].iloc[1] == "cannot be decoded: RecursionError: too deep"


def test_progress_tells_how_far_it_is(tmp_path: Path, synthetic: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines count up to all images; a second run says what was there before; a fast run says nothing."""
    synthetic.write_fundi(tmp_path / "photos", 5)
    told: list[str] = []
    run = partial(score_images, tmp_path / "photos", model=synthetic.arithmetic_model(), batch_size=2)
    run(progress=told.append)
    assert told == []
    monkeypatch.setattr(tally, "_PROGRESS_SECONDS", 0.0)
    for _ in range(2):
        run(progress=told.append, out=tmp_path / "scores.parquet")
    assert told == [f"{n} of 5 images done" for n in (2, 4, 5)] + ["5 of 5 images were scored before"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "at least 1; found 0"),
        ({"decode": "quick"}, "unknown decode 'quick'; allowed: exact, safe, fast"),
        ({"out": "scores.xlsx"}, "as .parquet or .csv"),
    ],
)
def test_arguments_that_cannot_be_are_refused_first(options: dict[str, object], message: str) -> None:
    """A wrong argument is named before a photograph is touched."""
    with pytest.raises(StudyError, match=message):
        score_images("nowhere", **options)
