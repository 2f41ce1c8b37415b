"""The interval of a contrast where one sex, or both, has no case or only cases."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["edge_limits"]


def edge_limits(kind: str, male: dict[str, Any], female: dict[str, Any]) -> tuple[float, float] | None:
    """Return limits of a difference or a ratio from those of the two prevalences.

    A prevalence of exactly 0 or 1 has no variance of its own in the delta method, but it has limits (Wilson). Square-
    and-add carries both intervals over: d - sqrt((m - m_low)^2 + (f_high - f)^2) to d + sqrt((m_high - m)^2 +
    (f - f_low)^2); for a ratio on the logarithms.

    Parameters
    ----------
    kind : difference or ratio.
    male, female : estimate rows of the two prevalences, with point, low and high.

    Returns
    -------
    The limits on the contrast's own scale, or None where a prevalence has no limits, or no case for a ratio.

    References
    ----------
    Newcombe RG. Stat Med 1998;17:873-890 (method 10). Zou GY, Donner A. Stat Med 2008;27:1693-1702.

    Examples
    --------
    Nobody of either sex is diseased; at most 4 % of the men and 3 % of the women are.

    >>> male, female = {"point": 0.0, "low": 0.0, "high": 0.04}, {"point": 0.0, "low": 0.0, "high": 0.03}
    >>> edge_limits("difference", male, female)
    (-0.03, 0.04)
    >>> edge_limits("ratio", male, female) is None
    True
    """
    limits = [row.get(name) for row in (male, female) for name in ("point", "low", "high")]
    if any(value is None for value in limits):
        return None
    values = np.array(limits, dtype=float)
    if kind == "ratio":
        if (values <= 0).any():
            return None
        values = np.log(values)
    m, m_low, m_high, f, f_low, f_high = values
    low = m - f - np.hypot(m - m_low, f_high - f)
    high = m - f + np.hypot(m_high - m, f - f_low)
    if not high > low:
        return None
    return (float(np.exp(low)), float(np.exp(high))) if kind == "ratio" else (float(low), float(high))
