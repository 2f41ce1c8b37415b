"""When no corrected number may be printed, and why."""

from __future__ import annotations

import numpy as np

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.values.design import ENOUGH_VALIDATED, FEWEST_VALIDATED, ValidationDesign

__all__ = [
    "ENOUGH_VALIDATED",
    "FEWEST_PATIENTS",
    "FEWEST_VALIDATED",
    "UNINFORMATIVE_AUC",
    "UNINFORMATIVE_YOUDEN",
    "design_refusal",
    "labelled_refusal",
    "reason_to_refuse",
    "validated_auc",
    "youden",
]

FEWEST_PATIENTS = 50  # design, safety: a run refuses fewer
UNINFORMATIVE_AUC = 0.55  # below it the score adds little; E1 stays valid, only wide

UNINFORMATIVE_YOUDEN = 0.10  # sensitivity + specificity - 1 below this: nothing to build a mixture on

_DESIGN = {
    ValidationDesign.may_depend_on_sex: "recording may depend on sex itself in an unknown way (declared design: "
    "may_depend_on_sex), so that weighting the validated patients or imputing from them is wrong; only E4, or a known "
    "validation probability, can answer",
    ValidationDesign.external: "the patients with known sex are from another source (declared design: external), so "
    "that neither weighting nor imputation can be carried over; only E4 can answer",
    ValidationDesign.none: "nobody's recorded sex is known (declared design: none): no correction can be defended. "
    "Record the sex of a random part of the cohort, at least 20 of them diseased and 20 not",
}


def design_refusal(design: ValidationDesign) -> str | None:
    """Return why a declared design allows neither weighting nor imputation (E1, E2), or None.

    Examples
    --------
    >>> design_refusal(ValidationDesign.random) is None, "external" in design_refusal(ValidationDesign.external)
    (True, True)
    """
    return _DESIGN.get(design)


def validated_auc(arrays: CellArrays) -> float:
    """Return the area under the curve of the score on validated patients, ties (same bin) counting half.

    Returns
    -------
    NaN when men or women with a score are lacking among them.

    Examples
    --------
    Scores 0.8 for 80 % of the men and 20 % of the women: .8 x .8 + (.8 x .2 + .2 x .8) / 2 = 0.8.

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> round(validated_auc(worked_arrays()), 6)
    0.8
    """
    if "auc" not in arrays.computed:
        arrays.computed["auc"] = np.array(_auc(arrays))
    return float(arrays.computed["auc"])


def _auc(arrays: CellArrays) -> float:
    rows = arrays.validated & (arrays.n_eyes > 0)
    levels, position = np.unique(arrays.logit[rows], return_inverse=True)
    n, male = arrays.n[rows], arrays.male[rows]
    men = np.bincount(position, weights=n * male, minlength=levels.size)
    women = np.bincount(position, weights=n * ~male, minlength=levels.size)
    pairs = men.sum() * women.sum()
    if pairs == 0:
        return float("nan")
    below = np.concatenate([[0.0], np.cumsum(women)[:-1]])
    return float(np.sum(men * (below + women / 2)) / pairs)


def youden(arrays: CellArrays) -> float:
    """Return sensitivity + specificity - 1 of predicted sex on validated patients.

    Returns
    -------
    NaN when men or women with a score are lacking among them.

    Examples
    --------
    The class is right in 80 % of the men and of the women.

    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> round(youden(worked_arrays()), 6)
    0.6
    """
    rows = arrays.validated & (arrays.n_eyes > 0)
    n, male, predicted = arrays.n[rows], arrays.male[rows], arrays.predicted_male[rows]
    men, women = float(n[male].sum()), float(n[~male].sum())
    if men == 0 or women == 0:
        return float("nan")
    return float(n[male & predicted].sum() / men - n[~male & predicted].sum() / women)


def labelled_refusal(given: ComposeInput) -> str | None:
    """Return why the score's errors cannot be learned from the people whose sex is known (E4, E5), or None.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> labelled_refusal(worked_input()) is None
    True
    """
    if given.design is ValidationDesign.none:
        return design_refusal(given.design)
    if given.design is ValidationDesign.external and given.external is None:
        return "the declared design is external, but no external cohort was given; give its cells as external="
    if (reason := _too_few_patients(given)) is not None:
        return reason
    labelled = given.labelled
    for d, name in ((1, "with the disease"), (0, "without the disease")):
        if d and not given.external_has_disease:
            continue
        for sex, chosen in (("men", labelled.male), ("women", ~labelled.male)):
            rows = labelled.validated & chosen
            rows = rows & (labelled.diseased == d) if given.external_has_disease else rows
            count = int(labelled.n[rows].sum())
            if count < FEWEST_VALIDATED:
                where = name if given.external_has_disease else "in the external cohort"
                return f"sex is known for only {count} {sex} {where}; at least {FEWEST_VALIDATED} are needed"
    return _swapped(labelled) or _hardly_separates(labelled)


def _too_few_patients(given: ComposeInput) -> str | None:
    patients = int(given.arrays.n_patients.sum())
    if patients < FEWEST_PATIENTS:
        return f"only {patients} patients; at least {FEWEST_PATIENTS} are needed"
    if given.arrays.w.sum() <= 0:
        return f"the weights of the {patients} patients add up to 0, so that they stand for nobody"
    return None


def _swapped(labelled: CellArrays) -> str | None:
    if (auc := validated_auc(labelled)) < 0.5:
        return (
            f"the score ranks validated women above men (area under the curve {auc:.2f}): its classes are probably "
            "swapped; check the model's positive class"
        )
    return None


def _hardly_separates(labelled: CellArrays) -> str | None:
    if not (found := youden(labelled)) >= UNINFORMATIVE_YOUDEN:
        return (
            f"predicted sex hardly tells the sexes apart (sensitivity + specificity - 1 is {found:.2f}; at least "
            f"{UNINFORMATIVE_YOUDEN} is needed where the score alone must find the share of men)"
        )
    return None


def reason_to_refuse(given: ComposeInput) -> str | None:
    """Return why neither weighting nor imputation (E1, E2) may print a number for these data, or None when it may.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> reason_to_refuse(given) is None
    True
    """
    if (reason := design_refusal(given.design)) is not None:
        return reason
    if (reason := _too_few_patients(given)) is not None:
        return reason
    well, diseased = given.arrays.n_validated.sum(axis=0).astype(int)
    for count, name in ((diseased, "with the disease"), (well, "without the disease")):
        if count < FEWEST_VALIDATED:
            return (
                f"recorded sex is known for only {count} patients {name}; at least {FEWEST_VALIDATED} are needed, "
                f"{ENOUGH_VALIDATED} for the preferred estimator"
            )
    for d, name in ((1, "with the disease"), (0, "without the disease")):
        rows = given.arrays.validated & (given.arrays.diseased == d)
        if given.arrays.male[rows].all() or not given.arrays.male[rows].any():
            return f"all validated patients {name} are of one sex, so the other's prevalence rests on the model alone"
    return _swapped(given.arrays)
