"""Everything a study prints: every condition, estimator, measure, band and standard in one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from sexstrat.estimates.adjusted_rows import adjusted_rows, regression_rows
from sexstrat.estimates.all_bands import all_bands_place
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.contrasts import CONTRASTS, contrast_at
from sexstrat.estimates.estimate_rows import estimates_frame
from sexstrat.estimates.estimated_study import METHODS, EstimatedStudy, estimated_study, methods_for
from sexstrat.estimates.eye_rows import choice_with_eyes, eye_rows
from sexstrat.estimates.places import band_places, crude_place, standardised_place
from sexstrat.estimates.prevalence import SEXES, male_share_rows, prevalence_row
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import Target, ValidationDesign

__all__ = ["METHODS", "all_estimates", "frame_and_choices", "headline_rows", "methods_for"]

_KEY = ["measure", "estimator", "condition", "sex", "age_low", "age_high", "standard"]
# what a study may lead with; Mantel-Haenszel, regression and trends stand beside
_LEADING = ("male_share", "prevalence", "prevalence_ratio", "prevalence_difference", "prevalence_odds_ratio")


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
    study = estimated_study(
        cells,
        conditions=conditions,
        bands=bands,
        design=design,
        target=target,
        methods=methods,
        level=level,
        seed=seed,
        truth=truth,
        external=external,
    )
    return frame_and_choices(study, standards)


def _adjusted_estimators(one: Composition) -> dict[str, str]:
    """Name the estimator whose rows answer for each way to adjust for age besides standardising."""
    over_bands = all_bands_place(one, "mantel_haenszel").source.estimator
    return {"mantel_haenszel": over_bands, "trend": over_bands}


def frame_and_choices(
    study: EstimatedStudy, standards: Sequence[str | Mapping[int, float]]
) -> tuple[pd.DataFrame, tuple[dict[str, Any], ...]]:
    """Return the rows of every composition of a study, and what was chosen, as :func:`all_estimates` does.

    Parameters
    ----------
    study : from :func:`sexstrat.estimates.estimated_study.estimated_study`.
    standards : standard populations besides the crude estimate.

    Examples
    --------
    >>> frame, choices = frame_and_choices(EstimatedStudy(given={}, made={}), ("cohort",))
    >>> len(frame), choices
    (0, ())
    """
    chosen = study.chosen
    shared = _sex_ratio_condition(chosen or next(iter(study.made.values()), []))
    rows: list[dict[str, Any]] = []
    for given, one in study.compositions():
        rows.extend(_rows(one, standards))
        rows.extend(eye_rows(given, one, standards))
        rows.extend(adjusted_rows(given, one))
        if one.condition == shared:
            rows.extend(male_share_rows(one).rows)
    for given in study.given.values():
        rows.extend(regression_rows(given))
    frame = estimates_frame(rows).drop_duplicates(_KEY, keep="first", ignore_index=True)
    return frame, tuple(
        {
            **choice_with_eyes(study.given[one.condition], one),
            "standard_estimators": _standard_estimators(one, standards),
            "adjusted_estimators": _adjusted_estimators(one),
            "sex_ratio": one.condition == shared,
        }
        for one in chosen
    )


def headline_rows(frame: pd.DataFrame, choices: Sequence[Mapping[str, Any]], bands: AgeBands) -> pd.DataFrame:
    """Return the rows that the chosen estimators answer for: one per measure, sex, band and standard.

    Prevalence, its contrasts and the share of men lead; Mantel-Haenszel, regression and trend rows never do.

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
    leading = frame["measure"].isin(_LEADING) & (frame["state"] != "bias_analysis")
    return frame.loc[wanted & leading].reset_index(drop=True)
