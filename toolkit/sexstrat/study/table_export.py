"""Write a study's tables for others: its cells through the disclosure rule, or the patients for their owner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd

from sexstrat.cohort import Cohort
from sexstrat.disclosure.cell_release import CellRelease, release_cells
from sexstrat.disclosure.profiles import MIN_STUDY, Profile
from sexstrat.disclosure.profiles import profile as profile_by_name
from sexstrat.errors import DisclosureError
from sexstrat.study.file import Study
from sexstrat.study.predicted_ages import refuse_predicted_ages
from sexstrat.study.run import run_stages
from sexstrat.study.shared_table import Column, write_shared_table
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.logit_bins import FIXED_POINT
from sexstrat.values.tables import table_schema

__all__ = ["TableExport", "export_cells", "export_tables"]

FEW = ("condition", "recorded_sex", "site", "stratum")  # columns written as ordered categories
SEXES = ("female", "male", "other", "unknown")
FOR_THE_OWNER = "rows of patients: for the owner of the data alone, under the same rules as the source"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableExport:
    """What was written.

    Parameters
    ----------
    folder : where.
    kind : "cells" or "patients".
    detail : how coarse the cells are, or for whom the rows are.
    headline : the numbers that the R script recomputes, a row a condition.
    """

    folder: Path
    kind: str
    detail: str
    headline: list[dict[str, Any]]

    def document(self) -> dict[str, Any]:
        """Return it as plain values for ``--json``."""
        return {"folder": str(self.folder), "kind": self.kind, "detail": self.detail, "headline": self.headline}


def export_tables(
    study: Study,
    run_folder: str | Path,
    out: str | Path,
    *,
    patients_for_the_owner: bool = False,
    tell: Callable[[str], None] = lambda text: None,
) -> TableExport:
    """Write a study's cells for others to read, or, for the owner of the data who asks for it, its patients.

    Parameters
    ----------
    study : the study; its disclosure profile is the rule for cells.
    run_folder : run folder of the study; its cohort is built when it is stale.
    out : folder of the table.
    patients_for_the_owner : write a row for each patient instead, without any estimate of their sex.
    tell : called with one line a stage.

    Raises
    ------
    StudyError : cells are asked for, and ages are predicted.
    DisclosureError : fewer patients than any study may have, or no coarsening hides every small cell.
    """
    folder = Path(run_folder)
    run_stages(study, folder, ("scores", "cohort"), tell=tell)
    with Cohort.open(folder / "private" / "cohort.duckdb") as cohort:
        if patients_for_the_owner:
            return _patients(cohort, Path(out), study)
        refuse_predicted_ages(study)
        cells = cohort.cells(tuple(study.section("analysis")["conditions"]) or None)
        n_all = cohort.patient_counts()["analysed"]
    if n_all < MIN_STUDY:
        raise DisclosureError(f"a study of fewer than {MIN_STUDY} patients exports nothing, under any profile")
    rule = profile_by_name(study.section("disclosure")["profile"])
    return export_cells(cells, rule, study.bands, out, title=study.title)


def export_cells(cells: Cells, rule: Profile, bands: AgeBands, out: str | Path, *, title: str) -> TableExport:
    """Write those of the cells that may be shown, as a table for others to read.

    Parameters
    ----------
    cells : of one or more conditions.
    rule : the disclosure rule.
    bands : declared age bands.
    out : folder of the table.
    title : what the codebook calls them.

    Raises
    ------
    DisclosureError : no coarsening hides every small cell, or the rule rounds counts.

    Examples
    --------
    >>> import tempfile
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.estimates.pooling.coarse_cells import summed
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> cells = worked_cells()
    >>> tenfold = Cells(frame=summed(pd.concat([cells.frame] * 10)), edges=cells.edges)
    >>> found = export_cells(tenfold, PROFILES["us-cms-11"], worked_bands(), tempfile.mkdtemp(), title="example")
    >>> found.detail, found.headline[0]["n"]
    ('ages as the first year of their band, score bins 0.1 wide, 2 folds', 11000)
    """
    found = release_cells(cells, rule, bands)
    if found is None:
        raise DisclosureError(
            f"too many cells are small under profile {rule.name}, or it rounds counts: no cells can be exported; "
            "`sexstrat cells` sends the shares of men of each age band instead"
        )
    return _cells(found, Path(out), title, rule.name)


def _cells(found: CellRelease, out: Path, title: str, profile: str) -> TableExport:
    frame = found.cells.frame
    columns = [
        Column(name=field.name, type=field.type, description=field.description, levels=_levels(frame, field.name))
        for field in table_schema("cell").fields
    ]
    ages = "single years" if found.ages == "years" else "the first year of their band"
    detail = f"ages as {ages}, score bins {found.width:g} wide, {found.folds} folds"
    about = {
        "title": title,
        "disclosure": profile,
        "detail": detail,
        "patients": found.n_patients,
        "patients_withheld": found.withheld,
        "logit_edges": [float(edge) for edge in found.cells.edges],
        "model_id": found.cells.model_id,
    }
    headline = _headline(frame)
    values = frame.astype(object).where(frame.notna(), None)
    batch = {name: [_plain(value) for value in values[name]] for name in frame.columns}
    write_shared_table(out, "cells", columns, [batch], script=_script("cells"), headline=headline, about=about)
    return TableExport(folder=out, kind="cells", detail=detail, headline=headline)


def _headline(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return weighted prevalence and, of patients with a score, the mean probability to be a man, by condition."""
    rows = []
    for name, one in frame.groupby("condition", sort=True):
        scored = one[one["n_eyes"] > 0]
        mean = float(scored["sum_p"].sum()) / FIXED_POINT / float(scored["n"].sum()) if len(scored) else None
        prevalence = float(one.loc[one["diseased"], "sum_w"].sum() / one["sum_w"].sum())
        rows.append(
            {"condition": str(name), "n": int(one["n"].sum()), "prevalence": prevalence, "mean_prob_male": mean}
        )
    return rows


def _patients(cohort: Cohort, out: Path, study: Study) -> TableExport:
    rows = cohort.patients()
    columns = [
        Column(name=name, type=kind, description=about, levels=SEXES if name == "recorded_sex" else ())
        for name, kind, about in rows.columns
    ]
    headline = [{"condition": name, "n": n, "prevalence": share} for name, n, share in rows.prevalences()]
    batches = (batch.to_pydict() for batch in rows.batches())
    about = {"title": study.title, "detail": FOR_THE_OWNER}
    write_shared_table(out, "patients", columns, batches, script=_script("patients"), headline=headline, about=about)
    return TableExport(folder=out, kind="patients", detail=FOR_THE_OWNER, headline=headline)


def _levels(frame: pd.DataFrame, name: str) -> tuple[str, ...]:
    if name not in FEW:
        return ()
    return SEXES if name == "recorded_sex" else tuple(sorted(map(str, frame[name].dropna().unique())))


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _script(name: str) -> str:
    return files("sexstrat.reports").joinpath(f"read_{name}.R.j2").read_text(encoding="utf-8")
