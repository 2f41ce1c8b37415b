"""Tell the versions of what computes a study, and which stage rests on which."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

__all__ = ["package_versions", "stage_versions"]

_PACKAGES = ("numpy", "scipy", "highspy", "pandas", "duckdb", "statsmodels", "scikit-learn", "seaborn", "tensorflow")
_COMPUTES: Mapping[str, tuple[str, ...]] = {
    "scores": (),
    "cohort": ("duckdb", "pandas"),
    "estimates": ("numpy", "scipy", "pandas", "duckdb"),
    "audit": ("numpy", "scipy", "pandas", "duckdb", "statsmodels", "scikit-learn"),
    "report": ("sexstrat", "python", *_PACKAGES),  # the page prints them all
}
_SCORING = ("numpy", "tensorflow")


def package_versions() -> dict[str, str]:
    """Return the versions that a run states: of sexstrat, of Python and of the packages that compute.

    Examples
    --------
    >>> list(package_versions())[:3]
    ['sexstrat', 'python', 'numpy']
    """
    import sexstrat

    found = {"sexstrat": sexstrat.__version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def stage_versions(stage: str, *, scoring: bool) -> dict[str, str]:
    """Return the versions that a stage's result rests on.

    Parameters
    ----------
    stage : name of a stage.
    scoring : whether the run scores photographs itself.

    Examples
    --------
    >>> list(stage_versions("cohort", scoring=False)), stage_versions("scores", scoring=False)
    (['duckdb', 'pandas'], {})
    """
    names = _SCORING if stage == "scores" and scoring else _COMPUTES[stage]
    found = package_versions()
    return {name: found[name] for name in names}
