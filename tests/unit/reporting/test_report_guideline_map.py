"""The map of reporting guidelines points to sections that are on the page, and says what is not."""

from __future__ import annotations

import re

from sexstrat.disclosure import Released
from sexstrat.reporting.guideline_map import GUIDELINES, guideline_map
from sexstrat.reporting.page import page
from sexstrat.reporting.references import REFERENCES


def test_every_place_is_an_anchor_of_the_page(released: Released) -> None:
    """Each link of the map leads somewhere; sections that are left out are the authors' to write."""
    text = page(released, languages=["en"])
    section = text[text.index('<section id="guidelines"') : text.index('<section id="model"')]
    places = re.findall(r'<td class="text"><a href="#([\w-]+)">', section)
    assert len(places) >= 10
    for place in places:
        assert f'<section id="{place}"' in text
    told = section.count("for the authors to say")
    assert len(places) + told == len(guideline_map(()))
    assert told >= 6
    for key in GUIDELINES:
        assert REFERENCES[key].url in text


def test_every_guideline_of_the_note_has_items() -> None:
    """SAGER, STROBE, RECORD, TRIPOD+AI and STARD each ask for something here, and each subject once."""
    rows = [item for item, _ in guideline_map(())]
    assert {word for item in rows for word in re.findall(r"[A-Z][A-Z+]{3,}", item.items)} == {
        "SAGER", "STROBE", "RECORD", "TRIPOD+AI", "STARD",
    }  # fmt: skip
    assert len({item.subject for item in rows}) == len(rows)


def test_what_the_page_lacks_is_for_the_authors() -> None:
    """Without any section nothing is pointed to."""
    anchors = {item.place for item, _ in guideline_map(())} - {""}
    assert all(heading == "" and item.place == "" for item, heading in guideline_map(anchors))
