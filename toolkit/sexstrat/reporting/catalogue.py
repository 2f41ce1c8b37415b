"""Say in another language what the page says in English, by a catalogue of sentences with places for what varies."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

__all__ = ["Catalogue", "Pattern", "read_catalogue", "read_pattern"]

_PLACE = re.compile(r"\{(\w+)(:own|:word|:number|:list)?\}")
# a place ends where a clause does, so that no number is said of another clause; a list holds clauses, a number is one
_FITS = {
    None: r"(?:(?![.;:] ).)+?",
    ":list": r"(?:(?!\. ).)+?",
    ":number": r"[^\sA-Za-z;]+?",
    ":word": r"[\w./-]+",
    ":own": ".+?",
}
_SIGNS = re.compile(r"[^\sA-Za-z]*|[<>=≤≥] [\d.]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One sentence with places, in English and in the other language.

    Parameters
    ----------
    matches : what fits the English sentence, each place a group.
    anchor : the longest part that does not vary; a text without it cannot fit.
    fixed : how many letters do not vary; of two patterns that fit, the one with more is meant.
    own : places that hold an author's own words, which stay as they are.
    said : the sentence in the other language, with the same places.

    Examples
    --------
    >>> read_pattern("{n} of men", "男性の{n}").matches.fullmatch("8.3% of men")["n"]
    '8.3%'
    """

    matches: re.Pattern[str]
    anchor: str
    fixed: int
    own: frozenset[str]
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What the page can say in one language.

    Parameters
    ----------
    exact : sentence in English -> the same in this language; neither ends in a full stop.
    patterns : sentences with places, those with more fixed letters first.
    joints : what joins sentences and lists in English -> in this language, the widest first.
    own : words of the study's author (diseases, groups, the title), which stay as they are.

    Examples
    --------
    >>> catalogue = Catalogue(exact={"men": "男性"}, patterns=(read_pattern("{n} of {who}", "{who}の{n}"),), joints={})
    >>> catalogue.say("8.3% of men."), catalogue.say("20–29"), catalogue.say("8.3% of fish")
    ('男性の8.3%。', '20–29', None)
    """

    exact: Mapping[str, str]
    patterns: tuple[Pattern, ...]
    joints: Mapping[str, str]
    own: frozenset[str] = frozenset()
    _said: dict[str, str | None] = field(default_factory=dict, repr=False, compare=False)

    def with_own(self, words: Iterable[str]) -> Catalogue:
        """Return the catalogue with words of one study's author."""
        return Catalogue(exact=self.exact, patterns=self.patterns, joints=self.joints, own=frozenset(words))

    def say(self, text: str) -> str | None:
        """Return a text in this language, or None where the catalogue does not hold it.

        A number, an age band, a sign and what its author wrote stay as they are.
        """
        if text not in self._said:
            self._said[text] = None  # a place that would need the whole again does not fit
            self._said[text] = next(filter(None, self._ways(text)), None)
        return self._said[text]

    def _ways(self, text: str) -> Iterator[str | None]:
        if text in self.own or _SIGNS.fullmatch(text):
            yield text
        swapped = text[:1].swapcase() + text[1:]
        yield self.exact.get(text) or self.exact.get(swapped)
        if swapped in self.own:
            yield text
        if text.endswith("."):
            yield _stopped(self.say(text[:-1]))
        yield from (self._fitted(pattern, text) for pattern in self.patterns)
        yield from (self._fitted(pattern, swapped) for pattern in self.patterns)
        yield from (self._joined(text, joint, said) for joint, said in self.joints.items())

    def _fitted(self, pattern: Pattern, text: str) -> str | None:
        found = pattern.matches.fullmatch(text) if pattern.anchor in text else None
        if found is None:
            return None
        values = {name: value if name in pattern.own else self.say(value) for name, value in found.groupdict().items()}
        if any(value is None for value in values.values()):
            return None
        return _PLACE.sub(lambda place: str(values[place[1]]), pattern.said)

    def _joined(self, text: str, joint: str, said: str) -> str | None:
        """Part a text where it is joined, the longest first part that can be said first."""
        at = text.rfind(joint)
        while at > 0:
            first, rest = self.say(text[:at]), self.say(text[at + len(joint) :])
            if first is not None and rest is not None:
                return first.removesuffix("\N{IDEOGRAPHIC FULL STOP}" if said.startswith("。") else "") + said + rest
            at = text.rfind(joint, 0, at)
        return None


def _stopped(said: str | None) -> str | None:
    return said if said is None or said.endswith("。") else said + "。"


def read_pattern(english: str, said: str) -> Pattern:
    """Return a sentence with places: ``{name}`` is said in the other language too.

    ``{name:own}`` and one ``{name:word}`` stay as they are; ``{name:number}`` fits one number only; ``{name:list}`` may
    hold several clauses.

    Parameters
    ----------
    english, said : the sentence in English and in the other language, with the same places.

    Examples
    --------
    >>> read_pattern("{name:own}: refused", "{name}：推定を拒否").own
    frozenset({'name'})
    """
    pieces = _PLACE.split(english)
    fixed, names, kinds = pieces[0::3], pieces[1::3], pieces[2::3]
    seen: set[str] = set()
    regex = re.escape(fixed[0])
    for name, kind, after in zip(names, kinds, fixed[1:], strict=True):
        regex += (f"(?P={name})" if name in seen else f"(?P<{name}>{_FITS[kind]})") + re.escape(after)
        seen.add(name)
    return Pattern(
        matches=re.compile(regex, re.DOTALL),
        anchor=max(fixed, key=len),
        fixed=sum(map(len, fixed)),
        own=frozenset(name for name, kind in zip(names, kinds, strict=True) if kind in {":own", ":word"}),
        said=said,
    )


@cache
def read_catalogue(language: str) -> Catalogue:
    """Return the catalogue of a language: ``ja``.

    Parameters
    ----------
    language : two letters of ISO 639-1.

    Examples
    --------
    >>> read_catalogue("ja").say("Summary")
    '要約'
    """
    text = files("sexstrat.reports").joinpath(f"{language}.toml").read_text(encoding="utf-8")
    sections = tomllib.loads(text)
    joints = sections.pop("joints")
    pairs = [_unstopped(english, said) for section in sections.values() for english, said in section.items()]
    patterns = [read_pattern(english, said) for english, said in pairs if _PLACE.search(english)]
    return Catalogue(
        exact={english: said for english, said in pairs if not _PLACE.search(english)},
        patterns=tuple(sorted(patterns, key=lambda pattern: -pattern.fixed)),
        joints=joints,
    )


def _unstopped(english: str, said: str) -> tuple[str, str]:
    """Drop the full stop of both, so that a sentence is found with and without one."""
    return (english[:-1], said.removesuffix("。")) if english.endswith(".") else (english, said)
