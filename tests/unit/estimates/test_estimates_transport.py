"""The transport test: mixtures of scores, groups made comparable in age, states, and what it must not see."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from sexstrat.errors import EstimationError
from sexstrat.estimates.cell_arrays import CellArrays, cell_arrays
from sexstrat.estimates.diagnosis.entropy_balance import entropy_balance
from sexstrat.estimates.diagnosis.mixture_fit import fit_mixture
from sexstrat.estimates.diagnosis.transport import transport_test
from sexstrat.estimates.diagnosis.transport_groups import FEWEST_OF_A_SEX, score_groups
from sexstrat.estimates.worked_example import worked_arrays
from sexstrat.simulation import simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import ValidationDesign

BANDS = AgeBands((20, 60))


def samples(name: str, seed: int, n: int = 20_000) -> tuple[CellArrays, CellArrays]:
    """Return a cohort of unknown sex and its external sample."""
    both = simulate_cells(name, n, seed)
    assert both.external is not None
    cohort = cell_arrays(both.cells, BANDS, ValidationDesign.external)
    return cohort, cell_arrays(both.external, BANDS, ValidationDesign.random)


@pytest.fixture(scope="module")
def holds() -> tuple[CellArrays, CellArrays]:
    return samples("external_error_by_disease", 3)


def test_an_exact_mixture_has_no_deviance_whatever_its_share() -> None:
    """Counts that are a mixture to the last person: the share comes back, nothing is left over."""
    men, women = np.array([10.0, 20.0, 30.0, 40.0]), np.array([45.0, 30.0, 20.0, 5.0])
    for pi in (0.05, 0.4, 0.9):
        mixed = 1_000 * (pi * men / 100 + (1 - pi) * women / 100)
        fit = fit_mixture(mixed[None], men[None], women[None])
        assert fit.pi[0] == pytest.approx(pi, abs=1e-3)
        assert fit.deviance[0] == pytest.approx(0.0, abs=1e-4)
        assert fit.df[0] == 2


def test_groups_are_fitted_apart() -> None:
    """A group's deviance does not depend on which other groups are fitted beside it."""
    rng = np.random.default_rng(5)
    mixed, men, women = rng.integers(5, 90, (3, 4, 6)).astype(float)
    together = fit_mixture(mixed, men, women)
    alone = [float(fit_mixture(mixed[k], men[k], women[k]).deviance[0]) for k in range(4)]
    np.testing.assert_allclose(together.deviance, alone, atol=1e-4)


def test_mirrored_sexes_mirror_the_share() -> None:
    """Men and women exchanged: the share becomes its complement, the deviance stays."""
    mixed, men, women = np.array([[40.0, 90.0, 30.0]]), np.array([[5.0, 20.0, 40.0]]), np.array([[30.0, 30.0, 6.0]])
    one, other = fit_mixture(mixed, men, women), fit_mixture(mixed, women, men)
    assert one.pi[0] + other.pi[0] == pytest.approx(1.0, abs=1e-3)
    assert one.deviance[0] == pytest.approx(other.deviance[0], abs=1e-4)


def test_an_empty_sample_and_unequal_shapes_are_refused() -> None:
    """No known man, or bins that do not match, is said."""
    one = np.ones((1, 3))
    with pytest.raises(EstimationError, match="no known man"):
        fit_mixture(one, 0 * one, one)
    with pytest.raises(EstimationError, match="equal shapes"):
        fit_mixture(one, np.ones((1, 4)), one)


def test_balance_out_of_reach_is_none() -> None:
    """A mean beyond the oldest person, and one on the oldest person alone, cannot be reached by weights."""
    ages = np.arange(49.0, 61.0)[:, None]
    assert entropy_balance(ages, np.ones(12), np.array([61.0])) is None
    assert entropy_balance(ages, np.ones(12), np.array([60.0])) is None
    assert entropy_balance(ages, np.ones(12), np.array([57.0])) is not None


def test_groups_hold_enough_of_either_sex_and_share_no_patient(holds: tuple[CellArrays, CellArrays]) -> None:
    """At least 60 men and 60 women in each, every age in one group, effective numbers no larger than the people."""
    groups = score_groups(*holds)
    assert len(groups) >= 4
    assert all(min(one.n_men, one.n_women) >= FEWEST_OF_A_SEX for one in groups)
    for one in groups:
        assert one.men.sum() <= one.n_men + 1e-6
        assert one.women.sum() <= one.n_women + 1e-6
        assert one.mixed.sum() == pytest.approx(one.n_cohort)
    for diseased in (False, True):
        ranges = [(one.age_low, one.age_high) for one in groups if one.diseased == diseased]
        assert all(first[1] < second[0] for first, second in pairwise(ranges))


def test_transport_that_holds_passes_and_broken_is_rejected(holds: tuple[CellArrays, CellArrays]) -> None:
    """Another share of men, other ages and other prevalence pass; a better score outside is rejected."""
    found = transport_test(*holds)
    assert found.passes
    assert not found.rejects
    assert found.n_cohort + found.n_untested == pytest.approx(20_000)
    broken = transport_test(*samples("external_broken", 3))
    assert broken.rejects
    assert not broken.passes
    assert broken.p_value is not None
    assert broken.p_value < 1e-6


def test_the_result_does_not_depend_on_the_order_of_the_rows(holds: tuple[CellArrays, CellArrays]) -> None:
    """Rows of both samples shuffled: the same deviance."""

    def shuffled(arrays: CellArrays, seed: int) -> CellArrays:
        order = np.random.default_rng(seed).permutation(arrays.n.size)
        rows = {
            name: getattr(arrays, name)[order]
            for name in CellArrays.__dataclass_fields__
            if isinstance(getattr(arrays, name), np.ndarray)
        }
        return replace(arrays, **rows)

    one = transport_test(*holds)
    other = transport_test(shuffled(holds[0], 1), shuffled(holds[1], 2))
    assert one.deviance == pytest.approx(other.deviance, abs=1e-3)
    assert one.df == other.df


def test_equal_survey_weights_change_nothing(holds: tuple[CellArrays, CellArrays]) -> None:
    """A weight of 4 for everybody is no more information than a weight of 1."""
    cohort, external = holds
    heavy = replace(cohort, w=4 * cohort.w, w2=16 * cohort.w2)
    assert transport_test(heavy, external).deviance == pytest.approx(
        transport_test(cohort, external).deviance, abs=1e-3
    )


def test_too_few_known_people_give_no_p_value(holds: tuple[CellArrays, CellArrays]) -> None:
    """Without enough labelled men and women the state says so, the test neither passes nor rejects, no NaN prints."""
    cohort, external = holds
    few = replace(external, validated=external.validated & (external.age_years < 35))
    found = transport_test(cohort, few)
    assert (found.state, found.p_value, found.passes, found.rejects) == ("too_few", None, False, False)
    assert "60" in found.note
    row = found.to_frame().iloc[0]
    assert row["state"] == "too_few"
    assert row[["deviance", "p_value"]].isna().all()


def test_ages_without_labelled_people_are_counted(holds: tuple[CellArrays, CellArrays]) -> None:
    """Patients older than every labelled person are left out and counted, not extrapolated to."""
    cohort, external = holds
    young = replace(external, validated=external.validated & (external.age_years < 70))
    found = transport_test(cohort, young)
    older = cohort.n[(cohort.age_years >= 70) & (cohort.n_eyes > 0)].sum()
    assert found.n_untested >= older
    assert "external sample lacks" in found.note


def test_a_size_out_of_range_is_refused() -> None:
    """The size of a test is a probability."""
    with pytest.raises(EstimationError, match="between 0 and 1"):
        transport_test(worked_arrays(), worked_arrays(), alpha=5)
