"""Sentences and nested values lose their small counts of people and nothing else."""

from __future__ import annotations

import pytest

from sexstrat.disclosure.profiles import PROFILES
from sexstrat.disclosure.texts import without_counted_people, without_small_counts, without_small_values

UK = PROFILES["uk-5"]


@pytest.mark.parametrize(
    ("text", "released"),
    [
        ("only 3 patients remain", "only <5 patients remain"),
        ("3 validated diseased patients", "<5 validated diseased patients"),
        ("there are 4 men and 2 women", "there are <5 men and <5 women"),
        ("2 of 40 were wrong", "<5 of 40 were wrong"),
        ("n = 4, n_validated=3", "n = <5, n_validated=<5"),
        ("patients: 2", "patients: <5"),
        ("the number of cases is 1.", "the number of cases is <5."),
        ("1 image of one eye", "<5 image of one eye"),
    ],
)
def test_small_counts_of_people_are_masked(text: str, released: str) -> None:
    """A count that may not be shown becomes "below the minimum"."""
    assert without_small_counts(text, UK) == released


@pytest.mark.parametrize(
    "text",
    [
        "at least 3 patients are needed",
        "fewer than 4 men in the denominator",
        "12 patients of 400",
        "E1 and E2 differ by 2 standard errors",
        "0 patients were lost",
        "ages 3-17 and 0.4 patients a day",
        "shift of 0.3 SD; AUC 0.95; 95 % interval",
        "model 2 was used",
    ],
)
def test_everything_else_stays(text: str) -> None:
    """Limits of rules, large counts, zeros, names and shares are left as they are."""
    assert without_small_counts(text, UK) == text


def test_zero_is_masked_where_not_allowed() -> None:
    """OpenSAFELY hides zeros too."""
    assert without_small_counts("0 patients were lost", PROFILES["opensafely"]) == "<8 patients were lost"


def test_nested_values_are_cleaned_by_their_keys() -> None:
    """Counts by key are replaced, deep in lists and mappings; shares, digests and seeds are not counts."""
    value = {
        "diagnostics": {"n_validated": 3, "fmi": 0.2, "n_patients": 40, "male_share": 1, "share_diseased": 0.5},
        "inputs": [{"rows": 4, "sha256": "3f"}, {"rows": 400}],
        "seed": 3,
        "warnings": ("only 2 cases",),
        "ok": True,
        "none": None,
    }
    cleaned = without_small_values(value, UK)
    assert cleaned["diagnostics"] == {
        "n_validated": "suppressed",
        "fmi": 0.2,
        "n_patients": 40,
        "male_share": 1,
        "share_diseased": 0.5,
    }
    assert cleaned["inputs"] == [{"rows": "suppressed", "sha256": "3f"}, {"rows": 400}]
    assert cleaned["warnings"] == ("only <5 cases",)
    assert (cleaned["seed"], cleaned["ok"], cleaned["none"]) == (3, True, None)


@pytest.mark.parametrize(
    ("text", "released"),
    [
        (
            "only 9 diseased men, 6 diseased women are validated; 10 of each are needed",
            "only >=5 diseased men, >=5 diseased women are validated; 10 of each are needed",
        ),
        ("Only 15 validated patients (E1 needs 20), so", "Only >=5 validated patients (E1 needs 20), so"),
        ("of those who remain, 1,200 patients are older", "of those who remain, >=5 patients are older"),
        (
            "the eye of 30 images is inferred; for 12 images the header speaks for the other eye",
            "the eye of >=5 images is inferred; for >=5 images the header speaks for the other eye",
        ),
        ("only 3 patients remain", "only 3 patients remain"),
        ("fewer than 10 men in the denominator", "fewer than 10 men in the denominator"),
        ("as wide as a check of 20 diseased men would leave", "as wide as a check of 20 diseased men would leave"),
    ],
)
def test_counts_in_sentences_follow_the_tables(text: str, released: str) -> None:
    """A count that no table shows is told in no sentence; limits of rules and counts that a table shows stay."""
    assert without_counted_people(text, UK) == released
    assert without_counted_people(text, UK, frozenset({9, 6, 15, 1200, 30, 12})) == text
    assert without_counted_people(text, PROFILES["none"]) == text
