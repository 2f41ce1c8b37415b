"""Images become one value a patient by hand-checked numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sexstrat.scores import combine_eyes


def logistic(x: float) -> float:
    return 1 / (1 + np.exp(-x))


def test_eyes_count_once_however_often_photographed() -> None:
    """Logits 1 and 3 of one eye and 0 of the other make (2 + 0) / 2 = 1, not the mean 4/3 over images."""
    p = [logistic(1), logistic(3), logistic(0)]
    found = combine_eyes(p, ["R", "R", "L"], ["a"] * 3)
    assert found["prob_male"].item() == pytest.approx(logistic(1), abs=1e-12)
    assert found["n_eyes"].item() == 2


def test_certain_images_are_clipped_not_infinite() -> None:
    """Probabilities of 1 and 0 have logits of 10 and -10, so one of each cancels."""
    assert combine_eyes([1.0, 0.0], ["R", "L"], ["a", "a"])["prob_male"].item() == pytest.approx(0.5)
    assert combine_eyes([1.0], ["R"], ["a"])["prob_male"].item() == pytest.approx(logistic(10), abs=1e-15)


def test_a_patient_without_a_score_stays_with_no_eyes() -> None:
    """Patients whose images all failed are rows with n_eyes 0 and no value; images of nobody are left out."""
    found = combine_eyes([np.nan, 0.7, 0.2], ["R", "L", "R"], ["b", "a", None])
    assert found["patient_id"].tolist() == ["a", "b"]
    assert found["n_eyes"].tolist() == [1, 0]
    assert np.isnan(found["prob_male"].iloc[1])


def test_images_of_an_unknown_eye_are_an_eye_of_their_own() -> None:
    """Two images without an eye are averaged and stand beside a known eye; never more than two eyes are counted."""
    p = [logistic(x) for x in (2.0, 0.0, 5.0)]
    found = combine_eyes(p, [None, None, "R"], ["a"] * 3)
    assert found["prob_male"].item() == pytest.approx(logistic(3.0), abs=1e-12)
    assert combine_eyes([0.5] * 3, ["R", "L", None], ["a"] * 3)["n_eyes"].item() == 2


def test_a_value_outside_zero_to_one_is_refused() -> None:
    """A logit handed in as a probability is named."""
    with pytest.raises(ValueError, match=r"between 0 and 1; found -1\.5"):
        combine_eyes([0.5, -1.5], ["R", "L"], ["a", "a"])


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from(["R", "L", None]), st.sampled_from("abc")), min_size=1))
def test_order_does_not_matter_and_values_stay_in_range(rows: list[tuple[float, str | None, str]]) -> None:
    """Any order of the images gives the same patients, and each value lies between its images' values."""
    p, eye, patient = map(list, zip(*rows, strict=True))
    found = combine_eyes(p, eye, patient)
    again = combine_eyes(p[::-1], eye[::-1], patient[::-1])
    np.testing.assert_allclose(found["prob_male"], again["prob_male"], atol=1e-12)
    assert found["n_eyes"].tolist() == again["n_eyes"].tolist()
    for name, value in zip(found["patient_id"], found["prob_male"], strict=True):
        own = np.clip([q for q, _, who in rows if who == name], logistic(-10), logistic(10))
        assert own.min() - 1e-9 <= value <= own.max() + 1e-9
