"""Look into an HDF5 file without trusting it: plain numbers within the file itself, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import ModelError

__all__ = ["HDF5_ERRORS", "StoredArray", "open_hdf5", "stored_arrays", "text_attribute", "text_list_attribute"]

_MOST_OBJECTS = 60_000
_DEEPEST = 24
_LONGEST_TEXT = 32 * 2**20  # bytes of a configuration; the largest of the sixteen has 1 MB
_MOST_SQUEEZED = 100  # declared bytes for each stored one
_LEFT_ALONE = ("optimizer_weights", "optimizer", "_optimizer")  # the state of training

HDF5_ERRORS = (OSError, KeyError, RuntimeError, ValueError, TypeError, OverflowError, MemoryError, AttributeError)
"""What h5py raises for a damaged file, by kind of damage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArray:
    """An array in a file, not yet read.

    Parameters
    ----------
    shape : its shape as the file declares it.
    source : the HDF5 data set or another array-like that ``[()]`` reads.
    """

    shape: tuple[int, ...]
    source: Any

    def read(self, shape: tuple[int, ...], what: str) -> NDArray[np.float32]:
        """Return the values, once the declared shape is known to be the wanted one.

        Parameters
        ----------
        shape : shape that the network needs.
        what : name for messages.

        Raises
        ------
        ModelError
            Shape, or a value that is not finite, or values that cannot be read.
        """
        if self.shape != shape:
            raise ModelError(f"{what} has shape {self.shape} in the file; the network needs {shape}")
        try:
            values = np.asarray(self.source[()], dtype=np.float32)
        except HDF5_ERRORS as err:
            raise ModelError(f"{what} cannot be read from the file: {err}") from err
        if values.shape != shape or not np.isfinite(values).all():
            raise ModelError(f"{what} holds values that are not finite")
        return values


@contextmanager
def open_hdf5(source: str | Path | bytes) -> Iterator[Any]:
    """Open an HDF5 file for reading.

    Parameters
    ----------
    source : path, or the bytes of the file.

    Yields
    ------
    The h5py file.

    Raises
    ------
    ModelError
        It is no HDF5 file or is damaged.
    """
    import h5py

    place = BytesIO(source) if isinstance(source, bytes) else source
    try:
        file = h5py.File(place, "r")
    except HDF5_ERRORS as err:
        raise ModelError(f"the weights are not a readable HDF5 file: {err}") from err
    with file:
        try:
            yield file
        except HDF5_ERRORS as err:
            if isinstance(err, ModelError):
                raise
            raise ModelError(f"the HDF5 file is damaged: {type(err).__name__}: {err}") from err


def stored_arrays(file: Any) -> dict[str, StoredArray]:
    """List every array of a file, refusing whatever could reach outside it or swell when read.

    Parameters
    ----------
    file : h5py file or group.

    Returns
    -------
    Arrays by their path within ``file``, without what belongs to training.

    Raises
    ------
    ModelError
        A link leads elsewhere, an array is external, virtual, of objects or text, or much larger declared than stored.
    """
    import h5py

    found: dict[str, StoredArray] = {}
    waiting: list[tuple[str, Any, int]] = [("", file, 0)]
    count = 0
    while waiting:
        path, group, depth = waiting.pop()
        for name in group:
            count += 1
            if count > _MOST_OBJECTS or depth > _DEEPEST:
                raise ModelError(
                    f"the HDF5 file holds more than {_MOST_OBJECTS:,} objects, or groups within themselves"
                )
            if depth == 0 and name in _LEFT_ALONE:
                continue
            where = f"{path}/{name}" if path else name
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise ModelError(f"{where} is a link to elsewhere ({type(link).__name__}); allowed: none")
            member = group[name]
            if isinstance(member, h5py.Group):
                waiting.append((where, member, depth + 1))
            elif isinstance(member, h5py.Dataset):
                found[where] = _checked(member, where)
            else:
                raise ModelError(f"{where} is a {type(member).__name__}; allowed: groups and arrays")
    return found


def _checked(data: Any, where: str) -> StoredArray:
    if data.dtype.kind not in "fi" or data.dtype.itemsize not in (2, 4, 8) or data.dtype.fields is not None:
        raise ModelError(f"{where} holds {data.dtype}; allowed: plain numbers of 2, 4 or 8 bytes")
    if data.external or data.is_virtual:
        raise ModelError(f"{where} takes its values from other files; allowed: none")
    if data.shape is None or len(data.shape) > 5:
        raise ModelError(f"{where} has shape {data.shape}; allowed: up to five dimensions")
    declared = int(np.prod([int(side) for side in data.shape], dtype=object)) * data.dtype.itemsize
    stored = int(data.id.get_storage_size())
    if declared > _MOST_SQUEEZED * stored:
        raise ModelError(f"{where} declares {declared:,} bytes and stores {stored:,}; it would swell when read")
    return StoredArray(shape=tuple(int(side) for side in data.shape), source=data)


def text_attribute(attributes: Any, name: str) -> str | None:
    """Return an attribute that holds one text, or None where there is none.

    Parameters
    ----------
    attributes : h5py attributes.
    name : the attribute.

    Raises
    ------
    ModelError
        It is not one text of reasonable length.
    """
    if name not in attributes:
        return None
    held = attributes.get_id(name)
    if held.shape not in ((), None) or held.dtype.kind not in "OSU" or held.get_storage_size() > _LONGEST_TEXT:
        raise ModelError(f"the attribute {name} is not one text")
    value = attributes[name]
    text = value.decode("utf-8") if isinstance(value, bytes) else value
    if not isinstance(text, str) or len(text) > _LONGEST_TEXT:
        raise ModelError(f"the attribute {name} is not one text")
    return text


def text_list_attribute(attributes: Mapping[str, Any] | Any, name: str) -> list[str] | None:
    """Return an attribute that holds names; long lists are kept in pieces ``name0``, ``name1``, ...

    Parameters
    ----------
    attributes : h5py attributes.
    name : the attribute.

    Returns
    -------
    The names; None where there is no such attribute.

    Raises
    ------
    ModelError
        It does not hold names.
    """
    if name in attributes:
        return _texts(attributes, name)
    pieces: list[str] = []
    number = 0
    while f"{name}{number}" in attributes:
        pieces += _texts(attributes, f"{name}{number}")
        number += 1
    return pieces if number else None


def _texts(attributes: Any, name: str) -> list[str]:
    held = attributes.get_id(name)
    if held.shape == (0,):
        return []
    if len(held.shape or ()) != 1 or held.shape[0] > _MOST_OBJECTS or held.get_storage_size() > _LONGEST_TEXT:
        raise ModelError(f"the attribute {name} is not a list of names")
    values = [value.decode("utf-8") if isinstance(value, bytes) else value for value in attributes[name]]
    if not all(isinstance(value, str) for value in values):
        raise ModelError(f"the attribute {name} is not a list of names")
    return values
