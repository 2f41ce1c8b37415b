"""Cells to composition (shares of men with covariance) to prevalence, contrasts and standardised measures.

Order: ``cell_arrays``, ``recalibration``, the estimators (``aipw`` E1, ``imputation`` E2, ``naive`` E7), ``refusal``
and ``auto`` (the decision table), ``compose`` (the one way in), ``measures`` (formulas with derivatives),
``prevalence``, ``contrasts``, ``standardise``, ``all_estimates``. Plain building blocks on numbers: ``proportions``,
``ppi``, ``degrees_of_freedom``, ``rates``.
"""

from sexstrat.estimates.all_estimates import METHODS, all_estimates, headline_rows
from sexstrat.estimates.compose import ESTIMATORS, compose, truth_composition
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.degrees_of_freedom import PooledVariance, barnard_rubin, rubin_pool, satterthwaite
from sexstrat.estimates.estimate_rows import Estimates
from sexstrat.estimates.misclassification import rogan_gladen
from sexstrat.estimates.ppi import PredictionPoweredMean, ppi_mean
from sexstrat.estimates.proportions import clopper_pearson, jeffreys, wilson
from sexstrat.estimates.rates import StandardisedRate, direct_standardised
from sexstrat.estimates.standardise import StandardWeights, standard_populations, standard_weights

__all__ = [
    "ESTIMATORS",
    "METHODS",
    "ComposeInput",
    "Composition",
    "Estimates",
    "Margin",
    "PooledVariance",
    "PredictionPoweredMean",
    "StandardWeights",
    "StandardisedRate",
    "all_estimates",
    "barnard_rubin",
    "clopper_pearson",
    "compose",
    "direct_standardised",
    "headline_rows",
    "jeffreys",
    "ppi_mean",
    "rogan_gladen",
    "rubin_pool",
    "satterthwaite",
    "standard_populations",
    "standard_weights",
    "truth_composition",
    "wilson",
]
