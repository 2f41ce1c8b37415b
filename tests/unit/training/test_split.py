"""Parts and folds depend on the person alone, for good."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sexstrat.training import Examples, fold_of, fold_rows, part_of


def people(groups: list[str], usable: list[bool] | None = None) -> Examples:
    names = np.array(groups)
    n = len(names)
    return Examples(
        image_id=np.array([f"i{i}" for i in range(n)]),
        path=names,
        patient_id=names,
        eye=np.full(n, ""),
        group=names,
        male=np.arange(n) % 2.0,
        age_years=np.full(n, 60.0),
        disease_names=(),
        diseases=np.empty((n, 0)),
        usable=np.array(usable if usable is not None else [True] * n),
    )


def test_the_split_never_changes() -> None:
    """These people are where they were when the shipped model was trained; moving one would spoil the test part."""
    parts = part_of([str(i) for i in range(40)])
    assert np.flatnonzero(parts == "test").tolist() == TEST_OF_FIRST_FORTY
    assert np.flatnonzero(parts == "validation").tolist() == VALIDATION_OF_FIRST_FORTY
    assert fold_of([str(i) for i in range(12)], 3).tolist() == FOLDS_OF_FIRST_TWELVE


TEST_OF_FIRST_FORTY = [1, 13, 15, 23, 24]
VALIDATION_OF_FIRST_FORTY = [2, 14, 18, 21, 28, 34, 39]
FOLDS_OF_FIRST_TWELVE = [0, 0, 1, 2, 0, 2, 1, 2, 1, 2, 1, 2]


def test_shares_are_a_fifth_a_tenth_and_the_rest() -> None:
    """Of many people a fifth is for the test and a tenth for validation."""
    parts = part_of([str(i) for i in range(20_000)])
    assert np.mean(parts == "test") == pytest.approx(0.20, abs=0.01)
    assert np.mean(parts == "validation") == pytest.approx(0.10, abs=0.01)


def test_folds_do_not_follow_parts() -> None:
    """The hash of folds has its own salt: each fold holds its third of the test part."""
    names = [str(i) for i in range(20_000)]
    test = part_of(names) == "test"
    shares = [np.mean(fold_of(names, 3)[test] == fold) for fold in range(3)]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.03)


@given(st.lists(st.text("ab7-é", min_size=1, max_size=4), min_size=1, max_size=40), st.integers(2, 6))
def test_nobody_is_learned_from_and_scored(groups: list[str], folds: int) -> None:
    """No person is in both sets of a fold, and every photograph is scored exactly once."""
    examples = people(groups)
    scored_once = np.zeros(len(groups), dtype=int)
    for fold in range(folds):
        learned, scored = fold_rows(examples, folds, fold)
        assert not set(examples.group[learned]) & set(examples.group[scored])
        scored_once[scored] += 1
    assert (scored_once == 1).all()


def test_placeholders_are_scored_but_not_learned_from() -> None:
    """A person who may not be trained on is in a fold's scored rows only."""
    examples = people([str(i) for i in range(30)], [i != 7 for i in range(30)])
    rows = [fold_rows(examples, 3, fold) for fold in range(3)]
    assert all(7 not in learned for learned, _ in rows)
    assert sum(7 in scored for _, scored in rows) == 1


def test_one_fold_is_no_cross_fitting() -> None:
    """A single fold would score people with a model that saw them."""
    with pytest.raises(ValueError, match="at least 2 folds; found 1"):
        fold_of(["a"], 1)
