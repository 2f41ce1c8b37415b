"""What a training run may choose beside its recipe of old: what it learns, blur, where it starts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sexstrat.errors import StudyError
from sexstrat.training import Examples, TrainingPlan
from sexstrat.training.augment import augment
from sexstrat.training.candidates import candidates
from sexstrat.training.commands import run_training
from sexstrat.training.comparison_command import parse_weights
from sexstrat.training.targets import heads_for, learning_targets


def four() -> Examples:
    names = np.array(["a", "b", "c", "d"])
    return Examples(
        image_id=names, path=names, patient_id=names, eye=np.full(4, ""), group=names, male=np.array([1.0, 1, 0, 0]),
        age_years=np.array([50.0, 60, 70, 80]), disease_names=("glaucoma",), diseases=np.ones((4, 1)),
        usable=np.ones(4, bool),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("learns", "names"),
    [(("sex",), ["sex"]), (("sex", "age"), ["sex", "age"]), (("sex", "disease"), ["sex", "disease"])],
)
def test_only_what_is_wanted_is_learned(learns: tuple[str, ...], names: list[str]) -> None:
    """Heads, targets and weights are of the same choices."""
    targets, weights = learning_targets(four(), np.arange(4), learns)
    assert [head.name for head in heads_for(four(), learns)] == list(targets) == list(weights) == names


def test_a_recipe_of_old_stays_what_it_was() -> None:
    """Choices left as they were are not in the recipe, so that checkpoints from before them go on; others are."""
    old = TrainingPlan(weights=Path("w.h5"), out=Path("o"), split="stable").recipe()
    assert {"learns", "precision", "blur", "split", "weights"}.isdisjoint(old)
    new = TrainingPlan(weights=None, out=Path("o"), learns=("sex",), precision="mixed_bfloat16", blur=0.2).recipe()
    assert new["split"] == "stratified"
    assert {name: new[name] for name in ("learns", "precision", "blur", "weights")} == {
        "learns": ("sex",), "precision": "mixed_bfloat16", "blur": 0.2, "weights": "random",
    }  # fmt: skip


def test_blur_takes_fine_detail_and_leaves_other_windows_alone() -> None:
    """A blurred window varies less from pixel to pixel than the same one sharp; blur of 0 changes nothing."""
    crop = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    sharp, blurred = (augment(crop, 56, np.random.default_rng(7), blur=share) for share in (0.0, 1.0))
    again = augment(crop, 56, np.random.default_rng(7), blur=1.0)
    assert (blurred == again).all()
    assert (
        np.abs(np.diff(blurred.astype(int), axis=1)).mean() < 0.95 * np.abs(np.diff(sharp.astype(int), axis=1)).mean()
    )
    half = [augment(crop, 56, np.random.default_rng(seed), blur=0.5) for seed in range(40)]
    plain = [augment(crop, 56, np.random.default_rng(seed)) for seed in range(40)]
    assert 10 <= sum(bool((a != b).any()) for a, b in zip(half, plain, strict=True)) <= 30


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learns": ("age",)}, "--learn age: sex must be among them; allowed: sex, age, disease"),
        ({"learns": ("sex", "height")}, "--learn sex, height: sex must be among them"),
        ({"precision": "float16"}, "--precision 'float16': must be one of float32, mixed_bfloat16"),
    ],
)
def test_a_choice_that_is_none_is_refused(changes: dict[str, object], message: str, tmp_path: Path) -> None:
    """The option, the value found and what is allowed are named before anything is read."""
    recipe = {"weights": None, "out": tmp_path, "backbone": "mobilenet", "phases": "32x1", "views": "as_taken"}
    nowhere = tmp_path / "no.csv"
    with pytest.raises(StudyError, match=message):
        run_training(
            images=nowhere, persons=nowhere, conditions=None, groups=None, placeholder_ages=(), about=None, folds=0,
            cache=None, recipe=recipe | changes,
        )  # fmt: skip


def test_the_networks_of_a_comparison_are_checked_together(tmp_path: Path) -> None:
    """Unknown names, pictures too small and missing files are all named at once."""
    with pytest.raises(StudyError) as caught:
        candidates(["vgg16", "inception_v3"], {"mobilenet": tmp_path / "no.h5"}, 64)
    for words in (
        "no backbone 'vgg16'",
        "inception_v3 takes pictures of 75 pixels or more; found 64",
        "no file of wei",
    ):
        assert words in str(caught.value)
    assert len(candidates([], {}, 75)) == 16
    (tmp_path / "w.h5").write_bytes(b"")
    names = [one.name for one in candidates(["mobilenet_v2"], {"mobilenet": tmp_path / "w.h5"}, 64)]
    assert names == ["mobilenet_v2", "mobilenet", "mobilenet_pretrained"]


@pytest.mark.parametrize(
    ("entries", "message"),
    [(["mobilenet"], "must be backbone=file"), (["xception=a", "xception=b"], "names xception twice")],
)
def test_start_weights_name_their_backbone_once(entries: list[str], message: str) -> None:
    """An entry of another form, and a backbone named twice, are refused."""
    with pytest.raises(StudyError, match=message):
        parse_weights(entries)
