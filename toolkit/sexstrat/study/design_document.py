"""A design's answer for programs: one plain document."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sexstrat.estimates import MEASURES, Anticipated
from sexstrat.study.design import DesignPlan
from sexstrat.study.design_answers import Answer
from sexstrat.study.design_text import design_notes

__all__ = ["design_document"]


def _plain(one: Anticipated | None, *, compared: bool = True) -> dict[str, Any] | None:
    if one is None:
        return None
    names = ("estimator", "state", "validated", "validated_diseased", "value", "low", "high", "width", "se", "power")
    found = {name: getattr(one, name) for name in names}
    found["power"] = found["power"] if compared else None
    return {**found, "df": None if math.isinf(one.df) else one.df}


def design_document(plan: DesignPlan) -> dict[str, Any]:
    """Return the answer to a design request as plain values for ``--json``.

    Parameters
    ----------
    plan : the answer.

    Examples
    --------
    >>> from sexstrat.study.design import plan_design
    >>> from sexstrat.study.design_request import DesignRequest
    >>> request = DesignRequest(patients=4000, prevalence=0.25, ratio=1.5, aucs=(0.9,), width=1.6)
    >>> document = design_document(plan_design(request))
    >>> document["measure"], document["needed"][0]["wanted"]
    ('ratio', {'width': 1.6})
    """
    request = plan.request
    document: dict[str, Any] = {
        "measure": request.measure,
        "measure_in_words": MEASURES[request.measure],
        "level": request.level,
        "target": request.target,
        "patients": plan.cells.total_patients,
        "reached": [
            {
                "auc": row.auc,
                "validated": row.validated,
                "expected": _plain(row.expected, compared=request.compared),
                "validated_only": _plain(row.validated_only, compared=request.compared),
                "why_not": row.why_not or None,
            }
            for row in plan.reached
        ],
        "needed": [_needed_document(row, request.compared) for row in plan.answers if row.validated is None],
        "needed_auc": [
            {"wanted": _wanted(row), "validated": row.validated, "auc": row.needed_auc, "why_not": row.why_not or None}
            for row in plan.answers
            if row.validated is not None
        ],
        "notes": list(design_notes(plan)),
    }
    if plan.allocation is not None:
        document["allocation"] = _allocation_document(plan)
    return document


def _wanted(row: Answer) -> Mapping[str, float]:
    both = {"width": row.goal.width, "power": row.goal.power}
    return {name: value for name, value in both.items() if value is not None}


def _needed_document(row: Answer, compared: bool) -> dict[str, Any]:
    needed = row.needed
    return {
        "wanted": _wanted(row),
        "auc": row.auc,
        "validated": None if needed is None else needed.validated,
        "validated_range": None if row.needed_range is None else list(row.needed_range),
        "fewest_for_e1": None if needed is None else needed.floor,
        "expected": None if needed is None else _plain(needed.expected, compared=compared),
        "why_not": row.why_not or None,
    }


def _allocation_document(plan: DesignPlan) -> dict[str, Any]:
    one = plan.allocation
    if one is None:
        return {}
    frame = one.to_frame().astype(object)
    return {
        "strata": frame.where(frame.notna(), None).to_dict("records"),
        "expected": _plain(one.expected, compared=False),
        "expected_proportional": _plain(one.expected_proportional, compared=False),
        "equivalent_further": one.equivalent_further,
    }
