"""Publish a trained model: its card says what it learned from, what it is worth for whom, what it must not do."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import StudyError
from sexstrat.models import GoldenOutput, ModelCard, publish
from sexstrat.models.backbones import backbone
from sexstrat.training.examples import Examples
from sexstrat.training.train import TrainingResult

__all__ = ["CardTexts", "publish_result", "read_card_texts"]

_SPLIT_TEXTS = {
    "stable": "a fixed hash of the duplicate group",
    "stratified": "duplicate groups in random order within sex and ten-year age band, divided evenly",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CardTexts:
    """What only the people who train a model can say about it.

    Parameters
    ----------
    model_id : name written into every score row.
    title : one line for people.
    statement : the plain statement of what the model is worth.
    intended_use : what it may be used for.
    failure_modes : known ways in which it goes wrong.
    citation : what to cite.
    acknowledgement : sentence for publications.
    terms : conditions of use of the weights.
    source : where the photographs come from, how sex was recorded, known label errors.

    Examples
    --------
    >>> CardTexts(model_id="mine", title="My model", terms="research only").statement
    'Not described by its maker.'
    """

    model_id: str
    title: str
    terms: str
    statement: str = "Not described by its maker."
    intended_use: str = "Research on groups, never for decisions about a person."
    failure_modes: tuple[str, ...] = ()
    citation: tuple[str, ...] = ()
    acknowledgement: str = ""
    source: str = ""


def read_card_texts(path: Path) -> CardTexts:
    """Read the texts of a card from a TOML file.

    Parameters
    ----------
    path : the file; its keys are the fields of :class:`CardTexts`.

    Raises
    ------
    StudyError
        The file cannot be read, a key is unknown, lacking, or of another type; all are named.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as err:
        raise StudyError(f"card texts {path} cannot be read: {err}") from err
    known = {field.name: "list of texts" if "tuple" in str(field.type) else "text" for field in fields(CardTexts)}
    wrong = [f"{key}: no such key; allowed: {', '.join(known)}" for key in raw if key not in known]
    wrong += [f"{key}: required and missing" for key in ("model_id", "title", "terms") if key not in raw]
    wrong += [
        f"{key}: found {value!r}; allowed: a {known[key]}"
        for key, value in raw.items()
        if key in known and not _is_kind(value, known[key])
    ]
    if wrong:
        raise StudyError("\n  ".join([f"card texts {path.name}:", *wrong]))
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
    return CardTexts(**values)


def publish_result(
    result: TrainingResult,
    examples: Examples,
    performance: tuple[dict[str, Any], ...],
    texts: CardTexts,
    folder: Path,
) -> ModelCard:
    """Write weights, card and notice so that ``load_model`` accepts them.

    Parameters
    ----------
    result : the trained model.
    examples : photographs with labels.
    performance : figures on people the model never saw.
    texts : what its makers say of it.
    folder : where to write; made when missing.

    Returns
    -------
    The card as written, with digest and golden outputs.
    """
    written = publish(result.network, _card(result, examples, performance, texts), folder)
    (folder / "NOTICE.md").write_text(_notice(written), encoding="utf-8")
    return written


def _is_kind(value: Any, kind: str) -> bool:
    if kind == "text":
        return isinstance(value, str)
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _card(
    result: TrainingResult, examples: Examples, performance: tuple[dict[str, Any], ...], texts: CardTexts
) -> ModelCard:
    plan, entry = result.plan, backbone(result.plan.backbone)
    ages = examples.age_years[np.concatenate([result.rows["train"], result.rows["validation"]])]
    return ModelCard(
        model_id=texts.model_id,
        title=texts.title,
        weights_file=f"{texts.model_id}.npz",
        weights_sha256="0" * 64,
        backbone=plan.backbone,
        input_size=plan.input_size,
        prepared_size=plan.prepared_size,
        scaling=entry.scaling,
        channel_order=entry.channel_order,
        output_kind="logit",
        class_order=("male",),
        views=plan.views,
        training_ages=(float(np.nanmin(ages)), float(np.nanmax(ages))),
        training_data=_training_data(result, examples, texts),
        performance=performance,
        statement=texts.statement,
        intended_use=texts.intended_use,
        failure_modes=texts.failure_modes,
        citation=texts.citation,
        acknowledgement=texts.acknowledgement,
        terms=texts.terms,
        recipe=plan.recipe() | {"kept_epoch": result.progress.kept_epoch, "log": list(result.progress.log)},
        golden=(GoldenOutput(seed=1, prob_male=0.5),),
    )


def _training_data(result: TrainingResult, examples: Examples, texts: CardTexts) -> dict[str, Any]:
    return {
        "source": texts.source,
        "n_photographs_listed": len(examples),
        "parts": {name: _counts(examples, rows) for name, rows in result.rows.items()},
        "split": f"by person: {_SPLIT_TEXTS[result.plan.split]}; 20 % test, 10 % validation, 70 % training",
        "left_out": f"{int((~examples.usable).sum())} photographs: placeholder age, or recorded sex not male or female",
        "unit": "patient ids; people known under several ids are kept in one part",
    }


def _counts(examples: Examples, rows: NDArray[np.int64]) -> dict[str, int]:
    _, first = np.unique(examples.patient_id[rows], return_index=True)
    male = examples.male[rows][first]
    counts = {"n_photographs": len(rows), "n_patients": len(first)}
    return counts | {"n_men": int((male == 1).sum()), "n_women": int((male == 0).sum())}


def _notice(card: ModelCard) -> str:
    cited = "\n".join(f"- {text}" for text in card.citation)
    return (
        f"# Notice for the weights `{card.weights_file}`\n\n{card.statement}\n\n"
        f"**Terms.** {card.terms}\n\n**Acknowledgement.** {card.acknowledgement}\n\n**Cite.**\n\n{cited}\n\n"
        f"SHA-256 `{card.weights_sha256}`. The network is rebuilt from code; the file holds half-precision arrays "
        "and no code. Everything else about the model is in `card.json` beside this notice.\n"
    )
