"""Main and validation sample as counts: disease by predicted sex, and disease by sex by predicted sex."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.errors import EstimationError

__all__ = ["ValidationTable", "closed_form_shares", "validation_table"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationTable:
    """Counts of a main sample whose sex is unknown and of a validation sample whose sex is known.

    Parameters
    ----------
    main : patients without recorded sex by disease (well, diseased) and predicted sex (female, male), shape (2, 2).
    validation : patients with recorded sex by disease, sex and predicted sex, shape (2, 2, 2).
    internal : the validation sample is a random part of the same cohort (within disease), so that it informs the
        share of men too; else only sensitivity and specificity.
    """

    main: Array
    validation: Array
    internal: bool

    @property
    def patients(self) -> Array:
        """Number of the well and of the diseased whose sex is to be estimated, with an internal validation sample."""
        own = self.main.sum(axis=1)
        return np.asarray(own + self.validation.sum(axis=(1, 2)) if self.internal else own)

    def with_half_added(self) -> ValidationTable:
        """Return the table with half a patient added to every cell of the validation sample."""
        return ValidationTable(main=self.main, validation=self.validation + 0.5, internal=self.internal)


def validation_table(main: ArrayLike, validation: ArrayLike, *, internal: bool = True) -> ValidationTable:
    """Return the two samples as one table.

    Parameters
    ----------
    main : patients without recorded sex by disease (well, diseased) and predicted sex (female, male), shape (2, 2).
    validation : patients with recorded sex by disease, sex (female, male) and predicted sex, shape (2, 2, 2); the main
        sample does not count them again.
    internal : whether the validation sample is a random part of the cohort, within disease.

    Raises
    ------
    EstimationError : other shapes, negative counts, nobody well or diseased, a sex without validated patients.

    Examples
    --------
    >>> table = validation_table([[400, 500], [150, 250]], [[[40, 10], [5, 45]], [[16, 4], [3, 27]]])
    >>> table.patients.tolist()
    [1000.0, 450.0]
    """
    m, v = np.asarray(main, dtype=float), np.asarray(validation, dtype=float)
    if m.shape != (2, 2) or v.shape != (2, 2, 2):
        raise EstimationError(
            "need the main sample by disease and predicted sex (2 x 2), and the validation sample by disease, sex and "
            f"predicted sex (2 x 2 x 2); found shapes {m.shape} and {v.shape}"
        )
    if not bool(np.isfinite(m).all() and np.isfinite(v).all() and (m >= 0).all() and (v >= 0).all()):
        raise EstimationError("counts must be finite and not negative; look for missing values in the two tables")
    by_sex = v.sum(axis=(0, 2))
    if not bool((by_sex > 0).all()):
        raise EstimationError(f"need validated patients of both sexes; found {by_sex[0]:g} women and {by_sex[1]:g} men")
    table = ValidationTable(main=m, validation=v, internal=internal)
    if not bool((table.patients > 0).all()):
        raise EstimationError(f"need well and diseased patients; found {table.patients.tolist()}")
    return table


def closed_form_shares(table: ValidationTable) -> tuple[Array, Array]:
    """Return the shares of men and their variances of the model with differential error, which has a closed form.

    Internal: pi = q P + (1 - q)(1 - N), q the share called men of all patients of that disease state, P and N the
    predictive values among the validated; variance (P + N - 1)^2 q (1 - q) / n + q^2 Var P + (1 - q)^2 Var N.
    External: the Rogan-Gladen share with its delta variance.

    Parameters
    ----------
    table : the two samples.

    Returns
    -------
    Shares of men among the well and the diseased, and their variances. They are the maximum likelihood ones as long
    as they lie within 0 to 1.

    Raises
    ------
    EstimationError : a predicted sex (internal) or a sex (external) without validated patients in a disease state.

    References
    ----------
    Lyles RH. Biometrics 2002;58:1034-1037. Marshall RJ. J Clin Epidemiol 1990;43:941-947.

    Examples
    --------
    Half of 1,000 well are called men, of whom 45 of 50 validated are, and 10 of 50 of the others:
    .5 x .9 + .5 x .2 = .55.

    >>> table = validation_table([[450, 450], [150, 250]], [[[40, 5], [10, 45]], [[16, 4], [3, 27]]])
    >>> shares, variances = closed_form_shares(table)
    >>> round(float(shares[0]), 6), round(float(variances[0]), 6)
    (0.55, 0.001373)
    """
    shares, variances = np.empty(2), np.empty(2)
    for d in (0, 1):
        v = table.validation[d]
        groups = v.sum(axis=0) if table.internal else v.sum(axis=1)
        if not bool((groups > 0).all()):
            what = "predicted sex" if table.internal else "sex"
            raise EstimationError(f"a {what} has no validated patient in disease state {d}; there is no closed form")
        called = table.main[d] + (v.sum(axis=0) if table.internal else 0.0)
        n, q = called.sum(), called[1] / called.sum()
        if table.internal:
            men_called_men, men_called_women = v[1, 1] / groups[1], v[1, 0] / groups[0]
            shares[d] = q * men_called_men + (1 - q) * men_called_women
            variances[d] = (men_called_men - men_called_women) ** 2 * q * (1 - q) / n
            variances[d] += q**2 * men_called_men * (1 - men_called_men) / groups[1]
            variances[d] += (1 - q) ** 2 * men_called_women * (1 - men_called_women) / groups[0]
        else:
            sensitivity, specificity = v[1, 1] / groups[1], v[0, 0] / groups[0]
            youden = sensitivity + specificity - 1
            shares[d] = (q + specificity - 1) / youden
            spread = q * (1 - q) / n + shares[d] ** 2 * sensitivity * (1 - sensitivity) / groups[1]
            variances[d] = (spread + (1 - shares[d]) ** 2 * specificity * (1 - specificity) / groups[0]) / youden**2
    return shares, variances
