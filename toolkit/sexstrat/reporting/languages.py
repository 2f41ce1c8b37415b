"""Print each text of the page in every language of the report, one after the other, of which one is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import unescape
from itertools import count
from typing import TYPE_CHECKING, Any

from sexstrat.errors import StudyError
from sexstrat.reporting.catalogue import read_catalogue
from sexstrat.reporting.texts import sentence_case

if TYPE_CHECKING:
    from markupsafe import Markup

    from sexstrat.disclosure import Released

__all__ = ["LANGUAGES", "Saying", "author_words", "report_languages"]

_DRAWN = re.compile(r"<text\b[^>]*>([^<]*)</text>")

LANGUAGES: Mapping[str, str] = {"en": "English", "ja": "日本語"}  # each by its own name


class Saying:
    """Print a text of the page as markup: once where it is alike in every language, else once a language.

    Parameters
    ----------
    languages : languages of the report, the one shown first first.
    own : words of the study's author, which stay as they are.

    Examples
    --------
    >>> say = Saying(("en", "ja"), own=["glaucoma"])
    >>> str(say("Summary"))
    '<span lang="en">Summary</span><span lang="ja">要約</span>'
    >>> str(say("12.3%")), str(say("glaucoma")), str(say.own("A & B"))
    ('12.3%', 'glaucoma', 'A &amp; B')
    >>> str(say("Nobody translated this.")), say.missing
    ('<bdi lang="en">Nobody translated this.</bdi>', ['Nobody translated this.'])
    """

    def __init__(self, languages: Sequence[str], own: Iterable[str] = ()) -> None:
        self.languages = tuple(languages)
        words = frozenset(own)
        self._others = {name: read_catalogue(name).with_own(words) for name in languages if name != "en"}
        self.missing: list[str] = []
        self.names = LANGUAGES
        self._numbers = count(1)

    def __call__(self, text: Any) -> Markup:
        """Print a text that every language of the report must hold."""
        return self._printed(str(text), must=True)

    def own(self, text: Any) -> Markup:
        """Print what may be its author's own: in another language where the catalogue holds it, else as it is."""
        return self._printed(str(text), must=False)

    def in_figure(self, svg: str) -> Markup:
        """Print what the words drawn in a figure, which are English in every language, mean in the others."""
        from markupsafe import Markup

        words = (unescape(text).strip() for text in _DRAWN.findall(svg))
        drawn = [text for text in dict.fromkeys(words) if text[:1].isalpha()]
        notes = []
        for name, catalogue in self._others.items():
            pairs = [(text, catalogue.say(text)) for text in drawn]
            self.missing += [text for text, said in pairs if said is None]
            told = "、".join(f"{text}＝{said}" for text, said in pairs if said not in {None, text})
            notes += [Markup('<span lang="{}">図中の語：{}</span>').format(name, told)] if told else []
        return Markup("").join(notes)

    def number(self) -> int:
        """Return a number that no other part of the page has."""
        return next(self._numbers)

    def _printed(self, text: str, *, must: bool) -> Markup:
        from markupsafe import Markup, escape

        if not text.strip():
            return escape(text)
        said = {name: text if name == "en" else self._others[name].say(text) for name in self.languages}
        if None in said.values():
            if not must:
                return escape(text)
            self.missing.append(text)
            return Markup('<bdi lang="en">{}</bdi>').format(text)
        if set(said.values()) == {text}:
            return escape(text)
        if len(said) == 1:
            return escape(next(iter(said.values())))
        return Markup("").join(Markup('<span lang="{}">{}</span>').format(*pair) for pair in said.items())


def report_languages(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the languages of a report, English alone where the study names none.

    Parameters
    ----------
    settings : the resolved study, section -> key -> value.

    Raises
    ------
    StudyError : no language, one twice, or one for which there is no catalogue.

    Examples
    --------
    >>> report_languages({"report": {"languages": ["ja", "en"]}}), report_languages({})
    (('ja', 'en'), ('en',))
    """
    named = tuple(map(str, (settings.get("report") or {}).get("languages") or ("en",)))
    if len(set(named)) < len(named) or not set(named) <= set(LANGUAGES):
        raise StudyError(
            f"report.languages: found {', '.join(named)}; allowed: {', '.join(LANGUAGES)}, each at most once, the one "
            "shown first first"
        )
    return named


def author_words(released: Released) -> frozenset[str]:
    """Return the words of a study's author that the page prints among its own: diseases, groups and their levels.

    Parameters
    ----------
    released : what the disclosure gate let through.
    """
    words: set[str] = set()
    for name in ("estimates", "audit", "gaps", "flow", "missingness", "consequences", "group_tests"):
        frame = getattr(released, name)
        for column in {"condition", "group", "level_name", "reference"} & set(frame.columns):
            words |= {str(value) for value in frame[column].dropna().unique()}
        if {"group", "level_name"} <= set(frame.columns):
            pairs = frame[["group", "level_name"]].dropna().drop_duplicates()
            words |= {f"{group} {level}" for group, level in pairs.itertuples(index=False) if group not in _NOT_OWN}
    words -= _NOT_OWN
    return frozenset(form for word in words for form in (word, sentence_case(word), word.replace("_", " ")))


# words of the tables themselves
_NOT_OWN = frozenset(
    {
        *("overall", "all", "age_band", "recorded_sex", "male", "female", "other", "unknown", "none"),
        *("yes", "no", "L", "R", "eye", "eye L", "eye R", "disease yes", "disease no"),
    }
)
