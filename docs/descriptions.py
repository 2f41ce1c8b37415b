"""Read ``name : meaning`` in docstrings as a name and its meaning, and signatures that hold what is no expression."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["describe", "setup"]

SECTIONS = ("Parameters", "Attributes", "Raises")
ITEM = re.compile(r"(?P<indent> *)(?P<names>\S[^:]*?) : (?P<meaning>\S.*)")
UNREADABLE = re.compile(r"<factory>|<[^<>]* at 0x[0-9a-f]+>")  # defaults that cannot be read as code
UNDERLINE = re.compile(r" *-{3,} *")


def describe(lines: list[str]) -> list[str]:
    """Return the lines with the meaning of each item below its name, where the builder looks for it."""
    found: list[str] = []
    section = ""
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if UNDERLINE.fullmatch(following) and line.strip():
            section = line.strip()
        item = ITEM.fullmatch(line) if section in SECTIONS else None
        if item is None:
            found.append(line)
        else:
            found += [item["indent"] + item["names"], f"{item['indent']}    {item['meaning']}"]
    return found


def setup(app: Any) -> dict[str, bool]:
    """Run before the reader of sections, which would take a meaning for a type; types stand in signatures alone."""

    def process(_app: Any, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
        lines[:] = describe(lines)

    def sign(*given: Any) -> tuple[str | None, str | None]:
        signature, returned = given[5], given[6]
        return (None if signature is None else UNREADABLE.sub("...", signature)), returned

    app.connect("autodoc-process-docstring", process, priority=100)
    app.connect("autodoc-process-signature", sign)
    return {"parallel_read_safe": True}
