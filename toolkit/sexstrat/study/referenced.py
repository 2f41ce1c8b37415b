"""Check that the files, models and diseases a study names are there, before anything is read or run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sexstrat.errors import StudyError
from sexstrat.study.card import card_path
from sexstrat.study.file import Study
from sexstrat.study.places import line_of, nearest

__all__ = ["check_conditions", "check_references"]

_PATTERN = frozenset("*?[")
_MODELS = (("", "model_card"), ("images", "model"))


def check_references(study: Study) -> None:
    """Refuse a study that names a file, folder or model that is not there.

    Parameters
    ----------
    study : the study.

    Raises
    ------
    StudyError : one message for all that is absent, with line, key, name, and the nearest name in that folder.
    """
    text = study.path.read_text(encoding="utf-8-sig")
    breaches = [*_absent_sources(study, text), *_absent_models(study, text)]
    if breaches:
        noun = "problem" if len(breaches) == 1 else "problems"
        raise StudyError("\n  ".join([f"{study.path.name}: {len(breaches)} {noun}", *breaches]))


def check_conditions(study: Study, known: tuple[str, ...]) -> None:
    """Refuse a study that asks for a disease that its table of conditions does not hold.

    Parameters
    ----------
    study : the study.
    known : diseases of the table.

    Raises
    ------
    StudyError : a disease is not among them; with line, name, those there are, and the nearest.
    """
    unknown = [name for name in study.section("analysis")["conditions"] if name not in known]
    if unknown:
        where = line_of(study.path.read_text(encoding="utf-8-sig"), "analysis", "conditions")
        lines = [
            f"{where}analysis.conditions: found {name!r}; allowed: {', '.join(known[:20])}"
            f"{' and others' if len(known) > 20 else ''}{nearest(name, known).rstrip(';')}"
            for name in unknown
        ]
        noun = "problem" if len(lines) == 1 else "problems"
        raise StudyError("\n  ".join([f"{study.path.name}: {len(lines)} {noun}", *lines]))


def _absent_sources(study: Study, text: str) -> Iterator[str]:
    for section, keys in study.settings.items():
        source = keys.get("source")
        if isinstance(source, Path) and not _PATTERN & set(str(source)) and not source.exists():
            yield f"{line_of(text, section, 'source')}{section}.source: {_absent(source)}"


def _absent_models(study: Study, text: str) -> Iterator[str]:
    for section, key in _MODELS:
        named = study.settings.get(section, {}).get(key)
        path = None if named is None else card_path(study, named)
        if path is not None and not path.exists():
            label = f"{section}.{key}" if section else key
            yield f"{line_of(text, section, key)}{label}: {_absent(path)}"


def _absent(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"found {path.name!r}; no such folder: {folder}; allowed: a file or folder that is there"
    beside = sorted(entry.name for entry in folder.iterdir())
    hint = nearest(path.name, beside).rstrip(";")
    return f"found {path.name!r}; nothing of this name is in {folder}; allowed: a file or folder that is there{hint}"
