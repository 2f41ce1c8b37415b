"""Write a model in another format: this library's own arrays, OpenVINO's two files, or ONNX."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from sexstrat.errors import ModelError
from sexstrat.models.architecture import Architecture
from sexstrat.models.card import ModelCard, write_card
from sexstrat.models.golden import check_golden
from sexstrat.models.load import CARD_NAME, card_path_of, load_model, load_unchecked
from sexstrat.models.onnx_export import onnx_bytes
from sexstrat.models.openvino_runtime import convert_network
from sexstrat.models.rebuilding import architecture_of
from sexstrat.models.weights import save_weights

__all__ = ["CONVERSIONS", "convert_model"]

CONVERSIONS = ("npz", "openvino", "onnx")


def convert_model(source: str | Path, to: str, folder: str | Path, *, trust: bool = False) -> ModelCard | None:
    """Write a checked model in another format, in float32, without loss.

    The formats npz and onnx come with a card that :func:`sexstrat.models.load_model` accepts; its golden outputs are
    those of the source and are checked on what was written. OpenVINO's files are for other programs.

    Parameters
    ----------
    source : a card's JSON file, or a folder with ``card.json``.
    to : one of ``CONVERSIONS``.
    folder : where to write; made when missing.
    trust : whether the maker of a SavedModel is trusted.

    Returns
    -------
    The card as written; None for OpenVINO's files.

    Raises
    ------
    ModelError
        The model cannot be loaded, is an ONNX file, or gives other outputs after conversion.
    """
    if to not in CONVERSIONS:
        raise ModelError(f"unknown format {to!r}; allowed: {', '.join(CONVERSIONS)}")
    model = load_model(source, trust=trust)
    card, place = model.card, Path(folder)
    if place.resolve() == card_path_of(source).parent.resolve():
        raise ModelError(f"{folder} holds the model itself; give another folder")
    if model.network is None:
        raise ModelError("an ONNX file is run as it is and cannot be converted; start from the Keras file")
    place.mkdir(parents=True, exist_ok=True)
    stem = card.weights_file.split(".")[0]
    if to == "openvino":
        convert_network(model.network, card.input_size, place / f"{stem}.xml")
        return None
    written = _npz(model.network, card, place, stem) if to == "npz" else _onnx(model.network, card, place, stem)
    check_golden(load_unchecked(written, place / written.weights_file))
    write_card(written, place / CARD_NAME)
    return written


def _npz(network: Any, card: ModelCard, place: Path, stem: str) -> ModelCard:
    name = f"{stem}.npz"
    digest = save_weights(network, place / name, precision="float32")
    architecture = architecture_of(network)
    plain = architecture == Architecture.plain(card.units)
    return replace(
        card,
        weights_file=name,
        weights_format="npz",
        weights_sha256=digest,
        architecture=None if plain else architecture,
    )


def _onnx(network: Any, card: ModelCard, place: Path, stem: str) -> ModelCard:
    from sexstrat.models.weights import file_sha256

    name = f"{stem}.onnx"
    ending = {"sigmoid": "Sigmoid", "softmax": "Softmax"}.get(card.output_kind, "")
    (place / name).write_bytes(onnx_bytes(network, card.input_size, ending=ending))
    return replace(
        card,
        weights_file=name,
        weights_format="onnx",
        weights_sha256=file_sha256(place / name),
        architecture=None,
    )
