"""Choose the estimator by the decision table, and say so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.agreement import disagreement
from sexstrat.estimates.aipw import aipw
from sexstrat.estimates.attenuation import attenuation
from sexstrat.estimates.clustered_composition import clustered_composition
from sexstrat.estimates.compose_input import ComposeInput, refused
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.contrasts import log_ratio_gradient
from sexstrat.estimates.imputation import imputation
from sexstrat.estimates.naive import recorded
from sexstrat.estimates.recording_model import with_estimated_recording
from sexstrat.estimates.refusal import (
    ENOUGH_VALIDATED,
    UNINFORMATIVE_AUC,
    reason_to_refuse,
    validated_auc,
)
from sexstrat.estimates.transported import from_external, from_own_rows
from sexstrat.values.design import ValidationDesign

__all__ = ["auto", "checked", "data_warnings", "weighted"]

RECORDING_MODELLED = (
    "Given score, disease, age and site, whether sex is recorded does not depend on sex; the model of recording or "
    "that of sex has the right form. Nothing is assumed about the errors of the score."
)
EXTREME_WEIGHT = 20.0  # a validated patient standing for this many times the average one is a reason to warn


def data_warnings(given: ComposeInput, auc: float | None = None) -> tuple[str, ...]:
    """Return what a reader must know about the data, whichever estimator is used.

    Parameters
    ----------
    given : the input.
    auc : area under the curve of the score on validated patients, where it is known already.

    Returns
    -------
    Sentences; none where there is nothing to warn of.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> data_warnings(given)
    ()
    >>> data_warnings(replace(given, arrays=replace(given.arrays, n_other=3)))
    ("3 patients with recorded sex 'other' are outside the comparison of men and women.",)
    """
    arrays = given.arrays
    found = []
    if arrays.n_other:
        found.append(
            f"{arrays.n_other} patients with recorded sex 'other' are outside the comparison of men and women."
        )
    if arrays.n_outside:
        found.append(f"{arrays.n_outside} patients outside the declared age bands are left out.")
    auc = validated_auc(arrays) if auc is None else auc
    if auc < UNINFORMATIVE_AUC:
        found.append(f"The score hardly tells the sexes apart (area under the curve {auc:.2f}); it adds little.")
    rows = arrays.validated
    if rows.any():
        ratio = arrays.w_over_r[rows] / arrays.n[rows]
        if ratio.max() > EXTREME_WEIGHT * np.average(ratio, weights=arrays.n[rows]):
            found.append("Some validated patients carry extreme weights; the intervals may be too narrow.")
    return tuple(found)


def _diagnostics(given: ComposeInput, auc: float) -> dict[str, float]:
    arrays = given.arrays
    well, diseased = arrays.n_validated.sum(axis=0)
    patients = arrays.n_patients.sum(axis=0)
    return {
        "n_patients": int(patients.sum()),
        "n_diseased": int(patients[1]),
        "n_validated": int(well + diseased),
        "n_validated_diseased": int(diseased),
        "effective_validated": float(arrays.effective_validated.sum()),
        "auc_validated": auc,
        "attenuation_threshold": attenuation(arrays, threshold=True),
        "attenuation_weighted": attenuation(arrays, threshold=False),
    }


def checked(given: ComposeInput, estimate: Composition) -> Composition:
    """Return a composition with the warnings and diagnostics that belong to its data.

    Parameters
    ----------
    given : the input.
    estimate : a composition made from it.

    Examples
    --------
    Half of the 1,100 patients of the worked example are validated, half of the 300 diseased ones among them.

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> found = checked(given, refused(given, "E1", "only an example")).diagnostics
    >>> found["n_validated"], found["n_validated_diseased"], round(found["auc_validated"], 6)
    (550, 150, 0.8)
    """
    auc = validated_auc(given.arrays)
    return replace(
        estimate,
        warnings=(*data_warnings(given, auc), *estimate.warnings),
        diagnostics={**_diagnostics(given, auc), **estimate.diagnostics},
        cohort_ages=given.arrays.total(given.arrays.w).sum(axis=1),
    )


def _compared(given: ComposeInput, other: Composition, thin: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the gradients of what E1 and E2 are compared on: the bands that E1 reports, and all, standardised."""
    ages = given.arrays.total(given.arrays.w).sum(axis=1)
    bands = np.eye(ages.size)[~thin]
    weights = [*bands, ages / ages.sum()]
    return np.nan_to_num(np.stack([log_ratio_gradient(other.by_band, one) for one in weights]))


def _with_thin_bands(given: ComposeInput, estimate: Composition) -> Composition:
    """Hand the bands that E1 does not call corrected to E2, and compare the two."""
    other = imputation(given)
    thin = np.array([state != "corrected" for state in estimate.band_state])
    z, apart = disagreement(given, _compared(given, other, thin))
    largest = float(np.max(np.abs(z)))
    warnings = other.warnings if thin.any() else estimate.warnings
    if apart:
        warnings = (
            *warnings,
            f"E1 and E2 differ by {largest:.1f} standard errors of their difference: "
            "the imputation model may be wrong.",
        )
    states = tuple(other.band_state[band] if one else "corrected" for band, one in enumerate(thin))
    return replace(
        estimate,
        band_state=states,
        warnings=warnings,
        fallback=other if thin.any() else None,
        diagnostics={**estimate.diagnostics, "e1_e2_difference_in_se": largest},
    )


def weighted(given: ComposeInput) -> Composition:
    """Return E1 with the probability of being recorded that the design declares: a share, known, or estimated here.

    In a sample drawn in units or strata the variance counts those.

    Parameters
    ----------
    given : the input.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> weighted(replace(worked_input(), design=ValidationDesign.modelled)).assumptions[0][:60]
    'Given score, disease, age and site, whether sex is recorded '
    """
    chosen = given
    if given.design is ValidationDesign.modelled:
        chosen = replace(given, arrays=with_estimated_recording(given.arrays))
    estimate = aipw(chosen)
    if given.clustered:
        estimate = clustered_composition(chosen, estimate)
    if given.design is not ValidationDesign.modelled or estimate.state == "refused":
        return estimate
    return replace(
        estimate,
        assumptions=(RECORDING_MODELLED,),
        why="Sex is recorded for a part of the cohort with a probability that is estimated from score, disease and "
        "age, and the score's errors on that part are weighted by it.",
    )


def auto(given: ComposeInput) -> Composition:
    """Return the composition that the decision table of the methods page asks for.

    Everybody's sex recorded: counts. At least 20 validated diseased and 20 not: E1, with E2 for age bands that have
    fewer in either cell. 10 to 19: E2, shrunk. Fewer: refused. Recording that may depend on sex: E4 on the cohort's own
    validated patients. External cohort: E4, or E5 where it was not looked at for the disease. Nobody: refused.

    Parameters
    ----------
    given : the input.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> compose(worked_cells(), bands=worked_bands(), design="random").estimator
    'E1'
    """
    if given.arrays.validated.all() and given.arrays.n.sum() > 0:
        return recorded(given)
    if given.design is ValidationDesign.may_depend_on_sex:
        return from_own_rows(given)
    if given.design is ValidationDesign.external:
        return from_external(given)
    if (reason := reason_to_refuse(given)) is not None:
        return refused(given, "E1", f"No corrected estimate: {reason}.")
    counts = given.arrays.n_validated.sum(axis=0)
    if counts.min() < ENOUGH_VALIDATED:
        which = "with" if counts[1] <= counts[0] else "without"
        return imputation(
            given,
            shrink=True,
            why=f"Only {int(counts.min())} validated patients {which} the disease (E1 needs {ENOUGH_VALIDATED}), so "
            "the missing sexes are imputed with a shrunk model.",
        )
    estimate = weighted(given)
    if estimate.state == "refused":
        return imputation(given, shrink=True, why=f"E1 gave no answer ({estimate.why}), so missing sexes are imputed.")
    return _with_thin_bands(given, estimate)
