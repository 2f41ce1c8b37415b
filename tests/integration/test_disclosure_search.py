"""Small studies at random, released: no withheld count is in a byte of it, and nobody can solve for one."""

from __future__ import annotations

import base64
import importlib.util
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pandas as pd
import pytest

from sexstrat.cli.app import run
from sexstrat.disclosure import PROFILES, Profile, Released, release
from sexstrat.disclosure.across_tables import Everything
from sexstrat.disclosure.texts import without_small_counts
from sexstrat.disclosure.withheld_together import Reader
from sexstrat.reporting import report, write_tables
from sexstrat.reporting.release_pack import write_release
from sexstrat.reporting.released_checks import check_table
from sexstrat.study import load_study
from sexstrat.study.plan import STAGES
from sexstrat.study.results import study_results
from sexstrat.study.run import run_stages
from sexstrat.values.results import StudyResults

WITHHOLDING = ("uk-5", "us-cms-11", "opensafely", "opensafely-midpoint6", "ndb-10")
STUDIES = 200
# a threshold so high that what is withheld is four digits long, which no page prints by chance
COUNT = re.compile(r"n_\w+|\w+_lost")
DISTINCTIVE = Profile(name="mine", minimum=3000, zero_allowed=True, rounding=None, source="a test")


def small_studies() -> ModuleType:
    """Return the module that writes small studies."""
    path = Path(__file__).parents[1] / "small_studies.py"
    spec = importlib.util.spec_from_file_location("small_studies", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def results(folder: Path, seed: int, scale: int = 1) -> StudyResults:
    """Return what a small study found, before the gate."""
    study = load_study(small_studies().write_small_study(folder, seed, scale=scale))
    run_stages(study, folder / "out", [name for name in STAGES if name != "report"])
    return study_results(study, folder / "out")


def tables_of(private: StudyResults) -> dict[str, pd.DataFrame]:
    """Return the tables as they come to the gate's protection, nothing withheld."""
    return release(private, "none", "nobody in it is real").tables()


def written(released: Released, folder: Path) -> list[Path]:
    """Write everything that is written for people, and return the files."""
    write_tables(released, folder / "tables")
    report(released, folder / "report.html")
    write_release(released, folder / "pack")
    return sorted(path for path in folder.rglob("*") if path.is_file())


def layers(text: str) -> Iterator[str]:
    """Yield a file's text, and every data link in it decoded."""
    yield text
    for kind, data in re.findall(r"data:([^,\"']*),([^\"')\s]*)", text):
        plain = unescape(data)
        yield base64.b64decode(unquote(plain)).decode("utf-8", "replace") if "base64" in kind else unquote(plain)


def words(markup: str) -> list[str]:
    """Return every text that a reader of a page or figure meets, those in attributes among them."""
    bare = re.sub(r"<(style|script)\b.*?</\1>", " ", markup, flags=re.DOTALL)
    attributes = re.findall(r"(?:alt|title|aria-label|content|summary)=\"([^\"]*)\"", bare)
    texts = [unescape(text).strip() for text in [*re.findall(r">([^<]+)<", bare), *attributes] if text.strip()]
    return [re.sub(r"\d+ of \d+ sizes,", "some sizes,", text) for text in texts]  # of a grid, not of people


@dataclass(frozen=True, kw_only=True)
class Searched:
    """What was found in one release."""

    withheld: int
    solved: int
    hits: tuple[str, ...]


def searched(private: StudyResults, rule: Profile, folder: Path) -> Searched:
    """Release a study, and look for its withheld counts in every byte and by linear programming."""
    tables, released = tables_of(private), release(private, rule)
    reader = Reader(Everything.of(tables), tables, released.tables(), rule)
    low, high = reader.uncovered()
    hits: list[str] = []
    if "a linear program solved" not in released.protection:
        hits.append("the tables could not be brought together")
    for path in written(released, folder):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".csv" and path.name not in {"codebook.csv", "files.csv"}:
            hits += [f"{path.name}: {check.found}" for check in check_table(text, rule) if not check.passed]
        elif path.suffix in {".html", ".svg"}:
            hits += [f"{path.name}: {one}" for one in words(text) if without_small_counts(one, rule) != one]
            for layer in list(layers(text))[1:]:
                if layer.count("\n") > 1 and "," in layer and "<" not in layer:
                    hits += [f"{path.name}: {check.found}" for check in check_table(layer, rule) if not check.passed]
        elif path.suffix == ".txt":
            hits += [f"{path.name}: {line}" for line in text.splitlines() if without_small_counts(line, rule) != line]
        elif path.name == "results.json":
            hits += [f"{path.name}: {one}" for one in small_in(json.loads(text)["tables"], rule)]
    return Searched(withheld=len(low), solved=int((low | high).sum()), hits=tuple(hits))


def small_in(tables: dict[str, dict[str, list[dict[str, object]]]], rule: Profile) -> list[str]:
    """Return the counts in a document of tables that may not be shown."""
    found = []
    for name, table in tables.items():
        for row in table["rows"]:
            for key, value in row.items():
                counted = key.startswith("n_") or (key.endswith("_lost") and value != 0)
                if counted and isinstance(value, (int, float)) and bool(rule.hides(value)):
                    found.append(f"{name} {key} {value}")
                if name == "flow" and key == "reason":
                    by_state = re.findall(r": ([\d,]+)", str(value))
                    found += [f"{name} {value}" for one in by_state if bool(rule.hides(int(one.replace(",", ""))))]
    return found


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    """Return a study of one photograph a patient."""
    return results(tmp_path_factory.mktemp("small"), 0)


@pytest.mark.parametrize("name", ["opensafely"])
def test_no_withheld_count_is_found_in_a_release(small: StudyResults, name: str, tmp_path: Path) -> None:
    """Neither in a byte of what is written, nor by solving for it."""
    found = searched(small, PROFILES[name], tmp_path)
    assert found.withheld > 50
    assert found.solved == 0
    assert found.hits == ()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(STUDIES))
def test_no_withheld_count_is_found_in_many_releases(seed: int, tmp_path: Path) -> None:
    """Two hundred studies under every profile; where nothing is withheld, everything is there."""
    private = results(tmp_path / "study", seed)
    for name in WITHHOLDING:
        found = searched(private, PROFILES[name], tmp_path / name)
        assert found.solved == 0, name
        assert found.hits == (), name
    written(release(private, "none", "nobody in it is real"), tmp_path / "none")


def forms(count: int) -> re.Pattern[str]:
    """Return the ways in which a number of four digits may be written, within no longer number or name."""
    text = str(count)
    return re.compile(rf"(?<![\w.,#-]){text[0]}[,.\u2009\u202f ]?{text[1:]}(?![\w.]|,\d)")


def distinctive(private: StudyResults, few: StudyResults, folder: Path) -> tuple[int, list[str]]:
    """Release with a high threshold, and look for every withheld number of four digits in every byte of it.

    What the release of a study of a few hundred prints with four digits are years and pages of references: no counts.
    """
    tables, released = tables_of(private), release(private, DISTINCTIVE)
    shown = {
        float(value)
        for frame in released.tables().values()
        for name in frame.select_dtypes("number").columns
        for value in frame[name].dropna()
    }
    everything = Everything.of(tables)
    _, places = everything.secret(tables, DISTINCTIVE)
    counts = set()
    for place in places:
        one = everything.statements[place]
        counts.add(one.value if one.column.startswith("(") else float(tables[one.table][one.column].iloc[one.row]))
    counted = [frame[name].dropna() for frame in tables.values() for name in frame if COUNT.fullmatch(name)]
    counts |= {float(value) for column in counted for value in column}  # those withheld to protect others, too
    constant = "\n".join(drawn_out(path) for path in written(release(few, "uk-5"), folder / "few"))
    planted = sorted(int(count) for count in counts if count >= 1000 and count not in shown)
    of_the_gate = {DISTINCTIVE.minimum - 1, sum(released.suppressed_counts.values())}  # the rule, and rows of tables
    planted = [count for count in planted if count not in of_the_gate and not forms(count).search(constant)]
    hits = []
    for path in written(released, folder / "many"):
        text = drawn_out(path)
        hits += [f"{path.name}: {count}" for count in planted if forms(count).search(text)]
    return len(planted), hits


def drawn_out(path: Path) -> str:
    """Return a file's text and all it embeds, without the coordinates of drawings."""
    coordinates = r"\b(?:d|points|transform|viewBox|x|y|x1|x2|y1|y2|width|height|style)=\"[^\"]*\""
    whole = "\n".join(layers(path.read_bytes().decode("utf-8", "replace")))
    whole = re.sub(
        r"(E1 E2 difference in SE</dt>\s*<dd>)-?\d\.\d{3}<", r"\1<", whole
    )  # in standard errors: no thousands
    return re.sub(r"%[0-9A-F]{2}", " ", re.sub(coordinates, "", whole))  # escapes: what they stand for is there as well


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_numbers_of_four_digits_are_in_no_byte(seed: int, tmp_path: Path) -> None:
    """Studies of thousands whose withheld counts no page prints by chance."""
    many, few = results(tmp_path / "many", seed, scale=30), results(tmp_path / "few", seed)
    planted, hits = distinctive(many, few, tmp_path / "out")
    assert planted > 5
    assert hits == []


def test_what_commands_print_as_a_document_tells_no_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The documents of run, report and release hold no withheld count, and ``private/`` opens to its owner alone."""
    rule, out = PROFILES["us-cms-11"], tmp_path / "out"
    study = small_studies().write_small_study(tmp_path, 0, profile=rule.name)
    for command in (
        ["run", str(study), "--out", str(out)],
        ["report", str(out)],
        ["release", str(out), "--out", str(tmp_path / "pack")],
    ):  # fmt: skip
        assert run([*command, "--json"]) == 0
        said = capsys.readouterr().out
        json.loads(said)
        assert [line for line in said.splitlines() if without_small_counts(line, rule) != line] == []
    assert (out / "private").stat().st_mode & 0o077 == 0
