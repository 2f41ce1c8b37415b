"""Everything a study found, before the disclosure gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

__all__ = ["StudyResults"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyResults:
    """The tables and texts of one run; not yet fit for people to see.

    Only ``sexstrat.disclosure`` may turn this into something that is written for people.

    Parameters
    ----------
    title : title of the study.
    estimates : rows of the ``estimate`` contract.
    audit, gaps : rows of the ``audit`` and ``gap`` contracts.
    flow : rows of the ``flow`` contract.
    diagnostics, sensitivity, imputation : rows of the ``diagnostic``, ``sensitivity`` and ``imputation`` contracts;
        empty where they were not asked for.
    age_curves, age_trends, missingness, consequences : rows of the ``age_curve``, ``age_trend``, ``missingness`` and
        ``consequence`` contracts; empty where the audit did not go that far.
    group_tests, shrunken, parity, rules : rows of the ``audit_test``, ``audit_shrunken``, ``audit_parity`` and
        ``audit_rule`` contracts; likewise.
    settings : the resolved study file (nested plain values).
    provenance : versions, digests, seed, model.
    model_card : the model's card, or None when no model was used here.
    choices : one mapping per condition: condition, estimator, state, why, assumptions, warnings.
    notices : sentences every reader must see first (for instance: this cohort is simulated).

    Examples
    --------
    >>> empty = pd.DataFrame()
    >>> StudyResults(title="t", estimates=empty, audit=empty, gaps=empty, flow=empty).notices
    ()
    """

    title: str
    estimates: pd.DataFrame
    audit: pd.DataFrame
    gaps: pd.DataFrame
    flow: pd.DataFrame
    diagnostics: pd.DataFrame = field(default_factory=pd.DataFrame)
    sensitivity: pd.DataFrame = field(default_factory=pd.DataFrame)
    imputation: pd.DataFrame = field(default_factory=pd.DataFrame)
    age_curves: pd.DataFrame = field(default_factory=pd.DataFrame)
    age_trends: pd.DataFrame = field(default_factory=pd.DataFrame)
    missingness: pd.DataFrame = field(default_factory=pd.DataFrame)
    consequences: pd.DataFrame = field(default_factory=pd.DataFrame)
    group_tests: pd.DataFrame = field(default_factory=pd.DataFrame)
    shrunken: pd.DataFrame = field(default_factory=pd.DataFrame)
    parity: pd.DataFrame = field(default_factory=pd.DataFrame)
    rules: pd.DataFrame = field(default_factory=pd.DataFrame)
    settings: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    model_card: Mapping[str, Any] | None = None
    choices: tuple[Mapping[str, Any], ...] = ()
    notices: tuple[str, ...] = ()
