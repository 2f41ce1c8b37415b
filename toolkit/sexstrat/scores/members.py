"""The models of a run: cards are read at once, networks are loaded when the first photograph needs one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, cast

from sexstrat.errors import ModelError, StudyError
from sexstrat.models import (
    LoadedModel,
    ModelCard,
    card_path_of,
    default_runtime,
    load_model,
    precision_named,
    read_card,
    shipped_card,
)
from sexstrat.scores.recipe import Recipe
from sexstrat.scores.scoring import Models, Scoring

__all__ = ["Member", "members_of"]


@dataclass(frozen=True, kw_only=True)
class Member:
    """One model of a run.

    Parameters
    ----------
    recipe : what decides its scores besides the photograph.
    load : loads it and checks that it is the one of the recipe.
    """

    recipe: Recipe
    load: Callable[[], LoadedModel]

    @cached_property
    def model(self) -> LoadedModel:
        """The loaded model; loaded once."""
        return self.load()


def members_of(scoring: Scoring) -> list[Member]:
    """Return the models of a run in the order of name and digest, so that their order on a command line is no matter.

    Parameters
    ----------
    scoring : the ways of scoring.

    Returns
    -------
    One member a model; the only one keeps its name, several make an ensemble.

    Raises
    ------
    StudyError
        The same weights are named twice, or some models estimate sex and others age.
    ModelError
        A card is missing or damaged.

    Examples
    --------
    >>> [member.recipe.model_id for member in members_of(Scoring())] == [shipped_card().model_id]
    True
    """
    members = sorted((_member(source, scoring) for source in scoring.models), key=_rank)
    digests = [member.recipe.model_sha256 for member in members]
    for member in members:
        if digests.count(member.recipe.model_sha256) > 1:
            name = member.recipe.model_id
            raise StudyError(f"the weights of {name} are named twice; an ensemble needs different models")
    if len({member.recipe.column for member in members}) > 1:
        raise StudyError("some of the models estimate sex and others age; score with one kind at a time")
    return members


def _rank(member: Member) -> tuple[str, str]:
    return member.recipe.model_id, member.recipe.model_sha256


def _member(source: Models, scoring: Scoring) -> Member:
    if isinstance(source, LoadedModel):
        card, runtime, precision = source.card, source.runtime, source.precision
    else:
        place = None if source is None else Path(source)
        card = shipped_card() if place is None else read_card(card_path_of(place))
        _check_trust(card, str(source), trusted=scoring.trust)
        runtime, precision = scoring.runtime or default_runtime(), precision_named(scoring.precision)
    changed = None if scoring.views in (None, card.views) else scoring.views
    recipe = Recipe.of(
        _looking(card, changed), runtime=runtime, precision=precision, decode=scoring.decode, views=changed
    )
    load = partial(
        _load,
        source,
        runtime=runtime,
        precision=precision,
        decode=scoring.decode,
        views=changed,
        trust=scoring.trust,
        expected=recipe.text,
    )
    return Member(recipe=recipe, load=load)


def _check_trust(card: ModelCard, source: str, *, trusted: bool) -> None:
    """Refuse a SavedModel whose maker nobody trusts before a photograph is read, even where rows are all there."""
    if card.weights_format == "saved_model" and not trusted:
        raise ModelError(
            f"{source}: the weights of {card.model_id} are a SavedModel, a folder of TensorFlow programs; its arrays "
            "are only read when you trust its maker (--trust, or trust=True)"
        )


def _looking(card: ModelCard, views: str | None) -> ModelCard:
    """Return the card with other views; None keeps its own."""
    return card if views is None else replace(card, views=cast(Any, views))


def _load(
    source: Models, *, runtime: str, precision: str, decode: str, views: str | None, trust: bool, expected: str
) -> LoadedModel:
    """Load a model here, or in another process, and make sure that it scores as the run's recipe says."""
    if isinstance(source, LoadedModel):
        model = source
    else:
        model = load_model(source, runtime=runtime, precision=precision, trust=trust)
    model = replace(model, card=_looking(model.card, views))
    found = Recipe.of(model.card, runtime=model.runtime, precision=model.precision, decode=decode, views=views)
    if found.text != expected:
        raise ModelError(
            f"the model {model.card.model_id} is another one than at the start of the run, or this process has "
            "another version of sexstrat; start again with one model and one version everywhere"
        )
    return model
