"""How the errors of a score change with age: splines, clustered fits, curves with bands, trend tests, crossings.

In this order: ``splines`` and ``clustered_logistic`` fit, ``curve`` draws, ``trend`` and ``band_trend`` test,
``crossing`` finds where men and women meet, ``by_age`` puts all of it in tidy rows.
"""

from __future__ import annotations

from sexstrat.audit.ageing.band_trend import BandTrend, band_trend
from sexstrat.audit.ageing.by_age import AgeAudit, audit_by_age, images_by_age
from sexstrat.audit.ageing.clustered_logistic import ClusteredFit, clustered_logistic
from sexstrat.audit.ageing.crossing import Crossing, crossings
from sexstrat.audit.ageing.curve import AgeCurve, age_curve
from sexstrat.audit.ageing.splines import age_knots, spline_columns
from sexstrat.audit.ageing.trend import WaldTest, wald_test

__all__ = [
    "AgeAudit",
    "AgeCurve",
    "BandTrend",
    "ClusteredFit",
    "Crossing",
    "WaldTest",
    "age_curve",
    "age_knots",
    "audit_by_age",
    "band_trend",
    "clustered_logistic",
    "crossings",
    "images_by_age",
    "spline_columns",
    "wald_test",
]
