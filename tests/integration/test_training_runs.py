"""Training on drawn photographs: it learns, it resumes to the same weights, and folds never score whom they saw."""

from __future__ import annotations

import pickle
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from sexstrat.errors import ModelError, StudyError
from sexstrat.models import Head, build, load_model, scale_pixels, views_of
from sexstrat.training import (
    Examples,
    PixelCache,
    TrainingPlan,
    TrainingResult,
    cache_pixels,
    cross_fit,
    fold_of,
    held_out_performance,
    part_of,
    train,
)
from sexstrat.training.batch_statistics import fuse_batch_normalization, refresh_batch_statistics
from sexstrat.training.checkpoint import load_checkpoint
from sexstrat.training.commands import run_measurement
from sexstrat.training.epochs import CHECKPOINT
from sexstrat.training.fit import arithmetic, male_logits, patient_level_auc
from sexstrat.training.publication import CardTexts, publish_result
from sexstrat.training.teachers import Teachers, start_from
from sexstrat.training.upper_fit import fresh_split
from sexstrat.values.tables import table_schema

N = 60
AS_MEMBER = {"shared_epochs": 1, "shared_seed": TrainingPlan(weights=None, out=Path()).seed}

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # from keras itself


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory, synthetic: ModuleType) -> tuple[Examples, PixelCache]:
    """Return photographs of people whose recorded sex shows in the picture's light; one file is broken."""
    folder = tmp_path_factory.mktemp("photographs")
    people = np.array([f"a{i}" for i in range(N)])
    parts = part_of(people.tolist())
    male = np.zeros(N)
    for part in ("train", "validation", "test"):
        male[np.flatnonzero(parts == part)[::2]] = 1.0
    paths = []
    for i in range(N):
        picture = synthetic.draw_fundus(i, width=96, height=80)
        picture = picture.point(lambda value, i=i: int(value * (1.0 if male[i] else 0.45)))
        picture.save(folder / f"{i}.png")
        paths.append(str(folder / f"{i}.png"))
    Path(paths[9]).write_bytes(b"")
    examples = Examples(
        image_id=np.array([f"i{i}" for i in range(N)]), path=np.array(paths), patient_id=people,
        eye=np.full(N, ""), group=people, male=male, age_years=np.linspace(20, 80, N), disease_names=("glaucoma",),
        diseases=(np.arange(N) % 3 == 0).astype(float)[:, None], usable=np.arange(N) != 4,
    )  # fmt: skip
    return examples, cache_pixels(paths, folder / "cache", 40)


def plan_for(folder: Path, weights: Path, **changes: object) -> TrainingPlan:
    plan = TrainingPlan(
        weights=weights, out=folder, prepared_size=40, input_size=32, phases=((32, 2),), batch_size=8,
        learning_rate=1e-3, average_decay=0.5,
    )  # fmt: skip
    return replace(plan, **changes)  # type: ignore[arg-type]


def weights_of(network: object) -> list[np.ndarray]:
    return network.get_weights()  # type: ignore[attr-defined,no-any-return]


@pytest.fixture(scope="module")
def unbroken(
    tmp_path_factory: pytest.TempPathFactory, backbone_weights: Path, material: tuple[Examples, PixelCache]
) -> tuple[TrainingResult, Path]:
    """Return a run that nothing interrupted, and the folder it is published in; it can be a first member's too."""
    folder = tmp_path_factory.mktemp("unbroken")
    result = train(plan_for(folder, backbone_weights, **AS_MEMBER), *material)
    texts = CardTexts(model_id="drawn-1", title="Drawn photographs", terms="none")
    publish_result(result, material[0], (), texts, folder / "model")
    return result, folder / "model"


KILLED = """
import os, pickle, signal, sys
import sexstrat.training.fit as fit
from sexstrat.training import train
plan, examples, cache = pickle.loads(sys.stdin.buffer.read())
whole = fit.epoch_feeder

def feeder(*words, epoch, **settings):
    fed = whole(*words, epoch=epoch, **settings)
    give = type(fed).__getitem__

    def item(self, index):
        if epoch == 1 and index == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return give(self, index)

    type(fed).__getitem__ = item
    return fed

fit.epoch_feeder = feeder
train(plan, examples, cache)
"""


def test_a_run_killed_within_an_epoch_ends_where_an_unbroken_one_does(
    tmp_path: Path, backbone_weights: Path, material: tuple[Examples, PixelCache], unbroken: tuple[TrainingResult, Path]
) -> None:
    """Killed by signal 9 in the midst of its second epoch and started again, a run gives the same figures to 1e-6."""
    plan = plan_for(tmp_path, backbone_weights, **AS_MEMBER)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], input=pickle.dumps((plan, *material)), check=False, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    kept = load_checkpoint(tmp_path / CHECKPOINT)
    assert kept is not None
    assert [row["epoch"] for row in kept.log] == [1]
    resumed, whole = train(plan, *material), unbroken[0]
    assert [row["epoch"] for row in resumed.progress.log] == [1, 2]
    for one, other in zip(whole.progress.log, resumed.progress.log, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], abs=1e-6)
        assert one["validation_auc"] == pytest.approx(other["validation_auc"], abs=1e-6)
    for a, b in zip(weights_of(whole.network), weights_of(resumed.network), strict=True):
        assert np.abs(a - b).max() <= 1e-6
    figures = [held_out_performance(run, *material, data="drawn") for run in (whole, resumed)]
    assert figures[0] == figures[1]
    assert (tmp_path / "log.csv").read_text(encoding="utf-8").count("\n") == 3
    with pytest.raises(ModelError, match="another recipe"):
        train(plan_for(tmp_path, backbone_weights, seed=9), *material)


def test_a_trained_model_is_published_and_measured_again(
    tmp_path: Path, material: tuple[Examples, PixelCache], unbroken: tuple[TrainingResult, Path]
) -> None:
    """The card counts who was learned from; the command's own way of measuring gives it figures."""
    result, model = unbroken
    published = tmp_path / "published"
    shutil.copytree(model, published)
    assert load_model(published).card.training_data["parts"]["train"]["n_patients"] == len(result.rows["train"])
    rows = held_out_performance(result, *material, data="drawn")
    assert all(row["n_patients"] <= len(result.rows["test"]) for row in rows)
    _measured_again(tmp_path, material[0])


def _measured_again(folder: Path, examples: Examples) -> None:
    """Measure the published model on the same photographs by the command's own way; its card keeps the figures."""
    names = {"image_id": examples.image_id, "patient_id": examples.patient_id, "path": examples.path}
    pd.DataFrame(names).to_csv(folder / "images.csv", index=False)
    people = {"patient_id": examples.patient_id, "recorded_sex": np.where(examples.male == 1, "male", "female")}
    pd.DataFrame(people | {"age_years": examples.age_years}).to_csv(folder / "persons.csv", index=False)
    told = {"images": folder / "images.csv", "persons": folder / "persons.csv", "conditions": None, "groups": None}
    found = run_measurement(
        **told, model=folder / "published", data="again", cache=None, add_to_card=True
    )["performance"]  # fmt: skip
    overall = next(row for row in found if row["unit"] == "photograph" and row["metric"] == "auc")
    assert overall["n_images"] == N - 1
    loaded = load_model(folder / "published")
    assert list(loaded.card.performance) == found
    with pytest.raises(StudyError, match="the card of the shipped model is not changed"):
        run_measurement(**told, model=None, data=None, cache=None, add_to_card=True)


def test_members_are_averaged_or_the_best_is_kept(
    tmp_path: Path, backbone_weights: Path, material: tuple[Examples, PixelCache], unbroken: tuple[TrainingResult, Path]
) -> None:
    """Two members share a first epoch, run once, and part in the second; the best of both and their mean is kept."""
    plan = plan_for(tmp_path, backbone_weights, members=2, shared_epochs=1)
    shutil.copytree(unbroken[1].parent, tmp_path / "member_0")  # the first member is that run: it need not be repeated
    result = train(plan, *material)
    *members, average = result.progress.log
    first, second = ([row for row in members if row["member"] == member] for member in (0, 1))
    assert {**first[0], "member": 1} == second[0]
    assert first[1]["loss"] != second[1]["loss"]
    assert first == [row | {"member": 0} for row in unbroken[0].progress.log]
    best = max(row["validation_auc"] for row in result.progress.log)
    views = views_of(plan.views, material[0].eye.tolist())
    rows = result.rows["validation"]
    logits = male_logits(result.network, material[1].pixels, rows, views=views, size=32, scaling="tf")
    assert patient_level_auc(material[0], rows, logits) == pytest.approx(best, abs=0.02)
    assert (result.progress.kept_epoch == 0) == (average["validation_auc"] >= max(m["validation_auc"] for m in members))
    with pytest.raises(ModelError, match="members are averaged when all layers are trained"):
        train(replace(plan, freeze_to="conv_pw_11_relu"), *material)


@pytest.mark.slow
def test_every_member_is_a_run_of_its_own_and_all_are_read_back(
    tmp_path: Path, backbone_weights: Path, material: tuple[Examples, PixelCache]
) -> None:
    """The second member is what a run alone with its seed gives; a second call reads both and gives the same."""
    plan = plan_for(tmp_path, backbone_weights, members=2, phases=((32, 1),))
    result = train(plan, *material)
    alone = train(
        plan_for(tmp_path / "alone", backbone_weights, phases=((32, 1),), seed=plan.seed + 1, shared_seed=plan.seed),
        *material,
    )
    assert alone.progress.log[0]["validation_auc"] == pytest.approx(result.progress.log[1]["validation_auc"], abs=0.02)
    again = train(plan, *material)
    for a, b in zip(weights_of(result.network), weights_of(again.network), strict=True):
        assert np.abs(a - b).max() < 1e-4


def test_batch_statistics_become_those_of_the_batches() -> None:
    """After a refresh, moving mean and variance are the plain averages over the batches."""
    import keras

    network = keras.Sequential([keras.Input((1, 1, 3)), keras.layers.BatchNormalization(name="norm")])
    batches = [np.random.default_rng(i).normal(i, 1 + i, (50, 1, 1, 3)).astype(np.float32) for i in range(4)]
    refresh_batch_statistics(network, batches)
    layer = network.get_layer("norm")
    assert np.asarray(layer.moving_mean) == pytest.approx(np.mean([b.mean((0, 1, 2)) for b in batches], 0), abs=1e-4)
    assert np.asarray(layer.moving_variance) == pytest.approx(np.mean([b.var((0, 1, 2)) for b in batches], 0), rel=1e-3)
    assert layer.momentum == 0.99


def test_the_fused_kernel_is_the_same_batch_normalization() -> None:
    """Outputs, gradients and moving statistics of a training step are those of Keras's own layer; names stay."""
    import keras
    import tensorflow as tf

    inputs = keras.Input((6, 6, 4))
    hidden = keras.layers.BatchNormalization(scale=False)(keras.layers.Conv2D(4, 3)(inputs))
    plain = keras.Model(inputs, keras.layers.BatchNormalization()(keras.layers.ReLU()(hidden)))
    fused = fuse_batch_normalization(plain)
    assert type(fused.layers[2]) is not type(plain.layers[2])
    assert [type(layer).__name__ for layer in fused.layers] == [type(layer).__name__ for layer in plain.layers]
    pixels = tf.constant(np.random.default_rng(3).normal(2.0, 3.0, (16, 6, 6, 4)).astype(np.float32))

    def step(network: object) -> tuple[object, list[object]]:
        with tf.GradientTape() as tape:
            outputs = network(pixels, training=True)  # type: ignore[operator]
            loss = tf.reduce_sum(outputs**3)
        return outputs, tape.gradient(loss, network.trainable_variables)  # type: ignore[attr-defined]

    (ours, our_slopes), (theirs, their_slopes) = step(fused), step(plain)
    assert np.asarray(ours) == pytest.approx(np.asarray(theirs), abs=1e-4)
    for one, other in zip(our_slopes, their_slopes, strict=True):
        assert np.asarray(one) == pytest.approx(np.asarray(other), rel=1e-3, abs=2e-2)
    for one, other in zip(fused.get_weights(), plain.get_weights(), strict=True):
        assert one == pytest.approx(other, rel=3e-3, abs=1e-5)  # the fused variance has n - 1 = 255 below it
    assert np.asarray(fused(pixels)) == pytest.approx(np.asarray(plain(pixels)), abs=2e-2)


def test_a_student_starts_from_and_learns_of_published_models(
    tmp_path: Path, backbone_weights: Path, material: tuple[Examples, PixelCache], unbroken: tuple[TrainingResult, Path]
) -> None:
    """The start is the published network itself; targets are labels mixed with the teacher's own probabilities."""
    (examples, cache), published = material, unbroken[1]
    loaded = load_model(published)
    windows = np.ascontiguousarray(cache.pixels[:6, 4:36, 4:36])
    told = expit(loaded.forward(scale_pixels(windows, "tf"))[:, 0])
    labels = np.array([[0.0], [1], [0], [1], [1], [0]], dtype=np.float32)
    mixed = Teachers((published,), 0.75).targets(labels, windows)
    assert mixed[:, 0] == pytest.approx(0.25 * labels[:, 0] + 0.75 * told, abs=1e-6)
    larger = Teachers((published,), 1.0).targets(labels, np.ascontiguousarray(cache.pixels[:6]))
    assert ((larger > 0) & (larger < 1)).all()  # windows of another size are brought to the teacher's input

    student = build("mobilenet", (Head(name="sex", units=1), Head(name="age", units=1)), None)
    start_from(student, published)
    assert np.asarray(student.predict_on_batch(scale_pixels(windows, "tf"))["sex"]) == pytest.approx(
        loaded.forward(scale_pixels(windows, "tf")), abs=1e-4
    )
    plan = plan_for(
        tmp_path / "student", backbone_weights, phases=((32, 1),), start=published,
        teachers=(published,), split="stable",
    )  # fmt: skip
    log = train(plan, examples, cache).progress.log
    assert np.isfinite(log[0]["loss"])
    assert plan.recipe()["teachers"] == [plan.recipe()["start"]] == [loaded.card.weights_sha256]
    with pytest.raises(ModelError, match="is not the card of a published model"):
        replace(plan, teachers=(tmp_path,)).recipe()


def test_parts_leave_out_whom_they_must(
    tmp_path: Path, backbone_weights: Path, material: tuple[Examples, PixelCache]
) -> None:
    """Broken files and placeholders are in no part; crops of another size are refused."""
    from sexstrat.training import part_rows

    rows = np.concatenate(list(part_rows(*material, "stratified").values()))
    assert sorted(rows.tolist()) == [i for i in range(N) if i not in {4, 9}]
    with pytest.raises(ModelError, match="the crops have 40 pixels; the plan needs 48"):
        train(plan_for(tmp_path, backbone_weights, prepared_size=48), *material)


def test_cross_fitting_scores_everyone_once_and_resumes(
    tmp_path: Path, backbone_weights: Path, material: tuple[Examples, PixelCache]
) -> None:
    """Every photograph gets one row by a model of its fold; a second call reads what the first left."""
    examples, cache = material
    plan = plan_for(tmp_path, backbone_weights, freeze_to="conv_pw_11_relu", phases=((32, 1),))
    scores = cross_fit(plan, examples, cache, 2, model_id="tiny")
    assert scores["image_id"].tolist() == examples.image_id.tolist()
    assert scores["fold"].tolist() == fold_of(examples.group.tolist(), 2, examples.strata("stratified")).tolist()
    assert scores.columns.tolist() == table_schema("score").columns
    assert scores.loc[9, "status"] == "empty_file"
    assert scores["prob_male"].notna().tolist() == [i != 9 for i in range(N)]
    assert scores.groupby("fold")["model_sha256"].nunique().tolist() == [1, 1]
    assert scores["model_sha256"].nunique() == 2
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    again = cross_fit(plan, examples, cache, 2, model_id="tiny")
    assert again.equals(scores)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    relabelled = replace(examples, male=1 - examples.male)
    with pytest.raises(ModelError, match="another recipe or from other labels"):
        cross_fit(plan, relabelled, cache, 2, model_id="tiny")


def test_lower_and_upper_part_are_the_whole_network(
    tmp_path: Path, backbone_weights: Path, material: tuple[Examples, PixelCache]
) -> None:
    """Cut after a layer, the two parts give what the whole gives, and share its weights."""
    plan = plan_for(tmp_path, backbone_weights, freeze_to="conv_pw_5_relu")
    whole, lower, upper = fresh_split(plan, material[0])
    pixels = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype(np.float32)
    upper.set_weights([weight * 1.1 for weight in upper.get_weights()])
    together = np.asarray(whole.predict_on_batch(pixels)["sex"])
    apart = np.asarray(upper.predict_on_batch(np.asarray(lower.predict_on_batch(pixels)))["sex"])
    assert together == pytest.approx(apart, abs=1e-5)
    with pytest.raises(ModelError, match="no layer 'nowhere' to cut after"):
        fresh_split(replace(plan, freeze_to="nowhere"), material[0])


@pytest.mark.slow
def test_half_arithmetic_trains_and_leaves_a_network_of_full(
    tmp_path: Path, backbone_weights: Path, material: tuple[Examples, PixelCache]
) -> None:
    """Layers compute in bfloat16 while training; what comes back computes and publishes in float32."""
    import keras

    with arithmetic("mixed_bfloat16"):
        assert keras.layers.Dense(1).compute_dtype == "bfloat16"
    plan = plan_for(tmp_path, backbone_weights, phases=((32, 1),), precision="mixed_bfloat16", learns=("sex",))
    result = train(plan, *material)
    assert np.isfinite(result.progress.log[0]["loss"])
    assert {layer.compute_dtype for layer in result.network.layers} == {"float32"}
    assert list(result.network.output) == ["sex"]
    assert keras.config.dtype_policy().name == "float32"
    with pytest.raises(ModelError, match="with frozen layers the precision must be float32; found mixed_bfloat16"):
        train(replace(plan, freeze_to="conv_pw_11_relu", out=tmp_path / "frozen"), *material)


@pytest.mark.slow
def test_it_learns_what_can_be_seen(
    tmp_path: Path, backbone_weights: Path, material: tuple[Examples, PixelCache]
) -> None:
    """Recorded sex that shows as light is learned: the training people are ranked almost without error."""
    examples, cache = material
    result = train(plan_for(tmp_path, backbone_weights, phases=((32, 20),), patience=20), examples, cache)
    rows = result.rows["train"]
    logits = male_logits(
        result.network, cache.pixels, rows, views=views_of("as_left_eye", examples.eye.tolist()), size=32, scaling="tf"
    )
    assert patient_level_auc(examples, rows, logits) > 0.9


def test_frames_of_the_contract_can_be_joined_and_trained_on(tmp_path: Path, backbone_weights: Path) -> None:
    """A part without one of the sexes is refused with the part's name."""
    from sexstrat.training import join_examples

    names = [str(i) for i in range(20)]
    images = pd.DataFrame({"image_id": names, "patient_id": names, "path": names})
    persons = pd.DataFrame({"patient_id": names, "recorded_sex": "female"})
    cache = PixelCache(pixels=np.zeros((20, 40, 40, 3), np.uint8), table=pd.DataFrame({"status": ["ok"] * 20}))
    with pytest.raises(ModelError, match="the train part needs photographs of men and of women"):
        train(plan_for(tmp_path, backbone_weights), join_examples(images, persons, root=tmp_path), cache)


def test_heads_keep_their_names(backbone_weights: Path) -> None:
    """A saved backbone fills a network whose input size is left open."""
    network = build("mobilenet", (Head(name="sex", units=1),), None, weights=backbone_weights)
    shapes = [network.predict_on_batch(np.zeros((1, side, side, 3), np.float32))["sex"].shape for side in (32, 64)]
    assert shapes == [(1, 1), (1, 1)]
