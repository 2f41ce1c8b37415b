"""Images without a score: shares, bounds and weights by numbers that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sexstrat.audit.clusters import Clusters
from sexstrat.audit.missingness import KINDS, absence, audit_missing, bounded, scored_weights
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.tables import table_schema


def test_every_status_of_the_contract_is_of_one_kind() -> None:
    """ok and the two kinds of absence are all the statuses that a score may have."""
    known = {"ok", *(status for kind in KINDS.values() for status in kind)}
    assert known == set(table_schema("score").column("status").enum)
    assert sum(map(len, KINDS.values())) == len(known) - 1


def test_kinds_add_up_to_the_whole() -> None:
    """Whatever the statuses, ungradable and refused partition what has no score."""
    found = absence(pd.Series(["ok", "no_field_of_view", "empty_file", "something new", "ungradable"]))
    assert (found["ungradable"] ^ found["refused"]).tolist() == found["without_score"].tolist()


def test_bounds_hold_every_possible_completion() -> None:
    """However the missing calls would have turned out, the share over all lies between the bounds."""
    rng = np.random.default_rng(2)
    right, scored = rng.random(200) < 0.7, rng.random(200) < 0.8
    found = bounded(right, scored, np.repeat(np.arange(100), 2))
    low, high = found["all_wrong"].point, found["all_right"].point
    for _ in range(50):
        completed = np.where(scored, right, rng.random(200) < rng.random())
        assert low <= completed.mean() <= high


def test_weights_undo_missingness_that_depends_on_what_is_known() -> None:
    """Site b is scored half as often and called worse: weighting brings back the share over both sites."""
    n = 4000
    site = np.repeat(["a", "b"], n // 2)
    rng = np.random.default_rng(3)
    scored = rng.random(n) < np.where(site == "a", 0.9, 0.45)
    right = np.arange(n) % 10 < np.where(site == "a", 9, 5)
    found = scored_weights(pd.DataFrame({"site": site}), scored, Clusters.of(range(n)), covariates=["site"])
    naive = right[scored].mean()
    weighted = np.average(right[scored], weights=found.weight)
    assert naive > 0.75
    assert weighted == pytest.approx(0.7, abs=0.01)
    assert found.weight.mean() == pytest.approx(1, abs=0.01)
    assert found.used == ("site",)


def test_extreme_weights_are_cut_and_it_is_said() -> None:
    """A hundredth of the weights is cut at most, and the note tells the largest and the limit."""
    rng = np.random.default_rng(4)
    age = rng.uniform(30, 90, 3000)
    scored = rng.random(3000) < 1 / (1 + np.exp((age - 60) / 6))
    found = scored_weights(pd.DataFrame({"age_years": age}), scored, Clusters.of(range(3000)), covariates=["age_years"])
    assert 0 < found.trimmed <= 0.01 + 1 / found.weight.size
    assert found.largest > found.weight.max()
    assert "cut to" in found.note


@pytest.mark.parametrize(
    ("scored", "note"),
    [(np.ones(40, dtype=bool), "every image has a score"), (np.arange(40) < 5, "too few patients")],
)
def test_weights_that_cannot_be_made_say_why(scored, note) -> None:
    """Nobody missing, or too few with a score for a model: no weights, and the reason."""
    rows = pd.DataFrame({"site": np.tile(["a", "b"], 20)})
    found = scored_weights(rows, scored, Clusters.of(range(40)), covariates=["site"])
    assert found.state == "undefined"
    assert found.note.startswith(note)


def test_all_kinds_are_told_by_age_and_recorded_sex() -> None:
    """Unknown sex is a group of its own, and every metric has its four lines overall and by age."""
    n = 300
    status = np.where(np.arange(n) % 10 == 0, "unreadable", np.where(np.arange(n) % 10 == 1, "ungradable", "ok"))
    frame = pd.DataFrame(
        {
            "image_id": [f"i{k}" for k in range(n)],
            "patient_id": [f"p{k // 2}" for k in range(n)],
            "prob_male": np.where(status == "ok", 0.6, np.nan),
            "status": status,
            "age_years": 40.0 + (np.arange(n) // 2) % 30,
            "recorded_sex": np.repeat(["male", "female", "unknown"], n // 3),
        }
    )
    rows = audit_missing(frame, bands=AgeBands((40, 55)))
    shares = rows.set_index(["quantity", "method", "group", "level_name"])["point"]
    assert shares["refused", "share", "overall", "all"] == pytest.approx(0.1)
    assert shares["without_score", "share", "recorded_sex", "unknown"] == pytest.approx(0.2)
    assert shares["correct_among_women", "all_right", "overall", "all"] == pytest.approx(0.2)
    methods = rows[rows["quantity"] == "accuracy"].groupby("level_name")["method"].nunique()
    assert methods.to_dict() == {"all": 4, "40-54": 4, "55+": 4}
