"""The three sentences: the answer, what the naive analysis would have said, what was refused or withheld."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from sexstrat.reporting.headline import Headline, headlines
from sexstrat.reporting.rows import Rows
from sexstrat.reporting.summary import summary

GATE = SimpleNamespace(suppressed_counts={"estimate": 12, "audit": 1}, profile=SimpleNamespace(name="uk-5"))


def row(point, low, high, state="corrected"):
    return {"point": point, "low": low, "high": high, "level": 0.95, "state": state, "note": None}


def lead(condition="glaucoma", corrected=(1.4, 1.2, 1.6), naive=(1.9, 1.8, 2.0), truth=1.37):
    return Headline(
        condition=condition,
        standard="who_2000_2025",
        estimator="E1",
        corrected=row(*corrected),
        naive=row(*naive, state="naive"),
        truth=None if truth is None else row(truth, None, None, state="truth"),
    )


def test_one_condition_with_truth():
    """The answer with interval and standard; naive, truth and where the truth lies; what was withheld."""
    first, second, third = summary([lead()], GATE)
    assert first == (
        "Glaucoma is more common in men than in women: the corrected prevalence ratio, age-standardised to the WHO "
        "world standard 2000–2025, is 1.40 (95% interval 1.20 to 1.60)."
    )
    assert second == (
        "Taking the predicted sex at face value would have given 1.90 (1.80 to 2.00); the truth, which the analysis "
        "did not see, is 1.37 and lies inside the corrected interval and outside the naive one."
    )
    assert third == (
        "No correction was refused, and 13 table rows have numbers withheld to protect people (disclosure profile "
        "uk-5)."
    )


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [((1.4, 1.2, 1.6), "more common in men"), ((0.7, 0.6, 0.8), "less common in men"), ((1.1, 0.9, 1.3), "not shown")],
)
def test_verdict_follows_the_interval(limits, verdict):
    """A sex difference is said only where the interval leaves 1 out."""
    assert verdict in summary([lead(corrected=limits)], GATE)[0]


def test_several_conditions_with_truth():
    """Several conditions: those that differ by name, the others by count; intervals that hold the truth are counted."""
    leads = [
        lead(),
        lead("cataract", (1.0, 0.9, 1.1), (1.02, 0.95, 1.1), 1.01),
        lead("dr", (0.8, 0.7, 0.9), (1.1, 1.0, 1.2), 0.6),
    ]
    first, second, _ = summary(leads, GATE)
    assert first == (
        "By corrected prevalence ratio of men to women, one of three conditions is more common in men: Glaucoma, "
        "1.40 (1.20 to 1.60); one of three conditions is more common in women: Dr, 0.80 (0.70 to 0.90); for one the "
        "interval includes 1, so that no difference is shown."
    )
    assert "inside the corrected interval for two of three conditions" in second
    assert "for one (furthest for Dr: 1.10 (1.00 to 1.20), where the truth is 0.60)." in second


def test_without_truth_the_largest_change_is_named():
    """Where nobody knows the truth, the condition for which correction matters most is named."""
    leads = [lead(truth=None), lead("cataract", (1.0, 0.9, 1.1), (1.1, 1.0, 1.2), None)]
    assert summary(leads, GATE)[1].endswith("most for Glaucoma: 1.90 (1.80 to 2.00) instead of 1.40 (1.20 to 1.60).")


def test_refusal_is_said_with_its_reason():
    """A refused correction is named with its reason, and no number takes its place."""
    refused = Headline(
        condition="dr", standard="crude", estimator="E1",
        corrected={**row(None, None, None, "refused"), "note": "no validated diseased"},
        naive=row(1.2, 1.1, 1.3, "naive"),
    )  # fmt: skip
    first, _, third = summary([refused], GATE)
    assert first == "Dr: no corrected ratio of men to women can be given (refused)."
    assert third.startswith("A correction was refused for Dr (no validated diseased), and")


def test_headline_prefers_a_standardised_ratio_with_a_number():
    """The ratio that leads is age-standardised; where that one has no number, the crude one leads."""
    base = {"measure": "prevalence_ratio", "condition": "a", "estimator": "E1", "age_low": None, "age_high": None}
    crude = {**base, "standard": "crude", **row(1.4, 1.2, 1.6)}
    standard = {**base, "standard": "esp_2013", **row(1.3, 1.1, 1.5)}
    hidden = {**standard, "point": None, "state": "suppressed"}
    assert headlines(Rows((crude, standard)), [])[0].standard == "esp_2013"
    assert headlines(Rows((crude, hidden)), [])[0].standard == "crude"


def test_choice_of_the_study_leads():
    """The estimator that the study chose leads, whatever the order of the rows; naive ones never do."""
    base = {"measure": "prevalence_ratio", "condition": "a", "age_low": None, "age_high": None, "standard": "crude"}
    rows = [{**base, "estimator": name, **row(1.4, 1.2, 1.6)} for name in ("naive_threshold", "E1", "E2")]
    one = headlines(Rows(tuple(rows)), [{"condition": "a", "estimator": "E2", "band_estimators": ("E1", "E2")}])[0]
    assert (one.estimator, one.also, one.band_estimator(0), one.band_estimator(5)) == ("E2", ("E1",), "E1", "E2")
    assert headlines(Rows(tuple(rows[:1])), [])[0].estimator is None


def test_a_model_based_number_is_never_called_corrected():
    """Where too few have recorded sex for a correction, the sentence, and every later one, says model-based."""
    weak = Headline(
        condition="dr", standard="crude", estimator="E2", corrected=row(1.3, 0.9, 1.9, "model_based"),
        naive=row(1.2, 1.1, 1.3, "naive"), truth=row(1.25, None, None, "truth"),
    )  # fmt: skip
    first, second, _ = summary([weak], GATE)
    assert "the model-based prevalence ratio, not standardised for age, is 1.30" in first
    assert "inside the model-based interval and inside the naive one" in second
    assert "corrected" not in first + second
    assert "By corrected or model-based prevalence ratio" in summary([lead(), weak], GATE)[0]
