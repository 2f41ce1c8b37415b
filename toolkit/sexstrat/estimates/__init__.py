"""Cells to composition (shares of men with covariance) to prevalence, contrasts and standardised measures.

Order: ``cell_arrays``, ``recalibration``, the estimators (``aipw`` E1, ``imputation`` E2, ``naive`` E7), ``refusal``
and ``auto`` (the decision table), ``compose`` (the one way in), ``measures`` (formulas with derivatives),
``prevalence``, ``contrasts``, ``standardise``, ``all_estimates``. Plain building blocks on numbers: ``proportions``,
``ppi``, ``degrees_of_freedom``, ``rates``. Before the study: ``planned_cells`` (stated) or ``pilot_cells``,
``anticipated_margin`` and ``planning`` (the interval to expect), ``goal`` and ``needed`` (how many, what AUC),
``neyman`` and ``allocation`` (where to validate next).

Adjusted for age: ``stratified_tables``, ``mantel_haenszel`` and ``breslow_day`` (recorded sex), ``expected_tables`` and
``band_homogeneity`` (from a composition), ``age_trend``, and ``regression_adjusted`` (imputed sexes).

Sensitivity: ``beta_prior``, ``error_priors``, ``bias_analysis`` and ``misclassification_grid`` (nobody validated),
``tipping_point`` (a shift of the score, or of the unvalidated), ``noisy_recorded_sex`` with its ``_prior``,
``duplicate_records`` and ``duplicate_units`` (recorded sex is a record), ``e_value`` (a companion).

Complex samples: ``linearisation``, ``survey_design`` and ``survey`` (plain numbers), ``share_influence``,
``sampling_units`` and ``clustered_composition`` (E1 over units). Bootstrap: ``resampling``, ``resampling_plan``,
``measure_vector``, ``bootstrap_table``, ``pooled_shares``, ``bootstrap_e1`` and ``bootstrap`` (any estimator), read by
``bootstrap_result`` and ``bootstrap_intervals``.

Predicted sex corrected on plain numbers: ``score_counts``, ``quantification``, ``emq`` and ``label_shift`` (share of
men), ``class_accuracy`` and ``misclassification`` (Rogan-Gladen), ``matrix_method``, ``validation_table``,
``validation_likelihood`` and ``differential_error`` (E3), ``sex_disease_rows``, ``nondifferential`` and
``regression_calibration`` (E6), ``simex`` (a check only), all with ``sex_measures`` or ``share_of_men``.

Diagnostics: ``diagnostics`` gathers ``calibration_by_disease``, ``disease_shift``, ``accuracy_by_age``,
``calibration_measures``, ``score_mixture``, ``recorded_against_unrecorded`` and ``information``; ``transport`` (errors
carried over from elsewhere); ``imputation_comparison`` and ``imputations_needed`` (what imputation adds).
"""

from sexstrat.estimates.age_trend import AgeTrend, age_trend, mean_ages
from sexstrat.estimates.all_estimates import METHODS, all_estimates, headline_rows
from sexstrat.estimates.allocation import Allocation, optimal_allocation
from sexstrat.estimates.anticipated import MEASURES, Anticipated
from sexstrat.estimates.band_homogeneity import band_homogeneity
from sexstrat.estimates.beta_prior import BetaPrior, beta_prior
from sexstrat.estimates.bias_analysis import bias_analysis, bias_analysis_of_draws
from sexstrat.estimates.bias_analysis_result import BiasAnalysis
from sexstrat.estimates.bootstrap import bootstrap
from sexstrat.estimates.bootstrap_e1 import bootstrap_e1
from sexstrat.estimates.bootstrap_intervals import bca_interval, percentile_interval
from sexstrat.estimates.bootstrap_result import Bootstrap
from sexstrat.estimates.breslow_day import Homogeneity, breslow_day
from sexstrat.estimates.class_accuracy import ClassAccuracy
from sexstrat.estimates.clustered_composition import clustered_composition, clustered_variance
from sexstrat.estimates.compose import ESTIMATORS, compose, truth_composition
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.degrees_of_freedom import PooledVariance, barnard_rubin, rubin_pool, satterthwaite
from sexstrat.estimates.diagnostic_rows import DiagnosticRow
from sexstrat.estimates.diagnostics import Diagnostics, diagnose
from sexstrat.estimates.differential_error import DifferentialErrorTest, differential_error_test
from sexstrat.estimates.disease_shift import shown_nondifferential
from sexstrat.estimates.duplicate_records import DuplicateDisagreement, duplicate_disagreement
from sexstrat.estimates.duplicate_units import DuplicateUnits, duplicate_units
from sexstrat.estimates.e_value import EValue, e_value
from sexstrat.estimates.emq import emq
from sexstrat.estimates.entropy_balance import entropy_balance
from sexstrat.estimates.error_priors import ErrorDraws, ErrorPriors, draw_errors
from sexstrat.estimates.estimate_rows import Estimates
from sexstrat.estimates.expected_tables import mantel_haenszel_rows
from sexstrat.estimates.goal import Goal
from sexstrat.estimates.imputation_comparison import ImputationComparison, compare_imputations
from sexstrat.estimates.imputations_needed import imputations_needed, von_hippel, white_royston_wood
from sexstrat.estimates.information import planned_validation
from sexstrat.estimates.label_shift import LabelShiftCheck, label_shift_check
from sexstrat.estimates.mantel_haenszel import MantelHaenszel, mantel_haenszel
from sexstrat.estimates.matrix_method import MatrixEstimate, matrix_method
from sexstrat.estimates.misclassification import (
    lang_reiczigel,
    rogan_gladen,
    rogan_gladen_delta,
    rogan_gladen_known,
)
from sexstrat.estimates.misclassification_grid import MisclassificationGrid, misclassification_grid
from sexstrat.estimates.misrecorded_margin import RecordingError
from sexstrat.estimates.mixture_fit import MixtureFit, fit_mixture
from sexstrat.estimates.needed import Needed, fewest_validated, needed_auc, needed_patients, needed_validated
from sexstrat.estimates.neyman import allocate, proportional_allocation
from sexstrat.estimates.noisy_recorded_sex import NoisyRecordedSex, noisy_recorded_sex
from sexstrat.estimates.noisy_recorded_sex_prior import noisy_recorded_sex_prior
from sexstrat.estimates.nondifferential import NondifferentialError, nondifferential_error
from sexstrat.estimates.pilot_cells import pilot_cells
from sexstrat.estimates.planned_cells import PlannedCells, stated_cells
from sexstrat.estimates.planning import anticipated_interval, validated_only_interval
from sexstrat.estimates.ppi import PredictionPoweredMean, ppi_mean
from sexstrat.estimates.proportions import clopper_pearson, jeffreys, wilson
from sexstrat.estimates.quantification import acc, pacc
from sexstrat.estimates.rates import StandardisedRate, direct_standardised
from sexstrat.estimates.regression_adjusted import regression_adjusted
from sexstrat.estimates.regression_calibration import RegressionCalibration, regression_calibration
from sexstrat.estimates.regression_result import Coefficient, RegressionAdjusted
from sexstrat.estimates.score_counts import ScoreCounts, score_counts
from sexstrat.estimates.score_logit_shift import ScoreModel, shifted_composition
from sexstrat.estimates.sex_disease_rows import SexDiseaseRows, sex_disease_rows
from sexstrat.estimates.sex_measures import SexMeasure, SexMeasures, sex_measures
from sexstrat.estimates.share_of_men import ShareOfMen
from sexstrat.estimates.simex import SimexCheck, mc_simex
from sexstrat.estimates.standardise import StandardWeights, standard_populations, standard_weights
from sexstrat.estimates.stratified_tables import StratifiedTables, stratified_tables
from sexstrat.estimates.survey import survey_mean, survey_proportion, survey_ratio, survey_total
from sexstrat.estimates.survey_design import SurveyDesign, SurveyEstimate
from sexstrat.estimates.tipping_point import TippingPoint, tipping_point_of_recording, tipping_point_of_score
from sexstrat.estimates.transport import TransportTest, transport_test
from sexstrat.estimates.validation_likelihood import ValidationFit, validation_likelihood
from sexstrat.estimates.validation_table import ValidationTable, closed_form_shares, validation_table
from sexstrat.estimates.variance_parts import VarianceParts, variance_parts

__all__ = [
    "ESTIMATORS",
    "MEASURES",
    "METHODS",
    "AgeTrend",
    "Allocation",
    "Anticipated",
    "BetaPrior",
    "BiasAnalysis",
    "Bootstrap",
    "ClassAccuracy",
    "Coefficient",
    "ComposeInput",
    "Composition",
    "DiagnosticRow",
    "Diagnostics",
    "DifferentialErrorTest",
    "DuplicateDisagreement",
    "DuplicateUnits",
    "EValue",
    "ErrorDraws",
    "ErrorPriors",
    "Estimates",
    "Goal",
    "Homogeneity",
    "ImputationComparison",
    "LabelShiftCheck",
    "MantelHaenszel",
    "Margin",
    "MatrixEstimate",
    "MisclassificationGrid",
    "MixtureFit",
    "Needed",
    "NoisyRecordedSex",
    "NondifferentialError",
    "PlannedCells",
    "PooledVariance",
    "PredictionPoweredMean",
    "RecordingError",
    "RegressionAdjusted",
    "RegressionCalibration",
    "ScoreCounts",
    "ScoreModel",
    "SexDiseaseRows",
    "SexMeasure",
    "SexMeasures",
    "ShareOfMen",
    "SimexCheck",
    "StandardWeights",
    "StandardisedRate",
    "StratifiedTables",
    "SurveyDesign",
    "SurveyEstimate",
    "TippingPoint",
    "TransportTest",
    "ValidationFit",
    "ValidationTable",
    "VarianceParts",
    "acc",
    "age_trend",
    "all_estimates",
    "allocate",
    "anticipated_interval",
    "band_homogeneity",
    "barnard_rubin",
    "bca_interval",
    "beta_prior",
    "bias_analysis",
    "bias_analysis_of_draws",
    "bootstrap",
    "bootstrap_e1",
    "breslow_day",
    "clopper_pearson",
    "closed_form_shares",
    "clustered_composition",
    "clustered_variance",
    "compare_imputations",
    "compose",
    "diagnose",
    "differential_error_test",
    "direct_standardised",
    "draw_errors",
    "duplicate_disagreement",
    "duplicate_units",
    "e_value",
    "emq",
    "entropy_balance",
    "fewest_validated",
    "fit_mixture",
    "headline_rows",
    "imputations_needed",
    "jeffreys",
    "label_shift_check",
    "lang_reiczigel",
    "mantel_haenszel",
    "mantel_haenszel_rows",
    "matrix_method",
    "mc_simex",
    "mean_ages",
    "misclassification_grid",
    "needed_auc",
    "needed_patients",
    "needed_validated",
    "noisy_recorded_sex",
    "noisy_recorded_sex_prior",
    "nondifferential_error",
    "optimal_allocation",
    "pacc",
    "percentile_interval",
    "pilot_cells",
    "planned_validation",
    "ppi_mean",
    "proportional_allocation",
    "regression_adjusted",
    "regression_calibration",
    "rogan_gladen",
    "rogan_gladen_delta",
    "rogan_gladen_known",
    "rubin_pool",
    "satterthwaite",
    "score_counts",
    "sex_disease_rows",
    "sex_measures",
    "shifted_composition",
    "shown_nondifferential",
    "standard_populations",
    "standard_weights",
    "stated_cells",
    "stratified_tables",
    "survey_mean",
    "survey_proportion",
    "survey_ratio",
    "survey_total",
    "tipping_point_of_recording",
    "tipping_point_of_score",
    "transport_test",
    "truth_composition",
    "validated_only_interval",
    "validation_likelihood",
    "validation_table",
    "variance_parts",
    "von_hippel",
    "white_royston_wood",
    "wilson",
]
