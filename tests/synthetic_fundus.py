"""Fundus-like photographs of nobody and a model of plain arithmetic, to test scoring without data or TensorFlow."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from sexstrat.models import GoldenOutput, LoadedModel, ModelCard

PREPARED_SIZE = 64


def draw_fundus(seed: int = 0, *, width: int = 480, height: int = 360) -> Image.Image:
    """Draw optic disc, macula and vessels on a reddish retina within a circle on black."""
    rng = np.random.default_rng(seed)
    radius, cx, cy = 0.46 * height, width / 2, height / 2
    y, x = np.mgrid[:height, :width]
    shade = 1 - 0.35 * (np.hypot(x - cx, y - cy) / radius) ** 2
    color = np.array([rng.integers(150, 210), rng.integers(70, 110), rng.integers(25, 60)])
    noise = rng.normal(0, 4, (height, width, 1))
    retina = Image.fromarray(np.clip(shade[:, :, None] * color + noise, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(retina)
    side = rng.choice([-1, 1])
    disc = (cx + side * 0.45 * radius, cy + rng.uniform(-0.1, 0.1) * radius)
    _spot(draw, disc, 0.16 * radius, (245, 215, 140))
    _spot(draw, (cx - side * 0.1 * radius, cy + 0.05 * radius), 0.18 * radius, tuple(int(v) for v in color * 0.6))
    for angle in rng.uniform(0, 2 * np.pi, 14):
        steps = np.linspace(0, 1.4 * radius, 30)
        bend = angle + rng.uniform(-1.2, 1.2) * (steps / radius) ** 1.5
        points = [
            (float(disc[0] + r * np.cos(a)), float(disc[1] + r * np.sin(a))) for r, a in zip(steps, bend, strict=True)
        ]
        draw.line(points, fill=(110, 20, 20), width=max(1, int(rng.uniform(0.008, 0.025) * height)))
    pixels = np.asarray(retina.filter(ImageFilter.GaussianBlur(0.6)))
    return Image.fromarray(pixels * (np.hypot(x - cx, y - cy) < radius)[:, :, None].astype(np.uint8))


def _spot(draw: ImageDraw.ImageDraw, center: tuple[float, float], radius: float, fill: tuple[int, ...]) -> None:
    draw.ellipse((center[0] - radius, center[1] - radius, center[0] + radius, center[1] + radius), fill=fill)


def write_fundi(folder: Path, number: int, *, start: int = 0) -> list[Path]:
    """Write as many different photographs as JPEG, named 000.jpg, 001.jpg, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{i:03d}.jpg" for i in range(start, start + number)]
    for i, path in enumerate(paths, start):
        draw_fundus(i, width=160, height=120).save(path, quality=90)
    return paths


def arithmetic_model(
    *, digest: str = "a" * 64, delay: float = 0.0, weights_seed: int = 7, fails: Callable[[int], bool] | None = None
) -> LoadedModel:
    """Return a model whose logit is a fixed weighting of the pixels, so that position and colour both count.

    ``delay`` is slept at every forward pass; ``fails`` is asked with the number of the pass (from 1).
    """
    weights = np.random.default_rng(weights_seed).normal(0, 3, (PREPARED_SIZE, PREPARED_SIZE, 3)).astype(np.float32)
    passes = 0

    def forward(pixels: NDArray[np.float32], /) -> NDArray[np.float32]:
        nonlocal passes
        passes += 1
        if delay:
            time.sleep(delay)
        if fails is not None and fails(passes):
            raise RuntimeError("out of memory")
        means = (pixels * weights).mean(axis=(1, 2, 3), dtype=np.float64)
        return (150 * means[:, None]).astype(np.float32)

    card = ModelCard(
        model_id="arithmetic",
        title="A fixed weighting of pixels, for tests",
        weights_file="none.npz",
        weights_sha256=digest,
        backbone="mobilenet",
        input_size=PREPARED_SIZE,
        prepared_size=PREPARED_SIZE,
        scaling="tf",
        channel_order="RGB",
        output_kind="logit",
        class_order=("male",),
        views="as_taken",
        training_ages=(0.0, 120.0),
        terms="none",
        golden=(GoldenOutput(seed=1, prob_male=0.5),),
    )
    return LoadedModel(card=card, network=None, forward=forward, runtime="keras")
