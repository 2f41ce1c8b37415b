"""Where a de-identified hand-over goes: places checked before a photograph is read, and the files listed by hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sexstrat.errors import StudyError
from sexstrat.scores.identifiers import hashed_identifier
from sexstrat.scores.linkage import LinkageFile, LinkageRow, key_of
from sexstrat.scores.listing import list_images
from sexstrat.scores.urls import is_remote, without_file_scheme

__all__ = ["HANDOVER_TABLE", "IMAGE_LIST", "PHOTOGRAPHS", "Handover", "handover"]

PHOTOGRAPHS, HANDOVER_TABLE, IMAGE_LIST = "photographs", "deidentified.csv", "images.csv"
"""What the folder holds: the photographs, the account of every input file, and a list that scoring reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A hand-over about to be made.

    Parameters
    ----------
    out : folder to write.
    key : the secret key.
    key_path : its file.
    linkage : the linkage file, with the rows of an earlier run.
    files : one row for each input file, in the order of the list.
    digests : image_id to the sha256 that the list gives.
    root : folder outside which nothing is read, or None.
    """

    out: Path
    key: bytes
    key_path: Path
    linkage: LinkageFile
    files: tuple[LinkageRow, ...]
    digests: Mapping[str, str]
    root: str | None

    def mend(self) -> None:
        """Clear what a killed run left half written, and begin the linkage file."""
        for leftover in [*self.out.glob(".*.tmp"), *(self.out / PHOTOGRAPHS).glob(".*.tmp")]:
            leftover.unlink(missing_ok=True)
        self.linkage.mend()


def handover(
    source: str | Path | pd.DataFrame,
    out: str | Path,
    *,
    key: str | Path | None,
    linkage: str | Path | None,
    root: str | Path | None,
) -> Handover:
    """List the input files and make sure that nothing that identifies can come into the output folder.

    Parameters
    ----------
    source, out, key, linkage, root : as in :func:`sexstrat.scores.deidentify_images`.

    Returns
    -------
    What to do.

    Raises
    ------
    StudyError
        Key or linkage file would lie in the output folder, photographs lie in it or it among them, or it holds what is
        not of an earlier run with the same key.

    Examples
    --------
    >>> handover("photographs", "out", key=None, linkage="out/linkage.csv", root=None)
    Traceback (most recent call last):
    sexstrat.errors.StudyError: out/linkage.csv: the linkage file may not lie in the output folder out; ...
    """
    if is_remote(without_file_scheme(str(out))):
        raise StudyError(f"{out}: a hand-over is written to a folder of this machine; send it on from there")
    folder = Path(out)
    key_path = Path(f"{folder}.key") if key is None else Path(key)
    linkage_path = Path(f"{folder}.linkage.csv") if linkage is None else Path(linkage)
    for place, name in ((linkage_path, "linkage"), (key_path, "key")):
        if _lies_in(place, folder):
            raise StudyError(
                f"{place}: the {name} file may not lie in the output folder {folder}; who receives the folder could "
                "tell whom each photograph shows"
            )
    if _same(key_path, linkage_path):
        raise StudyError(f"{key_path}: key and linkage need a file each")
    if isinstance(source, str | Path) and Path(source).is_dir() and _lies_in(folder, Path(source)):
        raise StudyError(f"{out}: the output folder lies among the photographs in {source}; give one elsewhere")
    listing = list_images(source, root=root)
    inside = [path for path in listing["path"] if not is_remote(path) and _lies_in(Path(path), folder)]
    if inside:
        raise StudyError(f"{len(inside):,} photographs lie in the output folder {out}, {inside[0]} first")
    if folder.exists() and not folder.is_dir():
        raise StudyError(f"{out}: there is a file of this name; give a folder")
    held = LinkageFile(linkage_path) if linkage_path.exists() else None
    if held is None and folder.is_dir() and any(not _is_ours(path) for path in folder.iterdir()):
        raise StudyError(
            f"{out}: the folder is not empty, and there is no linkage file {linkage_path} of a run that wrote it"
        )
    secret = key_of(key_path)
    files = _files(listing, secret)
    held = LinkageFile(linkage_path) if held is None else held
    _check_earlier(held, files, folder, secret, key_path)
    return Handover(
        out=folder,
        key=secret,
        key_path=key_path,
        linkage=held,
        files=files,
        digests=dict(listing.loc[listing["sha256"].notna(), ["image_id", "sha256"]].itertuples(index=False)),
        root=None if root is None else str(root),
    )


def _files(listing: pd.DataFrame, key: bytes) -> tuple[LinkageRow, ...]:
    """Return one row a file: frames of one file stay together."""
    rows = []
    for record in listing.drop_duplicates("path").to_dict("records"):
        image = str(record["image_id"])
        if not pd.isna(record["frame"]):
            image = image.removesuffix(f"#{int(record['frame'])}")
        patient = "" if pd.isna(record["patient_id"]) else str(record["patient_id"])
        rows.append(
            LinkageRow(
                image_id=image,
                path=str(record["path"]),
                patient_id=patient,
                eye="" if pd.isna(record["eye"]) else str(record["eye"]),
                deidentified_image_id=hashed_identifier(key, "image", image),
                deidentified_patient_id=hashed_identifier(key, "patient", patient) if patient else "",
            )
        )
    return tuple(rows)


def _check_earlier(held: LinkageFile, files: tuple[LinkageRow, ...], folder: Path, key: bytes, key_path: Path) -> None:
    """Refuse a folder or a linkage file that is not of an earlier run of the same photographs with the same key."""
    other = [
        row for row in held.rows.values() if hashed_identifier(key, "image", row.image_id) != row.deidentified_image_id
    ]
    if other:
        raise StudyError(f"{held.path}: its hashes were made with another key than that in {key_path}")
    names = {row.deidentified_image_id for row in files}
    gone = [row for row in held.rows.values() if row.deidentified_image_id not in names]
    if gone:
        raise StudyError(
            f"{held.path}: {len(gone):,} of its files are no longer listed, {gone[0].path} first; start with a new "
            "folder and a new linkage file"
        )
    known = {PHOTOGRAPHS, HANDOVER_TABLE, IMAGE_LIST}
    photographs = folder / PHOTOGRAPHS
    foreign = [path for path in folder.iterdir() if path.name not in known] if folder.is_dir() else []
    foreign += [path for path in photographs.iterdir() if path.stem not in names] if photographs.is_dir() else []
    foreign = [path for path in foreign if not _is_ours(path)]
    if foreign:
        raise StudyError(
            f"{folder}: holds {len(foreign):,} files of another origin, {foreign[0].name} first; give a new folder"
        )


def _is_ours(path: Path) -> bool:
    """Tell whether a file is one that a run makes for as long as it lasts, or left when it was killed."""
    return path.name == ".running" or (path.name.startswith(".") and path.name.endswith(".tmp"))


def _lies_in(path: Path, folder: Path) -> bool:
    """Tell whether a place is in a folder or the folder itself, links followed."""
    return path.resolve().is_relative_to(folder.resolve())


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()
