"""The model card as the page prints it: what a reader must know first, the technical part folded away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sexstrat.reporting.card_performance import card_performance
from sexstrat.reporting.outline import Node, outline
from sexstrat.reporting.table_view import TableView

__all__ = ["ModelView", "model_view"]

_ELSEWHERE = frozenset({"name", "title", "statement", "citation", "acknowledgement"})
_TECHNICAL = frozenset(
    {
        "schema_version", "weights_file", "weights_sha256", "backbone", "input_size", "prepared_size", "scaling",
        "channel_order", "output_kind", "class_order", "positive_class", "views", "recipe", "golden",
        "golden_tolerance",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelView:
    """A model card ready for the page.

    Parameters
    ----------
    title, statement : its name, and what it says of itself.
    origin : whether the scores analysed here are this model's.
    performance : its table of performance, or None.
    card, technical : the rest, and what only who runs the model needs.
    """

    title: str
    statement: str
    origin: str
    performance: TableView | None
    card: tuple[Node, ...]
    technical: tuple[Node, ...]


def model_view(card: Mapping[str, Any] | None, provenance: Mapping[str, Any]) -> ModelView | None:
    """Return a model card for the page, or None without a card.

    Parameters
    ----------
    card : the card as plain values.
    provenance : its ``model_id`` names the model whose scores were analysed.

    Examples
    --------
    >>> view = model_view({"model_id": "m1", "terms": "research only", "scaling": "tf"}, {"model_id": "simulated"})
    >>> view.origin
    'The scores analysed on this page come from another source (simulated), not from this model.'
    >>> [node.label for node in view.card], [node.label for node in view.technical]
    (['Model ID', 'Terms'], ['Scaling'])
    """
    if not card:
        return None
    performance = card_performance(card.get("performance"))
    hidden = _ELSEWHERE | ({"performance"} if performance else set())
    shown = {str(key): value for key, value in card.items() if key not in hidden}
    if isinstance(shown.get("training_ages"), (list, tuple)):
        shown["training_ages"] = " to ".join(f"{age:g}" for age in shown["training_ages"])
    return ModelView(
        title=str(card.get("title") or card.get("name") or ""),
        statement=str(card.get("statement") or ""),
        origin=_origin(str(card.get("model_id") or ""), str(provenance.get("model_id") or "")),
        performance=performance,
        card=outline({key: value for key, value in shown.items() if key not in _TECHNICAL}),
        technical=outline({key: value for key, value in shown.items() if key in _TECHNICAL}),
    )


def _origin(card_id: str, scores_id: str) -> str:
    if not scores_id or not card_id:
        return ""
    if card_id == scores_id:
        return "It gave the scores that are analysed on this page."
    return f"The scores analysed on this page come from another source ({scores_id}), not from this model."
