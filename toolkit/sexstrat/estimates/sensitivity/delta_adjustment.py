"""E2 under a pattern-mixture model: unvalidated patients differ in sex from validated ones by a stated log odds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.imputation import analytic, imputed_composition
from sexstrat.estimates.recalibration import Recalibration

__all__ = ["delta_adjusted", "shifted_model"]

WHY = (
    "Patients without recorded sex are assumed to differ from those with it, at the same score, disease and age, by "
    "the stated log odds of being male; no data can show whether they do."
)
ASSUMPTIONS = (
    "Given score, disease and age, the log odds of being male of patients without recorded sex are those of patients "
    "with it plus the stated shift; the logistic imputation model has the right form.",
)


def shifted_model(model: Recalibration, shift: np.ndarray) -> Recalibration:
    """Return the imputation model with a known shift added to the log odds of each row of the cells.

    Parameters
    ----------
    model : recalibration fitted on validated patients.
    shift : added to the log odds, one a row.

    Examples
    --------
    Log odds 0 plus log 3: a probability of 3/4, and no more uncertainty than before.

    >>> one = Recalibration(
    ...     design=np.ones((1, 1)), beta=np.zeros(1), covariance=np.eye(1), inverse_information=np.eye(1), names=("a",)
    ... )
    >>> moved = shifted_model(one, np.array([np.log(3)]))
    >>> moved.probability.round(6).tolist(), moved.covariance.sum().tolist()
    ([0.75], 1.0)
    """
    padded = np.pad(model.covariance, (0, 1)), np.pad(model.inverse_information, (0, 1))
    return replace(
        model,
        design=np.column_stack([model.design, shift]),
        beta=np.append(model.beta, 1.0),
        covariance=padded[0],
        inverse_information=padded[1],
        names=(*model.names, "stated_shift"),
    )


def delta_adjusted(given: ComposeInput, model: Recalibration, *, well: float, diseased: float) -> Composition:
    """Return the shares of men when the unvalidated differ by a stated log odds of being male.

    logit P(male | score, disease, age, unvalidated) = that of the validated + shift, in the limit of infinitely many
    imputations. With logistic recording given score, disease and age, the shift is minus the log odds ratio of being
    recorded, men against women.

    Parameters
    ----------
    given : the input, of an internal design.
    model : recalibration fitted on its validated patients.
    well, diseased : the shift in patients without and with the disease.

    Returns
    -------
    State ``bias_analysis``; bands about which the validated patients say nothing are ``refused``.

    References
    ----------
    Little RJA. Pattern-mixture models for multivariate incomplete data. JASA 1993;88:125-134. Carpenter JR, Kenward MG.
    Multiple Imputation and its Application. Wiley 2013, chapter 10 (delta adjustment).

    Examples
    --------
    Half of the well are unvalidated, half of them men; odds of 3 make that 3/4: (1/2 + 3/4) / 2.

    >>> from sexstrat.estimates.recalibration import recalibrate
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> model = replace(recalibrate(given.arrays), beta=np.zeros(9))
    >>> one = delta_adjusted(given, model, well=np.log(3), diseased=0.0)
    >>> one.state, round(float(one.crude_pi[0]), 6)
    ('bias_analysis', 0.625)
    """
    unknown = ~given.arrays.validated
    shift = np.where(unknown, np.where(given.arrays.diseased == 1, diseased, well), 0.0)
    one = imputed_composition(given, analytic(given.arrays, shifted_model(model, shift)), why=WHY)
    if one.state == "refused":
        return replace(one, estimator="E2_shifted")
    return replace(
        one,
        estimator="E2_shifted",
        state="bias_analysis",
        band_state=tuple("refused" if state == "refused" else "bias_analysis" for state in one.band_state),
        assumptions=ASSUMPTIONS,
        diagnostics={**one.diagnostics, "shift_well": well, "shift_diseased": diseased},
    )
