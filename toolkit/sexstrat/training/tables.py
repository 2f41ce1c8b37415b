"""Train from tables on disk: read and check them, prepare the crops once, fit or cross-fit, write what came out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from sexstrat.errors import Problem, SchemaError, StudyError
from sexstrat.models import CARD_NAME, ModelCard, load_model, write_card
from sexstrat.scores import column_breaches, list_images, typed_columns, value_breaches, write_scores
from sexstrat.training.crossfit import cross_fit
from sexstrat.training.evaluate import performance_rows
from sexstrat.training.examples import Examples, join_examples
from sexstrat.training.pixel_cache import PixelCache, cache_pixels
from sexstrat.training.plan import TrainingPlan
from sexstrat.training.publication import CardTexts, publish_result
from sexstrat.training.train import held_out_performance, train
from sexstrat.values.tables import table_schema

__all__ = ["TrainingTables", "cross_fit_tables", "measure_tables", "train_tables"]

_SCORED_AT_ONCE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingTables:
    """Where the labelled photographs are.

    Parameters
    ----------
    images : folder, or CSV/Parquet list of photographs with patient_id.
    persons : CSV of persons with recorded_sex in the contract's words.
    conditions : CSV of conditions about persons, or None.
    groups : CSV of patient_id, group for people known under several ids, or None.
    placeholder_ages : ages, in years, that mean "not entered"; these people are scored but not trained on.
    """

    images: Path
    persons: Path
    conditions: Path | None = None
    groups: Path | None = None
    placeholder_ages: tuple[float, ...] = ()

    def examples(self) -> Examples:
        """Read, check and join the tables: one row a photograph, in the order of the list.

        Raises
        ------
        SchemaError
            A table breaks its contract, or a photograph names no patient of the person table.
        """
        images = list_images(self.images)
        if images["patient_id"].isna().any():
            first = int(images["patient_id"].isna().to_numpy().argmax())
            raise SchemaError([_no_patient(self.images.name, first, int(images["patient_id"].isna().sum()))])
        groups = None if self.groups is None else _read_groups(self.groups)
        return join_examples(
            images,
            _read_table(self.persons, "person"),
            None if self.conditions is None else _read_table(self.conditions, "condition"),
            root=Path(),
            groups=groups,
            placeholder_ages=self.placeholder_ages,
        )


def cross_fit_tables(
    tables: TrainingTables, plan: TrainingPlan, *, folds: int, model_id: str, out: Path, cache: Path | None = None
) -> pd.DataFrame:
    """Score every photograph by a model that never saw its patient, and write the score table.

    Parameters
    ----------
    tables : the labelled photographs.
    plan : the recipe; ``freeze_to`` must name a layer.
    folds : number of folds, at least 2.
    model_id : prefix of the score table's ``model_id``.
    out : score table to write (.parquet or .csv).
    cache : folder of the prepared crops; the plan's own when None.

    Returns
    -------
    The score table, one row a photograph listed.

    Raises
    ------
    SchemaError, ModelError
        The tables or the recipe do not fit.
    """
    examples = tables.examples()
    scores = cross_fit(plan, examples, _crops(examples, plan, cache), folds, model_id=model_id)
    write_scores(scores, out)
    return scores


def train_tables(
    tables: TrainingTables, plan: TrainingPlan, texts: CardTexts, *, cache: Path | None = None, measured: bool = True
) -> ModelCard:
    """Fit one model, measure it once on its test part, and publish it into the plan's folder.

    Parameters
    ----------
    tables : the labelled photographs.
    plan : the recipe.
    texts : what its makers say of the model.
    cache : folder of the prepared crops; the plan's own when None.
    measured : False leaves the test part alone, and the card without figures: for a model that only teaches another.

    Returns
    -------
    The card as written to ``model/card.json`` in the plan's folder.

    Raises
    ------
    SchemaError, ModelError
        The tables or the recipe do not fit.
    """
    examples = tables.examples()
    crops = _crops(examples, plan, cache)
    result = train(plan, examples, crops)
    data = f"{tables.images.stem}, held-out test part"
    performance = held_out_performance(result, examples, crops, data=data) if measured else ()
    return publish_result(result, examples, performance, texts, plan.out / "model")


def measure_tables(
    tables: TrainingTables, model: Path | None, *, data: str, cache: Path | None = None, add_to_card: bool = False
) -> tuple[dict[str, Any], ...]:
    """Measure a published model on labelled photographs of people it never saw.

    Parameters
    ----------
    tables : the labelled photographs.
    model : the model's card or its folder; None is the shipped model.
    data : name of the data in the figures.
    cache : folder to keep the prepared crops in; None keeps none, as photographs are personal data.
    add_to_card : write the figures into the model's card, in place of earlier ones of the same name.

    Returns
    -------
    Rows as in a model card's ``performance``.

    Raises
    ------
    StudyError
        The shipped model's card was to be changed, or nobody of one sex can be measured.
    SchemaError, ModelError
        The tables or the model do not fit.
    """
    if add_to_card and model is None:
        raise StudyError("--add-to-card needs --model: the card of the shipped model is not changed")
    loaded, examples = load_model(model), tables.examples()
    with TemporaryDirectory() as passing:
        crops = cache_pixels(examples.path.tolist(), cache or Path(passing), loaded.card.prepared_size)
        rows = np.flatnonzero(examples.usable & crops.readable)
        if len(np.unique(examples.male[rows])) < 2:
            raise StudyError(f"{tables.images}: no readable photographs of men and of women with recorded sex")
        parts = [rows[start : start + _SCORED_AT_ONCE] for start in range(0, len(rows), _SCORED_AT_ONCE)]
        logits = np.concatenate([loaded.logits(crops.pixels[part], examples.eye[part].tolist()) for part in parts])
    found = performance_rows(examples, rows, logits, data=data)
    if add_to_card and model is not None:
        others = tuple(row for row in loaded.card.performance if row["data"] != data)
        write_card(replace(loaded.card, performance=others + found), model / CARD_NAME if model.is_dir() else model)
    return found


def _crops(examples: Examples, plan: TrainingPlan, cache: Path | None) -> PixelCache:
    return cache_pixels(examples.path.tolist(), cache or plan.out / "crops", plan.prepared_size)


def _read_table(path: Path, name: str) -> pd.DataFrame:
    """Read a CSV in the contract's own words, or say what is wrong with it."""
    schema = table_schema(name)
    frame = _read_csv(path)
    problems = column_breaches(list(frame.columns), schema, source=path.name)
    if name == "condition" and "present" in frame:
        frame["present"] = frame["present"].str.lower().map({"true": True, "1": True, "false": False, "0": False})
    problems += value_breaches(frame, schema, source=path.name)
    if problems:
        raise SchemaError(problems)
    return typed_columns(frame, schema)


def _read_groups(path: Path) -> dict[str, str]:
    frame = _read_csv(path)
    lacking = [name for name in ("patient_id", "group") if name not in frame.columns]
    if lacking:
        found = ", ".join(map(str, frame.columns))
        raise SchemaError(
            [
                Problem(
                    kind="missing_column", message="column is missing", source=path.name, column=name, allowed=found
                )
                for name in lacking
            ]
        )
    named = frame.dropna(subset=["patient_id", "group"])  # an empty group: nobody else's id is known for this person
    return dict(zip(named["patient_id"], named["group"], strict=True))


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype="str", keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    except FileNotFoundError:
        raise StudyError(f"table not found: {path}") from None
    except (OSError, ValueError) as err:
        raise StudyError(f"table {path} cannot be read as CSV: {err}") from err


def _no_patient(source: str, first: int, count: int) -> Problem:
    return Problem(
        kind="empty_value",
        message="a photograph to learn from needs its patient",
        source=source,
        row=first + 2,
        column="patient_id",
        allowed="the patient_id of a row in the person table",
        count=count,
    )
