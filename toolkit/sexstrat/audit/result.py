"""What an audit found."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from sexstrat.values.shown import Shown

__all__ = ["AuditResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditResult(Shown):
    """The audit of a score against recorded sex, overall and by group.

    Parameters
    ----------
    audit : rows of the ``audit`` contract.
    gaps : rows of the ``gap`` contract: each group against the declared reference.
    threshold : an image was called male when prob_male reached it.
    unit : "image" or "patient".
    level : confidence level.
    min_patients : smallest number of patients in a metric's own denominator that defines it.
    notices : what was left out, and what the intervals do not carry, in sentences without counts.
    left_out : rows left out, by reason: ``no_patient_id``, ``other``, ``unknown``, ``outside_age_bands``.
    tests, shrunken, parity : rows of the ``audit_test``, ``audit_shrunken`` and ``audit_parity`` contracts; empty
        unless the full audit was asked for.
    curves, trends : rows of the ``age_curve`` and ``age_trend`` contracts; likewise.
    missingness : rows of the ``missingness`` contract; likewise. The eyes are among the tests.
    consequences : rows of the ``consequence`` contract; empty unless diseases were named.
    rules : rows of the ``audit_rule`` contract, one a declared rule.

    Examples
    --------
    >>> nothing = pd.DataFrame()
    >>> AuditResult(
    ...     audit=nothing,
    ...     gaps=nothing,
    ...     threshold=0.5,
    ...     unit="image",
    ...     level=0.95,
    ...     min_patients=10,
    ...     notices=(),
    ...     left_out={},
    ... ).to_frame().empty
    True
    """

    audit: pd.DataFrame
    gaps: pd.DataFrame
    threshold: float
    unit: str
    level: float
    min_patients: int
    notices: tuple[str, ...]
    left_out: dict[str, int]
    tests: pd.DataFrame = field(default_factory=pd.DataFrame)
    shrunken: pd.DataFrame = field(default_factory=pd.DataFrame)
    parity: pd.DataFrame = field(default_factory=pd.DataFrame)
    curves: pd.DataFrame = field(default_factory=pd.DataFrame)
    trends: pd.DataFrame = field(default_factory=pd.DataFrame)
    missingness: pd.DataFrame = field(default_factory=pd.DataFrame)
    consequences: pd.DataFrame = field(default_factory=pd.DataFrame)
    rules: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def failed(self) -> bool:
        """Tell whether some declared rule failed; "cannot tell" is no failure, and no pass either."""
        return bool(len(self.rules) and (self.rules["outcome"] == "fail").any())

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the rows of the ``audit`` contract."""
        return self.audit.copy()
