"""Estimate rows adjusted for age in other ways: Mantel-Haenszel, trend with age by sex, regression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sexstrat.estimates.age_trend import TRENDS, age_trend, mean_ages
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.expected_tables import mantel_haenszel_rows
from sexstrat.estimates.regression.regression_adjusted import regression_adjusted
from sexstrat.estimates.regression.regression_result import REGRESSION_MEASURES, RegressionAdjusted
from sexstrat.values.design import ValidationDesign

__all__ = ["adjusted_rows", "regression_rows", "regressions"]


def adjusted_rows(given: ComposeInput, one: Composition) -> Iterator[dict[str, Any]]:
    """Yield Mantel-Haenszel measures over the age bands, and the change of prevalence per decade by sex.

    Trends place each band at the mean age of its patients. The ratio of men's to women's change is the interaction of
    sex and age.

    Parameters
    ----------
    given : the input.
    one : a composition made from it, of any estimator.

    Examples
    --------
    An odds ratio of 2 in both bands, and no change with age.

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells, worked_input
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> rows = list(adjusted_rows(worked_input(), one))
    >>> [(row["measure"], row["sex"], round(row["point"], 4)) for row in rows][::3]
    [('mantel_haenszel_odds_ratio', None, 2.0), ('odds_ratio_per_decade', 'male', 1.0), \
('prevalence_ratio_per_decade', 'male', 1.0)]
    """
    yield from mantel_haenszel_rows(one).rows
    ages = mean_ages(given.arrays)
    for link in TRENDS:
        yield from age_trend(one, link=link, ages=ages).estimates.rows


def _cluster(given: ComposeInput) -> str:
    """Name the independent unit: the sampling unit where patients were drawn in units, else the patient."""
    return "psu" if given.clustered and bool((given.arrays.psu >= 0).any()) else "patient"


def regressions(given: ComposeInput) -> tuple[RegressionAdjusted, ...]:
    """Return regression-adjusted prevalence and odds ratio, in the limit of infinitely many imputations.

    Modified Poisson and logistic regression of disease on sex, age (linear) and site, with robust variance by patient,
    or by sampling unit where patients were drawn in units.

    Parameters
    ----------
    given : the input, of any design; those that allow no imputation give refused results.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> [(one.link, round(one.coefficients[0].ratio, 1)) for one in regressions(worked_input())]
    [('poisson', 1.7), ('logistic', 2.0)]
    """
    unit = _cluster(given)
    return tuple(
        regression_adjusted(given, link=link, cluster=unit, imputations=np.inf) for link in REGRESSION_MEASURES
    )


def regression_rows(given: ComposeInput) -> Iterator[dict[str, Any]]:
    """Yield the regression-adjusted ratios of designs that allow imputation; the others have no such row.

    Parameters
    ----------
    given : the input.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> [(row["measure"], row["estimator"], row["standard"]) for row in regression_rows(worked_input())]
    [('regression_prevalence_ratio', 'E2', 'regression'), ('regression_odds_ratio', 'E2', 'regression')]
    """
    imputes = given.design.is_internal and given.design is not ValidationDesign.may_depend_on_sex
    if imputes or (given.arrays.validated.all() and given.arrays.n.sum() > 0):
        for one in regressions(given):
            yield from one.estimates.rows
