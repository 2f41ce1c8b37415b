"""Where a page holds what reporting guidelines ask for, and what only its authors can say."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

__all__ = ["GUIDELINES", "GuidelineItem", "guideline_map"]

GUIDELINES = ("heidari2016", "vonelm2007", "benchimol2015", "collins2024", "bossuyt2015")  # the works behind the map


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineItem:
    """One thing that guidelines ask for.

    Parameters
    ----------
    subject : what is asked for, in words.
    items : guidelines and the numbers of their items; those of STARD are of its 2015 edition.
    place : section of the page that holds it, by anchor; empty where only the authors can say it.
    """

    subject: str
    items: str
    place: str = ""


_SECTIONS = {
    "flow": "Who was in, who was lost",
    "estimates": "Estimates",
    "rests-on": "What the answer rests on",
    "what-if": "What if",
    "imputation": "Uncertainty of imputation",
    "audit": "Audit by age",
    "consequences": "What the errors do",
    "methods": "Methods",
    "model": "The model",
    "provenance": "Provenance",
}
_ITEMS = (
    ("How sex was found, and that it is sex and not gender", "SAGER Methods", "methods"),
    ("Results for each sex, whatever was found", "SAGER Results", "estimates"),
    ("Setting, places and dates", "STROBE 5; TRIPOD+AI 5b, 6a; STARD 8", ""),
    ("Codes and rules that define persons and diseases, and their validation", "RECORD 6.1, 6.2, 7.1", ""),
    ("Access to the data, cleaning and linkage", "RECORD 12.1, 12.2, 12.3", ""),
    ("Persons at each step and why they were lost", "STROBE 13; RECORD 13.1; TRIPOD+AI 20a; STARD 19", "flow"),
    ("Characteristics of those kept and lost", "STROBE 14; TRIPOD+AI 20b; STARD 20", "flow"),
    ("Reason for the number of persons", "STROBE 10; TRIPOD+AI 10; STARD 18", ""),
    ("Statistical methods", "STROBE 12; TRIPOD+AI 12a; STARD 14", "methods"),
    ("Missing data and how they were handled", "STROBE 12c; TRIPOD+AI 11; STARD 16", "imputation"),
    ("Efforts against bias", "STROBE 9", "rests-on"),
    ("Main results with intervals, with and without adjustment", "STROBE 16", "estimates"),
    ("Sensitivity analyses", "STROBE 12e, 17", "what-if"),
    ("The model in full: what it learned from, its version, where it is to be had", "TRIPOD+AI 22; STARD 10a", "model"),
    ("Performance with intervals, in subgroups too", "TRIPOD+AI 23a; STARD 24", "audit"),
    ("Fairness", "TRIPOD+AI 14", "audit"),
    ("What errors of the score do to the results", "STROBE 19; RECORD 19.1; STARD 26", "consequences"),
    (
        "Data, code and settings with which the analysis can be repeated",
        "RECORD 22.1; TRIPOD+AI 18e, 18f",
        "provenance",
    ),
    ("Interpretation and to whom the results apply", "STROBE 20, 21; TRIPOD+AI 25; STARD 27", ""),
    ("Ethical approval, funding and interests", "STROBE 22; TRIPOD+AI 17, 18a, 18b; STARD 30", ""),
    ("Involvement of patients and the public", "TRIPOD+AI 19", ""),
)


def guideline_map(absent: Collection[str]) -> tuple[tuple[GuidelineItem, str], ...]:
    """Return what guidelines ask for, each with the heading of the section that holds it.

    Parameters
    ----------
    absent : anchors of sections that this page does not have; what they would hold is then the authors' to say.

    Returns
    -------
    Items and headings; an empty heading where the page does not hold it.

    References
    ----------
    Heidari S, et al. Res Integr Peer Rev 2016;1:2 (SAGER). von Elm E, et al. Lancet 2007;370:1453-1457 (STROBE).
    Benchimol EI, et al. PLoS Med 2015;12:e1001885 (RECORD). Collins GS, et al. BMJ 2024;385:e078378 (TRIPOD+AI).
    Bossuyt PM, et al. BMJ 2015;351:h5527 (STARD 2015, which STARD-AI extends).

    Examples
    --------
    >>> [(item.items, heading) for item, heading in guideline_map(()) if item.subject == "Sensitivity analyses"]
    [('STROBE 12e, 17', 'What if')]
    >>> [heading for item, heading in guideline_map({"what-if"}) if item.subject == "Sensitivity analyses"]
    ['']
    """
    found = []
    for subject, items, place in _ITEMS:
        held = "" if place in absent else place
        found.append((GuidelineItem(subject=subject, items=items, place=held), _SECTIONS.get(held, "")))
    return tuple(found)
