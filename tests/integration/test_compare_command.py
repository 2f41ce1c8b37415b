"""Networks are compared one at a time: a row is written when it is done, a second call trains only who is waiting."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sexstrat.cli.app import run
from sexstrat.models import load_model
from sexstrat.scores import column_breaches, value_breaches
from sexstrat.training import TrainingPlan, cache_pixels, part_of
from sexstrat.training.candidate_run import run_candidate
from sexstrat.training.tables import TrainingTables
from sexstrat.values.tables import table_schema

N = 24

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # from keras itself
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, synthetic: ModuleType) -> Path:
    """Return a folder with photographs, their list, and persons with recorded sex."""
    folder = tmp_path_factory.mktemp("study")
    people = [f"d{i}" for i in range(N)]
    parts, male = part_of(people), np.zeros(N, dtype=bool)
    for part in ("train", "validation", "test"):
        male[np.flatnonzero(parts == part)[::2]] = True
    for i in range(N):
        synthetic.draw_fundus(i, width=96, height=80).save(folder / f"{i}.png")
    images = {"image_id": people, "patient_id": people, "path": [f"{i}.png" for i in range(N)]}
    pd.DataFrame(images).to_csv(folder / "images.csv", index=False)
    persons = {"patient_id": people, "recorded_sex": np.where(male, "male", "female"), "age_years": range(40, 40 + N)}
    pd.DataFrame(persons).to_csv(folder / "persons.csv", index=False)
    return folder


def compare(study: Path, out: Path, *words: str) -> int:
    return run(
        ["compare", str(study / "images.csv"), str(study / "persons.csv"), "--out", str(out), "--cache",
         str(study / "crops"), "--phases", "32x1", *words, "--json"]
    )  # fmt: skip


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_comparison_writes_a_row_and_goes_on_where_it_was(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A network waits, then its row keeps the contract; a second call trains nothing, another recipe is refused."""
    assert compare(study, tmp_path, "--network", "mobilenet", "--at-most", "0") == 0
    assert document(capsys) | {"out": ""} == {"ok": True, "out": "", "networks": [], "waiting": ["mobilenet"]}

    assert compare(study, tmp_path, "--network", "mobilenet") == 0
    (row,) = document(capsys)["networks"]
    assert (row["network"], row["start"], row["phases"], row["epochs"]) == ("mobilenet", "random", "32x1", 1)
    assert row["compared_with"] == "mobilenet"
    assert row["auc_difference"] is row["auc_patient"] is None
    assert "auc_patient is undefined: fewer than 10 men and women in the denominator" in row["note"]
    assert "1 epochs from random weights" in row["note"]
    folder = tmp_path / "networks" / "mobilenet"
    assert row["file_bytes"] == (folder / "model" / "mobilenet.npz").stat().st_size
    assert load_model(folder / "model").card.weights_sha256 == row["model_sha256"]
    for name in ("comparison", "comparison_group"):
        table = pd.read_csv(tmp_path / f"{name}.csv", dtype="str")
        schema = table_schema(name)
        assert column_breaches(list(table.columns), schema, source=name) == []
        assert value_breaches(table, schema, source=name) == []
    assert "| MobileNet | random | 32x1, epoch 1 kept | undefined" in (tmp_path / "comparison.md").read_text("utf-8")

    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert compare(study, tmp_path, "--network", "mobilenet") == 0
    assert document(capsys)["networks"] == [row]
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert compare(study, tmp_path, "--network", "mobilenet", "--seed", "9") == 2
    assert "holds a network of another recipe (differs in seed)" in document(capsys)["error"]["message"]


@pytest.mark.slow
def test_two_starts_of_one_backbone_are_two_rows(
    study: Path, backbone_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Given weights are a row more, with the digest of their file; ``--at-most 1`` leaves the second for later."""
    words = ("--network", "mobilenet", "--weights", f"mobilenet={backbone_weights}")
    assert compare(study, tmp_path, *words, "--at-most", "1") == 0
    assert document(capsys)["waiting"] == ["mobilenet_pretrained"]
    assert compare(study, tmp_path, *words) == 0
    rows = document(capsys)["networks"]
    assert [row["start"] for row in rows] == ["random", "file"]
    assert rows[0]["start_sha256"] is None
    assert len(rows[1]["start_sha256"]) == 64
    tables = TrainingTables(images=study / "images.csv", persons=study / "persons.csv")
    examples = tables.examples()
    crops = cache_pixels(examples.path.tolist(), study / "crops", 37)
    plan = TrainingPlan(
        weights=None, out=tmp_path / "alone", prepared_size=37, input_size=32, phases=((32, 1),), learning_rate=1e-3
    )
    assert run_candidate(plan, examples, crops)["parameters"] == rows[0]["parameters"]
