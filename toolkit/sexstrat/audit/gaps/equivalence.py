"""Whether a gap is small enough to say so: two one-sided tests with a declared margin."""

from __future__ import annotations

__all__ = ["OUTCOMES", "equivalence"]

OUTCOMES = ("equivalent", "different", "not shown")
"""A gap that was not found has not been shown to be none."""


def equivalence(difference: tuple[float, float], one_sided: tuple[float, float], margin: float) -> str:
    """Say whether two groups are equivalent, different, or neither was shown.

    ``equivalent``: the interval of two one-sided tests, 1 − 2α wide, lies inside −margin to margin. ``different``: it
    does not, and the interval at 1 − α leaves out 0. ``not shown`` otherwise: the data fit a gap beyond the margin, and
    no gap too. A gap that leaves out 0 and is surely smaller than the margin is ``equivalent``.

    Parameters
    ----------
    difference : limits of the difference at level 1 − α.
    one_sided : limits of the difference at level 1 − 2α.
    margin : declared before the data were seen: the largest gap of no importance, above 0.

    Raises
    ------
    ValueError : the margin is not above 0.

    References
    ----------
    Schuirmann 1987, J Pharmacokinet Biopharm 15:657; Altman & Bland 1995, BMJ 311:485 (absence of evidence).

    Examples
    --------
    >>> equivalence((-0.02, 0.04), (-0.015, 0.035), 0.05)
    'equivalent'
    >>> equivalence((-0.20, 0.30), (-0.16, 0.26), 0.05)
    'not shown'
    """
    if not margin > 0:
        raise ValueError(f"the margin of equivalence must be above 0; found {margin}")
    if -margin < one_sided[0] and one_sided[1] < margin:
        return "equivalent"
    return "different" if difference[0] > 0 or difference[1] < 0 else "not shown"
