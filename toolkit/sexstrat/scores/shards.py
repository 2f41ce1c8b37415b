"""Split a list of images between the tasks of a job array, and join what they wrote."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sexstrat.errors import StudyError
from sexstrat.scores.storage import files_below
from sexstrat.scores.table import read_notes, read_scores, write_scores
from sexstrat.scores.urls import is_remote

__all__ = ["Shard", "join_shards"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One of several nearly equal, consecutive pieces of a list.

    Parameters
    ----------
    number : which one, counted from 1.
    of : how many there are.
    """

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the shard that ``i/n`` names.

        Parameters
        ----------
        text : number, stroke, how many.

        Raises
        ------
        StudyError
            The text is no such pair, or the number is not from 1 to n.

        Examples
        --------
        >>> print(Shard.parse("2/8"))
        2/8
        >>> Shard.parse("0/8")
        Traceback (most recent call last):
        sexstrat.errors.StudyError: --shard 0/8: the number must be from 1 to 8; job arrays that count from 0 add 1
        """
        found = re.fullmatch(r"\s*(\d{1,7})\s*/\s*(\d{1,7})\s*", text)
        if found is None:
            raise StudyError(f"--shard {text!r} is not of the form i/n; for instance 1/8 is the first of eight")
        number, of = int(found[1]), int(found[2])
        if of < 1 or not 1 <= number <= of:
            raise StudyError(
                f"--shard {number}/{of}: the number must be from 1 to {max(of, 1)}; job arrays that count from 0 add 1"
            )
        return cls(number=number, of=of)

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def rows(self, listed: int) -> slice:
        """Return which rows of a list of this length are this shard's.

        Examples
        --------
        >>> [Shard(number=i, of=3).rows(8) for i in (1, 2, 3)]
        [slice(0, 2, None), slice(2, 5, None), slice(5, 8, None)]
        """
        return slice((self.number - 1) * listed // self.of, self.number * listed // self.of)

    def table(self, out: str | Path) -> str:
        """Return where the shard's own table lies, beside the whole one.

        Examples
        --------
        >>> Shard(number=2, of=16).table("scores.parquet")
        'scores.shard-02-of-16.parquet'
        """
        width = len(str(self.of))
        return f"{_stem(out)}.shard-{self.number:0{width}d}-of-{self.of}.parquet"

    def notes(self, listing: pd.DataFrame, recipe: str) -> dict[str, str]:
        """Return what a shard's table tells beside its rows, so that joining can see that all shards fit.

        Parameters
        ----------
        listing : the whole list.
        recipe : digest of the way of scoring.
        """
        told = listing[["image_id", "patient_id", "eye", "sha256"]].fillna("")  # paths differ between machines
        digest = hashlib.sha256(pd.util.hash_pandas_object(told, index=False).to_numpy().tobytes()).hexdigest()
        return {"shard": str(self), "images": str(len(listing)), "listing": digest, "recipe": recipe}


def join_shards(out: str | Path) -> int:
    """Join the tables of all shards to the whole one, in the order of the list.

    Parameters
    ----------
    out : the whole table, as it was named to every shard; ``.csv`` is allowed here.

    Returns
    -------
    Number of rows written.

    Raises
    ------
    StudyError
        A shard is missing, there are shards of several runs, or they do not fit: another list of images, another
        way of scoring, or an image in two of them. Nothing is written.
    """
    tables = _shard_tables(out)
    notes = {shard.number: read_notes(path) for shard, path in tables.items()}
    _check_alike(notes, out)
    listed = int(next(iter(notes.values()))["images"])
    seen: set[str] = set()

    def frames() -> Iterator[pd.DataFrame]:
        for shard, path in tables.items():
            frame = read_scores(path)
            own = shard.rows(listed)
            if len(frame) != own.stop - own.start:
                raise StudyError(f"{path} has {len(frame):,} rows; allowed: {own.stop - own.start:,}; score it again")
            twice = [name for name in frame["image_id"] if name in seen]
            if twice:
                raise StudyError(f"{path}: image {twice[0]!r} is in two shards; score them again from one list")
            seen.update(frame["image_id"])
            yield frame

    write_scores(frames(), out)
    return len(seen)


def _stem(out: str | Path) -> str:
    text = str(out)
    return text[: -len(Path(text).suffix)]


def _shard_tables(out: str | Path) -> dict[Shard, str]:
    """Return the table of each shard in order, or say which is missing."""
    stem = _stem(out)
    name = re.split(r"[/\\]", stem)[-1]
    pattern = re.compile(rf"(?:.*[/\\])?{re.escape(name)}\.shard-(\d+)-of-(\d+)\.parquet")
    files = _files_beside(stem)
    found = {Shard(number=int(m[1]), of=int(m[2])): path for path in files if (m := pattern.fullmatch(path))}
    if not found:
        raise StudyError(f"{out}: there is no shard of it; score with --shard 1/n to n/n and the same --out first")
    counts = sorted({shard.of for shard in found})
    if len(counts) > 1:
        raise StudyError(
            f"{out}: shards of {' and of '.join(map(str, counts))} lie there; remove those of the old split"
        )
    missing = [i for i in range(1, counts[0] + 1) if Shard(number=i, of=counts[0]) not in found]
    if missing:
        text = ", ".join(f"{i}/{counts[0]}" for i in missing[:10]) + (" ..." if len(missing) > 10 else "")
        raise StudyError(f"{out}: {len(missing):,} of {counts[0]:,} shards are missing: {text}")
    return dict(sorted(found.items(), key=lambda item: item[0].number))


def _files_beside(stem: str) -> list[str]:
    if is_remote(stem):
        return files_below(stem.rsplit("/", 1)[0])
    folder = Path(stem).parent
    return [str(path) for path in folder.iterdir()] if folder.is_dir() else []


def _check_alike(notes: Mapping[int, Mapping[str, str]], out: str | Path) -> None:
    meanings = {
        "images": "scored from another list of images",
        "listing": "scored from another list of images",
        "recipe": "scored by another model or in another way",
    }
    for number, own in notes.items():
        for name, meaning in meanings.items():
            if name not in own or own[name] != notes[1].get(name):
                raise StudyError(f"{out}: shard {number} was {meaning} than shard 1; score them again alike")
