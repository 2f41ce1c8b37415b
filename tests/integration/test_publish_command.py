"""A published folder: every file gives what Keras gives, shows nobody, and whatever is changed in it is caught."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.special import expit

from sexstrat.cli.app import run
from sexstrat.errors import ModelError
from sexstrat.models import (
    BACKBONES,
    GoldenOutput,
    Head,
    ModelCard,
    build,
    card_from_json,
    golden_input,
    load_model,
    publish,
    read_card,
    write_card,
)
from sexstrat.models.exports import write_exports
from sexstrat.models.openvino_runtime import stored_forward
from sexstrat.models.release import changed_files, release_model
from sexstrat.models.verification import verify_model

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

SIZE = 32


def small_model(folder: Path, name: str, size: int) -> Path:
    """Publish a network of random weights whose output depends on what it sees."""
    network = build(name, (Head(name="sex", units=1),), None)
    rng = np.random.default_rng(5)
    for layer in network.layers:
        for weight in layer.trainable_weights:
            if "kernel" in weight.name and len(weight.shape) > 1:
                fan_in = 9 if "depthwise" in type(layer).__name__.lower() else int(np.prod(weight.shape[:-1]))
                weight.assign(rng.normal(0, np.sqrt(2 / fan_in), weight.shape))
    for layer in (layer for layer in network.layers if hasattr(layer, "moving_variance")):
        layer.momentum = 0.0
    pictures = np.stack([golden_input(seed, size) for seed in range(1, 9)])
    scaled = pictures.astype(np.float32) / (1 if BACKBONES[name].scaling == "raw" else 127.5)
    network(scaled - (0 if BACKBONES[name].scaling == "raw" else 1), training=True)
    card = ModelCard(
        model_id="small", title="A small model", weights_file="small.npz", weights_sha256="0" * 64, backbone=name,
        input_size=size, prepared_size=size + 8, scaling=BACKBONES[name].scaling, channel_order="RGB",
        output_kind="logit", class_order=("male",), views="as_taken", training_ages=(20.0, 90.0), terms="free",
        training_data={"source": "nobody", "parts": {"train": {"n_patients": 1200, "n_men": 600}}, "split": "by hash"},
        performance=(
            {"data": "d", "unit": "patient", "metric": "auc", "group": "overall", "level": "all", "point": 0.7,
             "low": 0.65, "high": 0.75, "n_patients": 300},
            {"data": "d", "unit": "patient", "metric": "auc", "group": "age_band", "level": "75+", "point": None,
             "low": None, "high": None, "n_patients": None},
        ),
        failure_modes=("blurred photographs",), golden=(GoldenOutput(seed=1, prob_male=0.5),),
    )  # fmt: skip
    publish(network, card, folder)
    return folder


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a published folder, made by the command."""
    folder = tmp_path_factory.mktemp("publish")
    assert run(["publish", str(small_model(folder / "model", "mobilenet", SIZE)), "--out", str(folder / "out")]) == 0
    return folder / "out"


def test_every_file_gives_what_keras_gives(released: Path) -> None:
    """The card lists four files and by how much they differ from Keras; all lie there, with their digests."""
    card = read_card(released / "card.json")
    assert [export["format"] for export in card.exports] == ["keras", "weights_h5", "onnx", "openvino"]
    assert all(0 <= export["largest_difference"] <= 1e-4 for export in card.exports)
    _, checks = verify_model(released)
    told = {check.name: (check.held, check.detail) for check in checks}
    assert told["published files"] == (True, "13 files are as published")
    assert all(check.held for check in checks)


def test_keras_itself_opens_the_published_file(released: Path) -> None:
    """The ``.keras`` file is one that Keras loads without this library, and the ``.weights.h5`` fills that network."""
    import keras

    network = keras.models.load_model(released / "small.keras", compile=False)
    pixels = golden_input(2, SIZE)[None] / np.float32(127.5) - 1
    first = np.asarray(network(pixels)["sex"])
    network.set_weights([weight * 0 for weight in network.get_weights()])
    network.load_weights(released / "small.weights.h5")
    assert np.asarray(network(pixels)["sex"]) == pytest.approx(first, abs=1e-6)


def test_golden_pictures_are_patterns_and_reproduce(released: Path) -> None:
    """Every golden picture is the whole-number pattern of its seed, and gives the recorded probability."""
    told = json.loads((released / "golden" / "golden.json").read_text(encoding="utf-8"))
    model = load_model(released)
    for row in told["rows"]:
        pixels = np.asarray(Image.open(released / "golden" / row["file"]))
        assert (pixels == golden_input(row["seed"], SIZE + 8)).all()
        assert float(model.predict(pixels[None])[0]) == pytest.approx(row["prob_male"], abs=told["tolerance"])


def test_the_card_for_people_has_the_items_of_tripod(released: Path) -> None:
    """Every section is there; what nobody stated says so; an undefined figure is not a number."""
    text = (released / "MODEL_CARD.md").read_text(encoding="utf-8")
    for words in ("# A small model", "TRIPOD+AI 5", "TRIPOD+AI 26", "| train | 1,200 | 600 |", "0.650 to 0.750",
                  "age band: 75+ | undefined", "- blurred photographs", "| small.onnx | onnx |"):  # fmt: skip
        assert words in text
    ethics = text.split("## Ethical approval")[1]
    assert "Not stated by its maker." in ethics
    assert "nan" not in text.lower().replace("nano", "")


def test_checksums_are_those_of_any_machine(released: Path) -> None:
    """``SHA256SUMS`` is in the form that ``sha256sum --check`` reads, and names every other file."""
    lines = (released / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    named = {line.split("  ")[1] for line in lines}
    found = {path.relative_to(released).as_posix() for path in released.rglob("*") if path.is_file()}
    assert named == found - {"SHA256SUMS"}
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=released, check=True)


def changed(released: Path, folder: Path, **changes: Any) -> Path:
    """Copy weights and card, changing the card."""
    card = read_card(released / "card.json")
    (folder / card.weights_file).write_bytes((released / card.weights_file).read_bytes())
    write_card(replace(card, **changes), folder / "card.json")
    return folder / "card.json"


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"class_order": ("female",)}, "they hold with class_order male: the card is wrong there"),
        ({"scaling": "raw"}, "they hold with scaling tf: the card is wrong there"),
        ({"channel_order": "BGR"}, "they hold with channel_order RGB: the card is wrong there"),
        ({"input_size": 40}, "golden outputs: largest difference"),
    ],
)
def test_a_published_model_fed_otherwise_is_caught(
    released: Path, changes: dict[str, Any], hint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Class swap, wrong scaling, channel order and size: ``models verify`` refuses, and names what would hold."""
    source = changed(released, tmp_path, **changes)
    assert run(["models", "verify", str(source)]) == 3
    assert hint in capsys.readouterr().err


def test_a_changed_file_is_caught(released: Path, tmp_path: Path) -> None:
    """An export that was altered or removed is named; so is a checksum that points out of the folder."""
    for path in released.rglob("*"):
        if path.is_file():
            (tmp_path / path.relative_to(released)).parent.mkdir(exist_ok=True)
            (tmp_path / path.relative_to(released)).write_bytes(path.read_bytes())
    (tmp_path / "small.onnx").write_bytes(b"other")
    (tmp_path / "golden" / "pattern_1.png").unlink()
    _, checks = verify_model(tmp_path)
    assert checks[-1].held is False
    assert checks[-1].detail == "golden/pattern_1.png is missing; small.onnx has changed"
    (tmp_path / "SHA256SUMS").write_text("0" * 64 + "  ../secret\n", encoding="utf-8")
    with pytest.raises(ModelError, match="line 1: must be a SHA-256, two blanks and a name within"):
        changed_files(tmp_path)


def test_openvino_files_run_alone_and_onnx_is_not_exported_again(released: Path, tmp_path: Path) -> None:
    """The ``.xml`` file gives the model's probability; a model without a Keras network says what to start from."""
    model = load_model(released)
    pixels = golden_input(3, SIZE)[None] / np.float32(127.5) - 1
    alone = expit(stored_forward(released / "small.xml", size=SIZE)(pixels))
    assert alone == pytest.approx(expit(model.forward(pixels)), abs=1e-4)
    with pytest.raises(ModelError, match="cannot be exported again"):
        write_exports(replace(model, network=None), tmp_path)


def test_a_folder_with_files_is_left_alone(released: Path, tmp_path: Path) -> None:
    """Nothing is overwritten, and a card with exports is read back as it was written."""
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ModelError, match="is not an empty folder"):
        release_model(released, tmp_path)
    text = (released / "card.json").read_text(encoding="utf-8")
    assert card_from_json(text) == read_card(released / "card.json")


def _heavy() -> Iterator[Any]:
    yield from (pytest.param(name, marks=pytest.mark.slow) for name in sorted(BACKBONES) if name != "mobilenet")


@pytest.mark.parametrize("name", list(_heavy()))
def test_all_sixteen_can_be_published(name: str, tmp_path: Path) -> None:
    """Each of the other networks: four files, each within 1e-4 of Keras."""
    size = max(SIZE, BACKBONES[name].smallest_size)
    found = release_model(small_model(tmp_path / "model", name, size), tmp_path / "out")
    print(name, {export.format: f"{export.largest_difference:.1e}" for export in found.exports})  # noqa: T201
    assert max(export.largest_difference for export in found.exports) <= 1e-4
