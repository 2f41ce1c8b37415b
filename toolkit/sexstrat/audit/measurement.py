"""One measured quantity with its interval, its denominators, and the reason when there is no number."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Measurement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A point estimate with a patient-clustered interval, or the reason why there is none.

    Parameters
    ----------
    point, se, low, high : estimate, patient-clustered standard error, limits; None where there is none.
    level : confidence level of the interval.
    n_images : images in the denominator.
    n_patients : patients (clusters) in the denominator.
    n_patients_numerator : patients with at least one image in the numerator; None when there is no numerator.
    n_patients_complement : patients with at least one image outside the numerator; None when there is no numerator.
    n_male, n_female : men and women in the denominator; None where the denominator is not about recorded sex.
    unweighted : point estimate with a weight of 1 for every image; None where no weights were given.
    design_effect : variance over that of as many independent images; None when undefined.
    state : ``measured``, ``undefined`` (the data cannot define it) or ``missing`` (the data were not recorded).
    note : the reason, or a warning; it never holds a count of patients.

    Examples
    --------
    >>> Measurement(level=0.95, n_images=0, n_patients=0, state="undefined", note="nobody in the group").point is None
    True
    """

    level: float
    n_images: int
    n_patients: int
    point: float | None = None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    n_patients_numerator: int | None = None
    n_patients_complement: int | None = None
    n_male: int | None = None
    n_female: int | None = None
    unweighted: float | None = None
    design_effect: float | None = None
    state: str = "measured"
    note: str = ""
