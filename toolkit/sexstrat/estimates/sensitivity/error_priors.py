"""Beliefs about the errors of predicted sex, as correlated beta priors, and draws from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from sexstrat.errors import EstimationError
from sexstrat.estimates.sensitivity.beta_prior import BetaPrior

__all__ = ["ErrorDraws", "ErrorPriors", "draw_errors"]

Array = NDArray[np.float64]

_TINY = 1e-12  # normal scores beyond +-7 would give a probability of exactly 0 or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPriors:
    """Priors of the sensitivity (men predicted male) and specificity (women predicted female) by disease state.

    Their draws are joined by a Gaussian copula: the normal scores of well and diseased have the correlation
    ``by_disease``, those of sensitivity and specificity ``between_errors``, and their product joins the rest.

    Parameters
    ----------
    sensitivity_well, sensitivity_diseased, specificity_well, specificity_diseased : the four priors.
    by_disease : correlation between the two disease states, -1 to 1; 1 with equal priors is nondifferential error.
    between_errors : correlation between sensitivity and specificity in one disease state, -1 to 1; negative where an
        unknown threshold moves them against each other.

    Raises
    ------
    EstimationError : a correlation outside -1 to 1.

    References
    ----------
    Fox MP, Lash TL, Greenland S. Int J Epidemiol 2005;34:1370-1376 (why the disease states are correlated).

    Examples
    --------
    >>> from sexstrat.estimates.sensitivity.beta_prior import beta_prior
    >>> same = beta_prior(mean=0.9, sd=0.03)
    >>> ErrorPriors.alike(sensitivity=same, specificity=same, by_disease=0.8).correlation[0].tolist()
    [1.0, 0.8, 0.0, 0.0]
    """

    sensitivity_well: BetaPrior
    sensitivity_diseased: BetaPrior
    specificity_well: BetaPrior
    specificity_diseased: BetaPrior
    by_disease: float
    between_errors: float = 0.0

    def __post_init__(self) -> None:
        if not all(-1 <= value <= 1 for value in (self.by_disease, self.between_errors)):
            raise EstimationError(
                f"correlations of priors lie between -1 and 1; found {self.by_disease} and {self.between_errors}"
            )

    @classmethod
    def alike(
        cls, *, sensitivity: BetaPrior, specificity: BetaPrior, by_disease: float, between_errors: float = 0.0
    ) -> ErrorPriors:
        """Return priors that are the same in both disease states, which ``by_disease`` lets differ or not."""
        return cls(
            sensitivity_well=sensitivity,
            sensitivity_diseased=sensitivity,
            specificity_well=specificity,
            specificity_diseased=specificity,
            by_disease=by_disease,
            between_errors=between_errors,
        )

    @property
    def marginals(self) -> tuple[BetaPrior, ...]:
        """The four priors in the order of ``correlation``."""
        return self.sensitivity_well, self.sensitivity_diseased, self.specificity_well, self.specificity_diseased

    @property
    def correlation(self) -> Array:
        """Correlation of the normal scores, shape (4, 4)."""
        pair = [np.array([[1.0, r], [r, 1.0]]) for r in (self.between_errors, self.by_disease)]
        return np.kron(*pair)

    def described(self) -> tuple[str, ...]:
        """Say the priors in sentences."""
        names = ("Sensitivity, well", "Sensitivity, diseased", "Specificity, well", "Specificity, diseased")
        told = (f"{name}: {prior}." for name, prior in zip(names, self.marginals, strict=True))
        return (
            *told,
            f"Correlation between the disease states {self.by_disease:g}, between sensitivity and specificity "
            f"{self.between_errors:g}.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDraws:
    """Draws of the errors, one band for all ages or one for each declared band.

    Parameters
    ----------
    sensitivity, specificity : shape (draws, bands or 1, 2), the last index 0 well and 1 diseased.

    Raises
    ------
    EstimationError : unequal shapes, or values outside 0 to 1.

    Examples
    --------
    >>> ErrorDraws(sensitivity=np.full((3, 1, 2), 0.9), specificity=np.full((3, 1, 2), 0.8)).n
    3
    """

    sensitivity: Array
    specificity: Array

    def __post_init__(self) -> None:
        shape = self.sensitivity.shape
        if len(shape) != 3 or shape[2] != 2 or self.specificity.shape != shape:
            raise EstimationError(f"draws need the shape (draws, bands, 2); found {shape} and {self.specificity.shape}")
        both = np.concatenate([self.sensitivity, self.specificity])
        if not bool(((both >= 0) & (both <= 1)).all()):
            raise EstimationError("every drawn sensitivity and specificity must lie between 0 and 1")

    @property
    def n(self) -> int:
        """Number of draws."""
        return int(self.sensitivity.shape[0])


def draw_errors(priors: ErrorPriors | Sequence[ErrorPriors], *, draws: int, seed: int) -> ErrorDraws:
    """Draw sensitivities and specificities from their priors.

    Parameters
    ----------
    priors : one for all ages, or one for each declared band; bands share each draw's normal scores, so that a draw
        that is good in one band is good in all.
    draws : number of draws.
    seed : seed of the draws.

    Raises
    ------
    EstimationError : bands with different correlations, which no shared draw has.

    References
    ----------
    Nelsen RB. An Introduction to Copulas. Springer 2006, section 2.3 (Gaussian copula).

    Examples
    --------
    Full correlation and equal priors: one and the same error in both disease states.

    >>> from sexstrat.estimates.sensitivity.beta_prior import beta_prior
    >>> same = beta_prior(mean=0.9, sd=0.03)
    >>> found = draw_errors(ErrorPriors.alike(sensitivity=same, specificity=same, by_disease=1.0), draws=1000, seed=1)
    >>> (
    ...     bool(np.allclose(found.sensitivity[..., 0], found.sensitivity[..., 1])),
    ...     round(float(found.sensitivity.mean()), 2),
    ... )
    (True, 0.9)
    """
    by_band = (priors,) if isinstance(priors, ErrorPriors) else tuple(priors)
    if not by_band or any((one.correlation != by_band[0].correlation).any() for one in by_band):
        raise EstimationError("priors by age band must be given for every band, with the same correlations")
    size, vectors = np.linalg.eigh(by_band[0].correlation)
    factor = vectors * np.sqrt(np.maximum(size, 0.0))
    scores = np.random.default_rng(seed).standard_normal((draws, 4)) @ factor.T
    uniform = np.clip(norm.cdf(scores), _TINY, 1 - _TINY)
    columns = np.stack(
        [np.column_stack([one.quantile(uniform[:, k]) for k, one in enumerate(band.marginals)]) for band in by_band],
        axis=1,
    )
    return ErrorDraws(sensitivity=columns[..., :2], specificity=columns[..., 2:])
