"""Tables and photographs in a store that speaks S3 over HTTP: what memory:// promises holds over a network too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import duckdb
import pandas as pd
import pytest

from sexstrat.cohort import Cohort, check_inputs
from sexstrat.scores import read_scores, score_images
from sexstrat.scores.storage import files_below, remove_url, write_url

server = pytest.importorskip("moto.server", reason="needs moto[server] and s3fs: a store of its own on this machine")
boto3 = pytest.importorskip("boto3")
s3fs = pytest.importorskip("s3fs")

PERSONS = pd.DataFrame({"patient_id": ["P1", "P2", "P3"], "age_years": [61, 55, 70], "recorded_sex": ["male", "", ""]})
SCORES = pd.DataFrame({"image_id": ["a", "b", "c"], "patient_id": ["P1", "P2", "P3"], "prob_male": [0.9, 0.2, 0.6]})
SCORES = SCORES.assign(path="x", model_id="m", model_sha256="0" * 64, precision="float32", decode="exact", status="ok")
CONDITIONS = pd.DataFrame({"patient_id": ["P1", "P2", "P3"], "condition": "amd", "present": [True, False, True]})


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """Return the URL of a bucket on a server of its own."""
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test"), ("DEFAULT_REGION", "us-east-1")):
            patch.setenv(f"AWS_{name}", value)
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        s3fs.S3FileSystem.clear_instance_cache()  # one made before has no key
        boto3.client("s3").create_bucket(Bucket="registry")
        yield "s3://registry"
        s3fs.S3FileSystem.clear_instance_cache()
    running.stop()


def sent(frame: pd.DataFrame, url: str, folder: Path) -> None:
    """Put a table into the store as Parquet."""
    frame.to_parquet(folder / "sent.parquet", index=False)
    write_url(url, folder / "sent.parquet")


def test_tables_in_a_store_give_the_cells_of_this_machine(store: str, tmp_path: Path) -> None:
    """A folder with key=value folders, a glob and a CSV by URL; a problem names the object and its own row."""
    for site, rows in (("007", PERSONS[:2]), ("x y", PERSONS[2:])):
        sent(rows, f"{store}/t/site={site}/p.parquet", tmp_path)
    write_url(f"{store}/p.csv", PERSONS.to_csv(index=False).encode())
    others = {"scores": f"{store}/s.parquet", "conditions": f"{store}/c.parquet"}
    for frame, url in zip((SCORES, CONDITIONS), others.values(), strict=True):
        sent(frame, url, tmp_path)
    with Cohort.create(tmp_path / "here.duckdb", persons=PERSONS, scores=SCORES, conditions=CONDITIONS) as cohort:
        expected = cohort.cells(keys=[]).frame
    for persons in (f"{store}/t", f"{store}/t/*/*.parquet", f"{store}/p.csv"):
        with Cohort.create(tmp_path / "there.duckdb", persons=persons, **others) as cohort:
            pd.testing.assert_frame_equal(cohort.cells(keys=[]).frame, expected)
        with duckdb.connect(str(tmp_path / "there.duckdb"), read_only=True) as made:
            sites = made.execute("SELECT DISTINCT site FROM patient WHERE site IS NOT NULL ORDER BY site").fetchall()
        assert sites == ([] if persons.endswith(".csv") else [("007",), ("x y",)])
    sent(PERSONS.assign(age_years=[61, 55, 300])[2:], f"{store}/t/site=x y/p.parquet", tmp_path)
    (problem,) = [one for one in check_inputs(persons=f"{store}/t").problems if one.severity == "error"]
    assert (problem.source, problem.row, problem.kind) == ("site=x y/p.parquet", 1, "above_maximum")


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("s3://registry/none/*.parquet", "there is no Parquet file"),
        ("s3://registry/none.csv", "the file cannot be read"),
        ("s3://absent/p.csv", "The specified bucket does not exist"),
    ],
)
def test_what_a_store_lacks_is_told(store: str, place: str, told: str) -> None:
    """An absent object or bucket is a problem of that table, in words."""
    assert store
    (problem, *_) = check_inputs(persons=place).problems
    assert told in str(problem)


def test_photographs_in_a_store_are_scored_into_it(store: str, tmp_path: Path, synthetic: ModuleType) -> None:
    """Read and written by URL, the rows are those of this machine; what is removed is gone."""
    synthetic.write_fundi(tmp_path / "photos", 3)
    for path in (tmp_path / "photos").glob("*.jpg"):
        write_url(f"{store}/photos/{path.name}", path.read_bytes())
    model, out = synthetic.arithmetic_model(), f"{store}/out/scores.parquet"
    here, there = score_images(tmp_path / "photos", model=model), score_images(f"{store}/photos", model=model, out=out)
    assert there["prob_male"].tolist() == here["prob_male"].tolist()
    assert there["path"].iloc[0] == f"{store}/photos/000.jpg"
    pd.testing.assert_frame_equal(read_scores(out), there)
    remove_url(out)
    assert out not in files_below(f"{store}/out")
