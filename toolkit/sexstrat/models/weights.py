"""Store and read a network's weights as plain named arrays: half precision on disk, no code, no pickles."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import ModelError
from sexstrat.models.filling import finish_normalizations
from sexstrat.models.keras_archive import ARCHIVE_ERRORS, checked_entries

__all__ = ["file_sha256", "load_weights", "save_weights", "stored_shapes", "weights_sha256"]

_HEADER_ALLOWANCE = 4096  # bytes an .npy header may add to its array


def _named_variables(network: Any) -> list[tuple[str, Any]]:
    """Return each weight with a stable name: layer number, layer class and weight name.

    Layer numbers and not layer names, because some backbones name their layers by a counter that
    depends on what was built before.
    """
    return [
        (f"{i:04d}.{type(layer).__name__}.{variable.name}", variable)
        for i, layer in enumerate(network.layers)
        for variable in layer.weights
    ]


def save_weights(network: Any, path: str | Path, *, precision: Literal["float16", "float32"] = "float16") -> str:
    """Write all weights as arrays into an ``.npz`` file; the same weights give the same bytes.

    Parameters
    ----------
    network : Keras model.
    path : file to write.
    precision : float16 halves the file; float32 keeps every weight as it is.

    Returns
    -------
    SHA-256 of the file.

    Raises
    ------
    ModelError
        A weight is not finite in that precision.
    """
    width = "half" if precision == "float16" else "single"
    with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, variable in _named_variables(network):
            with np.errstate(over="ignore"):  # told as an error below
                stored = np.asarray(variable).astype(precision)
            if not np.isfinite(stored).all():
                raise ModelError(f"weight {name} does not fit {width} precision; it cannot be published like this")
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as file:
                np.lib.format.write_array(file, stored, allow_pickle=False)
    return file_sha256(path)


def load_weights(network: Any, path: str | Path) -> None:
    """Read weights into a network built from code; names, shapes and number types must all fit.

    Parameters
    ----------
    network : Keras model whose weights are replaced.
    path : ``.npz`` file that :func:`save_weights` wrote.

    Raises
    ------
    ModelError
        The file is damaged, lacks or has surplus weights, or a shape or number type does not fit.
    """
    variables = _named_variables(network)
    try:
        with zipfile.ZipFile(path) as archive:
            checked_entries(archive, bounded=True)
            _check_names([name for name, _ in variables], archive, path)
            for name, variable in variables:
                variable.assign(_read_array(archive, name, tuple(variable.shape)))
            finish_normalizations(network.layers)
    except ARCHIVE_ERRORS as err:
        if isinstance(err, ModelError):
            raise
        raise ModelError(f"the weights file {path} is damaged: {err}") from err


def stored_shapes(path: str | Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of every array of an ``.npz`` file, reading no array.

    Parameters
    ----------
    path : the file.

    Returns
    -------
    Shapes by name.

    Raises
    ------
    ModelError
        The file is damaged or holds something else than plain arrays.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = checked_entries(archive, bounded=True)
            return {name.removesuffix(".npy"): _declared_shape(archive, entry) for name, entry in entries.items()}
    except ARCHIVE_ERRORS as err:
        if isinstance(err, ModelError):
            raise
        raise ModelError(f"the weights file {path} is damaged: {err}") from err


def _declared_shape(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[int, ...]:
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ModelError(f"array {entry.filename} is of version {version}; allowed: (1, 0)")
        shape, _, kind = np.lib.format.read_array_header_1_0(file)
    if kind not in (np.float16, np.float32):
        raise ModelError(f"array {entry.filename} holds {kind}; allowed: float16, float32")
    return tuple(int(side) for side in shape)


def _check_names(expected: list[str], archive: zipfile.ZipFile, path: str | Path) -> None:
    found = {entry.removesuffix(".npy") for entry in archive.namelist()}
    missing = [name for name in expected if name not in found]
    surplus = sorted(found - set(expected))
    if missing or surplus:
        raise ModelError(
            f"the weights in {path} are not of this network: {len(missing)} missing {missing[:3]}, "
            f"{len(surplus)} not known {surplus[:3]}; is the card's backbone right?"
        )


def _read_array(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    limit = int(np.prod(shape)) * 4 + _HEADER_ALLOWANCE
    entry = archive.getinfo(f"{name}.npy")
    if entry.file_size > limit:
        raise ModelError(f"weight {name} has {entry.file_size:,} bytes; at most {limit:,} fit its shape {shape}")
    with archive.open(entry) as file:
        try:
            values = np.lib.format.read_array(file, allow_pickle=False)
        except ValueError as err:
            raise ModelError(f"weight {name} is not a plain array: {err}") from err
    if values.shape != shape:
        raise ModelError(f"weight {name} has shape {values.shape}; the network needs {shape}")
    if values.dtype not in (np.float16, np.float32):
        raise ModelError(f"weight {name} holds {values.dtype}; allowed: float16, float32")
    if not np.isfinite(values).all():
        raise ModelError(f"weight {name} holds values that are not finite")
    return values.astype(np.float32)


def file_sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file in hexadecimal.

    Parameters
    ----------
    path : the file.

    Returns
    -------
    64 hexadecimal digits.

    Examples
    --------
    Of nothing at all:

    >>> import os
    >>> file_sha256(os.devnull)[:16]
    'e3b0c44298fc1c14'
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def weights_sha256(path: str | Path) -> str:
    """Return the SHA-256 of a weights file, or of a folder by the names and the contents of its files.

    Parameters
    ----------
    path : file or folder.

    Returns
    -------
    64 hexadecimal digits.

    Raises
    ------
    ModelError
        There is nothing at this path, or the folder holds a link.

    Examples
    --------
    >>> import os
    >>> weights_sha256(os.devnull) == file_sha256(os.devnull)
    True
    """
    place = Path(path)
    if not place.is_dir():
        try:
            return file_sha256(place)
        except OSError as err:
            raise ModelError(f"the weights {path} cannot be read: {err}") from err
    digest = hashlib.sha256()
    for member in sorted(place.rglob("*")):
        if member.is_symlink():
            raise ModelError(f"{member} is a link; allowed in a model folder: files")
        if member.is_file():
            digest.update(f"{member.relative_to(place).as_posix()}\0{file_sha256(member)}\n".encode())
    return digest.hexdigest()
