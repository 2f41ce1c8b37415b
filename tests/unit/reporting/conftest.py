"""Invented results, released once, and the page made of them."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sexstrat.disclosure import Released, release
from sexstrat.reporting import page


def _example() -> Callable[..., Any]:
    path = Path(__file__).with_name("example_results.py")
    spec = importlib.util.spec_from_file_location("reporting_example_results", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.example_results


@pytest.fixture(scope="session")
def example() -> Callable[..., Any]:
    """Return the maker of invented results."""
    return _example()


@pytest.fixture(scope="session")
def released(example: Callable[..., Any]) -> Released:
    """Return two invented conditions with truth, all four states among their ages, through the gate."""
    return release(example(), "uk-5")


@pytest.fixture(scope="session")
def page_text(released: Released) -> str:
    """Return the page of the invented study."""
    return page(released)
