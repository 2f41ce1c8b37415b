"""The commands about a study: demo, check, plan, run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sexstrat.cli.table_commands import RULE_FAILED
from sexstrat.cli.terminal import emit_json, print_line, print_rules, print_table, progress_line

if TYPE_CHECKING:
    from sexstrat.cohort.row_counts import TableRows
    from sexstrat.study.headlines import Headlines

__all__ = ["check", "demo", "plan", "register", "run"]

StudyFile = Annotated[Path, typer.Argument(help="Study file (TOML).", show_default=False)]
Out = Annotated[Path, typer.Option("--out", help="Run folder; made when absent.")]
Memory = Annotated[
    str | None, typer.Option("--memory", help="Most memory of the database, such as 4GB; it puts the rest on disk.")
]
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the tree."""
    for command in (demo, check, plan, run):
        app.command()(command)


def demo(out: Out = Path("demo-report"), json: Json = False) -> None:
    """Run the whole chain on the embedded sample and print where the report is."""
    from sexstrat.study.demo import run_demo

    summary = run_demo(out, tell=progress_line)
    if json:
        emit_json({"ok": True, **summary.document()})
        return
    _print_headlines(summary.headlines())
    print_line(f"report: {summary.report}")


def check(study: StudyFile, memory: Memory = None, json: Json = False) -> None:
    """Check a study file and every input table; all problems at once, nothing is written."""
    from sexstrat.cohort import memory_limited
    from sexstrat.study.file import load_study
    from sexstrat.study.run import check_study

    with memory_limited(memory):
        found = check_study(load_study(study))
    warnings = found.problems
    if json:
        problems = [asdict(problem) for problem in warnings]
        tables = [rows.document() for rows in found.rows]
        words = [str(problem) for problem in warnings]
        emit_json({"ok": True, "warnings": words, "problems": problems, "tables": tables})
        return
    print_table(["table", "source", "read", "accepted", "left out"], [_row_words(rows) for rows in found.rows])
    for problem in warnings:
        print_line(f"warning: {problem}")
    noun = "warning" if len(warnings) == 1 else "warnings"
    print_line(f"{study.name}: no errors, {len(warnings)} {noun}")


def plan(study: StudyFile, out: Out = Path("out"), json: Json = False) -> None:
    """Say what `run` would do, why, and roughly what it takes; nothing is written."""
    from sexstrat.study.effort import stage_effort, study_size
    from sexstrat.study.file import load_study
    from sexstrat.study.plan import plan_study

    loaded = load_study(study)
    stages, size = plan_study(loaded, out), study_size(loaded)
    efforts = {s.name: stage_effort(loaded, size, s.name) for s in stages if s.stale and size is not None}
    if json:
        rough = {name: {"seconds": round(e.seconds, 1), "megabytes": round(e.megabytes)} for name, e in efforts.items()}
        told = [{"stage": s.name, "runs": s.stale, "why": s.why, "roughly": rough.get(s.name)} for s in stages]
        emit_json({"ok": True, "stages": told})
        return
    words = {name: effort.words for name, effort in efforts.items()}
    header = ["stage", "runs", "time", "memory", "why"]
    print_table(header, [[s.name, "yes" if s.stale else "no", *words.get(s.name, ("", "")), s.why] for s in stages])
    if size is None and any(s.stale for s in stages):
        print_line("time and memory: not known, since a table does not tell how many rows it has")
    elif efforts:
        print_line("time and memory: rough, within a factor of three on a machine with nothing else to do")


def run(study: StudyFile, out: Out = Path("out"), memory: Memory = None, json: Json = False) -> None:
    """Run the stages of a study that are stale and write the released results and the report."""
    from sexstrat.cohort import memory_limited
    from sexstrat.study.file import load_study
    from sexstrat.study.run import run_study

    with memory_limited(memory):
        summary = run_study(load_study(study), out, tell=progress_line)
    rules = summary.rules()
    failed = any(rule["outcome"] == "fail" for rule in rules)
    if json:
        emit_json({"ok": not failed, **summary.document(), "rules": rules})
    else:
        _print_headlines(summary.headlines())
        print_rules(rules)
        print_line(f"report: {summary.report}")
    if failed:
        raise typer.Exit(RULE_FAILED)


def _row_words(rows: TableRows) -> list[str]:
    reasons = ", ".join(f"{kind.replace('_', ' ')}: {n:,}" for kind, n in rows.dropped.items())
    return [rows.table, rows.source, f"{rows.read:,}", f"{rows.accepted:,}", reasons or "none"]


def _print_headlines(tables: tuple[Headlines, ...]) -> None:
    for table in tables:
        print_line(table.title)
        print_line(table.scale)
        print_table(["  estimate", "ratio (interval)", "kind"], table.rows)
        print_line()
