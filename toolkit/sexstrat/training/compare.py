"""Compare networks trained by one recipe on the same people: one network at a time, its row written when it is done."""

from __future__ import annotations

import gc
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.audit import Measurement, auc_difference
from sexstrat.errors import ModelError
from sexstrat.models.backbones import backbone
from sexstrat.scores import typed_columns
from sexstrat.training.candidate_run import finished_row, plan_of, run_candidate, stored_logits
from sexstrat.training.candidates import Candidate
from sexstrat.training.examples import Examples
from sexstrat.training.held_out_figures import group_rows, overall_figures
from sexstrat.training.patient_auc import patient_means
from sexstrat.training.pixel_cache import PixelCache
from sexstrat.training.plan import TrainingPlan
from sexstrat.training.train import part_rows
from sexstrat.values.shown import Shown
from sexstrat.values.tables import table_schema

__all__ = ["Comparison", "compare", "compared"]

_logger = logging.getLogger(__name__)
_LEVEL = 0.95
_USUAL_EPOCHS = 90  # of training from random weights: He et al. 2016, CVPR, and most since
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison(Shown):
    """What is known so far of the networks.

    Parameters
    ----------
    networks : the ``comparison`` table, one row a finished network.
    groups : the ``comparison_group`` table.
    waiting : networks that have not been trained yet.
    """

    networks: pd.DataFrame
    groups: pd.DataFrame
    waiting: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the ``comparison`` table."""
        return self.networks.copy()


def compare(
    plan: TrainingPlan, networks: Sequence[Candidate], examples: Examples, cache: PixelCache, *, at_most: int | None
) -> Comparison:
    """Train, publish and measure each network in turn; what an earlier call has finished is not done again.

    Both tables are written anew after every network, so that a run that is killed leaves the rows it had.

    Parameters
    ----------
    plan : the recipe that all share; backbone, start and folder are each network's own.
    networks : the networks, in the order they are to be trained.
    examples : photographs with labels.
    cache : their prepared crops.
    at_most : networks to train in this call; None trains all.

    Returns
    -------
    The tables as written to ``comparison.csv`` and ``comparison_group.csv`` in the plan's folder.

    Raises
    ------
    StudyError
        The folder holds networks of another recipe.
    ModelError
        Recipe or crops do not fit, or the test part lacks men or women.
    """
    import keras

    found = compared(plan, networks, examples, cache)
    for network in [one for one in networks if one.name in found.waiting][:at_most]:
        _logger.info("%s: training begins", network.name)
        row = run_candidate(plan_of(plan, network), examples, cache)
        keras.backend.clear_session()
        gc.collect()
        found = compared(plan, networks, examples, cache)
        done = found.networks.set_index("network").loc[network.name]
        _logger.info(
            "%s: patient-level AUC %.3f, %s bytes, %s s; %d of %d networks done", network.name, done["auc_patient"],
            f"{row['file_bytes']:,}", f"{row['train_seconds']:,}", len(found.networks), len(networks),
        )  # fmt: skip
    return found


def compared(plan: TrainingPlan, networks: Sequence[Candidate], examples: Examples, cache: PixelCache) -> Comparison:
    """Measure the networks that are finished, compare each with the best of them, and write both tables.

    Parameters
    ----------
    plan, networks, examples, cache : as in :func:`compare`.

    Returns
    -------
    The tables and who is waiting.

    Raises
    ------
    StudyError
        The folder holds networks of another recipe.
    ModelError
        The test part lacks men or women.
    """
    rows = part_rows(examples, cache, plan.split)["test"]
    if len(np.unique(examples.male[rows])) < 2:
        raise ModelError(f"the test part needs photographs of men and of women; it has {len(rows)} in all")
    stored = {one.name: finished_row(plan_of(plan, one), examples, cache) for one in networks}
    finished = {name: row for name, row in stored.items() if row is not None}
    logits = {name: stored_logits(plan.out / "networks" / name, examples, rows) for name in finished}
    table = _network_table(finished, logits, examples, rows)
    groups = [row for name in finished for row in group_rows(examples, rows, logits[name], network=name)]
    result = Comparison(
        networks=table,
        groups=_typed(groups, "comparison_group"),
        waiting=tuple(name for name, row in stored.items() if row is None),
    )
    plan.out.mkdir(parents=True, exist_ok=True)
    _write(result.networks, plan.out / "comparison.csv")
    _write(result.groups, plan.out / "comparison_group.csv")
    return result


def _network_table(
    finished: Mapping[str, Mapping[str, Any]], logits: Mapping[str, Floats], examples: Examples, rows: Rows
) -> pd.DataFrame:
    figures = {name: overall_figures(examples, rows, logits[name]) for name in finished}
    measured = {name: found["auc_patient"].point for name, found in figures.items()}
    best = max(measured, key=lambda name: (measured[name] is not None, measured[name] or 0.0)) if measured else ""
    _, first, _ = patient_means(np.zeros(len(rows)), examples.patient_id[rows])
    male = examples.male[rows][first] == 1
    counts = {
        "n_patients": len(first),
        "n_images": len(rows),
        "n_men": int(male.sum()),
        "n_women": int((~male).sum()),
        "level": _LEVEL,
    }
    lines = []
    for name, trained in finished.items():
        every = dict(figures[name])
        if name != best:
            every["auc_difference"] = _difference(examples, rows, logits[name], logits[best])
        lines.append({**trained, **counts, **_columns(every), "compared_with": best, "note": _note(trained, every)})
    return _typed(lines, "comparison")


def _difference(examples: Examples, rows: Rows, own: Floats, best: Floats) -> Measurement:
    _, first, means = patient_means(own, examples.patient_id[rows])
    _, _, of_best = patient_means(best, examples.patient_id[rows])
    people = rows[first]
    return auc_difference(means, of_best, examples.male[people] == 1, examples.group[people], level=_LEVEL)


def _columns(figures: Mapping[str, Measurement]) -> dict[str, float | None]:
    return {
        f"{name}{ending}": getattr(found, part)
        for name, found in figures.items()
        for ending, part in (("", "point"), ("_low", "low"), ("_high", "high"))
    }


def _note(trained: Mapping[str, Any], figures: Mapping[str, Measurement]) -> str:
    """Say what the training was too little for, and of every figure that is empty what state it is in and why."""
    native = backbone(trained["backbone"]).native_size
    limits = [f"pictures of {trained['input_size']} pixels, made for {native}"] * (trained["input_size"] < native)
    if trained["start"] == "random" and trained["epochs"] < _USUAL_EPOCHS:
        limits.append(f"{trained['epochs']} epochs from random weights on {trained['n_train_images']:,} photographs")
    told = [f"{' and '.join(limits)}: at this budget the row says little of what the network can do"] if limits else []
    told += [f"{name} is {found.state}: {found.note}" for name, found in figures.items() if found.state != "measured"]
    return "; ".join(told)


def _typed(rows: Sequence[Mapping[str, Any]], table: str) -> pd.DataFrame:
    schema = table_schema(table)
    return typed_columns(pd.DataFrame(list(rows), columns=schema.columns), schema)


def _write(table: pd.DataFrame, place: Path) -> None:
    partial = place.with_suffix(".partial")
    table.to_csv(partial, index=False, lineterminator="\n")
    partial.replace(place)
