"""The smallest number validated, number of patients or area under the curve that reaches a wanted width or power."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy.stats import hypergeom

from sexstrat.errors import EstimationError
from sexstrat.estimates.planning.anticipated import Anticipated
from sexstrat.estimates.planning.goal import Goal
from sexstrat.estimates.planning.planned_cells import PlannedCells
from sexstrat.estimates.refusal import ENOUGH_VALIDATED
from sexstrat.values.design import Target

__all__ = ["Needed", "fewest_validated", "needed_auc", "needed_patients", "needed_validated"]

SURE = 0.95  # probability with which a random validation sample must hold the 20 patients that E1 needs
BEST_AUC = 0.9999  # an area that no photograph reaches: beyond it a request is called out of reach
LARGEST_COHORT = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """How many must be validated.

    Parameters
    ----------
    validated : the smallest number.
    expected : the interval to expect with it.
    floor : fewest that make E1 possible; where it equals ``validated`` it, and not the goal, decides.
    """

    validated: int
    expected: Anticipated
    floor: int


def _smallest(meets: Callable[[int], bool], low: int, high: int) -> int:
    """Return the smallest whole number that meets, known to be met at ``high``, when once met always met."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if meets(middle) else (middle + 1, high)
    return low


def fewest_validated(cells: PlannedCells, enough: int = ENOUGH_VALIDATED) -> int:
    """Return the smallest random sample that E1 can work with.

    With 95 % probability it holds at least 20 patients with the disease, and at least 20 without (hypergeometric).

    Parameters
    ----------
    cells : the planned cohort.
    enough : validated patients needed of each.

    Raises
    ------
    EstimationError : the cohort itself does not hold as many.

    Examples
    --------
    To hold one of 50 diseased among 100: 0.5^4 is above, 0.5^5 below 5 %, without replacement alike.

    >>> from sexstrat.estimates.planning.planned_cells import stated_cells
    >>> cells = stated_cells(patients=100, prevalence=0.5, male_share=0.5, ratio=1.0, auc=0.9)
    >>> fewest_validated(cells, enough=1)
    5
    """
    counts = cells.table(cells.patients).sum(axis=0)
    patients = round(cells.total_patients)
    needed = 0
    for count, which in zip(counts, ("without", "with"), strict=True):
        people = min(round(count), patients)
        if people < enough:
            raise EstimationError(
                f"the cohort of {patients:,} has about {people:,} patients {which} the disease; {enough} validated "
                "ones are needed for E1, so that no number validated is enough. Plan a larger cohort"
            )

        def sure(n: int, people: int = people) -> bool:
            return float(hypergeom.sf(enough - 1, patients, people, n)) >= SURE

        needed = max(needed, _smallest(sure, enough, patients))
    return needed


def _most(cells: PlannedCells, goal: Goal) -> int:
    """Return the largest number validated that leaves something to estimate."""
    return math.floor(cells.total_patients + 1e-6) - (1 if goal.target is Target.cohort else 0)


def needed_validated(cells: PlannedCells, goal: Goal) -> Needed:
    """Return the smallest number validated at random that reaches the goal.

    Found by bisection: width falls and power rises with the number validated.

    Parameters
    ----------
    cells : the planned cohort.
    goal : what is wanted.

    Raises
    ------
    EstimationError : not even validating everybody reaches it; the message gives the limit, and the cohort it takes.

    Examples
    --------
    Nobody needs a score that says nothing: the width of validating all 400 takes all 400.

    >>> from sexstrat.estimates.planning.planned_cells import stated_cells
    >>> from sexstrat.estimates.planning.planning import anticipated_interval
    >>> cells = stated_cells(patients=400, prevalence=0.25, male_share=0.5, ratio=1.5, auc=0.5)
    >>> goal = Goal(measure="ratio", width=anticipated_interval(cells, 400).width)
    >>> needed_validated(cells, goal).validated
    400
    """
    floor, most = fewest_validated(cells), _most(cells, goal)
    limit = goal.expected(cells, most)
    if floor > most or not goal.met(limit):
        raise EstimationError(_out_of_reach(cells, goal, limit))
    validated = _smallest(lambda n: goal.met(goal.expected(cells, n)), floor, most)
    return Needed(validated=validated, expected=goal.expected(cells, validated), floor=floor)


def _out_of_reach(cells: PlannedCells, goal: Goal, limit: Anticipated) -> str:
    text = (
        f"{goal.words} cannot be reached with {cells.total_patients:,.0f} patients: with all of them validated "
        f"{goal.reached_words(limit)}"
    )
    try:
        patients = needed_patients(cells, goal)
    except EstimationError:
        return f"{text}. No size of the cohort reaches it: ask for less"
    return f"{text}. Ask for less, or plan a cohort of at least {patients:,} patients"


def needed_patients(cells: PlannedCells, goal: Goal, share: float = 1.0) -> int:
    """Return the smallest cohort that reaches the goal when a share of it is validated.

    Parameters
    ----------
    cells : the planned cohort; its make-up is kept, its size is not.
    goal : what is wanted; for the target population.
    share : share validated at random; 1 for everybody.

    Raises
    ------
    EstimationError : no cohort of up to a thousand million patients reaches it.

    Examples
    --------
    Four times the patients halve the interval's width on the logarithm.

    >>> from sexstrat.estimates.planning.planned_cells import stated_cells
    >>> from sexstrat.estimates.planning.planning import anticipated_interval
    >>> cells = stated_cells(patients=4000, prevalence=0.25, male_share=0.5, ratio=1.5, auc=1.0)
    >>> width = anticipated_interval(cells, 400).width
    >>> 15_800 < needed_patients(cells, Goal(measure="ratio", width=width**0.5), share=0.1) < 16_001
    True
    """

    def meets(patients: int) -> bool:
        planned = cells.resized(patients)
        if share * planned.table(planned.patients).sum(axis=0).min() < ENOUGH_VALIDATED:
            return False
        return goal.met(goal.expected(planned, share * patients))

    if not meets(round(LARGEST_COHORT)):
        raise EstimationError(f"{goal.words} is out of reach for any cohort of up to {LARGEST_COHORT:,.0f} patients")
    return _smallest(meets, 1, round(LARGEST_COHORT))


def needed_auc(build: Callable[[float], PlannedCells], validated: float, goal: Goal) -> float:
    """Return the smallest area under the curve that reaches the goal with a given number validated.

    Parameters
    ----------
    build : returns the planned cohort for an area under the curve.
    validated : number validated at random.
    goal : what is wanted.

    Returns
    -------
    To three decimals, rounded up; 0.5 when no score is needed.

    Raises
    ------
    EstimationError : not even a perfect score reaches it.

    Examples
    --------
    >>> from sexstrat.estimates.planning.planned_cells import stated_cells
    >>> from sexstrat.estimates.planning.planning import anticipated_interval
    >>> def build(auc):
    ...     return stated_cells(patients=20_000, prevalence=0.15, male_share=0.5, ratio=1.4, auc=auc)
    >>> goal = Goal(measure="ratio", width=anticipated_interval(build(0.9), 1000).width)
    >>> needed_auc(build, 1000, goal)
    0.9
    """
    best = goal.expected(build(BEST_AUC), validated)
    if not goal.met(best):
        raise EstimationError(
            f"{goal.words} cannot be reached with {validated:,.0f} validated patients, however good the score: with a "
            f"perfect one {goal.reached_words(best)}, since the cohort of {best.patients:,.0f} is itself a sample. Ask "
            "for less, or plan a larger cohort"
        )
    low, high = 500, 1000  # thousandths
    found = _smallest(lambda k: k == high or goal.met(goal.expected(build(k / 1000), validated)), low, high)
    return BEST_AUC if found == high else found / 1000
