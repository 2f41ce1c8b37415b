"""The figures of a card are those of people, with intervals that know a person's photographs belong together."""

from __future__ import annotations

import numpy as np
import pytest

from sexstrat.training import Examples, performance_rows


def sample(n: int = 400) -> tuple[Examples, np.ndarray]:
    """Return n people with two photographs each and logits that carry some signal."""
    rng = np.random.default_rng(4)
    person = np.repeat(np.arange(n), 2)
    male = (np.arange(n) % 2).astype(float)[person]
    names = person.astype(str)
    examples = Examples(
        image_id=np.arange(2 * n).astype(str), path=names, patient_id=names, eye=np.full(2 * n, ""), group=names,
        male=male, age_years=np.where(person < n // 2, 40.0, 70.0), disease_names=("glaucoma", "rare"),
        diseases=np.column_stack([person % 3 == 0, person < 16]).astype(float), usable=np.ones(2 * n, bool),
    )  # fmt: skip
    logits = male - 0.5 + rng.normal(0, 1, n)[person] + rng.normal(0, 1, 2 * n)
    return examples, logits


def rows_by_key() -> dict[tuple[str, str, str, str], dict[str, float]]:
    examples, logits = sample()
    rows = performance_rows(examples, np.arange(len(examples)), logits, data="made up")
    return {(row["unit"], row["metric"], row["group"], row["level"]): row for row in rows}


def test_two_photographs_are_better_than_one() -> None:
    """The patient-level AUC of mean logits exceeds the photograph-level one, as averaging removes noise."""
    found = rows_by_key()
    patient, photograph = found["patient", "auc", "overall", "all"], found["photograph", "auc", "overall", "all"]
    assert patient["point"] > photograph["point"] + 0.01
    assert (patient["n_patients"], photograph["n_images"]) == (400, 800)
    assert patient["low"] < patient["point"] < patient["high"]


def test_correct_among_men_and_women_are_shares_at_one_half() -> None:
    """Sensitivity and specificity are counted at a logit of zero."""
    examples, logits = sample()
    found = rows_by_key()
    men = found["photograph", "correct_among_men", "overall", "all"]["point"]
    women = found["photograph", "correct_among_women", "overall", "all"]["point"]
    assert men == pytest.approx(np.mean(logits[examples.male == 1] > 0), abs=1e-4)
    assert women == pytest.approx(np.mean(logits[examples.male == 0] <= 0), abs=1e-4)


def test_groups_too_small_to_say_anything_are_left_out() -> None:
    """Age bands and the common disease are there; a disease of 8 men and 8 women is not, however many photographs."""
    levels = {(group, level) for _, _, group, level in rows_by_key()}
    assert levels == {("overall", "all"), ("age_band", "0-44"), ("age_band", "65-74"), ("disease", "glaucoma")}


def test_the_order_of_photographs_does_not_matter() -> None:
    """Shuffling rows changes no figure."""
    examples, logits = sample()
    order = np.random.default_rng(0).permutation(len(examples))
    whole = np.arange(len(examples))
    shuffled = performance_rows(examples, order, logits[order], data="d")
    straight = performance_rows(examples, whole, logits, data="d")
    assert [row["level"] for row in shuffled] == [row["level"] for row in straight]
    for name in ("point", "low", "high"):
        assert [row[name] for row in shuffled] == pytest.approx([row[name] for row in straight], abs=2e-4)
