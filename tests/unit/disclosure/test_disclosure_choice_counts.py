"""The choice of an estimator tells no count that the released tables do not."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from sexstrat.disclosure import PROFILES
from sexstrat.disclosure.choice_counts import protect_choice
from sexstrat.disclosure.withhold import releasable_frame

DIAGNOSTICS = {
    "n_patients": 803,
    "n_validated": 203,
    "n_validated_diseased": 38,
    "effective_validated": 202.9999,
    "auc_validated": 0.94,
    "attenuation_threshold": 0.71,
}
CHOICE: dict[str, Any] = {"condition": "d", "why": "Only 38 validated patients with the disease (E1 needs 50)."}
CHOICE |= {"diagnostics": DIAGNOSTICS, "secret": 1}


def tables() -> dict[str, pd.DataFrame]:
    """Return estimates over all ages and in a band of the same size, and the shares called rightly."""
    row = {"condition": "d", "n_patients": 803, "n_validated": 203, "n_validated_diseased": 38, "level": 0.95}
    rows = [row | {"state": "corrected"}, row | {"age_low": 40, "age_high": 60, "state": "corrected"}]
    called = [{"condition": "d", "group": "all", "statistic": name, "point": 0.8} for name in NAMES]
    return {
        "estimate": releasable_frame(pd.DataFrame(rows), "estimate"),
        "diagnostic": releasable_frame(pd.DataFrame(called), "diagnostic"),
    }


NAMES = ("sensitivity", "specificity")


def test_what_the_tables_show_is_told() -> None:
    """Where nothing is withheld the choice keeps its numbers, and loses only what may not pass at all."""
    kept = {key: value for key, value in CHOICE.items() if key != "secret"}
    assert protect_choice(CHOICE, tables(), tables(), PROFILES["uk-5"]) == kept
    assert protect_choice(CHOICE, tables(), {}, PROFILES["none"]) == kept


@pytest.mark.parametrize("column", ["n_patients", "n_validated", "n_validated_diseased"])
def test_a_count_that_the_estimates_withhold_is_told_nowhere(column: str) -> None:
    """Over all ages it is gone; that an age band of the same number still shows it does not bring it back."""
    after = tables()
    after["estimate"].loc[0, column] = pd.NA
    found = protect_choice(CHOICE, tables(), after, PROFILES["uk-5"])
    gone = {column, *(("effective_validated",) if column == "n_validated" else ())}
    assert {name for name, value in found["diagnostics"].items() if value == "suppressed"} == gone
    assert ("38" in found["why"]) == (column != "n_validated_diseased")


def test_what_errors_do_goes_with_the_shares_called_rightly() -> None:
    """An attenuation with all its digits would give the errors away that the diagnostics withhold."""
    after = tables()
    after["diagnostic"].loc[1, "point"] = float("nan")
    found = protect_choice(CHOICE, tables(), after, PROFILES["uk-5"])["diagnostics"]
    assert found["attenuation_threshold"] == "suppressed"
    assert found["auc_validated"] == 0.94


def test_rounded_counts_are_told_rounded() -> None:
    """Under a profile that rounds, the exact number stands neither beside the rounded one nor in a sentence."""
    after = tables()
    after["estimate"] = after["estimate"].assign(n_patients=805, n_validated=205, n_validated_diseased=40)
    found = protect_choice(CHOICE, tables(), after, PROFILES["opensafely"])
    assert [found["diagnostics"][name] for name in list(DIAGNOSTICS)[:3]] == [805, 205, 40]
    assert found["diagnostics"]["effective_validated"] == "suppressed"
    assert found["diagnostics"]["attenuation_threshold"] == "suppressed"
    assert found["why"] == "Only >=8 validated patients with the disease (E1 needs 50)."
