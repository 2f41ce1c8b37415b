"""A network is rebuilt with its surroundings, told again, written as ONNX, and compared by its golden outputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from sexstrat.errors import ModelError
from sexstrat.models import GoldenOutput, ModelCard, convert_network, openvino_forward, save_weights
from sexstrat.models.architecture import Architecture, HeadLayer, Preface, rebuild
from sexstrat.models.golden import check_golden, golden_difference
from sexstrat.models.hdf5_reading import open_hdf5
from sexstrat.models.layer_graph import graph_of
from sexstrat.models.load import load_unchecked
from sexstrat.models.onnx_export import onnx_bytes
from sexstrat.models.onnx_layers import activated
from sexstrat.models.onnx_model import read_onnx
from sexstrat.models.onnx_writer import OnnxWriter
from sexstrat.models.rebuilding import architecture_of, rebuild_from_graph
from sexstrat.models.stored_layers import layers_in_hdf5
from sexstrat.models.verification import scaling_variants, size_variants
from sexstrat.models.weights_matching import rebuild_from_weights

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

SIZE = 32
RICH = Architecture(
    head=(
        HeadLayer(kind="dense", units=6, activation="swish"),
        HeadLayer(kind="batch_normalization"),
        HeadLayer(kind="activation", activation="relu6"),
        HeadLayer(kind="dense", units=1),
    ),
    pooling="flatten",
    preface=Preface(scale=(1 / 127.5,) * 3, offset=(-1.0,) * 3),
)


@pytest.fixture(scope="module")
def network() -> Any:
    """Return a MobileNet with everything that may stand around it."""
    import keras

    keras.utils.set_random_seed(2)
    found = rebuild("mobilenet", RICH, SIZE)
    for layer in found.layers:
        if type(layer).__name__ == "BatchNormalization":  # small variances keep a random network's signal alive
            *rest, variance = layer.get_weights()
            layer.set_weights([*rest, variance * 0.03])
    return found


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Return noise from 0 to 255."""
    return np.random.default_rng(0).uniform(0, 255, (2, SIZE, SIZE, 3)).astype(np.float32)


def test_a_network_tells_its_architecture(network: Any) -> None:
    """What it was built from comes back; a head must end in a dense layer, flattening needs a size."""
    assert architecture_of(network) == RICH
    with pytest.raises(ModelError, match="must be a dense one"):
        Architecture(head=(HeadLayer(kind="activation", activation="relu"),))
    with pytest.raises(ModelError, match="needs its input size"):
        rebuild("mobilenet", RICH, None)


def test_onnx_gives_the_same_values(network: Any, pictures: np.ndarray, tmp_path: Path) -> None:
    """The file written here passes its own check, runs on OpenVINO and gives Keras's logits; its ending is cut off."""
    import openvino

    (tmp_path / "m.onnx").write_bytes(onnx_bytes(network, SIZE, ending="Sigmoid"))
    read = read_onnx(tmp_path / "m.onnx", SIZE)
    assert (read.units, read.output_activation) == (1, "sigmoid")
    run = openvino.Core().compile_model(read.network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = np.concatenate([run(picture[None])[0] for picture in pictures])
    expected = np.asarray(network.predict_on_batch(pictures)["sex"])
    assert np.ptp(expected) > 0
    assert found == pytest.approx(expected, abs=1e-4)
    with pytest.raises(ModelError, match=r"takes pictures of \[32, 32\] pixels; the card says 40"):
        read_onnx(tmp_path / "m.onnx", 40)
    with pytest.raises(ModelError, match="the activation gelu has no counterpart"):
        activated(OnnxWriter(), "x", "gelu")


def test_openvino_takes_a_network_read_from_onnx(network: Any, pictures: np.ndarray, tmp_path: Path) -> None:
    """``convert_network`` and ``openvino_forward`` accept both a Keras network and one that OpenVINO has read."""
    (tmp_path / "m.onnx").write_bytes(onnx_bytes(network, SIZE))
    read = read_onnx(tmp_path / "m.onnx", SIZE).network
    convert_network(read, SIZE, tmp_path / "m.xml")
    assert (tmp_path / "m.bin").stat().st_size > 12_000_000
    forward = openvino_forward(lambda: read, identity=str(tmp_path), size=SIZE, precision="float32")
    assert forward(pictures) == pytest.approx(np.asarray(network.predict_on_batch(pictures)["sex"]), abs=1e-4)


def test_weights_alone_need_the_cards_architecture(network: Any, pictures: np.ndarray, tmp_path: Path) -> None:
    """By name and by number the file fills the network; without the preface the number of layers betrays it."""
    import json

    network.save_weights(tmp_path / "m.weights.h5")
    network.save(str(tmp_path / "m.h5"))
    expected = np.asarray(network.predict_on_batch(pictures)["sex"])
    with open_hdf5(tmp_path / "m.weights.h5") as file:
        layers = layers_in_hdf5(file)
        found = rebuild_from_weights(layers, RICH, SIZE)
        assert np.asarray(found.network.predict_on_batch(pictures)["sex"]) == pytest.approx(expected, abs=1e-5)
        with pytest.raises(ModelError, match="the file lists 1 rescaling layers; the card's architecture has 0"):
            rebuild_from_weights(layers, replace(RICH, preface=None), SIZE)
    with h5py.File(tmp_path / "m.h5") as file:
        graph = graph_of(json.loads(file.attrs["model_config"]))
        again = rebuild_from_graph(graph, layers_in_hdf5(file))
    assert again.architecture == RICH
    assert np.asarray(again.network.predict_on_batch(pictures)["sex"]) == pytest.approx(expected, abs=1e-5)


def test_golden_outputs_are_compared(tmp_path: Path) -> None:
    """The difference is that of the worst input; above the card's tolerance the model is refused; variants differ."""
    import keras

    keras.utils.set_random_seed(2)
    network = rebuild("mobilenet", Architecture.plain(1), SIZE)
    digest = save_weights(network, tmp_path / "m.npz")
    card = ModelCard(
        model_id="m", title="t", weights_file="m.npz", weights_sha256=digest, backbone="mobilenet", input_size=SIZE,
        prepared_size=SIZE, scaling="tf", channel_order="RGB", output_kind="logit", class_order=("male",),
        views="as_taken", training_ages=(0, 99), terms="none", golden=(GoldenOutput(seed=1, prob_male=0.0),),
    )  # fmt: skip
    model = load_unchecked(card, tmp_path / "m.npz")
    found = golden_difference(model)
    assert 0.4 < found < 0.6
    with pytest.raises(ModelError, match="does not give its golden outputs on the keras runtime in float32"):
        check_golden(model)
    right = replace(model, card=replace(card, golden=(GoldenOutput(seed=1, prob_male=found),)))
    check_golden(right)
    names = [name for name, _ in scaling_variants(right)]
    assert names == ["scaling torch", "scaling raw", "scaling unit", "channel_order BGR"]
    assert next(size_variants(right, tmp_path / "m.npz", False))[0] == "input_size 224"
