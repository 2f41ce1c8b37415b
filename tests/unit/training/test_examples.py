"""Photographs meet their people by id, never by order, and nothing is lost on the way."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sexstrat.errors import SchemaError
from sexstrat.training import join_examples
from sexstrat.training.tables import TrainingTables

IMAGES = pd.DataFrame(
    {"image_id": ["x", "y", "z"], "patient_id": [2, 1, 2], "path": ["x.jpg", "y.jpg", "z.jpg"], "eye": ["R", None, "L"]}
)
PERSONS = pd.DataFrame(
    {"patient_id": ["1", "2", "3"], "recorded_sex": ["female", "male", "male"], "age_years": [50.0, np.nan, 70.0]}
)
CONDITIONS = pd.DataFrame(
    {
        "patient_id": ["1", "1", "2", "2"],
        "eye": [None, None, None, None],
        "condition": ["glaucoma", "cataract", "glaucoma", "cataract"],
        "present": [True, False, False, True],
    }
)


def test_labels_follow_the_patient_and_not_the_order() -> None:
    """Each photograph carries the labels of its own person."""
    joined = join_examples(IMAGES, PERSONS, CONDITIONS, root=Path("/data"), groups={"2": "G"})
    assert joined.male.tolist() == [1, 0, 1]
    assert joined.disease_names == ("cataract", "glaucoma")
    assert joined.diseases.tolist() == [[1, 0], [0, 1], [1, 0]]
    assert joined.group.tolist() == ["G", "1", "G"]
    assert joined.eye.tolist() == ["R", "", "L"]
    assert np.isnan(joined.age_years[0])
    assert Path(joined.path[1]) == Path("/data/y.jpg")


def test_other_and_unknown_sex_are_kept_but_not_learned_from() -> None:
    """Rows with any other record stay in the table and out of training."""
    persons = PERSONS.assign(recorded_sex=["other", "unknown", "male"])
    joined = join_examples(IMAGES, persons, root=Path())
    assert len(joined) == 3
    assert np.isnan(joined.male).all()
    assert not joined.usable.any()


def test_a_photograph_of_nobody_known_is_an_error() -> None:
    """The message names row, value and what is allowed."""
    with pytest.raises(SchemaError, match=r"image, row 3, column patient_id: .*found '1'"):
        join_examples(IMAGES, PERSONS.iloc[1:], root=Path())


def test_missing_columns_are_all_named() -> None:
    """Two missing columns give two problems."""
    with pytest.raises(SchemaError) as caught:
        join_examples(IMAGES[["image_id"]], PERSONS, root=Path())
    assert [problem.column for problem in caught.value.problems] == ["patient_id", "path"]


def prepared(shared_data: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the tables that the analysis script makes of the shared data."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "analyses"))
    script = import_module("odir5k_prepare")
    script.write_tables(shared_data / "odir5k", folder, seed=1)
    script.write_external_tables(shared_data / "heimed", folder)
    return folder


def test_odir5k_is_read_whole(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All 5,120 photographs of 2,686 people are there; 20 of 11 people with the placeholder age are set aside."""
    folder = prepared(shared_data, tmp_path, monkeypatch)
    joined = TrainingTables(
        images=folder / "images.csv",
        persons=folder / "labels.csv",
        conditions=folder / "conditions.csv",
        groups=folder / "groups.csv",
        placeholder_ages=(1.0,),
    ).examples()
    assert len(joined) == 5120
    assert np.unique(joined.patient_id).size == 2686
    assert int((~joined.usable).sum()) == 20
    assert np.unique(joined.patient_id[~joined.usable]).size == 11
    assert np.nanmin(joined.age_years) > 1
    assert len(joined.disease_names) == 7
    assert np.isfinite(joined.diseases).all()
    assert set(joined.eye) == {"R", "L"}
    groups = pd.read_csv(folder / "groups.csv", dtype="str")
    assert (groups["group"].nunique(), len(groups)) == (17, 39)


def test_the_study_hides_four_fifths_and_no_placeholder_age(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 2,828 people 566 keep their sex; the twelve whose age is a placeholder have none."""
    folder = prepared(shared_data, tmp_path, monkeypatch)
    persons = pd.read_csv(folder / "persons.csv", dtype={"patient_id": "str"})
    assert int(persons["recorded_sex"].notna().sum()) == 566
    assert int(persons["age_years"].isna().sum()) == 12
    assert persons["age_years"].min() > 1


def test_heimed_is_read_whole(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """169 photographs of 142 people; the two without a recorded sex stay in the table."""
    folder = prepared(shared_data, tmp_path, monkeypatch)
    joined = TrainingTables(images=folder / "external_images.csv", persons=folder / "external_labels.csv").examples()
    assert len(joined) == 169
    _, first = np.unique(joined.patient_id, return_index=True)
    male = joined.male[first]
    assert [int((male == 0).sum()), int((male == 1).sum()), int(np.isnan(male).sum())] == [100, 40, 2]
    assert Path(joined.path[0]).is_file()
    assert set(joined.eye) == {"R", "L"}


def test_an_empty_group_is_nobody_elses(tmp_path: Path) -> None:
    """People without a group are their own; they are not lumped together."""
    (tmp_path / "groups.csv").write_text("patient_id,group\n1,\n2,\n", encoding="utf-8")
    IMAGES.assign(path=[str(tmp_path / name) for name in IMAGES["path"]]).to_csv(tmp_path / "images.csv", index=False)
    PERSONS.to_csv(tmp_path / "persons.csv", index=False)
    tables = TrainingTables(
        images=tmp_path / "images.csv", persons=tmp_path / "persons.csv", groups=tmp_path / "groups.csv"
    )
    assert sorted(set(tables.examples().group)) == ["1", "2"]


def test_the_digest_tells_labels_and_rows_apart() -> None:
    """Another label, another choice of rows: another digest; the same again: the same."""
    one = join_examples(IMAGES, PERSONS, CONDITIONS, root=Path("/data"))
    older = join_examples(IMAGES, PERSONS.assign(age_years=[51.0, np.nan, 70.0]), CONDITIONS, root=Path("/data"))
    rows = np.array([0, 1])
    assert one.digest(rows) == join_examples(IMAGES, PERSONS, CONDITIONS, root=Path("/data")).digest(rows)
    assert len({one.digest(), older.digest(), one.digest(rows), one.digest(rows[:1], rows[1:])}) == 4
