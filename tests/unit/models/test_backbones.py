"""All sixteen backbones are registered as their authors feed them, and really can be built."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sexstrat.errors import ModelError
from sexstrat.models import BACKBONES, Head, backbone, build, scale_pixels


def test_there_are_sixteen_backbones_with_their_native_sizes() -> None:
    """The registry holds sixteen networks; sizes and scaling are those of keras.applications."""
    assert len(BACKBONES) == 16
    assert [backbone(f"efficientnet_b{i}").native_size for i in (0, 3, 7)] == [224, 300, 600]
    assert {name for name, entry in BACKBONES.items() if entry.scaling == "torch"} == {
        "densenet121",
        "densenet169",
        "densenet201",
    }
    assert all(entry.channel_order == "RGB" for entry in BACKBONES.values())


def test_every_builder_exists_in_keras() -> None:
    """Each registered builder is a function of keras.applications."""
    import keras

    assert all(callable(getattr(keras.applications, entry.builder)) for entry in BACKBONES.values())


@pytest.mark.parametrize("name", ["mobilenet", "efficientnet_b0"])
def test_a_backbone_gives_one_output_a_head(name: str) -> None:
    """The built network returns a dictionary with the heads' names and sizes."""
    network = build(name, (Head(name="sex", units=1), Head(name="age", units=3)), 64)
    outputs = network.predict_on_batch(np.zeros((2, 64, 64, 3), np.float32))
    assert {key: value.shape for key, value in outputs.items()} == {"sex": (2, 1), "age": (2, 3)}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_every_backbone_can_be_built(name: str) -> None:
    """All sixteen networks are rebuilt from code with one sex head."""
    network = build(name, (Head(name="sex", units=1),), 96)
    assert network.output["sex"].shape == (None, 1)


def test_unknown_names_and_missing_weights_are_told() -> None:
    """A wrong name lists the right ones; a missing file is named."""
    with pytest.raises(ModelError, match="unknown backbone 'vgg16'; allowed: mobilenet, mobilenet_v2"):
        backbone("vgg16")
    with pytest.raises(ModelError, match=r"no weights file nowhere\.h5"):
        build("mobilenet", (Head(name="sex", units=1),), 64, weights="nowhere.h5")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # keras gives h5py's old array protocol to numpy
def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    """A file that is not these weights gives a ModelError, not a half-loaded network."""
    import keras

    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    other.save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(ModelError, match="do not fit mobilenet"):
        build("mobilenet", (Head(name="sex", units=1),), 64, weights=tmp_path / "other.weights.h5")


def test_imagenet_weights_load(shared_data: Path) -> None:
    """The ImageNet weights in the legacy layout fill every layer of MobileNet."""
    path = shared_data / "weights" / "mobilenet_1_0_224_tf_no_top.h5"
    network = build("mobilenet", (Head(name="sex", units=1),), 64, weights=path)
    kernel = np.asarray(network.get_layer("conv1").weights[0])
    again = np.asarray(build("mobilenet", (Head(name="sex", units=1),), 64, weights=path).get_layer("conv1").weights[0])
    assert (kernel == again).all()
    assert np.asarray(network.get_layer("conv_pw_13_bn").weights[2]).std() > 0


@pytest.mark.parametrize(
    ("scaling", "order", "expected"),
    [
        ("tf", "RGB", [-1.0, 0.0039216, 1.0]),
        ("raw", "RGB", [0.0, 128.0, 255.0]),
        ("raw", "BGR", [255.0, 128.0, 0.0]),
        ("torch", "RGB", [-2.117904, 0.2051821, 2.64]),
    ],
)
def test_pixels_are_scaled_as_each_network_was_trained(scaling: str, order: str, expected: list[float]) -> None:
    """Hand-computed values for one pixel (0, 128, 255) in every mode."""
    found = scale_pixels(np.array([[0, 128, 255]], np.uint8), scaling, order)
    assert found[0].tolist() == pytest.approx(expected, rel=1e-4)
    assert found.dtype == np.float32


def test_unknown_scaling_is_refused() -> None:
    """A mode that does not exist is an error with the allowed ones."""
    with pytest.raises(ModelError, match="allowed: tf, torch, raw"):
        scale_pixels(np.zeros((1, 3), np.uint8), "caffe")
    with pytest.raises(ModelError, match="allowed: RGB, BGR"):
        scale_pixels(np.zeros((1, 3), np.uint8), "tf", "GBR")
