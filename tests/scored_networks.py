"""What benchmarks of scoring share: networks whose random weights matter, their arithmetic, and rates."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from sexstrat.models import Head, build

ROUNDS = 5


def _foreign() -> ModuleType:
    """Import ``foreign_networks`` by its place: tests are not a package."""
    spec = importlib.util.spec_from_file_location("foreign_networks", Path(__file__).with_name("foreign_networks.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


foreign = _foreign()


def network_of(name: str, size: int) -> Any:
    """Build a backbone whose random weights keep signals alive and part pictures.

    Normalisations learn from pictures at the network's own size. Residual branches begin faint, as in training: in a
    random network of eight hundred layers at full strength a rounding error would grow as large as the signal.
    """
    network = build(name, (Head(name="sex", units=1),), size)
    for layer in foreign.flat_layers(network):
        if layer.name.endswith("project_bn"):
            scale, *rest = layer.get_weights()
            layer.set_weights([0.1 * scale, *rest])
    shown = foreign.pictures(name, size, pictures_of(size))
    foreign.stir(network, shown)
    head = network.get_layer("head_sex")
    kernel, bias = head.get_weights()
    logits = network.predict_on_batch(shown)["sex"]
    spread, middle = np.std(logits), np.mean(logits)
    head.set_weights([kernel / spread, (bias - middle) / spread])
    return network


def pictures_of(size: int) -> int:
    """Return how many different pictures a network of this size learns from and is asked: few where they are large."""
    return 2 if size > 400 else 4


def rate(work: Callable[[], object], number: int) -> float:
    """Return pictures a second."""
    started = time.perf_counter()
    work()
    return number / (time.perf_counter() - started)


def arithmetic(network: Any) -> float:
    """Return the multiplications and additions of one picture in convolutions and dense layers."""
    total = 0.0
    for layer in foreign.flat_layers(network):
        places = np.prod(layer.output.shape[1:-1], dtype=float)  # 1 for a dense layer
        for kernel in ("kernel", "depthwise_kernel", "pointwise_kernel"):
            if getattr(layer, kernel, None) is not None:
                total += 2 * places * np.prod(getattr(layer, kernel).shape, dtype=float)
    return total


def matrix_rate() -> float:
    """Return the single-precision operations a second of a large matrix product on all cores: no forward beats it."""
    a = np.random.default_rng(1).normal(size=(4096, 4096)).astype(np.float32)
    work = 2.0 * a.shape[0] ** 3
    return max(float(work * rate(lambda: a @ a, 1)) for _ in range(ROUNDS))
