"""What a planned cohort is expected to give, by numbers that can be worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import nct, norm
from scipy.stats import t as student

from sexstrat.errors import EstimationError
from sexstrat.estimates import (
    MEASURES,
    Goal,
    PlannedCells,
    anticipated_interval,
    compose,
    fewest_validated,
    needed_auc,
    needed_patients,
    needed_validated,
    pilot_cells,
    stated_cells,
    validated_only_interval,
)
from sexstrat.estimates.numbers.score_moments import binormal_moments
from sexstrat.estimates.planning.anticipated import power_of
from sexstrat.estimates.planning.anticipated_margin import anticipated_margins, fitting_cost
from sexstrat.estimates.planning.planning import share_gradient
from sexstrat.estimates.worked_example import worked_bands, worked_cells


def planned(**changes: float) -> PlannedCells:
    """Return 4,000 patients, half men, a quarter diseased, ratio 1.5."""
    values: dict[str, float] = {"patients": 4000, "prevalence": 0.25, "male_share": 0.5, "ratio": 1.5, "auc": 0.9}
    return stated_cells(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(("auc", "share"), [(0.7, 0.5), (0.95, 0.6), (0.97, 0.1)])
def test_binormal_moments_are_the_integrals(auc: float, share: float) -> None:
    """Adaptive quadrature of p^k over the two normal densities gives the same to 8 digits."""
    d = math.sqrt(2) * norm.ppf(auc)

    def integrand(z: float, power: int) -> float:
        men, women = share * norm.pdf(z, d / 2), (1 - share) * norm.pdf(z, -d / 2)
        return (men / (men + women)) ** power * (men + women)

    exact = [quad(integrand, -14, 14, args=(power,), epsabs=1e-12, limit=200)[0] for power in (1, 2, 3, 4)]
    assert binormal_moments(auc, share) == pytest.approx(exact, abs=1e-8)


def test_the_variance_is_that_of_the_influence_function() -> None:
    """Log ratio: 1/A - 1/M + 1/B - 1/F from sampling people, plus residuals times (1 - r)/r times (dg/dS)^2.

    4,000 patients, 600 of 2,000 men and 400 of 2,000 women diseased; 400 validated, a tenth.
    """
    cells = planned()
    found = anticipated_interval(cells, 400)
    people = 1 / 600 - 1 / 2000 + 1 / 400 - 1 / 2000
    moved = {1: 1 / 600 - 1 / 2000 + 1 / 400 - 1 / 2000, 0: -1 / 2000 - 1 / 2000}
    residual = 0.0
    for d, n, share in ((0, 3000, 1400 / 3000), (1, 1000, 600 / 1000)):
        m1, m2, m3, m4 = binormal_moments(0.9, share)
        own = 0.8 * n / 10
        cost = (3 / own + 2 / 320) * (m2 - 2 * m3 + m4) / (m1 - m2) ** 2
        residual += n * (m1 - m2) * (1 + cost) * 9 * moved[d] ** 2
    assert found.se**2 == pytest.approx(people + residual, rel=1e-9)
    assert anticipated_interval(cells, 400, target="cohort").se ** 2 == pytest.approx(residual, rel=1e-9)
    assert found.value == pytest.approx(1.5)
    assert found.validated_diseased == pytest.approx(100)


def test_a_score_that_says_nothing_leaves_the_binomial_of_the_validated() -> None:
    """With AUC 0.5 the share of men has variance pi (1 - pi) {1 + (1 + cost)(1 - r)/r} / N."""
    cells = planned(auc=0.5, ratio=1.0)
    _, overall = anticipated_margins(cells, np.array(0.1))
    cost = fitting_cost(cells, np.full(2, 0.1))
    expected = 0.25 * (1 + (1 + cost) * 9) / np.array([3000, 1000])
    assert np.diag(overall.covariance) == pytest.approx(expected)


@pytest.mark.parametrize("measure", list(MEASURES))
def test_all_validated_is_the_analysis_of_known_sex(measure: str) -> None:
    """With everybody validated E1 has the standard error of the validated alone, whatever the score."""
    cells = planned()
    both = anticipated_interval(cells, 4000, measure=measure), validated_only_interval(cells, 4000, measure=measure)
    assert both[0].se == pytest.approx(both[1].se, rel=1e-12)
    assert both[0].value == pytest.approx(both[1].value)


def test_known_difference_and_odds_ratio() -> None:
    """Everybody validated: variances of two binomials, p q / n and 1 / (n p q)."""
    men, women = (0.3, 2000), (0.2, 2000)
    difference = sum(p * (1 - p) / n for p, n in (men, women))
    odds = sum(1 / (n * p * (1 - p)) for p, n in (men, women))
    cells = planned()
    assert anticipated_interval(cells, 4000, measure="difference").se ** 2 == pytest.approx(difference)
    assert anticipated_interval(cells, 4000, measure="odds_ratio").se ** 2 == pytest.approx(odds)
    one = anticipated_interval(cells, 4000, measure="prevalence_male")
    assert one.se**2 == pytest.approx(1 / (2000 * 0.3 * 0.7))
    assert one.power is None
    assert anticipated_interval(cells, 4000, measure="male_share").se ** 2 == pytest.approx(1 / (4000 * 0.25))


def test_two_alike_bands_are_one_band_twice() -> None:
    """Two bands of the same make-up: crude as one band of all; standardised by halves likewise; a band alone wider."""
    one = planned()
    two = stated_cells(
        patients=4000, prevalence=0.25, male_share=0.5, ratio=1.5, auc=0.9, age_shares=(0.5, 0.5), labels=("a", "b")
    )
    crude = anticipated_interval(one, 800)
    assert anticipated_interval(two, 800).se == pytest.approx(crude.se)
    assert anticipated_interval(two, 800).df == pytest.approx(crude.df)
    assert anticipated_interval(two, 800, weights=np.array([0.5, 0.5])).se == pytest.approx(crude.se)
    band = anticipated_interval(two, 800, weights=np.array([0.0, 1.0]))
    assert band.se == pytest.approx(crude.se * math.sqrt(2))
    assert share_gradient(two, "ratio").sum(axis=0) == pytest.approx(share_gradient(one, "ratio")[0])


@pytest.mark.parametrize("df", [1.0, 7.5, 60.0, 5000.0])
@pytest.mark.parametrize("shift", [0.0, 0.7, 2.0, 4.0])
def test_power_is_that_of_the_noncentral_t(df: float, shift: float) -> None:
    """Quadrature agrees with the library's noncentral t; an effect of 3,000 standard errors is found at once."""
    critical = student.ppf(0.975, df)
    exact = nct.sf(critical, df, shift) + np.nan_to_num(nct.cdf(-critical, df, shift))
    assert power_of(shift, 1.0, df, 0.95) == pytest.approx(exact, abs=1e-5)
    assert power_of(3000.0, 1.0, 20.0, 0.95) == pytest.approx(1.0)


@pytest.mark.parametrize("wanted", [{"width": 1.6}, {"power": 0.9}])
def test_the_needed_number_is_the_smallest(wanted: dict[str, float]) -> None:
    """One patient fewer does not do; the needed area a thousandth lower does not either."""
    cells, goal = planned(), Goal(measure="ratio", **wanted)  # type: ignore[arg-type]
    needed = needed_validated(cells, goal)
    assert goal.met(goal.expected(cells, needed.validated))
    assert not goal.met(goal.expected(cells, needed.validated - 1))
    assert needed.validated > needed.floor
    area = needed_auc(lambda auc: planned(auc=auc), needed.validated, goal)
    assert area == 0.9
    assert not goal.met(goal.expected(planned(auc=0.899), needed.validated))


def test_the_needed_cohort_is_the_smallest() -> None:
    """A tenth of so many patients validated reaches the width, of one patient fewer not."""
    goal = Goal(measure="ratio", width=1.4)
    patients = needed_patients(planned(), goal, share=0.1)
    assert goal.met(goal.expected(planned(patients=patients), 0.1 * patients))
    assert not goal.met(goal.expected(planned(patients=patients - 1), 0.1 * (patients - 1)))


def test_the_goal_never_undercuts_what_e1_needs() -> None:
    """An easy wish still asks for a sample that holds 20 diseased patients with probability .95."""
    cells = planned(prevalence=0.02, patients=50_000)
    needed = needed_validated(cells, Goal(measure="ratio", width=60.0))
    assert needed.validated == needed.floor == fewest_validated(cells)
    rng = np.random.default_rng(5)
    held = rng.hypergeometric(1000, 49_000, needed.floor, size=20_000) >= 20
    assert 0.95 <= held.mean() <= 0.96


def test_what_is_out_of_reach_says_its_limit() -> None:
    """Not even everybody: the width they give is named, and the cohort it would take."""
    cells = planned()
    limit = anticipated_interval(cells, 4000).width
    with pytest.raises(EstimationError, match=rf"upper limit is {limit:.3f} times.*at least [\d,]+ patients"):
        needed_validated(cells, Goal(measure="ratio", width=limit - 0.01))
    with pytest.raises(EstimationError, match="however good the score"):
        needed_auc(lambda auc: planned(auc=auc), 400, Goal(measure="ratio", width=limit))
    with pytest.raises(EstimationError, match="No size of the cohort"):
        needed_validated(planned(ratio=1.0), Goal(measure="ratio", power=0.8))
    with pytest.raises(EstimationError, match="about 8 patients with the disease"):
        needed_validated(planned(patients=40, prevalence=0.2), Goal(measure="ratio", width=3.0))


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({}, "one of width and power"),
        ({"width": 1.5, "power": 0.8}, "one of width and power"),
        ({"width": 1.0}, "so above 1; found 1"),
        ({"power": 0.05}, "must lie between 0.05"),
        ({"measure": "male_share", "power": 0.8}, "power is of a comparison"),
        ({"measure": "difference", "width": 0.0}, "so above 0; found 0"),
        ({"measure": "sex"}, "no measure 'sex'"),
    ],
)
def test_wishes_that_cannot_be(wanted: dict[str, object], words: str) -> None:
    """A wish that contradicts itself is refused in words."""
    with pytest.raises(EstimationError, match=words):
        Goal(**{"measure": "ratio", **wanted})  # type: ignore[arg-type]


def test_too_few_and_too_many() -> None:
    """Fewer than 10 expected diseased is refused, fewer than 20 not corrected; more than all, or r = 0, is refused."""
    cells = planned()
    assert anticipated_interval(cells, 60).state == "model_based"
    assert anticipated_interval(cells, 80).state == "corrected"
    with pytest.raises(EstimationError, match=r"only 9\.0 with the disease"):
        anticipated_interval(cells, 36)
    with pytest.raises(EstimationError, match="at most the 4,000 patients"):
        anticipated_interval(cells, 4001)
    with pytest.raises(EstimationError, match="nobody can be validated"):
        anticipated_interval(cells, np.array([400.0, 0.0]))
    with pytest.raises(EstimationError, match="counted, not estimated"):
        anticipated_interval(cells, 4000, target="cohort")


def test_a_pilot_at_its_own_number_gives_its_own_interval() -> None:
    """The example's E1 interval: the same value and counts, its standard error within 3 %."""
    pilot = pilot_cells(worked_cells(), bands=worked_bands(), design="random")
    own = compose(worked_cells(), bands=worked_bands(), design="random", method="E1").contrast("ratio").rows[0]
    found = anticipated_interval(pilot, 550)
    assert found.value == pytest.approx(own["point"])
    assert found.se == pytest.approx(own["se"], rel=0.03)
    assert pilot.validated_now.tolist() == [200, 75, 200, 75]
    assert pilot.inflation == pytest.approx(1.0, abs=3 * pilot.inflation_se)


def test_a_pilot_takes_a_stated_comparison() -> None:
    """The stated ratio holds in each band; patients, diseased and men of a band stay as they were."""
    pilot = pilot_cells(worked_cells(), bands=worked_bands(), design="random", ratio=1.2)
    for band in range(2):
        assert anticipated_interval(pilot, 550, weights=np.eye(2)[band]).value == pytest.approx(1.2)
    n = pilot.table(pilot.n)
    assert n == pytest.approx(np.array([[400.0, 150.0], [400.0, 150.0]]))
    assert (n * pilot.shares).sum(axis=1) == pytest.approx([300.0, 300.0])
    with pytest.raises(EstimationError, match="state no ratio"):
        pilot_cells(worked_cells(), bands=worked_bands(), design="random", ratio=1.2, score_cuts=(0.5,))


def test_a_pilot_split_by_score_is_the_same_cohort() -> None:
    """Strata of the score add up to the cells; 80 % of the men and 20 % of the women lie above a half."""
    whole = pilot_cells(worked_cells(), bands=worked_bands(), design="random")
    split = pilot_cells(worked_cells(), bands=worked_bands(), design="random", score_cuts=(0.5,))
    assert split.patients.tolist() == [200, 200, 60, 90, 200, 200, 60, 90]
    assert split.score_low is not None
    assert split.score_low[:2].tolist() == [0.0, 0.5]
    assert anticipated_interval(split, 550).se == pytest.approx(anticipated_interval(whole, 550).se)
    with pytest.raises(EstimationError, match="must rise"):
        pilot_cells(worked_cells(), bands=worked_bands(), design="random", score_cuts=(0.6, 0.5))


def test_a_pilot_that_cannot_be_estimated_is_refused() -> None:
    """The reason E1 is refused is passed on, with what to do."""
    cells = worked_cells()
    frame = cells.frame[~(cells.frame["diseased"] & (cells.frame["recorded_sex"] != "unknown"))]
    with pytest.raises(EstimationError, match=r"only 0 patients with the disease.*State the values"):
        pilot_cells(replace(cells, frame=frame), bands=worked_bands(), design="random")
