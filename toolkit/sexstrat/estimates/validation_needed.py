"""How many patients must have their sex recorded before a corrected estimate can be given at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scipy.stats import hypergeom

from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.planning.needed import SURE
from sexstrat.estimates.planning.planned_cells import stated_cells
from sexstrat.estimates.planning.planning import validated_only_interval
from sexstrat.estimates.refusal import ENOUGH_VALIDATED
from sexstrat.values.design import ValidationDesign

__all__ = ["WANTED_LIMITS_RATIO", "ValidationNeeded", "validation_needed"]

WANTED_LIMITS_RATIO = 2.0  # upper over lower 95 % limit of the prevalence ratio that still tells something
AUC_NOT_USED = 0.9  # the planned cells need one; an analysis of the validated alone does not read it


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationNeeded:
    """What recording further sexes at random would reach.

    Parameters
    ----------
    n_patients, n_validated : the cohort, and those of known sex that count for this.
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
            f"A corrected estimate needs recorded sex for about {self.more_for_estimate:,} more patients, chosen at "
            f"random: then with 95 % probability at least {ENOUGH_VALIDATED} have the disease and {ENOUGH_VALIDATED} "
            "do not."
        )
        if self.more_for_estimate == 0:
            text = "Enough patients have their sex recorded; it is something else that is lacking."
        if self.for_width is None:
            return text + " Whether limits of the ratio a factor 2 apart can be reached depends on the score."
        return (
            f"{text} With {self.for_width:,} in all the 95 % limits of a ratio near 1 lie at most a factor "
            f"{WANTED_LIMITS_RATIO:g} apart, even if the score told nothing."
        )


def _smallest(meets: Callable[[int], bool], low: int, high: int) -> int | None:
    """Return the smallest whole number that meets, or None where not even the highest does."""
    if not meets(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if meets(middle) else (middle + 1, high)
    return low


def _usable(given: ComposeInput) -> tuple[float, float]:
    """Count the validated patients without and with the disease that a random sample of the cohort may add to."""
    if not given.design.is_internal or given.design is ValidationDesign.may_depend_on_sex:
        return 0.0, 0.0
    well, diseased = given.arrays.n_validated.sum(axis=0)
    return float(well), float(diseased)


def _more_for_estimate(patients: tuple[float, float], validated: tuple[float, float]) -> int | None:
    """Return the further random patients among whom, with a certainty of 95 %, what is lacking of each is found."""
    left = [round(n - v) for n, v in zip(patients, validated, strict=True)]
    lacking = [max(ENOUGH_VALIDATED - round(v), 0) for v in validated]

    def surely(count: int, least: int) -> Callable[[int], bool]:
        return lambda more: least == 0 or float(hypergeom.sf(least - 1, sum(left), count, more)) >= SURE

    found = [_smallest(surely(*pair), 0, sum(left)) for pair in zip(left, lacking, strict=True)]
    return None if None in found else max(one for one in found if one is not None)


def _for_width(well: float, diseased: float, floor: int) -> int | None:
    """Return the number validated in all with which an analysis of the validated alone is narrow enough."""
    patients = round(well + diseased)
    cells = stated_cells(
        patients=patients, prevalence=diseased / (well + diseased), male_share=0.5, ratio=1.0, auc=AUC_NOT_USED
    )
    return _smallest(
        lambda validated: validated_only_interval(cells, validated).width <= WANTED_LIMITS_RATIO, floor, patients
    )


def validation_needed(given: ComposeInput) -> ValidationNeeded:
    """Return how many patients chosen at random must have their sex recorded, for an estimate and for a narrow one.

    The first number holds, with 95 % probability, what is lacking to 20 validated patients with the disease and 20
    without. The second takes half of the cohort to be men and the ratio to be 1, and counts on nothing that the score
    tells: it is an upper bound. Validated patients of a design that allows no weighting do not count.

    Parameters
    ----------
    given : the input.

    Returns
    -------
    Numbers in all and further ones; or the reason why no number is enough.

    Examples
    --------
    Nobody is validated, and 300 of 1,100 patients have the disease: 97 at random hold 20 of them almost surely.

    >>> from dataclasses import replace
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> found = validation_needed(replace(worked_input(), design=ValidationDesign.none))
    >>> found.for_estimate, found.more_for_estimate
    (97, 97)
    """
    well, diseased = (float(count) for count in given.arrays.n_patients.sum(axis=0))
    usable = _usable(given)
    validated = round(sum(usable))
    more = _more_for_estimate((well, diseased), usable)
    if more is None:
        which = "with" if diseased <= well else "without"
        reason = (
            f"the cohort has hardly more than {ENOUGH_VALIDATED} patients {which} the disease, or fewer, and as many "
            "must have their sex recorded"
        )
        return ValidationNeeded(
            n_patients=round(well + diseased), n_validated=validated, for_estimate=None, for_width=None, reason=reason
        )
    return ValidationNeeded(
        n_patients=round(well + diseased),
        n_validated=validated,
        for_estimate=validated + more,
        for_width=_for_width(well, diseased, validated + more),
        reason="",
    )
