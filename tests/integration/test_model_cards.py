"""A card is written for a foreign file, and ``verify`` catches whatever of it is wrong."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sexstrat.cli.app import run
from sexstrat.errors import ModelError, SchemaError
from sexstrat.models import file_contents, load_model, read_card, write_card
from sexstrat.models.card_drafting import draft_card, open_questions
from sexstrat.models.verification import verify_model
from sexstrat.training.orientation import orientation_checks, read_labels

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

SIZE = 64
ANSWERS: dict[str, Any] = {
    "model_id": "foreign-1",
    "title": "A foreign model",
    "scaling": "tf",
    "channel_order": "RGB",
    "class_order": ("male",),
    "training_ages": (17.0, 94.0),
    "terms": "none",
}


def redness(keras: Any, folder: Path) -> Path:
    """Save a MobileNet whose probability rises with how red and how bright a photograph is."""
    base = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(SIZE, SIZE, 3), alpha=1.0)
    values = keras.layers.GlobalAveragePooling2D()(base.output)
    network = keras.Model(base.input, keras.layers.Dense(1, activation="sigmoid")(values))
    for layer in base.layers:  # one channel after the other carries max(red, 0); the rest is silent
        held = [np.zeros_like(value) for value in layer.get_weights()]
        if type(layer).__name__ == "BatchNormalization":
            held = [np.ones_like(held[0]), held[1], held[2], np.ones_like(held[3])]
        elif len(held) == 1:
            middle = held[0].shape[0] // 2
            held[0][middle, middle, 0, 0] = 1.0
        if held:
            layer.set_weights(held)
    kernel = np.zeros((1024, 1), np.float32)
    kernel[0] = 8.0
    network.layers[-1].set_weights([kernel, np.float32([-2.0])])
    path = folder / "redness.h5"
    network.save(str(path))
    return path


@pytest.fixture(scope="module")
def model(foreign_networks: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the card of a Keras-2 file whose scores are understood."""
    folder = tmp_path_factory.mktemp("model")
    weights = redness(foreign_networks.keras_named("tf_keras"), folder)
    write_card(draft_card(weights, ANSWERS), folder / "card.json")
    return folder / "card.json"


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return photographs of discs in which men are redder, bluer women as bright, and a CSV of them."""
    folder = tmp_path_factory.mktemp("labels")
    rng = np.random.default_rng(11)
    y, x = np.mgrid[:96, :96]
    lines = ["path,recorded_sex,patient_id"]
    for i in range(48):
        male = i % 2 == 0
        red = rng.normal(190 if male else 170, 8)
        color = np.array([red, 90, 250 - red])
        picture = np.where((np.hypot(x - 48, y - 48) < 45)[:, :, None], color + rng.normal(0, 2, (96, 96, 1)), 0)
        Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(folder / f"{i:02d}.png")
        lines.append(f"{i:02d}.png,{'male' if male else 'female'},p{i}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder / "labels.csv"


def changed(model: Path, folder: Path, **changes: Any) -> Path:
    """Copy model and card, changing the card."""
    card = read_card(model)
    (folder / card.weights_file).write_bytes((model.parent / card.weights_file).read_bytes())
    write_card(replace(card, **changes), folder / "card.json")
    return folder / "card.json"


def broken(source: Path) -> str:
    _, checks = verify_model(source)
    return "; ".join(f"{check.name}: {check.detail}" for check in checks if check.held is False)


def test_the_card_says_what_the_file_tells(model: Path) -> None:
    """Backbone, size, kind of output and format are read; the model loads and gives golden outputs that differ."""
    card = read_card(model)
    assert (card.backbone, card.input_size, card.output_kind) == ("mobilenet", SIZE, "sigmoid")
    assert (card.weights_format, card.weights_file) == ("h5", "redness.h5")
    assert np.ptp([row.value for row in card.golden]) > 10 * card.golden_tolerance
    assert load_model(model).card == card
    assert broken(model) == ""


def test_nothing_is_guessed(model: Path) -> None:
    """Without answers every open question is named with what is allowed."""
    weights = model.parent / "redness.h5"
    names = [question.name for question in open_questions(file_contents(weights), {})]
    assert names == ["model_id", "title", "scaling", "channel_order", "class_order", "training_ages", "terms"]
    with pytest.raises(ModelError, match=r"nothing is guessed: scaling .*raw \(0 to 255\)"):
        draft_card(weights, {name: value for name, value in ANSWERS.items() if name != "scaling"})


def test_golden_outputs_of_the_maker_catch_a_wrong_answer(model: Path) -> None:
    """With outputs that the maker got, a card with another scaling is not written."""
    golden = read_card(model).golden
    weights = model.parent / "redness.h5"
    assert draft_card(weights, ANSWERS, golden=golden).golden == golden
    with pytest.raises(ModelError, match="its maker got"):
        draft_card(weights, ANSWERS | {"scaling": "unit"}, golden=golden)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scaling": "raw"}, "they hold with scaling tf: the card is wrong there"),
        ({"channel_order": "BGR"}, "they hold with channel_order RGB: the card is wrong there"),
        ({"input_size": 96, "prepared_size": 96}, "takes pictures of 64 pixels; the card says input_size 96"),
        pytest.param({"prepared_size": 80}, "golden outputs: largest difference", marks=pytest.mark.slow),
        ({"class_order": ("female",)}, "golden outputs: largest difference"),
        ({"backbone": "xception"}, "holds the backbone mobilenet; the card says xception"),
        ({"output_kind": "logit"}, "the network ends in sigmoid; the card's output kind logit needs linear"),
        ({"weights_sha256": "0" * 64}, "digest: SHA-256 of redness.h5 is"),
    ],
)
def test_a_wrong_card_is_caught_without_labels(
    model: Path, changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    """Scaling, channel order, size, class, backbone, kind of output and digest: each is named."""
    assert message in broken(changed(model, tmp_path, **changes))


def by_labels(source: Path, labels: Path) -> dict[str, tuple[bool | None, str]]:
    loaded, _ = verify_model(source)
    assert loaded is not None
    return {check.name: (check.held, check.detail) for check in orientation_checks(loaded, source, read_labels(labels))}


def test_swapped_classes_are_refused(model: Path, labels: Path, tmp_path: Path) -> None:
    """A card drafted with the wrong class keeps its golden outputs; the labels find it."""
    swapped = draft_card(model.parent / "redness.h5", ANSWERS | {"class_order": ("female",)})
    source = changed(model, tmp_path, class_order=("female",), golden=swapped.golden)
    assert broken(source) == ""
    held, detail = by_labels(source, labels)["orientation"]
    assert held is False
    assert detail.startswith("classes swapped: AUC 0.0")
    assert run(["models", "verify", str(source), "--labels", str(labels), "--json"]) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channel_order": "BGR"}, "classes swapped|channel_order RGB"),
        pytest.param({"scaling": "raw"}, "scaling tf", marks=pytest.mark.slow),
    ],
)
def test_a_card_drafted_wrongly_is_found_by_labels(
    model: Path, labels: Path, changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    """A wrong channel order or scaling from the start has golden outputs of its own; the AUC finds it."""
    wrong = draft_card(model.parent / "redness.h5", ANSWERS | changes)
    source = changed(model, tmp_path, golden=wrong.golden, **changes)
    found = by_labels(source, labels)
    refusals = "; ".join(detail for held, detail in found.values() if held is False)
    assert re.search(message, refusals), found


def test_labels_are_held_to_their_columns(tmp_path: Path) -> None:
    """A value that is not male or female is named with row and column."""
    path = tmp_path / "labels.csv"
    path.write_text("path,recorded_sex\na.png,male\nb.png,M\n")
    with pytest.raises(SchemaError, match=r"row 3, column recorded_sex: .*found 'M'; allowed: male, female"):
        read_labels(path)
    path.write_text("path,sex\na.png,male\n")
    with pytest.raises(SchemaError, match="column recorded_sex: column is missing"):
        read_labels(path)


def test_a_model_of_age_gives_years(foreign_networks: ModuleType, tmp_path: Path) -> None:
    """A card of age: ``predict`` gives years, ``logits`` says why there are none, and the golden outputs are years."""
    keras = foreign_networks.keras_named("tf_keras")
    network = foreign_networks.sex_network(keras, "mobilenet", activation="linear")
    head = network.layers[-1]
    head.set_weights([head.get_weights()[0] * 10, np.float32([50.0])])
    weights = foreign_networks.save(network, tmp_path / "age.h5")
    answers = {name: value for name, value in ANSWERS.items() if name != "class_order"} | {"output_kind": "age_years"}
    card = draft_card(weights, answers)
    write_card(card, tmp_path / "card.json")
    loaded = load_model(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)
    expected = np.maximum(network.predict_on_batch(pixels / np.float32(127.5) - 1)[:, 0], 0)
    assert loaded.predict(pixels) == pytest.approx(expected, abs=1e-3)
    assert all(row.age_years is not None and row.prob_male is None for row in card.golden)
    with pytest.raises(ModelError, match="estimates age; it has no logits of sex"):
        loaded.logits(pixels)


@pytest.mark.parametrize("to", [pytest.param("npz", marks=pytest.mark.slow), "onnx"])
def test_a_converted_model_gives_the_same_scores(model: Path, to: str, tmp_path: Path) -> None:
    """Arrays of our own and ONNX: the card written beside them loads, and scores differ by at most 1e-5."""
    assert run(["models", "convert", str(model), "--to", to, "--out", str(tmp_path / to)]) == 0
    pixels = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)
    converted = load_model(tmp_path / to)
    assert converted.card.weights_format == to
    assert converted.predict(pixels) == pytest.approx(load_model(model).predict(pixels), abs=1e-5)


def test_the_commands(model: Path, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The template names the article; inspect shows the file; labels confirm a right card; open questions end in 2."""

    def document(*words: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    assert run(["models", "card", "--template", "joir", "--json"]) == 0
    assert "10.1007/s10384-022-00941-0" in document()["template"]["citation"][0]
    assert run(["models", "inspect", str(model), "--json"]) == 0
    assert document()["file"]["output_activation"] == "sigmoid"
    assert run(["models", "verify", str(model), "--labels", str(labels), "--json"]) == 0
    held = {check["name"]: check["held"] for check in document()["checks"]}
    assert set(held) >= {"digest", "weights", "golden outputs", "orientation", "input as in training"}
    assert all(held.values())
    weights = tmp_path / "copy.h5"
    weights.write_bytes((model.parent / "redness.h5").read_bytes())
    assert run(["models", "card", str(weights), "--template", "joir", "--json"]) == 2
    assert "--scaling" in document()["error"]["message"]
    words = ["--model-id", "m", "--scaling", "tf", "--channel-order", "RGB", "--class-order", "male"]
    assert run(["models", "card", str(weights), "--template", "joir", *words, "--training-ages", "17,94"]) == 0
    assert read_card(tmp_path / "card.json").acknowledgement.startswith("We thank the Japanese Ophthalmological")
