"""Read the files of several sites, check that they fit together, and write the pooled analysis."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import sqrt
from pathlib import Path
from typing import Any

import pandas as pd

import sexstrat
from sexstrat.disclosure.estimate_rows import protect_estimates
from sexstrat.disclosure.profiles import PROFILES, Profile
from sexstrat.disclosure.withhold import releasable_frame
from sexstrat.errors import StudyError
from sexstrat.estimates.pooling.between_sites import heterogeneity_frame, heterogeneity_rows
from sexstrat.estimates.pooling.site_pool import Pool, Question, pool_sites
from sexstrat.estimates.pooling.withheld_shift import MOST_MOVED
from sexstrat.scores.replacing import clear_leftovers, refusal_told, replace_file
from sexstrat.study.site_file import MANIFEST, SiteFile, read_site
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import Target, ValidationDesign

__all__ = ["PooledFiles", "pool_files"]

EXACT = "the cells of every patient were sent: the pooled figures are those of the sites' patients in one table"


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledFiles:
    """What pooling left behind.

    Parameters
    ----------
    out : folder of the tables.
    pool : the analysis.
    tables : what of it may be shown: estimates, by_site, without_site, heterogeneity.
    sites : one mapping per site: name, kind, patients, withheld.
    withheld : patients by condition in cells that were too small to be sent.
    notes : what a reader must know.
    """

    out: Path
    pool: Pool
    tables: Mapping[str, pd.DataFrame]
    sites: tuple[dict[str, Any], ...]
    withheld: Mapping[str, int]
    notes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return it as plain values for ``--json``."""
        return {
            "out": str(self.out),
            "sites": list(self.sites),
            "withheld": dict(self.withheld),
            "notes": list(self.notes),
        }


def pool_files(folders: Sequence[str | Path], out: str | Path) -> PooledFiles:
    """Pool site files and write the tables: pooled, by site, without each site, and how much sites differ.

    Parameters
    ----------
    folders : folders that ``sexstrat cells`` wrote, at least two.
    out : folder of the tables, made when absent.

    Raises
    ------
    StudyError : a file cannot be read, or the sites do not fit together: another model, other age bands, another
        design, target or level; both values are named.
    EstimationError : fewer than two sites, or a name used twice.
    """
    files = [read_site(folder) for folder in folders]
    _check_fit(files)
    asked = files[0].manifest["question"]
    question = Question(
        bands=AgeBands(tuple(asked["age_lows"]), asked["age_end"]),
        design=ValidationDesign(asked["design"]),
        target=Target(asked["target"]),
        level=float(asked["level"]),
        standards=tuple(asked["standards"]),
    )
    pool = pool_sites([one.site for one in files], question)
    withheld = {name: sum(int(one.site.withheld.get(name, 0)) for one in files) for name in sorted(pool.compositions)}
    rule = _strictest(files)
    found = PooledFiles(
        out=Path(out),
        pool=pool,
        tables=_tables(pool, rule, question.level),
        sites=tuple(map(_told, files)),
        withheld=withheld,
        notes=_notes(files, withheld),
    )
    _write(found, rule)
    return found


def _check_fit(files: Sequence[SiteFile]) -> None:
    first = files[0]
    for other in files[1:]:
        for name in ("model_id", "model_sha256"):
            _same(first, other, name, first.manifest[name], other.manifest[name])
        mine, theirs = first.manifest["question"], other.manifest["question"]
        for name in sorted({*mine, *theirs} - {"standards"}):
            _same(first, other, name, mine.get(name), theirs.get(name))


def _same(first: SiteFile, other: SiteFile, name: str, mine: Any, theirs: Any) -> None:
    if mine != theirs:
        raise StudyError(
            f"{other.folder / MANIFEST}: {name} is {theirs!r}, but {mine!r} at site {first.site.name}; sites can be "
            "pooled only where it is the same"
        )


def _told(one: SiteFile) -> dict[str, Any]:
    return {
        "site": one.site.name,
        "kind": "shares" if one.site.cells is None else "cells",
        "n_patients": dict(one.manifest["n_patients"]),
        "withheld": dict(one.site.withheld),
        "profile": one.manifest["disclosure"]["profile"],
    }


def _notes(files: Sequence[SiteFile], withheld: Mapping[str, int]) -> tuple[str, ...]:
    notes = []
    shares = [one.site.name for one in files if one.site.cells is None]
    if shares:
        notes.append(f"{', '.join(shares)}: shares of men instead of cells; they join as strata")
    if not any(withheld.values()) and not shares:
        notes.append(EXACT)
    notes += [_withheld_note(files, name, count) for name, count in withheld.items() if count]
    widths = {one.manifest.get("width") for one in files if one.site.cells is not None}
    ages = {one.manifest.get("ages") for one in files if one.site.cells is not None}
    if len(widths) > 1 or len(ages) > 1:
        notes.append("sites sent cells of different detail; all were brought to the coarsest score bins")
    return tuple(notes)


def _withheld_note(files: Sequence[SiteFile], condition: str, count: int) -> str:
    """Say how far the pooled figures may lie from those of all patients.

    A site sends cells only where leaving out the small ones moves its own crude figures by at most a tenth of their
    standard errors; if all k such sites move the same way, the pooled ones move by at most sqrt(k) tenths of theirs.
    """
    shares = [one.site.name for one in files if one.site.cells is None and one.site.withheld.get(condition)]
    sites = sum(1 for one in files if one.site.cells is not None and one.site.withheld.get(condition))
    text = f"{condition}: {count:,} patients were in groups too small to be sent"
    if sites:
        text += f"; the pooled crude figures move by about {MOST_MOVED * sqrt(sites):.2f} standard errors at most"
    if shares:
        text += f"; of {', '.join(shares)} only the age bands that were sent are pooled"
    return text


def _strictest(files: Sequence[SiteFile]) -> Profile:
    rules = [PROFILES[one.manifest["disclosure"]["profile"]] for one in files]
    return max(rules, key=lambda rule: (rule.minimum, not rule.zero_allowed, rule.rounding or 0))


def _tables(pool: Pool, rule: Profile, level: float) -> dict[str, pd.DataFrame]:
    """Return what may be shown; how much sites differ is computed from what is shown of each."""
    by_site = _by_site(pool.by_site, rule)
    shown = {str(name): rows for name, rows in by_site.groupby("site", sort=False)}
    return {
        "estimates": _protected(pool.estimates, rule),
        "by_site": by_site,
        "without_site": _by_site(pool.without_site, rule),
        "heterogeneity": heterogeneity_frame(heterogeneity_rows(shown, level=level)),
    }


def _write(found: PooledFiles, rule: Profile) -> None:
    """Write the tables, and last ``pool.json``, without which a folder holds no finished analysis."""
    summary = found.out / "pool.json"
    with refusal_told(found.out):
        found.out.mkdir(parents=True, exist_ok=True)
        summary.unlink(missing_ok=True)
    for name, frame in found.tables.items():
        clear_leftovers(found.out / f"{name}.csv")
        replace_file(found.out / f"{name}.csv", partial(frame.to_csv, index=False, encoding="utf-8-sig"))
    document = {"schema_version": 1, "sexstrat": sexstrat.__version__, "profile": rule.name, **found.document()}
    document["out"] = found.out.name
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    clear_leftovers(summary)
    replace_file(summary, lambda path: path.write_text(text, encoding="utf-8", newline="\n"))


def _protected(frame: pd.DataFrame, rule: Profile) -> pd.DataFrame:
    return protect_estimates(releasable_frame(frame, "estimate"), rule)


def _by_site(frame: pd.DataFrame, rule: Profile) -> pd.DataFrame:
    parts = [
        _protected(rows.drop(columns="site"), rule).assign(site=name)
        for name, rows in frame.groupby("site", sort=False)
    ]
    return pd.concat(parts, ignore_index=True)
