"""Regression of disease on sex, age and site, with the sexes that are not recorded imputed many times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.degrees_of_freedom import PooledVariance, barnard_rubin, rubin_pool
from sexstrat.estimates.imputation import ASSUMPTIONS, IMPUTATIONS, MAXIMUM_DRAWS
from sexstrat.estimates.numbers.mean_model import LINKS, MeanModel, fit_mean_model
from sexstrat.estimates.recalibration import Recalibration, recalibrate
from sexstrat.estimates.refusal import ENOUGH_VALIDATED, reason_to_refuse
from sexstrat.estimates.regression.imputed_counts import Men, expected_men, group_sums, imputed_men, validated_men
from sexstrat.estimates.regression.regression_design import RegressionDesign, regression_design
from sexstrat.estimates.regression.regression_result import Coefficient, RegressionAdjusted, coefficient
from sexstrat.estimates.regression.robust_variance import FEW_CLUSTERS, Counts, cluster_variance, patient_variance

__all__ = ["regression_adjusted"]

Array = NDArray[np.float64]

NO_FIT = "no finite coefficients fit: a group has no case, or every patient of it is one, or its covariates go together"
NO_VARIANCE = "without one of the clusters a coefficient could not be estimated, so there is no variance by cluster"
ONE_CLUSTER = "there is one cluster only, which has no variance: cluster by patient, or give more sites"
CLUSTER_WORDS = {"patient": "patients are independent", "site": "sites are independent", "psu": "units are independent"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """Reported coefficients of one data set and their variances."""

    value: Array
    variance: Array
    model: MeanModel


def _fit(design: RegressionDesign, counts: Counts, link: str, start: Array | None) -> _Fit | str:
    """Return the fit of one data set with its robust variances, or why there is none."""
    model = fit_mean_model(design.x, counts.cases, counts.people, link, start=start)
    if model is None:
        return NO_FIT
    slope = LINKS[link].slope(design.x @ model.beta)
    if design.cluster is None:
        covariance: Array | None = patient_variance(design.x, model, counts, slope)
    else:
        covariance = cluster_variance(design.x, model, counts, slope, design.cluster, design.terms)
    if covariance is None:
        return NO_VARIANCE
    return _Fit(value=model.beta[design.terms], variance=np.diag(covariance)[design.terms], model=model)


def _fits(design: RegressionDesign, imputed: Iterable[Men], link: str) -> list[_Fit] | str:
    """Return the fits of all imputations, each started from the one before, or why one could not be had."""
    fits: list[_Fit] = []
    for men in imputed:
        found = _fit(design, design.counts(men), link, fits[-1].model.beta if fits else None)
        if isinstance(found, str):
            return found
        fits.append(found)
    return fits


def _between_limit(given: ComposeInput, design: RegressionDesign, model: Recalibration, fit: _Fit, link: str) -> Array:
    """Return the variance between infinitely many imputations: G Cov(beta) G' + sum w^2 q (1 - q) c c'.

    c = A^-1 [(D - mean of a man) x of a man - (D - mean of a woman) x of a woman] is how the coefficients move with
    one more man in place of a woman, G its sum over patients times q (1 - q) and their covariates of the recalibration.
    """
    arrays = given.arrays
    half = design.x.shape[0] // 2
    rows = ~arrays.validated & (design.group >= 0)
    mean, d = LINKS[link].mean(design.x @ fit.model.beta), np.arange(2)
    residual = d[None, :] - mean[:, None]
    scores = residual[:half, :, None] * design.x[:half, None, :] - residual[half:, :, None] * design.x[half:, None, :]
    pull = np.linalg.solve(fit.model.information, scores.reshape(2 * half, -1).T)[design.terms]
    where, q = design.group[rows], model.probability[rows]
    slope = arrays.w[rows] * q * (1 - q)
    moved = np.column_stack([group_sums(where, slope * column, design.size) for column in model.design[rows].T])
    noise = group_sums(where, arrays.w2[rows] * q * (1 - q), design.size)
    gradient = pull @ moved
    return np.asarray(np.einsum("ij,jk,ik->i", gradient, model.covariance, gradient) + pull**2 @ noise)


def _pooled(
    fits: list[_Fit], between: Array | None, given: ComposeInput, design: RegressionDesign
) -> list[PooledVariance]:
    """Pool each coefficient by Rubin's rules; for the very cohort nothing but the imputation varies."""
    values, within = np.stack([one.value for one in fits]), np.stack([one.variance for one in fits])
    if not given.sampled:
        within = np.zeros_like(within)
    units = design.n_clusters - 1 if design.cluster is not None else design.n_patients - design.x.shape[1]
    complete = max(float(units), 1.0)
    pooled = []
    for k in range(values.shape[1]):
        if between is not None or len(fits) == 1:
            one = barnard_rubin(
                within=float(within[0, k]),
                between=0.0 if between is None else float(between[k]),
                imputations=np.inf,
                complete_df=complete,
            )
            one = replace(one, point=float(values[0, k]))
        else:
            one = rubin_pool(values[:, k], within[:, k], complete_df=complete)
        if one.within <= 0 < one.between:  # the validated patients carry all the information
            informed = float(given.arrays.effective_validated.sum()) - 1
            one = replace(one, df=max(min(informed, len(fits) - 1 if between is None else np.inf), 1.0), fmi=1.0)
        pooled.append(one)
    return pooled


def _imputed_fits(
    given: ComposeInput, design: RegressionDesign, link: str, m: float
) -> tuple[list[_Fit] | str, Array | None, float]:
    """Return the fits, the between variance where it is the limit, and the number of imputations (0: none needed)."""
    arrays = given.arrays
    if bool((arrays.validated | (design.group < 0)).all()):
        return _fits(design, [validated_men(arrays, design.group, design.size)], link), None, 0.0
    model = recalibrate(arrays, shrink=bool(arrays.n_validated.sum(axis=0).min() < ENOUGH_VALIDATED))
    if int((~arrays.validated).sum()) * m <= MAXIMUM_DRAWS:
        draws = imputed_men(arrays, model, design.group, design.size, int(m), np.random.default_rng(given.seed))
        return _fits(design, draws, link), None, float(m)
    fits = _fits(design, [expected_men(arrays, model, design.group, design.size)], link)
    return fits, None if isinstance(fits, str) else _between_limit(given, design, model, fits[0], link), np.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stated:
    """What is the same whatever comes out."""

    given: ComposeInput
    design: RegressionDesign
    link: str
    cluster: str

    def result(
        self, state: str, why: str, coefficients: tuple[Coefficient, ...] = (), m: float = 0.0
    ) -> RegressionAdjusted:
        """Return the result with its counts and assumptions."""
        one = self.design
        return RegressionAdjusted(
            condition=self.given.condition,
            link=self.link,
            cluster=self.cluster,
            variance="Mancl-DeRouen" if one.n_clusters < FEW_CLUSTERS else "HC1",
            n_clusters=one.n_clusters,
            n_patients=round(one.n_patients),
            n_diseased=round(one.n_diseased),
            n_validated=round(one.n_validated),
            n_validated_diseased=round(one.n_validated_diseased),
            adjusted_for=tuple(dict.fromkeys(name.split("_")[0] for name in one.names[2:])),
            imputations=m,
            level=self.given.level,
            coefficients=coefficients,
            state=state,
            why=why,
            assumptions=self._assumptions(m),
            warnings=one.warnings,
        )

    def _assumptions(self, m: float) -> tuple[str, ...]:
        scale = "log of prevalence" if self.link == "poisson" else "log odds"
        sites = ", and a part of site" if "site" in {name.split("_")[0] for name in self.design.names} else ""
        found = [
            f"The {scale} is a sum of a part of sex and a part of age{sites}: the same ratio of men to women at every "
            f"age; {CLUSTER_WORDS[self.cluster]}."
        ]
        return (*found, *(ASSUMPTIONS if m != 0 else ()))


def regression_adjusted(
    given: ComposeInput,
    *,
    link: str = "poisson",
    age: str = "linear",
    cluster: str | None = None,
    imputations: float = IMPUTATIONS,
) -> RegressionAdjusted:
    """Return men compared with women by regression of disease on sex, age and, where there are several, site.

    Missing sexes are imputed from score, disease and age (coefficients from their normal posterior, then men from each
    cell's binomial); every imputed cohort is fitted on the cells as weighted rows, which equals the fit on patients;
    variances are robust, by patient (HC1) or by cluster (HC1; Mancl and DeRouen's with fewer than 50), and the fits are
    pooled by Rubin's rules with the degrees of freedom of Barnard and Rubin. With more than 12 million draws the limit
    of infinitely many imputations is taken instead. With every sex recorded nothing is imputed.

    Parameters
    ----------
    given : the input; its seed drives the imputations.
    link : poisson (log link: prevalence ratio, the better measure of a common disease) or logistic (odds ratio).
    age : linear (decades), quadratic, or bands (indicators of the declared bands).
    cluster : patient (also None), site or psu.
    imputations : m, a whole number from 2, or infinite for the limit itself.

    Returns
    -------
    Ratios with t intervals that cover those of the population (or of the very cohort, as the target says) under the
    model; refused or undefined with the reason where there is no number.

    Raises
    ------
    EstimationError : unknown link, age or cluster; fewer than two imputations; psu asked for but absent.

    References
    ----------
    Zou G. Am J Epidemiol 2004;159:702-706. Mancl LA, DeRouen TA. Biometrics 2001;57:126-134.
    Rubin DB. Multiple Imputation for Nonresponse in Surveys. Wiley 1987. Barnard J, Rubin DB. Biometrika
    1999;86:948-955.

    Examples
    --------
    1/3 of the men and 1/5 of the women at both ages.

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> found = regression_adjusted(worked_input(), imputations=50)
    >>> sex = found.coefficients[0]
    >>> sex.term, round(sex.ratio, 1), bool(sex.low < 5 / 3 < sex.high), found.state
    ('male', 1.7, True, 'model_based')
    """
    if link not in LINKS:
        raise EstimationError(f"no link {link!r}; there are {', '.join(LINKS)}")
    if not (imputations >= 2 and (np.isinf(imputations) or float(imputations).is_integer())):
        raise EstimationError(
            f"the number of imputations must be whole and at least 2, for a variance between them; found {imputations}"
        )
    unit = cluster or "patient"
    design = regression_design(given, link=link, age=age, cluster=unit)
    stated = _Stated(given=given, design=design, link=link, cluster=unit)
    complete = bool(given.arrays.validated.all()) and given.arrays.n.sum() > 0
    if not complete and (reason := reason_to_refuse(given)) is not None:
        return stated.result("refused", f"No corrected estimate: {reason}.")
    if unit != "patient" and design.n_clusters < 2:
        return stated.result("undefined", ONE_CLUSTER)
    fits, between, m = _imputed_fits(given, design, link, imputations)
    if isinstance(fits, str):
        return stated.result("undefined", fits, m=m)
    pooled = _pooled(fits, between, given, design)
    names = [design.names[index] for index in design.terms]
    table = tuple(coefficient(name, one, given.level) for name, one in zip(names, pooled, strict=True))
    if m == 0:
        return stated.result("recorded", "Every sex is recorded.", table)
    return stated.result("model_based", "Missing sexes are imputed many times and the fits pooled.", table, m)
