"""Draft a card for a weights file: what the file tells is read, what it does not tell is asked, nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sexstrat.errors import ModelError
from sexstrat.models.architecture import POOLINGS, Architecture, HeadLayer
from sexstrat.models.backbones import BACKBONES
from sexstrat.models.card import GoldenOutput, ModelCard
from sexstrat.models.golden import golden_input
from sexstrat.models.layer_kinds import ACTIVATIONS
from sexstrat.models.load import load_unchecked
from sexstrat.models.loaded_model import LoadedModel
from sexstrat.models.model_files import FileContents, file_contents
from sexstrat.models.scaling import SCALINGS
from sexstrat.models.weights import weights_sha256

__all__ = ["Question", "draft_card", "open_questions"]

_GOLDEN_CANDIDATES = 12
_GOLDEN_ROWS = 4
_YEARS_TOLERANCE = 0.01
_KINDS = {("sigmoid", 1): "sigmoid", ("softmax", 2): "softmax"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something that a weights file does not tell.

    Parameters
    ----------
    name : key of the answer, also the name of the command's option.
    text : the question.
    allowed : what may be answered.
    """

    name: str
    text: str
    allowed: str


def open_questions(contents: FileContents, answers: Mapping[str, Any]) -> list[Question]:
    """List what must still be told before a card can be written.

    Parameters
    ----------
    contents : what the file tells.
    answers : what was told so far, by name of the question.

    Returns
    -------
    The questions without an answer.

    Examples
    --------
    >>> told = FileContents(format="h5", backbone="xception", has_configuration=True, input_size=299, units=1,
    ...                     output_activation="sigmoid")
    >>> [question.name for question in open_questions(told, {"scaling": "tf", "terms": "none"})]
    ['model_id', 'title', 'channel_order', 'class_order', 'training_ages']
    """  # fmt: skip
    kind = _output_kind(contents, answers)
    asked = [
        Question(name="model_id", text="Name written into every score row", allowed="small letters, digits, . _ -"),
        Question(name="title", text="One line for people", allowed="text"),
        Question(name="backbone", text="Which backbone is it", allowed=", ".join(BACKBONES)),
        Question(name="input_size", text="Side of the network's input in pixels", allowed="32 to 1024"),
        Question(
            name="scaling",
            text="What was done to the pixels in training",
            allowed="tf (x/127.5 - 1), torch (ImageNet mean and deviation), raw (0 to 255), unit (x/255)",
        ),
        Question(name="channel_order", text="Order of the colour channels in training", allowed="RGB, BGR"),
        Question(name="output_kind", text="What the output is", allowed=_allowed_kinds(contents)),
        Question(
            name="class_order",
            text="Class of each output value, in order",
            allowed="male or female for one value; female,male or male,female for two",
        ),
        Question(name="training_ages", text="Youngest and oldest age trained on", allowed="two numbers, such as 17,94"),
        Question(name="terms", text="Conditions of use of the weights", allowed="text"),
    ]
    told = {"backbone": contents.backbone, "input_size": contents.input_size, "output_kind": kind} | dict(answers)
    if kind == "age_years":
        told["class_order"] = ()
    return [question for question in (*asked, *_questions_of_weights(contents)) if told.get(question.name) is None]


def _output_kind(contents: FileContents, answers: Mapping[str, Any]) -> str | None:
    told = answers.get("output_kind")
    return told or _KINDS.get((contents.output_activation or "", contents.units or 1))


def _allowed_kinds(contents: FileContents) -> str:
    if contents.output_activation == "linear":
        return "softmax" if contents.units == 2 else "logit, age_years"
    return "logit, sigmoid, softmax, age_years"


def _questions_of_weights(contents: FileContents) -> list[Question]:
    """A file of weights alone tells neither pooling nor activations."""
    if contents.has_configuration or contents.format == "npz":
        return []
    asked = [Question(name="pooling", text="How features become one vector", allowed=", ".join(POOLINGS))]
    if len(contents.dense_shapes) > 1:
        asked.append(
            Question(name="hidden_activation", text="Activation of hidden dense layers", allowed=", ".join(ACTIVATIONS))
        )
    if (contents.backbone or "").startswith("efficientnet"):
        asked.append(
            Question(name="imagenet_rescaling", text="Was it made with weights='imagenet'", allowed="true, false")
        )
    return asked


def draft_card(
    weights: str | Path,
    answers: Mapping[str, Any],
    *,
    golden: Sequence[GoldenOutput] = (),
    trust: bool = False,
) -> ModelCard:
    """Write down what a weights file is, and what it gives for synthetic inputs.

    Parameters
    ----------
    weights : the file.
    answers : what the file does not tell, by name of the question, and any other field of a card.
    golden : outputs that the model's maker got for golden inputs; compared with those found here.
    trust : whether the maker of a SavedModel is trusted.

    Returns
    -------
    The card, with the digest and golden outputs of this file.

    Raises
    ------
    ModelError
        A question is open, an answer contradicts the file, or the maker's golden outputs are not found.
    """
    place = Path(weights)
    contents = file_contents(place, trust=trust)
    missing = open_questions(contents, answers)
    if missing:
        listed = "; ".join(f"{question.name} ({question.text}? {question.allowed})" for question in missing)
        raise ModelError(f"{weights} does not tell, and nothing is guessed: {listed}")
    card = _first_draft(place, contents, answers)
    model = load_unchecked(card, place, trust=trust)
    if golden:
        _compare(model, golden)
    return replace(card, golden=_chosen_golden(model))


def _first_draft(place: Path, contents: FileContents, answers: Mapping[str, Any]) -> ModelCard:
    if answers["scaling"] not in SCALINGS:
        raise ModelError(f"scaling is {answers['scaling']!r}; allowed: {', '.join(SCALINGS)}")
    kind = str(_output_kind(contents, answers))
    age = kind == "age_years"
    size = int(answers.get("input_size") or contents.input_size or 0)
    notes = {"pooling", "hidden_activation", "imagenet_rescaling"}
    given = {name: value for name, value in answers.items() if value is not None and name not in notes}
    found = {
        "weights_file": place.name,
        "weights_format": contents.format,
        "weights_sha256": weights_sha256(place),
        "backbone": contents.backbone,
        "input_size": size,
        "prepared_size": size,
        "output_kind": kind,
        "class_order": (),
        "positive_class": "none" if age else "male",
        "views": "as_taken",
        "golden": (GoldenOutput(seed=1, age_years=0.0) if age else GoldenOutput(seed=1, prob_male=0.5),),
        "golden_tolerance": _YEARS_TOLERANCE if age else 1e-4,
        "architecture": _architecture(contents, answers),
    }
    return ModelCard(**(found | given))


def _architecture(contents: FileContents, answers: Mapping[str, Any]) -> Architecture | None:
    if contents.has_configuration or contents.format == "npz":
        return None
    *hidden, last = contents.dense_shapes or ((0, 1),)
    activation = str(answers.get("hidden_activation"))
    return Architecture(
        head=(
            *(HeadLayer(kind="dense", units=shape[1], activation=activation) for shape in hidden),
            HeadLayer(kind="dense", units=last[1]),
        ),
        pooling=str(answers["pooling"]),
        imagenet_rescaling=answers.get("imagenet_rescaling") in (True, "true"),
    )


def _chosen_golden(model: LoadedModel) -> tuple[GoldenOutput, ...]:
    """Take the inputs whose output is least extreme: a probability near 0 or 1 hides a wrong scaling."""
    seeds = range(1, _GOLDEN_CANDIDATES + 1)
    side = model.card.prepared_size
    found = np.concatenate([model.predict(golden_input(seed, side)[None]) for seed in seeds])
    age = model.card.output_kind == "age_years"
    order = np.argsort(np.abs(found - (np.median(found) if age else 0.5)), kind="stable")[:_GOLDEN_ROWS]
    name = "age_years" if age else "prob_male"
    return tuple(GoldenOutput(seed=seeds[i], **{name: round(float(found[i]), 7)}) for i in sorted(order))


def _compare(model: LoadedModel, golden: Sequence[GoldenOutput]) -> None:
    side = model.card.prepared_size
    for row in golden:
        found = float(model.predict(golden_input(row.seed, side)[None])[0])
        if abs(found - row.value) > model.card.golden_tolerance:
            raise ModelError(
                f"for golden input {row.seed} the file gives {found:.6f}; its maker got {row.value:.6f}. Scaling, "
                "channel order, input size or class order are not what they were in training"
            )
