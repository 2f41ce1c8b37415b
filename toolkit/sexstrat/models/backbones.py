"""The sixteen backbones: native size, scaling and channel order, and how each is rebuilt from code."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sexstrat.errors import ModelError

__all__ = ["BACKBONES", "Backbone", "Head", "backbone", "build"]

Scaling = Literal["tf", "torch", "raw", "unit"]
ChannelOrder = Literal["RGB", "BGR"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backbone:
    """One convolutional network of keras.applications, as its authors meant it to be fed.

    Parameters
    ----------
    name : name in model cards and on the command line.
    builder : function of ``keras.applications`` that makes it.
    native_size : side of the square input, in pixels, that its ImageNet weights were trained at.
    scaling : ``tf`` is x/127.5 - 1; ``torch`` is ImageNet mean and deviation; ``raw`` is 0 to 255,
        scaled by layers inside the network.
    channels : number of feature maps that it gives.
    kernel_values : how many numbers its convolution kernels with more than two output channels hold; no two of the
        sixteen have the same, so that a file of weights tells its backbone.
    channel_order : order of the colour channels.
    smallest_size : smallest side of the input, in pixels, that leaves its last layers anything to see.
    """

    name: str
    builder: str
    native_size: int
    scaling: Scaling
    channels: int
    kernel_values: int
    channel_order: ChannelOrder = "RGB"
    smallest_size: int = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """One linear output on the pooled features; values are logits or standardised units, never squashed.

    Parameters
    ----------
    name : key of the output.
    units : number of values.
    """

    name: str
    units: int


_EFFICIENTNETS = (
    (224, 1280, 3_774_176),
    (240, 1280, 6_180_320),
    (260, 1408, 7_339_040),
    (300, 1536, 10_217_336),
    (380, 1792, 16_838_704),
    (456, 2048, 27_387_088),
    (528, 2304, 39_468_360),
    (600, 2560, 62_047_424),
)  # native size, channels, kernel values

BACKBONES: dict[str, Backbone] = {
    entry.name: entry
    for entry in (
        Backbone(
            name="mobilenet", builder="MobileNet", native_size=224, scaling="tf", channels=1024, kernel_values=3_140_448
        ),
        Backbone(
            name="mobilenet_v2",
            builder="MobileNetV2",
            native_size=224,
            scaling="tf",
            channels=1280,
            kernel_values=2_125_536,
        ),
        Backbone(
            name="inception_v3",
            builder="InceptionV3",
            native_size=299,
            scaling="tf",
            channels=2048,
            kernel_values=21_751_136,
            smallest_size=75,
        ),
        Backbone(
            name="inception_resnet_v2",
            builder="InceptionResNetV2",
            native_size=299,
            scaling="tf",
            channels=1536,
            kernel_values=54_200_160,
            smallest_size=75,
        ),
        Backbone(
            name="xception",
            builder="Xception",
            native_size=299,
            scaling="tf",
            channels=2048,
            kernel_values=20_544_992,
            smallest_size=71,
        ),
        Backbone(
            name="densenet121",
            builder="DenseNet121",
            native_size=224,
            scaling="torch",
            channels=1024,
            kernel_values=6_870_208,
        ),
        Backbone(
            name="densenet169",
            builder="DenseNet169",
            native_size=224,
            scaling="torch",
            channels=1664,
            kernel_values=12_326_080,
        ),
        Backbone(
            name="densenet201",
            builder="DenseNet201",
            native_size=224,
            scaling="torch",
            channels=1920,
            kernel_values=17_863_872,
        ),
        *(
            Backbone(
                name=f"efficientnet_b{i}",
                builder=f"EfficientNetB{i}",
                native_size=size,
                scaling="raw",
                channels=channels,
                kernel_values=kernel_values,
            )
            for i, (size, channels, kernel_values) in enumerate(_EFFICIENTNETS)
        ),
    )
}


def backbone(name: str) -> Backbone:
    """Return the registry entry of a backbone.

    Parameters
    ----------
    name : one of the sixteen names in ``BACKBONES``.

    Returns
    -------
    The entry.

    Raises
    ------
    ModelError
        There is no backbone of that name.

    Examples
    --------
    >>> backbone("efficientnet_b7").native_size
    600
    """
    if name not in BACKBONES:
        raise ModelError(f"unknown backbone {name!r}; allowed: {', '.join(BACKBONES)}")
    return BACKBONES[name]


def build(
    name: str,
    heads: tuple[Head, ...],
    input_size: int | None,
    *,
    weights: str | Path | None = None,
    dropout: float = 0.0,
) -> Any:
    """Build a backbone with global average pooling and linear heads, from code.

    Parameters
    ----------
    name : one of the sixteen backbones.
    heads : outputs; the network returns a dictionary with one entry a head.
    input_size : side of the input in pixels; None leaves it open (training at several sizes).
    weights : file with the backbone's ImageNet weights (no top); None starts from random ones.
    dropout : share of pooled features dropped in training, 0 to below 1.

    Returns
    -------
    A Keras model from scaled float32 pixels (n, size, size, 3) to a dictionary of arrays (n, units).

    Raises
    ------
    ModelError
        The name is unknown, or the weights file is missing or does not fit.
    """
    import keras

    entry = backbone(name)
    if weights is not None and not Path(weights).is_file():
        raise ModelError(f"no weights file {weights}; give the path of the ImageNet weights of {name}, no top")
    inputs = keras.Input((input_size, input_size, 3), name="pixels")
    make = getattr(keras.applications, entry.builder)
    base = make(include_top=False, weights=None, input_tensor=inputs)
    if weights is not None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # Keras only warns when it leaves layers at random
                base.load_weights(str(weights))
        except (ValueError, OSError, KeyError, UserWarning) as err:
            raise ModelError(f"the weights in {weights} do not fit {name}: {err}") from err
    features = keras.layers.GlobalAveragePooling2D(name="pooled")(base.output)
    if dropout > 0:
        features = keras.layers.Dropout(dropout, name="pooled_dropout")(features)
    outputs = {  # float32 whatever the layers below compute in, so that losses are exact
        head.name: keras.layers.Dense(head.units, name=f"head_{head.name}", dtype="float32")(features) for head in heads
    }
    return keras.Model(inputs, outputs, name=name)
