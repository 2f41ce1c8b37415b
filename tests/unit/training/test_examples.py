"""Photographs meet their people by id, never by order, and nothing is lost on the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sexstrat.errors import SchemaError
from sexstrat.training import heimed_examples, join_examples, odir5k_examples, read_odir5k

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


def test_odir5k_is_read_whole(shared_data: Path) -> None:
    """All 5,120 photographs of 2,686 people are there; 20 of 11 people with the placeholder age are set aside."""
    data = read_odir5k(shared_data / "odir5k")
    assert len(data.persons) == 2828
    assert data.persons["recorded_sex"].isin(["male", "female"]).all()
    joined = odir5k_examples(shared_data / "odir5k")
    assert len(joined) == 5120
    assert np.unique(joined.patient_id).size == 2686
    assert int((~joined.usable).sum()) == 20
    assert np.unique(joined.patient_id[~joined.usable]).size == 11
    assert np.nanmin(joined.age_years) > 1
    assert len(joined.disease_names) == 8
    assert np.isfinite(joined.diseases).all()
    shared_groups = pd.Series(data.groups).value_counts()
    assert len(shared_groups) == 17
    assert int(shared_groups.sum()) == 39


def test_heimed_is_read_whole(shared_data: Path) -> None:
    """169 photographs of 142 people; the two without a recorded sex stay in the table."""
    joined = heimed_examples(shared_data / "heimed")
    assert len(joined) == 169
    _, first = np.unique(joined.patient_id, return_index=True)
    male = joined.male[first]
    assert [int((male == 0).sum()), int((male == 1).sum()), int(np.isnan(male).sum())] == [100, 40, 2]
    assert Path(joined.path[0]).is_file()
