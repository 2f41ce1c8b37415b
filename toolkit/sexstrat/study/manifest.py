"""Seal a run with the digests of everything it released, and check the seal later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sexstrat.errors import StudyError
from sexstrat.scores.replacing import replace_file

__all__ = ["MANIFEST", "Verification", "read_results", "verify_run", "write_manifest"]

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1
_RELEASED = ("report.html", "tables")  # what a run writes for people, relative to its folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What became of the files of a run since it ended.

    Parameters
    ----------
    run_id : identity of the run: inputs, settings and code.
    unchanged, changed, missing, added : files, relative to the run folder.
    statements : what the files say of themselves and should not, for instance another run's identity.

    Examples
    --------
    >>> Verification(run_id="1", unchanged=("report.html",), changed=(), missing=(), added=(), statements=()).holds
    True
    """

    run_id: str
    unchanged: tuple[str, ...]
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]
    statements: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether every file is as the run left it and none was added."""
        return not (self.changed or self.missing or self.added or self.statements)

    def rows(self) -> list[tuple[str, str]]:
        """Return each file with what became of it, what is wrong first."""
        states = ("changed", "missing", "added", "unchanged")
        return [(file, state) for state in states for file in getattr(self, state)]

    def document(self) -> dict[str, Any]:
        """Return the verification as plain values for ``--json``."""
        names = ("run_id", "unchanged", "changed", "missing", "added", "statements")
        return {"holds": self.holds} | {name: getattr(self, name) for name in names}


def write_manifest(folder: str | Path) -> Path:
    """Write ``manifest.json``: the SHA-256 of every file that the run released.

    It is written last, aside first and then renamed, so that a folder with a manifest is a folder whose run ended.

    Parameters
    ----------
    folder : the run folder, its report and tables written.

    Returns
    -------
    Path of the manifest.

    Raises
    ------
    StudyError : the folder holds no results.
    """
    root = Path(folder)
    provenance = read_results(root)["provenance"]
    document = {
        "schema_version": MANIFEST_VERSION,
        "run_id": provenance.get("run_id", ""),
        "files": {name: _digest(root / name) for name in _released_files(root)},
    }
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    replace_file(root / MANIFEST, lambda target: target.write_text(text, encoding="utf-8", newline="\n"))
    return root / MANIFEST


def verify_run(folder: str | Path) -> Verification:
    """Compare a run folder, or a copy of it without ``private``, with its manifest.

    Parameters
    ----------
    folder : the run folder.

    Returns
    -------
    Which files are as the run left them, and which are not.

    Raises
    ------
    StudyError : there is no folder or no manifest in it, or the manifest cannot be read.
    """
    root = Path(folder)
    manifest = _manifest(root)
    stated: Mapping[str, str] = manifest["files"]
    there = set(_released_files(root))
    same = {name for name in stated if name in there and _digest(root / name) == stated[name]}
    run_id = str(manifest.get("run_id", ""))
    return Verification(
        run_id=run_id,
        unchanged=tuple(sorted(same)),
        changed=tuple(sorted(name for name in stated if name in there and name not in same)),
        missing=tuple(sorted(name for name in stated if name not in there)),
        added=tuple(sorted(there - set(stated))),
        statements=_statements(root, run_id, there),
    )


def read_results(folder: str | Path) -> dict[str, Any]:
    """Return the released results of a run.

    Parameters
    ----------
    folder : the run folder, or a copy of what it released.

    Returns
    -------
    The document ``tables/results.json``.

    Raises
    ------
    StudyError : the folder holds no such document, or it cannot be read.
    """
    path = Path(folder) / "tables" / "results.json"
    if not path.is_file():
        raise StudyError(f"{folder}: no run is here: tables/results.json is missing; give the folder of a finished run")
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document["provenance"], dict) or not isinstance(document["tables"], dict):
            raise TypeError("provenance and tables must be objects")
    except (ValueError, KeyError, TypeError) as problem:
        raise StudyError(f"{path}: not the results of a run: {problem}") from problem
    return document


def _manifest(root: Path) -> dict[str, Any]:
    path = root / MANIFEST
    if not path.is_file():
        what = f"no {MANIFEST}: its run did not end, or an older version made it" if root.is_dir() else "no such folder"
        raise StudyError(f"{root}: {what}; run the study again to seal it")
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if document["schema_version"] != MANIFEST_VERSION or not isinstance(document["files"], dict):
            raise ValueError(f"schema_version {document['schema_version']}; this version reads {MANIFEST_VERSION}")
    except (ValueError, KeyError, TypeError) as problem:
        raise StudyError(f"{path}: not a manifest that can be read: {problem}") from problem
    return document


def _statements(root: Path, run_id: str, there: set[str]) -> tuple[str, ...]:
    """Say where page or results name another run than the manifest."""
    found = []
    if "tables/results.json" in there:
        try:
            stated = read_results(root)["provenance"].get("run_id", "")
        except StudyError as problem:
            return (str(problem),)
        if stated != run_id:
            found.append(f"tables/results.json is of run {stated}, the manifest of run {run_id}")
    if "report.html" in there and run_id not in (root / "report.html").read_text(encoding="utf-8", errors="replace"):
        found.append(f"report.html does not name run {run_id}")
    return tuple(found)


def _released_files(root: Path) -> list[str]:
    found = [
        path for name in _RELEASED for path in ([root / name] if (root / name).is_file() else root.glob(f"{name}/**/*"))
    ]
    return sorted(path.relative_to(root).as_posix() for path in found if path.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
