"""Tell what kind of model file a path holds, and make its network from code; nothing in the file is run."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

from sexstrat.errors import ModelError
from sexstrat.models.architecture import Architecture
from sexstrat.models.backbones import BACKBONES
from sexstrat.models.graph_parts import tail_of
from sexstrat.models.hdf5_reading import open_hdf5, text_attribute
from sexstrat.models.keras_archive import json_object, read_keras_archive
from sexstrat.models.layer_graph import graph_of
from sexstrat.models.rebuilding import Rebuilt, backbone_of, rebuild_from_graph
from sexstrat.models.saved_model import SavedLayers, read_saved_model
from sexstrat.models.stored_layers import NamedLayers, NumberedLayers, layers_in_hdf5
from sexstrat.models.weights_matching import dense_shapes, rebuild_from_weights

__all__ = ["FileContents", "file_contents", "file_format", "rebuild_from_file"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContents:
    """What can be read from a model file without building anything.

    Parameters
    ----------
    format : npz, keras, h5, onnx or saved_model.
    backbone : one of the sixteen, by its convolution kernels; None where the format does not tell.
    has_configuration : whether the file says how its layers are joined, or holds weights alone.
    input_size : side of the input in pixels; None when it does not say.
    output_activation : what is applied to the last values; None when it does not say.
    units : number of values that the network gives; None when it does not say.
    n_arrays, n_values : how many arrays and numbers it holds.
    dense_shapes : inputs and outputs of each dense layer, of a file of weights alone.
    """

    format: str
    backbone: str | None = None
    has_configuration: bool = False
    input_size: int | None = None
    output_activation: str | None = None
    units: int | None = None
    n_arrays: int = 0
    n_values: int = 0
    dense_shapes: tuple[tuple[int, int], ...] = ()


def file_format(path: str | Path) -> str:
    """Return the format of a model file by what it begins with, and not by its name.

    Parameters
    ----------
    path : file or folder.

    Returns
    -------
    npz, keras, h5, onnx or saved_model.

    Raises
    ------
    ModelError
        There is no such file, or it is of none of these formats.
    """
    place = Path(path)
    if place.is_dir():
        if (place / "saved_model.pb").is_file():
            return "saved_model"
        raise ModelError(f"{path} is a folder without saved_model.pb; allowed: a model file or a SavedModel folder")
    try:
        with place.open("rb") as file:
            start = file.read(8)
    except OSError as err:
        raise ModelError(f"the model file {path} cannot be read: {err}") from err
    if start == b"\x89HDF\r\n\x1a\n":
        return "h5"
    if start[:4] == b"PK\x03\x04":
        return "npz" if _holds_arrays(place) else "keras"
    if start[:1] == b"\x80":
        raise ModelError(f"{path} is a pickle, which is code; it is never opened. {_ALLOWED}")
    if place.suffix == ".onnx":
        return "onnx"
    raise ModelError(f"{path} is of no known model format, or is damaged. {_ALLOWED}")


_ALLOWED = "Allowed: .keras, .h5, .weights.h5, .onnx, this library's .npz, or a SavedModel folder that you trust"


def _holds_arrays(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(".npy") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as err:
        raise ModelError(f"{path} is not a readable archive; the file is damaged: {err}") from err


@contextmanager
def _opened(
    path: Path, form: str, trust: bool
) -> Iterator[tuple[dict[str, Any] | None, NamedLayers | NumberedLayers | SavedLayers]]:
    """Yield configuration (None when the file holds weights alone) and arrays."""
    if form == "saved_model":
        if not trust:
            raise ModelError(
                f"{path} is a SavedModel, a folder of TensorFlow programs; its arrays are only read when you trust its "
                "maker (--trust, or trust=True)"
            )
        yield read_saved_model(path)
        return
    if form == "keras":
        config, weights = read_keras_archive(path)
        with open_hdf5(weights) as file:
            yield config, layers_in_hdf5(file)
        return
    with open_hdf5(path) as file:
        text = text_attribute(file.attrs, "model_config")
        yield None if text is None else json_object(text, f"model_config in {path}"), layers_in_hdf5(file)


def rebuild_from_file(
    path: str | Path, architecture: Architecture, input_size: int | None, *, trust: bool = False
) -> Rebuilt:
    """Make the network of a Keras file from code and give it the file's weights.

    Parameters
    ----------
    path : a ``.keras`` or ``.h5`` file, or a SavedModel folder.
    architecture : what stands before and after the backbone, for a file of weights alone; other files say it.
    input_size : side of the input in pixels, for a file of weights alone.
    trust : whether the maker of a SavedModel is trusted.

    Returns
    -------
    The network with every weight of the file, and no other.

    Raises
    ------
    ModelError
        The file is damaged, could do harm, or does not hold one of the sixteen networks with a head.
    """
    place = Path(path)
    form = file_format(place)
    if form not in ("keras", "h5", "saved_model"):
        raise ModelError(f"{path} is a {form} file, not one of Keras")
    with _opened(place, form, trust) as (config, stored):
        if config is not None:
            return rebuild_from_graph(graph_of(config), stored)
        if isinstance(stored, SavedLayers):
            raise ModelError(f"{path} does not say how its layers are joined")
        return rebuild_from_weights(stored, architecture, input_size)


def file_contents(path: str | Path, *, trust: bool = False) -> FileContents:
    """Return what can be read from a model file without building anything.

    Parameters
    ----------
    path : the file or SavedModel folder.
    trust : whether the maker of a SavedModel is trusted.

    Returns
    -------
    What it holds.

    Raises
    ------
    ModelError
        The file is damaged, could do harm, or holds none of the sixteen networks.
    """
    place = Path(path)
    form = file_format(place)
    if form == "onnx":
        from sexstrat.models.onnx_file import check_onnx

        arrays = check_onnx(place.read_bytes(), str(place))
        return FileContents(format=form, has_configuration=True, n_arrays=len(arrays), n_values=sum(map(prod, arrays)))
    if form == "npz":
        return _npz_contents(place)
    with _opened(place, form, trust) as (config, stored):
        shapes = [array.shape for array in stored.arrays.values()]
        found = FileContents(
            format=form,
            backbone=backbone_of(stored.arrays),
            n_arrays=len(shapes),
            n_values=sum(map(prod, shapes)),
        )
        if config is None:
            dense = () if isinstance(stored, SavedLayers) else tuple(dense_shapes(stored))
            return replace(found, dense_shapes=dense, units=dense[-1][1] if dense else None)
        graph = graph_of(config)
        tail = tail_of(graph)
        return replace(
            found,
            has_configuration=True,
            input_size=graph.input_size,
            output_activation=tail.output_activation,
            units=tail.head[-1].units,
        )


def _npz_contents(path: Path) -> FileContents:
    from sexstrat.models.weights import stored_shapes

    shapes = stored_shapes(path)
    total = sum(prod(shape) for shape in shapes.values() if len(shape) == 4 and shape[-1] > 2)
    backbone = next((name for name, entry in BACKBONES.items() if entry.kernel_values == total), None)
    dense = tuple((shape[0], shape[1]) for _, shape in sorted(shapes.items()) if len(shape) == 2)
    return FileContents(
        format="npz",
        backbone=backbone,
        units=dense[-1][1] if dense else None,
        n_arrays=len(shapes),
        n_values=sum(map(prod, shapes.values())),
        dense_shapes=dense,
    )
