"""Exported tables read by R, without any package: the prevalences that R recomputed are those of sexstrat."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from sexstrat.disclosure.profiles import PROFILES
from sexstrat.estimates.pooling.coarse_cells import summed
from sexstrat.estimates.worked_example import worked_bands, worked_cells
from sexstrat.study.file import load_study
from sexstrat.study.table_export import TableExport, export_cells, export_tables
from sexstrat.values.cells import Cells

OUTPUT = Path(__file__).parent / "outputs" / "exported_tables.json"

STUDY = """
schema_version = 1
title = "Exported patients"
[scores]
source = "scores.csv"
[persons]
source = "persons.csv"
[conditions]
source = "conditions.csv"
[validation]
design = "random"
"""


def written(folder: Path) -> dict[str, TableExport]:
    """Write the two tables whose numbers R recomputed: cells of the worked example, patients drawn by a formula."""
    cells = worked_cells()
    tenfold = Cells(frame=summed(pd.concat([cells.frame] * 10)), edges=cells.edges)
    found = {"cells": export_cells(tenfold, PROFILES["us-cms-11"], worked_bands(), folder / "cells", title="example")}
    k = np.arange(600)
    sexes = np.array(["male", "female", "unknown", "other"])[k % 4]
    names = [f'Clinic, "{number}"' if number else "NA" for number in k % 3]
    persons = {"patient_id": k, "age_years": 30 + k % 50, "recorded_sex": sexes, "weight": 0.1 + k % 7, "site": names}
    pd.DataFrame(persons).to_csv(folder / "persons.csv", index=False)
    both = [("amd", k, k % 9 == 0), ("diabetic retinopathy", k[::2], k[::2] % 5 == 0)]
    rows = [pd.DataFrame({"patient_id": who, "condition": name, "present": ill}) for name, who, ill in both]
    pd.concat(rows).to_csv(folder / "conditions.csv", index=False)
    scores = {"image_id": k, "path": "p", "patient_id": k, "model_id": "m", "model_sha256": "0" * 64}
    scores |= {"precision": "float32", "decode": "exact", "prob_male": (k + 0.5) / 600, "status": "ok"}
    pd.DataFrame(scores).to_csv(folder / "scores.csv", index=False)
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    study = load_study(folder / "study.toml")
    found["patients"] = export_tables(study, folder / "run", folder / "patients", patients_for_the_owner=True)
    return found


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, TableExport]]:
    """Return the folder of both tables and what was written."""
    folder = tmp_path_factory.mktemp("exported")
    return folder, written(folder)


@pytest.mark.parametrize("name", ["cells", "patients"])
def test_r_recomputed_the_headline(exported: tuple[Path, dict[str, TableExport]], name: str) -> None:
    """Counts agree exactly and prevalences to twelve digits."""
    by_r = pd.DataFrame(json.loads(OUTPUT.read_text(encoding="utf-8"))[name])
    ours = pd.DataFrame(exported[1][name].headline)
    assert by_r["condition"].tolist() == ours["condition"].tolist()
    assert by_r["n"].tolist() == ours["n"].tolist()
    for column in ours.columns.difference(["condition", "n"]):
        np.testing.assert_allclose(by_r[column].astype(float), ours[column].astype(float), rtol=1e-12)


@pytest.mark.parametrize("name", ["cells", "patients"])
def test_parquet_holds_what_the_csv_holds_and_sexes_in_their_order(
    exported: tuple[Path, dict[str, TableExport]], name: str
) -> None:
    """Both files have the same rows; a category knows its levels, and text that reads NA is no missing value."""
    folder = exported[0] / name
    table = pq.read_table(folder / f"{name}.parquet")
    sex = table.schema.field("recorded_sex").type
    assert sex.ordered
    assert table.column("recorded_sex").chunk(0).dictionary.to_pylist() == ["female", "male", "other", "unknown"]
    frame = pd.read_csv(folder / f"{name}.csv", keep_default_na=False, dtype="str")
    assert len(frame) == table.num_rows == json.loads((folder / "codebook.json").read_text("utf-8"))["n_rows"]
    assert frame["recorded_sex"].tolist() == table.column("recorded_sex").to_pylist()
    if name == "patients":
        assert set(table.column("site").to_pylist()) == {"NA", 'Clinic, "1"', 'Clinic, "2"'}
        assert '"NA"' in (folder / "patients.csv").read_text("utf-8")


def test_no_estimate_of_a_persons_sex_is_exported(exported: tuple[Path, dict[str, TableExport]]) -> None:
    """Rows of patients carry no probability, no bin of it and no image."""
    columns = pq.read_schema(exported[0] / "patients" / "patients.parquet").names
    assert not [name for name in columns if "prob_male" in name or "logit" in name or "image" in name]


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    written(target)
