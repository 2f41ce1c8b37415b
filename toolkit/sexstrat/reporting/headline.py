"""Choose what the page leads with: for each condition one corrected ratio, and what stands beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sexstrat.reporting.number_format import is_number
from sexstrat.reporting.rows import Rows, has_number

__all__ = ["NAIVE", "Headline", "headlines"]

NAIVE = ("naive_threshold", "naive_weighted", "complete_case")
_RATIO = "prevalence_ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """What is said first about one condition.

    Parameters
    ----------
    condition : the disease.
    standard : standard population of the ratio, or ``crude``.
    estimator : the estimator that leads at this standard, as ``auto`` or the study chose; None when there is none.
    also : other corrected estimators that were reported.
    corrected, naive, truth : rows of the ratio; None where the tables have none.
    choice : why this estimator, under which assumptions, with which warnings.

    Examples
    --------
    >>> row = {"point": 1.4, "low": 1.2, "high": 1.6, "state": "corrected"}
    >>> lead = Headline(condition="glaucoma", standard="crude", estimator="E1", corrected=row)
    >>> lead.direction, lead.covers_truth
    ('male', None)
    """

    condition: str
    standard: str
    estimator: str | None
    also: tuple[str, ...] = ()
    corrected: Mapping[str, Any] | None = None
    naive: Mapping[str, Any] | None = None
    truth: Mapping[str, Any] | None = None
    choice: Mapping[str, Any] | None = None

    def band_estimator(self, index: int) -> str | None:
        """Name the estimator that reports the age band at a place in order of age: a thin band may have its own."""
        named = (self.choice or {}).get("band_estimators") or ()
        return str(named[index]) if index < len(named) else self.estimator

    def standard_estimator(self, standard: str) -> str | None:
        """Name the estimator that leads at a standard: where young bands are thin, another than the crude one's."""
        return _leading(self.choice, standard, self.estimator)

    @property
    def kind(self) -> str:
        """Say what kind of number leads: ``corrected``, ``model-based``, ``assumption-based``, or as recorded."""
        state = str((self.corrected or {}).get("state", "corrected"))
        return {"model_based": "model-based", "assumption": "assumption-based"}.get(
            state, state if state in {"recorded", "naive"} else "corrected"
        )

    @property
    def direction(self) -> str:
        """Say which sex has more: ``male``, ``female``, ``none`` (interval holds 1) or ``unknown`` (no number)."""
        row = self.corrected
        if row is None or not has_number(row) or not (is_number(row["low"]) and is_number(row["high"])):
            return "unknown"
        return "male" if row["low"] > 1 else "female" if row["high"] < 1 else "none"

    @property
    def covers_truth(self) -> bool | None:
        """Tell whether the corrected interval holds the truth; None when either is not there."""
        return _covers(self.corrected, self.truth)

    @property
    def naive_covers_truth(self) -> bool | None:
        """Tell whether the naive interval holds the truth; None when either is not there."""
        return _covers(self.naive, self.truth)


def headlines(estimates: Rows, choices: Iterable[Mapping[str, Any]]) -> tuple[Headline, ...]:
    """Return one headline a condition, in the order of the study's choices.

    The ratio is age-standardised where a standardised one has a number, else crude. No bias analysis, trend,
    Mantel-Haenszel or regression row ever leads.

    Parameters
    ----------
    estimates : released rows of the ``estimate`` table.
    choices : one mapping a condition, as the estimation stage made them.

    Examples
    --------
    >>> headlines(Rows(()), [])
    ()
    """
    chosen = {str(choice.get("condition", "")): choice for choice in choices}
    ratios = Rows(
        tuple(
            row
            for row in estimates.rows
            if row["measure"] == _RATIO and row["age_low"] is None and row["state"] != "bias_analysis"
        )
    )
    names = [name for name in dict.fromkeys([*chosen, *map(str, ratios.values("condition"))]) if name]
    return tuple(_headline(ratios.where(condition=name), name, chosen.get(name)) for name in names)


def _leading(choice: Mapping[str, Any] | None, standard: str, otherwise: str | None) -> str | None:
    """Return the estimator that the choice names for a standard."""
    named = {"crude": (choice or {}).get("estimator"), **((choice or {}).get("standard_estimators") or {})}
    return str(named[standard]) if named.get(standard) else otherwise


def _headline(ratios: Rows, condition: str, choice: Mapping[str, Any] | None) -> Headline:
    corrected = [
        str(name)
        for name in ratios.values("estimator")
        if name not in NAIVE and any(row["state"] != "truth" for row in ratios.where(estimator=name).rows)
    ]
    wanted = str((choice or {}).get("estimator") or "")
    estimator = wanted if wanted in corrected else next(iter(corrected), None)
    standards = [str(name) for name in ratios.values("standard")]
    standards.sort(key=lambda name: name == "crude")
    standard = next(
        (n for n in standards if has_number(ratios.first(estimator=_leading(choice, n, estimator), standard=n))),
        standards[0] if standards else "crude",
    )
    leading = _leading(choice, standard, estimator)
    estimator = leading if leading in corrected else estimator
    here = ratios.where(standard=standard)
    return Headline(
        condition=condition,
        standard=standard,
        estimator=estimator,
        also=tuple(name for name in corrected if name != estimator),
        corrected=here.first(estimator=estimator) if estimator else None,
        naive=here.first(estimator="naive_threshold"),
        truth=here.first(state="truth"),
        choice=choice,
    )


def _covers(row: Mapping[str, Any] | None, truth: Mapping[str, Any] | None) -> bool | None:
    if row is None or truth is None or not (has_number(row) and has_number(truth)):
        return None
    if not (is_number(row["low"]) and is_number(row["high"])):
        return None
    return bool(row["low"] <= truth["point"] <= row["high"])
