"""What a package says it exports can be imported from it, and every module stands without TensorFlow."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"][
    "packages"
]

IMPORT_ALL_WITHOUT_SCORING = """
import importlib, pkgutil, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"tensorflow", "keras", "openvino", "h5py", "pydicom", "distributed", "dask"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
import sexstrat
for found in pkgutil.walk_packages(sexstrat.__path__, "sexstrat."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
        print(found.name)
"""


@pytest.mark.parametrize("package", PACKAGES)
def test_every_exported_name_exists_once(package: str) -> None:
    """Each name in a package's ``__all__`` is there, and is listed once, in order."""
    module = import_module(package)
    names = list(getattr(module, "__all__", []))
    assert [name for name in names if not hasattr(module, name)] == []
    assert len(names) == len(set(names))


def test_an_unknown_name_lists_what_there_is() -> None:
    """Asking the package for a name it lacks names those it has."""
    with pytest.raises(AttributeError, match="Cohort"):
        import_module("sexstrat").no_such_thing  # noqa: B018


def test_every_module_imports_without_the_scoring_extra() -> None:
    """The core install is enough to import every module: TensorFlow and its kind are asked for when used."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL_WITHOUT_SCORING], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "sexstrat.values.cells" in done.stdout.split()
