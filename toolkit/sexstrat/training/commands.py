"""What ``sexstrat train`` does: turn plain settings into a recipe, train or cross-fit, say what came out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sexstrat.errors import StudyError
from sexstrat.models.backbones import BACKBONES
from sexstrat.models.views import VIEWS
from sexstrat.training.plan import TrainingPlan
from sexstrat.training.publication import CardTexts, read_card_texts
from sexstrat.training.split import SPLITS
from sexstrat.training.tables import TrainingTables, cross_fit_tables, measure_tables, train_tables
from sexstrat.training.targets import LEARNS
from sexstrat.training.told import Meter, Told

__all__ = ["check_split", "parse_phases", "run_measurement", "run_training"]

PRECISIONS = ("float32", "mixed_bfloat16")
_PLAIN = CardTexts(model_id="my-model", title="A model without a description", terms="not stated by its maker")


def parse_phases(text: str) -> tuple[tuple[int, int], ...]:
    """Read pixels and epochs of each phase.

    Parameters
    ----------
    text : ``160x4,224x8`` means 4 epochs at 160 pixels, then 8 at 224.

    Raises
    ------
    StudyError : not of that form, or an input below 32 pixels.

    Examples
    --------
    >>> parse_phases("160x4,224x8")
    ((160, 4), (224, 8))
    """
    try:
        phases = tuple((int(size), int(epochs)) for size, epochs in (part.split("x") for part in text.split(",")))
    except ValueError:
        phases = ()
    if not phases or any(size < 32 or epochs < 1 for size, epochs in phases):
        raise StudyError(f"--phases {text!r}: must be pixels x epochs, at least 32 pixels, for instance 160x4,224x8")
    return phases


def check_split(recipe: Mapping[str, Any]) -> None:
    """Refuse a split that there is not, as an option of the command line.

    Parameters
    ----------
    recipe : fields of :class:`TrainingPlan`.

    Raises
    ------
    StudyError : the split has no such name.

    Examples
    --------
    >>> check_split({"split": "stable"})
    """
    if recipe.get("split", SPLITS[0]) not in SPLITS:
        raise StudyError(f"--split {recipe['split']!r}: must be one of {', '.join(SPLITS)}")


def run_training(
    *,
    images: Path,
    persons: Path,
    conditions: Path | None,
    groups: Path | None,
    placeholder_ages: tuple[float, ...],
    about: Path | None,
    folds: int,
    cache: Path | None,
    recipe: Mapping[str, Any],
    measured: bool = True,
    tell: Callable[[str], None] = lambda text: None,
    meter: Meter | None = None,
) -> dict[str, Any]:
    """Train a model, or cross-fit it when ``folds`` is 2 or more.

    Parameters
    ----------
    images, persons, conditions, groups, placeholder_ages : as in :class:`TrainingTables`.
    about : texts of the card, or None.
    folds : 0 for one model; otherwise the number of folds.
    cache : folder of the prepared crops, or None for the run's own.
    recipe : fields of :class:`TrainingPlan`, phases as text; the last phase gives the input size.
    measured : measure the model on its test part; False for a model that will only teach another.
    tell : called with one line of progress at a time.
    meter : called after every batch with how far the fit is; None where nobody looks.

    Returns
    -------
    What came out, as plain values: score table or model card and its figures.

    Raises
    ------
    StudyError, SchemaError, ModelError
        A setting, a table or the weights do not fit.
    """
    if folds == 1:
        raise StudyError("--folds 1: one fold leaves nobody to learn from; allowed: 0 (one model), 2 or more")
    if recipe["backbone"] not in BACKBONES:
        raise StudyError(f"--backbone {recipe['backbone']!r}: no such backbone; allowed: {', '.join(BACKBONES)}")
    if recipe["views"] not in VIEWS:
        raise StudyError(f"--views {recipe['views']!r}: must be one of {', '.join(VIEWS)}")
    learns = recipe.get("learns", LEARNS)
    if "sex" not in learns or not set(learns) <= set(LEARNS):
        raise StudyError(f"--learn {', '.join(learns)}: sex must be among them; allowed: {', '.join(LEARNS)}")
    if recipe.get("precision", PRECISIONS[0]) not in PRECISIONS:
        raise StudyError(f"--precision {recipe['precision']!r}: must be one of {', '.join(PRECISIONS)}")
    check_split(recipe)
    phases = parse_phases(recipe["phases"])
    if recipe.get("prepared_size", phases[-1][0]) < phases[-1][0]:
        raise StudyError(
            f"--prepared {recipe['prepared_size']}: must be at least the last input, {phases[-1][0]} pixels"
        )
    plan = TrainingPlan(**{**recipe, "phases": phases, "input_size": phases[-1][0]})
    texts = _PLAIN if about is None else read_card_texts(about)
    tables = TrainingTables(
        images=images, persons=persons, conditions=conditions, groups=groups, placeholder_ages=placeholder_ages
    )
    with Told(tell, meter):
        if folds:
            scores = plan.out / "scores.parquet"
            frame = cross_fit_tables(tables, plan, folds=folds, model_id=texts.model_id, out=scores, cache=cache)
            n_ok = int((frame["status"] == "ok").sum())
            return {"scores": str(scores), "images": len(frame), "scored": n_ok, "folds": folds}
        card = train_tables(tables, plan, texts, cache=cache, measured=measured)
    return {"card": str(plan.out / "model" / "card.json"), "sha256": card.weights_sha256, **_overall(card.performance)}


def run_measurement(
    *,
    images: Path,
    persons: Path,
    conditions: Path | None,
    groups: Path | None,
    model: Path | None,
    data: str | None,
    cache: Path | None,
    add_to_card: bool,
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Measure a published model on labelled photographs.

    Parameters
    ----------
    images, persons, conditions, groups : as in :class:`TrainingTables`.
    model, cache, add_to_card : as in :func:`measure_tables`.
    data : name of the data in the figures; the list's file name when None.
    tell : called with one line of progress at a time.

    Returns
    -------
    The figures for all photographs together as plain values, and all ``performance`` rows.

    Raises
    ------
    StudyError, SchemaError, ModelError
        A setting, a table or the model does not fit.
    """
    tables = TrainingTables(images=images, persons=persons, conditions=conditions, groups=groups)
    with Told(tell):
        rows = measure_tables(tables, model, data=data or images.stem, cache=cache, add_to_card=add_to_card)
    return {**_overall(rows), "performance": list(rows)}


def _overall(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {
        f"{row['metric']} by {row['unit']}": f"{row['point']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
        for row in rows
        if row["group"] == "overall" and row["point"] is not None and row["low"] is not None
    }
