"""When no corrected number may be printed, and why."""

from __future__ import annotations

import numpy as np

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.values.design import ValidationDesign

__all__ = [
    "ENOUGH_VALIDATED",
    "FEWEST_PATIENTS",
    "FEWEST_VALIDATED",
    "UNINFORMATIVE_AUC",
    "design_refusal",
    "reason_to_refuse",
    "validated_auc",
]

FEWEST_PATIENTS = 50  # design, safety: a run refuses fewer
FEWEST_VALIDATED = 10  # decision table: fewer validated diseased (or not diseased) patients than this are refused
ENOUGH_VALIDATED = 20  # decision table: E1 needs this many of each
UNINFORMATIVE_AUC = 0.55  # below it the score adds little; E1 stays valid, only wide

_DESIGN = {
    ValidationDesign.modelled: "how sex came to be recorded is only modelled (declared design: modelled). AIPW with an "
    "estimated recording probability is needed, which this version lacks; declare known_probability and give "
    "validation_probability if it is known",
    ValidationDesign.may_depend_on_sex: "recording may depend on sex itself in an unknown way (declared design: "
    "may_depend_on_sex): neither the validated patients nor imputation can be trusted. A known validation "
    "probability, or the cohort's own validated rows used as an external sample (E4, not in this version), is needed",
    ValidationDesign.external: "the patients with known sex are from another source (declared design: external). "
    "Transporting the score's errors needs estimator E4 and its transport test, which this version lacks",
    ValidationDesign.none: "nobody's recorded sex is known (declared design: none): no correction can be defended. "
    "Record the sex of a random part of the cohort, at least 20 of them diseased and 20 not",
}


def design_refusal(design: ValidationDesign) -> str | None:
    """Return why a declared design allows no corrected number here, or None.

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


def reason_to_refuse(given: ComposeInput) -> str | None:
    """Return why no corrected number may be printed for these data, or None when it may.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> reason_to_refuse(given) is None
    True
    """
    if (reason := design_refusal(given.design)) is not None:
        return reason
    patients = int(given.arrays.n_patients.sum())
    if patients < FEWEST_PATIENTS:
        return f"only {patients} patients; at least {FEWEST_PATIENTS} are needed"
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
    if (auc := validated_auc(given.arrays)) < 0.5:
        return (
            f"the score ranks validated women above men (area under the curve {auc:.2f}): its classes are probably "
            "swapped; check the model's positive class"
        )
    return None
