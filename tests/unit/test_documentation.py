"""Every module is short, every public name is told in words, and every public function is shown or tried somewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("toolkit/sexstrat", "data_schemas", "reports", "analyses")
LONGEST_MODULE, LONGEST_BODY = 300, 50  # lines; a body is counted without its docstring

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules(*folders: str, root: Path = ROOT) -> list[Path]:
    return sorted(file for folder in folders for file in (root / folder).rglob("*.py"))


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def exported(tree: ast.Module) -> list[str]:
    """Return the names in ``__all__``; none where a module has no such list."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            assert isinstance(node, ast.Assign | ast.AnnAssign)
            assert node.value is not None
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


def public(file: Path) -> Iterator[Function | ast.ClassDef]:
    """Give the functions and classes that a module defines and names in ``__all__``."""
    tree = parsed(file)
    names = exported(tree)
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) and node.name in names:
            yield node


def command_words(node: ast.List) -> list[str]:
    """Return the command that a list of words calls: its first word, or the one after ``sexstrat``."""
    words = [one.value if isinstance(one, ast.Constant) else None for one in node.elts]
    after = words.index("sexstrat") + 1 if "sexstrat" in words else 0
    return [word for word in words[after : after + 1] if isinstance(word, str)]


def imported_or_commanded(tests: list[Path]) -> set[str]:
    """Return what tests take from sexstrat by name, and the commands they call.

    An import counts, since the linter lets none stand unused; so does an attribute of something imported, such as
    ``score.score_images``. A bare word in a text does not: ``fit`` is said in many a sentence.
    """
    found: set[str] = set()
    for file in tests:
        own: set[str] = set()
        for node in ast.walk(parsed(file)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sexstrat":
                found |= {alias.name for alias in node.names}
                own |= {alias.asname or alias.name for alias in node.names}
            elif isinstance(node, ast.Import):
                own |= {alias.asname or "sexstrat" for alias in node.names if alias.name.split(".")[0] == "sexstrat"}
        for node in ast.walk(parsed(file)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in own:
                found.add(node.attr)
            elif isinstance(node, ast.List):
                found |= {f"$ {word}" for word in command_words(node)}
    return found


def too_long(files: list[Path], root: Path = ROOT) -> list[str]:
    lengths = {file: file.read_bytes().count(b"\n") for file in files}
    return [f"{file.relative_to(root)}: {n} lines" for file, n in lengths.items() if n > LONGEST_MODULE]


def long_bodies(files: list[Path], root: Path = ROOT) -> list[str]:
    found = []
    for file in files:
        for node in ast.walk(parsed(file)):
            if not isinstance(node, Function):
                continue
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            length = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            if length > LONGEST_BODY:
                found.append(f"{file.relative_to(root)}: {node.name} has a body of {length} lines")
    return found


def undocumented(files: list[Path], root: Path = ROOT) -> list[str]:
    bare = [f"{file.relative_to(root)}: the module" for file in files if not ast.get_docstring(parsed(file))]
    return bare + [
        f"{file.relative_to(root)}: {node.name}"
        for file in files
        for node in public(file)
        if not (ast.get_docstring(node) or "").strip()
    ]


def never_shown(files: list[Path], tests: list[Path], root: Path = ROOT) -> list[str]:
    """Name the public functions with neither a doctest nor a test that takes them by name."""
    tried = imported_or_commanded(tests)
    found = []
    for file in files:
        for node in public(file):
            if isinstance(node, ast.ClassDef) or ">>> " in (ast.get_docstring(node) or ""):
                continue
            as_command = file.parent.name == "cli" and f"$ {node.name}" in tried
            if node.name not in tried and not as_command:
                found.append(f"{file.relative_to(root)}: {node.name}")
    return found


def all_tests() -> list[Path]:
    return modules("tests")


def test_no_module_is_longer_than_300_lines() -> None:
    """One idea a file: a module that outgrows 300 lines is split."""
    assert modules(*FOLDERS)
    assert too_long(modules(*FOLDERS)) == []


def test_no_function_body_is_longer_than_50_lines() -> None:
    """A function that outgrows 50 lines does more than one thing."""
    assert long_bodies(modules(*FOLDERS)) == []


def test_every_module_and_every_public_name_is_told_in_words() -> None:
    """Each module, and each function and class in its ``__all__``, has a docstring."""
    assert undocumented(modules(*FOLDERS)) == []


def test_every_public_function_is_shown_or_tried() -> None:
    """Each public function has a doctest, or a test that takes it by name where a model or files are needed."""
    assert never_shown(modules("toolkit/sexstrat"), all_tests()) == []


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a small house in which every rule is broken once and kept once."""
    lines = "    x = 1\n" * (LONGEST_BODY + 1)
    module = (
        '__all__ = ["Bare", "bare", "shown", "tried", "untried"]\n'
        "class Bare:\n    pass\n"
        "def bare():\n    return 1\n"
        'def shown():\n    """Show.\n\n    >>> 1\n    1\n    """\n'
        'def tried():\n    """Try."""\n'
        f'def untried():\n    """Try."""\n{lines}'
        "def _private():\n    return 1\n"
    )
    (tmp_path / "broken.py").write_text(module, encoding="utf-8")
    (tmp_path / "kept.py").write_text('"""Long enough."""\n' * LONGEST_MODULE, encoding="utf-8")
    (tmp_path / "long.py").write_text('"""Too long."""\n' * (LONGEST_MODULE + 1), encoding="utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text(
        "from sexstrat.broken import bare, tried\nfrom elsewhere import untried\ntext = 'untried'\n", encoding="utf-8"
    )
    return tmp_path


def test_each_rule_can_be_broken(house: Path) -> None:
    """A long module, a long body, a bare name and an untried function are each found and named with their file."""
    files = [house / "broken.py", house / "kept.py", house / "long.py"]
    assert too_long(files, house) == ["long.py: 301 lines"]
    assert long_bodies(files, house) == ["broken.py: untried has a body of 51 lines"]
    assert undocumented(files, house) == ["broken.py: the module", "broken.py: Bare", "broken.py: bare"]
    assert never_shown(files, [house / "tests" / "test_it.py"], house) == ["broken.py: untried"]
