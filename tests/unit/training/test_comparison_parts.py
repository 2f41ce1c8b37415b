"""What a comparison does before and after training: it waits, refuses what is not its own, measures what is there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sexstrat.errors import ModelError, StudyError
from sexstrat.training import Examples, PixelCache, TrainingPlan, part_of, part_rows
from sexstrat.training.candidate_run import SCORES_FILE, finished_row, plan_of, stored_logits
from sexstrat.training.candidates import Candidate
from sexstrat.training.compare import compared
from sexstrat.training.comparison_command import run_comparison
from sexstrat.training.tables import TrainingTables

N = 300
NETWORKS = (Candidate(backbone="mobilenet"), Candidate(backbone="xception"))


def material() -> tuple[Examples, PixelCache]:
    """Return people without photographs: nothing here looks at pixels."""
    people = np.array([f"p{i}" for i in range(N)])
    examples = Examples(
        image_id=people, path=people, patient_id=people, eye=np.full(N, ""), group=people,
        male=(np.arange(N) % 2).astype(float), age_years=np.linspace(30, 85, N), disease_names=(),
        diseases=np.empty((N, 0)), usable=np.ones(N, bool),
    )  # fmt: skip
    return examples, PixelCache(pixels=np.zeros((N, 1, 1, 3), np.uint8), table=pd.DataFrame({"status": ["ok"] * N}))


def finish(plan: TrainingPlan, examples: Examples, rows: np.ndarray, logits: np.ndarray) -> None:
    """Leave behind what a trained network leaves, from the recipe that the module itself names."""
    from sexstrat.training import candidate_run

    cache = PixelCache(pixels=np.zeros((N, 1, 1, 3), np.uint8), table=pd.DataFrame({"status": ["ok"] * N}))
    plan.out.mkdir(parents=True)
    trained = {
        "network": plan.out.name, "backbone": plan.backbone, "start": "random", "start_sha256": None, "phases": "75x2",
        "input_size": 75, "epochs": 2, "kept_epoch": 1, "batch_size": 32, "learning_rate": 1e-3, "seed": 1,
        "train_seconds": 60.0, "n_train_images": 200, "n_train_patients": 200, "parameters": 10, "file_bytes": 20,
        "images_per_second": 5.0, "runtime": "keras, float32", "machine": "a machine", "model_sha256": "0" * 64,
    }  # fmt: skip
    recipe = candidate_run._identity(plan, examples, part_rows(examples, cache, "stratified"))
    (plan.out / "row.json").write_text(json.dumps({"row": trained, "recipe": recipe}), encoding="utf-8")
    lines = [f"{name},{value!r}" for name, value in zip(examples.image_id[rows], logits.tolist(), strict=True)]
    (plan.out / SCORES_FILE).write_text("\n".join(["image_id,logit_male", *lines]) + "\n", encoding="utf-8")


def test_two_finished_networks_are_compared_in_pairs(tmp_path: Path) -> None:
    """The better one is the best, the other has a paired difference with an interval; groups have their rows."""
    examples, cache = material()
    plan = TrainingPlan(weights=None, out=tmp_path)
    rows = np.flatnonzero(part_of(examples.group.tolist(), examples.strata("stratified")) == "test")
    rng = np.random.default_rng(2)
    shared = rng.normal(0, 1, len(rows))
    for network, signal in zip(NETWORKS, (0.3, 1.5), strict=True):
        finish(plan_of(plan, network), examples, rows, signal * (2 * examples.male[rows] - 1) + shared)
    found = compared(plan, NETWORKS, examples, cache)
    assert found.waiting == ()
    table = found.networks.set_index("network")
    assert set(table["compared_with"]) == {"xception"}
    worse = table.loc["mobilenet"]
    assert worse["auc_difference"] == pytest.approx(worse["auc_patient"] - table.loc["xception", "auc_patient"])
    assert worse["auc_difference_low"] < worse["auc_difference"] < worse["auc_difference_high"] < 0
    assert np.isnan(table.loc["xception", "auc_difference"])
    assert "2 epochs from random weights on 200 photographs" in worse["note"]
    women = found.groups.query("network == 'xception' and level_name == 'women'").iloc[0]
    assert (women["state"], women["n_male"]) == ("measured", 0)
    assert (tmp_path / "comparison.csv").is_file()

    other = TrainingPlan(weights=None, out=tmp_path, seed=9)
    with pytest.raises(StudyError, match=r"holds a network of another recipe \(differs in seed\)"):
        finished_row(plan_of(other, NETWORKS[0]), examples, cache)
    with pytest.raises(StudyError, match="is about other photographs than the test part"):
        stored_logits(plan_of(plan, NETWORKS[0]).out, examples, rows[1:])


def test_who_is_not_trained_waits(tmp_path: Path) -> None:
    """Nothing finished gives empty tables and names who is waiting; a test part of one sex is refused."""
    examples, cache = material()
    plan = TrainingPlan(weights=None, out=tmp_path)
    found = compared(plan, NETWORKS, examples, cache)
    assert (len(found.networks), found.waiting) == (0, ("mobilenet", "xception"))
    assert finished_row(plan_of(plan, NETWORKS[0]), examples, cache) is None
    examples.male[:] = 1.0
    with pytest.raises(ModelError, match="the test part needs photographs of men and of women"):
        compared(plan, NETWORKS, examples, cache)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"views": "sideways"}, "--views 'sideways'"),
        ({"prepared_size": 40}, "--prepared 40: must be at least the last"),
    ],
)
def test_a_setting_of_a_comparison_that_cannot_be_is_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    """The option and the value are named before anything is read."""
    tables = TrainingTables(images=tmp_path / "no.csv", persons=tmp_path / "no.csv")
    recipe = {"phases": "75x2", "views": "as_taken", "out": tmp_path, "learning_rate": 1e-3, "seed": 1}
    with pytest.raises(StudyError, match=message):
        run_comparison(tables=tables, networks=(), weights=(), recipe=recipe | changes, cache=None)


def test_a_network_too_steep_for_another_runtime_is_measured_on_keras(tmp_path: Path) -> None:
    """Golden outputs that OpenVINO misses by its rounding leave Keras, whose outputs they are; its name is kept."""
    from sexstrat.models import GoldenOutput, Head, ModelCard, build, publish, read_card, write_card
    from sexstrat.training.candidate_run import _loaded

    card = ModelCard(
        model_id="steep", title="Steep", weights_file="steep.npz", weights_sha256="0" * 64, backbone="mobilenet",
        input_size=32, prepared_size=32, scaling="tf", channel_order="RGB", output_kind="logit", class_order=("male",),
        views="as_taken", training_ages=(0.0, 99.0), terms="none", golden=(GoldenOutput(seed=1, prob_male=0.5),),
    )  # fmt: skip
    network = build("mobilenet", (Head(name="sex", units=1),), 32)
    rng = np.random.default_rng(3)
    for weight in network.trainable_weights:
        if len(weight.shape) > 1:
            fan_in = 9 if "_dw_" in weight.path else int(np.prod(weight.shape[:-1]))
            weight.assign(rng.normal(0, np.sqrt(2 / fan_in), weight.shape))
    publish(network, card, tmp_path)
    assert _loaded(tmp_path).runtime == "openvino"
    exact = [float(value) for value in _keras_values(tmp_path)]
    assert all(0.001 < value < 0.999 for value in exact)
    steep = replace(
        read_card(tmp_path / "card.json"),
        golden=tuple(GoldenOutput(seed=seed, prob_male=value) for seed, value in enumerate(exact, start=1)),
        golden_tolerance=0.0,
    )
    write_card(steep, tmp_path / "card.json")
    assert _loaded(tmp_path).runtime == "keras"


def _keras_values(folder: Path) -> np.ndarray:
    from sexstrat.models import golden_input, load_model

    return load_model(folder).predict(np.stack([golden_input(seed, 32) for seed in (1, 2, 3, 4)]))
