"""Write the pages of the reference that are made from the code: commands, keys of a study file, contracts, packages."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import typer

from sexstrat.cli.app import app
from sexstrat.study.keys import SECTIONS
from sexstrat.values.tables import table_names, table_schema

PACKAGES = (
    *("sexstrat", "sexstrat.images", "sexstrat.models", "sexstrat.scores", "sexstrat.cohort", "sexstrat.estimates"),
    *(
        "sexstrat.estimates.numbers",
        "sexstrat.audit",
        "sexstrat.disclosure",
        "sexstrat.simulation",
        "sexstrat.training",
    ),
    *("sexstrat.reporting", "sexstrat.study"),
)


def write_made_pages(folder: Path) -> None:
    """Write every made page into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {"commands.md": commands_page(), "study_file.md": study_page(), "contracts.md": contracts_page()}
    pages |= {f"{name}.md": package_page(name) for name in PACKAGES}
    for name, text in pages.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")


def commands_page() -> str:
    """Return the page of the command line, every option of every command."""
    lines = ["# Commands", "", "`--json` prints exactly one document on stdout, for failures too.", ""]
    root = typer.main.get_command(app)
    for words, command in _commands(root, ()):
        usage = " ".join(("sexstrat", *words))
        lines += [f"## {usage}", "", (command.help or "").split("\n\n")[0].replace("\n", " "), ""]
        rows = [_option(parameter) for parameter in command.params if parameter.name not in {"help", "version"}]
        if rows:
            lines += ["| argument | meaning |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def _commands(
    command: typer.core.TyperCommand | object, words: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], object]]:
    inside = getattr(command, "commands", None)
    if inside is None:
        yield words, command
        return
    for name in sorted(inside):
        yield from _commands(inside[name], (*words, name))


def _option(parameter: object) -> str:
    names = ", ".join(f"`{name}`" for name in getattr(parameter, "opts", ()))
    return f"| {names} | {_cell(getattr(parameter, 'help', '') or '')} |"


def study_page() -> str:
    """Return the page of the study file, every key of every section."""
    lines = ["# The study file", "", "TOML; paths are relative to the file. `sexstrat init` writes one.", ""]
    for section, keys in SECTIONS.items():
        lines += [f"## {f'[{section}]' if section else 'before the first section'}", ""]
        lines += ["| key | about | allowed | left out |", "|---|---|---|---|"]
        for key, rule in keys.items():
            default = "**required**" if rule.required else "" if rule.default is None else f"`{rule.default}`"
            lines.append(f"| `{key}` | {_cell(rule.about)} | {_cell(rule.expected)} | {default} |")
        lines.append("")
    return "\n".join(lines)


def contracts_page() -> str:
    """Return the page of the table contracts, every column of every table."""
    lines = ["# Tables", "", "The contract at each border between stages; every table carries its schema version.", ""]
    for name in table_names():
        schema = table_schema(name)
        lines += [
            f"## {name}",
            "",
            f"{schema.title}. Version {schema.version}. Key: {', '.join(schema.primary_key)}.",
            "",
        ]
        lines += ["| column | meaning | allowed |", "|---|---|---|"]
        lines += [
            f"| `{field.name}` | {_cell(field.description)} | {_cell(field.allowed)} |" for field in schema.fields
        ]
        lines.append("")
    return "\n".join(lines)


def package_page(name: str) -> str:
    """Return the page of a package: its public names with their docstrings."""
    module = importlib.import_module(name)
    lines = [f"# {name}", "", "```{eval-rst}", f".. automodule:: {name}", "", ""]
    for member in getattr(module, "__all__", ()):
        lines += [*_member(name, member, getattr(module, member)), ""]
    return "\n".join([*lines, "```", ""])


def _member(package: str, name: str, value: object) -> list[str]:
    """Return the directive of a public name; the docstring of a plain value is that of its type and says nothing."""
    again = ["   :no-index:"] if package == "sexstrat" else []  # its names are those of the packages below it
    if isinstance(value, type):
        return [f".. autoclass:: {package}.{name}", "   :members:", *again]
    return [f".. {'autofunction' if callable(value) else 'py:data'}:: {package}.{name}", *again]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
