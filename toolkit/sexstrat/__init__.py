"""Sex-stratified epidemiology of the eye when sex is estimated from fundus photographs.

For research on groups, never for decisions about a person. Stages, in the order data flow: images, models, scores,
cohort, estimates, audit, disclosure, reporting; ``study`` ties them to a study file and ``cli`` to a command line.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = ["Cohort", "__version__", "audit_scores", "compose", "plot", "report", "score_images", "table_html"]

_HOMES = {
    "Cohort": "sexstrat.cohort",
    "audit_scores": "sexstrat.audit",
    "compose": "sexstrat.estimates",
    "plot": "sexstrat.reporting.notebook",
    "report": "sexstrat.reporting",
    "score_images": "sexstrat.scores",
    "table_html": "sexstrat.reporting.notebook",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that ``import sexstrat`` stays light."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'sexstrat' has no attribute {name!r}; it has {', '.join(__all__)}")
