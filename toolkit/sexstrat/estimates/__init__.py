"""Cells to composition (shares of men with covariance) to prevalence, contrasts and standardised measures.

Order: ``cell_arrays``, ``recalibration`` and ``likelihood_ratio`` (what the score says), the estimators (``aipw`` E1,
``imputation`` E2, ``cell_em`` E4 and E5, ``naive`` E7), ``refusal``, ``transported`` and ``auto`` (the decision table),
``compose`` (the one way in), ``clustered_composition`` (samples in units), ``measures`` (formulas with derivatives),
``prevalence``, ``contrasts``, ``eye_composition`` (the same among eyes), ``standardise``, ``expected_tables``
(Mantel-Haenszel), ``age_trend``, ``all_estimates``. Rooms of their own, each told in its package: ``numbers``,
``diagnosis``, ``sensitivity``, ``regression``, ``resampling``, ``planning``.
"""

from sexstrat.estimates.age_trend import AgeTrend, age_trend, mean_ages
from sexstrat.estimates.all_estimates import METHODS, all_estimates, headline_rows
from sexstrat.estimates.clustered_composition import clustered_composition, clustered_variance
from sexstrat.estimates.compose import ESTIMATORS, compose, truth_composition
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.degrees_of_freedom import PooledVariance, barnard_rubin, rubin_pool, satterthwaite
from sexstrat.estimates.diagnosis.band_homogeneity import band_homogeneity
from sexstrat.estimates.diagnosis.diagnostic_rows import DiagnosticRow
from sexstrat.estimates.diagnosis.diagnostics import Diagnostics, diagnose
from sexstrat.estimates.diagnosis.disease_shift import shown_nondifferential
from sexstrat.estimates.diagnosis.entropy_balance import entropy_balance
from sexstrat.estimates.diagnosis.imputation_comparison import ImputationComparison, compare_imputations
from sexstrat.estimates.diagnosis.imputations_needed import imputations_needed, von_hippel, white_royston_wood
from sexstrat.estimates.diagnosis.information import planned_validation
from sexstrat.estimates.diagnosis.mixture_fit import MixtureFit, fit_mixture
from sexstrat.estimates.diagnosis.nondifferential import NondifferentialError, nondifferential_error
from sexstrat.estimates.diagnosis.transport import TransportTest, transport_test
from sexstrat.estimates.estimate_rows import Estimates
from sexstrat.estimates.expected_tables import mantel_haenszel_rows
from sexstrat.estimates.eye_composition import eye_composition
from sexstrat.estimates.eye_informative import InformativeEyes, informative_eyes
from sexstrat.estimates.eye_rows import eye_rows
from sexstrat.estimates.numbers.breslow_day import Homogeneity, breslow_day
from sexstrat.estimates.numbers.class_accuracy import ClassAccuracy
from sexstrat.estimates.numbers.differential_error import DifferentialErrorTest, differential_error_test
from sexstrat.estimates.numbers.emq import emq
from sexstrat.estimates.numbers.label_shift import LabelShiftCheck, label_shift_check
from sexstrat.estimates.numbers.mantel_haenszel import MantelHaenszel, mantel_haenszel
from sexstrat.estimates.numbers.matrix_method import MatrixEstimate, matrix_method
from sexstrat.estimates.numbers.misclassification import (
    lang_reiczigel,
    rogan_gladen,
    rogan_gladen_delta,
    rogan_gladen_known,
)
from sexstrat.estimates.numbers.ppi import PredictionPoweredMean, ppi_mean
from sexstrat.estimates.numbers.proportions import clopper_pearson, jeffreys, wilson
from sexstrat.estimates.numbers.quantification import acc, pacc
from sexstrat.estimates.numbers.rates import StandardisedRate, direct_standardised
from sexstrat.estimates.numbers.regression_calibration import RegressionCalibration, regression_calibration
from sexstrat.estimates.numbers.score_counts import ScoreCounts, score_counts
from sexstrat.estimates.numbers.sex_disease_rows import SexDiseaseRows, sex_disease_rows
from sexstrat.estimates.numbers.sex_measures import SexMeasure, SexMeasures, sex_measures
from sexstrat.estimates.numbers.share_of_men import ShareOfMen
from sexstrat.estimates.numbers.simex import SimexCheck, mc_simex
from sexstrat.estimates.numbers.stratified_tables import StratifiedTables, stratified_tables
from sexstrat.estimates.numbers.survey import survey_mean, survey_proportion, survey_ratio, survey_total
from sexstrat.estimates.numbers.survey_design import SurveyDesign, SurveyEstimate
from sexstrat.estimates.numbers.validation_likelihood import ValidationFit, validation_likelihood
from sexstrat.estimates.numbers.validation_table import ValidationTable, closed_form_shares, validation_table
from sexstrat.estimates.planning.allocation import Allocation, optimal_allocation
from sexstrat.estimates.planning.anticipated import MEASURES, Anticipated
from sexstrat.estimates.planning.goal import Goal
from sexstrat.estimates.planning.needed import Needed, fewest_validated, needed_auc, needed_patients, needed_validated
from sexstrat.estimates.planning.neyman import allocate, proportional_allocation
from sexstrat.estimates.planning.pilot_cells import pilot_cells
from sexstrat.estimates.planning.planned_cells import PlannedCells, stated_cells
from sexstrat.estimates.planning.planning import anticipated_interval, validated_only_interval
from sexstrat.estimates.planning.variance_parts import VarianceParts, variance_parts
from sexstrat.estimates.regression.regression_adjusted import regression_adjusted
from sexstrat.estimates.regression.regression_result import Coefficient, RegressionAdjusted
from sexstrat.estimates.resampling.bootstrap import bootstrap
from sexstrat.estimates.resampling.bootstrap_e1 import bootstrap_e1
from sexstrat.estimates.resampling.bootstrap_intervals import bca_interval, percentile_interval
from sexstrat.estimates.resampling.bootstrap_result import Bootstrap
from sexstrat.estimates.sensitivity.beliefs import Beliefs, stated_priors
from sexstrat.estimates.sensitivity.beta_prior import BetaPrior, beta_prior
from sexstrat.estimates.sensitivity.bias_analysis import bias_analysis, bias_analysis_of_draws
from sexstrat.estimates.sensitivity.bias_analysis_result import BiasAnalysis
from sexstrat.estimates.sensitivity.duplicate_records import DuplicateDisagreement, duplicate_disagreement
from sexstrat.estimates.sensitivity.duplicate_units import DuplicateUnits, duplicate_units
from sexstrat.estimates.sensitivity.e_value import EValue, e_value
from sexstrat.estimates.sensitivity.error_priors import ErrorDraws, ErrorPriors, draw_errors
from sexstrat.estimates.sensitivity.misclassification_grid import MisclassificationGrid, misclassification_grid
from sexstrat.estimates.sensitivity.misrecorded_margin import RecordingError
from sexstrat.estimates.sensitivity.noisy_recorded_sex import NoisyRecordedSex, noisy_recorded_sex
from sexstrat.estimates.sensitivity.noisy_recorded_sex_prior import noisy_recorded_sex_prior
from sexstrat.estimates.sensitivity.score_logit_shift import ScoreModel, shifted_composition
from sexstrat.estimates.sensitivity.tipping_point import (
    TippingPoint,
    tipping_point_of_recording,
    tipping_point_of_score,
)
from sexstrat.estimates.sensitivity.transported_shift import tipping_point_of_transport
from sexstrat.estimates.standardise import StandardWeights, standard_populations, standard_weights
from sexstrat.estimates.study_tables import StudyTables, study_tables
from sexstrat.estimates.validation_needed import ValidationNeeded, validation_needed
from sexstrat.estimates.what_if import WhatIf, what_if

__all__ = [
    "ESTIMATORS",
    "MEASURES",
    "METHODS",
    "AgeTrend",
    "Allocation",
    "Anticipated",
    "Beliefs",
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
    "InformativeEyes",
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
    "StudyTables",
    "SurveyDesign",
    "SurveyEstimate",
    "TippingPoint",
    "TransportTest",
    "ValidationFit",
    "ValidationNeeded",
    "ValidationTable",
    "VarianceParts",
    "WhatIf",
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
    "eye_composition",
    "eye_rows",
    "fewest_validated",
    "fit_mixture",
    "headline_rows",
    "imputations_needed",
    "informative_eyes",
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
    "stated_priors",
    "stratified_tables",
    "study_tables",
    "survey_mean",
    "survey_proportion",
    "survey_ratio",
    "survey_total",
    "tipping_point_of_recording",
    "tipping_point_of_score",
    "tipping_point_of_transport",
    "transport_test",
    "truth_composition",
    "validated_only_interval",
    "validation_likelihood",
    "validation_needed",
    "validation_table",
    "variance_parts",
    "von_hippel",
    "what_if",
    "white_royston_wood",
    "wilson",
]
