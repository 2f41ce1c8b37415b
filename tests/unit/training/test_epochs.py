"""Epochs: the learning rate follows its plan, the best epoch's averaged weights are kept, a run stops in time."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sexstrat.cli.meter import training_shown
from sexstrat.training import TrainingPlan
from sexstrat.training.epochs import Progress, make_optimizer, run_epochs
from sexstrat.training.told import Step, Told, step_teller


def plan_for(folder: Path, **changes: Any) -> TrainingPlan:
    return replace(TrainingPlan(weights=folder / "none.h5", out=folder / "run", learning_rate=0.1), **changes)


def line() -> Any:
    """Return y = kernel x + bias, to be fitted."""
    import keras

    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    network.set_weights([np.array([[1.0]], np.float32), np.array([1.0], np.float32)])
    return network


def batches(steps: int) -> Callable[[int], Any]:
    """Return what feeds the same batch (x = 1, y = 5) as often as told, each epoch."""
    import keras

    class Same(keras.utils.PyDataset):  # type: ignore[misc]
        def __len__(self) -> int:
            return steps

        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            return np.ones((2, 1), np.float32), np.full((2, 1), 5.0, np.float32)

    return lambda epoch: Same()


def run(plan: TrainingPlan, found: list[float], steps: int = 4) -> tuple[Progress, list[list[np.ndarray]], Any]:
    """Run with validation AUCs as given; return the progress, the weights validated and the network."""
    network = line()
    optimizer = make_optimizer(plan, steps)
    network.compile(optimizer=optimizer, loss="mse")
    optimizer.build(network.trainable_variables)
    seen: list[list[np.ndarray]] = []

    def validate(epoch: int) -> float:
        seen.append(network.get_weights())
        return found[epoch]

    return run_epochs(plan, network, batches(steps), validate, learned_from="these"), seen, network


def test_the_rate_warms_up_and_falls_along_a_cosine(tmp_path: Path) -> None:
    """One epoch of ten steps up to 0.1, half of it midway through the other twenty, nothing at the end."""
    optimizer = make_optimizer(plan_for(tmp_path, phases=((32, 3),)), 10)
    rates = []
    for step in (0, 10, 20, 30):
        optimizer.iterations.assign(step)
        rates.append(float(np.asarray(optimizer.learning_rate)))
    assert rates == pytest.approx([0.001, 0.1, 0.05, 0.0], abs=1e-7)


def test_weights_decay_and_biases_do_not(tmp_path: Path) -> None:
    """With no gradient at rate 0.1, a decay of 0.05 takes 0.5 % off a weight and nothing off a bias."""
    network = line()
    optimizer = make_optimizer(plan_for(tmp_path, phases=((32, 3),)), 10)
    optimizer.build(network.trainable_variables)
    optimizer.iterations.assign(10)
    optimizer.apply([np.zeros_like(weight) for weight in network.get_weights()], network.trainable_variables)
    kernel, bias = network.get_weights()
    assert (kernel.item(), bias.item()) == (pytest.approx(0.995), 1.0)


def test_the_best_epoch_is_kept_and_not_the_last(tmp_path: Path) -> None:
    """Of AUCs 0.6, 0.8 and 0.7 the second epoch's averaged weights are kept, exactly as they were validated."""
    progress, seen, network = run(plan_for(tmp_path, phases=((32, 3),)), [0.6, 0.8, 0.7])
    assert progress.kept_epoch == 2
    assert [row["validation_auc"] for row in progress.log] == [0.6, 0.8, 0.7]
    assert all((kept == then).all() for kept, then in zip(progress.weights, seen[1], strict=True))
    assert any((kept != now).any() for kept, now in zip(progress.weights, network.get_weights(), strict=True))


def test_only_epochs_at_the_final_size_can_be_kept(tmp_path: Path) -> None:
    """A better AUC on smaller pictures does not count."""
    progress, _, _ = run(plan_for(tmp_path, phases=((32, 1), (64, 2))), [0.9, 0.6, 0.5])
    assert progress.kept_epoch == 2
    assert [row["size"] for row in progress.log] == [32, 64, 64]


def test_without_validation_the_last_epoch_is_kept(tmp_path: Path) -> None:
    """Nothing to compare: all epochs run and the last one stays."""
    progress, seen, _ = run(plan_for(tmp_path, phases=((32, 2),), patience=1), [float("nan")] * 2)
    assert progress.kept_epoch == 2
    assert all((kept == then).all() for kept, then in zip(progress.weights, seen[1], strict=True))


def test_a_run_that_gains_nothing_stops(tmp_path: Path) -> None:
    """With a patience of one, the epoch after the best is the last of five."""
    progress, _, _ = run(plan_for(tmp_path, phases=((32, 5),), patience=1), [0.6, 0.8, 0.7, 0.9, 0.9])
    assert (len(progress.log), progress.kept_epoch) == (3, 2)


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
def test_few_batches_an_epoch_are_learned_from_too(tmp_path: Path, steps: int) -> None:
    """The kept weights have moved towards the data, however short an epoch is."""
    progress, _, _ = run(plan_for(tmp_path, phases=((32, 4),), average_decay=0.5), [0.5, 0.6, 0.7, 0.8], steps)
    assert progress.weights[0].item() > 1.05


def test_every_batch_is_told_and_a_terminal_sees_a_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two epochs of four batches are eight steps; a bar shows network, epoch and loss; else lines only."""
    steps: list[Step] = []
    lines: list[str] = []
    with Told(lines.append, steps.append):
        run(plan_for(tmp_path, phases=((32, 2),)), [0.6, 0.7])
    assert [(step.done, step.total, step.epoch, step.epochs) for step in steps] == [
        (done, 8, 1 + (done > 4), 2) for done in range(1, 9)
    ]
    assert steps[0].loss > steps[-1].loss > 0
    assert len(lines) == 2
    with Told(lines.append):  # nobody looks at batches: none is made
        step_teller("mobilenet", 0, 1).on_train_batch_end(0, {"loss": 1.0})
    assert len(lines) == 2
    screen = io.StringIO()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with training_shown(print, terminal=True) as (tell, meter):
        assert meter is not None
        tell("[prepared] 8 of 8")
        for step in steps:
            meter(step)
        meter(replace(steps[0], network="xception"))
    assert "[prepared] 8 of 8" in screen.getvalue()
    assert "mobilenet, epoch 2 of 2" in screen.getvalue() or "xception, epoch 1 of 2" in screen.getvalue()
    assert "loss" in screen.getvalue()
    with training_shown(print, terminal=False) as told:
        assert told == (print, None)
