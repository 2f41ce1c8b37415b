"""A model loads only when card, digest, arrays and golden outputs all fit, and scores each photograph by itself."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sexstrat.errors import ModelError
from sexstrat.models import (
    BATCH_SIZE,
    GoldenOutput,
    Head,
    ModelCard,
    build,
    file_sha256,
    golden_input,
    load_model,
    publish,
    read_card,
    write_card,
)

SIDE, INPUT = 40, 32


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a published MobileNet with seeded random weights."""
    import keras

    keras.utils.set_random_seed(5)
    heads = (Head(name="sex", units=1), Head(name="age", units=1))
    network = build("mobilenet", heads, None, dropout=0.2)
    rng = np.random.default_rng(5)
    for layer in network.layers:
        if type(layer).__name__ == "BatchNormalization":  # small variances keep a random network's signal alive
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights([gamma, beta, mean, variance * 0.03])
    network.get_layer("head_sex").set_weights([rng.normal(0, 2, (1024, 1)), np.array([0.1])])
    card = ModelCard(
        model_id="random-1", title="Random weights", weights_file="random.npz", weights_sha256="0" * 64,
        backbone="mobilenet", input_size=INPUT, prepared_size=SIDE, scaling="tf", channel_order="RGB",
        output_kind="logit", class_order=("male",), views="both", training_ages=(0, 120), terms="none",
        golden=(GoldenOutput(seed=1, prob_male=0.5),),
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("published")
    publish(network, card, folder)
    return folder


@pytest.fixture
def copy(published: Path, tmp_path: Path) -> Path:
    """Return a copy of the published folder that a test may spoil."""
    for path in published.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def rewrite(folder: Path, change: Callable[[dict[str, np.ndarray]], None]) -> None:
    """Change the stored arrays and give the card the new digest, as a forger would."""
    path = folder / "random.npz"
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    change(arrays)
    np.savez(path, **arrays)
    write_card(replace(read_card(folder / "card.json"), weights_sha256=file_sha256(path)), folder / "card.json")


def test_a_score_does_not_depend_on_what_is_scored_with_it(published: Path) -> None:
    """One photograph alone and among others gives the same probability to the last digit."""
    model = load_model(published)
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (BATCH_SIZE + 3, SIDE, SIDE, 3), dtype=np.uint8)
    together = model.predict(pictures)
    assert together.shape == (BATCH_SIZE + 3,)
    assert np.unique(together).size == len(pictures)
    assert model.predict(pictures[-1:])[0] == together[-1]
    assert model.predict(pictures[:0]).shape == (0,)


def test_a_left_and_a_right_eye_score_alike(published: Path) -> None:
    """With the flip of the card, a photograph and its mirror image have one score."""
    model = load_model(published / "card.json")
    picture = np.random.default_rng(1).integers(0, 256, (1, SIDE, SIDE, 3), dtype=np.uint8)
    assert model.predict(picture) == pytest.approx(model.predict(picture[:, :, ::-1]), abs=1e-6)


def test_eyes_are_looked_at_the_way_the_card_says(published: Path) -> None:
    """As a left eye: the mirror image of a right eye scores like the left one; an unknown eye is the mean of both."""
    loaded = load_model(published)
    model = replace(loaded, card=replace(loaded.card, views="as_left_eye"))
    plain = replace(loaded, card=replace(loaded.card, views="as_taken"))
    rng = np.random.default_rng(4)
    pictures = rng.integers(0, 256, (BATCH_SIZE + 2, SIDE, SIDE, 3), dtype=np.uint8)
    mirrored = np.ascontiguousarray(pictures[:, :, ::-1])
    count = len(pictures)
    left, right = plain.logits(pictures), plain.logits(mirrored)
    assert (model.logits(pictures, ["L"] * count) == left).all()
    assert (model.logits(mirrored, ["R"] * count) == left).all()
    assert np.abs(left - right).min() > 0
    assert model.logits(pictures) == pytest.approx((left + right) / 2, abs=1e-9)
    mixed = model.logits(pictures, ["L", "R", None] + ["L"] * (count - 3))
    assert (mixed[:2] == [left[0], right[1]]).all()
    assert mixed[2] == pytest.approx((left[2] + right[2]) / 2, abs=1e-9)
    with pytest.raises(ModelError, match=f"eyes has 1 entries for {count} crops"):
        model.logits(pictures, ["L"])


def test_only_the_sex_head_and_half_precision_are_published(published: Path) -> None:
    """The file holds float16 arrays of backbone and sex head, and nothing that could be run."""
    with np.load(published / "random.npz", allow_pickle=False) as stored:
        assert {stored[name].dtype for name in stored.files} == {np.dtype(np.float16)}
        assert sum(stored[name].size for name in stored.files) == 3_228_864 + 1024 + 1


def test_publishing_twice_gives_the_same_bytes(published: Path, tmp_path: Path) -> None:
    """The same weights give the same digest on every day."""
    model = load_model(published)
    again = publish(model.network, model.card, tmp_path)
    assert again == model.card


def test_another_weights_file_is_refused(copy: Path) -> None:
    """A file whose digest is not the card's is not opened."""
    (copy / "random.npz").write_bytes(b"something else")
    with pytest.raises(ModelError, match="is not the one of its card: SHA-256"):
        load_model(copy)


def test_a_missing_weights_file_is_named(copy: Path) -> None:
    """The message names the file that should lie beside the card."""
    (copy / "random.npz").unlink()
    with pytest.raises(ModelError, match=r"random\.npz is not beside its card"):
        load_model(copy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.pop(next(iter(a))), "1 missing"),
        (lambda a: a.update({"x": np.zeros(1)}), r"1 not known \['x'\]"),
        (lambda a: a.update({next(iter(a)): np.zeros((2, 2), np.float16)}), r"has shape \(2, 2\)"),
        (lambda a: a.update({next(iter(a)): a[next(iter(a))].astype(int)}), "holds int64|bytes; at most"),
        (lambda a: a.update({next(iter(a)): a[next(iter(a))] * np.nan}), "not finite"),
        (lambda a: a.update({next(iter(a)): np.zeros(10**6, np.float32)}), "bytes; at most"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    copy: Path, change: Callable[[dict[str, np.ndarray]], None], message: str
) -> None:
    """A missing, surplus, misshapen, wrongly typed, oversized or non-finite array stops the load."""
    rewrite(copy, change)
    with pytest.raises(ModelError, match=message):
        load_model(copy)


def test_pickled_objects_are_never_read(copy: Path) -> None:
    """An array of objects, the way code hides in such files, is refused."""
    rewrite(copy, lambda a: a.update({next(iter(a)): np.array([{"run": "me"}], dtype=object)}))
    with pytest.raises(ModelError, match="is not a plain array"):
        load_model(copy)


def test_a_changed_weight_is_caught_by_the_golden_outputs(copy: Path) -> None:
    """Even with a matching digest, weights that give other outputs are refused."""
    rewrite(copy, lambda a: a.update({name: value * 1.01 for name, value in a.items() if "Dense.kernel" in name}))
    with pytest.raises(ModelError, match="does not give its golden outputs on the keras runtime"):
        load_model(copy)


def test_a_file_that_is_no_archive_is_damaged(copy: Path) -> None:
    """Random bytes under a matching digest are a ModelError."""
    (copy / "random.npz").write_bytes(b"PK nothing")
    digest = hashlib.sha256(b"PK nothing").hexdigest()
    write_card(replace(read_card(copy / "card.json"), weights_sha256=digest), copy / "card.json")
    with pytest.raises(ModelError, match="is damaged"):
        load_model(copy)


def test_a_truncated_archive_is_damaged(copy: Path) -> None:
    """A weights file whose end is missing is a ModelError."""
    path = copy / "random.npz"
    path.write_bytes(path.read_bytes()[:-2000])
    write_card(replace(read_card(copy / "card.json"), weights_sha256=file_sha256(path)), copy / "card.json")
    assert not zipfile.is_zipfile(path)
    with pytest.raises(ModelError, match="is damaged"):
        load_model(copy)


def test_whole_models_are_not_deserialised(tmp_path: Path) -> None:
    """A .keras or .h5 file is turned away: it may carry code."""
    with pytest.raises(ModelError, match="is not a model card"):
        load_model(tmp_path / "model.keras")


def test_wrong_pixels_are_refused(published: Path) -> None:
    """Crops of another size or type are an error, not a silent resize."""
    model = load_model(published)
    with pytest.raises(ModelError, match=r"needs uint8 \(n, 40, 40, 3\)"):
        model.predict(np.zeros((1, 41, 41, 3), np.uint8))
    with pytest.raises(ModelError, match="pixels are float32"):
        model.predict(np.zeros((1, SIDE, SIDE, 3), np.float32))  # type: ignore[arg-type]


def test_golden_inputs_show_nobody_and_differ() -> None:
    """The synthetic inputs are whole-number patterns, different from each other."""
    first, second = golden_input(1, 64), golden_input(2, 64)
    assert (first != second).mean() > 0.5
    assert golden_input(3, 256)[200, 100].tolist() == golden_input(3, 300)[200, 100].tolist()


def test_the_shipped_model_loads() -> None:
    """The shipped demonstration model passes its own golden outputs and says what it is."""
    model = load_model()
    assert "demonstration" in model.card.statement.lower()
    assert model.card.positive_class == "male"
    pictures = np.stack([golden_input(seed, model.card.prepared_size) for seed in (1, 2)])
    found = model.predict(pictures)
    assert ((found > 0) & (found < 1)).all()
