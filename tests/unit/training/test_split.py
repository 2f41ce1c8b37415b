"""Parts and folds: alike in sex and age, or fixed by the person alone for good; never a person in two."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sexstrat.errors import ModelError, StudyError
from sexstrat.training import Examples, TrainingPlan, fold_of, fold_rows, part_of
from sexstrat.training.commands import check_split
from sexstrat.training.split import SPLITS


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


def test_stratified_parts_are_alike_in_every_stratum() -> None:
    """In each stratum of 30 to 600 people the shares are kept to within two people, and the names decide who is who."""
    rng = np.random.default_rng(1)
    strata = np.repeat([f"male {band}" for band in range(6)], [30, 60, 120, 240, 480, 600])
    names = [str(i) for i in rng.permutation(len(strata))]
    parts, folds = part_of(names, strata.tolist()), fold_of(names, 5, strata.tolist())
    for stratum in np.unique(strata):
        own = strata == stratum
        assert abs((parts[own] == "test").sum() - 0.2 * own.sum()) <= 2
        assert abs((parts[own] == "validation").sum() - 0.1 * own.sum()) <= 2
        assert all(abs((folds[own] == fold).sum() - own.sum() / 5) <= 2 for fold in range(5))
        assert 0.1 < np.mean(folds[own][parts[own] == "test"] == 0) < 0.3 or own.sum() < 400
    again = rng.permutation(len(names))
    assert (part_of([names[i] for i in again], strata[again].tolist()) == parts[again]).all()
    other = part_of([f"p{name}" for name in names], strata.tolist())
    assert np.mean(other == parts) < 0.7  # by chance .54


def test_duplicates_stay_together_though_their_strata_differ() -> None:
    """The first row of a group decides its stratum: an eye photographed in the next decade of life follows it."""
    groups, strata = ["a", "b", "a", "c"] * 30, ["male 04", "male 05", "male 05", "none none"] * 30
    groups = [f"{group}{i // 4}" for i, group in enumerate(groups)]
    parts = part_of(groups, strata)
    assert (parts[0::4] == parts[2::4]).all()


def test_strata_are_sex_and_ten_years_of_age() -> None:
    """A person of no recorded sex or age has a stratum too; under the stable split there are none."""
    examples = replace(people(["a", "b"]), male=np.array([1.0, np.nan]), age_years=np.array([69.9, np.nan]))
    assert examples.strata("stratified") == ["male 06", "none none"]
    assert examples.strata("stable") is None


def test_going_on_from_another_model_needs_the_stable_split() -> None:
    """Else people the other model learned from could be tested on; a split there is not is refused by name."""
    with pytest.raises(ModelError, match="needs the split 'stable'"):
        TrainingPlan(weights=None, out=Path(), start=Path("card.json"))
    TrainingPlan(weights=None, out=Path(), start=Path("card.json"), split="stable")
    with pytest.raises(StudyError, match="--split 'random': must be one of stratified, stable"):
        check_split({"split": "random"})


def test_folds_do_not_follow_parts() -> None:
    """The hash of folds has its own salt: each fold holds its third of the test part."""
    names = [str(i) for i in range(20_000)]
    test = part_of(names) == "test"
    shares = [np.mean(fold_of(names, 3)[test] == fold) for fold in range(3)]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.03)


@given(
    st.lists(st.text("ab7-é", min_size=1, max_size=4), min_size=1, max_size=40),
    st.integers(2, 6),
    st.sampled_from(SPLITS),
)
def test_nobody_is_learned_from_and_scored(groups: list[str], folds: int, split: str) -> None:
    """No person is in both sets of a fold, and every photograph is scored exactly once."""
    examples = people(groups)
    scored_once = np.zeros(len(groups), dtype=int)
    for fold in range(folds):
        learned, scored = fold_rows(examples, folds, fold, split)
        assert not set(examples.group[learned]) & set(examples.group[scored])
        scored_once[scored] += 1
    assert (scored_once == 1).all()


def test_placeholders_are_scored_but_not_learned_from() -> None:
    """A person who may not be trained on is in a fold's scored rows only."""
    examples = people([str(i) for i in range(30)], [i != 7 for i in range(30)])
    rows = [fold_rows(examples, 3, fold, "stable") for fold in range(3)]
    assert all(7 not in learned for learned, _ in rows)
    assert sum(7 in scored for _, scored in rows) == 1


def test_one_fold_is_no_cross_fitting() -> None:
    """A single fold would score people with a model that saw them."""
    with pytest.raises(ValueError, match="at least 2 folds; found 1"):
        fold_of(["a"], 1)
