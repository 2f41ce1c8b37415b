"""A model card for people, in Markdown: the items of TRIPOD+AI in their order; what nobody stated is said to be so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sexstrat.models.card import ModelCard

__all__ = ["card_markdown"]

_NOT_STATED = "Not stated by its maker."


def card_markdown(card: ModelCard) -> str:
    """Return a card as Markdown whose sections are the items of TRIPOD+AI.

    Parameters
    ----------
    card : the card.

    Returns
    -------
    The text; its numbers are those of the card alone.

    References
    ----------
    Collins GS, et al. TRIPOD+AI statement: updated guidance for reporting clinical prediction models that use
    regression or machine learning methods. BMJ 2024;385:e078378. Mitchell M, et al. Model cards. FAT* 2019.

    Examples
    --------
    >>> from sexstrat.models import shipped_card
    >>> text = card_markdown(shipped_card())
    >>> text.splitlines()[0] == f"# {shipped_card().title}", "## Limitations (TRIPOD+AI 26)" in text
    (True, True)
    """
    parts = [f"# {card.title}", card.statement or _NOT_STATED]
    for title, items, lines in _sections(card):
        parts.append(f"## {title} (TRIPOD+AI {items})")
        parts.append("\n".join(lines) or _NOT_STATED)
    return "\n\n".join(parts) + "\n"


def _sections(card: ModelCard) -> Iterator[tuple[str, str, list[str]]]:
    data = card.training_data
    age = card.output_kind == "age_years"
    youngest, oldest = card.training_ages
    yield "Purpose and intended use", "3, 4, 27", _texts([card.intended_use])
    yield "Sources of data", "5", _texts([data.get("source", "")])
    yield "Participants", "6, 20", [f"Trained on ages {youngest:g} to {oldest:g} years. {_left_out(data)}".strip()]
    yield "Cameras and fields", "6", _texts([data.get("cameras", "")])
    yield "Outcome", "8", [_outcome(age)]
    yield "Predictors and preparation", "7, 9", _preparation(card)
    yield "Sample size and parts", "10, 12, 20", _counts(data)
    yield "Missing data", "11", _texts([data.get("missing", "")])
    yield "Analysis, class imbalance and training", "12, 13, 21", _recipe(card.recipe)
    yield "Fairness and performance in groups", "14, 23", _performance(card.performance, overall=False)
    yield "Output and specification", "15, 22", _specification(card)
    yield "Performance on people it never saw", "16, 23", _performance(card.performance, overall=True)
    yield "Limitations", "26", [f"- {text}" for text in card.failure_modes]
    yield "Files", "18f, 22", _files(card)
    yield "Terms, citation and acknowledgement", "18", _terms(card)
    yield "Ethical approval, funding, protocol and involvement of patients", "17, 18a-d, 19", []


def _texts(texts: Sequence[str]) -> list[str]:
    return [text for text in texts if text]


def _left_out(data: Mapping[str, Any]) -> str:
    return f"Left out: {data['left_out']}." if data.get("left_out") else ""


def _outcome(age: bool) -> str:
    if age:
        return "Age in years at the photograph, as recorded."
    return (
        "Recorded sex, female or male, as it stands in the records: an administrative entry that can be wrong. Male is "
        "the positive class."
    )


def _preparation(card: ModelCard) -> list[str]:
    views = {
        "as_taken": "seen once as taken",
        "both": "seen as taken and mirrored, the mean logit counting",
        "as_left_eye": "right eyes mirrored, an eye that is not known seen both ways",
    }[card.views]
    return [
        f"One fundus photograph: the field of view is cropped to {card.prepared_size} pixels, of which the middle "
        f"{card.input_size} are the input; channels {card.channel_order}, scaling `{card.scaling}`; {views}. Nothing "
        "else about the person is used."
    ]


def _counts(data: Mapping[str, Any]) -> list[str]:
    parts = data.get("parts", {})
    if not parts:
        return []
    names = list(dict.fromkeys(name for counts in parts.values() for name in counts))
    lines = ["| part | " + " | ".join(name.removeprefix("n_") for name in names) + " |"]
    lines.append("| --- |" + " ---: |" * len(names))
    for part, counts in parts.items():
        lines.append(f"| {part} | " + " | ".join(f"{counts.get(name, ''):,}" for name in names) + " |")
    return [*lines, "", f"Split {data['split']}."] if data.get("split") else lines


def _recipe(recipe: Mapping[str, Any]) -> list[str]:
    told = [f"- {name.replace('_', ' ')}: {_plain(value)}" for name, value in recipe.items() if name != "log"]
    if told:
        told.append("- men and women had equal total weight in training")
    return told


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        return (
            ", ".join(" x ".join(map(str, one)) if isinstance(one, list | tuple) else str(one) for one in value)
            or "none"
        )
    return str(value) if value != "" else "none"


def _performance(rows: Sequence[Mapping[str, Any]], *, overall: bool) -> list[str]:
    chosen = [row for row in rows if (row.get("group") == "overall") == overall]
    if not chosen:
        return []
    lines = ["| data | unit | metric | group | value | 95% interval | patients |", "| --- " * 5 + "| --- | ---: |"]
    for row in chosen:
        group = "all" if overall else f"{str(row.get('group')).replace('_', ' ')}: {row.get('level')}"
        value, limits = _value(row)
        metric = str(row.get("metric")).replace("_", " ")
        count = row.get("n_patients")
        lines.append(
            f"| {row.get('data', '')} | {row.get('unit', '')} | {metric} | {group} | {value} | {limits} | "
            f"{'' if count is None else f'{count:,}'} |"
        )
    return lines


def _value(row: Mapping[str, Any]) -> tuple[str, str]:
    point, low, high = (row.get(name) for name in ("point", "low", "high"))
    if point is None:
        return "undefined", ""
    return f"{point:.3f}", "none" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def _specification(card: ModelCard) -> list[str]:
    kinds = {
        "logit": "one logit; its logistic is the probability of {}",
        "sigmoid": "one probability, of {}",
        "softmax": "two probabilities, in the order {}",
        "age_years": "one number: years{}",
    }
    output = kinds[card.output_kind].format(", ".join(card.class_order))
    return [
        f"`{card.backbone}` at {card.input_size} pixels; output: {output}. Golden outputs hold to "
        f"{card.golden_tolerance:g}."
    ]


def _files(card: ModelCard) -> list[str]:
    lines = ["| file | format | MB | largest difference from Keras | SHA-256 |", "| --- | --- | ---: | ---: | --- |"]
    lines.append(
        f"| {card.weights_file} | {card.weights_format} | | the weights themselves | `{card.weights_sha256}` |"
    )
    for export in card.exports:
        lines.append(
            f"| {export['file']} | {export['format']} | {export['bytes'] / 1e6:.1f} | "
            f"{export['largest_difference']:.1e} | `{export['sha256']}` |"
        )
    return [*lines, "", "`SHA256SUMS` lists every file; `sexstrat models verify` checks all of this."]


def _terms(card: ModelCard) -> list[str]:
    told = [f"- terms: {card.terms}"]
    told += [f"- cite: {text}" for text in card.citation]
    return told + ([f"- acknowledge: {card.acknowledgement}"] if card.acknowledgement else [])
