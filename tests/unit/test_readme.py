"""What the README says is there, is there."""

from __future__ import annotations

import re
from pathlib import Path

import typer.main

from sexstrat.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_command_table_lists_the_commands_there_are() -> None:
    """The README's table names every command of the command line, and no other."""
    told = set(re.findall(r"^\| `sexstrat (\w+)", README, flags=re.MULTILINE))
    assert told == set(typer.main.get_command(app).commands)


def test_make_targets_named_in_the_documents_exist() -> None:
    """Each ``make target`` in README and CONTRIBUTING is a target of the Makefile."""
    text = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", text, flags=re.MULTILINE))
    assert {"demo", "test", "check"} <= named
    assert named - targets == set()


def test_links_between_documents_lead_somewhere() -> None:
    """Each relative link of the documents names a file or folder of the project."""
    broken = []
    for document in ROOT.glob("*.md"):
        for link in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            if "://" not in link and not (ROOT / link).exists():
                broken.append(f"{document.name}: {link}")
    assert broken == []
