"""The command that asks a few questions and writes a study file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sexstrat.cli.terminal import emit_json, print_line, progress_line
from sexstrat.errors import StudyError

if TYPE_CHECKING:
    from sexstrat.study.table_look import TableLook

__all__ = ["init", "register"]

_DESIGNS = {
    "random": "a random part of the patients had their sex recorded",
    "known_probability": "the probability that it was recorded is in the person table (validation_probability)",
    "modelled": "it depends on age, disease or the score, and on nothing else",
    "may_depend_on_sex": "it may depend on sex itself",
    "external": "it is known only for other people, scored by the same model",
    "none": "it is known for nobody",
}
_CONTRACTS = {"persons": "person", "scores": "score", "images": "image", "conditions": "condition"}


def register(app: typer.Typer) -> None:
    """Add this command to the tree."""
    app.command()(init)


def init(
    study: Annotated[Path, typer.Argument(help="Study file to write; it must not be there yet.")] = Path("study.toml"),
    title: Annotated[str | None, typer.Option("--title", help="Title of the report.")] = None,
    persons: Annotated[Path | None, typer.Option("--persons", help="Person table, CSV or Parquet.")] = None,
    sex_coding: Annotated[
        str | None, typer.Option("--sex-coding", help="Name of a coding, or pairs such as 1=male,2=female.")
    ] = None,
    scores: Annotated[Path | None, typer.Option("--scores", help="Score table.")] = None,
    images: Annotated[Path | None, typer.Option("--images", help="Photographs to score, in place of scores.")] = None,
    conditions: Annotated[Path | None, typer.Option("--conditions", help="Condition table.")] = None,
    design: Annotated[str | None, typer.Option("--design", help="How sex came to be recorded.")] = None,
    bands: Annotated[str | None, typer.Option("--bands", help="First years of the age bands.")] = None,
    profile: Annotated[str | None, typer.Option("--profile", help="Disclosure profile.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why profile 'none' is right for these data.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Take every proposal and ask nothing.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print exactly one JSON document on stdout; asks nothing.")
    ] = False,
) -> None:
    """Ask a few questions and write a commented study file that runs."""
    from sexstrat.study.drafting import draft_study
    from sexstrat.study.file import load_study

    if study.exists():
        raise StudyError(f"{study} is there already; give another name, or move it away first")
    ask = _Asking(silent=yes or json)
    answers: dict[str, dict[str, Any]] = {"": {"title": ask.text("Title of the report", title, "--title")}}
    answers["persons"] = _persons(ask, study, persons, sex_coding)
    answers |= _photographs(ask, study, scores, images)
    answers["conditions"] = _table(ask, study, "conditions", ask.path("Condition table", conditions, "--conditions"))
    answers["validation"] = {"design": ask.choice("How did sex come to be recorded?", design, "--design", _DESIGNS)}
    if answers["validation"]["design"] == "external":
        for kind in ("persons", "scores", "conditions"):
            path = ask.path(f"{kind.capitalize()} of the other cohort", None, "an interactive answer")
            answers[f"external_{kind}"] = _table(ask, study, kind, path)
    answers["analysis"] = _bands(ask.text("First years of the age bands", bands, "--bands", "20,30,40,50,60,70,80"))
    answers["disclosure"] = _disclosure(ask, profile, reason)
    study.parent.mkdir(parents=True, exist_ok=True)
    study.write_text(draft_study(answers, name=study.name), encoding="utf-8", newline="\n")
    try:
        load_study(study)
    except StudyError:  # answers that contradict each other leave no file
        study.unlink()
        raise
    if json:
        emit_json({"ok": True, "study": str(study), "answers": answers})
        return
    print_line(f"written: {study}")
    print_line(f"next: sexstrat check {study}, then sexstrat run {study} --out out")


class _Asking:
    """Ask on the terminal for what no option gave; when silent, take the proposal or say which option is missing."""

    def __init__(self, *, silent: bool) -> None:
        self.silent = silent

    def text(self, question: str, given: str | None, option: str, proposal: str | None = None) -> str:
        """Return what the option gave, else the answer, else the proposal; name the option where there is none."""
        if given is not None:
            return given
        if not self.silent:
            return str(typer.prompt(question, default=proposal, err=True))
        if proposal is None:
            raise StudyError(f"{question.lower()}: not given; allowed: {option}")
        return proposal

    def path(self, question: str, given: Path | None, option: str) -> Path:
        """Return a path, asked for as a text."""
        return Path(self.text(question, None if given is None else str(given), option))

    def choice(
        self, question: str, given: str | None, option: str, allowed: Mapping[str, str], proposal: str | None = None
    ) -> str:
        """Return one of the allowed words, their meanings shown before the question."""
        if given is None and not self.silent:
            for name, meaning in allowed.items():
                progress_line(f"  {name}: {meaning}")
        chosen = self.text(question, given, option, proposal)
        if chosen not in allowed:
            raise StudyError(f"{option}: found {chosen!r}; allowed: {', '.join(allowed)}")
        return chosen


def _table(ask: _Asking, study: Path, kind: str, path: Path) -> dict[str, Any]:
    """Look at a table and have the proposed columns confirmed."""
    from sexstrat.study.table_look import look_at_table, proposed_columns

    look = look_at_table(path)
    answers: dict[str, Any] = {"source": _beside(study, path)}
    proposed = proposed_columns(_CONTRACTS[kind], look.columns)
    if proposed and not ask.silent:
        progress_line(f"{path.name} has the columns {', '.join(look.columns)}")
        proposed = {
            name: column
            for name, column in proposed.items()
            if typer.confirm(f"  is {column!r} the column {name}?", default=True, err=True)
        }
    if proposed:
        answers["columns"] = proposed
    if path.suffix.lower() != ".parquet":
        answers |= {"encoding": look.encoding} if look.encoding != "utf-8" else {}
        answers |= {"delimiter": look.delimiter} if look.delimiter != "," else {}
    return answers


def _persons(ask: _Asking, study: Path, path: Path | None, coding: str | None) -> dict[str, Any]:
    from sexstrat.study.table_look import look_at_table

    table = ask.path("Person table", path, "--persons")
    answers = _table(ask, study, "persons", table)
    column = answers.get("columns", {}).get("recorded_sex", "recorded_sex")
    look = look_at_table(table)
    if column not in look.columns:
        raise StudyError(f"{table.name}: no column of recorded sex; its columns: {', '.join(look.columns)}")
    return answers | _coding(ask, look, column, coding)


def _coding(ask: _Asking, look: TableLook, column: str, given: str | None) -> dict[str, Any]:
    """Have the coding of recorded sex declared: it is shown, never guessed."""
    from sexstrat.cohort.sex_coding import CODINGS, SEX_WORDS, SexCoding

    values = look.values(column)
    if given is None and set(values) - {""} <= set(SEX_WORDS):
        return {}
    if given is None and not ask.silent:
        progress_line(f"values of {column}: {', '.join(repr(value) for value in values)}")
    shown = f"--sex-coding {' | '.join(CODINGS)}, or pairs such as 1=male,2=female"
    text = ask.text("How is recorded sex coded? (a name, or pairs such as 1=male,2=female)", given, shown)
    coding: Any = text
    if "=" in text:
        coding = {left.strip(): right.strip() for left, _, right in (pair.partition("=") for pair in text.split(","))}
    SexCoding.declared(coding)  # refuses unknown names and words
    return {"sex_coding": coding}


def _photographs(ask: _Asking, study: Path, scores: Path | None, images: Path | None) -> dict[str, dict[str, Any]]:
    if scores is not None and images is not None:
        raise StudyError("--scores and --images: give one of the two, scores already made or photographs to score")
    if images is None and scores is None:
        kinds = {"scores": "a score table is there", "images": "photographs are still to be scored"}
        kind = "scores" if ask.silent else ask.choice("Scores or photographs?", None, "--scores", kinds, "scores")
        path = ask.path("Score table" if kind == "scores" else "Folder or list of photographs", None, f"--{kind}")
        scores, images = (path, None) if kind == "scores" else (None, path)
    if images is None:
        return {"scores": _table(ask, study, "scores", Path(str(scores)))}
    if not images.exists():
        raise StudyError(f"{images}: no such file or folder")
    return {"images": {"source": _beside(study, images)}}


def _bands(text: str) -> dict[str, Any]:
    try:
        return {"age_bands": [int(word) for word in text.split(",")]}
    except ValueError:
        raise StudyError(f"--bands: found {text!r}; allowed: whole years with commas, such as 20,40,60") from None


def _disclosure(ask: _Asking, profile: str | None, reason: str) -> dict[str, Any]:
    from sexstrat.disclosure.profiles import PROFILES

    about = {name: one.source for name, one in PROFILES.items()}
    chosen = ask.choice("Disclosure profile", profile, "--profile", about, "uk-5")
    if chosen != "none":
        return {"profile": chosen}
    return {"profile": chosen, "reason": ask.text("Why is 'none' right for these data?", reason or None, "--reason")}


def _beside(study: Path, path: Path) -> str:
    """Return a path relative to the study file's folder where it lies below it, else as a whole."""
    whole, folder = path.resolve(), study.resolve().parent
    return whole.relative_to(folder).as_posix() if whole.is_relative_to(folder) else whole.as_posix()
