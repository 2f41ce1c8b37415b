"""All conditions of a study, each with the compositions of the estimators that its design reports side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sexstrat.estimates.compose import compose_input, estimated, truth_composition
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.refusal import ENOUGH_VALIDATED, FEWEST_VALIDATED
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import Target, ValidationDesign

__all__ = ["METHODS", "EstimatedStudy", "estimated_study", "methods_for"]

_NAIVE = ("naive_threshold", "naive_weighted", "complete_case")
METHODS = ("auto", "E1", "E2", *_NAIVE)
_TRANSPORTED = ("auto", "E4", "E5", *_NAIVE)


def methods_for(design: ValidationDesign | str) -> tuple[str, ...]:
    """Return the estimators that a declared validation design reports side by side, ``auto`` first.

    Examples
    --------
    >>> methods_for("random")
    ('auto', 'E1', 'E2', 'naive_threshold', 'naive_weighted', 'complete_case')
    >>> methods_for("may_depend_on_sex")[:3]
    ('auto', 'E4', 'E5')
    """
    declared = ValidationDesign(design)
    if declared in {ValidationDesign.external, ValidationDesign.may_depend_on_sex}:
        return _TRANSPORTED
    return METHODS if declared.is_internal else ("auto", *_NAIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatedStudy:
    """Conditions and compositions before any table is made of them.

    Parameters
    ----------
    given : the input of each condition, by name, in order.
    made : for each method the compositions of the conditions it was run for.
    known : the input of each condition in which every sex is known, where the truth was given.

    Examples
    --------
    >>> EstimatedStudy(given={}, made={}).chosen
    ()
    """

    given: Mapping[str, ComposeInput]
    made: Mapping[str, Sequence[Composition]]
    known: Mapping[str, ComposeInput] = field(default_factory=dict)

    @property
    def chosen(self) -> tuple[Composition, ...]:
        """What ``auto`` answered, by condition."""
        return tuple(self.made.get("auto", ()))

    def compositions(self) -> Iterator[tuple[ComposeInput, Composition]]:
        """Yield every composition with its input, ``auto`` first."""
        for method, compositions in self.made.items():
            for one in compositions:
                yield (self.known if method == "truth" else self.given)[one.condition], one


def _shrunk(given: ComposeInput) -> bool:
    """Tell whether the decision table puts E5 beside a shrunk E2: 10 to 19 validated of the rarer disease state."""
    inside = given.design.is_internal and given.design is not ValidationDesign.may_depend_on_sex
    return inside and FEWEST_VALIDATED <= float(given.arrays.n_validated.sum(axis=0).min()) < ENOUGH_VALIDATED


def estimated_study(
    cells: Cells,
    *,
    conditions: Sequence[str] | None = None,
    bands: AgeBands,
    design: ValidationDesign | str,
    target: Target | str = Target.population,
    methods: Sequence[str] | None = None,
    level: float = 0.95,
    seed: int = 20231207,
    truth: Cells | None = None,
    external: Cells | None = None,
) -> EstimatedStudy:
    """Run the estimators of a study, each condition's cells being read once.

    With 10 to 19 validated patients with the disease, or without, E5 stands beside the shrunk answer.

    Parameters
    ----------
    cells, conditions, bands, design, target, methods, level, seed, truth, external : as in
        :func:`sexstrat.estimates.all_estimates.all_estimates`.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> study = estimated_study(worked_cells(), bands=worked_bands(), design="random")
    >>> list(study.given), [one.estimator for one in study.chosen]
    (['disease'], ['E1'])
    """
    names = cells.conditions if conditions is None else tuple(conditions)
    settings: dict[str, Any] = {"bands": bands, "design": design, "target": target, "level": level, "seed": seed}
    settings["external"] = external
    given = {name: compose_input(cells, condition=name, **settings) for name in names}
    wanted = methods_for(design) if methods is None else methods
    made = {method: [estimated(one, method) for one in given.values()] for method in wanted}
    if methods is None and (shrunk := [one for one in given.values() if _shrunk(one)]):
        made["E5"] = [estimated(one, "E5") for one in shrunk]
    known: dict[str, ComposeInput] = {}
    if truth is not None:
        made["truth"] = [truth_composition(truth, condition=name, bands=bands, level=level) for name in names]
        everybody = {**settings, "design": ValidationDesign.random, "target": Target.cohort, "external": None}
        known = {name: compose_input(truth, condition=name, **everybody) for name in names}
    return EstimatedStudy(given=given, made=made, known=known)
