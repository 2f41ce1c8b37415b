"""The page: self-contained, escaped, deterministic, accessible, and never a number that was withheld."""

from __future__ import annotations

import re
import time
from collections import Counter
from html.parser import HTMLParser
from urllib.parse import unquote

import pandas as pd
import pytest

from sexstrat.disclosure import release
from sexstrat.errors import DisclosureError
from sexstrat.reporting import page, report

HOSTILE = "<script>alert(1)</script>"
BREAKING = '"><img src=x onerror=alert(2)>'


class Elements(HTMLParser):
    """Every start tag with its attributes, and all visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def having(self, name: str) -> list[str]:
        return [attributes[name] or "" for _, attributes in self.tags if name in attributes]


@pytest.fixture(scope="module")
def elements(page_text):
    return Elements(page_text)


def test_results_that_did_not_pass_the_gate_are_refused(example, tmp_path):
    """Only released results are written, and nothing is left on disk when they are not."""
    with pytest.raises(DisclosureError, match=r"found StudyResults.*sexstrat\.disclosure\.release"):
        report(example(), tmp_path / "report.html")
    assert not list(tmp_path.iterdir())


def test_same_input_gives_the_same_bytes(released, page_text, tmp_path):
    """Two runs of the same study cannot be told apart by their page."""
    written = report(released, tmp_path)
    assert written == tmp_path / "report.html"
    assert written.read_bytes() == page_text.encode("utf-8")


def test_page_is_small_and_quick(released, page_text):
    """A page of two conditions stays far below the 3 MB budget and takes less than 8 s of processor time."""
    start = time.process_time()
    page(released)
    assert time.process_time() - start < 8
    assert len(page_text.encode("utf-8")) < 600_000


def test_page_needs_nothing_from_outside(elements, page_text):
    """No element loads anything: no script, no source, no style sheet; links only lead away when clicked."""
    names = Counter(tag for tag, _ in elements.tags)
    assert not {"script", "iframe", "object", "embed", "img", "video", "audio", "form", "base"} & set(names)
    assert elements.having("src") == []
    assert [a["href"] for tag, a in elements.tags if tag == "link"] == ["data:,"]
    assert "@import" not in page_text
    assert not re.search(r"url\((?!#)", page_text)
    policy = next(a["content"] for tag, a in elements.tags if tag == "meta" and a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


def test_hostile_names_stay_text(example):
    """Whatever a study calls its title, conditions, steps or card, it is printed and never run."""
    results = example(
        names=(HOSTILE, BREAKING),
        title=HOSTILE,
        notices=(BREAKING,),
        settings={"validation": {"design": HOSTILE}, "analysis": {BREAKING: HOSTILE}},
        provenance={
            BREAKING: [HOSTILE, BREAKING],
            "attribution": [{"title": HOSTILE, "url": "javascript:alert(3)"}],
            "acknowledgement": BREAKING,
        },
        model_card={"title": HOSTILE, "statement": BREAKING, "by_sex": [{HOSTILE: BREAKING}]},
    )
    results.flow.loc[1, "reason"] = HOSTILE
    results.audit.loc[:, "note"] = BREAKING
    text = page(release(results, "uk-5"))
    found = Elements(text)
    assert not {"script", "img"} & {tag for tag, _ in found.tags}
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert not [address for address in found.having("href") if address.startswith("javascript")]
    assert "".join(found.text).count("alert(1)") > 5


def test_every_address_inside_the_page_exists_once(elements):
    """Ids are unique, also those inside figures, and every anchor and reference leads to one."""
    ids = Counter(elements.having("id"))
    assert [name for name, times in ids.items() if times > 1] == []
    links = [address[1:] for address in elements.having("href") if address.startswith("#")]
    assert [name for name in links if name not in ids] == []
    for attribute in ("aria-labelledby", "aria-describedby"):
        assert [name for name in elements.having(attribute) if name not in ids] == []


def test_page_is_accessible(elements, page_text):
    """Language, skip link, headed tables with captions; every figure has a title and a description."""
    tags = Counter(tag for tag, _ in elements.tags)
    assert elements.tags[0] == ("html", {"lang": "en"})
    assert ("a", {"class": "skip", "href": "#summary"}) in elements.tags
    assert tags["caption"] == tags["table"] > 5
    assert all(attributes.get("scope") for tag, attributes in elements.tags if tag == "th")
    assert tags["h1"] == tags["main"] == tags["nav"] == 1
    figures = re.findall(r'<svg role="img".*?</svg>', page_text, flags=re.DOTALL)
    assert len(figures) == tags["svg"] > 5
    assert all("<title id=" in figure and "<desc id=" in figure for figure in figures)
    assert not any("<desc" in figure and re.search(r"<desc[^>]*></desc>", figure) for figure in figures)


def test_notice_comes_before_everything_else(elements, page_text):
    """That a cohort is simulated is the first text on the page."""
    body = page_text[page_text.index("<body>") :]
    assert body.index("This cohort is simulated") < body.index("<h1>")


def test_sections_come_in_order(elements):
    """Summary, flow, estimates and what stands beside them, audit, methods, model and sources follow one another."""
    found = [a["id"] for tag, a in elements.tags if tag == "section"]
    assert found == [
        "summary",
        "flow",
        "estimates",
        "rests-on",
        "what-if",
        "imputation",
        "audit",
        "consequences",
        "methods",
        "guidelines",
        "model",
        "provenance",
        "attribution",
        "references",
    ]


def test_four_states_are_printed_and_explained(page_text):
    """Zero, suppressed, missing and not defined each stand as a word of their own in the tables and in the legend."""
    ages = page_text[page_text.index("Glaucoma by age and sex, as a table") :]
    ages = ages[: ages.index("</details>")]
    for word in ("suppressed", "missing", "not defined"):
        assert f'<td class="word">{word}</td>' in ages
        assert f"<dt>{word}</dt>" in page_text
    assert re.search(r"<td>0 <span class=\"under\">", ages)
    assert "Not drawn: men 20–29 (not defined); women 20–29 (missing); women 30–39 (suppressed)." in page_text


def test_withheld_number_is_nowhere(example):
    """A count that the gate withholds appears neither in text nor in figures, alt texts or the CSVs to save."""
    results = example()
    estimates = results.estimates.copy()
    row = estimates.index[(estimates["age_low"] == 20) & (estimates["condition"] == "diabetic_retinopathy")]
    estimates.loc[row, ["point", "low", "high", "n_diseased"]] = [0.0033057851, 0.00098765432, 0.0087654321, 4]
    text = unquote(page(release(example(estimates=estimates), "uk-5")))
    assert "0.0033057851" not in text
    assert "0.00098765432" not in text
    assert "20-29 suppressed" in text.replace("–", "-")


def test_japanese_name_is_text_in_figures(example):
    """A condition named in Japanese is written as text that the reader's fonts draw, in figures too: no empty boxes."""
    text = page(release(example(names=("緑内障",)), "uk-5"))
    figures = re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)
    assert any(">緑内障</text>" in figure for figure in figures)
    assert 'id="condition-1"' in text
    assert "font-family: 'DejaVu" not in text


def test_figures_follow_dark_mode(page_text):
    """No figure holds a colour of its own: ink, paper and series are variables of the page."""
    figures = "".join(re.findall(r"<svg.*?</svg>", page_text, flags=re.DOTALL))
    bare = re.findall(r"(?:fill|stroke): #[0-9a-f]+", figures)
    assert bare == []
    assert "@media (prefers-color-scheme: dark)" in page_text


def test_table_can_be_saved_with_its_states(page_text):
    """The CSV behind a table holds the state of every row."""
    address = re.search(r'download="ages-glaucoma-1.csv" href="data:text/csv;charset=utf-8,([^"]*)"', page_text)
    assert address is not None
    lines = unquote(address.group(1)).splitlines()
    state = lines[0].split(",").index("state")
    assert {"suppressed", "missing", "undefined", "corrected", "truth"} <= {
        line.split(",")[state] for line in lines[1:]
    }


def test_refused_correction_gives_no_number(example):
    """Where the correction was refused the page says so and why, first thing, and prints no corrected number."""
    results = example(names=("glaucoma",), truth=False)
    frame = results.estimates
    refused = frame["estimator"].isin(["E1", "E2"])
    frame.loc[refused, ["point", "se", "low", "high"]] = None
    frame.loc[refused, "state"] = "refused"
    frame.loc[refused, "note"] = "fewer than 10 validated diseased"
    choices = (
        {"condition": "glaucoma", "estimator": "E1", "state": "refused", "why": "fewer than 10 validated diseased"},
    )
    text = page(release(example(names=("glaucoma",), estimates=frame, choices=choices), "uk-5"))
    assert "no corrected ratio of men to women can be given (refused)" in text
    assert 'id="ages-glaucoma-1-title"' not in text
    assert 'id="ages-glaucoma-1-naive-title"' in text
    assert "A correction was refused for Glaucoma (fewer than 10 validated diseased)" in text
    assert '<span class="big">refused</span>' in text
    assert "<strong>Refused.</strong> fewer than 10 validated diseased" in text


def test_page_of_nothing_still_says_so(example):
    """Without estimates, audit or flow the page stands and says what is not there."""
    empty = pd.DataFrame()
    flow = example().flow
    nothing = dict.fromkeys(("estimates", "audit", "gaps", "diagnostics", "sensitivity", "imputation"), empty)
    results = example(**nothing, flow=flow, choices=(), model_card=None, provenance={})
    text = page(release(results, "uk-5"))
    assert "This study estimated no contrast between the sexes." in text
    assert "The model was not audited in this study." in text
    assert "without a model card" in text


def test_folder_names_of_the_study_stay_private(example, tmp_path):
    """A path in the settings is printed as a file name, so that nobody's folders are published."""
    results = example(settings={"persons": {"source": tmp_path / "private" / "persons.csv"}})
    text = page(release(results, "uk-5"))
    assert "persons.csv" in text
    assert str(tmp_path) not in text
