"""Images without a score: for whom they are missing, and what they could do to the audit.

In this order: ``absence`` measures how often an image has no score, ``bounds`` takes the missing ones as all wrong and
as all right, ``weighting`` models who has a score and weights by it, ``missing_rows`` puts it in tidy rows.
"""

from __future__ import annotations

from sexstrat.audit.missingness.absence import KINDS, absence
from sexstrat.audit.missingness.bounds import bounded
from sexstrat.audit.missingness.missing_rows import audit_missing, missing_rows
from sexstrat.audit.missingness.weighting import ScoredWeights, scored_weights

__all__ = ["KINDS", "ScoredWeights", "absence", "audit_missing", "bounded", "missing_rows", "scored_weights"]
