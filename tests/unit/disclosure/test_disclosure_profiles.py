"""Profiles say which counts may be shown; states of a cell are never mixed up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sexstrat.disclosure import PROFILES, CellState, Profile, cell_state, profile
from sexstrat.disclosure.rounding import round_table
from sexstrat.disclosure.withhold import releasable_frame
from sexstrat.errors import StudyError


@pytest.mark.parametrize(
    ("name", "largest_hidden", "zero_hidden", "rounding"),
    [
        ("uk-5", 4, False, None),
        ("us-cms-11", 10, False, None),
        ("opensafely", 7, True, 5),
        ("opensafely-midpoint6", 7, True, 6),
        ("ndb-10", 9, False, None),
        ("none", 0, False, None),
    ],
)
def test_each_profile_hides_what_its_source_says(
    name: str, largest_hidden: int, zero_hidden: bool, rounding: int | None
) -> None:
    """The largest hidden count, the treatment of zero and the rounding base are those of the source, which is named."""
    rule = profile(name)
    hidden = rule.hides(np.arange(1, 30))
    assert hidden.tolist() == [count <= largest_hidden for count in range(1, 30)]
    assert bool(rule.hides(0)) is zero_hidden
    assert rule.rounding == rounding
    assert rule.source


def test_midpoints_of_six_are_those_that_opensafely_documents() -> None:
    """Up to the next multiple of six and back by three, 0 to 0: the true count lies from 2 below to 3 above."""
    rule, counts = PROFILES["opensafely-midpoint6"], np.arange(0, 100)
    shown = rule.rounded(counts)
    assert shown[:14].tolist() == [0, 3, 3, 3, 3, 3, 3, 9, 9, 9, 9, 9, 9, 15]
    apart = (counts - shown)[1:]
    assert (apart.min(), apart.max()) == (-2, 3)
    assert rule.unrounded == (2, 3)
    assert PROFILES["opensafely"].unrounded == (2, 2)


def test_rates_of_midpoint_six_are_midpoints_over_midpoints() -> None:
    """Of 100 patients, shown as 99, 31 called rightly are shown as 33 of 99."""
    row = {"metric": "correct_among_men", "group": "overall", "level_name": "all", "point": 0.31, "level": 0.95}
    row |= {"n_images": 100, "n_patients": 100, "n_patients_numerator": 31, "n_patients_complement": 69}
    frame = releasable_frame(pd.DataFrame([row | {"state": "measured"}]), "audit")
    shown = round_table(frame, "audit", PROFILES["opensafely-midpoint6"])
    assert shown.loc[0, ["n_patients", "n_patients_numerator", "n_patients_complement"]].tolist() == [99, 33, 69]
    assert shown.loc[0, "point"] == pytest.approx(33 / 99)


def test_missing_counts_are_not_small() -> None:
    """A count that is not there is not hidden: nothing stands in the cell."""
    assert not PROFILES["opensafely"].hides(np.nan)


def test_unknown_profile_names_the_nearest() -> None:
    """A misspelt profile is a usage error that says what was meant."""
    with pytest.raises(StudyError, match=r"unknown disclosure profile 'uk5'; allowed: uk-5, .* did you mean 'uk-5'"):
        profile("uk5")


@pytest.mark.parametrize("wrong", [{"minimum": 0}, {"rounding": 0}])
def test_a_profile_needs_a_sensible_minimum(wrong: dict[str, int]) -> None:
    """A minimum or base below 1 is refused."""
    values = {"minimum": 5, "rounding": None} | wrong
    with pytest.raises(ValueError, match="at least 1"):
        Profile(name="mine", zero_allowed=True, source="me", **values)


@pytest.mark.parametrize(
    ("row", "column", "state"),
    [
        ({"n_male": 0, "state": "counted", "withheld": ""}, "n_male", CellState.zero),
        ({"patients_lost": 0, "state": "counted"}, "patients_lost", CellState.zero),
        ({"metric": "n_patients", "point": 0.0, "state": "measured"}, "point", CellState.zero),
        ({"metric": "accuracy", "point": 0.0, "state": "measured"}, "point", CellState.shown),
        ({"n_male": 12, "state": "counted"}, "n_male", CellState.shown),
        ({"n_male": pd.NA, "state": "counted", "withheld": "n_male"}, "n_male", CellState.suppressed),
        ({"n_male": pd.NA, "state": "counted", "withheld": "n_other"}, "n_male", CellState.missing),
        ({"point": np.nan, "state": "suppressed"}, "point", CellState.suppressed),
        ({"point": np.nan, "state": "undefined"}, "point", CellState.undefined),
        ({"point": np.nan, "state": "refused"}, "point", CellState.undefined),
        ({"point": np.nan, "state": "missing"}, "point", CellState.missing),
    ],
)
def test_the_states_of_a_cell(row: dict[str, object], column: str, state: CellState) -> None:
    """Zero, shown, suppressed, missing and undefined are told apart cell by cell."""
    assert cell_state(row, column) is state


def test_each_state_has_its_own_word() -> None:
    """People read 0, suppressed, missing and not defined; a number speaks for itself."""
    assert [state.text for state in CellState] == ["", "0", "suppressed", "missing", "not defined"]
