"""What the keys of a study file, each allowed by itself, get wrong together or against a list of known names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sexstrat.errors import EstimationError, StudyError
from sexstrat.study.places import line_of, nearest
from sexstrat.values.tables import table_schema

__all__ = ["EXTERNAL", "contradictions"]

EXTERNAL = ("external_persons", "external_scores", "external_conditions")
_OLDEST = 130
_CONTRACTS = {"persons": "person", "truth": "person", "scores": "score", "conditions": "condition"}

Settings = Mapping[str, Mapping[str, Any]]


def contradictions(settings: Settings, text: str) -> list[str]:
    """Return what is wrong in a study whose keys are each allowed by themselves.

    Parameters
    ----------
    settings : section -> key -> value, defaults filled in.
    text : the study file, for the lines.

    Returns
    -------
    A message for each, with line, key, value and what is allowed; empty when there is none.

    Examples
    --------
    >>> from sexstrat.study.keys import SECTIONS
    >>> held = {name: {key: rule.default for key, rule in keys.items()} for name, keys in SECTIONS.items()}
    >>> sections = ("", "scores", "persons", "validation", "analysis", "audit", "disclosure")
    >>> held = {name: held[name] for name in sections}
    >>> contradictions(held | {"disclosure": {"profile": "none", "reason": " "}}, "")
    ["disclosure.reason: found ' '; profile 'none' needs a reason, for instance: simulated data"]
    """
    found: list[str] = []
    if ("images" in settings) == ("scores" in settings):
        found.append("give either [images] (to be scored) or [scores] (already scored), one of the two")
    for part in (_ages, _external, _bias, _bands, _standards, _codings, _columns, _characters, _reason, _rules):
        found += part(settings, text)
    return found


def _where(text: str, section: str, key: str) -> str:
    return f"{line_of(text, section, key)}{section}.{key}"


def _rules(settings: Settings, text: str) -> list[str]:
    from sexstrat.study.rules import rule_breaches

    return rule_breaches(settings["audit"]["rules"], text)


def _ages(settings: Settings, text: str) -> Iterator[str]:
    """Say where predicted ages are given and not used, or to be used and not given."""
    source = settings["persons"]["age_source"]
    if (source == "recorded") == ("age_scores" not in settings):
        return
    if source == "recorded":
        where = line_of(text, "age_scores")
        yield f"{where}section [age_scores]: predicted ages are used by persons.age_source predicted; found 'recorded'"
    else:
        where = line_of(text, "persons", "age_source")
        yield f"{where}section [age_scores] is missing; persons.age_source {source} needs it"


def _external(settings: Settings, text: str) -> Iterator[str]:
    """Say where another cohort is given without the design that uses it, or the other way round."""
    given = [name for name in EXTERNAL if name in settings]
    design = settings["validation"]["design"]
    where = line_of(text, "validation", "design")
    if design == "external":
        for name in EXTERNAL:
            if name not in given:
                yield f"{where}section [{name}] is missing; validation.design external needs it"
    elif given:
        sections = ", ".join(f"[{name}]" for name in given)
        first = line_of(text, given[0])
        yield f"{first}{sections}: another cohort is used by validation.design external; found {design!r}"


def _bias(settings: Settings, text: str) -> Iterator[str]:
    """Say where beliefs about the errors of predicted sex are stated by halves, or no prior fits them."""
    stated = settings.get("bias_analysis")
    if stated is None:
        return
    halves = []
    for name, other in (("sensitivity", "specificity"), ("specificity", "sensitivity")):
        if stated[name] is None and stated[other] is not None:
            halves.append((name, f"{other} is stated, and a bias analysis needs both"))
        if stated[name] is None and stated[f"{name}_diseased"] is not None:
            halves.append((name, f"{name}_diseased is stated, which only says how the disease changes it"))
    for name, why in dict(reversed(halves)).items():
        yield f"{_where(text, 'bias_analysis', name)}: missing; {why}"
    if not halves and stated["sensitivity"] is not None:
        from sexstrat.study.beliefs import beliefs_of

        try:
            beliefs_of(settings)
        except EstimationError as problem:
            yield f"{line_of(text, 'bias_analysis')}bias_analysis.{problem}"


def _bands(settings: Settings, text: str) -> Iterator[str]:
    """Say where age bands do not rise, or hold ages that nobody has."""
    end = settings["analysis"]["age_end"]
    for section in ("analysis", "audit"):
        lows = settings[section]["age_bands"]
        edges = [*(lows or ()), *([end] if end else [])]
        if not lows:
            continue
        where = _where(text, section, "age_bands")
        if sorted(set(edges)) != edges:
            yield f"{where}: found {edges}; allowed: the first years must rise, and end before age_end"
        elif edges[0] < 0 or edges[-1] > _OLDEST:
            yield f"{where}: found {edges}; allowed: years from 0 to {_OLDEST}"


def _standards(settings: Settings, text: str) -> Iterator[str]:
    """Say which standard populations are not known."""
    from sexstrat.estimates.standardise import standard_populations

    known = standard_populations()
    for name in settings["analysis"]["standards"]:
        if name not in known:
            where = _where(text, "analysis", "standards")
            yield f"{where}: found {name!r}; allowed: {', '.join(known)}{nearest(name, known).rstrip(';')}"


def _codings(settings: Settings, text: str) -> Iterator[str]:
    """Say which codings of sex are not known, or map to no sex."""
    from sexstrat.cohort.sex_coding import CODINGS, SexCoding

    for section, keys in settings.items():
        coding = keys.get("sex_coding")
        if coding is None:
            continue
        where = _where(text, section, "sex_coding")
        if isinstance(coding, str) and coding not in CODINGS:
            names = ", ".join(sorted(CODINGS))
            hint = nearest(coding, CODINGS).rstrip(";")
            yield f"{where}: found {coding!r}; allowed: {names}, or a table such as {{ '1' = 'male' }}{hint}"
            continue
        try:
            SexCoding.declared(coding)
        except StudyError as problem:
            yield f"{where}: {problem}"


def _columns(settings: Settings, text: str) -> Iterator[str]:
    """Say which mapped columns no contract has."""
    for section, keys in settings.items():
        contract = _CONTRACTS.get(section.removeprefix("external_"))
        if contract is None:
            continue
        known = table_schema(contract).columns
        for name in keys["columns"]:
            if name not in known:
                where = _where(text, section, "columns")
                yield f"{where}: found {name!r}; allowed: {', '.join(known)}{nearest(name, known).rstrip(';')}"


def _characters(settings: Settings, text: str) -> Iterator[str]:
    """Say where a delimiter is not one character."""
    for section, keys in settings.items():
        if len(str(keys.get("delimiter", ","))) != 1:
            yield f"{_where(text, section, 'delimiter')}: found {keys['delimiter']!r}; allowed: one character"


def _reason(settings: Settings, text: str) -> Iterator[str]:
    stated = settings["disclosure"]
    if stated["profile"] == "none" and not stated["reason"].strip():
        where = _where(text, "disclosure", "reason")
        yield f"{where}: found {stated['reason']!r}; profile 'none' needs a reason, for instance: simulated data"
