"""DICOM files are scored like any photograph, keep their bytes, and say where their eye comes from."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from sexstrat.scores import ScoreSummary, read_scores, score_images

KEY = "0123456789abcdef" * 4


@pytest.fixture
def folder(tmp_path: Path, synthetic: ModuleType, dicom: ModuleType) -> Path:
    """Return a folder with one photograph as PNG, DICOM and RLE, and a file of two frames."""
    place = tmp_path / "photographs"
    place.mkdir()
    one, other = (np.asarray(synthetic.draw_fundus(seed, width=160, height=120)) for seed in (1, 2))
    Image.fromarray(one).save(place / "a.png")
    (place / "b.dcm").write_bytes(dicom.dicom_bytes(one, PatientID="17", PatientSex="M", ImageLaterality="R"))
    (place / "IM0001").write_bytes(dicom.run_length(one))
    (place / "d.dcm").write_bytes(dicom.several_frames([one, other], PatientID="18", ImageLaterality="L"))
    return place


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_a_dicom_file_scores_as_its_pixels(folder: Path, synthetic: ModuleType) -> None:
    """The same pixels as PNG, DICOM, RLE and first frame have the same score; the second frame has its own."""
    rows = score_images(folder, model=synthetic.arithmetic_model()).set_index("image_id")
    assert rows.index.tolist() == ["IM0001", "a.png", "b.dcm", "d.dcm#1", "d.dcm#2"]
    assert set(rows["status"]) == {"ok"}
    same = rows.loc[["IM0001", "a.png", "b.dcm", "d.dcm#1"], "prob_male"]
    assert (same == same.iloc[0]).all()
    assert rows.loc["d.dcm#2", "prob_male"] != same.iloc[0]
    assert rows["frame"].fillna(0).tolist() == [0, 0, 0, 1, 2]
    assert rows[["exposure", "sharpness", "contrast", "eye_confidence"]].notna().all().all()


def test_scoring_changes_no_byte_of_its_input(folder: Path, tmp_path: Path, synthetic: ModuleType) -> None:
    """Neither scoring nor a resumed run writes anything into the photographs' files or folder."""
    before = digests(folder)
    for _ in range(2):
        score_images(folder, model=synthetic.arithmetic_model(), out=tmp_path / "scores.parquet")
    assert digests(folder) == before


def test_the_source_of_the_eye_is_told(folder: Path, synthetic: ModuleType) -> None:
    """Header, inference or nothing: every row says which, and the summary counts them."""
    rows = score_images(folder, model=synthetic.arithmetic_model())
    by_image = rows.set_index("image_id")
    assert by_image.loc["b.dcm", "eye_source"] == "dicom"
    assert by_image.loc["b.dcm", "eye"] == "R"
    assert set(by_image.loc[["a.png", "IM0001"], "eye_source"]) <= {"inferred", "none"}
    document = ScoreSummary.of(rows).to_document()
    assert sum(document["eyes"].values()) == 5
    assert document["eyes"]["dicom"] == 3


def test_disagreement_with_the_disc_is_told_and_changes_nothing(tmp_path: Path, synthetic: ModuleType) -> None:
    """A list that names the other eye keeps it; the row and the summary say that the disc speaks against it."""
    picture = confident_eye()
    Image.fromarray(picture).save(tmp_path / "a.png")
    (tmp_path / "list.csv").write_text("path,eye\na.png,L\n")
    rows = score_images(tmp_path / "list.csv", model=synthetic.arithmetic_model())
    (row,) = rows.to_dict("records")
    assert (row["eye"], row["eye_source"], row["inferred_eye"]) == ("L", "list", "R")
    assert row["eye_disagreement"] == "inferred"
    assert row["eye_confidence"] >= 0.95
    assert ScoreSummary.of(rows).to_document()["eye_disagreements"] == {"inferred": 1}
    assert "1 image disagree" in str(ScoreSummary.of(rows))


def confident_eye() -> NDArray[np.uint8]:
    """Draw a right eye that nobody can mistake."""
    y, x = np.mgrid[:240, :320]
    picture = np.where((np.hypot(x - 160, y - 120) < 110)[:, :, None], (170, 80, 40), 0).astype(np.uint8)
    picture[np.hypot(x - 220, y - 120) < 16] = (245, 210, 130)
    for offset in (-6, 0, 6):
        picture[50:190, 219 + offset : 222 + offset] = (90, 20, 15)
    return picture


def test_identifiers_are_hashed_when_read(folder: Path, tmp_path: Path, synthetic: ModuleType) -> None:
    """With a key no identifier, file name or key is found in anything that is written; scores stay."""
    key = tmp_path / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    out = tmp_path / "out" / "scores.parquet"
    plain = score_images(folder, model=synthetic.arithmetic_model())
    hashed = score_images(folder, model=synthetic.arithmetic_model(), out=out, hash_ids=key)
    assert hashed["prob_male"].tolist() == plain["prob_male"].tolist()
    assert read_scores(out)["patient_id"].nunique() == plain["patient_id"].nunique() == 2
    assert hashed["image_id"].str.fullmatch("[0-9a-f]{32}").all()
    text = hashed.to_csv() + "".join(pd.read_parquet(path).to_csv() for path in out.parent.rglob("*.parquet"))
    for secret in ("b.dcm", "IM0001", KEY, str(folder)):
        assert secret not in text
        assert all(secret.encode() not in path.read_bytes() for path in out.parent.rglob("*") if path.is_file())
