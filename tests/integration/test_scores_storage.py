"""Lists, photographs and tables in object storage and archives: real fsspec file systems, the same rows."""

from __future__ import annotations

import uuid
import zipfile
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from sexstrat.errors import StudyError
from sexstrat.scores import forward, join_shards, list_images, read_scores, score_images, write_scores
from sexstrat.scores.checkpoints import Checkpoints
from sexstrat.scores.shards import Shard
from sexstrat.scores.storage import files_below, write_url

OWN = ["image_id", "prob_male", "status", "reason", "quality", "model_sha256"]


@pytest.fixture
def photos(tmp_path: Path, synthetic: ModuleType) -> Path:
    """Return a folder of five photographs, one of them in a subfolder, and a text file."""
    synthetic.write_fundi(tmp_path / "photos", 4)
    synthetic.write_fundi(tmp_path / "photos" / "left eyes", 1, start=4)
    (tmp_path / "photos" / "note.jpg").write_text("not a photograph", encoding="utf-8")
    return tmp_path / "photos"


@pytest.fixture
def bucket(photos: Path) -> str:
    """Return the URL of a store of its own that holds the same photographs."""
    url = f"memory://bucket-{uuid.uuid4().hex}"
    for path in photos.rglob("*.jpg"):
        write_url(f"{url}/photos/{path.relative_to(photos).as_posix()}", path.read_bytes())
    return url


def test_photographs_and_table_in_a_store_give_the_rows_of_this_machine(
    photos: Path, bucket: str, synthetic: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folder, checkpoints and table by URL; a second run reads only the object that was replaced."""
    model, out = synthetic.arithmetic_model(), f"{bucket}/scores.parquet"
    here = score_images(photos, model=model)
    found = score_images(f"{bucket}/photos", model=model, out=out)
    pd.testing.assert_frame_equal(found[OWN], here[OWN])
    assert found["path"].iloc[0] == f"{bucket}/photos/000.jpg"
    pd.testing.assert_frame_equal(read_scores(out), found)
    assert len(Checkpoints(f"{out}.parts").load()) == 6
    assert len(files_below(f"{out}.parts")) == 1
    opened: list[str] = []
    read = forward.read_photograph
    monkeypatch.setattr(forward, "read_photograph", lambda path, **how: opened.append(path) or read(path, **how))
    pd.testing.assert_frame_equal(score_images(f"{bucket}/photos", model=model, out=out), found)
    assert opened == []
    write_url(f"{bucket}/photos/001.jpg", (photos / "002.jpg").read_bytes())
    again = score_images(f"{bucket}/photos", model=model, out=out)
    assert opened == [f"{bucket}/photos/001.jpg"]
    assert again["prob_male"].iloc[1] == again["prob_male"].iloc[2]


def test_an_archive_is_read_without_unpacking_it(photos: Path, tmp_path: Path, synthetic: ModuleType) -> None:
    """A zip file by URL: a folder in it, a glob, one photograph; nothing is written into it."""
    archive = tmp_path / "study.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in photos.rglob("*.jpg"):
            file.write(path, f"photos/{path.relative_to(photos).as_posix()}")
    model = synthetic.arithmetic_model()
    here = score_images(photos, model=model)
    found = score_images(f"zip://photos::{archive}", model=model)
    pd.testing.assert_frame_equal(found[OWN], here[OWN])
    assert list_images(f"zip://photos/**/00*.jpg::{archive}")["image_id"].tolist() == [
        "000.jpg",
        "001.jpg",
        "002.jpg",
        "003.jpg",
        "left eyes/004.jpg",
    ]
    assert list_images(f"zip://photos/000.jpg::{archive}")["image_id"].tolist() == ["000.jpg"]
    with pytest.raises(StudyError, match="an archive cannot be written to"):
        write_scores(here, f"zip://scores.parquet::{archive}")


def test_a_list_by_url_starts_its_paths_at_its_own_folder(photos: Path, bucket: str, synthetic: ModuleType) -> None:
    """Relative paths, absolute URLs and missing objects in one list; and nothing outside the root is opened."""
    lines = ["path,patient_id,eye", "photos/000.jpg,a,R", f"{bucket}/photos/001.jpg,a,L", "photos/none.jpg,b,R", ""]
    write_url(f"{bucket}/images.csv", "\n".join(lines).encode())
    model = synthetic.arithmetic_model()
    found = score_images(f"{bucket}/images.csv", model=model)
    assert found["image_id"].tolist() == ["photos/000.jpg", "photos/001.jpg", "photos/none.jpg"]
    assert found["status"].tolist() == ["ok", "ok", "missing_file"]
    assert found["prob_male"].iloc[:2].tolist() == score_images(photos, model=model)["prob_male"].iloc[:2].tolist()
    listing = pd.DataFrame({"path": [f"{bucket}/photos/000.jpg", f"{bucket}/other/../photos/../../x.jpg"]})
    inside = score_images(listing, model=model, root=f"{bucket}/photos")
    assert inside["status"].tolist() == ["ok", "missing_file"]
    assert inside["reason"].iloc[1] == "the path leads outside the root folder"
    write_url(f"{bucket}/bad.csv", b"pth\na.jpg\n")
    with pytest.raises(ValueError, match=f"{bucket}/bad.csv, row 1, column pth: unknown column"):
        list_images(f"{bucket}/bad.csv")


def test_a_file_url_is_the_path(photos: Path, tmp_path: Path, synthetic: ModuleType) -> None:
    """``file://`` names a folder, a list or a table of this machine, odd characters escaped."""
    model = synthetic.arithmetic_model()
    out = tmp_path / "a table.parquet"
    found = score_images(photos.as_uri(), model=model, out=out.as_uri())
    pd.testing.assert_frame_equal(found, score_images(photos, model=model))
    pd.testing.assert_frame_equal(read_scores(out), found)
    assert (tmp_path / "a table.parquet.parts").is_dir()


def test_shards_in_a_store_are_joined_there(bucket: str, synthetic: ModuleType) -> None:
    """Tasks of a job array that share nothing but a bucket."""
    model, out = synthetic.arithmetic_model(), f"{bucket}/scores.parquet"
    for number in (2, 1):
        score_images(f"{bucket}/photos", model=model, out=out, shard=Shard(number=number, of=2))
    assert join_shards(out) == 6
    pd.testing.assert_frame_equal(read_scores(out), score_images(f"{bucket}/photos", model=model))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("gs://bucket/photos", "needs the package gcsfs; install it: pip install gcsfs"),
        ("https://example.org/photos", "https:// is not opened; allowed: s3://"),
        ("zip://::nowhere.zip", "cannot be opened"),
        ("memory://nothing-here", "holds no file that is not hidden"),
    ],
)
def test_a_place_that_cannot_be_opened_is_named(url: str, message: str) -> None:
    """What is missing and what to install is said; nothing is fetched from the web."""
    with pytest.raises(StudyError, match=message) as raised:
        list_images(url)
    assert str(raised.value).startswith(url)
