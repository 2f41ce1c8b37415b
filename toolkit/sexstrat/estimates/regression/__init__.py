"""Regression adjusted for age with imputed sexes, on cells.

Order: ``imputed_counts`` (draws), ``regression_design``, ``robust_variance``, ``regression_adjusted``,
``regression_result``.
"""
