"""The audit of predicted against recorded sex, by age and any declared group.

``audit_scores`` reads a table of scores; the rest are its building blocks, usable alone on arrays and numbers:
``clustered_proportion``, ``auc_clustered``, ``delong`` and
``auc_difference``, ``calibration_in_the_large``, ``male_share_difference``,
``gap`` and ``wilson_interval``. The positive class is male. Patients, never images, are the unit of uncertainty.
"""

from __future__ import annotations

from sexstrat.audit.auc import auc_clustered, delong
from sexstrat.audit.auc_difference import auc_difference
from sexstrat.audit.calibration import calibration_in_the_large
from sexstrat.audit.gap import gap
from sexstrat.audit.interval import wilson_interval
from sexstrat.audit.male_share import male_share_difference
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.metric_frame import MetricFrame
from sexstrat.audit.proportion import clustered_proportion
from sexstrat.audit.result import AuditResult
from sexstrat.audit.scores import audit_scores
from sexstrat.audit.slope import calibration_slope

__all__ = [
    "AuditResult",
    "Measurement",
    "MetricFrame",
    "auc_clustered",
    "auc_difference",
    "audit_scores",
    "calibration_in_the_large",
    "calibration_slope",
    "clustered_proportion",
    "delong",
    "gap",
    "male_share_difference",
    "wilson_interval",
]
