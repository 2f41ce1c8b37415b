"""`sexstrat deidentify`: no identifier in any byte or name of the folder, every file accounted for, nothing lost."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import stat
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from sexstrat.cli.app import run
from sexstrat.errors import StudyError
from sexstrat.images import decode_image
from sexstrat.scores import deidentify_images, hashed_identifier, list_images, score_images
from sexstrat.scores.sole_run import sole_run

SECRETS = ("Morikawa", "H-000017", "19570312", "1.2.840.99.7", "right_eye_of", "Akebono", "90210-GPS")


def holds(data: bytes, text: str) -> bool:
    return any(text.encode(code).lower() in data.lower() for code in ("utf-8", "utf-16-le", "utf-16-be"))


def everything(picture: Image.Image, kind: str) -> bytes:
    """Return a file with names in every metadata that Pillow writes for its format."""
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Artist] = 6, "Morikawa Akebono"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAreaInformation] = b"90210-GPS"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = b"H-000017"
    if kind == "JPEG":
        picture.save(buffer, kind, quality=92, exif=exif, comment="Morikawa", xmp=b"<x>Morikawa 19570312</x>")
        iptc = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\x08Morikawa"
        data = buffer.getvalue()
        return data[:2] + b"\xff\xed" + (len(iptc) + 2).to_bytes(2, "big") + iptc + data[2:] + b"H-000017"
    if kind == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("a", "Morikawa")
        texts.add_text("b", "H-000017", zip=True)
        texts.add_itxt("c", "Akebono")
        picture.save(buffer, kind, pnginfo=texts, exif=exif)
        return buffer.getvalue()
    picture.save(buffer, kind, description="Morikawa", artist="H-000017", software="Akebono", compression="tiff_lzw")
    return buffer.getvalue()


@pytest.fixture
def photographs(tmp_path: Path, synthetic: ModuleType, dicom: ModuleType) -> Path:
    """Return a folder of good photographs that name a patient everywhere, and of files with every fault."""
    folder = tmp_path / "Akebono" / "Morikawa_H-000017"
    (folder / "sub").mkdir(parents=True)
    pictures = [synthetic.draw_fundus(seed, width=160, height=120) for seed in range(5)]
    header = {
        "PatientName": "Morikawa^H", "PatientID": "H-000017", "PatientBirthDate": "19570312", "ImageLaterality": "L",
        "StudyInstanceUID": "1.2.840.99.7.1", "Manufacturer": "Canon Morikawa", "InstitutionName": "Akebono",
    }  # fmt: skip
    (folder / "right_eye_of_Morikawa.jpg").write_bytes(everything(pictures[0], "JPEG"))
    (folder / "sub" / "H-000017.png").write_bytes(everything(pictures[1], "PNG"))
    (folder / "page.tif").write_bytes(everything(pictures[2], "TIFF"))
    (folder / "IM0001").write_bytes(dicom.dicom_bytes(np.asarray(pictures[3]), **header))
    (folder / "two.dcm").write_bytes(dicom.several_frames([np.asarray(pictures[3]), np.asarray(pictures[4])], **header))
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "note.txt").write_text("Morikawa, H-000017")
    (folder / "cut.jpg").write_bytes(everything(pictures[0], "JPEG")[:3000])
    (folder / "small.png").write_bytes(everything(pictures[0].resize((20, 20)), "PNG"))
    (folder / "nowhere.jpg").symlink_to(folder / "gone.jpg")
    broken = dicom.dicom_bytes(np.asarray(pictures[3]), **header)
    (folder / "broken.dcm").write_bytes(broken[: len(broken) // 2])
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def linkage(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["image_id"]: row for row in csv.DictReader(file)}


def test_no_identifier_is_in_any_byte_of_the_folder(photographs: Path, tmp_path: Path) -> None:
    """All that was put in is searched for in all that came out, names of files and tables among it."""
    before = contents(photographs)
    for secret in SECRETS:
        assert any(holds(data, secret) for data in before.values()) or any(secret in name for name in before)
    found = deidentify_images(photographs, tmp_path / "out")
    after = contents(tmp_path / "out")
    assert len([name for name in after if name.startswith("photographs/")]) == 5
    for name, data in after.items():
        for secret in (*SECRETS, str(tmp_path), "IM0001", "two.dcm"):
            assert not holds(data, secret), (name, secret)
            assert secret not in name
    key = (tmp_path / "out.key").read_bytes().strip()
    assert not any(key in data for data in after.values())
    assert contents(photographs) == before
    assert found.n_files == 11


def test_every_file_has_its_row_and_pixels_stay(photographs: Path, tmp_path: Path) -> None:
    """Eleven files, eleven rows, each with status and reason; photographs decode to the same pixels."""
    out = tmp_path / "out"
    found = deidentify_images(photographs, out)
    link = linkage(tmp_path / "out.linkage.csv")
    statuses = {name: row["status"] for name, row in link.items()}
    assert statuses == {
        "IM0001": "ok", "broken.dcm": "unreadable", "cut.jpg": "unreadable", "empty.jpg": "empty_file",
        "note.txt": "not_an_image", "nowhere.jpg": "missing_file", "page.tif": "ok", "right_eye_of_Morikawa.jpg": "ok",
        "small.png": "too_small", "sub/H-000017.png": "ok", "two.dcm": "ok",
    }  # fmt: skip
    table = pd.read_csv(out / "deidentified.csv")
    assert len(table) == 11
    assert table["image_id"].is_unique
    assert (table["reason"].isna() == (table["status"] == "ok")).all()
    assert table["status"].value_counts().to_dict() == found.by_status
    for name, row in link.items():
        if row["status"] != "ok":
            continue
        data = (out / row["deidentified_path"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
        for frame in (1, 2) if name == "two.dcm" else (None,):
            one, other = decode_image(photographs / name, frame=frame), decode_image(data, frame=frame)
            assert (one.pixels == other.pixels).all()
    assert {row["deidentified_patient_id"] for row in link.values() if row["patient_id"]} == {
        hashed_identifier((tmp_path / "out.key").read_bytes().strip(), "patient", "H-000017")
    }


def test_the_hand_over_is_scored_as_the_originals(photographs: Path, tmp_path: Path, synthetic: ModuleType) -> None:
    """The list in the folder is one that scoring reads; scores, patients and eyes are those of the originals."""
    deidentify_images(photographs, tmp_path / "out")
    model = synthetic.arithmetic_model()
    received = score_images(tmp_path / "out" / "images.csv", model=model).set_index("image_id")
    originals = score_images(photographs, model=model, hash_ids=tmp_path / "out.key").set_index("image_id")
    assert (received["status"] == "ok").all()
    assert len(received) == 6
    both = received.index.intersection(originals.index)
    assert len(both) == 4  # the two frames of one file have hashes of their own in each
    assert (received.loc[both, "prob_male"] == originals.loc[both, "prob_male"]).all()
    assert sorted(received["prob_male"]) == sorted(originals["prob_male"].dropna())
    assert received["patient_id"].nunique() == originals["patient_id"].dropna().nunique() == 1
    assert set(received["patient_id"].dropna()) == set(originals["patient_id"].dropna())
    assert received["eye_source"].value_counts()["list"] == 3


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_key_and_linkage_are_for_their_owner_alone(photographs: Path, tmp_path: Path) -> None:
    """Both have mode 600 whatever the mask; others' access is refused at the next run."""
    mask = os.umask(0)
    try:
        deidentify_images(photographs, tmp_path / "out")
    finally:
        os.umask(mask)
    for name in ("out.key", "out.linkage.csv"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    (tmp_path / "out.linkage.csv").chmod(0o644)
    with pytest.raises(
        StudyError, match="others than its owner can use this linkage file \\(mode 644\\); allowed: 600"
    ):
        deidentify_images(photographs, tmp_path / "out")


def test_two_runs_with_one_key_agree_and_another_key_differs(photographs: Path, tmp_path: Path) -> None:
    """Names, UIDs and bytes are the same from the same key; another key shares no name with it."""
    key = tmp_path / "key"
    deidentify_images(photographs, tmp_path / "a", key=key)
    deidentify_images(photographs, tmp_path / "b", key=key)
    deidentify_images(photographs, tmp_path / "c")
    one, same, other = (contents(tmp_path / name) for name in "abc")
    assert one == same
    assert {name for name in one if "/" in name}.isdisjoint(other)


def test_a_run_goes_on_where_it_was_stopped(photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after four rows, the next run does the rest, with the same folder as a run in one piece."""
    import sexstrat.scores.deidentify as stage

    key, whole, out = tmp_path / "key", tmp_path / "whole", tmp_path / "out"
    deidentify_images(photographs, whole, key=key)
    rows, real = 0, stage._outcome

    def stopped(row: Any, plan: Any) -> Any:
        nonlocal rows
        rows += 1
        if rows == 5:
            raise KeyboardInterrupt
        return real(row, plan)

    with monkeypatch.context() as patch:
        patch.setattr(stage, "_outcome", stopped)
        patch.setattr(stage, "_THREADS", 1)
        with pytest.raises(KeyboardInterrupt):
            deidentify_images(photographs, out, key=key)
    link = tmp_path / "out.linkage.csv"
    assert 1 <= len(linkage(link)) <= 4
    with link.open("a", encoding="utf-8") as file:
        file.write("a line that a kill cut o")
    (out / "photographs" / ".half.jpg.1.tmp").write_bytes(b"what a kill left")
    found = deidentify_images(photographs, out, key=key)
    assert found.n_reused >= 1
    assert contents(out) == contents(whole)
    assert len(linkage(link)) == 11


def test_done_work_is_not_done_again_but_changed_files_are(photographs: Path, tmp_path: Path) -> None:
    """The second run reuses all but what may have been the machine's fault; a changed or lost file is made anew."""
    out = tmp_path / "out"
    deidentify_images(photographs, out)
    again = deidentify_images(photographs, out)
    assert again.n_reused == 8  # of eleven; unreadable and missing ones are tried again
    link = linkage(tmp_path / "out.linkage.csv")
    (out / link["page.tif"]["deidentified_path"]).unlink()
    (out / link["IM0001"]["deidentified_path"]).write_bytes(b"spoiled")
    os.utime(photographs / "two.dcm", ns=(1, 1))
    third = deidentify_images(photographs, out)
    assert third.n_reused == 5
    for row in linkage(tmp_path / "out.linkage.csv").values():
        if row["status"] == "ok":
            assert hashlib.sha256((out / row["deidentified_path"]).read_bytes()).hexdigest() == row["sha256"]


def test_a_photograph_that_is_one_no_longer_leaves_the_folder(photographs: Path, tmp_path: Path) -> None:
    """What a file was before it was changed is handed over no more: not under another suffix, and not when it broke."""
    out = tmp_path / "out"
    deidentify_images(photographs, out)
    (photographs / "page.tif").write_bytes((photographs / "sub" / "H-000017.png").read_bytes())
    (photographs / "IM0001").write_bytes(b"no photograph any more")
    deidentify_images(photographs, out)
    listed = pd.read_csv(out / "images.csv")["path"]
    assert sorted(listed) == sorted(name for name in contents(out) if name.startswith("photographs/"))
    assert len(listed) == 4


@pytest.mark.slow
def test_a_killed_run_goes_on(tmp_path: Path, synthetic: ModuleType) -> None:
    """Killed by the system at three moments, the run that follows makes the folder of a run in one piece."""
    import subprocess
    import sys
    import time

    synthetic.write_fundi(tmp_path / "in", 150)
    key, out, link = tmp_path / "key", tmp_path / "out", tmp_path / "out.linkage.csv"
    deidentify_images(tmp_path / "in", tmp_path / "whole", key=key)
    words = [sys.executable, "-m", "sexstrat", "deidentify", str(tmp_path / "in"), "--out", str(out), "--key", str(key)]
    for least in (0, 5, 100):
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and (not link.exists() or len(link.read_bytes().splitlines()) <= least):
            time.sleep(0.01)
        process.kill()
        process.wait()
    found = deidentify_images(tmp_path / "in", out, key=key)
    assert found.n_reused >= 5
    assert contents(out) == contents(tmp_path / "whole")
    assert not [path for path in out.rglob("*") if path.name.startswith(".")]


def test_places_that_would_tell_are_refused(photographs: Path, tmp_path: Path) -> None:
    """Linkage or key in the folder, the folder among the photographs, a folder with other files, another key."""
    out = tmp_path / "out"
    cases: list[tuple[dict[str, Any], str]] = [
        ({"linkage": out / "sub" / "link.csv"}, "the linkage file may not lie in the output folder"),
        ({"key": out / "key"}, "the key file may not lie in the output folder"),
        ({"key": tmp_path / "one", "linkage": tmp_path / "one"}, "need a file each"),
    ]
    for options, words in cases:
        with pytest.raises(StudyError, match=words):
            deidentify_images(photographs, out, **options)
    with pytest.raises(StudyError, match="lies among the photographs"):
        deidentify_images(photographs, photographs / "out")
    (tmp_path / "link").symlink_to(tmp_path / "out", target_is_directory=True)
    with pytest.raises(StudyError, match="may not lie in the output folder"):
        deidentify_images(photographs, out, linkage=tmp_path / "link" / "a.csv")
    assert not out.exists()
    other = tmp_path / "other"
    other.mkdir()
    (other / "Morikawa.txt").write_text("mine")
    with pytest.raises(StudyError, match="is not empty, and there is no linkage file"):
        deidentify_images(photographs, other)
    deidentify_images(photographs, out)
    with pytest.raises(StudyError, match="made with another key"):
        deidentify_images(photographs, out, key=tmp_path / "second")
    with sole_run(out), pytest.raises(StudyError, match="another run is writing to"):
        deidentify_images(photographs, out)
    (out / "photographs" / "mine.jpg").write_bytes(b"x")
    with pytest.raises(StudyError, match=r"holds 1 files of another origin, mine\.jpg first"):
        deidentify_images(photographs, out)
    (out / "photographs" / "mine.jpg").unlink()
    (photographs / "page.tif").unlink()
    with pytest.raises(StudyError, match="1 of its files are no longer listed"):
        deidentify_images(photographs, out)
    with pytest.raises(StudyError, match="photographs lie in the output folder"):
        deidentify_images(list_images(out / "photographs"), out, linkage=tmp_path / "new.csv")


def test_the_command_tells_what_to_look_at(
    tmp_path: Path, synthetic: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """Text in a corner is counted for people and in the document; nothing about it is changed."""
    folder = tmp_path / "in"
    folder.mkdir()
    pixels = np.asarray(synthetic.draw_fundus(1, width=160, height=120)).copy()
    pixels[4:12, 4:40:3] = 255
    Image.fromarray(pixels).save(folder / "a.png")
    synthetic.draw_fundus(2, width=160, height=120).save(folder / "b.png")
    words = ["deidentify", str(folder), "--out", str(tmp_path / "out")]
    assert run(words) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "1 photographs may hold burnt-in text" in printed
    assert "pseudonymous, not anonymous" in printed
    assert run([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["n_files"], told["n_reused"], told["by_burned_in"]) == (2, 2, {"suspected": 1, "none_seen": 1})
    assert (
        run(["deidentify", str(folder), "--out", str(tmp_path / "o"), "--linkage", str(tmp_path / "o" / "l"), "--json"])
        == 2
    )
    assert "may not lie in the output folder" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_hostile_files_end_in_a_row(photographs: Path, tmp_path: Path) -> None:
    """Changed and cut copies of every format are cleaned or refused; what is written decodes and names nobody."""
    rng = np.random.default_rng(9)
    folder = tmp_path / "fuzz"
    folder.mkdir()
    sources = [photographs / name for name in ("right_eye_of_Morikawa.jpg", "sub/H-000017.png", "page.tif", "IM0001")]
    for number in range(60):
        data = bytearray(sources[number % 4].read_bytes())
        for place in rng.integers(0, min(len(data), 2000), 6):
            data[place] = int(rng.integers(0, 256))
        cut = int(rng.integers(len(data) // 2, len(data))) if rng.random() < 0.3 else len(data)
        (folder / f"{number:03d}").write_bytes(bytes(data[:cut]))
    found = deidentify_images(folder, tmp_path / "out")
    assert found.n_files == sum(found.by_status.values()) == 60
    assert found.by_status["ok"] >= 5
    table = pd.read_csv(tmp_path / "out" / "deidentified.csv")
    for row in table[table["status"] == "ok"].to_dict("records"):
        data = (tmp_path / "out" / str(row["path"])).read_bytes()
        assert decode_image(data).pixels.size
        if row["format"] != "DICOM":  # a name that was itself changed is no word the file names anybody by
            assert not holds(data, "Morikawa")
