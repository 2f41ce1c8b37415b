"""All diagnostics of a study as one table: errors of predicted sex, calibration, who was recorded, information."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sexstrat.errors import EstimationError
from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.diagnosis.accuracy_by_age import accuracy_by_age
from sexstrat.estimates.diagnosis.calibration_by_disease import calibration_by_disease
from sexstrat.estimates.diagnosis.calibration_measures import calibration_measures
from sexstrat.estimates.diagnosis.diagnostic_rows import DiagnosticRow, diagnostics_frame
from sexstrat.estimates.diagnosis.disease_shift import disease_shift, shown_nondifferential
from sexstrat.estimates.diagnosis.information import LIMITS_RATIOS, information
from sexstrat.estimates.diagnosis.recorded_against_unrecorded import recorded_against_unrecorded
from sexstrat.estimates.diagnosis.score_mixture import score_mixture
from sexstrat.estimates.diagnosis.transport import TransportTest, transport_test
from sexstrat.estimates.diagnosis.validated_people import validated_people
from sexstrat.estimates.eye_informative import informative_eye_rows

__all__ = ["Diagnostics", "diagnose"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostics:
    """The diagnostics of one condition.

    Parameters
    ----------
    condition : the disease.
    rows : every figure.
    transport : the transport test, where an external sample is given.

    Examples
    --------
    >>> one = Diagnostics(condition="disease", rows=())
    >>> one.shown_nondifferential, one.to_frame().empty
    (False, True)
    """

    condition: str
    rows: tuple[DiagnosticRow, ...]
    transport: TransportTest | None = None

    @property
    def shown_nondifferential(self) -> bool:
        """Error is shown not to depend on the disease; False also where it could not be judged."""
        return shown_nondifferential(self.rows)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a figure, with its interval or test, its people, its state and a note."""
        return diagnostics_frame(self.rows)


def _all_as_well(arrays: CellArrays) -> CellArrays:
    """Return the cells with disease forgotten."""
    return replace(arrays, diseased=np.zeros_like(arrays.diseased))


def _transport_row(found: TransportTest) -> DiagnosticRow:
    return DiagnosticRow(
        diagnostic="transport",
        statistic="mixture_deviance",
        point=found.deviance if found.p_value is not None else None,
        p_value=found.p_value,
        n_patients=found.n_cohort,
        n_validated=found.n_external,
        state=found.state,
        note=found.note or f"chi-square with {found.df} degrees of freedom; n_validated counts the external sample",
    )


def diagnose(
    given: ComposeInput, *, sites: Sequence[str] | None = None, ratios: Sequence[float] = LIMITS_RATIOS
) -> Diagnostics:
    """Return every diagnostic of one condition.

    Calibration by disease; differential error; sensitivity and specificity by age and disease; Brier, ECE, ICI and Cox
    calibration by age, disease and site; whether scores without recorded sex are a mixture of those with it; recorded
    against unrecorded; where disease is recorded by eye, whether the number of graded eyes is informative; effective
    numbers, missing information, attenuation, and the validated patients still needed;
    with an external sample, whose errors are then looked at, the transport test (with both disease states together
    where the external sample lacks the disease). Each is explained where it is computed.

    Parameters
    ----------
    given : the input.
    sites : names of the site codes; None numbers them.
    ratios : upper over lower 95 % limit of the prevalence ratio to plan for.

    Returns
    -------
    Rows; what too few people tell, or what is not defined, has a state and no number.

    Raises
    ------
    EstimationError : names for another number of sites, or a ratio not above 1.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> found = diagnose(worked_input())
    >>> frame = found.to_frame()
    >>> sensitivity = frame[(frame["statistic"] == "sensitivity") & (frame["group"] == "all")]
    >>> round(float(sensitivity["point"].iloc[0]), 6), found.shown_nondifferential
    (0.8, False)
    """
    codes = int(given.labelled.site.max(initial=0)) + 1
    names = [str(code + 1) for code in range(codes)] if sites is None else list(sites)
    if len(names) < codes:
        raise EstimationError(f"the cells hold {codes} sites, but {len(names)} names are given; name every site")
    people, labels = validated_people(given.labelled), given.bands.labels
    rows = [
        *calibration_by_disease(people),
        *disease_shift(people),
        *accuracy_by_age(people, labels),
        *calibration_measures(people, labels, sites=names[: codes if np.any(given.labelled.site) else 0]),
        *informative_eye_rows(given),
    ]
    transport = None
    if given.external is None:
        rows += [*score_mixture(given.arrays), *recorded_against_unrecorded(given.arrays, labels)]
        rows += information(given, ratios)
    else:
        samples = given.arrays, given.external
        if not given.external_has_disease:
            samples = _all_as_well(samples[0]), _all_as_well(samples[1])
        transport = transport_test(*samples)
        rows.append(_transport_row(transport))
    return Diagnostics(condition=given.condition, rows=tuple(rows), transport=transport)
