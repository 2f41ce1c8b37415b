"""The page in a real Chromium: nothing leaves the machine, nothing sticks out, nothing is lost on paper."""

from __future__ import annotations

import io
import time

import pytest
from pypdf import PdfReader

WIDE_ELEMENTS = """
[...document.querySelectorAll('body *')].filter(e => {
  const box = e.getBoundingClientRect();
  const out = box.width > 0 && box.right > document.documentElement.clientWidth + 1;
  return out && !e.closest('.scroll, .hidden, .skip');
}).map(e => e.tagName + '.' + e.className + ' ' + Math.round(e.getBoundingClientRect().right))
"""
SMALLEST_TEXT = """
Math.min(...[...document.querySelectorAll('svg text')].filter(e => e.getBoundingClientRect().width > 0).map(e => {
  const svg = e.closest('svg');
  return parseFloat(getComputedStyle(e).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
}))
"""
CUT_TEXT = """
[...document.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().width > 0).flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(e => {
    const box = e.getBoundingClientRect();
    const across = box.left < frame.left - 1 || box.right > frame.right + 1;
    return across || box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
  }).map(e => e.textContent);
})
"""
CONTRAST = """
(() => {
  const level = c => { const v = c.match(/[\\d.]+/g).slice(0, 3).map(x => { x /= 255;
    return x <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4; });
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
  const paper = level(getComputedStyle(document.body).backgroundColor);
  return ['body', '.note', 'figcaption', '.contents a', 'main a', 'td .under'].map(name => {
    const ink = level(getComputedStyle(document.querySelector(name)).color);
    return (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05);
  });
})()
"""


@pytest.mark.parametrize("width", [400, 768, 1280])
def test_page_stays_on_the_machine_and_in_its_window(tab, report_file, width):
    """No request but the file itself, no complaint in the console, and nothing wider than the window."""
    page = tab(width).open(report_file)
    assert page.ask("document.documentElement.scrollWidth") == width
    assert page.ask(WIDE_ELEMENTS) == []
    assert page.ask("window.ran") is None
    assert page.ask("document.querySelectorAll('script').length") == 0
    outside = [address for address in page.requests if not address.startswith(("file:", "data:", "about:"))]
    assert outside == []
    assert report_file.as_uri() in page.requests
    assert page.complaints == []


@pytest.mark.parametrize("width", [400, 1280])
def test_figures_are_legible_and_whole(tab, report_file, width):
    """No text in a figure is cut at its edge or drawn smaller than 9 pixels."""
    page = tab(width).open(report_file)
    assert page.ask(CUT_TEXT) == []
    assert page.ask(SMALLEST_TEXT) >= 9


@pytest.mark.parametrize("dark", [False, True])
def test_text_is_readable_by_day_and_by_night(tab, report_file, dark):
    """All text has a contrast of at least 4.5 to the paper, in light and in dark mode."""
    page = tab(1280, dark=dark).open(report_file)
    assert min(page.ask(CONTRAST)) >= 4.5
    ink = "getComputedStyle(document.querySelector('svg text')).fill"
    assert page.ask(ink) == page.ask("getComputedStyle(document.body).color")


def test_policy_of_the_page_blocks_what_it_does_not_need(tab, report_file):
    """Had something slipped in, the page's own policy would stop it: no request leaves, whatever is added."""
    page = tab(1280).open(report_file)
    page.ask("document.body.append(Object.assign(new Image(), {src: 'https://example.org/x.png'}))")
    end = time.monotonic() + 10
    while not (page.complaints and page.blocked) and time.monotonic() < end:
        page.ask("0")
        time.sleep(0.05)
    assert any("Content Security Policy" in text for text in page.complaints)
    assert page.blocked == {"https://example.org/x.png": "csp"}


def printed(page):
    """Return the pages of a tab on paper, and their text."""
    reader = PdfReader(io.BytesIO(page.pdf()))
    return reader.pages, " ".join(word for one in reader.pages for word in one.extract_text().split())


def test_paper_holds_every_section_on_few_pages(tab, report_file):
    """Three diseases on at most 25 pages: every section, and what stays folded is named, with what to do about it."""
    pages, text = printed(tab(1280).open(report_file))
    for words in (
        "This cohort is simulated", "Summary", "Who was in, who was lost", "The same as a table",
        "by age and sex, as a table", "Gaps between groups", "References", "Rubin DB",
        "(folded: on paper only when",
    ):  # fmt: skip
        assert words in text, words
    assert float(pages[0].mediabox.width) == pytest.approx(595, abs=2)
    assert 5 <= len(pages) <= 25


def test_paper_holds_everything_that_was_opened(tab, report_file):
    """Whoever opens the folded tables first has them on paper too, to their last rows."""
    page = tab(1280).open(report_file)
    page.ask("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    _, text = printed(page)
    for words in (
        "This cohort is simulated", "Summary", "Who was in, who was lost", "Patients and photographs at every step",
        "prevalence by age and sex", "Gaps between groups", "Schema version", "References", "Rubin DB",
    ):  # fmt: skip
        assert words in text, words
    assert "(folded" not in text


def test_no_table_is_cut_on_paper(tab, report_file):
    """On the width of an A4 page between its margins no table or figure sticks out, folded away or not."""
    page = tab(680).open(report_file)  # 180 mm at 96 pixels an inch
    page.send("Emulation.setEmulatedMedia", media="print")
    page.ask("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert page.ask("matchMedia('print').matches") is True
    assert page.ask(WIDE_ELEMENTS.replace(".scroll, ", "")) == []
    cut = "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
    assert page.ask(cut) == 0


def test_a_table_can_be_saved_from_the_page(tab, report_file):
    """The CSV links of the page hold the rows of their table, without any network."""
    page = tab(1280).open(report_file)
    links = page.ask("[...document.querySelectorAll('a.csv')].map(a => [a.download, a.href.slice(0, 40)])")
    assert len(links) > 5
    assert all(name.endswith(".csv") and address.startswith("data:text/csv;charset=utf-8,") for name, address in links)
