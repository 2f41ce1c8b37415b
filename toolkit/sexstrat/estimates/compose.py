"""Cells to composition: one table of estimators, one way in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from sexstrat.errors import EstimationError
from sexstrat.estimates.auto import auto, checked, weighted
from sexstrat.estimates.calibrated_composition import calibrated_composition
from sexstrat.estimates.cell_arrays import CellArrays, cell_arrays
from sexstrat.estimates.cell_em import cell_em
from sexstrat.estimates.class_likelihood import class_likelihood
from sexstrat.estimates.compose_input import ComposeInput, refused
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.imputation import imputation
from sexstrat.estimates.matrix_composition import matrix, matrix_pooled
from sexstrat.estimates.naive import complete_case, naive_threshold, naive_weighted, recorded
from sexstrat.estimates.ppi_composition import ppi_composition
from sexstrat.estimates.quantification_composition import emq_composition, pacc_composition
from sexstrat.estimates.refusal import ENOUGH_VALIDATED, labelled_refusal, reason_to_refuse
from sexstrat.estimates.sensitivity.beliefs import Beliefs
from sexstrat.estimates.simex_composition import simex_composition
from sexstrat.estimates.transported import without_disease
from sexstrat.estimates.what_if import what_if
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import Target, ValidationDesign

ASKED_FOR = "Asked for by name."
SAME_PROBABILITY = 1e-6  # relative; sums of equal probabilities differ by rounding alone

__all__ = ["ESTIMATORS", "compose", "compose_input", "estimated", "truth_composition"]


def _e1(given: ComposeInput) -> Composition:
    reason = reason_to_refuse(given)
    return weighted(given) if reason is None else refused(given, "E1", f"No corrected estimate: {reason}.")


def _e2(given: ComposeInput) -> Composition:
    reason = reason_to_refuse(given)
    if reason is not None:
        return refused(given, "E2", f"No corrected estimate: {reason}.")
    return imputation(given, shrink=bool(given.arrays.n_validated.sum(axis=0).min() < ENOUGH_VALIDATED))


def _e3(given: ComposeInput) -> Composition:
    reason = reason_to_refuse(given)
    return class_likelihood(given) if reason is None else refused(given, "E3", f"No corrected estimate: {reason}.")


def _e4(given: ComposeInput) -> Composition:
    reason = labelled_refusal(given)
    if reason is None and not given.external_has_disease:
        reason = "the external cohort was not looked at for this disease, so errors cannot differ by it"
    if reason is not None:
        return refused(given, "E4", f"No corrected estimate: {reason}.")
    return cell_em(given, given.labelled, why=ASKED_FOR)


def _e5(given: ComposeInput) -> Composition:
    return without_disease(given, why=ASKED_FOR)


# A new estimator or validation design joins here and nowhere else.
ESTIMATORS: Mapping[str, Callable[[ComposeInput], Composition]] = MappingProxyType(
    {
        "auto": auto,
        "E1": _e1,
        "E2": _e2,
        "E3": _e3,
        "E4": _e4,
        "E5": _e5,
        "E6": calibrated_composition,
        "matrix": matrix,
        "matrix_pooled": matrix_pooled,
        "pacc": pacc_composition,
        "emq": emq_composition,
        "ppi": ppi_composition,
        "simex": simex_composition,
        "naive_threshold": naive_threshold,
        "naive_weighted": naive_weighted,
        "complete_case": complete_case,
        "recorded": recorded,
    }
)


def _one_condition(cells: Cells, condition: str | None) -> str:
    if condition is not None:
        return condition
    if len(cells.conditions) != 1:
        raise EstimationError(
            f"the cells hold {len(cells.conditions)} conditions ({', '.join(cells.conditions) or 'none'}); "
            "name one with condition="
        )
    return cells.conditions[0]


def compose(
    cells: Cells,
    *,
    condition: str | None = None,
    bands: AgeBands,
    design: ValidationDesign | str,
    target: Target | str = Target.population,
    method: str = "auto",
    level: float = 0.95,
    seed: int = 20231207,
    external: Cells | None = None,
    beliefs: Beliefs | None = None,
) -> Composition:
    """Return the share of men by age band and disease, corrected for the errors of predicted sex.

    Parameters
    ----------
    cells : sufficient statistics of a cohort.
    condition : the disease; may be left out when the cells hold one.
    bands : age bands, never merged.
    design : how sex came to be recorded, as declared: random, known_probability, ...
    target : ``population`` (the cohort is a sample) or ``cohort`` (these very people).
    method : auto, or an estimator by name: E1 to E6; matrix (predicted class, its errors by disease), matrix_pooled (by
        neither, naive), pacc and emq (label shift), ppi (unweighted); naive_threshold, naive_weighted, complete_case,
        recorded; simex, a check.
    level : confidence level of the intervals, 0.5 to 0.999.
    seed : seed of the imputations.
    external : cells of another cohort in which sex is known (design external); where they lack the condition, its
        errors are assumed not to differ by disease.
    beliefs : what is stated about errors that the data cannot check; then the composition carries ``what_if``: bias
        analysis, tipping points and the like. ``Beliefs()`` states nothing and takes the declared defaults.

    Returns
    -------
    A composition; where no number can be defended its state is ``refused`` and ``why`` says the reason.

    Raises
    ------
    KeyError : no such condition.
    EstimationError : unknown method, a level out of range, a known r that the cells lack, or recording declared random
        although the cells' r varies.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> frame = one.contrast("ratio").to_frame()
    >>> round(float(frame.loc[0, "point"]), 4)
    1.6667
    """
    if method not in ESTIMATORS:
        raise EstimationError(f"no estimator {method!r}; there are {', '.join(ESTIMATORS)}")
    given = compose_input(
        cells, condition=condition, bands=bands, design=design, target=target, level=level, seed=seed, external=external
    )
    one = estimated(given, method)
    return one if beliefs is None else replace(one, what_if=what_if(given, one, beliefs))


def compose_input(
    cells: Cells,
    *,
    condition: str | None = None,
    bands: AgeBands,
    design: ValidationDesign | str,
    target: Target | str = Target.population,
    level: float = 0.95,
    seed: int = 20231207,
    external: Cells | None = None,
) -> ComposeInput:
    """Return what every estimator of one condition receives, so that several can share it.

    Parameters
    ----------
    cells, condition, bands, design, target, level, seed, external : as in :func:`compose`.

    Raises
    ------
    KeyError, EstimationError : as :func:`compose`.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> compose_input(worked_cells(), bands=worked_bands(), design="random").arrays.n_patients.sum()
    np.float64(1100.0)
    """
    if not 0.5 <= level <= 0.999:
        raise EstimationError(f"the confidence level must lie between 0.5 and 0.999; found {level}")
    name = _one_condition(cells, condition)
    declared = ValidationDesign(design)
    other, has_disease = _external_arrays(external, name, bands, declared)
    chosen = cells.of(name)
    if declared is ValidationDesign.random:
        _refuse_varying_recording(chosen)
    return ComposeInput(
        condition=name,
        external=other,
        external_has_disease=has_disease,
        bands=bands,
        arrays=cell_arrays(chosen, bands, declared),
        design=declared,
        target=Target(target),
        level=level,
        seed=seed,
    )


def estimated(given: ComposeInput, method: str) -> Composition:
    """Return the composition of one estimator with the warnings and diagnostics of its data.

    Parameters
    ----------
    given : from :func:`compose_input`.
    method : a key of ``ESTIMATORS``.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> estimated(worked_input(), "complete_case").state
    'naive'
    """
    return checked(given, ESTIMATORS[method](given))


def _refuse_varying_recording(cells: Cells) -> None:
    """Refuse cells whose probability of being recorded varies, where the design says that it is the same for all.

    Weighting all validated patients alike, or not at all, would be a confident wrong number.
    """
    over, weight = (cells.frame[name].to_numpy(dtype=float, na_value=np.nan) for name in ("sum_w_over_r", "sum_w"))
    used = (over > 0) & (weight > 0)  # only patients with recorded sex have a sum over r
    probability = weight[used] / over[used]
    if probability.size and probability.max() > probability.min() * (1 + SAME_PROBABILITY):
        raise EstimationError(
            "the design is declared random, but the validation_probability of patients with recorded sex varies from "
            f"{probability.min():.3g} to {probability.max():.3g}; declare known_probability, so that they are weighted "
            "by it"
        )


def _external_arrays(
    external: Cells | None, condition: str, bands: AgeBands, design: ValidationDesign
) -> tuple[CellArrays | None, bool]:
    """Return the external cohort as arrays, and whether it was looked at for the condition."""
    if external is None:
        return None, True
    if design is not ValidationDesign.external:
        raise EstimationError(f"external cells were given, but the declared design is {design.value}; declare external")
    if not external.conditions:
        raise EstimationError("the external cohort has no cells; it needs people whose sex is known")
    has = condition in external.conditions
    chosen = external.of(condition if has else external.conditions[0])
    return cell_arrays(chosen, bands, ValidationDesign.random), has


def truth_composition(
    cells: Cells, *, condition: str | None = None, bands: AgeBands, level: float = 0.95
) -> Composition:
    """Return the composition of cells in which every sex is known: the truth that was hidden, without interval.

    Parameters
    ----------
    cells : cells with recorded sex for everybody.
    condition, bands, level : as in :func:`compose`.

    Raises
    ------
    EstimationError : somebody's sex is not known.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> truth_composition(worked_cells(all_known=True), bands=worked_bands()).state
    'truth'
    """
    one = compose(
        cells,
        condition=condition,
        bands=bands,
        design=ValidationDesign.random,
        target=Target.cohort,
        method="recorded",
        level=level,
    )
    if (cells.of(one.condition).frame["recorded_sex"] == "unknown").any():
        raise EstimationError("the truth needs everybody's recorded sex; some rows of these cells are unknown")
    return replace(
        one,
        estimator="truth",
        state="truth",
        band_state=("truth",) * len(bands),
        why="The sexes that were hidden from the estimators.",
        warnings=(),
    )
