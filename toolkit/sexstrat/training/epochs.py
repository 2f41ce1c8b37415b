"""Run the epochs of a plan: averaged weights, early stopping, a checkpoint each, exact resume."""

from __future__ import annotations

import csv
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from sexstrat.training.plan import TrainingPlan
from sexstrat.training.running_average import RunningAverage
from sexstrat.training.told import step_teller

__all__ = ["CHECKPOINT", "SHARED_CHECKPOINT", "Progress", "make_optimizer", "run_epochs"]

CHECKPOINT = "checkpoint.npz"
SHARED_CHECKPOINT = "shared.npz"  # the state after the shared epochs, where further members go on
_logger = logging.getLogger(__name__)
Log = list[dict[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Progress:
    """What a finished run leaves.

    Parameters
    ----------
    weights : averaged weights of the kept epoch, in Keras order.
    log : one dictionary an epoch: epoch (from 1), size, loss, validation_auc, seconds.
    kept_epoch : the epoch whose weights are kept, from 1; 0 for the average of several members.
    """

    weights: list[NDArray[Any]]
    log: tuple[dict[str, float], ...]
    kept_epoch: int


def make_optimizer(plan: TrainingPlan, steps_per_epoch: int) -> Any:
    """Return AdamW with linear warm-up and cosine decay to zero at the plan's last step.

    Parameters
    ----------
    plan : gives peak rate, warm-up, decay and number of epochs.
    steps_per_epoch : batches an epoch.

    Returns
    -------
    A Keras optimizer.

    References
    ----------
    Loshchilov I, Hutter F. Decoupled weight decay regularization. ICLR 2019. arXiv 1711.05101.
    """
    import keras

    warm_up = max(1, round(plan.warm_up_epochs * steps_per_epoch))
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=plan.learning_rate / 100,
        decay_steps=max(1, plan.epochs * steps_per_epoch - warm_up),
        warmup_target=plan.learning_rate,
        warmup_steps=warm_up,
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=plan.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def run_epochs(
    plan: TrainingPlan,
    network: Any,
    feed: Callable[[int], Any],
    validate: Callable[[int], float],
    *,
    learned_from: str,
) -> Progress:
    """Train a compiled network for the plan's epochs, going on from its checkpoint where there is one.

    The kept epoch is the one with the highest validation AUC among those at the final input size; when
    ``validate`` returns nan (no validation part), it is the last.

    Parameters
    ----------
    plan : the recipe; checkpoints and ``log.csv`` go to its folder.
    network : compiled Keras model, its optimizer built.
    feed : gives the batches of an epoch counted from 0.
    validate : gives the validation AUC for an epoch, called with the averaged weights in place.
    learned_from : digest of the labels and rows; a checkpoint made from others is refused.

    Returns
    -------
    The kept weights and the log.

    Raises
    ------
    ModelError
        The folder holds a damaged checkpoint or one of another recipe.
    """
    plan.out.mkdir(parents=True, exist_ok=True)
    place, recipe = plan.out / CHECKPOINT, plan.recipe() | {"learned_from": learned_from}
    average = RunningAverage(network, plan.average_decay)
    log, best = _resume(load_checkpoint(place, recipe), network, average)
    for epoch in range(len(log), plan.epochs):
        if _stalled(log, plan):
            break
        start = time.monotonic()
        _seed_dropout(network, plan.seed_at(epoch), epoch)
        watchers = [average.callback(), step_teller(plan.backbone, epoch, plan.epochs)]
        history = network.fit(feed(epoch), epochs=1, verbose=0, shuffle=False, callbacks=watchers)
        with average.applied():
            auc = validate(epoch)
        entry = {"epoch": epoch + 1, "size": plan.size_at(epoch), "loss": round(history.history["loss"][-1], 5)}
        log.append(entry | {"validation_auc": round(auc, 5), "seconds": round(time.monotonic() - start, 1)})
        _logger.info("%s", log[-1])
        if _kept_epoch(log, plan) == epoch + 1:
            best = list(average.values)
        state = Checkpoint(
            recipe=recipe,
            log=log,
            updates=average.updates,
            model=network.get_weights(),
            optimizer=[np.asarray(variable) for variable in network.optimizer.variables],
            average=average.values,
            best=best,
        )
        save_checkpoint(place, state)
        if epoch + 1 == plan.shared_epochs:
            save_checkpoint(plan.out / SHARED_CHECKPOINT, state)
        _write_log(plan.out / "log.csv", log)
    return Progress(weights=best, log=tuple(log), kept_epoch=_kept_epoch(log, plan))


def _resume(state: Checkpoint | None, network: Any, average: RunningAverage) -> tuple[Log, list[NDArray[Any]]]:
    if state is None:
        return [], network.get_weights()
    network.set_weights(state.model)
    for variable, value in zip(network.optimizer.variables, state.optimizer, strict=True):
        variable.assign(value)
    average.restore(state.average, state.updates)
    return list(state.log), state.best


def _kept_epoch(log: Log, plan: TrainingPlan) -> int:
    """Return the best epoch at the final size, or the last one where none can be compared."""
    final = [row for row in log if row["size"] == plan.phases[-1][0]]
    comparable = [row for row in final if np.isfinite(row["validation_auc"])]
    if not comparable:
        return len(log)
    return int(max(comparable, key=lambda row: (row["validation_auc"], row["epoch"]))["epoch"])


def _stalled(log: Log, plan: TrainingPlan) -> bool:
    at_final_size = sum(row["size"] == plan.phases[-1][0] for row in log)
    return at_final_size > plan.patience and len(log) - _kept_epoch(log, plan) >= plan.patience


def _seed_dropout(network: Any, seed: int, epoch: int) -> None:
    """Set dropout's chance by seed and epoch, so that a resumed run drops what an unbroken one would."""
    for layer in network.layers:
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            generator.state.assign(np.array([seed % 2**31, epoch], dtype="uint32"))


def _write_log(path: Path, log: Log) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(log[0]))
        writer.writeheader()
        writer.writerows(log)
