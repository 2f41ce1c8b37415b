"""The wheel holds the whole house: every module, contract, template, weight and sample, and nothing of the workshop."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SHIPPED_FOLDERS = {"sexstrat/data_schemas": ROOT / "data_schemas", "sexstrat/reports": ROOT / "reports"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build the wheel from a copy of the sources, so that nothing is left behind in the checkout."""
    copy = tmp_path_factory.mktemp("wheel") / "sources"
    for folder in ("toolkit", "data_schemas", "reports"):
        copytree(ROOT / folder, copy / folder, ignore=ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        (copy / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(copy / "dist"), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = (copy / "dist").glob("*.whl")
    return zipfile.ZipFile(built)


def on_disk() -> set[str]:
    """List what must ship: every file of the library and of the two folders beside it."""
    trees = {"sexstrat": ROOT / "toolkit" / "sexstrat", **SHIPPED_FOLDERS}
    return {
        f"{prefix}/{file.relative_to(tree).as_posix()}"
        for prefix, tree in trees.items()
        for file in tree.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def test_wheel_holds_every_file_and_no_other(wheel: zipfile.ZipFile) -> None:
    """The wheel's files are those on disk, one to one."""
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert inside == on_disk()


def test_wheel_holds_what_users_rely_on(wheel: zipfile.ZipFile) -> None:
    """The type marker, contracts, templates, weights with their card, and the sample with its attribution ship."""
    names = wheel.namelist()
    assert {"sexstrat/py.typed", "sexstrat/__main__.py"} <= set(names)
    contracts = {"image", "score", "person", "condition", "standard_population", "cell", "estimate", "gap", "audit"}
    assert {f"sexstrat/data_schemas/{table}.json" for table in contracts} <= set(names)
    for folder, suffixes in {
        "sexstrat/reports": {".j2", ".css"},
        "sexstrat/models/shipped": {".npz", ".json", ".md"},
        "sexstrat/study/sample": {".jpg", ".md"},
    }.items():
        found = {Path(name).suffix for name in names if name.startswith(folder + "/")}
        assert suffixes <= found, folder


def test_wheel_is_small_enough_to_mail(wheel: zipfile.ZipFile) -> None:
    """The shipped weights stay within 8 MB, and the whole wheel within 12 MB."""
    sizes = {entry.filename: entry.file_size for entry in wheel.infolist()}
    assert sum(size for name, size in sizes.items() if name.endswith(".npz")) <= 8_000_000
    assert sum(entry.compress_size for entry in wheel.infolist()) <= 12_000_000


def test_wheel_tells_its_licence_command_and_needs(wheel: zipfile.ZipFile) -> None:
    """The metadata carry licence files, the command, and TensorFlow only behind the scoring extra."""
    (metadata_name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(wheel.read(metadata_name).decode("utf-8"))
    assert metadata["Version"] == PROJECT["project"]["version"]
    assert metadata["License-Expression"] == "Apache-2.0"
    assert set(metadata.get_all("License-File", [])) == {"LICENSE", "NOTICE"}
    needs = metadata.get_all("Requires-Dist", [])
    assert [need for need in needs if need.startswith("tensorflow") and 'extra == "scoring"' not in need] == []
    (entry_points,) = (name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt"))
    assert "sexstrat = sexstrat.__main__:main" in wheel.read(entry_points).decode("utf-8")
