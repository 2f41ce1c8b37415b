"""How many patients must have their sex recorded before a corrected estimate can be given at all."""

from __future__ import annotations

from dataclasses import dataclass

from sexstrat.errors import EstimationError
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.planning.needed import fewest_validated
from sexstrat.estimates.planning.planned_cells import PlannedCells, stated_cells
from sexstrat.estimates.planning.planning import validated_only_interval
from sexstrat.estimates.refusal import ENOUGH_VALIDATED

__all__ = ["WANTED_LIMITS_RATIO", "ValidationNeeded", "validation_needed"]

WANTED_LIMITS_RATIO = 2.0  # upper over lower 95 % limit of the prevalence ratio that still tells something
AUC_NOT_USED = 0.9  # the planned cells need one; an analysis of the validated alone does not read it


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationNeeded:
    """What recording further sexes at random would reach.

    Parameters
    ----------
    n_patients, n_validated : the cohort, and those whose sex is known.
    for_estimate : validated patients that a corrected estimate needs in all; None where the cohort is too small.
    for_width : validated patients in all with which the limits of the ratio lie at most a factor 2 apart even if the
        score told nothing; None where recording everybody's sex would not do.
    reason : why there is no number, or "".

    Examples
    --------
    >>> ValidationNeeded(n_patients=900, n_validated=100, for_estimate=250, for_width=None, reason="").more_for_estimate
    150
    """

    n_patients: int
    n_validated: int
    for_estimate: int | None
    for_width: int | None
    reason: str

    @property
    def more_for_estimate(self) -> int | None:
        """Further patients to validate before a corrected estimate can be given."""
        return None if self.for_estimate is None else max(self.for_estimate - self.n_validated, 0)

    @property
    def more_for_width(self) -> int | None:
        """Further patients to validate before the limits of the ratio lie at most a factor 2 apart."""
        return None if self.for_width is None else max(self.for_width - self.n_validated, 0)

    @property
    def statement(self) -> str:
        """The result as a sentence."""
        if self.for_estimate is None:
            return f"Recording further sexes does not help: {self.reason}."
        text = (
            f"A corrected estimate needs recorded sex for about {self.for_estimate:,} patients chosen at random "
            f"({self.more_for_estimate:,} more than now): with 95 % probability at least {ENOUGH_VALIDATED} of them "
            f"then have the disease and {ENOUGH_VALIDATED} do not."
        )
        if self.for_width is None:
            return text + " Whether limits of the ratio a factor 2 apart can be reached depends on the score."
        return (
            f"{text} With {self.for_width:,} the 95 % limits of a ratio near 1 lie at most a factor "
            f"{WANTED_LIMITS_RATIO:g} apart, even if the score told nothing."
        )


def _for_width(cells: PlannedCells, floor: int, patients: int) -> int | None:
    def reached(validated: int) -> bool:
        return validated_only_interval(cells, validated).width <= WANTED_LIMITS_RATIO

    if not reached(patients):
        return None
    low, high = floor, patients
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle + 1, high)
    return low


def validation_needed(given: ComposeInput) -> ValidationNeeded:
    """Return how many patients chosen at random must have their sex recorded, for an estimate and for a narrow one.

    The first number holds, with 95 % probability, 20 patients with the disease and 20 without. The second takes half of
    the cohort to be men and the ratio to be 1, and counts on nothing that the score tells: it is an upper bound.

    Parameters
    ----------
    given : the input.

    Returns
    -------
    Numbers in all and further ones; or the reason why no number is enough.

    Examples
    --------
    300 of 1,100 patients have the disease: of 97 at random at least 20 do with a probability of 95 %.

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> found = validation_needed(worked_input())
    >>> found.for_estimate, found.more_for_estimate
    (97, 0)
    """
    well, diseased = (float(count) for count in given.arrays.n_patients.sum(axis=0))
    patients, validated = round(well + diseased), round(float(given.arrays.n_validated.sum()))
    fields = {"n_patients": patients, "n_validated": validated}
    if min(well, diseased) < ENOUGH_VALIDATED:
        which = "with" if diseased <= well else "without"
        reason = (
            f"the cohort has fewer than {ENOUGH_VALIDATED} patients {which} the disease, and as many must have their "
            "sex recorded"
        )
        return ValidationNeeded(**fields, for_estimate=None, for_width=None, reason=reason)
    cells = stated_cells(
        patients=patients, prevalence=diseased / (well + diseased), male_share=0.5, ratio=1.0, auc=AUC_NOT_USED
    )
    try:
        floor = fewest_validated(cells)
    except EstimationError as problem:
        return ValidationNeeded(**fields, for_estimate=None, for_width=None, reason=str(problem).rstrip("."))
    width = _for_width(cells, floor, patients)
    return ValidationNeeded(**fields, for_estimate=floor, for_width=width, reason="")
