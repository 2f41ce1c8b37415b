"""The exact truth of a setting's population: shares by age, disease and sex, and every measure that follows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.simulation.eye_states import eye_states, recorded_share
from sexstrat.simulation.population import AGES, population
from sexstrat.simulation.setting import Setting

__all__ = [
    "joint_shares",
    "population_truth",
    "true_composition",
    "true_eye_prevalence",
    "true_eye_prevalence_by_band",
    "true_prevalence_ratio",
]

Array = NDArray[np.float64]
STANDARD = "population"


def joint_shares(one: Setting, *, sample: bool = False) -> Array:
    """Return P(age, disease, male), shape (ages 20 to 95, 2, 2): the population the cohort is drawn from.

    With hospitals or sampling units it is the population of all that could be drawn: shares are means over the
    clusters' random intercepts. With a survey it is the target population, which weights lead back to. Disease by eye
    counts where a graded eye is affected.

    Parameters
    ----------
    one : the setting.
    sample : the shares expected in the sample before any weight, which differ only where there is a survey.

    Examples
    --------
    >>> from sexstrat.simulation.named_settings import setting
    >>> shares = joint_shares(setting("baseline"))
    >>> round(float(shares[:, 1].sum()), 4), round(float(shares[:, :, 1].sum()), 4)
    (0.15, 0.48)
    """
    any_eye = population(one).shares(sample=sample)
    seen = any_eye[:, 1] * recorded_share(one)
    return np.stack([any_eye.sum(axis=1) - seen, seen], axis=1)


def true_composition(one: Setting, lows: tuple[int, ...]) -> Array:
    """Return P(band, disease, male), shape (bands, 2, 2), for bands that start at ``lows`` (the last is open).

    Parameters
    ----------
    one : the setting.
    lows : first years of the bands, rising; people younger than the first are left out.

    Examples
    --------
    >>> from sexstrat.simulation.named_settings import setting
    >>> round(float(true_composition(setting("baseline"), (20,)).sum()), 6)
    1.0
    """
    band = np.searchsorted(np.asarray(lows), AGES, side="right") - 1
    out = np.zeros((len(lows), 2, 2))
    np.add.at(out, band[band >= 0], joint_shares(one)[band >= 0])
    return out


def true_prevalence_ratio(one: Setting) -> float:
    """Return the crude prevalence ratio, men over women, of the population.

    Parameters
    ----------
    one : the setting.

    Examples
    --------
    >>> from sexstrat.simulation.named_settings import setting
    >>> round(true_prevalence_ratio(setting("baseline")), 2)
    1.4
    """
    shares = joint_shares(one).sum(axis=0)
    return float((shares[1, 1] / shares[:, 1].sum()) / (shares[1, 0] / shares[:, 0].sum()))


def true_eye_prevalence(one: Setting) -> tuple[float, float]:
    """Return the share of graded eyes that are affected, of women and of men.

    Parameters
    ----------
    one : the setting; without disease by eye every graded eye of a diseased person counts as affected.

    Examples
    --------
    All are graded in both eyes, a fifth is diseased, in one eye of two half the time: 0.2 x 1.5 / 2 = 0.15.

    >>> from sexstrat.simulation.parts import EyeDisease
    >>> by_eye = Setting(
    ...     name="by eye",
    ...     prevalence=0.2,
    ...     one_eye=0.0,
    ...     disease_by_male=0.0,
    ...     male_by_age=0.0,
    ...     eye_disease=EyeDisease(both=0.5, both_by_male=0.0),
    ... )
    >>> [round(share, 4) for share in true_eye_prevalence(by_eye)]
    [0.15, 0.15]
    """
    affected, graded = _eyes_by_age(one)
    women, men = affected.sum(axis=0) / graded.sum(axis=0)
    return float(women), float(men)


def _eyes_by_age(one: Setting) -> tuple[Array, Array]:
    """Return the expected affected, and graded, eyes of a person by age and sex, shape (ages, 2): an exact sum."""
    people = population(one).shares()
    affected, graded = np.zeros((AGES.size, 2)), np.zeros((AGES.size, 2))
    for diseased in (0, 1):
        for state in eye_states(one, diseased=bool(diseased)):
            affected += people[:, diseased] * state.probability * state.affected
            graded += people[:, diseased] * state.probability * state.graded
    return affected, graded


def true_eye_prevalence_by_band(one: Setting, lows: tuple[int, ...]) -> Array:
    """Return the share of graded eyes that are affected by band, of women and of men, shape (bands, 2).

    Parameters
    ----------
    one : the setting.
    lows : first years of the bands, rising; the last is open, and people younger than the first are left out.

    Examples
    --------
    >>> from sexstrat.simulation.named_settings import setting
    >>> one = setting("eye_level_disease")
    >>> bool(np.allclose(true_eye_prevalence_by_band(one, (20,))[0], true_eye_prevalence(one)))
    True
    """
    band = np.searchsorted(np.asarray(lows), AGES, side="right") - 1
    affected, graded = np.zeros((2, len(lows), 2))
    for total, by_age in zip((affected, graded), _eyes_by_age(one), strict=True):
        np.add.at(total, band[band >= 0], by_age[band >= 0])
    return np.asarray(affected / graded)


def population_truth(one: Setting, lows: tuple[int, ...]) -> pd.DataFrame:
    """Return what is true of the population: the share of men, prevalences and contrasts, crude, by band, standardised.

    Parameters
    ----------
    one : the setting.
    lows : first years of the age bands, rising; the last is open.

    Returns
    -------
    One row a figure: measure, unit (persons or eyes), sex, age_low, age_high, standard (``crude``, or ``population``
    for rates by band weighted by the ages of the people of the population in these bands) and value.

    Examples
    --------
    >>> from sexstrat.simulation.named_settings import setting
    >>> truth = population_truth(setting("baseline"), (20, 60))
    >>> truth.query("measure == 'prevalence_ratio' and standard == 'crude' and age_low.isna()")["value"].round(
    ...     2
    ... ).tolist()
    [1.4]
    """
    shares = true_composition(one, lows)
    total = shares.sum(axis=0)
    by_band = shares[:, 1] / shares.sum(axis=1)
    weights = shares.sum(axis=(1, 2)) / shares.sum()
    rows = [_row("male_share", total[:, 1].sum() / total.sum())]
    rows += _figures(total[1] / total.sum(axis=0), "crude")
    for band, (low, high) in enumerate(zip(lows, (*lows[1:], None), strict=True)):
        rows += _figures(by_band[band], "crude", low, high)
    rows += _figures(weights @ by_band, STANDARD)
    if one.eye_disease is not None:
        rows += _figures(np.array(true_eye_prevalence(one)), "crude", unit="eyes")
        eyes = true_eye_prevalence_by_band(one, lows)
        for band, (low, high) in enumerate(zip(lows, (*lows[1:], None), strict=True)):
            rows += _figures(eyes[band], "crude", low, high, unit="eyes")
        rows += _figures(weights @ eyes, STANDARD, unit="eyes")
    frame = pd.DataFrame(rows)
    return frame.astype({"sex": "str", "age_low": "Int64", "age_high": "Int64"})


def _row(
    measure: str, value: float, standard: str = "crude", low: int | None = None, high: int | None = None,
    *, sex: str | None = None, unit: str = "persons",
) -> dict[str, Any]:  # fmt: skip
    where = {"sex": sex, "age_low": low, "age_high": high}
    return {"measure": measure, "unit": unit, **where, "standard": standard, "value": float(value)}


def _figures(
    by_sex: Array, standard: str, low: int | None = None, high: int | None = None, unit: str = "persons"
) -> list[dict[str, Any]]:
    female, male = by_sex
    odds = (male / (1 - male)) / (female / (1 - female))
    contrasts = {"ratio": male / female, "difference": male - female, "odds_ratio": odds}
    return [
        _row("prevalence", male, standard, low, high, sex="male", unit=unit),
        _row("prevalence", female, standard, low, high, sex="female", unit=unit),
        *(_row(f"prevalence_{name}", value, standard, low, high, unit=unit) for name, value in contrasts.items()),
    ]
