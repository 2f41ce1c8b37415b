"""One network of a comparison: train it, publish it, measure the published file, and keep what was found."""

from __future__ import annotations

import csv
import json
import logging
import os
import platform
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import ModelError, StudyError
from sexstrat.models import LoadedModel, default_runtime, load_model
from sexstrat.models.weights import file_sha256, stored_shapes
from sexstrat.training.candidates import Candidate
from sexstrat.training.examples import Examples
from sexstrat.training.pixel_cache import PixelCache
from sexstrat.training.plan import TrainingPlan
from sexstrat.training.publication import CardTexts, publish_result
from sexstrat.training.train import TrainingResult, part_rows, train

__all__ = ["ROW_FILE", "SCORES_FILE", "finished_row", "plan_of", "run_candidate", "stored_logits"]

_logger = logging.getLogger(__name__)
ROW_FILE, SCORES_FILE = "row.json", "held_out.csv"
_WARM_UP = 16  # photographs scored before the clock starts


def plan_of(plan: TrainingPlan, candidate: Candidate) -> TrainingPlan:
    """Return the comparison's recipe for one network, in a folder of its own.

    Parameters
    ----------
    plan : the recipe that all share; ``out`` is the comparison's folder.
    candidate : the network.

    Examples
    --------
    >>> shared = TrainingPlan(weights=None, out=Path("all"))
    >>> plan_of(shared, Candidate(backbone="xception")).out.as_posix()
    'all/networks/xception'
    """
    folder = plan.out / "networks" / candidate.name
    return replace(plan, backbone=candidate.backbone, weights=candidate.weights, out=folder)


def finished_row(plan: TrainingPlan, examples: Examples, cache: PixelCache) -> dict[str, Any] | None:
    """Return what an earlier run found of a network, or None where it has not finished.

    Parameters
    ----------
    plan : the network's recipe.
    examples : photographs with labels.
    cache : their prepared crops.

    Raises
    ------
    StudyError
        The folder holds a network of another recipe or of other labels.
    """
    place = plan.out / ROW_FILE
    if not place.is_file():
        return None
    stored: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    wanted = json.loads(json.dumps(_identity(plan, examples, part_rows(examples, cache, plan.split))))
    changed = sorted(key for key in wanted if stored["recipe"].get(key) != wanted[key])
    if changed:
        raise StudyError(
            f"{plan.out} holds a network of another recipe (differs in {', '.join(changed)}); "
            "give another --out, or delete that folder to train it again"
        )
    row: dict[str, Any] = stored["row"]
    return row


def run_candidate(plan: TrainingPlan, examples: Examples, cache: PixelCache) -> dict[str, Any]:
    """Train one network, publish it, and score the test part by the published file; an interrupted run goes on.

    Parameters
    ----------
    plan : the network's recipe, its folder included.
    examples : photographs with labels.
    cache : their prepared crops, of the plan's prepared size.

    Returns
    -------
    How the network was trained, and its size and speed; the scores lie beside it in the plan's folder.

    Raises
    ------
    ModelError
        Weights, recipe or crops do not fit, a part lacks one of the sexes, or the published file does not give what
        the trained network gave.
    """
    result = train(plan, examples, cache)
    name = plan.out.name
    texts = CardTexts(model_id=name, title=f"{plan.backbone} of a comparison", terms="not stated by its maker")
    card = publish_result(result, examples, (), texts, plan.out / "model")
    file = plan.out / "model" / card.weights_file
    loaded = _loaded(plan.out / "model")
    rows = result.rows["test"]
    logits, speed = _timed_logits(loaded, cache, examples, rows)
    _write_scores(plan.out / SCORES_FILE, examples, rows, logits)
    row = _trained(result, examples) | {
        "parameters": sum(int(np.prod(shape)) for shape in stored_shapes(file).values()),
        "file_bytes": file.stat().st_size,
        "images_per_second": round(speed, 1),
        "runtime": f"{loaded.runtime}, {loaded.precision}",
        "machine": _machine(),
        "model_sha256": card.weights_sha256,
    }
    stored = {"row": row, "recipe": _identity(plan, examples, result.rows)}
    partial = plan.out / "row.partial"
    partial.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    partial.replace(plan.out / ROW_FILE)
    return row


def stored_logits(folder: Path, examples: Examples, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Read the logits that a finished network gave the test part.

    Parameters
    ----------
    folder : the network's folder.
    examples : photographs with labels.
    rows : the test part.

    Returns
    -------
    One logit a row.

    Raises
    ------
    StudyError
        The file is missing, or its photographs are not those of the test part.
    """
    place = folder / SCORES_FILE
    try:
        with place.open(newline="", encoding="utf-8") as file:
            lines = list(csv.reader(file))[1:]
    except OSError as err:
        raise StudyError(f"the scores {place} of a finished network cannot be read: {err}") from err
    if [line[0] for line in lines] != examples.image_id[rows].tolist():
        raise StudyError(f"{place} is about other photographs than the test part; delete its folder to train again")
    return np.array([float(line[1]) for line in lines])


def _write_scores(place: Path, examples: Examples, rows: NDArray[np.int64], logits: NDArray[np.float64]) -> None:
    with place.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image_id", "logit_male"])
        writer.writerows(zip(examples.image_id[rows].tolist(), map(repr, logits.tolist()), strict=True))


def _loaded(folder: Path) -> LoadedModel:
    """Load a published network on the fastest runtime that gives its golden outputs.

    A network of little training can be so steep on the golden patterns that the rounding of another runtime shows;
    it is then measured on Keras, which the row's ``runtime`` tells.
    """
    runtime = default_runtime()
    if runtime != "keras":
        try:
            return load_model(folder, runtime=runtime)
        except ModelError as err:
            _logger.info("%s; measured on keras instead", err)
    return load_model(folder)


def _timed_logits(
    loaded: LoadedModel, cache: PixelCache, examples: Examples, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], float]:
    """Return the logits of the rows and how many prepared photographs a second gave them."""
    pixels, eyes = np.ascontiguousarray(cache.pixels[rows]), examples.eye[rows].tolist()
    loaded.logits(pixels[:_WARM_UP], eyes[:_WARM_UP])
    start = time.perf_counter()
    logits = loaded.logits(pixels, eyes)
    return logits, len(rows) / (time.perf_counter() - start)


def _identity(plan: TrainingPlan, examples: Examples, rows: dict[str, NDArray[np.int64]]) -> dict[str, Any]:
    """Return all that decides what a row of the table says."""
    start = None if plan.weights is None else file_sha256(plan.weights)
    return plan.recipe() | {"start_sha256": start, "learned_from": examples.digest(*rows.values())}


def _trained(result: TrainingResult, examples: Examples) -> dict[str, Any]:
    plan, progress, rows = result.plan, result.progress, result.rows
    return {
        "network": plan.out.name,
        "backbone": plan.backbone,
        "start": "random" if plan.weights is None else "file",
        "start_sha256": None if plan.weights is None else file_sha256(plan.weights),
        "phases": ",".join(f"{size}x{epochs}" for size, epochs in plan.phases),
        "input_size": plan.input_size,
        "epochs": len(progress.log),
        "kept_epoch": progress.kept_epoch,
        "batch_size": plan.batch_size,
        "learning_rate": plan.learning_rate,
        "seed": plan.seed,
        "train_seconds": round(sum(entry["seconds"] for entry in progress.log), 1),
        "n_train_images": len(rows["train"]),
        "n_train_patients": len(np.unique(examples.patient_id[rows["train"]])),
    }


def _machine() -> str:
    """Name the processor; its load tells how far a speed may be trusted."""
    count = os.cpu_count() or 1
    try:
        from sexstrat.models.openvino_runtime import import_openvino

        name = str(import_openvino().Core().get_property("CPU", "FULL_DEVICE_NAME"))
    except (ImportError, RuntimeError, ValueError):
        name = platform.processor() or platform.machine()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{name}, {count} processor{'s' if count > 1 else ''}{load}"
