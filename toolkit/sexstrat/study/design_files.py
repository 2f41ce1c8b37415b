"""The files of a design: its figure, and the allocation as a table."""

from __future__ import annotations

from pathlib import Path

from sexstrat.errors import StudyError
from sexstrat.study.design import DesignPlan

__all__ = ["write_files"]


def write_files(plan: DesignPlan, *, figure: Path | None, out: Path | None) -> tuple[Path, ...]:
    """Write the files that were asked for; their folders are made when absent.

    Parameters
    ----------
    plan : the answer to a design request.
    figure : an .svg or .png file, or None.
    out : a CSV file for the allocation, or None.

    Returns
    -------
    The files written.

    Raises
    ------
    StudyError : a name ends otherwise, there is nothing to draw, or no allocation was asked for.

    Examples
    --------
    >>> from sexstrat.study.design import plan_design
    >>> from sexstrat.study.design_request import DesignRequest
    >>> plan = plan_design(DesignRequest(patients=2000, prevalence=0.25, ratio=1.5, aucs=(0.9,)))
    >>> write_files(plan, figure=None, out=Path("allocation.csv"))
    Traceback (most recent call last):
    sexstrat.errors.StudyError: --out: there is an allocation only when --further says how many; give it with --cells
    """
    if out is not None and plan.allocation is None:
        raise StudyError("--out: there is an allocation only when --further says how many; give it with --cells")
    if out is not None and out.suffix.lower() != ".csv":
        raise StudyError(f"--out {out.name}: must end in .csv")
    written = []
    if figure is not None:
        from sexstrat.study.design_chart import write_figure

        written.append(write_figure(plan, figure))
    if out is not None and plan.allocation is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        plan.allocation.to_frame().to_csv(out, index=False)
        written.append(out)
    return tuple(written)
