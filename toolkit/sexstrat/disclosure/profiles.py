"""Disclosure profiles: which counts of people may be shown, and who says so."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.errors import StudyError

__all__ = ["MIN_STUDY", "PROFILES", "Profile", "profile"]

MIN_STUDY = 50  # a study of fewer patients is refused under every profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A rule for counts of people.

    Parameters
    ----------
    name : name in the study file.
    minimum : smallest count above 0 that may be shown; 1 shows all.
    zero_allowed : whether a count of 0 may be shown.
    rounding : counts are rounded to the nearest multiple of this, or None.
    source : who set the rule, and where it can be read.
    midpoint : counts are rounded to the middle between two multiples instead, 0 to 0.

    Raises
    ------
    ValueError : the minimum or the rounding base is below 1.

    Examples
    --------
    >>> rule = Profile(name="mine", minimum=5, zero_allowed=True, rounding=None, source="our committee")
    >>> rule.hides([0, 1, 4, 5]).tolist()
    [False, True, True, False]
    """

    name: str
    minimum: int
    zero_allowed: bool
    rounding: int | None
    source: str
    midpoint: bool = False

    def __post_init__(self) -> None:
        if self.minimum < 1 or (self.rounding is not None and self.rounding < 1):
            raise ValueError(f"minimum and rounding base must be at least 1; found {self.minimum}, {self.rounding}")

    @property
    def withholds(self) -> bool:
        """Whether any count may not be shown."""
        return self.minimum > 1 or not self.zero_allowed

    def rounded(self, count: ArrayLike) -> NDArray[np.float64]:
        """Return counts as they may be shown: to the nearest multiple, or up to one and half of it back.

        Examples
        --------
        >>> (
        ...     PROFILES["opensafely"].rounded([8, 13]).tolist(),
        ...     PROFILES["opensafely-midpoint6"].rounded([0, 8, 13]).tolist(),
        ... )
        ([10.0, 15.0], [0.0, 9.0, 15.0])
        """
        value = np.asarray(count, dtype=float)
        if self.rounding is None:
            return value
        if self.midpoint:
            return np.asarray(np.ceil(value / self.rounding) * self.rounding - (value != 0) * (self.rounding // 2))
        return np.asarray(np.floor(value / self.rounding + 0.5) * self.rounding)

    @property
    def unrounded(self) -> tuple[int, int]:
        """How far a count above 0 may lie below and above what is shown of it."""
        if self.rounding is None:
            return 0, 0
        below = self.rounding - self.rounding // 2 - 1 if self.midpoint else self.rounding // 2
        return below, self.rounding - 1 - below

    def is_small(self, count: ArrayLike) -> NDArray[np.bool_]:
        """Tell which counts lie strictly between 0 and the minimum; a missing count does not."""
        value = np.asarray(count, dtype=float)
        return np.asarray((value > 0) & (value < self.minimum))

    def hides(self, count: ArrayLike) -> NDArray[np.bool_]:
        """Tell which counts may not be shown: the small ones, and 0 where the profile does not allow it."""
        value = np.asarray(count, dtype=float)
        return np.asarray(self.is_small(value) | ((value == 0) & (not self.zero_allowed)))


PROFILES: dict[str, Profile] = {
    one.name: one
    for one in (
        Profile(
            name="uk-5",
            minimum=5,
            zero_allowed=True,
            rounding=None,
            source="counts 1-4 withheld, as for small areas and sensitive data in: Office for National Statistics, "
            "Review of the Dissemination of Health Statistics: Confidentiality Guidance (2006)",
        ),
        Profile(
            name="us-cms-11",
            minimum=11,
            zero_allowed=True,
            rounding=None,
            source="counts 1-10, and what they could be derived from, withheld: CMS Cell Size Suppression Policy, "
            "https://resdac.org/articles/cms-cell-size-suppression-policy",
        ),
        Profile(
            name="opensafely",
            minimum=8,
            zero_allowed=False,
            rounding=5,
            source="counts up to 7 withheld, then the others rounded to 5: OpenSAFELY, Applying statistical "
            "disclosure control, https://docs.opensafely.org/outputs/sdc; 0 is withheld here, which that page leaves "
            "to judgement",
        ),
        Profile(
            name="opensafely-midpoint6",
            minimum=8,
            zero_allowed=False,
            rounding=6,
            midpoint=True,
            source="counts up to 7 withheld, the others, and the counts behind every rate, rounded to the midpoint of "
            "six (7 to 12 is 9): OpenSAFELY, Applying statistical disclosure control, Midpoint 6 rounding, "
            "https://docs.opensafely.org/outputs/sdc; one base for everything, as that page asks",
        ),
        Profile(
            name="ndb-10",
            minimum=10,
            zero_allowed=True,
            rounding=None,
            source="fewer than 10 patients withheld, 0 may be shown (municipalities of 25,000 people and more; "
            "smaller ones have rules of their own): Ministry of Health, Labour and Welfare of Japan, guidelines on the "
            "use of the NDB",
        ),
        Profile(
            name="none",
            minimum=1,
            zero_allowed=True,
            rounding=None,
            source="nothing withheld; the reason is the study's own",
        ),
    )
}


def profile(name: str) -> Profile:
    """Return the disclosure profile of a name.

    Parameters
    ----------
    name : one of the keys of ``PROFILES``.

    Raises
    ------
    StudyError : no such profile; the message names those there are and the nearest.

    Examples
    --------
    >>> profile("us-cms-11").minimum
    11
    """
    if name in PROFILES:
        return PROFILES[name]
    near = get_close_matches(name, PROFILES, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise StudyError(f"unknown disclosure profile {name!r}; allowed: {', '.join(PROFILES)}{hint}")
