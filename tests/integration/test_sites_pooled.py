"""Sites that write their cells and are pooled give what one table of all patients gives, and protect the small."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sexstrat.cli.app import run
from sexstrat.cohort import Cohort
from sexstrat.errors import DisclosureError, StudyError
from sexstrat.estimates.all_estimates import all_estimates
from sexstrat.study import load_study
from sexstrat.study.pool_text import pool_rows
from sexstrat.study.run import run_stages
from sexstrat.study.simulated import write_simulated_study
from sexstrat.study.site_export import export_site
from sexstrat.study.site_file import CELLS, MANIFEST, read_site, write_site
from sexstrat.study.site_pooling import pool_files

SITES = tuple(f"site{number:02d}" for number in range(12))
OPEN = 'profile = "none"\nreason = "simulated"'


def tables(folder: Path, n: int) -> dict[str, pd.DataFrame]:
    write_simulated_study(folder, setting="error_by_disease", n_patients=n, seed=5, file_format="parquet")
    return {name: pd.read_parquet(folder / f"{name}.parquet") for name in ("persons", "scores", "conditions")}


def study_text(folder: Path, profile: str) -> str:
    text = (folder / "study.toml").read_text(encoding="utf-8").replace('profile = "uk-5"', profile)
    return text[: text.index("[truth]")] + text[text.index("[validation]") :]


@pytest.fixture(scope="module")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve sites of one simulated cohort, each with its own tables and study; ``whole`` has all of them."""
    root = tmp_path_factory.mktemp("sites")
    found = tables(root / "whole", 30_000)
    text = study_text(root / "whole", OPEN)
    site = np.array(SITES)[np.arange(len(found["persons"])) % len(SITES)]
    of = dict(zip(found["persons"]["patient_id"], site, strict=True))
    for name in SITES:
        (root / name).mkdir()
        for table, frame in found.items():
            chosen = frame[frame["patient_id"].map(of) == name].drop(columns="site", errors="ignore")
            chosen.to_parquet(root / name / f"{table}.parquet", index=False)
        (root / name / "study.toml").write_text(text, encoding="utf-8")
        export_site(load_study(root / name / "study.toml"), root / f"run_{name}", root / f"out_{name}", site=name)
    found["persons"].assign(site=site).to_parquet(root / "whole" / "persons.parquet", index=False)
    (root / "whole" / "study.toml").write_text(text, encoding="utf-8")
    return root


def test_twelve_sites_pooled_equal_the_whole(twelve: Path, tmp_path: Path) -> None:
    """Without suppression every pooled figure equals that of the patients in one table to 1e-9."""
    study = load_study(twelve / "whole" / "study.toml")
    run_stages(study, twelve / "run_whole", ("scores", "cohort"))
    with Cohort.open(twelve / "run_whole" / "private" / "cohort.duckdb") as cohort:
        cells = cohort.cells()
    keys = ["measure", "estimator", "condition", "sex", "age_low", "standard"]
    frame, choices = all_estimates(
        cells, bands=study.bands, design="random", standards=("cohort", "who_2000_2025"), seed=20231207
    )
    pooled = pool_files([twelve / f"out_{name}" for name in SITES], tmp_path / "pooled")
    both = pooled.pool.estimates.merge(frame, on=keys, suffixes=("", "_whole"))
    assert len(both) == len(pooled.pool.estimates) >= 40
    assert choices[0]["estimator"] == "E1"
    for name in ("point", "se", "low", "high"):
        np.testing.assert_allclose(both[name], both[f"{name}_whole"], rtol=1e-9, atol=1e-9, equal_nan=True)
    assert not any(pooled.withheld.values())
    assert "every patient" in pooled.notes[0]


def test_pooled_tables_tell_sites_apart(twelve: Path, tmp_path: Path) -> None:
    """Each site alone, all but each, and how much they differ are written and printed."""
    found = pool_files([twelve / f"out_{name}" for name in SITES[:4]], tmp_path / "pooled")
    title, header, rows = pool_rows(found)[0]
    assert "prevalence ratio" in title
    assert header[0] == "site"
    assert [row[0] for row in rows[:4]] == list(SITES[:4])
    table = pd.read_csv(tmp_path / "pooled" / "heterogeneity.csv", encoding="utf-8-sig")
    crude = table[(table["measure"] == "prevalence_ratio") & (table["standard"] == "crude") & table["age_low"].isna()]
    assert crude["n_sites"].tolist() == [4]
    assert crude["prediction_low"].iloc[0] <= crude["low"].iloc[0] < crude["high"].iloc[0]
    assert set(pd.read_csv(tmp_path / "pooled" / "without_site.csv", encoding="utf-8-sig")["site"]) == set(SITES[:4])


@pytest.mark.parametrize("profile", ["uk-5", "us-cms-11", "opensafely"])
def test_small_cells_never_leave_a_site(twelve: Path, tmp_path: Path, profile: str) -> None:
    """No count below the profile's minimum stands in a site file, be it cells or shares."""
    folder = tmp_path / "site"
    folder.mkdir()
    for name in ("persons", "scores", "conditions"):
        (folder / f"{name}.parquet").write_bytes((twelve / "site00" / f"{name}.parquet").read_bytes())
    open_text = (twelve / "site00" / "study.toml").read_text(encoding="utf-8")
    (folder / "study.toml").write_text(open_text.replace(OPEN, f'profile = "{profile}"'), encoding="utf-8")
    found = export_site(load_study(folder / "study.toml"), tmp_path / "run", tmp_path / "out", site="Oita")
    minimum = {"uk-5": 5, "us-cms-11": 11, "opensafely": 8}[profile]
    manifest = json.loads((tmp_path / "out" / MANIFEST).read_text(encoding="utf-8"))
    if found.kind == "cells":
        assert pd.read_parquet(tmp_path / "out" / CELLS)["n"].min() >= minimum
    else:
        counts = [n for share in manifest["shares"] for row in share["by_band"]["n_patients"] for n in row]
        assert all(n == 0 or n >= minimum for n in counts)
    assert all(n == 0 or n >= minimum for n in manifest["withheld"].values())


def test_sites_that_do_not_fit_are_refused(twelve: Path, tmp_path: Path) -> None:
    """Another design, changed cells and a missing manifest each end in a message that names the file."""
    other = tmp_path / "other"
    other.mkdir()
    for name in (CELLS, MANIFEST):
        (other / name).write_bytes((twelve / "out_site01" / name).read_bytes())
    manifest = json.loads((other / MANIFEST).read_text(encoding="utf-8"))
    manifest["question"]["design"] = "known_probability"
    (other / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(StudyError, match="design is 'known_probability', but 'random' at site site00"):
        pool_files([twelve / "out_site00", other], tmp_path / "pooled")
    (other / CELLS).write_bytes((twelve / "out_site02" / CELLS).read_bytes())
    with pytest.raises(StudyError, match="digest"):
        read_site(other)
    (other / MANIFEST).unlink()
    with pytest.raises(StudyError, match="no site file"):
        read_site(other)


def test_a_written_site_is_read_back(twelve: Path, tmp_path: Path) -> None:
    """Cells go through the file unchanged, and an older file in the folder is replaced as a whole."""
    first = read_site(twelve / "out_site03")
    given = {name: value for name, value in first.manifest.items() if name not in {"cells_sha256", "schema_version"}}
    again = read_site(write_site(tmp_path / "copy", given, first.site.cells))
    assert first.site.cells is not None
    assert again.site.cells is not None
    pd.testing.assert_frame_equal(again.site.cells.frame, first.site.cells.frame)


def test_shares_name_no_small_count(twelve: Path, tmp_path: Path) -> None:
    """Three patients of recorded sex other are told of in a warning; their number does not leave with the shares."""
    folder = tmp_path / "site"
    folder.mkdir()
    for name in ("persons", "scores", "conditions"):
        (folder / f"{name}.parquet").write_bytes((twelve / "site00" / f"{name}.parquet").read_bytes())
    persons = pd.read_parquet(folder / "persons.parquet")
    persons.loc[persons.index[:3], "recorded_sex"] = "other"
    persons.to_parquet(folder / "persons.parquet", index=False)
    open_text = (twelve / "site00" / "study.toml").read_text(encoding="utf-8")
    (folder / "study.toml").write_text(open_text.replace(OPEN, 'profile = "uk-5"'), encoding="utf-8")
    export_site(load_study(folder / "study.toml"), tmp_path / "run", tmp_path / "out", site="Oita")
    text = (tmp_path / "out" / MANIFEST).read_text(encoding="utf-8")
    assert "<5 patients with recorded sex 'other'" in text
    assert "3 patients" not in text


def test_a_site_scored_by_other_weights_is_refused(twelve: Path, tmp_path: Path) -> None:
    """Two models of one name are told apart by the digest of their weights."""
    other = tmp_path / "other"
    other.mkdir()
    for name in (CELLS, MANIFEST):
        (other / name).write_bytes((twelve / "out_site01" / name).read_bytes())
    manifest = json.loads((other / MANIFEST).read_text(encoding="utf-8"))
    (other / MANIFEST).write_text(json.dumps({**manifest, "model_sha256": "f" * 64}), encoding="utf-8")
    with pytest.raises(StudyError, match="model_sha256 is 'ffff"):
        pool_files([twelve / "out_site00", other], tmp_path / "pooled")


def test_a_tiny_site_sends_nothing(tmp_path: Path) -> None:
    """A site of fewer than 50 patients is refused under every profile."""
    tables(tmp_path / "few", 40)
    (tmp_path / "few" / "study.toml").write_text(study_text(tmp_path / "few", OPEN), encoding="utf-8")
    with pytest.raises(DisclosureError, match="fewer than 50"):
        export_site(load_study(tmp_path / "few" / "study.toml"), tmp_path / "run", tmp_path / "out", site="Few")


def test_cells_and_pool_commands(twelve: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``sexstrat cells`` and ``sexstrat pool`` do the same from the shell and print one document on request."""
    study, out = str(twelve / "site05" / "study.toml"), str(tmp_path / "five")
    assert run(["cells", study, "--site", "five", "--out", out, "--run", str(twelve / "run_site05"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "cells"
    sites = [out, str(twelve / "out_site06"), str(twelve / "out_site07")]
    assert run(["pool", *sites, "--out", str(tmp_path / "pooled")]) == 0
    assert "all sites" in capsys.readouterr().out
    assert run(["pool", sites[0], "--out", str(tmp_path / "pooled"), "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["ok"] is False
