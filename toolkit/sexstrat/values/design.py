"""How sex came to be recorded, and whom the estimates are about: declared, never guessed from data."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["ENOUGH_VALIDATED", "FEWEST_VALIDATED", "Target", "ValidationDesign"]

FEWEST_VALIDATED = 10  # decision table: fewer validated diseased (or not diseased) patients than this are refused
ENOUGH_VALIDATED = 20  # decision table: E1 needs this many of each


class ValidationDesign(StrEnum):
    """The declared validation design (statistics, decision table).

    Examples
    --------
    >>> ValidationDesign("random").is_internal
    True
    """

    random = "random"
    known_probability = "known_probability"
    modelled = "modelled"
    may_depend_on_sex = "may_depend_on_sex"
    external = "external"
    none = "none"

    @property
    def is_internal(self) -> bool:
        """Tell whether some of the cohort's own patients have recorded sex."""
        return self in {
            ValidationDesign.random,
            ValidationDesign.known_probability,
            ValidationDesign.modelled,
            ValidationDesign.may_depend_on_sex,
        }


class Target(StrEnum):
    """Whom the estimates are about.

    ``population``: the cohort is a sample of a population. ``cohort``: these very people.

    Examples
    --------
    >>> Target("cohort").value
    'cohort'
    """

    population = "population"
    cohort = "cohort"
