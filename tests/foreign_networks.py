"""Networks as other people make and save them: random weights that matter, in Keras 2 (tf_keras) and in Keras 3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.models import BACKBONES

SIZE = 64
PICTURES = 12  # that every normalisation learns from


def keras_named(name: str) -> Any:
    """Return the package ``keras`` or ``tf_keras``."""
    import importlib

    return importlib.import_module(name)


def base_network(keras: Any, name: str, size: int = SIZE, **options: Any) -> Any:
    """Build one of the sixteen without its top, from random weights."""
    keras.utils.set_random_seed(3)
    make = getattr(keras.applications, BACKBONES[name].builder)
    return make(include_top=False, weights=None, input_shape=(size, size, 3), **options)


def stir(network: Any, values: NDArray[np.float32] | None = None, seed: int = 1) -> None:
    """Move every normalisation and let it learn from noise, so that no signal dies out or explodes; widen the head."""
    rng = np.random.default_rng(seed)
    layers = flat_layers(network)
    for layer in layers:
        if type(layer).__name__ == "Normalization":
            held = layer.get_weights()
            held[:2] = [np.float32([0.4, 0.5, 0.45]), np.float32([0.05, 0.06, 0.07])]
            layer.set_weights(held)
            layer.finalize_state()
    norms = [layer for layer in layers if type(layer).__name__ == "BatchNormalization"]
    for layer in norms:
        layer.momentum = 0.0  # one pass sets the moving statistics to those of its pictures
        *rest, mean, variance = layer.get_weights()
        layer.set_weights([*[value + rng.normal(0, 0.05, value.shape) for value in rest], mean, variance])
    dropped = {layer: layer.rate for layer in layers if "Dropout" in type(layer).__name__}
    for layer in dropped:
        layer.rate = 0.0
    size = network.input_shape[1]
    network(rng.uniform(-1, 1, (4, size, size, 3)).astype(np.float32) if values is None else values, training=True)
    for layer, rate in dropped.items():
        layer.rate = rate
    for layer in norms:
        layer.momentum = 0.99
    for layer in layers:
        if type(layer).__name__ == "Dense":
            layer.set_weights([rng.normal(0, 2 / np.sqrt(len(value)), value.shape) for value in layer.get_weights()])


def flat_layers(network: Any) -> list[Any]:
    """Return all layers, those of nested models too."""
    return [
        inner for layer in network.layers for inner in (flat_layers(layer) if hasattr(layer, "layers") else [layer])
    ]


def sex_network(keras: Any, name: str, *, size: int = SIZE, units: int = 1, activation: str = "sigmoid") -> Any:
    """Build a backbone with mean pooling, dropout and a dense head, as most people do."""
    base = base_network(keras, name, size)
    values = keras.layers.GlobalAveragePooling2D()(base.output)
    values = keras.layers.Dropout(0.2)(values)
    network = keras.Model(base.input, keras.layers.Dense(units, activation=activation, name="mysex")(values))
    noise = pictures(name, size, PICTURES)
    stir(network, noise)
    features = np.asarray(keras.Model(base.input, values).predict_on_batch(noise), dtype=np.float64)
    kernel = np.random.default_rng(3).normal(0, 1, (features.shape[1], units))
    logits = features @ kernel
    gain = 0.4 / logits.std(axis=0)  # logits that differ, without blowing up the rounding of either package
    network.get_layer("mysex").set_weights([kernel * gain, -logits.mean(axis=0) * gain])
    return network


def pictures(name: str, size: int = SIZE, number: int = 2) -> NDArray[np.float32]:
    """Return some of twelve pictures of shaded noise, in the range that a backbone expects."""
    rng = np.random.default_rng(5)
    values = rng.uniform(0, 1, (PICTURES, size, size, 3)) * np.linspace(0.3, 1, PICTURES)[:, None, None, None]
    values *= np.linspace(0, 1, size)[:, None, None] ** np.linspace(0, 2, PICTURES)[:, None, None, None]
    values = values[:: PICTURES // number]
    return (values * 255 if BACKBONES[name].scaling == "raw" else values * 2 - 1).astype(np.float32)


def probabilities(network: Any, values: NDArray[np.float32], activation: str = "sigmoid") -> NDArray[np.float64]:
    """Return what a rebuilt network's logits mean."""
    logits = np.asarray(network.predict_on_batch(values)["sex"], dtype=np.float64)
    if activation == "linear":
        return logits
    if activation == "sigmoid":
        return np.asarray(expit(logits))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def save(network: Any, path: Path) -> Path:
    """Save a network by the ending of the name: ``.weights.h5`` weights alone, else the whole."""
    if path.name.endswith((".weights.h5", ".plain.h5")):
        network.save_weights(path if path.name.endswith(".weights.h5") else str(path))
    else:
        network.save(str(path))
    return path
