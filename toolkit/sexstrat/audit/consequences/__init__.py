"""What the measured errors of a predicted sex do to a prevalence ratio that ignores them, and what repairs it.

In this order: ``error_table`` counts, ``bias`` measures and gives intervals, ``repair`` names the estimator,
``consequence_rows`` puts one disease and all its age bands in tidy rows.
"""

from __future__ import annotations

from sexstrat.audit.consequences.bias import NaiveBias, naive_bias
from sexstrat.audit.consequences.consequence_rows import consequences
from sexstrat.audit.consequences.error_table import ErrorTable, error_tables
from sexstrat.audit.consequences.of_scores import consequences_of_scores
from sexstrat.audit.consequences.repair import Repair, repair

__all__ = [
    "ErrorTable",
    "NaiveBias",
    "Repair",
    "consequences",
    "consequences_of_scores",
    "error_tables",
    "naive_bias",
    "repair",
]
