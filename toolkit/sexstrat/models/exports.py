"""Write one network for other programs, and hold every file to what the network gives in Keras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import ModelError
from sexstrat.models.card import ModelCard
from sexstrat.models.golden import golden_input
from sexstrat.models.load import load_unchecked
from sexstrat.models.loaded_model import LoadedModel
from sexstrat.models.onnx_export import onnx_bytes
from sexstrat.models.openvino_runtime import convert_network, stored_forward
from sexstrat.models.rebuilding import architecture_of
from sexstrat.models.weights import file_sha256

__all__ = ["LARGEST_DIFFERENCE", "Export", "synthetic_inputs", "write_exports"]

LARGEST_DIFFERENCE = 1e-4
"""Largest difference in probability between a published file and Keras; a hundred times it for years."""

_SEEDS = tuple(range(1, 9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One file for other programs.

    Parameters
    ----------
    file : its name; that of the ``.xml`` file for OpenVINO's two.
    format : keras, weights_h5, onnx or openvino.
    sha256 : its SHA-256.
    bytes : its size; that of both files for OpenVINO.
    largest_difference : largest difference from Keras over the synthetic inputs, in probability or in years.
    """

    file: str
    format: str
    sha256: str
    bytes: int
    largest_difference: float


def synthetic_inputs(card: ModelCard) -> NDArray[np.uint8]:
    """Return the pictures that exports are compared on: eight golden inputs, which show nobody.

    Parameters
    ----------
    card : gives the size of the crops.

    Returns
    -------
    Crops of shape (8, prepared_size, prepared_size, 3).

    Examples
    --------
    >>> from sexstrat.models import shipped_card
    >>> synthetic_inputs(shipped_card()).dtype
    dtype('uint8')
    """
    return np.stack([golden_input(seed, card.prepared_size) for seed in _SEEDS])


def write_exports(model: LoadedModel, folder: Path) -> tuple[Export, ...]:
    """Write ``.keras``, ``.weights.h5``, ONNX and OpenVINO files of a model, each read back and compared.

    Parameters
    ----------
    model : the model on the Keras runtime.
    folder : where to write; must be there.

    Returns
    -------
    The files.

    Raises
    ------
    ModelError
        The model does not run on Keras, or a file gives other values than Keras.
    """
    if model.network is None:
        raise ModelError("an ONNX file cannot be exported again; start from the Keras file or from arrays")
    expected = model.predict(synthetic_inputs(model.card))
    found = []
    for name, write in _WRITERS.items():
        file, other = write(model, folder)
        worst = float(np.abs(other.predict(synthetic_inputs(model.card)) - expected).max())
        allowed = LARGEST_DIFFERENCE * (100 if model.card.output_kind == "age_years" else 1)
        if not worst <= allowed:
            raise ModelError(f"{file.name} differs from Keras by up to {worst:.2g}; allowed {allowed:.2g}")
        found.append(
            Export(
                file=file.name,
                format=name,
                sha256=file_sha256(file),
                bytes=sum(part.stat().st_size for part in {file, _beside(file)}),
                largest_difference=worst,
            )
        )
    return tuple(found)


def _beside(file: Path) -> Path:
    return file.with_suffix(".bin") if file.suffix == ".xml" else file


def _stem(model: LoadedModel) -> str:
    return model.card.weights_file.split(".")[0]


def _keras(model: LoadedModel, folder: Path) -> tuple[Path, LoadedModel]:
    file = folder / f"{_stem(model)}.keras"
    model.network.save(str(file))
    return file, _read_again(model, file, "keras")


def _weights(model: LoadedModel, folder: Path) -> tuple[Path, LoadedModel]:
    file = folder / f"{_stem(model)}.weights.h5"
    model.network.save_weights(str(file))
    return file, _read_again(model, file, "h5")


def _onnx(model: LoadedModel, folder: Path) -> tuple[Path, LoadedModel]:
    file = folder / f"{_stem(model)}.onnx"
    ending = {"sigmoid": "Sigmoid", "softmax": "Softmax"}.get(model.card.output_kind, "")
    file.write_bytes(onnx_bytes(model.network, model.card.input_size, ending=ending))
    return file, _read_again(model, file, "onnx")


def _openvino(model: LoadedModel, folder: Path) -> tuple[Path, LoadedModel]:
    file = folder / f"{_stem(model)}.xml"
    convert_network(model.network, model.card.input_size, file)
    forward = stored_forward(file, size=model.card.input_size)
    return file, LoadedModel(card=model.card, network=None, forward=forward, runtime="openvino")


def _read_again(model: LoadedModel, file: Path, form: Any) -> LoadedModel:
    """Load a file as a user would, by a card that names it."""
    plain = {"weights_file": file.name, "weights_format": form}
    if form == "onnx":
        return load_unchecked(replace(model.card, **plain, architecture=None), file)
    told = replace(architecture_of(model.network), imagenet_rescaling=False)
    kind: Any = {"sigmoid": "logit"}.get(model.card.output_kind, model.card.output_kind)
    return load_unchecked(replace(model.card, **plain, architecture=told, output_kind=kind), file)


_WRITERS: dict[str, Callable[[LoadedModel, Path], tuple[Path, LoadedModel]]] = {
    "keras": _keras,
    "weights_h5": _weights,
    "onnx": _onnx,
    "openvino": _openvino,
}
