"""A folder of everything that can be wrong with a file gives one row each with the right status, and no exception."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sexstrat.scores import ScoreSummary, list_images, read_scores, score_images

UPRIGHT, SIDEWAYS = 1, 6
EXIF_ORIENTATION = 0x0112


def jpeg(picture: Image.Image, *, orientation: int = UPRIGHT) -> bytes:
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[EXIF_ORIENTATION] = orientation
    picture.save(buffer, "JPEG", quality=92, exif=exif)
    return buffer.getvalue()


def saved(picture: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def sixteen_bit_grey(picture: Image.Image) -> bytes:
    grey = np.asarray(picture.convert("L")).astype(np.uint16) * 16  # twelve bits in a 16-bit file, as cameras do
    return saved(Image.fromarray(grey), "TIFF")


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that claims to be huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, synthetic: ModuleType) -> tuple[Path, dict[str, str]]:
    """Write the folder; return it with the status that each file must get."""
    folder = tmp_path_factory.mktemp("hostile")
    fundus = synthetic.draw_fundus(1)
    good = jpeg(fundus)
    flawed = bytearray(good)
    flawed[600:] = bytes(len(good) - 600)
    files = {
        "good.jpg": (good, "ok"),
        "upright.png": (saved(Image.open(io.BytesIO(good)).convert("RGB"), "PNG"), "ok"),
        "no suffix": (good, "ok"),
        "really a jpeg.png": (good, "ok"),
        "cmyk.jpg": (saved(fundus.convert("CMYK"), "JPEG"), "ok"),
        "grey16.tif": (sixteen_bit_grey(fundus), "ok"),
        "palette.png": (saved(fundus.convert("P"), "PNG"), "ok"),
        "transparent.png": (saved(fundus.convert("RGBA"), "PNG"), "ok"),
        "exif_rotated.jpg": (jpeg(fundus, orientation=SIDEWAYS), "ok"),
        "右眼/患者 一.jpg": (good, "ok"),
        "right/001.jpg": (good, "ok"),
        "left/001.jpg": (jpeg(synthetic.draw_fundus(2)), "ok"),
        "empty.jpg": (b"", "empty_file"),
        "truncated.jpg": (good[: len(good) // 2], "unreadable"),
        "header_only.jpg": (good[:4], "unreadable"),
        "truncated.png": (saved(fundus, "PNG")[:5000], "unreadable"),
        "truncated.tif": (sixteen_bit_grey(fundus)[:5000], "unreadable"),
        "text.jpg": (b"patient 7, right eye\n", "not_an_image"),
        "zip.jpg": (b"PK\x03\x04" + bytes(200), "not_an_image"),
        "photo.heic": (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(200), "not_an_image"),
        "photo.gif": (saved(fundus, "GIF"), "not_an_image"),
        "photo.bmp": (saved(fundus, "BMP"), "not_an_image"),
        "photo.webp": (saved(fundus, "WEBP"), "not_an_image"),
        "pixel.png": (saved(Image.new("RGB", (1, 1)), "PNG"), "too_small"),
        "bomb.png": (bomb(30_000, 30_000), "too_large"),
        "black.png": (saved(Image.new("RGB", (300, 200)), "PNG"), "no_field_of_view"),
        "zeroed.jpg": (bytes(flawed), "unreadable"),
    }
    for name, (content, _) in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    (folder / "folder.jpg").mkdir()
    (folder / "folder.jpg" / "inside.jpg").write_bytes(good)
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "dead_link.jpg").symlink_to(folder / "nowhere.jpg")
    (folder / "self_link.jpg").symlink_to(folder / "self_link.jpg")
    (folder / ".hidden.jpg").write_bytes(good)
    expected = {name: status for name, (_, status) in files.items()}
    more = {"folder.jpg/inside.jpg": "ok", "dead_link.jpg": "missing_file", "self_link.jpg": "unreadable"}
    return folder, expected | more


@pytest.fixture(scope="module")
def scores(hostile: tuple[Path, dict[str, str]], synthetic: ModuleType) -> pd.DataFrame:
    """Score the folder once."""
    return score_images(hostile[0], model=synthetic.arithmetic_model(), batch_size=4).set_index("image_id")


def test_every_file_has_one_row_with_the_right_status(
    hostile: tuple[Path, dict[str, str]], scores: pd.DataFrame
) -> None:
    """One row for each file, none twice, none lost; the status says what is wrong with it."""
    assert scores["status"].to_dict() == hostile[1]
    assert scores.index.is_unique


def test_a_row_without_a_score_has_a_reason_and_no_number(scores: pd.DataFrame) -> None:
    """A reason stands exactly where the score is lacking, in one line, without a traceback."""
    fine = scores["status"] == "ok"
    assert scores["prob_male"].notna().equals(fine)
    assert scores["reason"].isna().equals(fine)
    assert not scores["reason"].str.contains("Traceback|\n", na=False).any()
    assert scores.loc[fine, ["quality", "field_of_view"]].notna().all(axis=None)


def test_a_rotated_photograph_scores_like_the_upright_one(tmp_path: Path, synthetic: ModuleType) -> None:
    """EXIF orientation is applied: turned pixels with the tag give the score of the upright pixels, to the bit."""
    turned = synthetic.draw_fundus(5).rotate(90, expand=True)  # the camera was held sideways
    data = jpeg(turned, orientation=SIDEWAYS)
    (tmp_path / "turned.jpg").write_bytes(data)
    pixels = Image.open(io.BytesIO(data)).convert("RGB")
    pixels.rotate(-90, expand=True).save(tmp_path / "upright.png")
    pixels.save(tmp_path / "without_tag.png")
    found = score_images(tmp_path, model=synthetic.arithmetic_model()).set_index("image_id")["prob_male"]
    assert found["turned.jpg"] == found["upright.png"]
    assert abs(found["turned.jpg"] - found["without_tag.png"]) > 1e-3


def test_the_content_and_not_the_name_decides(scores: pd.DataFrame) -> None:
    """The same pixels give the same score as JPEG, as PNG, under a wrong suffix and under none."""
    same = ["good.jpg", "upright.png", "no suffix", "really a jpeg.png", "右眼/患者 一.jpg", "folder.jpg/inside.jpg"]
    assert scores.loc[same, "prob_male"].tolist() == [scores.loc["good.jpg", "prob_male"]] * len(same)
    for name, close in (("cmyk.jpg", 0.05), ("transparent.png", 0.05), ("palette.png", 0.1)):
        assert abs(scores.loc[name, "prob_male"] - scores.loc["good.jpg", "prob_male"]) < close


def test_two_images_of_one_name_keep_their_own_scores(scores: pd.DataFrame) -> None:
    """right/001.jpg and left/001.jpg are two photographs with two scores."""
    assert scores.loc["right/001.jpg", "prob_male"] == scores.loc["good.jpg", "prob_male"]
    assert scores.loc["left/001.jpg", "prob_male"] != scores.loc["right/001.jpg", "prob_male"]


def test_a_sixteen_bit_photograph_is_neither_black_nor_white(scores: pd.DataFrame) -> None:
    """Twelve bits in a 16-bit grey TIFF are scaled to what they show: the field of view and its detail are found."""
    row = scores.loc["grey16.tif"]
    assert row["quality"] > 0.9
    assert row["field_of_view"] == pytest.approx(scores.loc["good.jpg", "field_of_view"], abs=0.02)


def test_the_table_and_the_summary_account_for_everything(
    hostile: tuple[Path, dict[str, str]], synthetic: ModuleType, tmp_path: Path
) -> None:
    """Written and read again, the table has a row for each listed image and the summary's counts sum to it."""
    found = score_images(hostile[0], model=synthetic.arithmetic_model(), out=tmp_path / "scores.parquet")
    pd.testing.assert_frame_equal(read_scores(tmp_path / "scores.parquet"), found)
    assert found["image_id"].tolist() == list_images(hostile[0])["image_id"].tolist()
    summary = ScoreSummary.of(found)
    assert summary.n_images == len(hostile[1]) == sum(summary.by_status.values())
    assert "2 missing" not in str(summary)
    assert "1 missing file" in str(summary)


def test_a_list_may_name_what_is_not_there_or_no_file(tmp_path: Path, synthetic: ModuleType) -> None:
    """A missing file, a folder and a path out of the root are rows of the list like any other."""
    synthetic.write_fundi(tmp_path / "photos", 1)
    (tmp_path / "photos" / "x.jpg").mkdir()
    (tmp_path / "secret.jpg").write_bytes((tmp_path / "photos" / "000.jpg").read_bytes())
    listed = tmp_path / "photos" / "images.csv"
    listed.write_text("patient_id,path\na,000.jpg\nb,gone.jpg\nc,x.jpg\nd,../secret.jpg\n", encoding="utf-8")
    found = score_images(listed, model=synthetic.arithmetic_model(), root=tmp_path / "photos")
    assert found["status"].tolist() == ["ok", "missing_file", "unreadable", "missing_file"]
    assert found["patient_id"].tolist() == ["a", "b", "c", "d"]
    assert found["reason"].iloc[3] == "the path leads outside the root folder"
