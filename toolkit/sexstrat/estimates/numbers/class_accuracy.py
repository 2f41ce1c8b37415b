"""How often a predicted sex is right among labelled men and women, as counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sexstrat.errors import EstimationError

__all__ = ["ClassAccuracy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassAccuracy:
    """Labelled patients by sex, and how many of them are classified correctly; male is the positive class.

    Parameters
    ----------
    correct_men, n_men : labelled men called men, and labelled men.
    correct_women, n_women : labelled women called women, and labelled women.

    Raises
    ------
    EstimationError : nobody of a sex, or more correct than there are.

    Examples
    --------
    >>> one = ClassAccuracy(correct_men=90, n_men=100, correct_women=80, n_women=100)
    >>> one.sensitivity, one.specificity, round(one.youden, 6), round(one.youden_se, 6)
    (0.9, 0.8, 0.7, 0.05)
    """

    correct_men: float
    n_men: float
    correct_women: float
    n_women: float

    def __post_init__(self) -> None:
        for correct, n, who in ((self.correct_men, self.n_men, "men"), (self.correct_women, self.n_women, "women")):
            if not (np.isfinite(n) and n > 0 and 0 <= correct <= n):
                raise EstimationError(f"need labelled {who}, and 0 to all of them correct; found {correct} of {n}")

    @property
    def sensitivity(self) -> float:
        """Share of labelled men called men."""
        return self.correct_men / self.n_men

    @property
    def specificity(self) -> float:
        """Share of labelled women called women."""
        return self.correct_women / self.n_women

    @property
    def sensitivity_variance(self) -> float:
        """Binomial variance of the sensitivity."""
        return self.sensitivity * (1 - self.sensitivity) / self.n_men

    @property
    def specificity_variance(self) -> float:
        """Binomial variance of the specificity."""
        return self.specificity * (1 - self.specificity) / self.n_women

    @property
    def youden(self) -> float:
        """Sensitivity + specificity - 1: 0 for a class that says nothing about sex."""
        return self.sensitivity + self.specificity - 1

    @property
    def youden_se(self) -> float:
        """Standard error of ``youden``."""
        return float(np.sqrt(self.sensitivity_variance + self.specificity_variance))
