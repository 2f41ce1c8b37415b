"""List the images of a folder, a glob or a table: one row each, in an order that is always the same."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from sexstrat.errors import StudyError
from sexstrat.scores.breaches import typed_columns
from sexstrat.scores.dicom_facts import with_dicom_facts
from sexstrat.scores.image_list import LIST_SUFFIXES, read_image_list
from sexstrat.scores.paths import relative_id, storable
from sexstrat.scores.storage import files_below, local_copy
from sexstrat.scores.urls import is_remote, without_file_scheme
from sexstrat.values.tables import table_schema

__all__ = ["list_images"]


def list_images(
    source: str | Path | pd.DataFrame,
    *,
    root: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """List images, one row each, as the image contract wants them.

    A folder is searched with all its subfolders, in the order of the files' POSIX paths; every file that is not
    hidden is listed, whatever it is, and a folder that cannot be opened is listed itself. Links to folders are
    followed, except back into a folder they lie in. Two files of the same name in two folders are two images.

    Parameters
    ----------
    source : folder; glob such as ``photos/**/*.jpg``; CSV or Parquet list with columns of the image contract;
        one image file; or a data frame with columns of the image contract. Also the URL of a folder, glob, list or
        image in object storage or an archive, see :data:`sexstrat.scores.urls.PROTOCOLS`.
    root : folder that image_id (the POSIX path relative to it) and relative paths of a list start from; by
        default the folder itself, the fixed part of the glob, or the list's own folder.
    columns : for a list, contract column to the list's own name for it.

    Returns
    -------
    The columns of the image contract; ``path`` can be opened from the working folder. A list keeps its order. What
    the headers of DICOM files say, named .dcm or not, is filled in, and each frame of a file of several is a row of
    its own; see :func:`sexstrat.scores.with_dicom_facts`.

    Raises
    ------
    StudyError
        There is no such folder, list or file, or it holds no image.
    SchemaError
        The list breaks the image contract; every breach is given with file, row, column, value and what is allowed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b/1.jpg", "a/1.jpg", ".hidden/1.jpg"):
    ...         path = Path(folder, name)
    ...         path.parent.mkdir()
    ...         _ = path.write_bytes(b"")
    ...     list_images(folder)["image_id"].tolist()
    ['a/1.jpg', 'b/1.jpg']
    """
    base = None if root is None else without_file_scheme(str(root))
    return with_dicom_facts(_listed(source, base, columns), root=base)


def _listed(source: str | Path | pd.DataFrame, base: str | None, columns: Mapping[str, str] | None) -> pd.DataFrame:
    if isinstance(source, pd.DataFrame):
        return read_image_list(source, root=base, columns=columns)
    source = without_file_scheme(str(source))
    if is_remote(source):
        return _listed_by_url(source, base, columns)
    path = Path(source)
    if path.is_dir():
        return _from_files(_files_below(path), base or path, str(source))
    if not os.path.lexists(path) and glob.has_magic(str(source)):
        return _from_files(_files_matching(str(source)), base or _fixed_part(path), str(source))
    if not os.path.lexists(path):
        raise StudyError(f"{source}: no such folder, list or image; give a folder, a glob, a CSV or a Parquet list")
    if path.suffix.lower() in LIST_SUFFIXES:
        return read_image_list(path, root=base, columns=columns)
    return _from_files([path], base or path.parent, str(source))


def _listed_by_url(url: str, base: str | None, columns: Mapping[str, str] | None) -> pd.DataFrame:
    head, chained, rest = url.partition("::")
    folder = f"{head.rsplit('/', 1)[0]}/{chained}{rest}"
    if head.lower().endswith(LIST_SUFFIXES) and not glob.has_magic(head):
        with local_copy(url) as copy:
            return read_image_list(copy, root=base or folder, columns=columns, name=url)
    found = files_below(url)
    if found == [url]:
        return _from_files(found, base or folder, url)
    return _from_files(found, base or _fixed_part_of_url(head) + chained + rest, url)


def _fixed_part_of_url(head: str) -> str:
    name, _, path = head.partition("://")
    return f"{name}://{_fixed_part(Path(path)).as_posix() if glob.has_magic(path) else path}"


def _from_files(paths: Sequence[str | Path], root: str | Path, source: str) -> pd.DataFrame:
    if not paths:
        raise StudyError(f"{source}: holds no file that is not hidden")
    pairs = sorted((relative_id(path, root), storable(path)) for path in paths)
    ids, texts = zip(*pairs, strict=True)
    return typed_columns(pd.DataFrame({"image_id": ids, "path": texts}), table_schema("image"))


def _fixed_part(pattern: Path) -> Path:
    parts = []
    for part in pattern.parts[:-1]:
        if glob.has_magic(part):
            break
        parts.append(part)
    return Path(*parts)


def _files_matching(pattern: str) -> list[Path]:
    """Return what a glob names; folders only when its last part looks for something with a suffix."""
    keep_folders = "." in Path(pattern).name
    found = map(Path, glob.glob(pattern, recursive=True))  # noqa: PTH207  (Path.glob takes no absolute pattern)
    return [path for path in found if keep_folders or not path.is_dir()]


def _files_below(folder: Path, above: frozenset[str] = frozenset()) -> list[Path]:
    return list(_walk(folder, above | {os.path.realpath(folder)}))


def _walk(folder: Path, above: frozenset[str]) -> Iterator[Path]:
    """Yield every file below a folder; ``above`` holds the real paths of the folders on the way down."""
    try:
        entries = list(folder.iterdir())
    except OSError:
        yield folder
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if not _is_folder(entry):
            yield entry
            continue
        real = os.path.realpath(entry)
        if real not in above:
            yield from _walk(entry, above | {real})


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False
