"""The house on disk is the house that ships: packages, data files, and nothing foreign."""

from __future__ import annotations

import re
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import sexstrat

ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS: dict[str, Any] = PROJECT["tool"]["setuptools"]
SOURCE = ROOT / "toolkit" / "sexstrat"
DATA_FOLDERS = {"sexstrat.data_schemas": ROOT / "data_schemas", "sexstrat.reports": ROOT / "reports"}
FORBIDDEN = {
    "a machine's own folder": re.compile(r"(?<![\w.:/~-])/(?:work|root|home/\w+|Users/\w+)/"),
    "an index address": re.compile(
        r"pypi\.org/simple|files\.pythonhosted|(?<!no-emit-)index-url|find-links", re.IGNORECASE
    ),
}
TEXT_SUFFIXES = {".cff", ".css", ".csv", ".j2", ".json", ".md", ".py", ".sh", ".toml", ".txt", ".yml", ""}


def folder_of(package: str) -> Path:
    """Return where a package's files lie in the checkout."""
    return DATA_FOLDERS.get(package, ROOT / "toolkit" / Path(*package.split(".")))


def packages_on_disk() -> set[str]:
    found = {".".join(file.parent.relative_to(ROOT / "toolkit").parts) for file in SOURCE.rglob("__init__.py")}
    return found | {name for name, folder in DATA_FOLDERS.items() if (folder / "__init__.py").is_file()}


def source_modules() -> list[Path]:
    folders = [SOURCE, *DATA_FOLDERS.values(), ROOT / "analyses"]
    return sorted(file for folder in folders for file in folder.rglob("*.py"))


def committed_files() -> list[Path]:
    """List the files under version control, or every file of the checkout where it is not one."""
    if (ROOT / ".git").exists():
        listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
        paths = [ROOT / name for name in listing.stdout.decode("utf-8").split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if ".venv" not in path.parts]
    return [path for path in paths if path.is_file()]


def test_every_package_on_disk_ships_and_nothing_else() -> None:
    """The list of packages in pyproject.toml equals the folders that hold an ``__init__.py``."""
    assert set(SETUPTOOLS["packages"]) == packages_on_disk()
    assert SETUPTOOLS["packages"] == sorted(SETUPTOOLS["packages"])


def test_every_folder_with_code_is_a_package() -> None:
    """No module hides in a folder that lacks its ``__init__.py``."""
    bare = {file.parent for file in SOURCE.rglob("*.py")} - {file.parent for file in SOURCE.rglob("__init__.py")}
    assert bare == set()


def test_every_data_file_ships() -> None:
    """Each file of a package that is not Python matches a pattern of package-data."""
    left_out = [
        str(file.relative_to(ROOT))
        for package in SETUPTOOLS["packages"]
        for file in folder_of(package).iterdir()
        if file.is_file()
        and file.suffix not in {".py", ".pyc"}
        and not any(fnmatch(file.name, pattern) for pattern in SETUPTOOLS["package-data"].get(package, []))
    ]
    assert left_out == []


def test_version_is_said_once() -> None:
    """The version in pyproject.toml, the one the package tells, the citation and the changelog agree."""
    version = PROJECT["project"]["version"]
    assert sexstrat.__version__ == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_no_drawer_for_odds_and_ends() -> None:
    """No module is named utils, helpers, common or misc: a file is named for its idea."""
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    named = [file for file in source_modules() if file.stem in drawers or drawers & set(file.parent.parts)]
    assert named == []


def test_nothing_committed_names_a_machine_or_an_index() -> None:
    """The project speaks of itself alone: no absolute folder of someone's machine, no package index."""
    found = []
    for path in committed_files():
        if path.resolve() == Path(__file__).resolve() or path.suffix not in TEXT_SUFFIXES:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for what, pattern in FORBIDDEN.items():
            if match := pattern.search(text):
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{path.relative_to(ROOT)}:{line} names {what}: {match.group()}")
    assert found == []


def test_constraints_pin_every_dependency_with_hashes_and_no_address() -> None:
    """constraints.txt pins each named dependency with ==, gives hashes for each pin, and no address."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert "#" not in text
    pins = re.findall(r"^([A-Za-z0-9._-]+)==\S+(?: ;[^\\\n]*)? \\\n    --hash=sha256:", text, flags=re.MULTILINE)
    assert len(pins) == len(re.findall(r"^\S", text, flags=re.MULTILINE))
    extras = PROJECT["project"]["optional-dependencies"].values()
    named = [
        *PROJECT["project"]["dependencies"],
        *PROJECT["dependency-groups"]["dev"],
        *(name for extra in extras for name in extra),
    ]
    wanted = {re.split(r"[\[<>=~! ;]", name)[0].lower().replace("_", "-") for name in named}
    assert wanted - set(pins) == set()
