"""What a full audit says beyond groups: over age, of images without a score, of the two eyes, and of consequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sexstrat.audit.ageing import images_by_age
from sexstrat.audit.eye_rows import EYE, eye_rows
from sexstrat.audit.group_data import Options
from sexstrat.audit.grouping import AGE_BAND, Grouping, age_grouping
from sexstrat.audit.images import AuditImages
from sexstrat.audit.missingness import missing_rows
from sexstrat.values.age_bands import AgeBands

__all__ = ["beyond_groups"]


def beyond_groups(
    images: AuditImages,
    rows: pd.DataFrame,
    bands: AgeBands,
    groupings: Sequence[Grouping],
    options: Options,
    covariates: Sequence[str] = (),
) -> tuple[dict[str, pd.DataFrame], list[dict[str, Any]]]:
    """Return the tables of a full audit besides the metrics and gaps, and the tests of eyes.

    Parameters
    ----------
    images, rows : every listed image, as arrays and as the frame they were made from.
    bands : age bands.
    groupings : the grouping variables of the audit; absence is told by all of them.
    options : how to measure.
    covariates : columns, besides age and recorded sex, of the weights for having a score.

    Returns
    -------
    ``curves``, ``trends`` and ``missingness``; rows of the ``audit_test`` contract.
    """
    ages = rows["age_years"].to_numpy(dtype=float, na_value=np.nan)
    how: dict[str, Any] = {"level": options.level, "threshold": options.threshold}
    by_age = images_by_age(images, ages, bands=bands, **how)
    few = how | {"min_patients": options.min_patients}
    told = [grouping for grouping in groupings if grouping.name not in (AGE_BAND, "recorded_sex")]
    missing = missing_rows(images, rows, age_grouping(rows["age_years"], bands), told, covariates=covariates, **few)
    eyes = eye_rows(images, rows[EYE], **few) if EYE in rows else []
    return {"curves": by_age.curves, "trends": by_age.trends, "missingness": missing}, eyes
