"""Everything a study prints: every condition, estimator, measure, band and standard in one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from sexstrat.estimates.compose import compose_input, estimated, truth_composition
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.contrasts import CONTRASTS, contrast_at
from sexstrat.estimates.estimate_rows import estimates_frame
from sexstrat.estimates.places import band_places, crude_place, standardised_place
from sexstrat.estimates.prevalence import SEXES, male_share_rows, prevalence_row
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import Target, ValidationDesign

__all__ = ["METHODS", "all_estimates", "headline_rows", "methods_for"]

_NAIVE = ("naive_threshold", "naive_weighted", "complete_case")
METHODS = ("auto", "E1", "E2", *_NAIVE)
_TRANSPORTED = ("auto", "E4", "E5", *_NAIVE)
_KEY = ["measure", "estimator", "condition", "sex", "age_low", "age_high", "standard"]


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


def _rows(one: Composition, standards: Sequence[str | Mapping[int, float]]) -> Iterator[dict[str, Any]]:
    """Yield prevalence and every contrast at every place of a composition."""
    for place in (crude_place(one), *band_places(one), *(standardised_place(one, name) for name in standards)):
        for sex in SEXES:
            yield prevalence_row(place, sex)
        for kind in CONTRASTS:
            yield contrast_at(place, kind)


def _standard_estimators(one: Composition, standards: Sequence[str | Mapping[int, float]]) -> dict[str, str]:
    """Name the estimator that answers for each standard."""
    found = [standardised_place(one, standard) for standard in standards]
    return {place.standard: place.source.estimator for place in found}


def _sex_ratio_condition(chosen: Sequence[Composition]) -> str | None:
    """Name the condition whose cube gives the share of men: answered, then the most patients."""
    ranked = sorted(chosen, key=lambda one: (one.state == "refused", -one.n_patients.sum()))
    return ranked[0].condition if ranked else None


def all_estimates(
    cells: Cells,
    *,
    conditions: Sequence[str] | None = None,
    bands: AgeBands,
    design: ValidationDesign | str,
    target: Target | str = Target.population,
    standards: Sequence[str | Mapping[int, float]] = ("cohort",),
    methods: Sequence[str] | None = None,
    level: float = 0.95,
    seed: int = 20231207,
    truth: Cells | None = None,
    external: Cells | None = None,
) -> tuple[pd.DataFrame, tuple[dict[str, Any], ...]]:
    """Return every estimate of a study and what was chosen for each condition.

    Parameters
    ----------
    cells : cells of one or more conditions.
    conditions : which of them; None for all.
    bands, design, target, level, seed : as in :func:`compose`.
    standards : standard populations besides the crude estimate.
    methods : estimators to run, None for those of the design; ``auto`` gives the choices (and its estimator's rows).
    truth : cells in which every sex is known, when the sexes were hidden on purpose.
    external : cells of another cohort in which sex is known (design external).

    Returns
    -------
    Rows of the ``estimate`` contract, one per primary key (there are no rows named auto), and one mapping per
    condition: condition, estimator of the headline, of each band and of each standard, state, why, assumptions,
    warnings, and whether the share of men (rows without condition) comes from it.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> frame, choices = all_estimates(worked_cells(), bands=worked_bands(), design="random")
    >>> choices[0]["estimator"], sorted(frame["estimator"].unique())
    ('E1', ['E1', 'E2', 'complete_case', 'naive_threshold', 'naive_weighted'])
    """
    names = cells.conditions if conditions is None else tuple(conditions)
    settings: dict[str, Any] = {"bands": bands, "design": design, "target": target, "level": level, "seed": seed}
    settings["external"] = external
    methods = methods_for(design) if methods is None else methods
    given = [compose_input(cells, condition=name, **settings) for name in names]
    made = {method: [estimated(one, method) for one in given] for method in methods}
    chosen = made.get("auto", [])
    if truth is not None:
        made["truth"] = [truth_composition(truth, condition=name, bands=bands, level=level) for name in names]
    named = [{"standard_estimators": _standard_estimators(one, standards)} for one in chosen]
    shared = _sex_ratio_condition(chosen or next(iter(made.values()), []))
    rows: list[dict[str, Any]] = []
    for compositions in made.values():
        for one in compositions:
            rows.extend(_rows(one, standards))
            if one.condition == shared:
                rows.extend(male_share_rows(one).rows)
    frame = estimates_frame(rows).drop_duplicates(_KEY, keep="first", ignore_index=True)
    return frame, tuple(
        {**one.choice(), **names, "sex_ratio": one.condition == shared}
        for one, names in zip(chosen, named, strict=True)
    )


def headline_rows(frame: pd.DataFrame, choices: Sequence[Mapping[str, Any]], bands: AgeBands) -> pd.DataFrame:
    """Return the rows that the chosen estimators answer for: one per measure, sex, band and standard.

    Parameters
    ----------
    frame, choices : as returned by :func:`all_estimates`.
    bands : the declared age bands.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> frame, choices = all_estimates(worked_cells(), bands=worked_bands(), design="random")
    >>> set(headline_rows(frame, choices, worked_bands())["estimator"])
    {'E1'}
    """
    wanted = pd.Series(data=False, index=frame.index)
    shared = frame["condition"].isna()
    for choice in choices:
        about = frame["condition"] == choice["condition"]
        if choice["sex_ratio"]:
            about |= shared
        by_age = frame["age_low"].notna()
        standards = {"crude": choice["estimator"], **choice["standard_estimators"]}
        wanted |= about & ~by_age & (frame["estimator"] == frame["standard"].map(standards))
        for low, estimator in zip(bands.lows, choice["band_estimators"], strict=True):
            wanted |= about & (frame["age_low"] == low).fillna(value=False) & (frame["estimator"] == estimator)
    return frame.loc[wanted].reset_index(drop=True)
