"""The audit's building blocks give the numbers that can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sexstrat.audit import (
    auc_clustered,
    calibration_in_the_large,
    clustered_proportion,
    delong,
    gap,
    male_share_difference,
    wilson_interval,
)
from sexstrat.audit.clusters import Clusters, cluster_variance


def test_wilson_of_newcombe_example() -> None:
    """Wilson's limits of 81/263 are those Newcombe printed (1998, table I): 0.2553 to 0.3662."""
    assert wilson_interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@pytest.mark.parametrize(("share", "n"), [(-0.1, 5), (1.1, 5), (0.5, 0)])
def test_wilson_refuses_what_is_no_proportion(share: float, n: float) -> None:
    """A share outside 0 to 1, or nobody, has no interval."""
    with pytest.raises(ValueError, match="share"):
        wilson_interval(share, n)


def test_wilson_refuses_a_level_of_one() -> None:
    """A level must lie strictly between 0 and 1."""
    with pytest.raises(ValueError, match="level"):
        wilson_interval(0.5, 10, level=1.0)


def test_proportion_of_single_images_is_wilson() -> None:
    """With one image a patient the design effect is n/(n−1) and the limits Wilson's at n − 1."""
    result = clustered_proportion([1] * 30 + [0] * 10, range(40))
    assert result.point == 0.75
    assert result.design_effect == pytest.approx(40 / 39)
    assert (result.low, result.high) == pytest.approx(wilson_interval(0.75, 39))
    assert result.se == pytest.approx(math.sqrt(0.75 * 0.25 / 39))


def test_proportion_does_not_gain_from_alternating_eyes() -> None:
    """A design effect below 1 is not used to shrink the interval: the effective size never exceeds the images."""
    result = clustered_proportion([1, 0] * 10, np.repeat(np.arange(10), 2))
    assert result.design_effect == pytest.approx(0.0)
    assert (result.low, result.high) == pytest.approx(wilson_interval(0.5, 20))


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_one_sided_proportion_counts_patients(share: float) -> None:
    """When every image agrees the interval is Wilson's on the patients, not the images, and no se is claimed."""
    result = clustered_proportion(np.full(20, share), np.repeat(np.arange(10), 2))
    assert result.point == share
    assert result.se is None
    assert (result.low, result.high) == pytest.approx(wilson_interval(share, 10))


def test_weighted_one_sided_proportion_uses_kish() -> None:
    """With weights 1 and 3 two patients are worth (1 + 3)²/(1 + 9) = 1.6."""
    result = clustered_proportion([1, 1], ["a", "b"], weight=[1, 3])
    assert (result.low, result.high) == pytest.approx(wilson_interval(1.0, 1.6))


def test_weighted_proportion() -> None:
    """A weight of 3 counts three times: (3·1 + 1·0)/4; patients in and outside the numerator are counted."""
    result = clustered_proportion([1, 0], ["a", "b"], weight=[3, 1])
    assert result.point == 0.75
    assert (result.n_patients_numerator, result.n_patients_complement) == (1, 1)


def test_nobody_is_undefined_and_one_patient_has_no_se() -> None:
    """Nobody gives no number; one patient a number with the interval of a single observation."""
    assert clustered_proportion([], []).state == "undefined"
    alone = clustered_proportion([1, 0], ["a", "a"])
    assert alone.point == 0.5
    assert alone.se is None
    assert (alone.low, alone.high) == pytest.approx(wilson_interval(0.5, 1))


@pytest.mark.parametrize("weight", [[1, 0], [1, -1], [1, float("nan")], [1]])
def test_weights_must_be_positive(weight: list[float]) -> None:
    """A missing, zero or negative weight is refused, not ignored."""
    with pytest.raises(ValueError, match="weights must be"):
        clustered_proportion([1, 0], ["a", "b"], weight=weight)


def test_images_without_a_patient_are_refused() -> None:
    """An image of nobody cannot be counted by patient."""
    with pytest.raises(ValueError, match="no patient_id"):
        Clusters.of(["a", None])


def test_cluster_variance_needs_two_patients() -> None:
    """The variance among one patient is not a number, never 0."""
    assert math.isnan(cluster_variance(np.array([0.0]), Clusters.of(["a"])))


def test_auc_counts_ties_as_half() -> None:
    """Men .8 .5, women .5 .2: three pairs right, one tied: 3.5/4."""
    assert delong([0.8, 0.5, 0.5, 0.2], [1, 1, 0, 0]).point == 0.875


def test_weighted_auc_repeats_persons() -> None:
    """A man of weight 2 counts as two men for the estimate: (2·1 + 1·½)/3."""
    result = auc_clustered([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0], range(4), weight=[2, 1, 1, 1], min_patients=2)
    # woman .5 is below .9 (right) and tied with .5 (half); woman .1 is below both
    assert result.point == pytest.approx((2 * 1 + 1 * 0.75) / 3)


def test_auc_needs_ten_patients_of_each_sex() -> None:
    """Nine women with two eyes each are nine, not eighteen: the AUC is undefined and says which sex is lacking."""
    male = np.repeat([1] * 30 + [0] * 9, 2)
    result = auc_clustered(np.linspace(0, 1, 78), male, np.repeat(np.arange(39), 2))
    assert (result.state, result.point) == ("undefined", None)
    assert result.note == "fewer than 10 women in the denominator"


def test_auc_of_separated_sexes_is_not_certain() -> None:
    """An AUC of 1 among 10 men and 12 women has Wilson's lower limit at 10 and no standard error."""
    result = auc_clustered([0.9] * 10 + [0.1] * 12, [1] * 10 + [0] * 12, range(22))
    assert (result.point, result.se, result.high) == (1.0, None, 1.0)
    assert result.low == pytest.approx(wilson_interval(1.0, 10)[0])


def test_auc_minimum_is_at_least_two() -> None:
    """One patient of a sex has no variance, so a minimum of one is refused."""
    with pytest.raises(ValueError, match="at least 2"):
        auc_clustered([0.1, 0.9], [0, 1], [1, 2], min_patients=1)


def test_calibration_by_hand() -> None:
    """Half are men where every probability says .8: the intercept is −logit(.8) = −log 4, its se 1/√((n−1)/4)."""
    result = calibration_in_the_large([0.8] * 40, [1, 0] * 20, range(40))
    assert result.point == pytest.approx(-math.log(4))
    assert result.se == pytest.approx(1 / math.sqrt(39 / 4))


def test_calibration_survives_certainty_and_extremes() -> None:
    """Probabilities of exactly 0 and 1 are clipped at logit ±10, and the answer stays finite."""
    result = calibration_in_the_large([0.0, 1.0, 1.0, 0.0], [1, 0, 1, 0], range(4))
    assert result.point == pytest.approx(0.0, abs=1e-8)


@pytest.mark.parametrize("male", [[1, 1, 1], [0, 0, 0]])
def test_calibration_of_one_sex_is_undefined(male: list[int]) -> None:
    """With one sex the intercept is infinite: it is undefined, never a number."""
    result = calibration_in_the_large([0.5, 0.5, 0.5], male, range(3))
    assert (result.state, result.point) == ("undefined", None)


def test_male_share_difference_is_false_men_minus_false_women() -> None:
    """Two of ten women called men and one of ten men called a woman: (2 − 1)/20."""
    result = male_share_difference([1] * 9 + [0] + [1] * 2 + [0] * 8, [1] * 10 + [0] * 10, range(20))
    assert result.point == pytest.approx(0.05)
    d = np.array([0] * 9 + [-1] + [1] * 2 + [0] * 8)
    assert result.se == pytest.approx(d.std(ddof=1) / math.sqrt(20))


def test_male_share_difference_without_error_is_not_certain() -> None:
    """No error among 20 patients bounds the difference by Wilson's upper limit of 0/20 on both sides."""
    result = male_share_difference([1, 0] * 10, [1, 0] * 10, range(20))
    reach = wilson_interval(0.0, 20)[1]
    assert (result.point, result.se) == (0.0, None)
    assert (result.low, result.high) == pytest.approx((-reach, reach))


def test_male_share_difference_of_nobody() -> None:
    """Nobody is undefined."""
    assert male_share_difference([], [], []).state == "undefined"


def test_gap_of_opposite_certainties_reaches_less_than_one() -> None:
    """Newcombe's 10/10 against 0/20 (1998b, table II, method 10): 0.6791 to 1.0000."""
    limits = gap(1.0, *wilson_interval(1.0, 10), 0.0, *wilson_interval(0.0, 20))
    assert limits == pytest.approx((1.0, 0.6791, 1.0), abs=5e-5)


def test_gap_refuses_an_estimate_outside_its_limits() -> None:
    """Swapped arguments are an error, not a nonsense interval."""
    with pytest.raises(ValueError, match="between its own limits"):
        gap(0.5, 0.6, 0.7, 0.5, 0.4, 0.6)
