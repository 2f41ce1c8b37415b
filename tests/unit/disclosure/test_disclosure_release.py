"""The gate as a whole: who may pass, who is refused, and what a reader is told."""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd
import pytest

from sexstrat.disclosure import PROFILES, Profile, Released, release
from sexstrat.errors import DisclosureError, StudyError
from sexstrat.values.results import StudyResults


def results(n: int = 900, **parts: Any) -> StudyResults:
    """Return results that hold a flow of n patients and nothing else."""
    empty = pd.DataFrame()
    flow = pd.DataFrame({"step": [1], "name": ["listed"], "n_patients": [n], "state": "counted"})
    tables = {"estimates": empty, "audit": empty, "gaps": empty, "flow": flow}
    return StudyResults(title="t", **(tables | parts))


def test_only_the_gate_makes_a_released() -> None:
    """Neither the constructor nor dataclasses.replace makes a Released from results that did not pass."""
    released = release(results(), "uk-5")
    fields = {field.name: getattr(released, field.name) for field in dataclasses.fields(Released)}
    with pytest.raises(DisclosureError, match="makes a Released"):
        Released(**fields)
    with pytest.raises(DisclosureError, match="makes a Released"):
        dataclasses.replace(released, title="other")


def test_a_study_of_fewer_than_fifty_is_refused() -> None:
    """49 patients are refused under every profile, 50 are not; the message does not say how many there were."""
    with pytest.raises(DisclosureError, match="fewer than 50 patients") as caught:
        release(results(49), "none", "simulated")
    assert "49" not in str(caught.value)
    assert caught.value.exit_code == 5
    assert release(results(50), "uk-5").flow["n_patients"].tolist() == [50]


def test_a_study_of_unknown_size_is_refused() -> None:
    """Without any count of patients nothing can be judged."""
    with pytest.raises(DisclosureError, match="no table says how many patients"):
        release(results(flow=pd.DataFrame()), "uk-5")


def test_the_size_may_come_from_estimates_or_audit() -> None:
    """An audit alone says how many patients there are."""
    rows = {"metric": ["n_patients"], "group": "overall", "level_name": "all", "point": 80.0, "level": 0.95}
    audit = pd.DataFrame(rows | {"n_images": 80, "n_patients": 80, "state": "measured"})
    assert release(results(flow=pd.DataFrame(), audit=audit), "uk-5").audit["n_patients"].tolist() == [80]


def test_the_profile_none_needs_a_reason() -> None:
    """Nothing is withheld only for a stated reason, which the reader sees."""
    with pytest.raises(DisclosureError, match="needs a reason"):
        release(results(), "none", "  ")
    released = release(results(), "none", "simulated data")
    assert released.protection == "Disclosure profile none: no number was withheld. Reason given: simulated data"


def test_a_profile_of_ones_own_that_hides_nothing_needs_a_reason_too() -> None:
    """Renaming the profile none does not get around the reason."""
    mine = Profile(name="open", minimum=1, zero_allowed=True, rounding=None, source="me")
    with pytest.raises(DisclosureError, match="needs a reason"):
        release(results(), mine)


def test_unknown_profile_is_a_usage_error() -> None:
    """A misspelt profile stops the release."""
    with pytest.raises(StudyError, match="did you mean 'us-cms-11'"):
        release(results(), "us-cms")


def test_rows_about_persons_stop_the_release() -> None:
    """A per-patient frame in any table is refused."""
    with pytest.raises(DisclosureError, match="patient_id"):
        release(results(estimates=pd.DataFrame({"patient_id": ["p1"]})), "uk-5")


def test_columns_outside_the_contract_do_not_pass() -> None:
    """A column that the contract does not know is left behind."""
    flow = pd.DataFrame({"step": [1], "name": ["listed"], "n_patients": [900], "state": "counted", "secret": [3]})
    assert "secret" not in release(results(flow=flow), "uk-5").flow


def test_choices_pass_by_known_keys_without_small_counts() -> None:
    """Unknown keys are left out and named; counts and sentences are cleaned."""
    choice = {"condition": "d", "why": "only 3 validated cases", "diagnostics": {"n_validated": 3}, "listing": ["p1"]}
    released = release(results(choices=(choice,)), "uk-5")
    assert released.choices == (
        {"condition": "d", "why": "only <5 validated cases", "diagnostics": {"n_validated": "suppressed"}},
    )
    assert released.left_out == ("choices: listing",)


def test_notices_notes_and_provenance_are_cleaned() -> None:
    """Small counts leave notices, notes, flow reasons and provenance; settings and model card are as declared."""
    flow = pd.DataFrame(
        {"step": [1], "name": ["listed"], "n_patients": [900], "state": "counted", "reason": ["2 patients withdrew"]}
    )
    card = {"n_patients": 3}
    released = release(
        results(
            flow=flow,
            notices=("4 women only",),
            provenance={"rows": 3, "seed": 3},
            settings={"min_patients": 3},
            model_card=card,
        ),
        "uk-5",
    )
    assert released.notices == ("<5 women only",)
    assert released.flow["reason"].tolist() == ["<5 patients withdrew"]
    assert released.provenance == {"rows": "suppressed", "seed": 3}
    assert released.settings == {"min_patients": 3}
    assert released.model_card == card


def test_the_reader_is_told_what_was_and_was_not_done() -> None:
    """The protection text names profile, source, limits, rounding, and what is not protected."""
    text = release(results(), "opensafely").protection
    for words in ("opensafely", PROFILES["opensafely"].source, "from 1 to 7", "0 is withheld", "nearest 5", "Not done"):
        assert words in text


def test_suppressed_rows_are_counted_by_table() -> None:
    """The release says how many rows of each table were suppressed."""
    flow = pd.DataFrame({"step": [1, 2], "name": ["a", "b"], "n_patients": [900, 3], "state": "counted"})
    counts = release(results(flow=flow), "uk-5").suppressed_counts
    assert counts.pop("flow") == 1
    beside = ("age_curve", "age_trend", "missingness", "consequence")
    beside += ("audit_test", "audit_shrunken", "audit_parity", "audit_rule")
    assert counts == dict.fromkeys(("estimate", "audit", "gap", "diagnostic", "sensitivity", "imputation", *beside), 0)


def test_tables_are_copies() -> None:
    """Changing a table that was handed out does not change the release."""
    released = release(results(), "uk-5")
    handed_out = released.tables()["flow"]
    handed_out.loc[0, "n_patients"] = 1
    assert released.flow["n_patients"].tolist() == [900]


def test_results_are_not_changed_by_the_gate() -> None:
    """The gate works on copies: the private results keep their numbers."""
    flow = pd.DataFrame({"step": [1, 2], "name": ["a", "b"], "n_patients": [900, 3], "state": "counted"})
    private = results(flow=flow)
    release(private, "uk-5")
    assert private.flow["n_patients"].tolist() == [900, 3]
    assert "withheld" not in private.flow


@pytest.mark.parametrize(
    ("profile", "lost", "reason", "told"),
    [
        ("uk-5", 40, "ungradable: 40", "ungradable: 40"),
        ("uk-5", 3, "ungradable: 3", "ungradable"),
        ("uk-5", 1699, "ungradable: 1,697, empty file: 2", "ungradable, empty file"),
        ("opensafely", 42, "ungradable: 42", "ungradable"),
        ("none", 3, "ungradable: 2, empty file: 1", "ungradable: 2, empty file: 1"),
    ],
)
def test_a_reason_does_not_tell_the_photographs_that_a_cell_withholds(
    profile: str, lost: int, reason: str, told: str
) -> None:
    """How many photographs are of each state is told in words only where the shown loss is that very number."""
    steps = {"step": [1, 2], "name": ["listed", "images with a usable score"], "state": "counted"}
    counts = {"n_patients": [9000, 9000], "n_images": [20000, 20000 - lost], "images_lost": [0, lost]}
    flow = pd.DataFrame(steps | counts | {"reason": [None, reason]})
    results = StudyResults(title="t", estimates=pd.DataFrame(), audit=pd.DataFrame(), gaps=pd.DataFrame(), flow=flow)
    assert release(results, profile, "a test").flow.loc[1, "reason"] == told
