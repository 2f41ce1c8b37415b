"""Tables of sex by disease, one per stratum, on plain numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.errors import EstimationError

__all__ = ["StratifiedTables", "stratified_tables"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class StratifiedTables:
    """A two by two table of sex and disease per stratum.

    Parameters
    ----------
    male_cases, male_well, female_cases, female_well : people by stratum, each of shape (strata,); need not be whole.

    Examples
    --------
    >>> one = stratified_tables(male_cases=[4], male_people=[10], female_cases=[2], female_people=[10])
    >>> one.people.tolist(), one.comparable.tolist()
    ([20.0], [True])
    """

    male_cases: Array
    male_well: Array
    female_cases: Array
    female_well: Array

    @property
    def male_people(self) -> Array:
        """Men by stratum."""
        return self.male_cases + self.male_well

    @property
    def female_people(self) -> Array:
        """Women by stratum."""
        return self.female_cases + self.female_well

    @property
    def cases(self) -> Array:
        """Diseased people by stratum."""
        return self.male_cases + self.female_cases

    @property
    def people(self) -> Array:
        """People by stratum."""
        return self.male_people + self.female_people

    @property
    def comparable(self) -> NDArray[np.bool_]:
        """Strata with men and women; the others say nothing about the difference between them."""
        return (self.male_people > 0) & (self.female_people > 0)

    @property
    def informative(self) -> NDArray[np.bool_]:
        """Strata with men, women, diseased people and well ones: no margin is 0."""
        return self.comparable & (self.cases > 0) & (self.cases < self.people)

    def strata(self, chosen: NDArray[np.bool_]) -> StratifiedTables:
        """Return some of the strata."""
        return StratifiedTables(
            male_cases=self.male_cases[chosen],
            male_well=self.male_well[chosen],
            female_cases=self.female_cases[chosen],
            female_well=self.female_well[chosen],
        )


def _counts(name: str, values: ArrayLike) -> Array:
    found = np.atleast_1d(np.asarray(values, dtype=float))
    if found.ndim != 1 or found.size == 0:
        raise EstimationError(f"{name} must be one number per stratum; found shape {found.shape}")
    if not (np.isfinite(found).all() and (found >= 0).all()):
        wrong = found[~(np.isfinite(found) & (found >= 0))][0]
        raise EstimationError(f"{name} must be counts of 0 or more; found {wrong}; leave out strata that are not known")
    return found


def stratified_tables(
    *, male_cases: ArrayLike, male_people: ArrayLike, female_cases: ArrayLike, female_people: ArrayLike
) -> StratifiedTables:
    """Return the tables of cases and people by sex, one per stratum.

    Parameters
    ----------
    male_cases, male_people, female_cases, female_people : counts of 0 or more by stratum, shape (strata,); sums of
        weights or expected counts are allowed.

    Raises
    ------
    EstimationError : unequal lengths, a negative or missing count, more cases than people.

    Examples
    --------
    >>> tables = stratified_tables(male_cases=[4, 1], male_people=[10, 5], female_cases=[2, 3], female_people=[10, 15])
    >>> tables.male_well.tolist(), tables.female_well.tolist()
    ([6.0, 4.0], [8.0, 12.0])
    """
    named = {
        "male_cases": male_cases,
        "male_people": male_people,
        "female_cases": female_cases,
        "female_people": female_people,
    }
    counts = {name: _counts(name, values) for name, values in named.items()}
    if len({found.size for found in counts.values()}) != 1:
        sizes = ", ".join(f"{name} {found.size}" for name, found in counts.items())
        raise EstimationError(f"every stratum needs all four counts; found lengths {sizes}")
    well = {}
    for sex in ("male", "female"):
        cases, people = counts[f"{sex}_cases"], counts[f"{sex}_people"]
        if (cases > people * (1 + 1e-12)).any():
            stratum = int(np.argmax(cases - people))
            raise EstimationError(
                f"{sex}_cases may not exceed {sex}_people; found {cases[stratum]:g} cases of {people[stratum]:g} "
                f"people in stratum {stratum + 1}"
            )
        well[sex] = np.maximum(people - cases, 0.0)
    return StratifiedTables(
        male_cases=counts["male_cases"],
        male_well=well["male"],
        female_cases=counts["female_cases"],
        female_well=well["female"],
    )
