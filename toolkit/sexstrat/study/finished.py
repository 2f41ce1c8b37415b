"""Take up what a finished run released, after its seal was checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sexstrat.errors import DisclosureError
from sexstrat.study.manifest import read_results, verify_run

if TYPE_CHECKING:
    from sexstrat.disclosure import Released

__all__ = ["finished_results"]

RESULTS = "tables/results.json"


def finished_results(folder: str | Path) -> Released:
    """Return the released results of a run folder.

    Parameters
    ----------
    folder : the run folder, or a copy of it without ``private``.

    Returns
    -------
    What the disclosure gate let through when the run was made.

    Raises
    ------
    StudyError : no finished run is there.
    DisclosureError : the results are not as the run left them, so that nobody knows whether they passed the gate.
    """
    from sexstrat.disclosure.reread import reread

    document = read_results(folder)
    found = verify_run(folder)
    if RESULTS not in found.unchanged:
        raise DisclosureError(
            f"{folder}: {RESULTS} is not as the run left it, so what it holds may not have passed the disclosure gate; "
            "run the study again"
        )
    return reread(document)
