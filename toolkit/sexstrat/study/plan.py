"""Work out which stages of a study are stale, and say why."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from typing import Any

import sexstrat
from sexstrat.scores.storage import files_below, url_state
from sexstrat.scores.urls import is_remote
from sexstrat.study.card import card_path
from sexstrat.study.file import EXTERNAL, Study
from sexstrat.study.left_behind import left_behind
from sexstrat.study.versions import stage_versions

__all__ = ["STAGES", "StagePlan", "code_digest", "digest_file", "plan_study", "stage_components"]

STAGES = ("scores", "cohort", "estimates", "audit", "report")
STAGES_FILE = "private/stages.json"

# sections, or single keys of one as section.key
_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "scores": ("images.source", "images.model", "images.trust", "scores"),
    "cohort": (
        "images.min_quality",
        "images.accept_inferred_eye",
        "age_scores",
        "persons",
        "conditions",
        "image_table",
        "omop",
        "truth",
        *EXTERNAL,
        ".model_card",
        "analysis.age_bands",
        "analysis.age_end",
    ),
    "estimates": ("validation", "analysis", "bias_analysis"),
    "audit": ("validation", "analysis", "audit"),
    "report": ("", "validation", "analysis", "bias_analysis", "report", "disclosure"),
}
_UPSTREAM: Mapping[str, tuple[str, ...]] = {
    "scores": (),
    "cohort": ("scores",),
    "estimates": ("cohort",),
    "audit": ("cohort",),
    "report": ("estimates", "audit"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePlan:
    """What will happen to one stage.

    Parameters
    ----------
    name : stage name.
    stale : whether it will run.
    why : the reason, in words.
    components : what its result depends on, as it is now: the stage that runs stores these, so that an input that
        changes under the run is found by the next one.

    Examples
    --------
    >>> StagePlan(name="cohort", stale=True, why="never run").stale
    True
    """

    name: str
    stale: bool
    why: str
    components: Mapping[str, str] = field(default_factory=dict)


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file, or of the listing (names, sizes and times) of a folder's or glob's files.

    Parameters
    ----------
    path : a file, folder or glob; an absent one gives ``"absent"``.

    Examples
    --------
    >>> digest_file(Path("no such file"))
    'absent'
    """
    if path.is_file():
        facts = path.stat()
        return _file_bytes_digest(path, facts.st_size, facts.st_mtime_ns)
    base = path if path.is_dir() else Path(*takewhile(lambda part: not re.search(r"[*?\[]", part), path.parts))
    if base == path and not path.is_dir():
        return "absent"
    lines = []
    for entry in sorted(base.glob("**/*" if base == path else path.relative_to(base).as_posix())):
        if entry.is_file():
            facts = entry.stat()
            lines.append(f"{entry.relative_to(base).as_posix()} {facts.st_size} {facts.st_mtime_ns}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@cache
def _file_bytes_digest(path: Path, size: int, changed_ns: int) -> str:
    """Read a file once as long as its size and time of change stay the same."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@cache
def code_digest() -> str:
    """Return the SHA-256 over sexstrat's own modules, contracts and templates: what computed a result.

    Examples
    --------
    >>> len(code_digest())
    64
    """
    digest = hashlib.sha256(sexstrat.__version__.encode())
    for package in ("sexstrat", "sexstrat.data_schemas", "sexstrat.reports"):
        root = Path(str(files(package)))
        for path in sorted(root.rglob("*")):
            if path.suffix in {".py", ".json", ".j2", ".css", ".toml"} and "__pycache__" not in path.parts:
                digest.update(path.relative_to(root).as_posix().encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def stage_components(study: Study, stage: str) -> dict[str, str]:
    """Return what a stage's result depends on: a digest for each input file, setting and the code.

    Parameters
    ----------
    study : the study.
    stage : one of ``STAGES``.

    Returns
    -------
    Component name (as told to people) -> digest.
    """
    components = {"the code": code_digest()}
    versions = stage_versions(stage, scoring="scores" not in study)
    components |= {f"version of {package}": found for package, found in versions.items()}
    for name in _SETTINGS[stage]:
        section, _, only = name.partition(".")
        for key, value in study.settings.get(section, {}).items():
            if only not in {"", key}:
                continue
            label = f"setting {section + '.' if section else ''}{key}"
            components[label] = _digest(value)
            if key in {"model", "model_card"} and (card := card_path(study, value)) is not None:
                components[f"model card {value}"] = digest_file(card)
            if key == "source" and is_remote(value):
                components[f"input {value}"] = _digest([(url, url_state(url)) for url in files_below(value)])
            if isinstance(value, Path):
                components[f"input {value.name}"] = digest_file(value)
                if section == "images" and value.is_file():
                    components[f"photographs beside {value.name}"] = digest_file(value.parent)
    components["setting seed"] = _digest(study.seed)
    for upstream in _UPSTREAM[stage]:
        components[f"stage {upstream}"] = _digest(stage_components(study, upstream))
    return components


def plan_study(study: Study, out: Path) -> list[StagePlan]:
    """Compare what each stage depends on with what its last result depended on.

    Parameters
    ----------
    study : the study.
    out : the run folder; may be absent.

    Returns
    -------
    One plan a stage, in order; a stale stage names the first things that changed.
    """
    stored = read_stages(out)
    plans: list[StagePlan] = []
    for stage in STAGES:
        now = stage_components(study, stage)
        why = _why_stale(stored.get(stage), now) or _why_gone(study, stage, out)
        plans.append(StagePlan(name=stage, stale=bool(why), why=why or "up to date", components=now))
    return plans


def _why_stale(before: Mapping[str, str] | None, now: Mapping[str, str]) -> str:
    if before is None:
        return "never run"
    changed = [name for name in {**now, **before} if now.get(name) != before.get(name)]
    blame = [name for name in changed if not name.startswith("stage ")] or changed
    return "changed: " + ", ".join(blame[:3]) + (", ..." if len(blame) > 3 else "") if changed else ""


def _why_gone(study: Study, stage: str, out: Path) -> str:
    gone = [name for name in left_behind(study, stage) if not (out / name).is_file()]
    return f"its result is gone: {', '.join(gone[:3])}" + (", ..." if len(gone) > 3 else "") if gone else ""


def read_stages(out: Path) -> dict[str, dict[str, str]]:
    """Return the components stored with each finished stage of a run folder; none where they cannot be read."""
    try:
        stages: dict[str, dict[str, str]] = json.loads((out / STAGES_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stages if isinstance(stages, dict) else {}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
