"""Write the pack that an output checker looks through: tables, figures, text, codebook, and what each file holds."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from sexstrat.errors import DisclosureError
from sexstrat.reporting.csv_text import csv_text
from sexstrat.reporting.gate import must_be_released
from sexstrat.reporting.headline import Headline, headlines
from sexstrat.reporting.methods import methods
from sexstrat.reporting.page import page
from sexstrat.reporting.page_parts import page_figures, page_tables
from sexstrat.reporting.references import cited
from sexstrat.reporting.released_checks import FileCheck, check_table
from sexstrat.reporting.rows import Rows
from sexstrat.reporting.summary import summary
from sexstrat.reporting.tables import CONTRACTS, write_tables
from sexstrat.reporting.texts import STATE_MEANINGS
from sexstrat.scores.replacing import refusal_told
from sexstrat.values.tables import table_schema

if TYPE_CHECKING:
    from sexstrat.disclosure import Released

__all__ = ["PackedFile", "write_release"]

_ROUNDED_TOLERANCE, _TOLERANCE = "0.05", "1e-8"  # profiles that round coarsen recorded shares as well


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedFile:
    """One file of a release.

    Parameters
    ----------
    path : where it lies in the pack.
    holds : what it holds, in a sentence.
    rows : rows of a table; None for other files.
    suppressed : rows of it that the gate suppressed; None for other files.
    checks : what was looked for in its bytes.
    sha256 : its digest.
    """

    path: str
    holds: str
    rows: int | None
    suppressed: int | None
    checks: tuple[FileCheck, ...]
    sha256: str

    def row(self) -> dict[str, str | int | None]:
        """Return the file as a row of ``files.csv``."""
        passed = "; ".join(check.name for check in self.checks if check.passed)
        return {
            "file": self.path,
            "holds": self.holds,
            "rows": self.rows,
            "suppressed_rows": self.suppressed,
            "checks_passed": passed or "made of the released tables alone",
            "sha256": self.sha256,
        }


def write_release(released: Released, folder: str | Path) -> tuple[PackedFile, ...]:
    """Write the release pack of a study.

    ``tables/`` holds every released table as CSV, ``figures/`` each figure of the page as SVG and, as CSV, the rows
    that each figure and table of the page shows; ``summary.txt`` what the page says in words; ``codebook.csv`` every
    column; ``recompute.R`` recomputes the headline numbers from ``tables/estimates.csv``; ``files.csv`` states for
    each file what it holds and which checks its bytes passed. Nothing else is in the pack.

    Parameters
    ----------
    released : what the disclosure gate let through.
    folder : where to write; it must be absent or empty.

    Returns
    -------
    The files, as stated in ``files.csv``.

    Raises
    ------
    DisclosureError : the results did not pass the gate, or a file does not pass the checks of its bytes; then nothing
        is left in the folder.
    """
    must_be_released(released)
    root = Path(folder)
    with refusal_told(root):
        if root.exists() and any(root.iterdir()):
            raise DisclosureError(f"{root} is not empty; a release holds nothing but its own files: give a new folder")
        root.mkdir(parents=True, exist_ok=True)
        try:
            return _packed_all(released, root)
        except BaseException:
            for path in sorted(root.rglob("*"), reverse=True):  # half a pack is none, and the folder can be given again
                path.rmdir() if path.is_dir() else path.unlink()
            raise


def _packed_all(released: Released, root: Path) -> tuple[PackedFile, ...]:
    write_tables(released, root / "tables")
    (root / "tables" / "results.json").unlink()  # for programs; an output checker reads tables
    text = page(released)
    estimates = Rows.of(released.estimates, "estimate")
    leads = headlines(estimates, released.choices)
    written = {f"figures/{name}.svg": svg for name, svg in page_figures(text).items()}
    written |= {f"figures/{name}": table for name, table in page_tables(text).items()}
    written |= {"summary.txt": _summary(released, estimates, leads), "codebook.csv": _codebook()}
    written["recompute.R"] = _r_script(released, leads)
    for name, content in written.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="\n")
    return _stated(released, root)


def _stated(released: Released, root: Path) -> tuple[PackedFile, ...]:
    """Check every file and write ``files.csv``; a file that fails stops the release."""
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    packed = tuple(_packed(path, root, released) for path in paths)
    failed = [f"{one.path}: {check.name}: {check.found}" for one in packed for check in one.checks if not check.passed]
    if failed:
        raise DisclosureError("nothing was released: " + "; ".join(failed))
    (root / "files.csv").write_text(csv_text([one.row() for one in packed]), encoding="utf-8", newline="\n")
    return packed


def _packed(path: Path, root: Path, released: Released) -> PackedFile:
    data = path.read_bytes()
    name = path.relative_to(root).as_posix()
    table = path.suffix == ".csv" and name != "codebook.csv"
    text = data.decode("utf-8")
    rows = text.splitlines()
    return PackedFile(
        path=name,
        holds=_holds(path, name, text),
        rows=len(rows) - 1 if table else None,
        suppressed=sum(",suppressed" in row for row in rows) if table else None,
        checks=check_table(text, released.profile) if table else (),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _holds(path: Path, name: str, text: str) -> str:
    if path.suffix == ".svg":
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.DOTALL)
        return f"Figure: {unescape(title[1])}" if title else "Figure"
    if name.startswith("tables/"):
        return table_schema(CONTRACTS[path.stem]).title
    if name.startswith("figures/"):
        return "Rows that a figure or table of the page shows"
    return {
        "summary.txt": "The page's summary, methods, disclosure statement and references as text",
        "codebook.csv": "Every column of every table: type, meaning, allowed values",
        "recompute.R": "Base R that recomputes the headline numbers from tables/estimates.csv",
    }[name]


def _summary(released: Released, estimates: Rows, leads: Sequence[Headline]) -> str:
    paragraphs = methods(released, estimates, leads)
    works = cited([key for paragraph in paragraphs for key in paragraph.works])
    lines = [released.title, "", *released.notices, "", "SUMMARY", *summary(leads, released), "", "METHODS"]
    for paragraph in paragraphs:
        lines += ["", paragraph.heading, paragraph.text, *(f"- {point}" for point in paragraph.points)]
    lines += ["", "DISCLOSURE CONTROL", released.protection, *(f"Left out: {name}" for name in released.left_out)]
    lines += ["", "WHAT A CELL MEANS", *(f"{word}: {meaning}" for word, meaning in STATE_MEANINGS)]
    lines += ["", "REFERENCES", *(f"{work.number}. {work.text} {work.url}".rstrip() for work in works)]
    lines += ["", "PROVENANCE", json.dumps(released.provenance, ensure_ascii=False, indent=1, default=str)]
    return "\n".join(lines) + "\n"


def _codebook() -> str:
    rows = [
        {
            "table": name,
            "column": field.name,
            "type": field.type,
            "meaning": field.description,
            "allowed": field.allowed,
        }
        for name, contract in CONTRACTS.items()
        for field in table_schema(contract).fields
    ]
    own = {"withheld": "columns that disclosure control emptied in this row"}
    own["value_state"] = "what the first number of the row is: shown, zero, suppressed, missing or undefined"
    rows += [
        {"table": "every table", "column": name, "type": "string", "meaning": text, "allowed": ""}
        for name, text in own.items()
    ]
    return csv_text(rows)


def _r_script(released: Released, leads: Sequence[Headline]) -> str:
    template = files("sexstrat.reports").joinpath("recompute.R.j2").read_text(encoding="utf-8")
    named = [lead for lead in leads if lead.estimator is not None]
    values = {
        "conditions": ", ".join(_r_text(lead.condition) for lead in named),
        "estimators": ", ".join(_r_text(str(lead.estimator)) for lead in named),
        "standards": ", ".join(_r_text(lead.standard) for lead in named),
        "tolerance": _ROUNDED_TOLERANCE if released.profile.rounding else _TOLERANCE,
    }
    for name, value in values.items():
        template = template.replace("{{ " + name + " }}", value)
    return template


def _r_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=True)  # R reads JSON's escapes, \\u among them
