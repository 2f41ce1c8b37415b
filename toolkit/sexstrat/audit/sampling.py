"""Primary sampling units of a survey in an audit: what is counted by them, and what an audit has to say of it."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import pandas as pd
from scipy.special import stdtrit

from sexstrat.audit.clusters import Clusters
from sexstrat.audit.measurement import Measurement

__all__ = [
    "FEW_UNITS",
    "NOT_EXCHANGEABLE",
    "UNITS_NOTICE",
    "sampling_notices",
    "sampling_units",
    "student_level",
    "with_spread_of",
]

UNIT, STRATUM = "psu", "stratum"
FEW_UNITS = 30  # below it the sandwich is too small whatever the quantile: Cameron & Miller 2015, J Hum Resour 50:317
FEW = f"fewer than {FEW_UNITS} primary sampling units: the interval may be too narrow"
MOST_LEVEL = 1 - 1e-12  # two units ask for 12.7 standard errors, which no level below 1 gives
NONE = "too few primary sampling units: there is no interval"
NOT_EXCHANGEABLE = "patients of one primary sampling unit cannot be dealt to groups at random: read Wald's test"
UNITS_NOTICE = (
    "Intervals of the metrics of the audit and of their gaps count the primary sampling units of the survey. Its "
    "curves over age, tests of eyes, figures of photographs without a score, consequences and declared rules count "
    "patients: where patients of one unit are alike, their intervals are too narrow. Strata narrow none."
)


def sampling_units(frame: pd.DataFrame) -> Clusters | None:
    """Return the primary sampling unit of each row, or None where there are none.

    Units of the same name in two strata are two. A row without a unit is a unit with the others of its patient.

    Parameters
    ----------
    frame : one row an image, with ``patient_id`` and, where patients were sampled in units, ``psu`` and ``stratum``.

    Examples
    --------
    >>> frame = pd.DataFrame({"patient_id": ["a", "b", "c", "c"], "psu": ["x", "x", None, None]})
    >>> sampling_units(frame).code.tolist()
    [0, 0, 1, 1]
    """
    if UNIT not in frame or not frame[UNIT].notna().any():
        return None
    stratum = pd.factorize(frame[STRATUM] if STRATUM in frame else frame[UNIT].isna(), use_na_sentinel=False)[0]
    unit, patient = pd.factorize(frame[UNIT])[0], pd.factorize(frame["patient_id"])[0]
    key = pd.Series(unit).where(unit >= 0, -1 - patient) * (int(stratum.max()) + 1) + stratum
    return Clusters.of(key)


def student_level(level: float, n_units: int) -> float:
    """Return the level whose normal quantile is Student's at the declared level with one degree less than units.

    An interval made with it is that of t for a mean; for Wilson's limits it is their size divided by (t / z)^2.

    Parameters
    ----------
    level : declared confidence level.
    n_units : sampling units, at least 2.

    References
    ----------
    Korn & Graubard 1998, Survey Methodology 24:193 (effective sample size adjusted for degrees of freedom).

    Examples
    --------
    With 41 units t is 2.021, in place of 1.960:

    >>> round(student_level(0.95, 41), 4)
    0.9567
    """
    t = float(stdtrit(max(n_units - 1, 1), 0.5 + level / 2))
    return min(2 * NormalDist().cdf(t) - 1, MOST_LEVEL)


def with_spread_of(measured: Measurement, by_unit: Measurement, n_units: int) -> Measurement:
    """Return a measurement with the interval that counts sampling units.

    Parameters
    ----------
    measured : what was measured, counting patients.
    by_unit : the same, counting units, at :func:`student_level`.
    n_units : number of units in the group.

    Examples
    --------
    >>> one = Measurement(level=0.95, n_images=80, n_patients=80, point=0.8, low=0.7, high=0.87, se=0.045)
    >>> wide = Measurement(level=0.95, n_images=80, n_patients=40, point=0.8, low=0.66, high=0.9, se=0.06)
    >>> found = with_spread_of(one, wide, 40)
    >>> found.n_patients, found.low
    (80, 0.66)
    """
    if measured.state != "measured" or (measured.low is None and measured.high is None):
        return measured
    spread = by_unit.state == "measured"
    told = NONE if not spread else FEW if n_units < FEW_UNITS else ""
    return replace(
        measured,
        se=by_unit.se if spread else None,
        low=by_unit.low if spread else None,
        high=by_unit.high if spread else None,
        design_effect=by_unit.design_effect if spread else None,
        note="; ".join(part for part in (by_unit.note if spread else measured.note, told) if part),
    )


def sampling_notices(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return what every reader must know where patients were sampled in units.

    Parameters
    ----------
    frame : one row a patient, an image or a cell; the column ``psu`` names the primary sampling unit, where there is
        one.

    Examples
    --------
    >>> sampling_notices(pd.DataFrame({"psu": [None, None]})), len(sampling_notices(pd.DataFrame({"psu": ["a", "b"]})))
    ((), 1)
    """
    return (UNITS_NOTICE,) if UNIT in frame and bool(frame[UNIT].notna().any()) else ()
