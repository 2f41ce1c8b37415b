"""What stands before and after a backbone: scaling inside the network, pooling and head; and the whole, rebuilt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from sexstrat.errors import ModelError
from sexstrat.models.backbones import backbone
from sexstrat.models.layer_kinds import ACTIVATIONS

__all__ = [
    "POOLINGS",
    "Architecture",
    "HeadLayer",
    "Preface",
    "architecture_from_json",
    "architecture_to_json",
    "rebuild",
]

POOLINGS = ("average", "max", "flatten")

_SIDES = 3  # colour channels


@dataclass(frozen=True, slots=True, kw_only=True)
class Preface:
    """Scaling inside the network, before its backbone: each channel becomes ``value * scale + offset``.

    Parameters
    ----------
    scale, offset : one number a channel.
    """

    scale: tuple[float, ...]
    offset: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadLayer:
    """One layer between pooling and output.

    Parameters
    ----------
    kind : ``dense``, ``batch_normalization`` or ``activation``.
    units : number of values of a dense layer.
    activation : what a dense or an activation layer applies.
    use_bias : whether a dense layer adds a bias.
    epsilon, center, scale : settings of batch normalisation.
    """

    kind: Literal["dense", "batch_normalization", "activation"]
    units: int = 0
    activation: str = "linear"
    use_bias: bool = True
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True

    def __post_init__(self) -> None:
        if self.kind not in ("dense", "batch_normalization", "activation"):
            raise ModelError(f"a head layer is of kind {self.kind!r}; allowed: dense, batch_normalization, activation")
        if self.kind == "dense" and not 1 <= self.units <= 65_536:
            raise ModelError(f"a dense head layer has {self.units} units; allowed: 1 to 65536")
        if self.activation not in ACTIVATIONS:
            raise ModelError(f"a head layer's activation is {self.activation!r}; allowed: {', '.join(ACTIVATIONS)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A backbone's surroundings.

    Parameters
    ----------
    head : layers after pooling, in order; the last is a dense one without activation, whose values are logits or years.
    pooling : how features become one vector: their mean, their maximum, or all of them in a row.
    preface : scaling inside the network; None when there is none.
    imagenet_rescaling : the weights file is of an EfficientNet that was made from ImageNet weights, which divides once
        more by the root of the deviation; told only of a file of weights alone, since other files say it themselves.
    """

    head: tuple[HeadLayer, ...]
    pooling: str = "average"
    preface: Preface | None = None
    imagenet_rescaling: bool = False

    def __post_init__(self) -> None:
        if self.pooling not in POOLINGS:
            raise ModelError(f"pooling is {self.pooling!r}; allowed: {', '.join(POOLINGS)}")
        if not self.head or self.head[-1].kind != "dense" or self.head[-1].activation != "linear":
            raise ModelError("the last layer of a head must be a dense one; its activation is the card's output kind")
        if len(self.head) > 20:
            raise ModelError(f"the head has {len(self.head)} layers; allowed: up to 20")

    @classmethod
    def plain(cls, units: int) -> Architecture:
        """Return mean pooling and one dense layer, as this library trains.

        Examples
        --------
        >>> Architecture.plain(1).head[0].units
        1
        """
        return cls(head=(HeadLayer(kind="dense", units=units),))

    @property
    def units(self) -> int:
        """Number of output values."""
        return self.head[-1].units


def architecture_to_json(architecture: Architecture) -> dict[str, Any]:
    """Return an architecture as the plain values of a model card.

    Examples
    --------
    >>> architecture_to_json(Architecture.plain(1))["pooling"]
    'average'
    """
    values = asdict(architecture)
    plain = HeadLayer(kind="dense", units=1)
    values["head"] = [
        {
            name: value
            for name, value in layer.items()
            if name == "kind" or value != getattr(plain, name) or name == "units"
        }
        for layer in values["head"]
    ]
    for name in ("preface", "imagenet_rescaling"):
        if not values[name]:
            del values[name]
    return values


def architecture_from_json(values: Mapping[str, Any]) -> Architecture:
    """Make an architecture from the plain values of a model card.

    Raises
    ------
    ModelError
        A key or a value is not one of those allowed.

    Examples
    --------
    >>> architecture_from_json({"pooling": "max", "head": [{"kind": "dense", "units": 2}]}).units
    2
    """
    try:
        head = tuple(HeadLayer(**layer) for layer in values["head"])
        given = values.get("preface")
        preface = None if given is None else Preface(scale=_three(given["scale"]), offset=_three(given["offset"]))
        unknown = sorted(set(values) - {entry.name for entry in fields(Architecture)})
        if unknown:
            raise ModelError(
                f"architecture: {unknown} are not known; allowed: head, pooling, preface, imagenet_rescaling"
            )
        return Architecture(
            head=head,
            pooling=values.get("pooling", "average"),
            preface=preface,
            imagenet_rescaling=values.get("imagenet_rescaling", False),
        )
    except (TypeError, KeyError, AttributeError) as err:
        raise ModelError(f"architecture: not in the form of a model card: {err}") from err


def _three(values: Any) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values)
    if len(numbers) != _SIDES:
        raise ModelError(f"architecture: the preface has {len(numbers)} numbers; allowed: one a colour channel")
    return numbers


def rebuild(name: str, architecture: Architecture, input_size: int | None) -> Any:
    """Build a backbone with its surroundings from code, with random weights.

    Parameters
    ----------
    name : one of the sixteen backbones.
    architecture : what stands before and after it.
    input_size : side of the input in pixels; None leaves it open, which flattened features do not allow.

    Returns
    -------
    A Keras model from scaled float32 pixels (n, size, size, 3) to ``{"sex": array (n, units)}``; the values are logits
    or years, never squashed.

    Raises
    ------
    ModelError
        The name is unknown, or the backbone cannot be built at that size.
    """
    import keras

    layers, entry = keras.layers, backbone(name)
    if input_size is None and architecture.pooling == "flatten":
        raise ModelError("a network that flattens its features needs its input size")
    inputs = values = keras.Input((input_size, input_size, 3), name="pixels")
    if architecture.preface is not None:
        scale, offset = list(architecture.preface.scale), list(architecture.preface.offset)
        values = layers.Rescaling(scale, offset, name="preface")(values)
    try:
        base = getattr(keras.applications, entry.builder)(include_top=False, weights=None, input_tensor=values)
        pool = {
            "average": layers.GlobalAveragePooling2D,
            "max": layers.GlobalMaxPooling2D,
            "flatten": layers.Flatten,
        }[architecture.pooling]
        values = pool(name="pooled")(base.output)
    except ValueError as err:
        raise ModelError(f"{name} cannot be built for pictures of {input_size} pixels: {err}") from err
    for i, layer in enumerate(architecture.head[:-1]):
        values = _head_layer(layers, layer, f"head_layer_{i}")(values)
    last = architecture.head[-1]
    outputs = {"sex": layers.Dense(last.units, use_bias=last.use_bias, name="head_sex")(values)}
    return keras.Model(inputs, outputs, name=name)


def _head_layer(layers: Any, layer: HeadLayer, name: str) -> Any:
    if layer.kind == "dense":
        return layers.Dense(layer.units, activation=layer.activation, use_bias=layer.use_bias, name=name)
    if layer.kind == "activation":
        return layers.Activation(layer.activation, name=name)
    return layers.BatchNormalization(epsilon=layer.epsilon, center=layer.center, scale=layer.scale, name=name)
