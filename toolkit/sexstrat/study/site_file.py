"""The file of a site: cells that may leave it, or its shares of men, with a manifest that says what they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import sexstrat
from sexstrat.errors import EstimationError, StudyError
from sexstrat.estimates.pooling.share_document import shares_from
from sexstrat.estimates.pooling.site_pool import Site
from sexstrat.scores.replacing import clear_leftovers, refusal_told, replace_file
from sexstrat.values.cells import Cells
from sexstrat.values.tables import table_schema

__all__ = ["CELLS", "MANIFEST", "SiteFile", "read_site", "write_site"]

CELLS, MANIFEST = "cells.parquet", "manifest.json"
VERSION = 1
REQUIRED = (
    "site",
    "model_id",
    "edges",
    "conditions",
    "n_patients",
    "withheld",
    "question",
    "disclosure",
    "cell_schema",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFile:
    """What a site sent, read and checked.

    Parameters
    ----------
    folder : where it lies.
    site : cells or shares under the site's name.
    manifest : everything else it says of itself.
    """

    folder: Path
    site: Site
    manifest: Mapping[str, Any]


def write_site(folder: str | Path, manifest: Mapping[str, Any], cells: Cells | None) -> Path:
    """Write a site's file: the cells first, then the manifest that vouches for them, each aside and renamed.

    A folder without manifest is no site file, so that a half-written one is never read.

    Parameters
    ----------
    folder : made when absent; an older site file in it is replaced.
    manifest : what the site says of itself; the digest of the cells and the version are added.
    cells : cells that may leave the site, or None when the manifest carries shares.

    Returns
    -------
    The folder.
    """
    target = Path(folder)
    with refusal_told(target):
        target.mkdir(parents=True, exist_ok=True)
        for name in (MANIFEST, CELLS):
            clear_leftovers(target / name)
            (target / name).unlink(missing_ok=True)
    digest = None
    if cells is not None:
        replace_file(target / CELLS, partial(cells.frame.to_parquet, index=False))
        digest = hashlib.sha256((target / CELLS).read_bytes()).hexdigest()
    document = {
        "schema_version": VERSION,
        "sexstrat": sexstrat.__version__,
        **manifest,
        "cells_sha256": digest,
    }
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    replace_file(target / MANIFEST, lambda path: path.write_text(text, encoding="utf-8", newline="\n"))
    return target


def read_site(folder: str | Path) -> SiteFile:
    """Read a site's file and check that it is whole and of this version.

    Parameters
    ----------
    folder : the folder that :func:`write_site` wrote.

    Raises
    ------
    StudyError : there is no manifest, it is of another version, lacks an entry, or the cells are not those it vouches
        for.

    Examples
    --------
    >>> read_site("nowhere")
    Traceback (most recent call last):
    sexstrat.errors.StudyError: nowhere: no site file here: it needs manifest.json; write one with `sexstrat cells`
    """
    source = Path(folder)
    manifest = _manifest(source)
    cells = _cells(source, manifest) if manifest["cells_sha256"] else None
    try:
        shares = {one["condition"]: shares_from(one) for one in manifest.get("shares", ())}
    except EstimationError as err:
        raise StudyError(f"{source / MANIFEST}: {err}") from err
    if (cells is None) == (not shares):
        raise StudyError(f"{source / MANIFEST}: a site file carries either cells or shares; this one has both or none")
    site = Site(name=str(manifest["site"]), cells=cells, shares=shares, withheld=dict(manifest["withheld"]))
    return SiteFile(folder=source, site=site, manifest=manifest)


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise StudyError(f"{folder}: no site file here: it needs {MANIFEST}; write one with `sexstrat cells`")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as err:
        raise StudyError(f"{path}: cannot be read: {err}") from err
    if not isinstance(manifest, dict):
        raise StudyError(f"{path}: the top level must be an object")
    version = manifest.get("schema_version")
    if version != VERSION:
        raise StudyError(f"{path}: schema_version is {version!r}; this version of sexstrat reads {VERSION}")
    missing = [name for name in (*REQUIRED, "cells_sha256") if name not in manifest]
    if missing:
        raise StudyError(f"{path}: missing: {', '.join(missing)}")
    if manifest["cell_schema"] != table_schema("cell").version:
        raise StudyError(
            f"{path}: cells of layout {manifest['cell_schema']!r}; this version of sexstrat reads "
            f"{table_schema('cell').version}; let the site write its file anew"
        )
    return manifest


def _cells(folder: Path, manifest: Mapping[str, Any]) -> Cells:
    path = folder / CELLS
    if not path.is_file():
        raise StudyError(f"{path}: not found, though the manifest vouches for it")
    if hashlib.sha256(path.read_bytes()).hexdigest() != manifest["cells_sha256"]:
        raise StudyError(f"{path}: these are not the cells that {MANIFEST} vouches for (its digest differs)")
    try:
        edges = np.asarray(manifest["edges"], dtype=float)
        return Cells(frame=pd.read_parquet(path), edges=edges, model_id=str(manifest["model_id"]))
    except (OSError, ValueError) as err:
        raise StudyError(f"{path}: cannot be read: {err}") from err
