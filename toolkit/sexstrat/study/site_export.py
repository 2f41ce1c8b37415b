"""Write what of a study may leave its site: small cells withheld, ages and bins coarsened, or shares instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.cohort import Cohort
from sexstrat.disclosure.cell_release import CellRelease, release_cells
from sexstrat.disclosure.complementary import extend_hidden
from sexstrat.disclosure.profiles import MIN_STUDY, Profile
from sexstrat.disclosure.profiles import profile as profile_by_name
from sexstrat.disclosure.texts import without_small_counts
from sexstrat.errors import DisclosureError, StudyError
from sexstrat.estimates.compose import compose
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.pooling.share_document import share_document, without_cells
from sexstrat.estimates.pooling.site_pool import Question
from sexstrat.estimates.pooling.withheld_shift import MOST_MOVED, largest_shift
from sexstrat.study.file import Study
from sexstrat.study.predicted_ages import refuse_predicted_ages
from sexstrat.study.run import run_stages
from sexstrat.study.site_file import write_site
from sexstrat.values.cells import Cells
from sexstrat.values.design import Target, ValidationDesign
from sexstrat.values.tables import table_schema

__all__ = ["SiteExport", "export_site"]

FORBIDDEN = frozenset('/\\:*?"<>|')


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteExport:
    """What was written.

    Parameters
    ----------
    folder : the site file.
    kind : "cells" or "shares".
    detail : how coarse the cells are, or why there are none.
    withheld : patients by condition in cells that were not sent.
    n_patients : patients by condition.
    """

    folder: Path
    kind: str
    detail: str
    withheld: dict[str, int]
    n_patients: dict[str, int]

    def document(self) -> dict[str, Any]:
        """Return it as plain values for ``--json``."""
        return {
            "folder": str(self.folder),
            "kind": self.kind,
            "detail": self.detail,
            "withheld": self.withheld,
            "n_patients": self.n_patients,
        }


def export_site(
    study: Study,
    run_folder: str | Path,
    out: str | Path,
    *,
    site: str,
    engine: str = "local",
    scheduler: str | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> SiteExport:
    """Count a study's cells and write those that may leave the site, or else its shares of men.

    Parameters
    ----------
    study : the study; its disclosure profile is the rule.
    run_folder : run folder of the study; its cohort is built when it is stale.
    out : folder of the site file.
    site : name under which the site's patients are kept apart when sites are pooled.
    engine, scheduler : where the cells are counted, as in :meth:`sexstrat.cohort.Cohort.cells`.
    tell : called with one line a stage.

    Raises
    ------
    StudyError : the name is empty or no name of a file; another cohort teaches the errors (design external), which
        cells do not carry; ages are predicted.
    DisclosureError : fewer patients than any study may have.
    """
    if not site.strip() or FORBIDDEN & set(site):
        raise StudyError(f"a site needs a name without {' '.join(sorted(FORBIDDEN))}; found {site!r}")
    if "external_persons" in study:
        raise StudyError("a study whose score errors come from another cohort cannot be pooled by cells")
    refuse_predicted_ages(study)
    folder = Path(run_folder)
    run_stages(study, folder, ("scores", "cohort"), tell=tell)
    wanted = tuple(study.section("analysis")["conditions"]) or None
    with Cohort.open(folder / "private" / "cohort.duckdb") as cohort:
        cells = cohort.cells(wanted, engine=engine, scheduler=scheduler)
        n_all, digest = cohort.patient_counts()["analysed"], cohort.model_sha256
    if n_all < MIN_STUDY:
        raise DisclosureError(f"a site of fewer than {MIN_STUDY} patients sends nothing, under any profile")
    keys = study.section("disclosure")
    rule = profile_by_name(keys["profile"])
    found = release_cells(cells, rule, study.bands)
    manifest = {**_manifest(study, site, cells, rule), "model_sha256": digest}
    question = _question(study)
    if found is None:
        return _send_shares(out, manifest, question, cells, rule)
    if any(found.withheld.values()) and largest_shift(found.whole, found.cells, question) > MOST_MOVED:
        return _send_shares(out, manifest, question, cells, rule)
    return _send_cells(out, manifest, found)


def _question(study: Study) -> Question:
    keys = study.section("analysis")
    return Question(
        bands=study.bands,
        design=ValidationDesign(study.section("validation")["design"]),
        target=Target(keys["target"]),
        level=float(keys["level"]),
        seed=study.seed,
        standards=tuple(keys["standards"]),
    )


def _manifest(study: Study, site: str, cells: Cells, rule: Profile) -> dict[str, Any]:
    keys = study.section("analysis")
    return {
        "site": site,
        "model_id": cells.model_id,
        "conditions": list(cells.conditions),
        "question": {
            "age_lows": list(study.bands.lows),
            "age_end": study.bands.end,
            "design": study.section("validation")["design"],
            "target": keys["target"],
            "level": keys["level"],
            "standards": list(keys["standards"]),
        },
        "disclosure": {"profile": rule.name, "minimum": rule.minimum, "reason": study.section("disclosure")["reason"]},
        "cell_schema": table_schema("cell").version,
    }


def _send_cells(out: str | Path, manifest: dict[str, Any], found: CellRelease) -> SiteExport:
    ages = "single years" if found.ages == "years" else "age bands"
    detail = f"{ages}, score bins {found.width:g} wide, {found.folds} folds"
    described = {
        **manifest,
        "edges": [float(edge) for edge in found.cells.edges],
        "ages": found.ages,
        "width": found.width,
        "folds": found.folds,
        "n_patients": found.n_patients,
        "withheld": found.withheld,
    }
    folder = write_site(out, described, found.cells)
    return SiteExport(folder=folder, kind="cells", detail=detail, withheld=found.withheld, n_patients=found.n_patients)


def _send_shares(
    out: str | Path, manifest: dict[str, Any], question: Question, cells: Cells, rule: Profile
) -> SiteExport:
    withheld, n_patients, shares = {}, {}, []
    for condition in cells.conditions:
        one = compose(
            cells,
            condition=condition,
            bands=question.bands,
            design=question.design,
            target=question.target,
            level=question.level,
            seed=question.seed,
        )
        sent = _sendable(one, rule)
        n_patients[condition] = int(one.n_patients.sum())
        withheld[condition] = n_patients[condition] - int(sent.n_patients.sum())
        shares.append(_told(share_document(sent), rule))
    described = {**manifest, "edges": [], "n_patients": n_patients, "withheld": withheld, "shares": shares}
    detail = "too many cells are small, or may not be sent unrounded; the shares of men of each age band go instead"
    folder = write_site(out, described, None)
    return SiteExport(folder=folder, kind="shares", detail=detail, withheld=withheld, n_patients=n_patients)


def _told(document: dict[str, Any], rule: Profile) -> dict[str, Any]:
    """Return shares whose sentences name no small count."""
    sentences = {
        name: [without_small_counts(text, rule) for text in document[name]] for name in ("assumptions", "warnings")
    }
    return {**document, **sentences, "why": without_small_counts(document["why"], rule)}


def _sendable(one: Composition, rule: Profile) -> Composition:
    """Return the shares without the bands whose counts the profile hides, the hidden ones protecting each other.

    One composition must answer for every band, so that where thin bands fell back on another estimator that one is
    sent. Counts of validated patients are kept: they say nothing about a patient that the band's count does not, save
    where they are small themselves, and then the band goes.
    """
    whole = one if one.fallback is None else one.fallback
    people, validated = whole.n_patients, whole.n_validated
    unvalidated = people - validated
    small = rule.hides(people) | rule.is_small(validated) | rule.is_small(unvalidated)
    hidden = np.zeros_like(small)
    for column in range(2):
        amounts = np.column_stack([people[:, column], validated[:, column], unvalidated[:, column]])
        hidden[:, column] = extend_hidden(small[:, column], people[:, column], amounts, rule)
    return _rounded(without_cells(whole, _both_states(hidden)), rule)


def _both_states(hidden: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Hide a band in both disease states: another condition of the same people shows their sum."""
    either = hidden.any(axis=1, keepdims=True)
    return np.broadcast_to(either, hidden.shape).copy()


def _rounded(one: Composition, rule: Profile) -> Composition:
    """Return the composition with its counts of people rounded where the profile asks for it."""
    if rule.rounding is None:
        return one
    base = rule.rounding

    def nearest(count: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.floor(count / base + 0.5) * base)

    margins = {}
    for name in ("by_band", "overall"):
        margin = getattr(one, name)
        counts = {part: nearest(getattr(margin, part)) for part in ("n", "n_variance", "n_patients", "n_validated")}
        margins[name] = replace(margin, **counts, effective_validated=nearest(margin.effective_validated))
    return replace(one, **margins)
