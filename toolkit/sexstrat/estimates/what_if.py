"""What an answer becomes under errors that the data cannot check: bias analysis, tipping points, wrong records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.contrasts import contrast_at
from sexstrat.estimates.places import crude_place, standardised_place
from sexstrat.estimates.refusal import ENOUGH_VALIDATED, FEWEST_PATIENTS, reason_to_refuse
from sexstrat.estimates.sensitivity.beliefs import Beliefs
from sexstrat.estimates.sensitivity.bias_analysis import bias_analysis
from sexstrat.estimates.sensitivity.bias_analysis_result import BiasAnalysis
from sexstrat.estimates.sensitivity.crossing import grid_of
from sexstrat.estimates.sensitivity.default_priors import DEFAULT, NO_PRIORS, default_priors
from sexstrat.estimates.sensitivity.e_value import EValue, e_value
from sexstrat.estimates.sensitivity.error_priors import ErrorPriors
from sexstrat.estimates.sensitivity.misrecorded_margin import ASSUMPTIONS as WRONG_RECORDS
from sexstrat.estimates.sensitivity.noisy_recorded_sex import LARGEST, NoisyRecordedSex, noisy_recorded_sex
from sexstrat.estimates.sensitivity.noisy_recorded_sex import STEPS as RATES
from sexstrat.estimates.sensitivity.tipping_point import (
    TippingPoint,
    tipping_point_of_recording,
    tipping_point_of_score,
)
from sexstrat.estimates.sensitivity.transported_shift import tipping_point_of_transport
from sexstrat.estimates.validation_needed import ValidationNeeded, validation_needed
from sexstrat.values.design import ValidationDesign
from sexstrat.values.shown import Shown

__all__ = ["WhatIf", "needs_bias_analysis", "what_if"]

PATTERNS = ("common", "diseased")
CURVE_STEPS = 10  # on each side of 0: enough for a figure; where a limit passes 1 is found by root finding anyway
PRIOR_NAMES = (
    "Sensitivity without the disease",
    "Sensitivity with the disease",
    "Specificity without the disease",
    "Specificity with the disease",
)
STATED, BY_DEFAULT = "stated in the study file", "default priors"

Standard = str | Mapping[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf(Shown):
    """What the answer for one condition becomes under errors that its data cannot check; never a corrected estimate.

    Parameters
    ----------
    condition : the disease.
    bias : bias analysis (crude, by band and at the first standard), or None where none is called for or possible.
    no_bias : why a bias analysis that is called for is lacking, and what to write, or "".
    tipping : tipping points.
    noisy : errors of recorded sex along a rate, or None.
    e_values : companion E-values by standard.
    needed : how many must be validated, where the answer is refused; else None.
    estimator : estimator of the answer.
    beliefs_of : where the priors come from.
    recorded_sex_error : the stated share of wrong records, or None.
    n_patients, n_diseased, n_validated : whom it is about.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells, worked_input
    >>> given = replace(worked_input(), design=ValidationDesign.none)
    >>> found = what_if(given, compose(worked_cells(), bands=worked_bands(), design="none"), Beliefs())
    >>> found.state, found.no_bias[:17]
    ('missing', 'No bias analysis:')
    """

    condition: str
    bias: BiasAnalysis | None = None
    no_bias: str = ""
    tipping: tuple[TippingPoint, ...] = ()
    noisy: NoisyRecordedSex | None = None
    e_values: tuple[tuple[str, EValue], ...] = ()
    needed: ValidationNeeded | None = None
    estimator: str = ""
    beliefs_of: str = STATED
    recorded_sex_error: float | None = None
    n_patients: int = 0
    n_diseased: int = 0
    n_validated: int = 0

    @property
    def state(self) -> str:
        """``bias_analysis``, ``missing`` where one is called for but nothing was stated, or ``none`` where none is."""
        if self.no_bias:
            return "missing"
        return "none" if self.bias is None else self.bias.state

    @property
    def statements(self) -> tuple[str, ...]:
        """What to tell a reader of a refused, shrunk or assumed answer: what would help, and what could change it."""
        told = [] if self.needed is None else [self.needed.statement]
        return (*told, *([self.no_bias + "."] if self.no_bias else []))

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What each of these analyses assumes, each sentence once."""
        told = [] if self.bias is None else [*self.bias.assumptions]
        told += [line for point in self.tipping if point.state != "refused" for line in point.assumptions]
        told += [] if self.noisy is None or self.noisy.state == "refused" else WRONG_RECORDS
        return tuple(dict.fromkeys(told))

    def to_frame(self) -> pd.DataFrame:
        """Return rows of the ``sensitivity`` contract."""
        from sexstrat.estimates.sensitivity_table import sensitivity_frame

        return sensitivity_frame([self])


def _everybody(given: ComposeInput) -> bool:
    return bool(given.arrays.validated.all()) and given.arrays.n.sum() > 0


def needs_bias_analysis(given: ComposeInput, one: Composition) -> bool:
    """Tell whether the decision table puts a bias analysis beside the answer.

    It does where the answer is refused, rests on an assumption, or on a model shrunk for want of validated patients.

    Parameters
    ----------
    given : the input.
    one : what ``auto`` answered.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells, worked_input
    >>> answers = [compose(worked_cells(), bands=worked_bands(), design=name) for name in ("random", "none")]
    >>> [needs_bias_analysis(worked_input(), one) for one in answers]
    [False, True]
    """
    if _everybody(given):
        return False
    inside = given.design.is_internal and given.design is not ValidationDesign.may_depend_on_sex
    shrunk = inside and bool(given.arrays.n_validated.sum(axis=0).min() < ENOUGH_VALIDATED)
    return shrunk or one.state in {"refused", "assumption"}


def _bias(given: ComposeInput, beliefs: Beliefs, lead: Standard | None) -> tuple[BiasAnalysis | None, str]:
    """Return the bias analysis under the stated priors, else under the default ones, or say what is lacking."""
    if given.arrays.n_patients.sum() < FEWEST_PATIENTS:
        return None, f"No bias analysis: fewer than {FEWEST_PATIENTS} patients"
    priors = beliefs.priors or default_priors(given)
    if priors is None:
        return None, NO_PRIORS
    found = bias_analysis(given, priors, draws=beliefs.draws, standardise=lead)
    if beliefs.priors is None:
        stated = len(priors.described())  # parameters would tell how many were called wrongly; rounded ranges do not
        found = replace(found, assumptions=(DEFAULT, *found.assumptions[:-stated], *_ranges(priors)))
    return found, ""


def _ranges(priors: ErrorPriors) -> list[str]:
    """Say default priors as rounded ranges."""
    told = []
    for name, prior in zip(PRIOR_NAMES, priors.marginals, strict=True):
        low, high = prior.quantile(np.array([0.025, 0.975]))
        told.append(f"{name}: {prior.mean:.2f}, with 95 % certainty from {low:.2f} to {high:.2f}.")
    return told


def _recording(given: ComposeInput, lead: Standard | None) -> tuple[TippingPoint, ...]:
    """Return the tipping points of an internal design whose validated patients allow an imputation model."""
    if not given.design.is_internal or _everybody(given):
        return ()
    if reason_to_refuse(replace(given, design=ValidationDesign.random)) is not None:
        return ()
    return tuple(
        tipping_point_of_recording(given, pattern=pattern, standardise=lead, steps=CURVE_STEPS) for pattern in PATTERNS
    )


def _score(given: ComposeInput, one: Composition, beliefs: Beliefs, lead: Standard | None) -> tuple[TippingPoint, ...]:
    if one.estimator == "E5" and one.state == "assumption":
        return (tipping_point_of_transport(given, standardise=lead, limit=beliefs.shift_limit),)
    # crude: in thin age bands the scores alone put shares of men at 0 or 1
    return (tipping_point_of_score(given, model=beliefs.score, limit=beliefs.shift_limit, steps=CURVE_STEPS),)


def _noisy(given: ComposeInput, one: Composition, beliefs: Beliefs, lead: Standard | None) -> NoisyRecordedSex | None:
    """Return the answer along the share of wrong records, where recorded sexes gave it."""
    if one.estimator not in {"E1", "E2", "recorded"} or one.state == "refused":
        return None
    rates = grid_of(LARGEST, RATES, both_sides=False)
    if beliefs.recorded_sex_error is not None:
        rates = np.unique(np.append(rates, beliefs.recorded_sex_error))
    return noisy_recorded_sex(one, rates=rates.tolist(), standardise=lead)


def _e_values(one: Composition, standards: Sequence[Standard]) -> tuple[tuple[str, EValue], ...]:
    found = []
    for place in (crude_place(one), *(standardised_place(one, name) for name in standards)):
        row = contrast_at(place, "ratio")
        low, high = row.get("low"), row.get("high")
        if row.get("point") and low is not None and high is not None and low > 0:
            found.append((place.standard, e_value(row["point"], low, high, n=row["n_patients"])))
    return tuple(found)


def what_if(
    given: ComposeInput, one: Composition, beliefs: Beliefs, *, standards: Sequence[Standard] = ("cohort",)
) -> WhatIf:
    """Return everything the decision table puts beside an answer about errors that the data cannot check.

    Bias analysis, the tipping shift of the score and the patients still to validate, where the answer is refused, rests
    on an assumption or on a shrunk model; tipping points of recording for internal designs; errors of recorded sex
    where recorded sexes gave the answer; E-values as a companion wherever there is a ratio.

    Parameters
    ----------
    given : the input.
    one : what ``auto`` answered.
    beliefs : what the study states about errors.
    standards : standard populations; tipping points stand at the first.

    Returns
    -------
    Typed results; none of them is ever an estimate to lead with.

    Raises
    ------
    EstimationError : an unknown standard.

    References
    ----------
    Lash TL et al. Good practices for quantitative bias analysis. Int J Epidemiol 2014;43:1969-1985.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells, worked_input
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> found = what_if(worked_input(), one, Beliefs())
    >>> found.state, [point.pattern for point in found.tipping], found.e_values[0][0]
    ('none', ['common', 'diseased'], 'crude')
    """
    lead = next(iter(standards), None)
    called = needs_bias_analysis(given, one)
    bias, no_bias = _bias(given, beliefs, lead) if called else (None, "")
    patients = given.arrays.n_patients.sum(axis=0)
    return WhatIf(
        condition=given.condition,
        bias=bias,
        no_bias=no_bias,
        tipping=(*(_score(given, one, beliefs, lead) if called else ()), *_recording(given, lead)),
        noisy=_noisy(given, one, beliefs, lead),
        e_values=_e_values(one, standards),
        needed=validation_needed(given) if one.state == "refused" else None,
        estimator=one.estimator,
        beliefs_of=STATED if beliefs.priors is not None else BY_DEFAULT,
        recorded_sex_error=beliefs.recorded_sex_error,
        n_patients=round(float(patients.sum())),
        n_diseased=round(float(patients[1])),
        n_validated=round(float(given.arrays.n_validated.sum())),
    )
