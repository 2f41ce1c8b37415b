"""What measured errors do to a naive ratio, by tables that can be worked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sexstrat.audit.consequences import (
    ErrorTable,
    consequences,
    consequences_of_scores,
    error_tables,
    naive_bias,
    repair,
)
from sexstrat.errors import EstimationError, SchemaError, StudyError
from sexstrat.estimates.attenuation import attenuation
from sexstrat.estimates.worked_example import worked_arrays, worked_bands, worked_cells
from sexstrat.study.audit_stage import study_consequences
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import ValidationDesign


def table(well_women, well_men, sick_women, sick_men) -> ErrorTable:
    """Return a table from (called women, called men) of each group."""
    cells = np.array([[well_women, well_men], [sick_women, sick_men]], dtype=float)
    return ErrorTable(patients=cells, weight=cells, squares=cells)


def test_no_error_is_no_bias_but_not_a_zero_width_interval() -> None:
    """A score that errs nowhere gives a bias of exactly 0 whose interval still has width."""
    found = naive_bias(table((900, 0), (800, 0)[::-1], (100, 0), (0, 200))).found
    point, low, high = found["relative_bias"]
    assert point == 0
    assert low < 0 < high
    assert found["attenuation_factor"][0] == 1


def test_the_two_parts_multiply_to_the_whole() -> None:
    """(1 + equal)(1 + unequal) = 1 + bias, for errors that differ by disease."""
    found = naive_bias(table((700, 200), (150, 650), (40, 60), (20, 180))).found
    parts = (1 + found["bias_of_equal_errors"][0]) * (1 + found["bias_of_unequal_errors"][0])
    assert parts == pytest.approx(1 + found["relative_bias"][0])


def test_equal_errors_shrink_towards_one_and_are_wholly_repaired_by_the_equal_correction() -> None:
    """With the same errors in diseased and well there is no unequal part, and that correction leaves nothing."""
    found = naive_bias(table((810, 90), (80, 720), (90, 10), (20, 180))).found
    assert found["bias_of_unequal_errors"][0] == pytest.approx(0, abs=1e-12)
    assert found["bias_after_equal_correction"][0] == pytest.approx(0, abs=1e-12)
    assert found["relative_bias"][0] == pytest.approx(1.9 / 1.1 / 2 - 1)


def test_an_equal_correction_enlarges_the_bias_of_unequal_errors() -> None:
    """The diseased look more male: the naive ratio is too high and the pooled correction makes it higher."""
    found = naive_bias(table((4080, 720), (630, 3570), (360, 240), (48, 552))).found
    assert 0 < found["relative_bias"][0] < found["bias_after_equal_correction"][0]


def test_a_correction_that_turns_negative_is_undefined_with_the_reason() -> None:
    """A poor score whose diseased men look like women cannot be corrected by pooled errors."""
    result = naive_bias(table((500, 400), (300, 500), (85, 15), (160, 40)))
    assert "bias_after_equal_correction" not in result.found
    assert "negative number" in result.undefined["bias_after_equal_correction"]
    assert "relative_bias" in result.found


def test_few_diseased_of_a_sex_are_undefined_without_their_number() -> None:
    """Nine diseased men define nothing, and the reason does not tell how many there are."""
    result = naive_bias(table((500, 100), (100, 500), (80, 20), (3, 6)))
    assert not result.found
    assert set(result.undefined.values()) == {"fewer than 10 diseased men of known sex with a score"}


def test_nobody_diseased_called_a_woman_is_undefined_not_infinite() -> None:
    """The naive ratio has no denominator then: undefined, with the reason."""
    result = naive_bias(table((500, 100), (100, 500), (0, 50), (0, 50)))
    assert "nobody diseased" in result.undefined["naive_prevalence_ratio"]
    assert result.found["true_prevalence_ratio"][0] == pytest.approx((50 / 650) / (50 / 650))


def test_a_common_weight_changes_nothing_and_unequal_weights_widen() -> None:
    """Weights of 4 leave points and limits; the same total in unequal weights widens the interval."""
    plain = table((700, 200), (150, 650), (40, 60), (20, 180))
    four = ErrorTable(patients=plain.patients, weight=4 * plain.weight, squares=16 * plain.squares)
    uneven = ErrorTable(patients=plain.patients, weight=plain.weight, squares=3 * plain.squares)
    one, same, wider = (naive_bias(each).found["relative_bias"] for each in (plain, four, uneven))
    assert same == pytest.approx(one)
    assert wider[2] - wider[1] > 1.3 * (one[2] - one[1])


def test_attenuation_is_the_one_of_the_estimates() -> None:
    """The factor over all ages equals what the estimates stage prints for the same cells."""
    rows = study_consequences(worked_cells(), worked_bands(), ValidationDesign.random, level=0.95, min_patients=10)
    found = rows.set_index(["age_band", "quantity"]).loc[("all", "attenuation_factor"), "point"]
    assert found == pytest.approx(attenuation(worked_arrays(), threshold=True))


@pytest.mark.parametrize(
    ("design", "diseased", "well", "expected"),
    [
        ("random", 20, 20, "E1"),
        ("known_probability", 19, 400, "E2"),
        ("modelled", 9, 400, "none"),
        ("external", 60, 400, "E4"),
        ("may_depend_on_sex", 60, 400, "E4"),
        ("none", 60, 400, "none"),
    ],
)
def test_the_repair_follows_the_decision_table(design: str, diseased: int, well: int, expected: str) -> None:
    """Each declared design and number validated gets the estimator of the decision table."""
    assert repair(ValidationDesign(design), diseased=diseased, well=well).estimator == expected


def test_tables_must_fit_the_bands_and_weights_their_squares() -> None:
    """A missing table or half of the weights is an error that says what was found."""
    with pytest.raises(EstimationError, match="2 age bands; found 0"):
        consequences("a", [], AgeBands((40, 60)))
    with pytest.raises(EstimationError, match="only one of them"):
        error_tables([1], [1], [1], [0], 1, weight=[2.0])


def frame_of_two() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image_id": ["a1", "a2", "b1"],
            "patient_id": ["a", "a", "b"],
            "prob_male": [0.9, 0.3, 0.2],
            "status": "ok",
            "age_years": 50.0,
            "recorded_sex": ["male", "male", "female"],
            "amd": [True, None, False],
        }
    )


def test_patients_count_once_and_a_disease_is_true_false_or_unknown() -> None:
    """Two photographs are one patient, called a man by the mean logit; anything else as a disease is refused."""
    found = consequences_of_scores(frame_of_two(), conditions=["amd"], bands=AgeBands((40,)))
    first = found.iloc[0]
    assert (first["n_patients"], first["n_diseased_men"], first["n_well_women"]) == (2, 1, 1)
    wrong = frame_of_two().assign(amd=["yes", None, "no"])
    with pytest.raises(SchemaError, match="neither true nor false"):
        consequences_of_scores(wrong, conditions=["amd"], bands=AgeBands((40,)))
    with pytest.raises(StudyError, match="at least one column"):
        consequences_of_scores(frame_of_two(), conditions=[], bands=AgeBands((40,)))
