"""Whatever the cross-table: no small number of wrong calls is shown by diagnostics, or found by subtraction in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from sexstrat.disclosure.diagnostic_rows import protect_diagnostics
from sexstrat.disclosure.profiles import PROFILES, Profile
from sexstrat.disclosure.withhold import releasable_frame

withholding = st.sampled_from([PROFILES[name] for name in ("uk-5", "us-cms-11", "opensafely", "ndb-10")])
STATES = ("without the disease", "with the disease")


def shares(seed: int) -> tuple[pd.DataFrame, dict[tuple[str, str], np.ndarray]]:
    """Return sensitivities of all, by disease, by band and by both, and the (people, right, wrong) behind each row."""
    rng = np.random.default_rng(seed)
    bands = [f"{low}-{low + 9}" for low in range(40, 40 + 10 * int(rng.integers(2, 7)), 10)]
    people = rng.poisson(rng.choice([4, 15, 60, 300], size=(len(bands), 1)) * np.array([0.8, 0.3]))
    wrong = rng.binomial(people, rng.uniform(0.02, 0.3))
    counts: dict[tuple[str, str], np.ndarray] = {}

    def add(group: str, level: str, chosen: Any) -> None:
        n, bad = int(people[chosen].sum()), int(wrong[chosen].sum())
        counts[group, level] = np.array([n, n - bad, bad])

    add("all", "all", ...)
    for d, state in enumerate(STATES):
        add("disease", state, (slice(None), d))
    for a, band in enumerate(bands):
        add("age_band", band, a)
        for d, state in enumerate(STATES):
            add("age_band_and_disease", f"{band}, {state}", (a, d))
    rows = []
    for (group, level), (n, right, _) in counts.items():
        told = n >= 10
        rows.append(
            {"condition": "d", "diagnostic": "accuracy_by_age", "statistic": "sensitivity", "group": group,
             "level_name": level, "point": right / n if told else None, "n_patients": n, "n_validated": n,
             "state": "measured" if told else "too_few"}
        )  # fmt: skip
    return pd.DataFrame(rows), counts


def released(seed: int, rule: Profile) -> tuple[set[tuple[str, str]], dict[tuple[str, str], np.ndarray]]:
    """Return the rows that carry a share after the gate, and the counts behind all rows."""
    frame, counts = shares(seed)
    empty = pd.DataFrame()
    out = protect_diagnostics(releasable_frame(frame, "diagnostic"), empty, empty, rule)
    told = out[out["point"].notna()]
    return set(zip(told["group"], told["level_name"], strict=True)), counts


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), withholding)
def test_no_shown_share_tells_a_small_count(seed: int, rule: Profile) -> None:
    """People, right calls and wrong calls of every shown share may be shown."""
    shown, counts = released(seed, rule)
    for row in shown:
        assert not rule.hides(counts[row]).any(), row


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), withholding)
def test_no_small_count_is_the_rest_of_a_shown_total(seed: int, rule: Profile) -> None:
    """What a shown total leaves for its hidden parts is no small count, nor a single part; pairs go together."""
    shown, counts = released(seed, rule)
    bands = [level for group, level in counts if group == "age_band"]
    parts = [(("all", "all"), [("disease", state) for state in STATES])]
    parts += [(("all", "all"), [("age_band", band) for band in bands])]
    parts += [
        (("disease", state), [("age_band_and_disease", f"{band}, {state}") for band in bands]) for state in STATES
    ]
    parts += [
        (("age_band", band), [("age_band_and_disease", f"{band}, {state}") for state in STATES]) for band in bands
    ]
    for total, members in parts:
        hidden = [row for row in members if row not in shown]
        if total not in shown or not hidden or len(hidden) == len(members):
            continue
        populated = [row for row in hidden if counts[row][0] > 0]
        assert len(populated) != 1 or not rule.is_small(counts[populated[0]]).any(), (total, hidden)
        rest = counts[total] - sum(counts[row] for row in members if row in shown)
        assert not rule.is_small(rest).any(), (total, hidden, rest)
