"""The switch of languages in a real Chromium: by mouse, by keyboard, for a screen reader and on paper."""

from __future__ import annotations

import io
import json

import pytest
from pypdf import PdfReader

HEADINGS = "[...document.querySelectorAll('h2')].map(e => e.innerText)"
CHOOSE = "document.getElementById('language-%s').click()"
WIDE_ELEMENTS = """
[...document.querySelectorAll('body *')].filter(e => {
  const box = e.getBoundingClientRect();
  const out = box.width > 0 && box.right > document.documentElement.clientWidth + 1;
  return out && !e.closest('.scroll, .hidden, .skip');
}).map(e => e.tagName + '.' + e.className + ' ' + Math.round(e.getBoundingClientRect().right))
"""
SQUEEZED = """
[...document.querySelectorAll('th, td, dt, figcaption, summary, h2, h3, p')].filter(e => {
  const box = e.getBoundingClientRect();
  const size = parseFloat(getComputedStyle(e).fontSize);
  return !e.closest('.hidden') && e.innerText.trim().length > 3 && box.width > 0 && box.width < 3 * size;
}).map(e => e.innerText)
"""


def names(page):
    """Return what a screen reader is told: role and name of each part that is not ignored."""
    nodes = page.send("Accessibility.getFullAXTree")["nodes"]
    heard = [node for node in nodes if not node["ignored"]]
    return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in heard]


def test_one_language_is_shown_at_a_time(tab, report_file):
    """English is shown first; choosing Japanese shows it in the place of English, and back."""
    page = tab(1280).open(report_file)
    assert "Summary" in page.ask(HEADINGS)
    page.ask(CHOOSE % "ja")
    shown = page.ask(HEADINGS)
    assert {"要約", "推定結果", "方法", "文献"} <= set(shown)
    assert not {"Summary", "Estimates", "Methods"} & set(shown)
    page.ask(CHOOSE % "en")
    assert "Summary" in page.ask(HEADINGS)


def test_keyboard_alone_changes_the_language(tab, report_file):
    """An arrow on the focused switch chooses the other language; no script of the page has a part in it."""
    page = tab(1280).open(report_file)
    page.ask("document.getElementById('language-en').focus()")
    for kind in ("keyDown", "keyUp"):
        page.send("Input.dispatchKeyEvent", type=kind, key="ArrowRight", code="ArrowRight", windowsVirtualKeyCode=39)
    assert "要約" in page.ask(HEADINGS)
    assert page.ask("document.querySelectorAll('script').length") == 0


def test_a_screen_reader_hears_the_chosen_language_only(tab, report_file):
    """Headings, tables and figures have their names in the chosen language, each part marked with its language."""
    page = tab(1280).open(report_file)
    page.ask(CHOOSE % "ja")
    heard = names(page)
    headings = [name for role, name in heard if role == "heading"]
    assert "要約" in headings
    assert "Summary" not in headings
    figures = [name for role, name in heard if role in {"image", "img"}]
    assert len(figures) > 5
    assert all(any("\u3040" <= letter <= "\u9fff" for letter in name) for name in figures), figures
    regions = [name for role, name in heard if role == "region"]
    assert any("有病率" in name for name in regions)
    assert not any("revalence" in name for name in regions)
    assert page.ask("document.querySelector('h2 span[lang=ja]').lang") == "ja"


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_layout_holds_in_japanese(tab, report_file, width):
    """Nothing is wider than the window, and no text is squeezed into a column of two letters."""
    page = tab(width).open(report_file)
    page.ask(CHOOSE % "ja")
    assert page.ask("document.documentElement.scrollWidth") == width
    assert page.ask(WIDE_ELEMENTS) == []
    assert page.ask(SQUEEZED) == []
    assert page.complaints == []


def test_paper_holds_the_chosen_language(tab, report_file):
    """What is printed is Japanese once it is chosen, without the switch and without English headings."""
    page = tab(1280).open(report_file)
    page.ask(CHOOSE % "ja")
    page.send("Emulation.setEmulatedMedia", media="print")
    shown = page.ask("document.body.innerText")
    assert "要約" in shown
    assert "Who was in, who was lost" not in shown
    assert "日本語" not in shown
    assert len(PdfReader(io.BytesIO(page.pdf())).pages) <= 40


def test_page_chooses_without_has(tab, report_file):
    """A browser that does not know :has() shows the first language alone: that rule needs nothing newer."""
    page = tab(1280).open(report_file)
    rules = page.ask(
        "JSON.stringify([...document.styleSheets[0].cssRules].map(r => r.cssText).filter(t => t.includes('span[lang')))"
    )
    plain = [rule for rule in json.loads(rules) if ":has(" not in rule and "display: none" in rule]
    assert len(plain) == 1
    assert 'html[lang="en"] span[lang="ja"]' in plain[0]
