"""Tipping points: how large an uncheckable shift must be before the conclusion about a ratio changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from sexstrat.errors import EstimationError
from sexstrat.estimates.clustered_imputation import imputation_model
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.contrasts import contrast_at
from sexstrat.estimates.places import crude_place, standardised_place
from sexstrat.estimates.refusal import ENOUGH_VALIDATED, FEWEST_PATIENTS, reason_to_refuse
from sexstrat.estimates.sensitivity import delta_adjustment, score_logit_shift
from sexstrat.estimates.sensitivity.crossing import Crossings, crossings, grid_of
from sexstrat.estimates.sensitivity.score_logit_shift import ScoreModel, shifted_composition
from sexstrat.values.design import ValidationDesign
from sexstrat.values.shown import Shown

__all__ = ["PATTERNS", "TippingPoint", "tipping_point_of_recording", "tipping_point_of_score"]

PATTERNS: Mapping[str, tuple[float, float]] = {"common": (1.0, 1.0), "diseased": (0.0, 1.0), "well": (1.0, 0.0)}
LIMIT_OF_SCORE = 3.0  # logit p: at AUC .95 of one eye a standard deviation of its error is 2.3
LIMIT_OF_RECORDING = 2.0  # log odds: recording that is 7 times as likely for one sex
STEPS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TippingPoint(Shown):
    """The prevalence ratio along a shift that no data can check, and where the conclusion changes.

    Parameters
    ----------
    condition : the disease.
    parameter : what the shift is.
    pattern : whose shift it is: ``diseased``, ``well`` or ``common``.
    estimator : with which the ratio was found.
    standard : standard population, or crude.
    level : confidence level of the interval.
    limit : the shifts looked at run from -limit to limit.
    found : the curve and its crossings, or None when refused.
    n_patients, n_diseased, n_validated : whom it is about.
    state : ``bias_analysis`` or ``refused``; never ``corrected``.
    why, assumptions : sentences for the report.
    """

    condition: str
    parameter: str
    pattern: str
    estimator: str
    standard: str
    level: float
    limit: float
    found: Crossings | None
    n_patients: int
    n_diseased: int
    n_validated: int
    state: str
    why: str
    assumptions: tuple[str, ...] = ()

    @property
    def tipping(self) -> float | None:
        """The shift nearest 0 at which the interval comes to include, or to exclude, 1; None where there is none."""
        return None if self.found is None else self.found.tipping

    @property
    def statement(self) -> str:
        """The result as a sentence."""
        if self.found is None or self.found.includes_one is None:
            return self.why
        holds = "includes" if self.found.includes_one else "excludes"
        other = "exclude" if self.found.includes_one else "include"
        begin = f"Without a shift the {self.level:.0%} interval of the prevalence ratio {holds} 1"
        if self.tipping is None:
            return f"{begin}, and no shift within +-{self.limit:g} makes it {other} 1."
        return f"{begin}; it comes to {other} 1 at a shift of {self.tipping:+.2f}."

    def to_frame(self) -> pd.DataFrame:
        """Return the curve as figure data, one row a shift; no row when refused."""
        columns = ["shift", "point", "low", "high", "excludes_one", "state", "note"]
        if self.found is None:
            return pd.DataFrame(columns=columns)
        frame = self.found.frame.rename(columns={"value": "shift"})
        names = ("condition", "parameter", "pattern", "estimator", "standard", "level")
        return frame.assign(**{name: getattr(self, name) for name in names})

    def crossings_frame(self) -> pd.DataFrame:
        """Return the shifts at which the ratio or a limit of its interval equals 1, one row each."""
        roots = {} if self.found is None else self.found.roots
        rows = [{"curve": name, "shift": value} for name, values in roots.items() for value in values]
        frame = pd.DataFrame(rows, columns=["curve", "shift"]).astype({"shift": float})
        return frame.assign(pattern=self.pattern, standard=self.standard)


def _made(
    given: ComposeInput,
    found: Crossings | str,
    *,
    parameter: str,
    pattern: str,
    estimator: str,
    standard: str,
    limit: float,
    why: str,
    assumptions: tuple[str, ...],
) -> TippingPoint:
    if isinstance(found, Crossings) and found.includes_one is None:
        zero = found.frame.loc[found.frame["value"] == 0, "note"].iloc[0]
        found = f"without a shift there is no interval ({zero})"
    refused = isinstance(found, str)
    patients, validated = given.arrays.n_patients.sum(axis=0), given.arrays.n_validated.sum()
    return TippingPoint(
        condition=given.condition,
        parameter=parameter,
        pattern=pattern,
        estimator=estimator,
        standard=standard,
        level=given.level,
        limit=limit,
        found=None if isinstance(found, str) else found,
        n_patients=int(patients.sum()),
        n_diseased=int(patients[1]),
        n_validated=int(validated),
        state="refused" if refused else "bias_analysis",
        why=f"No tipping point: {found}." if refused else why,
        assumptions=assumptions,
    )


def _ratio_row(
    given: ComposeInput, one: Composition, standardise: str | Mapping[int, float] | None
) -> dict[str, object]:
    """Return the row of the prevalence ratio of all ages; a band without a number leaves a standardised one without."""
    known = replace(one, cohort_ages=given.arrays.total(given.arrays.w).sum(axis=1))
    place = crude_place(known) if standardise is None else standardised_place(known, standardise)
    return contrast_at(place, "ratio")


def _standard_name(standardise: str | Mapping[int, float] | None) -> str:
    return "crude" if standardise is None else standardise if isinstance(standardise, str) else "own"


def tipping_point_of_score(
    given: ComposeInput,
    *,
    estimator: str = "em",
    model: ScoreModel | None = None,
    standardise: str | Mapping[int, float] | None = None,
    limit: float = LIMIT_OF_SCORE,
    steps: int = STEPS,
) -> TippingPoint:
    """Return how far the score's logit must be off in the diseased before the conclusion about the ratio changes.

    Parameters
    ----------
    given : the input; recorded sexes in it are not used.
    estimator : em or weighted, as for :func:`shifted_composition`.
    model : what is declared about the score.
    standardise : name of a standard population, weights by first year of age, or None for crude.
    limit : largest shift of logit p looked at.
    steps : grid steps on each side of 0.

    Returns
    -------
    The ratio along the shift with an interval of random error alone, and the shift nearest 0 at which it comes to
    include or exclude 1. The interval at a shift holds only if that shift is the true one.

    Raises
    ------
    EstimationError : unknown estimator or standard, or a bad limit.

    References
    ----------
    Rosenbaum PR, Rubin DB. J R Stat Soc B 1983;45:212-218 (the reasoning). Lash TL et al. Int J Epidemiol
    2014;43:1969-1985.

    Examples
    --------
    Ratio 5/3 without a shift; the disease makes eyes look more male than they are at a positive one.

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> one = tipping_point_of_score(worked_input())
    >>> one.state, bool(0 < one.tipping < 1)
    ('bias_analysis', True)
    """
    if estimator not in score_logit_shift.SHIFT_ESTIMATORS:
        raise EstimationError(f"no estimator {estimator!r}; there are {', '.join(score_logit_shift.SHIFT_ESTIMATORS)}")
    grid = grid_of(limit, steps)
    patients = int(given.arrays.n_patients.sum())
    found: Crossings | str = f"only {patients} patients; at least {FEWEST_PATIENTS} are needed"
    if patients >= FEWEST_PATIENTS:
        found = crossings(
            lambda delta: _ratio_row(
                given, shifted_composition(given, delta, estimator=estimator, model=model), standardise
            ),
            grid,
        )
    return _made(
        given,
        found,
        parameter="shift of logit prob_male in the diseased",
        pattern="diseased",
        estimator=f"shifted_{estimator}",
        standard=_standard_name(standardise),
        limit=limit,
        why=score_logit_shift.WHY,
        assumptions=score_logit_shift.ASSUMPTIONS[estimator],
    )


def tipping_point_of_recording(
    given: ComposeInput,
    *,
    pattern: str = "common",
    standardise: str | Mapping[int, float] | None = None,
    limit: float = LIMIT_OF_RECORDING,
    steps: int = STEPS,
) -> TippingPoint:
    """Return how far the unvalidated must differ from the validated in sex before the conclusion changes.

    The imputation model is fitted on the validated patients; its log odds of being male are shifted for the unvalidated
    by delta (in both disease states, or in one: a differential shift), in the limit of infinitely many imputations.

    Parameters
    ----------
    given : the input, of an internal design; one whose recording may depend on sex is what this is for.
    pattern : whose unvalidated patients are shifted: common, diseased or well.
    standardise : name of a standard population, weights by first year of age, or None for crude.
    limit : largest shift of the log odds looked at.
    steps : grid steps on each side of 0.

    Returns
    -------
    The ratio along the shift with its interval (Barnard-Rubin), and the shift nearest 0 at which it comes to include
    or exclude 1; refused where no validated patient informs it.

    Raises
    ------
    EstimationError : unknown pattern or standard, or a bad limit.

    References
    ----------
    Little RJA. JASA 1993;88:125-134. Carpenter JR, Kenward MG. Multiple Imputation and its Application. Wiley 2013,
    chapter 10. Cro S et al. Stat Med 2020;39:2815-2842.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> one = tipping_point_of_recording(worked_input(), pattern="diseased")
    >>> one.state, one.found.includes_one, bool(one.tipping < 0)
    ('bias_analysis', False, True)
    """
    if pattern not in PATTERNS:
        raise EstimationError(f"no pattern {pattern!r}; there are {', '.join(PATTERNS)}")
    grid, (well, diseased) = grid_of(limit, steps), PATTERNS[pattern]
    found: Crossings | str | None = (
        reason_to_refuse(replace(given, design=ValidationDesign.random))
        if given.design.is_internal
        else f"the design {given.design.value} has no validated patients of this cohort to differ from"
    )
    if found is None and given.arrays.validated.all():
        found = "every patient's sex is recorded, so that nothing can be shifted"
    if found is None:
        few = bool(given.arrays.n_validated.sum(axis=0).min() < ENOUGH_VALIDATED)
        fitted = imputation_model(given, shrink=few)
        found = crossings(
            lambda delta: _ratio_row(
                given,
                delta_adjustment.delta_adjusted(given, fitted, well=well * delta, diseased=diseased * delta),
                standardise,
            ),
            grid,
        )
    return _made(
        given,
        found,
        parameter="shift of the log odds of being male of patients without recorded sex",
        pattern=pattern,
        estimator="E2_shifted",
        standard=_standard_name(standardise),
        limit=limit,
        why=delta_adjustment.WHY,
        assumptions=delta_adjustment.ASSUMPTIONS,
    )
