"""Publish a model for the world: its weights, the same network in other files, its card for people, golden pictures."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sexstrat.errors import ModelError
from sexstrat.models.card import ModelCard, write_card
from sexstrat.models.card_markdown import card_markdown
from sexstrat.models.exports import Export, write_exports
from sexstrat.models.golden import golden_input
from sexstrat.models.load import CARD_NAME, card_path_of, load_model
from sexstrat.models.weights import file_sha256

__all__ = ["CHECKSUMS", "Release", "changed_files", "release_model"]

CHECKSUMS, MODEL_CARD, GOLDEN = "SHA256SUMS", "MODEL_CARD.md", "golden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A published folder.

    Parameters
    ----------
    folder : where it is.
    card : the card as written, its exports included.
    exports : the files for other programs.
    """

    folder: Path
    card: ModelCard
    exports: tuple[Export, ...]


def release_model(source: str | Path, folder: str | Path) -> Release:
    """Publish a checked model: the folder loads as it is, and every file in it is held to the model and to a digest.

    Written are the weights as they are and ``card.json``; ``.keras``, ``.weights.h5``, ONNX and OpenVINO files, each
    read back and compared with Keras; ``MODEL_CARD.md``, in the order of TRIPOD+AI; ``golden`` with synthetic
    pictures, which show nobody, and what the model gives for them; ``SHA256SUMS`` of all.

    Parameters
    ----------
    source : a card's JSON file, or a folder with ``card.json``.
    folder : where to write; must be empty or absent.

    Returns
    -------
    What was written.

    Raises
    ------
    ModelError
        The model cannot be loaded, the folder holds files, or an export gives other values than Keras.

    References
    ----------
    Collins GS, et al. TRIPOD+AI statement. BMJ 2024;385:e078378.
    """
    place = Path(folder)
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise ModelError(f"{place} is not an empty folder; give another --out")
    model = load_model(source)
    origin = card_path_of(source).parent
    place.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(origin / model.card.weights_file, place / model.card.weights_file)
    exports = write_exports(model, place)
    card = replace(model.card, exports=tuple(asdict(export) for export in exports))
    write_card(card, place / CARD_NAME)
    _write_golden(card, place / GOLDEN)
    (place / MODEL_CARD).write_text(card_markdown(card), encoding="utf-8")
    if (origin / "NOTICE.md").is_file():
        shutil.copyfile(origin / "NOTICE.md", place / "NOTICE.md")
    _write_checksums(place)
    load_model(place)
    return Release(folder=place, card=card, exports=exports)


def changed_files(folder: Path) -> tuple[int, list[str]]:
    """Compare a published folder with its checksums.

    Parameters
    ----------
    folder : holds ``SHA256SUMS``.

    Returns
    -------
    How many files are as they were, and what is wrong with the others.

    Raises
    ------
    ModelError
        A line of the checksums is not a digest and a name within the folder.
    """
    kept, wrong = 0, []
    for number, line in enumerate((folder / CHECKSUMS).read_text(encoding="utf-8").splitlines(), start=1):
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not name or Path(name).is_absolute() or ".." in Path(name).parts:
            raise ModelError(f"{folder / CHECKSUMS}, line {number}: must be a SHA-256, two blanks and a name within")
        if not (folder / name).is_file():
            wrong.append(f"{name} is missing")
        elif file_sha256(folder / name) != digest:
            wrong.append(f"{name} has changed")
        else:
            kept += 1
    return kept, wrong


def _write_golden(card: ModelCard, folder: Path) -> None:
    from PIL import Image

    folder.mkdir()
    rows: list[dict[str, Any]] = []
    for golden in card.golden:
        name = f"pattern_{golden.seed}.png"
        pixels = golden_input(golden.seed, card.prepared_size)
        Image.fromarray(pixels).save(folder / name)
        if not np.array_equal(np.asarray(Image.open(folder / name)), pixels):
            raise ModelError(f"{name} does not hold the pattern that was written")
        expected = {name: value for name, value in asdict(golden).items() if value is not None}
        rows.append({"file": name} | expected)
    told = {
        "about": "patterns made by whole-number arithmetic, not photographs; prepared crops, whose middle is the input",
        "tolerance": card.golden_tolerance,
        "rows": rows,
    }
    (folder / "golden.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def _write_checksums(folder: Path) -> None:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    lines = [f"{file_sha256(file)}  {file.relative_to(folder).as_posix()}\n" for file in files]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8", newline="\n")
