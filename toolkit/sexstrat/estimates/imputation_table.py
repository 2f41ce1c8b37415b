"""Rows of the ``imputation`` contract: ways to treat the sexes that are not recorded, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.diagnosis.imputation_comparison import compare_imputations
from sexstrat.estimates.sensitivity_table import typed_frame
from sexstrat.values.design import ValidationDesign

__all__ = ["imputation_frame", "imputes"]


def imputes(given: ComposeInput) -> bool:
    """Tell whether missing sexes of this design may be imputed at all, and some are missing.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> imputes(worked_input())
    True
    """
    inside = given.design.is_internal and given.design is not ValidationDesign.may_depend_on_sex
    return inside and not bool(given.arrays.validated.all())


def imputation_frame(given: Sequence[ComposeInput], *, standard: str | Mapping[int, float] = "cohort") -> pd.DataFrame:
    """Return the comparison of imputations of every condition whose design allows imputation.

    Parameters
    ----------
    given : inputs, one a condition.
    standard : standard population, besides the crude figures.

    Returns
    -------
    Rows of the ``imputation`` contract; none for designs that leave nothing to impute from.

    Raises
    ------
    EstimationError : an unknown standard.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> frame = imputation_frame([worked_input()])
    >>> len(frame), sorted(frame["validity"].unique())
    (24, ['if_recorded_at_random', 'valid', 'wrong'])
    """
    rows = []
    for one in given:
        if imputes(one):
            for row in compare_imputations(one, standard=standard).rows:
                rows.append({**row, "condition": one.condition})
    return typed_frame(rows, "imputation")
