"""The matrix method and PACC in every cell: mean class, or mean score, solved for the share of men."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose_input import ComposeInput, refused
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.labelled_windows import LabelledMeans, labelled_means
from sexstrat.estimates.mean_value_shares import mean_value_shares
from sexstrat.estimates.taught_composition import TRANSPORTED, from_labelled, taught_composition, untold

__all__ = ["matrix", "matrix_pooled", "mean_composition"]

Array = NDArray[np.float64]

CLASSES = "Predicted sex is a class; how often it is right in men and in women is learned by age band"
EQUAL_ERRORS = (
    "Sensitivity and specificity do not differ by disease. Where they do, the difference between the sexes is "
    "exaggerated, not diminished."
)


def _called(arrays: CellArrays) -> Array:
    return arrays.predicted_male.astype(float)


def mean_composition(
    given: ComposeInput, estimator: str, values: tuple[Array, Array], *, by_disease: bool, state: str, **parts: Any
) -> Composition:
    """Return the composition of cell means of a value, corrected by its means among labelled men and women.

    Parameters
    ----------
    given : the input.
    estimator, state : of the composition.
    values : value of every row of the cohort, and of the labelled.
    by_disease : means of the labelled by disease.
    parts : further fields of :class:`Composition`.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> value = _called(given.arrays)
    >>> one = mean_composition(given, "matrix", (value, value), by_disease=True, state="model_based", why="an example")
    >>> one.crude_pi.round(6).tolist()
    [0.5, 0.666667]
    """
    labelled = given.labelled
    means = labelled_means(labelled, values[1], by_disease=by_disease, level=given.level)
    if reason := untold(given, means.told):
        return refused(given, estimator, reason)
    shares = mean_value_shares(given.arrays, labelled, values, means)
    return taught_composition(
        given,
        labelled,
        shares,
        estimator=estimator,
        state=state,
        warnings=_borrowed(given, means),
        diagnostics={"n_labelled": int(labelled.n[labelled.validated].sum()), **_told(means)},
        **parts,
    )


def _borrowed(given: ComposeInput, means: LabelledMeans) -> tuple[str, ...]:
    names = [label for label, one in zip(given.bands.labels, means.pooled, strict=True) if one]
    if not names:
        return ()
    return (
        f"Too few men or women are labelled in a cell of band {', '.join(names)}: their errors are learned from "
        "neighbouring bands too.",
    )


def _told(means: LabelledMeans) -> dict[str, Any]:
    gaps = means.gap[means.told]
    return {"smallest_separation": float(gaps.min()) if gaps.size else None}


def matrix(given: ComposeInput) -> Composition:
    """Return the shares of men by the matrix method, sensitivity and specificity by disease and age band.

    In each cell, among patients without recorded sex, pi = (q + Sp - 1) / (Se + Sp - 1), q the share called men
    (Rogan and Gladen); recorded sexes are counted. V is the delta method's, with the errors of Se and Sp in it: a
    labelled patient who is in several cells' windows correlates them. Cells with fewer than 10 labelled men or women,
    or in which Se + Sp - 1 is within its margin of error, learn from neighbouring bands too; a share outside 0 to 1 is
    that of the run of bands around it; nothing is clipped.

    Parameters
    ----------
    given : the input; internal designs, or external with labelled people of another cohort.

    Returns
    -------
    State ``model_based``, ``assumption`` where transport cannot be tested, or ``refused``.

    References
    ----------
    Barron BA. Biometrics 1977;33:414-418. Rogan WJ, Gladen B. Am J Epidemiol 1978;107:71-76. Greenland S. Stat Med
    1988;7:745-757.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> one = matrix(worked_input())
    >>> one.crude_pi.round(6).tolist(), one.state
    ([0.5, 0.666667], 'model_based')
    """
    return from_labelled(given, "matrix", _matrix)


def _matrix(given: ComposeInput) -> Composition:
    values = _called(given.arrays), _called(given.labelled)
    why = f"{CLASSES} and disease."
    return mean_composition(
        given, "matrix", values, by_disease=True, state="model_based", why=why, assumptions=(TRANSPORTED,)
    )


def matrix_pooled(given: ComposeInput) -> Composition:
    """Return the shares of men by the matrix method with one sensitivity and specificity for both disease states.

    What is often done, and wrong wherever a retina shows the disease: shown beside, never called corrected. As
    :func:`matrix`, but labelled people with and without the disease are taken together.

    Parameters
    ----------
    given : the input.

    Returns
    -------
    State ``naive``, or ``refused``.

    References
    ----------
    Barron BA. Biometrics 1977;33:414-418.

    Examples
    --------
    In the worked example errors do not differ by disease.

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> one = matrix_pooled(worked_input())
    >>> one.crude_pi.round(6).tolist(), one.state
    ([0.5, 0.666667], 'naive')
    """
    return from_labelled(given, "matrix_pooled", _matrix_pooled, by_disease=False)


def _matrix_pooled(given: ComposeInput) -> Composition:
    values = _called(given.arrays), _called(given.labelled)
    why = f"{CLASSES}, whatever the disease."
    said = (TRANSPORTED, EQUAL_ERRORS)
    return mean_composition(given, "matrix_pooled", values, by_disease=False, state="naive", why=why, assumptions=said)
