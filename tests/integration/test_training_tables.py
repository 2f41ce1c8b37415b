"""From tables on disk to a model or a score table: the way ``sexstrat train`` goes, on drawn photographs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sexstrat.errors import SchemaError, StudyError
from sexstrat.models import file_sha256, read_card, views_of
from sexstrat.scores import read_scores
from sexstrat.training import TrainingPlan, cache_pixels, fold_of, fold_rows, part_of, part_rows
from sexstrat.training.commands import run_training
from sexstrat.training.crossfit import lower_features
from sexstrat.training.fit import fit, male_logits, patient_level_auc
from sexstrat.training.members import fit_members
from sexstrat.training.publication import CardTexts
from sexstrat.training.tables import TrainingTables, cross_fit_tables, measure_tables, train_tables
from sexstrat.training.upper_fit import fit_upper, fresh_split, upper_logits

N = 24
PLACEHOLDER, FROZEN = "d3", "conv_pw_11_relu"

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # from keras itself


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory, synthetic: ModuleType) -> TrainingTables:
    """Return tables of people whose recorded sex shows in the picture's light; one age was never entered."""
    folder = tmp_path_factory.mktemp("study")
    people = [f"d{i}" for i in range(N)]
    parts, male = part_of(people), np.zeros(N, dtype=bool)
    for part in ("train", "validation", "test"):
        male[np.flatnonzero(parts == part)[::2]] = True
    for i in range(N):
        picture = synthetic.draw_fundus(i, width=96, height=80)
        picture.point(lambda value, i=i: int(value * (1.0 if male[i] else 0.45))).save(folder / f"{i}.png")
    (folder / "9.png").write_bytes(b"")
    images = {"image_id": [f"i{i}" for i in range(N)], "patient_id": people, "path": [f"{i}.png" for i in range(N)]}
    pd.DataFrame(images | {"eye": ["L", "R"] * (N // 2)}).to_csv(folder / "images.csv", index=False)
    ages = [1 if name == PLACEHOLDER else 50 + i for i, name in enumerate(people)]
    persons = {"patient_id": people, "recorded_sex": np.where(male, "male", "female"), "age_years": ages}
    pd.DataFrame(persons).to_csv(folder / "persons.csv", index=False)
    glaucoma = {"patient_id": people, "condition": "glaucoma", "present": ["true", "false", "false"] * (N // 3)}
    pd.DataFrame(glaucoma).to_csv(folder / "conditions.csv", index=False)
    pd.DataFrame({"patient_id": ["d0", "d1"], "group": ["one", "one"]}).to_csv(folder / "groups.csv", index=False)
    return TrainingTables(
        images=folder / "images.csv", persons=folder / "persons.csv", conditions=folder / "conditions.csv",
        groups=folder / "groups.csv", placeholder_ages=(1.0,),
    )  # fmt: skip


def plan_for(out: Path, weights: Path, **changes: Any) -> TrainingPlan:
    plan = TrainingPlan(
        weights=weights,
        out=out,
        prepared_size=40,
        input_size=32,
        phases=((32, 1),),
        batch_size=8,
        seed=3,
        split="stable",
    )
    return replace(plan, **changes)


def answer(tables: TrainingTables, weights: Path, out: Path, tell: Any = print, **changes: Any) -> dict[str, Any]:
    """Run the command's own way with settings in words; ``changes`` are of the settings."""
    where = {name: getattr(tables, name) for name in ("images", "persons", "conditions", "groups", "placeholder_ages")}
    settings: dict[str, Any] = {
        "weights": weights, "out": out, "backbone": "mobilenet", "phases": "32x1", "freeze_to": FROZEN,
        "views": "as_left_eye", "learning_rate": 1e-4, "seed": 3, "prepared_size": 40, "input_size": 32,
        "batch_size": 8,
    }  # fmt: skip
    folds = changes.pop("folds", 0)
    return run_training(**where, about=None, folds=folds, cache=None, recipe=settings | changes, tell=tell)


def test_everyone_listed_is_scored_by_a_model_that_never_saw_them(
    tmp_path: Path, tables: TrainingTables, backbone_weights: Path
) -> None:
    """The written score table has a row for each photograph, its fold, and a reason where there is no score."""
    told: list[str] = []
    found = answer(tables, backbone_weights, tmp_path, told.append, folds=2)
    assert found == {"scores": str(tmp_path / "scores.parquet"), "images": N, "scored": N - 1, "folds": 2}
    assert f"prepared {N} of {N} photographs" in told
    assert sum("patient-level AUC" in line for line in told) == 2
    written = read_scores(tmp_path / "scores.parquet")
    assert written["image_id"].tolist() == [f"i{i}" for i in range(N)]
    groups = ["one", "one", *(f"d{i}" for i in range(2, N))]
    assert written["fold"].tolist() == fold_of(groups, 2, tables.examples().strata("stratified")).tolist()
    assert written["prob_male"].isna().tolist() == [i == 9 for i in range(N)]
    assert written.loc[9, "status"] == "empty_file"

    plan = plan_for(tmp_path, backbone_weights, freeze_to=FROZEN, split="stratified")
    again = cross_fit_tables(tables, plan, folds=2, model_id="other", out=tmp_path / "again.csv")
    assert again["prob_male"].tolist() == pytest.approx(written["prob_male"].tolist(), abs=1e-12, nan_ok=True)
    assert set(read_scores(tmp_path / "again.csv")["model_id"]) == {"other-fold0", "other-fold1"}


def test_a_model_trained_from_tables_is_published_and_measured(
    tmp_path: Path, tables: TrainingTables, backbone_weights: Path
) -> None:
    """The card counts those who were learned from; measured again, the model needs both sexes."""
    found = answer(tables, backbone_weights, tmp_path, split="stable")
    card = read_card(found["card"])
    assert Path(found["card"]) == tmp_path / "model" / "card.json"
    assert found["sha256"] == card.weights_sha256 == file_sha256(tmp_path / "model" / "my-model.npz")
    counted = [card.training_data["parts"][name]["n_photographs"] for name in ("train", "validation", "test")]
    assert sum(counted) == N - 2  # the broken file and the age that was never entered are in no part
    assert card.training_data["n_photographs_listed"] == N
    assert min(card.training_ages) >= 50

    texts = CardTexts(model_id="named", title="T", terms="none")
    renamed = train_tables(tables, plan_for(tmp_path, backbone_weights, freeze_to=FROZEN), texts)
    assert (renamed.model_id, renamed.weights_sha256) == ("named", card.weights_sha256)

    rows = measure_tables(tables, tmp_path / "model", data="the same")
    overall = [row for row in rows if row["group"] == "overall" and row["metric"] == "auc"]
    assert [(row["unit"], row["n_images"]) for row in overall] == [("patient", N - 2), ("photograph", N - 2)]
    assert read_card(tmp_path / "model" / "card.json") == renamed
    pd.read_csv(tables.persons).assign(recorded_sex="female").to_csv(tmp_path / "women.csv", index=False)
    with pytest.raises(StudyError, match="no readable photographs of men and of women"):
        measure_tables(replace(tables, persons=tmp_path / "women.csv"), tmp_path / "model", data="women")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"folds": 1}, "one fold leaves nobody to learn from"),
        ({"backbone": "vgg16"}, "--backbone 'vgg16': no such backbone; allowed: mobilenet"),
        ({"views": "upside_down"}, "--views 'upside_down': must be one of as_taken"),
        ({"phases": "32"}, "--phases '32': must be pixels x epochs"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_before_anything_is_read(
    tmp_path: Path, setting: dict[str, Any], message: str
) -> None:
    """The option, the value found and what is allowed are named."""
    nowhere = TrainingTables(images=tmp_path / "no.csv", persons=tmp_path / "no.csv")
    with pytest.raises(StudyError, match=message):
        answer(nowhere, tmp_path / "no.h5", tmp_path, **setting)


def test_frozen_layers_keep_their_weights_and_upper_ones_learn(
    tmp_path: Path, tables: TrainingTables, backbone_weights: Path
) -> None:
    """Cached features and the whole network lead to the same logits, and only layers above the border moved."""
    examples = tables.examples()
    crops = cache_pixels(examples.path.tolist(), tmp_path / "crops", 40)
    plan = plan_for(tmp_path, backbone_weights, freeze_to=FROZEN, views="as_taken", average_decay=0.0)
    features = lower_features(plan, examples, crops)
    assert features.values.shape == (N, 4, 2, 2, 512)
    learned, scored = fold_rows(examples, 2, 0, plan.split)
    scored = scored[crops.readable[scored]]
    fitted, upper = fit_upper(plan, examples, features, learned[crops.readable[learned]], np.empty(0, dtype=np.int64))
    logits = upper_logits(upper, features, scored)
    whole = male_logits(
        fitted.network, crops.pixels, scored, views=views_of("as_taken", [""] * N), size=32, scaling="tf"
    )
    assert logits == pytest.approx(whole, abs=2e-2)  # features are kept in half precision
    assert np.ptp(whole) > 0
    moved = {
        layer.name: max(float(np.abs(a - b).max()) for a, b in zip(layer.get_weights(), weights, strict=True))
        for layer, weights in _start(plan, examples, fitted.network)
    }
    assert moved["conv1"] == moved["conv_pw_11"] == 0
    assert moved["conv_pw_13"] > 0
    assert moved["head_sex"] > 0


def test_a_fit_keeps_the_weights_it_validated(tmp_path: Path, tables: TrainingTables, backbone_weights: Path) -> None:
    """The network that comes back has the logged validation AUC; a single member is a plain fit, and resumes it."""
    examples = tables.examples()
    crops = cache_pixels(examples.path.tolist(), tmp_path / "crops", 40)
    plan = plan_for(tmp_path, backbone_weights, views="as_taken", learning_rate=1e-3, average_decay=0.0)
    rows = part_rows(examples, crops, plan.split)
    fitted = fit(plan, examples, crops.pixels, rows["train"], rows["validation"])
    whole = views_of("as_taken", [""] * N)
    logits = male_logits(fitted.network, crops.pixels, rows["validation"], views=whole, size=32, scaling="tf")
    (epoch,) = fitted.progress.log
    assert epoch["validation_auc"] == round(patient_level_auc(examples, rows["validation"], logits), 5)
    alone = fit_members(plan, examples, crops.pixels, rows["train"], rows["validation"])
    assert alone.progress.log == fitted.progress.log
    for a, b in zip(alone.network.get_weights(), fitted.network.get_weights(), strict=True):
        assert (a == b).all()


def _start(plan: TrainingPlan, examples: Any, network: Any) -> list[tuple[Any, list[np.ndarray]]]:
    """Return the layers that hold weights, each with the weights that every fit of this plan starts from."""
    fresh, _, _ = fresh_split(plan, examples)
    return [
        (layer, before.get_weights())
        for layer, before in zip(network.layers, fresh.layers, strict=True)
        if layer.weights
    ]


def test_tables_that_break_their_contract_are_refused(tmp_path: Path, tables: TrainingTables) -> None:
    """A photograph of nobody, sex in other words and a group table without its columns are named with their place."""
    images = pd.read_csv(tables.images).assign(patient_id=[None, *(f"d{i}" for i in range(1, N))])
    images.assign(path=[str(tables.images.parent / name) for name in images["path"]]).to_csv(
        tmp_path / "images.csv", index=False
    )
    with pytest.raises(SchemaError) as caught:
        replace(tables, images=tmp_path / "images.csv").examples()
    assert [(problem.row, problem.column) for problem in caught.value.problems] == [(2, "patient_id")]
    pd.read_csv(tables.persons).assign(recorded_sex="M").to_csv(tmp_path / "persons.csv", index=False)
    with pytest.raises(SchemaError, match="recorded_sex"):
        replace(tables, persons=tmp_path / "persons.csv").examples()
    (tmp_path / "groups.csv").write_text("id,person\n1,2\n", encoding="utf-8")
    with pytest.raises(SchemaError) as caught:
        replace(tables, groups=tmp_path / "groups.csv").examples()
    assert [problem.column for problem in caught.value.problems] == ["patient_id", "group"]
