"""A Keras network loaded from its card scores a folder; neither batches nor company change a score."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sexstrat.cli.app import run
from sexstrat.models import Head, build, load_model, publish
from sexstrat.scores import read_scores, score_images


@pytest.fixture(scope="module")
def card_folder(tmp_path_factory: pytest.TempPathFactory, synthetic: ModuleType) -> Path:
    """Publish a small MobileNet with seeded random weights."""
    folder = tmp_path_factory.mktemp("mobilenet")
    card = replace(synthetic.arithmetic_model().card, model_id="random-mobilenet", weights_file="random.npz")
    network = build("mobilenet", (Head(name="sex", units=1),), card.input_size)
    rng = np.random.default_rng(11)
    for weight in network.trainable_weights:
        if len(weight.shape) > 1:  # He's scale keeps the signal alive through the depth; Keras' default lets it vanish
            inputs = 9 if "_dw_" in weight.path else int(np.prod(weight.shape[:-1]))
            weight.assign(rng.normal(0, np.sqrt(2 / inputs), weight.shape))
    publish(network, card, folder)
    return folder


@pytest.mark.parametrize("runtime", ["keras", "openvino"])
def test_batches_do_not_change_what_the_network_gives(
    card_folder: Path, tmp_path: Path, synthetic: ModuleType, runtime: str
) -> None:
    """Batches of 1, 7 and 32 agree to 1e-6, and so does a photograph scored alone."""
    paths = synthetic.write_fundi(tmp_path, 18)
    model = load_model(card_folder, runtime=runtime)
    reference = score_images(tmp_path, model=card_folder, batch_size=32, runtime=runtime)
    assert set(reference["model_id"]) == {"random-mobilenet"}
    assert set(reference["model_sha256"]) == {model.card.weights_sha256}
    assert set(reference["runtime"]) == {runtime}
    assert set(reference["status"]) == {"ok"}
    assert reference["prob_male"].nunique() > 10
    for batch_size in (1, 7):
        found = score_images(tmp_path, model=model, batch_size=batch_size)
        np.testing.assert_allclose(found["prob_male"], reference["prob_male"], atol=1e-6)
    alone = score_images(paths[5], model=model)
    assert alone["prob_male"].item() == pytest.approx(reference["prob_male"].iloc[5], abs=1e-6)


def test_the_command_scores_a_hostile_folder_and_leaves_with_zero(
    card_folder: Path, tmp_path: Path, synthetic: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """``sexstrat score`` counts every file by status, writes a row for each, and shows no traceback."""
    good = synthetic.write_fundi(tmp_path / "photos" / "right", 1)[0].read_bytes()
    contents = {"left/000.jpg": good, "cut.jpg": good[:900], "empty.jpg": b"", "text.jpg": b"patient 7"}
    for name, content in contents.items():
        path = tmp_path / "photos" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    out = tmp_path / "scores.parquet"
    code = run(["score", str(tmp_path / "photos"), "--model", str(card_folder), "--out", str(out)])
    shown = capsys.readouterr()
    assert code == 0, shown.err
    assert "5 images: 2 scored, 3 without a score" in shown.out
    assert "Traceback" not in shown.out + shown.err
    assert read_scores(out)["status"].tolist() == ["unreadable", "empty_file", "ok", "ok", "not_an_image"]


def test_a_wrong_column_leaves_with_three_and_names_the_right_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A list that breaks its contract is an input error: code 3, with line, column and the likely name."""
    listing = tmp_path / "images.csv"
    listing.write_text("image_id,pth\na,1.jpg\n", encoding="utf-8")
    code = run(["score", str(listing), "--out", str(tmp_path / "scores.parquet")])
    shown = capsys.readouterr()
    assert code == 3
    assert "column pth: unknown column" in " ".join(shown.err.split())
    assert "Did you mean path?" in " ".join(shown.err.split())
    assert "Traceback" not in shown.out + shown.err
