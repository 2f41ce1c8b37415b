"""How far the pooled answer may lie from that of all patients, where the cells of a few were not sent."""

from __future__ import annotations

from dataclasses import dataclass

from sexstrat.estimates.composition import Composition

__all__ = ["WithheldBounds", "withheld_bounds"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WithheldBounds:
    """Where crude figures would lie if the patients left out were added, whoever they are.

    Parameters
    ----------
    n_withheld : patients left out.
    prevalence_male, prevalence_female, ratio : lowest and highest possible value; None where it is not bounded.
    """

    n_withheld: int
    prevalence_male: tuple[float, float]
    prevalence_female: tuple[float, float]
    ratio: tuple[float, float | None]


def withheld_bounds(one: Composition, n_withheld: int) -> WithheldBounds:
    """Return the range of the crude prevalences and of their ratio with so many more patients of any sex and state.

    With D of N men diseased and m more people, prevalence lies from D / (N + m) to (D + m) / (N + m); the ratio from
    the lowest of one over the highest of the other. Sampling error comes on top. Assumes unit weights.

    Parameters
    ----------
    one : the pooled composition.
    n_withheld : patients whose cells were not sent, m.

    Examples
    --------
    600 men of whom 200 are diseased, 500 women of whom 100 are; 20 patients were not sent.

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> found = withheld_bounds(compose(worked_cells(), bands=worked_bands(), design="random"), 20)
    >>> [round(value, 4) for value in (*found.prevalence_male, *found.ratio)]
    [0.3226, 0.3548, 1.3978, 1.8452]
    """
    well, diseased = one.overall.n[0]
    pi = one.crude_pi
    low_high = []
    for share in (pi, 1 - pi):
        ill = diseased * share[1]
        people = well * share[0] + ill + n_withheld
        low_high.append((float(ill / people), float((ill + n_withheld) / people)) if people > 0 else (0.0, 1.0))
    men, women = low_high
    highest = None if women[0] == 0 else men[1] / women[0]
    lowest = men[0] / women[1] if women[1] > 0 else 0.0
    return WithheldBounds(n_withheld=n_withheld, prevalence_male=men, prevalence_female=women, ratio=(lowest, highest))
