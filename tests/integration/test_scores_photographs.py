"""Real photographs are listed, decoded and scored: the embedded ones always, the shared ones where present."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from PIL import Image

from sexstrat.scores import combine_eyes, score_images


@pytest.fixture
def sample() -> Path:
    """Return the folder of the embedded photographs."""
    return Path(str(files("sexstrat.study.sample")))


def test_the_embedded_photographs_are_scored_and_the_broken_one_is_kept(sample: Path, synthetic: ModuleType) -> None:
    """Four of five are scored; the fifth, broken on purpose, is a row with its reason."""
    found = score_images(sample / "images.csv", model=synthetic.arithmetic_model()).set_index("image_id")
    broken = found.loc["broken_on_purpose"]
    assert found["status"].value_counts().to_dict() == {"ok": 4, "unreadable": 1}
    assert (broken["status"], broken["reason"].startswith("damaged or cut off")) == ("unreadable", True)
    assert (found["quality"].dropna() > 0.8).all()


def test_every_embedded_file_is_small_listed_and_attributed(sample: Path) -> None:
    """Each photograph is at most 250 KB, is in the list, and is named in a line of the attribution with its licence."""
    listed = set(pd.read_csv(sample / "images.csv")["path"])
    lines = [line for line in (sample / "ATTRIBUTION.md").read_text(encoding="utf-8").splitlines() if line[:2] == "- "]
    assert {path.name for path in sample.glob("*.jpg")} == listed
    for name in listed:
        assert (sample / name).stat().st_size <= 250_000
        assert any(name in line and "CC BY 4.0" in line for line in lines)


def test_the_embedded_photographs_carry_no_camera_data(sample: Path) -> None:
    """Nothing but pixels is passed on: no EXIF, no comment, no embedded preview."""
    for path in sample.glob("[!b]*.jpg"):
        with Image.open(path) as picture:
            assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_real_photographs_of_both_eyes_become_patients(
    shared_data: Path, synthetic: ModuleType, tmp_path: Path
) -> None:
    """Twenty ODIR photographs are all scored, in the list's order, and combine to one row a patient."""
    odir = shared_data / "odir5k"
    table = pd.read_csv(odir / "odir5k.csv", dtype="str").head(20)
    listing = table[["image_id", "patient_id"]].assign(
        path=[str(odir / name) for name in table["file"]], eye=table["eye"].str[0].str.upper()
    )
    found = score_images(listing, model=synthetic.arithmetic_model(), out=tmp_path / "scores.parquet", batch_size=8)
    assert found["image_id"].tolist() == table["image_id"].tolist()
    assert set(found["status"]) == {"ok"}
    patients = combine_eyes(found["prob_male"], found["eye"], found["patient_id"])
    assert len(patients) == table["patient_id"].nunique()
    assert patients["n_eyes"].between(1, 2).all()


def test_full_size_originals_are_scored_like_their_reduced_copies(
    shared_data: Path, sample: Path, synthetic: ModuleType
) -> None:
    """Ten pictures of 0.25 to 8 million pixels are all scored; the HRF originals score as their embedded copies do."""
    originals = score_images(str(shared_data / "originals" / "*.[jp][pn]g"), model=synthetic.arithmetic_model())
    assert originals["status"].tolist() == ["ok"] * 10
    full = originals.set_index("image_id")["prob_male"]
    small = score_images(sample / "images.csv", model=synthetic.arithmetic_model()).set_index("image_id")["prob_male"]
    assert small["hrf_04_g"] == pytest.approx(full["HRF_04_g.jpg"], abs=0.02)
    assert small["hrf_07_dr"] == pytest.approx(full["HRF_07_dr.jpg"], abs=0.02)
