"""Model files of Keras 2 and Keras 3, in every way of saving, give the outputs that the saving model gave."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from sexstrat.cli.app import run
from sexstrat.errors import ModelError
from sexstrat.models import BACKBONES, Architecture, HeadLayer, Preface, file_contents, rebuild_from_file
from sexstrat.scores import read_scores

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),  # both packages warn that .h5 is an old format
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

SIZE = 64
PLAIN = Architecture.plain(1)


def round_trip(
    foreign_networks: ModuleType, package: str, name: str, endings: Sequence[str], folder: Path, size: int
) -> float:
    """Return the largest difference of a probability between the saving model and the file, over ways of saving."""
    keras = foreign_networks.keras_named(package)
    network = foreign_networks.sex_network(keras, name, size=size)
    values = foreign_networks.pictures(name, size)
    expected = np.asarray(network.predict_on_batch(values))
    assert np.ptp(expected) > 1e-3, "the pictures must differ in their output for the comparison to mean anything"
    worst = 0.0
    for ending in endings:
        path = foreign_networks.save(network, folder / f"network{ending}")
        found = rebuild_from_file(path, PLAIN, size)
        assert found.backbone == file_contents(path).backbone == name
        assert found.output_activation == ("sigmoid" if ending in (".h5", ".keras") else None)
        worst = max(worst, float(np.abs(foreign_networks.probabilities(found.network, values) - expected).max()))
        path.unlink()
    keras.backend.clear_session()
    print(f"{package} {name} {' '.join(endings)}: {worst:.1e}")  # noqa: T201 - the difference is the result
    return worst


@pytest.mark.parametrize(
    ("package", "name", "ending"),
    [
        ("tf_keras", "mobilenet", ".h5"),
        pytest.param("tf_keras", "densenet121", ".h5", marks=pytest.mark.slow),
        pytest.param("tf_keras", "xception", ".plain.h5", marks=pytest.mark.slow),
        pytest.param("tf_keras", "efficientnet_b0", ".weights.h5", marks=pytest.mark.slow),
        pytest.param("keras", "efficientnet_b0", ".keras", marks=pytest.mark.slow),
        pytest.param("keras", "xception", ".h5", marks=pytest.mark.slow),
        ("keras", "mobilenet", ".weights.h5"),
    ],
)
def test_a_saved_network_gives_its_outputs(
    foreign_networks: ModuleType, package: str, name: str, ending: str, tmp_path: Path
) -> None:
    """A few networks in each way of saving: the same probabilities to 1e-5."""
    size = 75 if name == "xception" else SIZE
    assert round_trip(foreign_networks, package, name, [ending], tmp_path, size) <= 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("package", ["tf_keras", "keras"])
@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_all_sixteen_in_every_way_of_saving(
    foreign_networks: ModuleType, name: str, package: str, tmp_path: Path
) -> None:
    """Sixteen networks, two packages, every way of saving of each: the same probabilities to 1e-5."""
    endings = [".h5", ".keras", ".weights.h5", *([".plain.h5"] if package == "tf_keras" else [])]
    assert round_trip(foreign_networks, package, name, endings, tmp_path, 96) <= 1e-5


@pytest.mark.slow
def test_keras_itself_fails_on_many_of_them(foreign_networks: ModuleType, tmp_path: Path) -> None:
    """``keras.models.load_model`` cannot read the .h5 file of Keras 2 of at least five of the sixteen."""
    import keras

    failed = []
    for name in BACKBONES:
        path = foreign_networks.save(
            foreign_networks.sex_network(foreign_networks.keras_named("tf_keras"), name, size=96),
            tmp_path / f"{name}.h5",
        )
        foreign_networks.keras_named("tf_keras").backend.clear_session()
        try:
            keras.models.load_model(path, compile=False)
        except (TypeError, ValueError, KeyError):
            failed.append(name)
        path.unlink()
    print("keras.models.load_model fails on:", ", ".join(failed))  # noqa: T201 - the list is the result
    assert len(failed) >= 5
    assert {"mobilenet", "mobilenet_v2", "xception", "densenet121", "efficientnet_b0"} <= set(failed)


def nested(foreign_networks: ModuleType, keras: Any) -> Any:
    return keras.Sequential(
        [
            foreign_networks.base_network(keras, "mobilenet"),
            keras.layers.GlobalMaxPooling2D(),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )


def flattened(foreign_networks: ModuleType, keras: Any) -> Any:
    base = foreign_networks.base_network(keras, "mobilenet")
    values = keras.layers.Flatten()(base.output)
    values = keras.layers.Dense(1)(values)
    return keras.Model(base.input, keras.layers.Activation("sigmoid")(values))


def own_top(_: ModuleType, keras: Any) -> Any:
    return keras.applications.MobileNet(weights=None, classes=2, input_shape=(SIZE, SIZE, 3))


def scaled_inside(foreign_networks: ModuleType, keras: Any) -> Any:
    inputs = keras.Input((SIZE, SIZE, 3))
    values = keras.layers.RandomFlip("horizontal")(inputs)
    values = keras.layers.Rescaling(1 / 127.5, offset=-1)(values)
    values = foreign_networks.base_network(keras, "mobilenet")(values, training=False)
    values = keras.layers.GlobalAveragePooling2D()(values)
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(values))


FAST = [(nested, "tf_keras", ".h5"), (flattened, "keras", ".keras"), (own_top, "tf_keras", ".h5"),
        (scaled_inside, "tf_keras", ".h5")]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "package", "ending"),
    [
        pytest.param(make, package, ending, marks=[] if (make, package, ending) in FAST else [pytest.mark.slow])
        for make in (nested, flattened, own_top, scaled_inside)
        for package in ("tf_keras", "keras")
        for ending in (".h5", ".keras")
    ],
)
def test_heads_and_scaling_of_other_people(
    foreign_networks: ModuleType, make: Callable[..., Any], ending: str, package: str, tmp_path: Path
) -> None:
    """Nested models, two classes, hidden layers, flattening, MobileNet's own top, scaling in the network: all equal."""
    keras = foreign_networks.keras_named(package)
    network = make(foreign_networks, keras)
    kind = "efficientnet_b0" if make is scaled_inside else "mobilenet"
    foreign_networks.stir(network, foreign_networks.pictures(kind, number=12))
    values = foreign_networks.pictures(kind)
    expected = np.asarray(network.predict_on_batch(values))
    found = rebuild_from_file(foreign_networks.save(network, tmp_path / f"network{ending}"), PLAIN, None)
    assert found.output_activation is not None
    assert foreign_networks.probabilities(found.network, values, found.output_activation) == pytest.approx(
        expected, abs=1e-5
    )
    if make is scaled_inside:
        assert found.architecture.preface == Preface(scale=(1 / 127.5,) * 3, offset=(-1.0,) * 3)


@pytest.mark.parametrize("package", [pytest.param("tf_keras", marks=pytest.mark.slow), "keras"])
def test_an_efficientnet_made_from_imagenet_weights_is_scaled_once_more(
    foreign_networks: ModuleType, package: str, tmp_path: Path
) -> None:
    """The layer that only networks made from ImageNet weights have is not lost: its factor enters the variance."""
    keras = foreign_networks.keras_named(package)
    base = foreign_networks.base_network(keras, "efficientnet_b0")
    deviation = [0.229, 0.224, 0.225]
    entries = base.get_config()
    fresh = keras.layers.Rescaling([value**-0.5 for value in deviation], name="deviation_rescaling")
    network = _with_rescaling(keras, base, entries, fresh)
    foreign_networks.stir(network, foreign_networks.pictures("efficientnet_b0", number=12))
    values = foreign_networks.pictures("efficientnet_b0")
    expected = np.asarray(network.predict_on_batch(values))
    for ending in (".h5", ".keras") if package == "tf_keras" else (".keras",):
        found = rebuild_from_file(foreign_networks.save(network, tmp_path / f"network{ending}"), PLAIN, None)
        assert foreign_networks.probabilities(found.network, values) == pytest.approx(expected, abs=1e-5)
    path = foreign_networks.save(network, tmp_path / "network.weights.h5")
    with pytest.raises(ModelError, match="the file lists 2 rescaling layers; the card's architecture has 1"):
        rebuild_from_file(path, PLAIN, SIZE)
    told = Architecture(head=PLAIN.head, imagenet_rescaling=True)
    assert foreign_networks.probabilities(rebuild_from_file(path, told, SIZE).network, values) == pytest.approx(
        expected, abs=1e-5
    )


def _with_rescaling(keras: Any, base: Any, entries: dict[str, Any], fresh: Any) -> Any:
    """Put the layer between normalisation and stem, as ``weights="imagenet"`` would."""
    config = json.loads(json.dumps(entries))
    layers = config["layers"]
    place = next(i for i, layer in enumerate(layers) if layer["name"] == "stem_conv_pad")
    stem, normalization = layers[place], layers[place - 1]["name"]
    entry = json.loads(json.dumps(stem)) | {"class_name": "Rescaling", "name": fresh.name}
    entry["config"] = fresh.get_config() | {"dtype": "float32"}
    stem["inbound_nodes"] = json.loads(
        json.dumps(stem["inbound_nodes"]).replace(f'"{normalization}"', '"deviation_rescaling"')
    )
    layers.insert(place, entry)
    longer = keras.Model.from_config(config)
    values = keras.layers.GlobalAveragePooling2D()(longer.output)
    return keras.Model(longer.input, keras.layers.Dense(1, activation="sigmoid")(values))


def test_a_hidden_layer_is_told_by_the_card_of_weights_alone(foreign_networks: ModuleType, tmp_path: Path) -> None:
    """Weights alone do not tell activations: with the card's architecture the outputs are equal."""
    network = nested(foreign_networks, foreign_networks.keras_named("tf_keras"))
    foreign_networks.stir(network, foreign_networks.pictures("mobilenet", number=12))
    values = foreign_networks.pictures("mobilenet")
    expected = np.asarray(network.predict_on_batch(values))
    hidden = (HeadLayer(kind="dense", units=8, activation="relu"), HeadLayer(kind="batch_normalization"))
    told = Architecture(head=(*hidden, HeadLayer(kind="dense", units=2)), pooling="max")
    for ending in (".weights.h5", ".plain.h5"):
        path = foreign_networks.save(network, tmp_path / f"network{ending}")
        found = rebuild_from_file(path, told, SIZE)
        assert foreign_networks.probabilities(found.network, values, "softmax") == pytest.approx(expected, abs=1e-5)
        with pytest.raises(ModelError, match="head"):
            rebuild_from_file(path, Architecture.plain(2), SIZE)


@pytest.mark.slow
def test_a_saved_model_is_read_by_trust_alone(foreign_networks: ModuleType, tmp_path: Path) -> None:
    """A SavedModel folder of Keras 2 is refused; trusted, its arrays fill a network from code."""
    network = nested(foreign_networks, foreign_networks.keras_named("tf_keras"))
    foreign_networks.stir(network, foreign_networks.pictures("mobilenet", number=12))
    values = foreign_networks.pictures("mobilenet")
    expected = np.asarray(network.predict_on_batch(values))
    network.save(str(tmp_path / "saved"))
    with pytest.raises(ModelError, match="are only read when you trust"):
        rebuild_from_file(tmp_path / "saved", PLAIN, SIZE)
    found = rebuild_from_file(tmp_path / "saved", PLAIN, SIZE, trust=True)
    same = rebuild_from_file(foreign_networks.save(network, tmp_path / "network.h5"), PLAIN, SIZE)
    for one, other in zip(found.network.weights, same.network.weights, strict=True):
        assert (np.asarray(one) == np.asarray(other)).all()
    assert foreign_networks.probabilities(found.network, values, "softmax") == pytest.approx(expected, abs=1e-4)


@pytest.mark.slow
def test_the_score_command_reads_a_saved_model_by_trust_alone(
    foreign_networks: ModuleType, synthetic: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A card names the SavedModel; scoring refuses it and says why, and with --trust scores as the .h5 of it does."""
    network = nested(foreign_networks, foreign_networks.keras_named("tf_keras"))
    foreign_networks.stir(network, foreign_networks.pictures("mobilenet", number=12))
    network.save(str(tmp_path / "models" / "saved"))
    foreign_networks.save(network, tmp_path / "models" / "network.h5")
    photos = synthetic.write_fundi(tmp_path / "photos", 3)[0].parent
    told = {"title": "a network", "class-order": "female,male", "scaling": "tf", "channel-order": "RGB"}
    told |= {"training-ages": "20,80", "terms": "free", "model-id": "trusted"}
    answers = [word for option, value in told.items() for word in (f"--{option}", value)]
    found = {}
    for name, form in (("saved", ["--trust"]), ("network.h5", [])):
        card, out = str(tmp_path / "models" / f"{name}.json"), str(tmp_path / f"{name}.parquet")
        source = str(tmp_path / "models" / name)
        assert run(["models", "card", source, "--out", card, *answers, *form]) == 0, capsys.readouterr().err
        score = ["score", str(photos), "--model", card, "--runtime", "keras", "--out", out]
        if form:
            capsys.readouterr()
            assert run(score) == 3
            assert "are only read when you trust its maker (--trust" in " ".join(capsys.readouterr().err.split())
            assert not Path(out).exists()
        assert run([*score, *form]) == 0, capsys.readouterr().err
        found[name] = read_scores(out)["prob_male"].to_numpy()
    assert found["saved"] == pytest.approx(found["network.h5"], abs=1e-6)
    assert np.ptp(found["saved"]) > 0


def test_a_network_with_other_arithmetic_is_refused(foreign_networks: ModuleType, tmp_path: Path) -> None:
    """The right shapes do not suffice: another stride, epsilon or activation within the backbone is named."""
    import keras

    changes: list[tuple[str, str, Any, str]] = [
        ("conv1_bn", "epsilon", 0.1, "has epsilon 0.1; the backbone has 0.001"),
        ("conv1", "strides", [1, 1], r"has strides \(1, 1\); the backbone has \(2, 2\)"),
        ("conv1_relu", "max_value", None, "has max_value None"),
    ]
    config = json.loads(foreign_networks.sex_network(keras, "mobilenet").to_json())["config"]
    for layer, setting, value, message in changes:
        entry = next(entry for entry in config["layers"] if entry["name"] == layer)
        before, entry["config"][setting] = entry["config"][setting], value
        path = foreign_networks.save(
            keras.Model.from_config(json.loads(json.dumps(config))), tmp_path / f"{setting}.keras"
        )
        entry["config"][setting] = before
        with pytest.raises(ModelError, match=message):
            rebuild_from_file(path, PLAIN, None)
