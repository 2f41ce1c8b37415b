"""The answer in three sentences: what was found, what the naive analysis would have said, what was refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sexstrat.reporting.headline import Headline
from sexstrat.reporting.number_format import is_number, plain, quantity
from sexstrat.reporting.rows import has_number
from sexstrat.reporting.texts import STANDARDS, STATE_WORDS, number_word, sentence_case

if TYPE_CHECKING:
    from sexstrat.disclosure import Released

__all__ = ["summary"]

_RATIO = "prevalence_ratio"


def summary(leads: Sequence[Headline], released: Released) -> tuple[str, ...]:
    """Return the three sentences the page opens with.

    Parameters
    ----------
    leads : one headline a condition.
    released : what the disclosure gate let through.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> nothing = SimpleNamespace(suppressed_counts={}, profile=SimpleNamespace(name="uk-5"))
    >>> summary([], nothing)[0]
    'This study estimated no contrast between the sexes.'
    """
    if not leads:
        return ("This study estimated no contrast between the sexes.", *_withheld(leads, released))
    answer = _one(leads[0]) if len(leads) == 1 else _many(leads)
    return tuple(part for part in (answer, _naive(leads), *_withheld(leads, released)) if part)


def _with_interval(row: Mapping[str, Any], *, named: bool = False) -> str:
    text = quantity(_RATIO, float(row["point"]))
    if not (is_number(row["low"]) and is_number(row["high"])):
        return text
    limits = f"{plain(_RATIO, float(row['low']))} to {plain(_RATIO, float(row['high']))}"
    level = f"{100 * float(row['level']):g}% interval " if named and is_number(row.get("level")) else ""
    return f"{text} ({level}{limits})"


def _standardised(lead: Headline) -> str:
    if lead.standard == "crude":
        return "not standardised for age"
    return f"age-standardised to the {STANDARDS.get(lead.standard, lead.standard)}"


def _one(lead: Headline) -> str:
    name = sentence_case(lead.condition)
    if lead.corrected is None or not has_number(lead.corrected):
        word = STATE_WORDS.get(str((lead.corrected or {}).get("state", "missing")), "missing")
        return f"{name}: no corrected ratio of men to women can be given ({word})."
    number = _with_interval(lead.corrected, named=True)
    verdict = {
        "male": "more common in men than in women",
        "female": "less common in men than in women",
        "none": "not shown to differ between men and women",
        "unknown": "compared between men and women",
    }[lead.direction]
    return f"{name} is {verdict}: the {lead.kind} prevalence ratio, {_standardised(lead)}, is {number}."


def _many(leads: Sequence[Headline]) -> str:
    """Name the conditions that differ between the sexes, and count the rest."""
    parts = []
    for direction, words in (("male", "more common in men"), ("female", "more common in women")):
        found = [lead for lead in leads if lead.direction == direction]
        if found:
            named = ", and ".join(
                f"{sentence_case(lead.condition)}, {_with_interval(lead.corrected)}"
                for lead in found[:4]
                if lead.corrected is not None
            )
            more = f", and {number_word(len(found) - 4)} more" if len(found) > 4 else ""
            verb = "is" if len(found) == 1 else "are"
            parts.append(
                f"{number_word(len(found))} of {number_word(len(leads))} conditions {verb} {words}: {named}{more}"
            )
    same = sum(lead.direction == "none" for lead in leads)
    if same:
        parts.append(f"for {number_word(same)} the interval includes 1, so that no difference is shown")
    unknown = sum(lead.direction == "unknown" for lead in leads)
    if unknown:
        parts.append(f"for {number_word(unknown)} there is no corrected number")
    return f"By {_kinds(leads)} prevalence ratio of men to women, {'; '.join(parts)}."


def _naive(leads: Sequence[Headline]) -> str:
    shown = [lead for lead in leads if has_number(lead.naive)]
    if not shown:
        return ""
    judged = [lead for lead in shown if lead.covers_truth is not None and lead.naive_covers_truth is not None]
    if len(shown) == 1:
        lead = shown[0]
        assert lead.naive is not None
        text = f"Taking the predicted sex at face value would have given {_with_interval(lead.naive)}"
        if lead.truth is not None and has_number(lead.truth):
            text += f"; the truth, which the analysis did not see, is {quantity(_RATIO, float(lead.truth['point']))}"
            if judged:
                corrected, naive = _inside(lead.covers_truth), _inside(lead.naive_covers_truth)
                text += f" and lies {corrected} the {lead.kind} interval and {naive} the naive one"
        return text + "."
    if judged:
        right = sum(bool(one.covers_truth) for one in judged)
        wrong = sum(bool(one.naive_covers_truth) for one in judged)
        return (
            "The truth, which the analysis did not see, lies inside the "
            f"{_kinds(judged)} interval for {number_word(right)} of {number_word(len(judged))} conditions, and inside "
            "the naive one, which takes predicted sex at face value, for "
            f"{number_word(wrong)}{_furthest(judged)}."
        )
    both = [lead for lead in shown if has_number(lead.corrected)]
    if not both:
        return ""
    lead = max(both, key=lambda one: _apart(one.naive, one.corrected))
    assert lead.naive is not None
    assert lead.corrected is not None
    return (
        f"Taking the predicted sex at face value would change the answer most for {sentence_case(lead.condition)}: "
        f"{_with_interval(lead.naive)} instead of {_with_interval(lead.corrected)}."
    )


def _furthest(judged: Sequence[Headline]) -> str:
    """Name the condition whose naive ratio lies furthest from the truth."""
    wrong = [lead for lead in judged if not lead.naive_covers_truth]
    if not wrong:
        return ""
    lead = max(wrong, key=lambda one: _apart(one.naive, one.truth))
    assert lead.naive is not None
    assert lead.truth is not None
    truth = quantity(_RATIO, float(lead.truth["point"]))
    return f" (furthest for {sentence_case(lead.condition)}: {_with_interval(lead.naive)}, where the truth is {truth})"


def _kinds(leads: Sequence[Headline]) -> str:
    """Name the kinds of numbers that lead, so that no model-based one is called corrected."""
    return " or ".join(dict.fromkeys(lead.kind for lead in leads))


def _reason(lead: Headline) -> str:
    """Return why a correction was refused: the first sentence, without what is already said."""
    why = str((lead.corrected or {}).get("note") or (lead.choice or {}).get("why") or "")
    return why.removeprefix("No corrected estimate: ").split(". ")[0].rstrip(".")


def _inside(covered: bool | None) -> str:
    return "inside" if covered else "outside"


def _apart(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> float:
    """Return the ratio of the larger to the smaller of two estimates, 0 where it does not exist."""
    if one is None or other is None:
        return 0.0
    first, second = float(one["point"]), float(other["point"])
    return max(first, second) / min(first, second) if min(first, second) > 0 else 0.0


def _withheld(leads: Sequence[Headline], released: Released) -> tuple[str, ...]:
    """Say what was refused, and what the disclosure gate withheld."""
    refused = [lead for lead in leads if lead.corrected is not None and lead.corrected["state"] == "refused"]
    if refused:
        names = ", ".join(sentence_case(lead.condition) for lead in refused)
        why = _reason(refused[0])
        first = f"A correction was refused for {names}" + (f" ({why})" if why else "")
    else:
        first = "No correction was refused"
    number = sum(int(value) for value in released.suppressed_counts.values())
    name = released.profile.name
    if name == "none":
        return (f"{first}, and no small number was withheld (disclosure profile \N{LEFT DOUBLE QUOTATION MARK}none"
                "\N{RIGHT DOUBLE QUOTATION MARK}).",)  # fmt: skip
    rows = "row has" if number == 1 else "rows have"
    kept = "no number was" if number == 0 else f"{number:,} table {rows} numbers"
    return (f"{first}, and {kept} withheld to protect people (disclosure profile {name}).",)
