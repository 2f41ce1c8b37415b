"""Estimators on plain numbers, usable alone: no cells, no composition.

Order: proportions (``proportions``, ``rates``, ``ppi``); the share of men under label shift (``share_of_men``,
``score_counts``, ``quantification``, ``emq``, ``label_shift``); misclassified tables (``class_accuracy``,
``misclassification``, ``matrix_method``, ``validation_likelihood``, ``differential_error``, ``simex``); errors that do
not differ by disease (``regression_calibration``); strata (``stratified_tables``,
``mantel_haenszel``, ``breslow_day``); complex samples (``linearisation``, ``survey_design``, ``survey``).
"""
