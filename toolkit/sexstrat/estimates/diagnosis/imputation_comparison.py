"""Ways to treat missing sex side by side: dropped, imputed once, improperly, properly, and without the disease."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from sexstrat.errors import EstimationError
from sexstrat.estimates.clustered_imputation import imputation_model
from sexstrat.estimates.compose_input import ComposeInput, refused
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.contrasts import CONTRASTS, contrast_at
from sexstrat.estimates.diagnosis.imputations_needed import imputations_needed, white_royston_wood
from sexstrat.estimates.estimate_rows import Place
from sexstrat.estimates.imputation import IMPUTATIONS, Imputed, analytic, drawn, imputed_composition
from sexstrat.estimates.measures import Smooth, prevalence_of
from sexstrat.estimates.naive import complete_case
from sexstrat.estimates.places import crude_place, standardised_place
from sexstrat.estimates.recalibration import Recalibration, recalibrate
from sexstrat.estimates.refusal import ENOUGH_VALIDATED, reason_to_refuse
from sexstrat.values.shown import Shown

__all__ = ["COMPARED", "ImputationComparison", "compare_imputations"]

# What each row is, and whether its interval can be trusted.
COMPARED: Mapping[str, tuple[str, str]] = {
    "complete_case": ("if_recorded_at_random", "patients without recorded sex are dropped, and what their scores tell"),
    "single_imputation": ("wrong", "one draw, taken as if it had been recorded: the interval is too narrow"),
    "improper_imputation": ("wrong", "parameters fixed at their estimate: the interval is too narrow"),
    "proper_imputation": ("valid", "parameters drawn anew for every imputation"),
    "analytic_limit": ("valid", "what infinitely many proper imputations would give"),
    "imputation_without_disease": ("wrong", "the model leaves out the disease: biased towards no difference, or worse"),
}
MEASURES = ("ratio", "difference")
_NUMBERS = ("point", "low", "high", "level", "se", "within", "between", "df", "fmi", "relative_efficiency")
_NUMBERS_OF_DRAWS = ("monte_carlo_se", "monte_carlo_share")
_COUNTS = ("imputations", "imputations_needed", "white_royston_wood", "n_patients", "n_validated")
_TEXTS = ("method", "validity", "measure", "standard", "scale")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputationComparison(Shown):
    """The comparison, one row per method, measure and standard.

    Parameters
    ----------
    rows : one mapping a row.
    condition : the disease.

    Examples
    --------
    >>> ImputationComparison(rows=()).to_frame().empty
    True
    """

    rows: tuple[dict[str, Any], ...]
    condition: str = ""

    def to_frame(self) -> pd.DataFrame:
        """Return the rows as a table; what has no meaning for a method is missing.

        se, within, between and monte_carlo_se are on the scale of the interval (``scale``: log for a ratio).
        ``imputations`` is missing for the analytic limit, which is infinitely many, and where nothing is imputed.
        """
        columns = [*_TEXTS, *_NUMBERS, *_NUMBERS_OF_DRAWS, *_COUNTS, "state", "note"]
        frame = pd.DataFrame(list(self.rows), columns=columns)
        types: dict[str, str] = dict.fromkeys((*_NUMBERS, *_NUMBERS_OF_DRAWS), "float64")
        return frame.astype({**types, **dict.fromkeys(_COUNTS, "Int64")})


def _fixed(model: Recalibration) -> Recalibration:
    """Return the model as if its coefficients were known."""
    tiny = 1e-24 * np.eye(model.beta.size)  # the draws need a positive definite matrix
    return replace(model, covariance=tiny)


def _without_disease(given: ComposeInput, *, shrink: bool) -> Recalibration:
    """Return the model refitted with every covariate of disease at 0."""
    return recalibrate(replace(given.arrays, diseased=np.zeros_like(given.arrays.diseased)), shrink=shrink)


def _one_draw(given: ComposeInput, model: Recalibration) -> Imputed:
    """Return one imputed data set as if its sexes had been recorded: nothing varies between imputations."""
    arrays, rng = given.arrays, np.random.default_rng(given.seed)
    beta = rng.multivariate_normal(model.beta, model.covariance, method="cholesky")
    rows = ~arrays.validated
    trials = arrays.n[rows]
    q = expit(model.design[rows] @ beta)
    spread = np.sqrt(arrays.w2[rows] / trials)  # exact first and second moments with unequal weights
    imputed = arrays.w[rows] * q + (rng.binomial(trials.astype(np.int64), q) - trials * q) * spread
    men = np.where(arrays.validated & arrays.male, arrays.w, 0.0)
    men[rows] = imputed
    n = arrays.total(arrays.w).ravel()
    pi = arrays.total(men).ravel() / np.where(n > 0, n, np.nan)
    return Imputed(pi=pi, between=np.zeros((n.size, n.size)), imputations=np.inf)


def _compositions(given: ComposeInput, m: int) -> Iterator[tuple[str, float, Composition]]:
    """Yield each method, its number of imputations and its composition."""
    yield "complete_case", 0, complete_case(given)
    reason = reason_to_refuse(given)
    if reason is not None:
        for method in list(COMPARED)[1:]:
            yield method, 0, refused(given, "E2", f"No imputation: {reason}.")
        return
    shrink = bool(given.arrays.n_validated.sum(axis=0).min() < ENOUGH_VALIDATED)
    proper = imputation_model(given, shrink=shrink)

    def pooled(imputed: Imputed) -> Composition:
        return imputed_composition(given, imputed, shrunk=shrink)

    def draws(model: Recalibration, *, by_unit: bool = True) -> Composition:
        imputed = drawn(given.arrays, model, m, np.random.default_rng(given.seed))
        return pooled(imputed if by_unit else replace(imputed, model=None))

    yield "single_imputation", 1, pooled(_one_draw(given, proper))
    yield "improper_imputation", m, draws(_fixed(proper), by_unit=False)
    yield "proper_imputation", m, draws(proper)
    yield "analytic_limit", np.inf, pooled(analytic(given.arrays, proper))
    yield "imputation_without_disease", m, draws(_without_disease(given, shrink=shrink))


def _parts(place: Place, theta: Smooth, m: float) -> dict[str, Any]:
    """Return Rubin's parts of one contrast; for one draw only what a recorded sex would have."""
    if m == 0:
        return {"within": place.margin.uncertainty(theta.by_pi, theta.by_n).variance}
    found = place.margin.pooled(theta.by_pi, theta.by_n)
    if m == 1:
        return {"within": found.within, "imputations": 1}
    parts = {name: getattr(found, name) for name in ("within", "between", "fmi", "relative_efficiency")}
    if found.total > 0:
        parts |= {
            "monte_carlo_se": found.monte_carlo_se,
            "monte_carlo_share": found.monte_carlo_se / found.total**0.5,
            "imputations_needed": imputations_needed(found.between, found.total),
            "white_royston_wood": white_royston_wood(found.fmi),
        }
    return {**parts, "imputations": int(m) if np.isfinite(m) else None}


def _row(method: str, m: float, place: Place, kind: str) -> dict[str, Any]:
    name, formula, on_log = CONTRASTS[kind]
    theta = formula(*(prevalence_of(place.margin, sex, place.weights) for sex in ("male", "female")))
    row = contrast_at(place, kind)
    validity, note = COMPARED[method]
    kept = ("point", "low", "high", "level", "df", "n_patients", "n_validated")
    out = {key: row[key] for key in kept if row.get(key) is not None}
    out |= {"method": method, "validity": validity, "measure": name, "standard": place.standard}
    out |= {"scale": "log" if on_log else "identity", "state": row["state"]}
    out["note"] = "; ".join(part for part in (note, row.get("note")) if part)
    if "point" not in out:
        return out
    found = place.margin.uncertainty(theta.by_pi, theta.by_n)
    out |= {**_parts(place, theta, m), "se": found.variance**0.5 if found.variance > 0 else None}
    return out if validity == "valid" else {**out, "state": "naive"}


def compare_imputations(
    given: ComposeInput, *, standard: str | Mapping[int, float] = "cohort", m: int = IMPUTATIONS
) -> ImputationComparison:
    """Compare six ways to treat the sexes that are not recorded, for the prevalence ratio and difference.

    Complete cases; one imputation taken as recorded; multiple imputation with fixed parameters (improper); with
    parameters drawn for every imputation (proper); its analytic limit; and proper imputation from a model without the
    disease. T = W + (1 + 1/m) B. Proper imputation assumes that, given score, disease and age, patients without
    recorded sex are like those with it; what each other method gets wrong stands in its note.

    Parameters
    ----------
    given : the input.
    standard : standard population, besides the crude figures: a name, or weights by first year of age.
    m : imputations, 2 or more.

    Returns
    -------
    Rows by standard, measure and method; the intervals of methods called wrong cover less than they say. Where the
    data allow no correction only complete cases carry numbers.

    Raises
    ------
    EstimationError : fewer than two imputations, or an unknown standard.

    References
    ----------
    Rubin DB. Multiple Imputation for Nonresponse in Surveys. Wiley 1987, chapters 3 and 4.
    White IR, Royston P, Wood AM. Stat Med 2011;30:377-399.

    Examples
    --------
    Prevalence is 1/3 in men and 1/5 in women among the validated; a model without the disease forgets half of it.

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> frame = compare_imputations(worked_input()).to_frame()
    >>> crude = frame[(frame["standard"] == "crude") & (frame["measure"] == "prevalence_ratio")].set_index("method")
    >>> round(float(crude.loc["complete_case", "point"]), 4), len(frame)
    (1.6667, 24)
    >>> bool(crude.loc["single_imputation", "se"] < crude.loc["proper_imputation", "se"])
    True
    """
    if m < 2:
        raise EstimationError(f"the spread between imputations needs two of them at least; found m = {m}")
    made = list(_compositions(given, m))
    rows = []
    for place_of in (crude_place, lambda one: standardised_place(one, standard)):
        for kind in MEASURES:
            for method, number, one in made:
                rows.append(_row(method, number, place_of(_same_ages(given, one)), kind))
    return ImputationComparison(rows=tuple(rows), condition=given.condition)


def _same_ages(given: ComposeInput, one: Composition) -> Composition:
    """Return the composition with the whole cohort's ages as standard ``cohort``, complete cases too."""
    return replace(one, cohort_ages=given.arrays.total(given.arrays.w).sum(axis=1))
