"""E3: maximum likelihood on predicted class; patients without recorded sex are the main sample, the others validate."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose_input import ComposeInput, margin, refused
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.numbers.differential_error import differential_error_test
from sexstrat.estimates.numbers.validation_likelihood import validation_likelihood
from sexstrat.estimates.numbers.validation_table import ValidationTable, validation_table
from sexstrat.values.design import ValidationDesign

__all__ = ["class_likelihood", "validation_tables"]

Array = NDArray[np.float64]

ASSUMPTIONS = (
    "Recorded sex is known for a random part of the patients of each age band and disease state; the class that the "
    "score predicts may be wrong in any way that depends on them.",
)


def validation_tables(arrays: CellArrays) -> tuple[Array, Array]:
    """Count patients by band: without recorded sex by disease and class, with it by disease, sex and class.

    Parameters
    ----------
    arrays : the cells; a patient without a score is of the class not called male.

    Returns
    -------
    Main samples, shape (bands, 2, 2), and validation samples, shape (bands, 2, 2, 2).

    Examples
    --------
    Of 75 diseased without recorded sex 45 are called men; of 25 validated diseased women 5 are.

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> main, validation = validation_tables(worked_arrays())
    >>> main[0, 1].tolist(), validation[0, 1, 0].tolist()
    ([30.0, 45.0], [20.0, 5.0])
    """
    called = arrays.predicted_male.astype(np.int64)
    main, validation = np.zeros((2 * arrays.n_bands, 2)), np.zeros((2 * arrays.n_bands, 2, 2))
    rows = arrays.validated
    np.add.at(main, (arrays.group[~rows], called[~rows]), arrays.n[~rows])
    np.add.at(validation, (arrays.group[rows], arrays.male[rows].astype(np.int64), called[rows]), arrays.n[rows])
    return main.reshape(-1, 2, 2), validation.reshape(-1, 2, 2, 2)


def _fitted(given: ComposeInput, table: ValidationTable) -> tuple[Array, Array]:
    """Return the shares of men without and with the disease, and their covariance for the declared target."""
    fit = validation_likelihood(table, error="differential")
    covariance = np.array(fit.covariance[:2, :2])
    if not given.sampled:  # the people's own sexes are part of the truth, and no longer chance
        own = fit.share_of_men * (1 - fit.share_of_men) / table.patients
        covariance = covariance - np.diag(np.minimum(own, np.diag(covariance)))
    return fit.share_of_men, covariance


def class_likelihood(given: ComposeInput) -> Composition:
    """Return the shares of men by maximum likelihood on predicted class, error free to differ by disease (E3).

    In each band the main and the validation sample share P(male | D), sensitivity and specificity by D. It is valid
    as E1 is, and wastes what the score says beyond its class; beside E1 it shows what that is worth. The diagnostics
    hold the likelihood-ratio test of differential error over all ages.

    Parameters
    ----------
    given : the input; design random, weights equal.

    Returns
    -------
    State ``model_based``; a band in which the likelihood has no answer is ``refused``.

    References
    ----------
    Lyles RH. Biometrics 2002;58:1034-1037. Tang L, Lyles RH, King CC, et al. Stat Med 2015;34:1542-1555.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> one = class_likelihood(worked_input())
    >>> one.crude_pi.round(6).tolist(), one.state
    ([0.5, 0.666667], 'model_based')
    """
    arrays, bands = given.arrays, len(given.bands)
    if given.design is not ValidationDesign.random or not np.allclose(arrays.w, arrays.n) or given.clustered:
        why = (
            "E3 needs recorded sex for a simple random part of the cohort, equal weights, and patients drawn one by "
            "one; E1 allows others."
        )
        return refused(given, "E3", why)
    main, validation = validation_tables(arrays)
    pi, covariance = np.full((bands, 2), np.nan), np.zeros((2 * bands, 2 * bands))
    states = []
    for band in range(bands):
        try:
            shares, block = _fitted(given, validation_table(main[band], validation[band]))
        except EstimationError:
            states.append("refused")
            continue
        pi[band], states = shares, [*states, "model_based"]
        covariance[2 * band : 2 * band + 2, 2 * band : 2 * band + 2] = block
    try:
        whole = validation_table(main.sum(axis=0), validation.sum(axis=0))
        overall = _fitted(given, whole)
    except EstimationError as err:
        return refused(given, "E3", f"No corrected estimate: {err}.")
    return Composition(
        condition=given.condition,
        bands=given.bands,
        estimator="E3",
        target=given.target,
        by_band=margin(given, pi, covariance),
        overall=margin(given, overall[0][None, :], overall[1]),
        band_state=tuple(states),
        state="model_based",
        why="Predicted class is taken as a test of sex whose errors the validated patients show.",
        assumptions=ASSUMPTIONS,
        level=given.level,
        diagnostics=_differential(whole),
    )


def _differential(table: ValidationTable) -> dict[str, Any]:
    found = differential_error_test(table)
    return {"differential_error_statistic": found.statistic, "differential_error_p_value": found.p_value}
