"""Print for people on stderr and stdout, or exactly one JSON document on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

__all__ = ["emit_json", "error_document", "print_line", "print_rules", "print_table", "progress_line"]


def print_line(text: str = "", *, stream: TextIO | None = None) -> None:
    """Write one line to stdout (or another stream) whatever its encoding can hold.

    Examples
    --------
    >>> print_line("done")
    done
    """
    target = sys.stdout if stream is None else stream
    encoding = getattr(target, "encoding", None) or "utf-8"
    target.write(text.encode(encoding, errors="replace").decode(encoding) + "\n")
    target.flush()


def progress_line(text: str) -> None:
    """Write one line about progress to stderr, so that stdout stays clean for results."""
    print_line(text, stream=sys.stderr)


def emit_json(document: Mapping[str, Any]) -> None:
    """Write the one JSON document of a ``--json`` call.

    Examples
    --------
    >>> emit_json({"ok": True})
    {"ok": true}
    """
    print_line(json.dumps(document, ensure_ascii=False, default=str, allow_nan=False))


def error_document(error: BaseException, exit_code: int) -> dict[str, Any]:
    """Describe a failure as the JSON document that stands in for the result.

    Examples
    --------
    >>> error_document(ValueError("no"), 1)["error"]["message"]
    'no'
    """
    problems = [
        {name: getattr(problem, name) for name in problem.__dataclass_fields__}
        for problem in getattr(error, "problems", ())
    ]
    return {
        "ok": False,
        "exit_code": exit_code,
        "error": {"kind": type(error).__name__, "message": str(error), "problems": problems},
    }


def print_rules(rules: Iterable[Mapping[str, str]]) -> None:
    """Print declared rules, each with its outcome first.

    Examples
    --------
    >>> print_rules([{"rule": "accuracy is at least 0.9", "outcome": "pass", "note": ""}])
    rule: pass: accuracy is at least 0.9
    """
    for one in rules:
        print_line(f"rule: {one['outcome']}: {one['rule']}" + (f"; {one['note']}" if one["note"] else ""))


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]], *, numeric: Sequence[int] = ()) -> None:
    r"""Print a plain table with aligned columns; wide East Asian characters count as two.

    Parameters
    ----------
    header : column names.
    rows : the cells as text, of one line or several.
    numeric : indices of the columns to align to the right.

    Examples
    --------
    >>> print_table(["status", "n"], [["ok", "12"]], numeric=[1])
    status   n
    ok      12
    >>> print_table(["part", "AUC"], [["test", "0.70\n(0.65 to 0.75)"]])
    part  AUC
    test  0.70
          (0.65 to 0.75)
    """
    from itertools import zip_longest
    from unicodedata import east_asian_width

    def width(text: str) -> int:
        return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)

    table = [
        [list(line) for line in zip_longest(*(cell.split("\n") for cell in row), fillvalue="")]
        for row in (header, *rows)
    ]
    widths = [max(width(line[column]) for row in table for line in row) for column in range(len(header))]
    for row in (line for lines in table for line in lines):
        cells = []
        for column, text in enumerate(row):
            space = " " * (widths[column] - width(text))
            cells.append(space + text if column in numeric else text + space)
        print_line("  ".join(cells).rstrip())
