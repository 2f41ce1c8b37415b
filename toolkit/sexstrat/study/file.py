"""Read a study file: TOML, checked against its contract, every error with line, key, value and what is allowed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sexstrat.errors import StudyError
from sexstrat.scores.urls import is_remote
from sexstrat.study.contradictions import EXTERNAL, contradictions
from sexstrat.study.keys import SECTIONS, Key
from sexstrat.study.omop_section import is_concepts, is_measurements
from sexstrat.study.places import line_of, nearest
from sexstrat.values.age_bands import AgeBands

__all__ = ["EXTERNAL", "Study", "load_study"]

_REQUIRED_SECTIONS = ("persons", "conditions", "validation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A checked study: every key of the contract has a value.

    Parameters
    ----------
    path : the study file.
    settings : section -> key -> value, defaults filled in; an absent optional section is missing here.
    """

    path: Path
    settings: Mapping[str, Mapping[str, Any]]

    def __contains__(self, section: str) -> bool:
        return section in self.settings

    def section(self, name: str) -> Mapping[str, Any]:
        """Return a section's resolved keys."""
        return self.settings[name]

    @property
    def title(self) -> str:
        """Title of the report."""
        return str(self.settings[""]["title"])

    @property
    def seed(self) -> int:
        """Seed of every random draw."""
        return int(self.settings[""]["seed"])

    @property
    def bands(self) -> AgeBands:
        """Age bands of the analysis."""
        return self._bands("analysis")

    @property
    def audit_bands(self) -> AgeBands:
        """Age bands of the audit: its own, else those of the analysis."""
        return self._bands("audit" if self.settings["audit"]["age_bands"] else "analysis")

    def _bands(self, section: str) -> AgeBands:
        return AgeBands(tuple(self.settings[section]["age_bands"]), self.settings["analysis"]["age_end"])


def load_study(path: str | Path) -> Study:
    """Read and check a study file.

    Parameters
    ----------
    path : a TOML file; paths inside it are relative to its folder.

    Returns
    -------
    The study with every default filled in and paths made absolute.

    Raises
    ------
    StudyError : the file is absent, is not TOML, or breaks the contract; all breaches are listed at once.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> lines = ["schema_version = 1", 'title = "t"', "[validation]", 'desing = "random"']
    >>> _ = (folder / "s.toml").write_text(chr(10).join(lines))
    >>> load_study(folder / "s.toml")
    Traceback (most recent call last):
    sexstrat.errors.StudyError: s.toml: 4 problems
      line 4, validation.desing: no such key; did you mean design? allowed: design, recorded_sex_error
      section [persons] is missing
      section [conditions] is missing
      line 3, validation.design: required and missing: how sex came to be recorded for some patients; ...
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise StudyError(f"study file not found: {file}") from None
    except (OSError, UnicodeDecodeError) as err:
        raise StudyError(f"study file cannot be read: {file}: {err}") from err
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        at = re.search(r"line (\d+)", str(err))
        here = f"\n  line {at[1]}: {text.splitlines()[int(at[1]) - 1].strip()}" if at else ""
        raise StudyError(f"{file.name}: not valid TOML: {err}{here}") from err
    breaches = _unknown_keys(raw, text)
    settings = _resolve(raw, text, file.resolve().parent, breaches)
    if not breaches:
        breaches += contradictions(settings, text)
    if breaches:
        noun = "problem" if len(breaches) == 1 else "problems"
        raise StudyError("\n  ".join([f"{file.name}: {len(breaches)} {noun}", *breaches]))
    return Study(path=file.resolve(), settings=settings)


def _unknown_keys(raw: Mapping[str, Any], text: str) -> list[str]:
    breaches = []
    for name, value in raw.items():
        if name not in SECTIONS and not (name in SECTIONS[""] and not isinstance(value, dict)):
            kind = "section" if isinstance(value, dict) else "key"
            known = [s for s in SECTIONS if s] if kind == "section" else list(SECTIONS[""])
            where = line_of(text, name) if kind == "section" else line_of(text, "", name)
            breaches.append(f"{where}{name}: no such {kind}{nearest(name, known)} allowed: {', '.join(known)}")
        elif isinstance(value, dict):
            for key in value:
                if key not in SECTIONS[name]:
                    known = list(SECTIONS[name])
                    where = f"{line_of(text, name, key)}{name}.{key}"
                    breaches.append(f"{where}: no such key{nearest(key, known)} allowed: {', '.join(known)}")
    return breaches


def _resolve(raw: Mapping[str, Any], text: str, folder: Path, breaches: list[str]) -> dict[str, dict[str, Any]]:
    settings: dict[str, dict[str, Any]] = {}
    for name, keys in SECTIONS.items():
        given = raw if name == "" else raw.get(name)
        optional = name in {
            "images",
            "scores",
            "age_scores",
            "image_table",
            "omop",
            "truth",
            "bias_analysis",
            *EXTERNAL,
        }
        if given is None and (optional or name in _REQUIRED_SECTIONS):
            if not optional:
                breaches.append(f"section [{name}] is missing")
            continue
        given = {} if given is None else given
        if not isinstance(given, dict):
            breaches.append(f"{line_of(text, '', name)}{name}: must be a section [{name}]; found {given!r}")
            continue
        settings[name] = {}
        for key, rule in keys.items():
            label = f"{line_of(text, name, key)}{name + '.' if name else ''}{key}"
            if key not in given:
                if rule.required:
                    breaches.append(f"{label}: required and missing: {rule.about}; allowed: {rule.expected}")
                settings[name][key] = rule.default
            elif (problem := _mismatch(rule, given[key])) is not None:
                breaches.append(f"{label}: found {given[key]!r}; allowed: {rule.expected}{problem}")
            else:
                settings[name][key] = _absolute(folder, rule, given[key])
    return settings


def _absolute(folder: Path, rule: Key, value: Any) -> Any:
    if rule.kind == "place" and is_remote(value):
        return value
    return (folder / str(value)).resolve() if rule.kind in {"path", "place"} else value


def _mismatch(rule: Key, value: Any) -> str | None:
    """Return None when the value fits, else a hint (possibly empty) to add to the message."""
    integer = isinstance(value, int) and not isinstance(value, bool)
    text = isinstance(value, str)
    fits = {
        "text": text,
        "path": text and value != "",
        "place": text and value != "",
        "integer": integer,
        "number": integer or isinstance(value, float),
        "boolean": isinstance(value, bool),
        "range": _is_range(value),
        "integers": isinstance(value, list) and len(value) > 0 and all(type(item) is int for item in value),
        "texts": isinstance(value, list) and all(isinstance(item, str) for item in value),
        "words": isinstance(value, list) and len(value) > 0 and all(isinstance(item, str) for item in value),
        "rules": isinstance(value, list) and all(isinstance(item, dict) for item in value),
        "concepts": is_concepts(value),
        "measurements": is_measurements(value),
        "mapping": _is_mapping(value),
        "coding": text or _is_mapping(value),
    }[rule.kind]
    if not fits:
        return ""
    if rule.kind == "words":
        strange = [item for item in value if item not in rule.allowed]
        twice = "" if len(set(value)) == len(value) else ", each once"
        return nearest(strange[0], list(rule.allowed)).rstrip(";") if strange else twice or None
    if rule.allowed and value not in rule.allowed:
        return nearest(value, list(rule.allowed)).rstrip(";")
    if rule.low is not None and (value < rule.low or (rule.high is not None and value > rule.high)):
        return ""
    return None


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _is_range(value: Any) -> bool:
    """Tell whether a value is a lowest and a highest probability, strictly inside 0 to 1 and rising."""
    numbers = isinstance(value, list) and len(value) == 2 and all(type(item) in {int, float} for item in value)
    return numbers and 0 < value[0] < value[1] < 1
