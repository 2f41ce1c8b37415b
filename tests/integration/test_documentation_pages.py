"""The pages of the documentation: every command is taken as it is, every link leads somewhere, all is listed."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import typer

from sexstrat.cli.app import app
from sexstrat.study.keys import SECTIONS
from sexstrat.values.tables import table_names

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "made" not in path.parts)
FENCE = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def made() -> ModuleType:
    """Return the module that makes pages from the code."""
    return loaded("made_pages")


def loaded(name: str) -> ModuleType:
    """Return a module of the documentation."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def commands(page: Path) -> list[list[str]]:
    """Return the words of every sexstrat command that stands alone on a line of the page."""
    text = "\n".join(FENCE.findall(page.read_text(encoding="utf-8"))).replace("\\\n", " ")
    words = [shlex.split(line, comments=True) for line in text.splitlines()]
    return [one[1:] for one in words if one[:1] == ["sexstrat"]]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_of_a_page_are_those_of_this_version(page: Path) -> None:
    """Each is parsed by the command line itself; an option that does not exist would be refused."""
    for words in commands(page):
        command, rest = typer.main.get_command(app), list(words)
        while (inside := getattr(command, "commands", None)) is not None:
            command = inside[rest.pop(0)]
        assert command.make_context(command.name, rest).params, words


def test_pages_hold_commands() -> None:
    """The pages are found: a dozen commands and more stand on them."""
    assert sum(len(commands(page)) for page in PAGES) > 12


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    """A link to a file leads to a file."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).is_file(), target


def test_the_reference_is_made_of_every_command_key_table_and_name(made: ModuleType, tmp_path: Path) -> None:
    """What a reader looks up is there: options, keys, columns and public functions."""
    made.write_made_pages(tmp_path)
    page = (tmp_path / "commands.md").read_text(encoding="utf-8")
    for name in typer.main.get_command(app).commands:  # type: ignore[attr-defined]
        assert f"## sexstrat {name}" in page
    assert "`--precision`" in page
    keys = (tmp_path / "study_file.md").read_text(encoding="utf-8")
    assert all(f"| `{key}` |" in keys for section in SECTIONS.values() for key in section)
    tables = (tmp_path / "contracts.md").read_text(encoding="utf-8")
    assert all(f"\n## {name}\n" in tables for name in table_names())
    assert ".. autofunction:: sexstrat.compose" in (tmp_path / "sexstrat.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_figure_of_the_readme_is_what_its_script_draws(tmp_path: Path) -> None:
    """The figure of why is drawn from a simulated cohort, and again the same: nobody drew it by hand."""
    again = tmp_path / "why.svg"
    subprocess.run([sys.executable, str(DOCS / "why_figure.py"), str(again)], check=True, timeout=300)
    assert again.read_bytes() == (DOCS / "why.svg").read_bytes()


def test_the_reference_takes_a_meaning_for_no_type() -> None:
    """Items of parameters and errors are split in two lines; what is said elsewhere with a colon is left."""
    lines = [
        "Parameters",
        "----------",
        "a, b : two numbers.",
        "Returns",
        "-------",
        "x : y",
        "Raises",
        "------",
        "E : bad",
    ]
    expected = [*lines[:2], "a, b", "    two numbers.", *lines[3:8], "E", "    bad"]
    assert loaded("descriptions").describe(lines) == expected
