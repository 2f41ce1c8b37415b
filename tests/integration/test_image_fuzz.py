"""Damaged photographs: each is one row with a score or a reason; none crashes, hangs, writes or runs anything."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sexstrat.scores import ScoreSummary, score_images

DICOM_JPEG, DICOM_JPEG_2000 = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90"
HUGE = (b"\x7f\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x00", b"\xff\xff")  # sizes and counts of lying headers


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def sound_files(synthetic: ModuleType, dicom: ModuleType) -> dict[str, bytes]:
    """Return one small photograph in each coding of each format that is read."""
    picture = synthetic.draw_fundus(3, width=160, height=120)
    pixels = np.asarray(picture)
    grey = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 256)
    exif = Image.Exif()
    exif[0x0112] = 6
    return {
        "jpeg": encoded(picture, "JPEG", quality=90, exif=exif),
        "jpeg progressive": encoded(picture, "JPEG", quality=80, progressive=True),
        "jpeg cmyk": encoded(picture.convert("CMYK"), "JPEG"),
        "png": encoded(picture, "PNG"),
        "png palette": encoded(picture.convert("P"), "PNG"),
        "png 16 bit": encoded(grey, "PNG"),
        "tiff": encoded(picture, "TIFF"),
        "tiff lzw": encoded(picture, "TIFF", compression="tiff_lzw"),
        "tiff deflate 16 bit": encoded(grey, "TIFF", compression="tiff_adobe_deflate"),
        "tiff jpeg": encoded(picture, "TIFF", compression="jpeg"),
        "dicom": dicom.dicom_bytes(pixels, ImageLaterality="R", PatientSex="F", PatientAge="063Y"),
        "dicom frames": dicom.several_frames([pixels, pixels[::-1].copy()]),
        "dicom jpeg": dicom.encapsulated(pixels, "YBR_FULL_422", DICOM_JPEG, dicom.coded(pixels, "JPEG")),
        "dicom jpeg 2000": dicom.encapsulated(
            pixels, "RGB", DICOM_JPEG_2000, dicom.coded(pixels, "JPEG2000", irreversible=False)
        ),
        "dicom run length": dicom.run_length(pixels),
        "dicom palette": dicom.palette(pixels)[0],
    }


def mutated(data: bytes, other: bytes, fuzzing: ModuleType, rng: np.random.Generator) -> bytes:
    """Damage a file once to three times; or write a lying size; or join its head to another's tail."""
    kind = int(rng.integers(0, 8))
    if kind == 0:
        cut, joined = int(rng.integers(1, len(data))), int(rng.integers(0, len(other)))
        return data[:cut] + other[joined:]
    if kind == 1:
        held, lie = bytearray(data), HUGE[int(rng.integers(0, len(HUGE)))]
        place = int(rng.integers(0, min(len(held), 2048)))
        held[place : place + len(lie)] = lie
        return bytes(held)
    for _ in range(int(rng.integers(1, 4))):
        data = fuzzing.damaged(data, rng) or b"\x00"
    return data


@pytest.fixture(scope="module")
def worker(fuzzing: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a process that scores files."""
    found = fuzzing.Worker("image_fuzz_worker.py", tmp_path_factory.mktemp("cache"))
    yield found
    found.stop()


def fuzz(
    number: int, seed: int, worker: Any, folder: Path, synthetic: ModuleType, dicom: ModuleType, fuzzing: ModuleType
) -> Counter[str]:
    """Score that many damaged files one by one and then all together; return the rows by status."""
    rng = np.random.default_rng(seed)
    sound = sound_files(synthetic, dicom)
    names, slowest = list(sound), 0.0
    for i, name in enumerate(names):
        path = folder / f"sound-{i}"
        path.write_bytes(sound[name])
        answer = worker.ask(path)
        assert [row["status"] for row in answer["rows"]] == ["ok"] * (2 if name == "dicom frames" else 1), answer
        path.unlink()
    alone: dict[str, list[dict[str, Any]]] = {}
    for i in range(number):
        name = names[i % len(names)]
        path = folder / f"{i:03d} {name}"
        path.write_bytes(mutated(sound[name], sound[names[int(rng.integers(0, len(names)))]], fuzzing, rng))
        answer = worker.ask(path)
        slowest = max(slowest, answer["seconds"])
        assert answer["outcome"] == "loaded", (path.name, answer)
        assert answer["violations"] == [], (path.name, answer)
        assert answer["seconds"] <= fuzzing.LONGEST, (path.name, answer)
        assert answer["rows"], (path.name, answer)
        for row in answer["rows"]:
            fine = row["status"] == "ok"
            assert (row["prob_male"] is not None) == fine == (row["reason"] is None), (path.name, row)
        alone[path.name] = answer["rows"]
    together = score_images(folder, model=synthetic.arithmetic_model())
    assert len(together) == sum(map(len, alone.values())) == sum(ScoreSummary.of(together).by_status.values())
    for file, rows in together.groupby(together["image_id"].str.split("#").str[0]):
        assert rows["status"].tolist() == [row["status"] for row in alone[str(file)]], file
    counts = Counter(together["status"])
    print(f"{number} damaged photographs: {dict(counts)}, slowest {slowest:.1f} s")  # noqa: T201 - the count is the result
    return counts


def test_damaged_photographs_are_scored_or_refused_with_a_reason(
    worker: Any, tmp_path: Path, synthetic: ModuleType, dicom: ModuleType, fuzzing: ModuleType
) -> None:
    """Thirty-two damaged files, two of each coding, scored alone and together: a row each, and the same row."""
    counts = fuzz(32, 1, worker, tmp_path, synthetic, dicom, fuzzing)
    assert counts["ok"] > 0
    assert counts["unreadable"] > 0


@pytest.mark.slow
def test_five_hundred_damaged_photographs(
    worker: Any, tmp_path: Path, synthetic: ModuleType, dicom: ModuleType, fuzzing: ModuleType
) -> None:
    """Five hundred damaged files of sixteen codings, scored alone and together: a row each, and the same row."""
    counts = fuzz(500, 2, worker, tmp_path, synthetic, dicom, fuzzing)
    assert counts.total() >= 500
    assert counts["unreadable"] > 100
