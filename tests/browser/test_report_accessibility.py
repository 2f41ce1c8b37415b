"""The page by axe-core in a real Chromium: no violation of WCAG 2.2 at level AA, day or night, English or Japanese."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AUDIT = """
axe.run(document, {runOnly: {type: 'tag', values: %s}, resultTypes: ['violations']}).then(found => JSON.stringify({
  passes: found.passes.length,
  violations: found.violations.map(one => [one.id, one.nodes.slice(0, 3).map(node => node.html.slice(0, 200))]),
}))
"""


@pytest.fixture(scope="module")
def axe() -> str:
    """Return axe-core as it comes in the package that drives it elsewhere."""
    spec = find_spec("axe_playwright_python")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name("axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("width", "dark", "language"), [(1440, False, "en"), (360, True, "en"), (1440, True, "ja"), (360, False, "ja")]
)
def test_axe_finds_no_violation(tab, report_file, axe, width, dark, language):
    """Every rule of WCAG 2.2 AA and of good practice that a program can judge holds; dozens of rules were judged."""
    page = tab(width, dark=dark).open(report_file)
    page.ask(f"document.getElementById('language-{language}').click()")
    page.ask(f"{axe};0")
    found = json.loads(page.promise(AUDIT % json.dumps(LEVELS)))
    assert found["violations"] == []
    assert found["passes"] > 30


def test_axe_would_find_one(tab, report_file, axe):
    """A picture without a name, put into the page, is found: the check can fail."""
    page = tab(768).open(report_file)
    page.ask("document.querySelector('main').append(document.createElement('img')); 0")
    page.ask(f"{axe};0")
    found = json.loads(page.promise(AUDIT.replace("values: %s", "values: ['wcag2a']")))
    assert "image-alt" in [name for name, _ in found["violations"]]
