"""The page in two languages: everything said in both, one shown at a time, no number changed on the way."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from sexstrat.disclosure import PROFILES, release
from sexstrat.errors import StudyError
from sexstrat.reporting import page
from sexstrat.reporting.catalogue import read_catalogue, read_pattern
from sexstrat.reporting.languages import Saying, author_words, report_languages
from sexstrat.reporting.page import untranslated

PLACE = re.compile(r"\{(\w+)(?::\w+)?\}")
NUMBER = re.compile(r"[\d,]*\d\.\d+|\d[\d,]*\d")
LEFT_OUT = ("estimates", "audit", "gaps", "diagnostics", "sensitivity", "imputation", "age_curves", "age_trends",
            "missingness", "consequences")  # fmt: skip
VOID = {"meta", "link", "input", "br", "img"}
# what a Japanese page holds in Latin letters: names, identifiers, and what the study's author and the card's wrote
WRITTEN = re.compile(r"[A-Za-z][A-Za-z'’-]+(?: [A-Za-z][A-Za-z'’-]+){2,}")


class Shown(HTMLParser):
    """The texts that somebody who chose a language reads, with the element each stands in."""

    def __init__(self, text: str, language: str) -> None:
        super().__init__()
        self.language, self.texts = language, []
        self._open: list[tuple[str, bool]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        other = tag == "span" and dict(attrs).get("lang", self.language) != self.language
        aside = other or tag in {"style", "svg", "title"} or dict(attrs).get("class") == "works"
        self._open.append((tag, aside or bool(self._open and self._open[-1][1])))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._open[-1][1]:
            self.texts.append(data.strip())


@pytest.fixture(scope="module")
def catalogue() -> dict[str, dict[str, str]]:
    """Return the Japanese catalogue by section, without its joints."""
    found = tomllib.loads(files("sexstrat.reports").joinpath("ja.toml").read_text(encoding="utf-8"))
    found.pop("joints")
    return found


@pytest.fixture(scope="module")
def both(released):
    """Return the page of the invented study in two languages, English first."""
    return page(released, languages=("en", "ja"))


def test_every_text_of_the_page_is_said_in_japanese(released):
    """Of the page of two conditions with truth and with every state among its numbers no text is left in English."""
    assert untranslated(released, "ja") == ()


def test_a_page_of_one_condition_is_said_in_japanese(example):
    """So it is with one condition, without truth, refused, with warnings and advice, under another profile."""
    results = example(names=("緑内障",), truth=False)
    why = "No corrected estimate: recorded sex is known for only 7 patients with the disease; at least 10 are needed, "
    refused = results.choices[0] | {"state": "refused", "why": why + "20 for the preferred estimator."}
    refused |= {"warnings": ["Some validated patients carry extreme weights; the intervals may be too narrow."]}
    advice = "A corrected estimate needs recorded sex for about 900 more patients, chosen at random: then with 95 % "
    refused |= {"advice": [advice + "probability at least 20 have the disease and 20 do not."]}
    assert untranslated(release(replace(results, choices=(refused,)), "opensafely"), "ja") == ()


@pytest.mark.parametrize("profile", list(PROFILES.values()), ids=list(PROFILES))
def test_every_disclosure_profile_is_said_in_japanese(profile):
    """What each profile withholds is said."""
    assert read_catalogue("ja").say(profile.source)


def test_page_without_anything_is_said_in_japanese(example):
    """The sentences that stand in the place of an estimate, an audit and a model are said too."""
    full = example()
    empty = {name: getattr(full, name).iloc[:0] for name in LEFT_OUT}
    results = replace(full, **empty, choices=(), model_card=None, provenance={}, settings={})
    assert untranslated(release(results, "uk-5"), "ja") == ()


def test_a_text_without_translation_is_told(example):
    """Had a text no translation, the check above would name it, and the page would show it marked as English."""
    results = example()
    results.flow.loc[1, "reason"] = "the dog ate the records"
    rows = {name: getattr(results, name).iloc[:0] for name in LEFT_OUT}
    released = release(replace(results, **rows), "uk-5")
    assert "the dog ate the records" in untranslated(released, "ja")
    assert '<bdi lang="en">the dog ate the records</bdi>' in page(released, languages=("en", "ja"))


def test_no_english_sentence_is_left_to_a_japanese_reader(example, released, both):
    """Three English words in a row stand there only where the author of study, model card or paper wrote them."""
    results = example()
    own = [results.title, *results.notices, *map(str, results.model_card.values()), "An invented study"]
    own += [
        "High-Resolution Fundus image database",
        ". Budai et al., 2013. CC BY 4.0",
        "Review of the Dissemination of Health Statistics",
    ]
    own += ["Office for National Statistics", "Confidentiality Guidance"]
    texts = [text for text in Shown(both, "ja").texts if not any(text in one or one in text for one in own)]
    assert len(texts) > 800
    told = [text for text in texts if not text.startswith("図中の語：")]  # says what the words of a figure mean
    assert [text for text in told if WRITTEN.search(text)] == []


def test_no_japanese_is_left_to_an_english_reader(both):
    """Beside the name of the language in the switch, nothing is Japanese."""
    japanese = [text for text in Shown(both, "en").texts if re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", text)]
    assert japanese == ["日本語"]


def test_no_number_changes_on_the_way(both):
    """Every number of two digits and more in an English text stands as often in the Japanese one beside it."""
    pairs = re.findall(r'<span lang="en">([^<]*)</span><span lang="ja">([^<]*)</span>', both)
    assert len(pairs) > 500
    told = read_catalogue("ja").exact
    for english, japanese in (map(unescape, pair) for pair in pairs):
        if english[:1].lower() + english[1:] in told or english.removesuffix(".") in told or "decade" in english:
            continue
        assert Counter(NUMBER.findall(english)) == Counter(NUMBER.findall(japanese)), (english, japanese)


def test_a_number_stays_with_what_it_is_about():
    """Clauses are said one by one, so that no sex and no age takes the number of another."""
    say = read_catalogue("ja").say
    english = "Called rightly: 70.0% of men at age 80+, 91.0% at 20–29; 63.3% of women at age 70–79, 89.5% at 20–29"
    japanese = "正判定割合：男性は80+歳で70.0%、20–29歳で91.0%；女性は70–79歳で63.3%、20–29歳で89.5%"
    assert say(english) == japanese
    assert say("89 patients and 165 photographs") == "患者89人と写真165枚"
    assert say("men 20–29, 80+ (suppressed); women 30–39 (missing)") == "男性 20–29、80+（秘匿）；女性 30–39（欠測）"


@pytest.mark.parametrize(
    ("english", "japanese"),
    [
        ("(0.82 to 1.10)", "(0.82–1.10)"),
        ("(−0.9 to +0.4)", "(−0.9～+0.4)"),
        ("1.41 (95% interval 1.20 to 1.65)", "1.41（95%信頼区間 1.20–1.65）"),
        ("+3.6 points", "+3.6ポイント"),
        ("20–29 suppressed", "20–29 秘匿"),
        ("not defined", "定義できない"),
        ("No imputation: only 12 patients; at least 50 are needed.", "補完なし：患者が12人のみ。50人以上必要。"),
        ("nothing like it", None),
    ],
)  # fmt: skip
def test_numbers_and_states_are_said_the_japanese_way(english, japanese):
    """Intervals, points and the words that stand where there is no number."""
    assert read_catalogue("ja").say(english) == japanese


def test_every_sentence_of_the_catalogue_is_whole(catalogue):
    """A sentence stands once, has the same places in both languages, and is Japanese where it is not a name."""
    entries = [(english, said) for section in catalogue.values() for english, said in section.items()]
    assert len(entries) > 1000
    assert [english for english, times in Counter(english for english, _ in entries).items() if times > 1] == []
    for english, said in entries:
        assert set(PLACE.findall(english)) == set(PLACE.findall(said)), english
        assert said.strip() == said, english
        left = PLACE.sub("", said)
        assert not re.search(r"(?:^|[.。] ?)(?:The|No|This|It|There|Each|Of) [a-z]+ [a-z]+", left), english


def test_a_pattern_says_its_places_again():
    """A place may stand twice, and then must hold the same."""
    pattern = read_pattern("{n:number} of {n:number}", "{n}のうち{n}")
    assert pattern.matches.fullmatch("3 of 3")
    assert pattern.matches.fullmatch("3 of 4") is None


def test_the_first_language_named_is_shown_first(released):
    """The page declares it, and the switch stands on it."""
    text = page(released, languages=("ja", "en"))
    assert '<html lang="ja">' in text
    assert '<input type="radio" name="language" id="language-ja" checked>' in text
    assert '<input type="radio" name="language" id="language-en">' in text


def test_a_page_in_one_language_has_no_switch(released, page_text):
    """English alone, which is what a study gets that names no language, and Japanese alone."""
    assert 'type="radio"' not in page_text
    assert '<span lang="' not in page_text
    japanese = page(released, languages=("ja",))
    assert 'type="radio"' not in japanese
    assert '<h2 id="h-summary">要約</h2>' in japanese


def test_figures_and_tables_to_save_stand_once(both, page_text):
    """Two languages share each figure, each CSV and each id; the page stays far below 3 MB and the same bytes."""
    for once in ("<svg ", "data:text/csv", ' id="'):
        more = both.count(' id="language-') if once == ' id="' else 0
        assert both.count(once) == page_text.count(once) + more
    assert len(both.encode("utf-8")) < 1_000_000


def test_words_in_figures_are_explained(both):
    """Figures keep their ASCII labels, and the Japanese caption says what they mean; no figure holds kana or kanji."""
    assert "図中の語：" in both
    assert "Men＝男性" in both
    drawn = "".join(re.findall(r"<svg .*?</svg>", both, flags=re.DOTALL))
    assert not re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", drawn)


def test_same_study_gives_the_same_bytes_in_two_languages(released, both):
    """Two runs cannot be told apart."""
    assert page(released, languages=("en", "ja")) == both


def test_languages_that_are_not_there_are_refused():
    """An unknown language and one named twice are told with what is allowed."""
    with pytest.raises(StudyError, match="found en, fr; allowed: en, ja"):
        report_languages({"report": {"languages": ["en", "fr"]}})
    with pytest.raises(StudyError, match="found ja, ja; allowed"):
        report_languages({"report": {"languages": ["ja", "ja"]}})


def test_what_an_author_wrote_stays(released):
    """Names of diseases and groups stand as they are; words of the tables do not count as an author's."""
    words = author_words(released)
    assert {"glaucoma", "Glaucoma", "Diabetic retinopathy"} <= words
    assert not {"all", "age_band", "male"} & words
    assert str(Saying(("ja",), own=["dry eye"])("dry eye")) == "dry eye"
