"""What the flow may tell of sex, age and disease: nothing from which a small count follows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from sexstrat.disclosure.flow_rows import protect_flow
from sexstrat.disclosure.profiles import PROFILES
from sexstrat.disclosure.withhold import releasable_frame

UK = PROFILES["uk-5"]


def table(present: list[int], known: list[int], total: list[int]) -> pd.DataFrame:
    """Return a flow of steps with the patients in whom a disease is present, known, and in all."""
    whole = [{"step": k + 1, "name": "s", "n_patients": n, "n_male": n // 2, "n_female": n - n // 2, "n_other": 0,
              "n_unknown": 0, "patients_lost": 0 if k == 0 else total[k - 1] - n, "state": "counted"}
             for k, n in enumerate(total)]  # fmt: skip
    rows: list[dict[str, Any]] = [
        {"step": k + 1, "name": "s", "variable": "condition", "category": "amd", "n_patients": present[k],
         "n_known": known[k], "patients_lost": present[k - 1] - present[k], "known_lost": known[k - 1] - known[k],
         "standardised_difference": 0.12345, "state": "counted"}
        for k in range(1, len(total))]  # fmt: skip
    return releasable_frame(pd.DataFrame(whole + rows), "flow")


def told(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["variable"].notna()]


def test_large_counts_are_shown_with_two_decimals_of_the_difference() -> None:
    """Every category and every loss has 5 or more, or none: all is shown."""
    done = told(protect_flow(table([300, 200], [900, 700], [1000, 800]), UK))
    assert done[["n_patients", "patients_lost", "n_known", "known_lost"]].values.tolist() == [[200, 100, 700, 200]]
    assert done["standardised_difference"].tolist() == [0.12]


@pytest.mark.parametrize(
    ("present", "known", "what"),
    [
        ([300, 297], [900, 700], "three lost have the disease"),
        ([300, 200], [300, 202], "two who remain are known not to have it"),
        ([300, 200], [900, 797], "three who remain are not known"),
        ([300, 200], [900, 702], "two of the 200 lost were not known"),
        ([203, 3], [900, 700], "three who remain have it"),
    ],
)
def test_a_small_category_or_loss_hides_the_disease_at_that_step(
    present: list[int], known: list[int], what: str
) -> None:
    """Neither the counts of the step nor the difference let the small count be worked out."""
    done = told(protect_flow(table(present, known, [1000, 800]), UK)).iloc[0]
    assert pd.isna(done["patients_lost"]) and pd.isna(done["known_lost"]), what
    assert np.isnan(done["standardised_difference"]), what


def test_no_small_count_follows_from_any_two_shown_steps() -> None:
    """Over 300 random flows, whatever two shown steps are subtracted, no category changes by 1 to 4."""
    rng = np.random.default_rng(4)
    shown = 0
    for _ in range(300):
        total = np.sort(rng.integers(20, 400, 5))[::-1]
        known = np.minimum.accumulate((total * rng.uniform(0.8, 1)).astype(int))
        present = np.minimum.accumulate((known * rng.uniform(0.2, 0.6)).astype(int))
        done = protect_flow(table(present.tolist(), known.tolist(), total.tolist()), UK)
        whole = done[done["variable"].isna()].set_index("step")["n_patients"]
        vectors = []
        for row in told(done).itertuples():
            if not pd.isna(row.n_patients):
                assert not pd.isna(whole[row.step])
                vectors.append([row.n_patients, row.n_known - row.n_patients, whole[row.step] - row.n_known])
            if not pd.isna(row.patients_lost):
                before = [row.n_patients + row.patients_lost, row.n_known + row.known_lost]
                vectors.append([before[0], before[1] - before[0], whole[row.step - 1] - before[1]])
        shown += len(vectors)
        counts = np.array(vectors, dtype=float).reshape(-1, 3)
        assert not UK.is_small(counts).any()
        assert not UK.is_small(np.abs(counts[:, None] - counts[None])).any()
    assert shown > 100
