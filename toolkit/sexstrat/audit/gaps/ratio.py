"""The ratio of one share between two groups."""

from __future__ import annotations

from math import exp, hypot, log, sqrt

from sexstrat.audit.gaps.limits import limits_at
from sexstrat.audit.interval import normal_quantile
from sexstrat.audit.measurement import Measurement

__all__ = ["FEWEST_IN_NUMERATOR", "ratio"]

FEWEST_IN_NUMERATOR = 5  # patients: below it the logarithm of a share is far from normal
NOBODY = "nobody in the numerator: the ratio is 0, the furthest from equal that there is"


def ratio(
    measured: Measurement, reference: Measurement, metric: str, *, level: float, correlation: float = 0.0
) -> tuple[tuple[float, float, float] | None, str]:
    """Return the share in the group over that in the reference, with its interval, or why there is none.

    exp(log a − log b ± z·√(se(a)²/a² + se(b)²/b² − 2ρ·se(a)·se(b)/(ab))), by the clustered standard errors. Where every
    image of a group agrees, and the standard error says nothing, the interval is recovered from the logarithms of
    the two groups' limits. A share of 0 is a ratio of 0, with the upper limit recovered likewise, and is said.

    Parameters
    ----------
    measured, reference : a share in the two groups.
    metric : its name.
    level : confidence level.
    correlation : between the two estimates.

    Returns
    -------
    (ratio, lower limit, upper limit) and a note; None and the reason with 1 to 4 patients in the group's numerator or
    fewer than 5 in the reference's.

    References
    ----------
    Katz et al. 1978, Biometrics 34:469; Zou & Donner 2008, Stat Med 27:1693; Donner & Zou 2012, Stat Methods Med Res
    21:347 (upper limit at 0).

    Examples
    --------
    56/70 over 48/80: 4/3, and exp(± 1.96 · √(0.25/69 + 0.6667/79)) around it.

    >>> from sexstrat.audit.proportion import clustered_proportion
    >>> a = clustered_proportion([1] * 56 + [0] * 14, range(70))
    >>> b = clustered_proportion([1] * 48 + [0] * 32, range(80))
    >>> [round(one, 3) for one in ratio(a, b, "accuracy", level=0.95)[0]]
    [1.333, 1.075, 1.654]
    """
    top, bottom = measured.n_patients_numerator, reference.n_patients_numerator
    if (bottom or 0) < FEWEST_IN_NUMERATOR or (top is None or 0 < top < FEWEST_IN_NUMERATOR):
        return None, f"fewer than {FEWEST_IN_NUMERATOR} patients in a numerator"
    a, b = float(measured.point or 0.0), float(reference.point or 0.0)
    low_a, high_a = limits_at(measured, metric, level)
    low_b, high_b = limits_at(reference, metric, level)
    if a == 0:
        return (0.0, 0.0, high_a / sqrt(low_b * (2 * b - low_b))), NOBODY
    if measured.se and reference.se:
        one, two = measured.se / a, reference.se / b
        half = normal_quantile(level) * sqrt(max(0.0, one**2 + two**2 - 2 * correlation * one * two))
        return (a / b, a / b * exp(-half), a / b * exp(half)), ""
    below = hypot(log(a / low_a), log(high_b / b))
    above = hypot(log(high_a / a), log(b / low_b))
    return (a / b, a / b * exp(-below), a / b * exp(above)), ""
