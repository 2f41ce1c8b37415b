"""What every test shares: where the real data lie, how many examples are drawn, and which skips CI forgives."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).resolve().parents[1]
FORGIVEN_SKIPS = ("shared data are absent", "no GPU")

# The everyday profile draws the same few examples each time; `make fuzz` draws many new ones (and remembers failures).
settings.register_profile(
    "everyday", derandomize=True, deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "fuzz", derandomize=False, deadline=None, max_examples=2000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("everyday")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep converted networks of the tests out of the user's cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEXSTRAT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real photographs, or skip where this machine has none."""
    folder = Path(os.environ.get("SEXSTRAT_SHARED", REPOSITORY.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip("shared data are absent: ../shared/data")
    return folder


def unforgiven_skips(config: pytest.Config) -> list[str]:
    """List the skipped tests that CI does not accept, each with its reason; none outside CI."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("SEXSTRAT_CI") != "1" or reporter is None or hasattr(config, "workerinput"):
        return []
    found = []
    for report in reporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(forgiven in reason for forgiven in FORGIVEN_SKIPS):
            found.append(f"{report.nodeid}: {reason}")
    return found


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a CI session in which a test was skipped for any other reason than absent data or GPU."""
    if unforgiven_skips(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the skips that made the session fail."""
    found = unforgiven_skips(config)
    if found:
        terminalreporter.section("skipped tests that CI does not accept", red=True)
        for line in found:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def synthetic() -> ModuleType:
    """Return the module that draws fundus-like photographs and makes a model of plain arithmetic."""
    return load_synthetic()


@pytest.fixture(scope="session")
def dicom() -> ModuleType:
    """Return the module that writes DICOM photographs."""
    return _beside("dicom_photographs")


def load_synthetic() -> ModuleType:
    """Import ``tests/synthetic_fundus.py`` by its place: tests are not a package."""
    return _beside("synthetic_fundus")


@pytest.fixture(scope="session")
def foreign_networks() -> ModuleType:
    """Import ``tests/foreign_networks.py`` by its place: tests are not a package."""
    return _beside("foreign_networks")


@pytest.fixture(scope="session")
def scored_networks() -> ModuleType:
    """Return the module of networks, arithmetic and rates that benchmarks of scoring share."""
    return _beside("scored_networks")


@pytest.fixture(scope="session")
def fuzzing() -> ModuleType:
    """Return the module that damages files and asks a separate process to take them."""
    return _beside("fuzzing")


def _beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
