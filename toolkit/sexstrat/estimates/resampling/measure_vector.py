"""Every measure of a composition as one vector, for thousands of compositions at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = ["MeasureKey", "carried_back", "measure_keys", "measure_values"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureKey:
    """What one place of the vector is.

    Parameters
    ----------
    measure, sex : as in the ``estimate`` contract.
    band : index of the age band, or None for all ages.
    standard : crude, or the name of a standard population.
    """

    measure: str
    sex: str | None
    band: int | None
    standard: str

    @property
    def scale(self) -> str:
        """Scale of its interval: logit for shares, log for ratios, plain for differences."""
        if self.measure == "prevalence_difference":
            return "plain"
        return "log" if self.measure.endswith("ratio") else "logit"


def carried_back(scale: str, values: Array) -> Array:
    """Return values on the scale of an interval as values on the measure's own.

    Parameters
    ----------
    scale : logit, log or plain.
    values : on that scale.

    Examples
    --------
    >>> [float(carried_back(scale, np.zeros(1))[0]) for scale in ("logit", "log", "plain")]
    [0.5, 1.0, 0.0]
    """
    if scale == "plain":
        return values
    return np.asarray(np.exp(values) if scale == "log" else expit(values))


_AT_A_PLACE: Mapping[str, str | None] = MappingProxyType(
    {"male": "prevalence", "female": "prevalence", "ratio": None, "difference": None, "odds_ratio": None}
)


def measure_keys(n_bands: int, standards: Sequence[str]) -> tuple[MeasureKey, ...]:
    """List the measures: at all ages, in each band and by each standard, then the share of men.

    Parameters
    ----------
    n_bands : age bands.
    standards : names of standard populations.

    Examples
    --------
    >>> keys = measure_keys(2, ["cohort"])
    >>> len(keys), keys[2].measure, keys[-1].measure
    (23, 'prevalence_ratio', 'male_share')
    """
    places: list[tuple[int | None, str]] = [(None, "crude")]
    places += [(band, "crude") for band in range(n_bands)]
    places += [(None, name) for name in standards]
    keys = [
        MeasureKey(measure=shared or f"prevalence_{name}", sex=name if shared else None, band=band, standard=standard)
        for band, standard in places
        for name, shared in _AT_A_PLACE.items()
    ]
    shares = [
        MeasureKey(measure="male_share", sex=None, band=band, standard=name) for band, name in places[: n_bands + 1]
    ]
    return (*keys, *shares)


def _five(male: Array, female: Array) -> Array:
    """Return logit prevalences, log ratio, difference and log odds ratio; NaN where not defined."""
    odds = [np.log(one) - np.log1p(-one) for one in (male, female)]
    return np.stack([*odds, np.log(male) - np.log(female), male - female, odds[0] - odds[1]], axis=-1)


def measure_values(*, whole_pi: Array, whole_n: Array, pi: Array, n: Array, weights: Sequence[Array]) -> Array:
    """Return every measure of many compositions, each on the scale of its interval.

    Parameters
    ----------
    whole_pi, whole_n : shares of men and counts of all ages, without and with the disease, shape (R, 2).
    pi, n : the same by band, shape (R, A, 2); pi is NaN where a band is empty.
    weights : of each standard population, shape (A,).

    Returns
    -------
    Shape (R, measures) in the order of :func:`measure_keys`: infinite where a share is 0 or 1 or a ratio has no case
    on one side, NaN where nobody of a sex is there, or a share of men lies outside 0 to 1.

    Examples
    --------
    800 without the disease, half of them men, and 300 with it, two thirds men: 200/600 against 100/500.

    >>> pi, n = np.array([[0.5, 2 / 3]]), np.array([[800.0, 300.0]])
    >>> found = measure_values(whole_pi=pi, whole_n=n, pi=pi[:, None, :], n=n[:, None, :], weights=[])
    >>> np.exp(found[0, 2]).round(4), found[0, 3].round(4)
    (np.float64(1.6667), np.float64(0.1333))
    """
    shares = np.concatenate([whole_pi[:, None, :], pi], axis=1)
    counts = np.concatenate([whole_n[:, None, :], n], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        known = np.where(counts > 0, shares, 0.5)
        possible = ((known >= 0) & (known <= 1)).all(axis=2, keepdims=True)
        men = np.where(possible, counts * known, np.nan)
        women = np.where(possible, counts - men, np.nan)
        by_sex = [people[:, :, 1] / people.sum(axis=2) for people in (men, women)]
        standardised = [
            [np.sum(np.where(weight > 0, one[:, 1:] * weight, 0.0), axis=1) for one in by_sex] for weight in weights
        ]
        parts = [_five(*by_sex), *(_five(*both)[:, None, :] for both in standardised)]
        share = men.sum(axis=2) / counts.sum(axis=2)
        values = np.concatenate([part.reshape(part.shape[0], -1) for part in parts], axis=1)
        return np.concatenate([values, np.log(share) - np.log1p(-share)], axis=1)
