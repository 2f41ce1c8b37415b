"""What may be written for people; only the gate can make one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Any

import pandas as pd

from sexstrat.disclosure.profiles import Profile
from sexstrat.errors import DisclosureError

__all__ = ["SEAL", "Released"]

SEAL = object()  # held by the gate alone: results that did not pass it cannot become a Released


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """The results of a study after disclosure control; everything written for people is made from this.

    Parameters
    ----------
    title : title of the study.
    estimates, audit, gaps, flow, diagnostics, sensitivity, imputation : the tables, with the columns of their contracts
        and ``withheld``: the names of the columns that the gate emptied in that row, separated by spaces.
    age_curves, age_trends, missingness, consequences, group_tests, shrunken, parity, rules : the same of the audit.
    settings, provenance, model_card : as in the results; small counts taken out of the provenance.
    choices : one mapping per condition, with the keys that may pass and no small count.
    notices : sentences every reader must see first, without small counts.
    profile : the disclosure profile applied.
    reason : why, when the profile is ``none``; else "".
    suppressed_counts : rows suppressed, by table.
    left_out : what the gate did not let through, by name.
    protection : what was done and what was not, for the reader.

    Raises
    ------
    DisclosureError : made by anything but :func:`sexstrat.disclosure.release`.

    Examples
    --------
    >>> import dataclasses
    >>> "seal" in {field.name for field in dataclasses.fields(Released)}
    False
    """

    title: str
    estimates: pd.DataFrame
    audit: pd.DataFrame
    gaps: pd.DataFrame
    flow: pd.DataFrame
    diagnostics: pd.DataFrame
    sensitivity: pd.DataFrame
    imputation: pd.DataFrame
    age_curves: pd.DataFrame
    age_trends: pd.DataFrame
    missingness: pd.DataFrame
    consequences: pd.DataFrame
    group_tests: pd.DataFrame
    shrunken: pd.DataFrame
    parity: pd.DataFrame
    rules: pd.DataFrame
    settings: Mapping[str, Any]
    provenance: Mapping[str, Any]
    model_card: Mapping[str, Any] | None
    choices: tuple[Mapping[str, Any], ...]
    notices: tuple[str, ...]
    profile: Profile
    reason: str
    suppressed_counts: Mapping[str, int]
    left_out: tuple[str, ...]
    protection: str
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        if seal is not SEAL:
            raise DisclosureError("only sexstrat.disclosure.release() makes a Released; pass the results through it")

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return copies of the tables by the name of their contract."""
        return {
            "estimate": self.estimates.copy(),
            "audit": self.audit.copy(),
            "gap": self.gaps.copy(),
            "flow": self.flow.copy(),
            "diagnostic": self.diagnostics.copy(),
            "sensitivity": self.sensitivity.copy(),
            "imputation": self.imputation.copy(),
            "age_curve": self.age_curves.copy(),
            "age_trend": self.age_trends.copy(),
            "missingness": self.missingness.copy(),
            "consequence": self.consequences.copy(),
            "audit_test": self.group_tests.copy(),
            "audit_shrunken": self.shrunken.copy(),
            "audit_parity": self.parity.copy(),
            "audit_rule": self.rules.copy(),
        }
