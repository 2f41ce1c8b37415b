"""The estimator that repairs a naive ratio, by how sex came to be recorded and for how many."""

from __future__ import annotations

from dataclasses import dataclass

from sexstrat.values.design import ENOUGH_VALIDATED, FEWEST_VALIDATED, ValidationDesign

__all__ = ["Repair", "repair"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What repairs a naive ratio.

    Parameters
    ----------
    estimator : E1, E2 or E4, ``recorded`` where sex is recorded for everybody, or ``none``.
    why : one sentence.

    Examples
    --------
    >>> Repair(estimator="none", why="nobody's sex is known").estimator
    'none'
    """

    estimator: str
    why: str


def repair(
    design: ValidationDesign, *, diseased: float, well: float, in_band: tuple[float, float] | None = None,
    everybody: bool = False,
) -> Repair:  # fmt: skip
    """Return the estimator that the decision table gives for a design and the number of patients of known sex.

    Parameters
    ----------
    design : how sex came to be recorded, as declared.
    diseased, well : patients of known sex with and without the disease, over all ages.
    in_band : the same two of one age band; None for all ages.
    everybody : sex is recorded for everybody, so that nothing has to be estimated.

    Examples
    --------
    >>> repair(ValidationDesign.random, diseased=60, well=400).estimator
    'E1'
    >>> repair(ValidationDesign.random, diseased=60, well=400, in_band=(9, 80)).estimator
    'E2'
    >>> repair(ValidationDesign.random, diseased=9, well=400).estimator
    'none'
    """
    if everybody:
        return Repair(estimator="recorded", why="sex is recorded for everybody: count, predict nothing")
    if design is ValidationDesign.none:
        return Repair(estimator="none", why="nobody's sex is known: only a bias analysis can be defended")
    if min(diseased, well) < FEWEST_VALIDATED:
        why = f"fewer than {FEWEST_VALIDATED} patients of known sex with or without the disease: refused"
        return Repair(estimator="none", why=why)
    if design is ValidationDesign.external:
        return Repair(
            estimator="E4", why="sex is known elsewhere only: likelihood ratios by disease, if they transport"
        )
    if design is ValidationDesign.may_depend_on_sex:
        return Repair(
            estimator="E4", why="recording may depend on sex: likelihood ratios by disease of its own patients"
        )
    if min(diseased, well) < ENOUGH_VALIDATED:
        why = f"fewer than {ENOUGH_VALIDATED} patients of known sex with or without the disease: shrunk imputation"
        return Repair(estimator="E2", why=why)
    if in_band is not None and min(in_band) < ENOUGH_VALIDATED:
        why = f"fewer than {ENOUGH_VALIDATED} of known sex with or without the disease at this age: model-based"
        return Repair(estimator="E2", why=why)
    return Repair(estimator="E1", why="valid under any errors, equal or unequal by disease")
