"""E2: proper multiple imputation of the missing sexes, drawn on cells."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.clustered_imputation import imputation_model, imputed_over_units
from sexstrat.estimates.clustered_margin import over_units
from sexstrat.estimates.compose_input import ComposeInput, margin
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.measures import log_ratio, prevalence_of
from sexstrat.estimates.recalibration import Recalibration

__all__ = [
    "IMPUTATIONS",
    "MAXIMUM_DRAWS",
    "Imputed",
    "analytic",
    "drawn",
    "imputation",
    "imputed_composition",
    "uninformed_bands",
]

Array = NDArray[np.float64]

IMPUTATIONS = 400  # with a fraction of missing information of .85, a Monte Carlo error below 5 % of the SE needs 340
BLOCK = 1000  # cells whose probabilities under every imputation are held in memory at a time
UNIFORM_LOG_ODDS_SD = np.pi / 3**0.5  # the log odds of a uniform share are standard logistic
MAXIMUM_DRAWS = 12_000_000  # imputations x cells; above it (about a second) the analytic limit m = infinity is taken

ASSUMPTIONS = (
    "Given score, disease and age, patients without recorded sex are like those with it; the logistic imputation "
    "model has the right form.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imputed:
    """Shares of men over imputations.

    Parameters
    ----------
    pi : mean share by group, shape (2A,), NaN in an empty group.
    between : covariance of the shares over imputations, shape (2A, 2A).
    imputations : m.
    model : the imputation model, whose errors sampling units share; None leaves units aside.
    """

    pi: Array
    between: Array
    imputations: float
    model: Recalibration | None = None


def _observed(arrays: CellArrays) -> tuple[Array, Array]:
    """Return the weight of validated men and of everybody, by group."""
    men = arrays.total(np.where(arrays.male, arrays.w, 0.0), arrays.validated).ravel()
    return men, arrays.total(arrays.w).ravel()


def drawn(arrays: CellArrays, model: Recalibration, m: int, rng: np.random.Generator) -> Imputed:
    """Draw m imputations: coefficients from their normal posterior, then the men among the unvalidated of each group.

    Only the mean and the covariance of the shares over imputations are used, so the number of men in a group is drawn
    with the exact mean and variance of the binomials of its cells, n q and n q (1 - q), as one normal draw: the same
    two moments at a hundredth of the time. With unequal weights, those of the weighted sums.

    Parameters
    ----------
    arrays : the cells.
    model : recalibration fitted on validated patients.
    m : imputations.
    rng : source of randomness.
    """
    men, n = _observed(arrays)
    rows = np.flatnonzero(~arrays.validated)
    rows = rows[np.argsort(arrays.group[rows], kind="stable")]
    edges = np.searchsorted(arrays.group[rows], np.arange(n.size + 1))
    x, weight, square = model.design[rows], arrays.w[rows], arrays.w2[rows]
    beta = rng.multivariate_normal(model.beta, model.covariance, size=m, method="cholesky")
    imputed, variance = np.zeros((m, n.size)), np.zeros((m, n.size))
    for group, (first, last) in enumerate(itertools.pairwise(edges)):
        for start in range(first, last, BLOCK):
            block = slice(start, min(start + BLOCK, last))
            q = expit(x[block] @ beta.T)
            imputed[:, group] += weight[block] @ q
            variance[:, group] += square[block] @ (q * (1 - q))
    imputed += rng.standard_normal((m, n.size)) * np.sqrt(variance)
    shares = (men + imputed) / np.where(n > 0, n, np.nan)
    between = np.atleast_2d(np.cov(np.nan_to_num(shares), rowvar=False))
    return Imputed(pi=shares.mean(axis=0), between=between, imputations=float(m), model=model)


def analytic(arrays: CellArrays, model: Recalibration) -> Imputed:
    """Return what infinitely many imputations would give, by the delta method.

    B = G Cov(beta) G' + diag(sum of w^2 q (1 - q)) / N^2, with G the derivative of the shares.
    """
    men, n = _observed(arrays)
    rows = ~arrays.validated
    x, group = model.design[rows], arrays.group[rows]
    q = expit(x @ model.beta)
    safe = np.where(n > 0, n, np.nan)
    slope = arrays.w[rows] * q * (1 - q)
    jacobian = np.column_stack([np.bincount(group, weights=slope * column, minlength=n.size) for column in x.T])
    jacobian = np.nan_to_num(jacobian / safe[:, None])
    noise = np.bincount(group, weights=arrays.w2[rows] * q * (1 - q), minlength=n.size)
    pi = (men + np.bincount(group, weights=arrays.w[rows] * q, minlength=n.size)) / safe
    between = jacobian @ model.covariance @ jacobian.T + np.diag(np.nan_to_num(noise / safe**2))
    return Imputed(pi=pi, between=between, imputations=np.inf, model=model)


def _margins(given: ComposeInput, imputed: Imputed) -> tuple[Margin, Margin]:
    """Return the margins by band and of all ages: T = W + (1 + 1/m) B."""
    arrays, bands = given.arrays, len(given.bands)
    n, squares = arrays.total(arrays.w), arrays.total(arrays.w2)
    collapse = np.zeros((2, 2 * bands))
    collapse[0, 0::2], collapse[1, 1::2] = n[:, 0], n[:, 1]
    overall_n = collapse.sum(axis=1)
    collapse = collapse / np.where(overall_n > 0, overall_n, 1.0)[:, None]
    crude = np.where(overall_n > 0, collapse @ np.nan_to_num(imputed.pi), np.nan)
    inflate = 1 + 1 / imputed.imputations
    validated = arrays.total(arrays.w_over_r).sum(axis=0) ** 2  # one model for all bands: all validated patients count
    validated = validated / np.maximum(arrays.total(arrays.w2_over_r2).sum(axis=0), 1e-300)

    def build(pi: Array, n: Array, squares: Array, between: Array) -> Margin:
        safe = np.where(n > 0, n, np.nan)
        complete = np.nan_to_num(squares * pi * (1 - pi) / safe**2) if given.sampled else np.zeros_like(pi)
        within = np.diag(complete)
        return margin(
            given,
            pi.reshape(-1, 2),
            within + inflate * between,
            within=within,
            between=between,
            imputations=imputed.imputations,
            effective_validated=np.tile(validated, (pi.size // 2, 1)),
        )

    by_band = build(imputed.pi, n.ravel(), squares.ravel(), imputed.between)
    overall = build(crude, overall_n, squares.sum(axis=0), collapse @ imputed.between @ collapse.T)
    return by_band, overall


def _rubin_parts(overall: Margin) -> dict[str, Any]:
    """Return Rubin's parts for the crude log prevalence ratio as plain numbers."""
    ratio = log_ratio(*(prevalence_of(overall, sex, np.ones(1)) for sex in ("male", "female")))
    pooled = overall.pooled(ratio.by_pi, ratio.by_n)
    m = overall.imputations
    return {
        "imputations": "analytic limit" if np.isinf(m) else int(m),
        "within_variance": pooled.within,
        "between_variance": pooled.between,
        "fraction_missing_information": pooled.fmi,
        "relative_efficiency": pooled.relative_efficiency,
        "monte_carlo_error_over_se": pooled.monte_carlo_se / pooled.total**0.5 if pooled.total > 0 else 0.0,
    }


def uninformed_bands(margin: Margin) -> NDArray[np.bool_]:
    """Tell in which bands the imputations leave the share of men of a cell as good as unknown.

    A share drawn uniformly between 0 and 1, that is without any knowledge, has log odds with standard deviation
    pi / sqrt(3) = 1.81. Where the imputations spread a share at least as widely on that scale, sqrt(B) / (p (1 - p)),
    the model says nothing, and a ratio would run from nearly 0 to thousands. This happens where no validated patient
    of the band, nor the pattern over the other ages, informs the cell; with some support it does not.

    Parameters
    ----------
    margin : shares by band with their between-imputation covariance.

    Examples
    --------
    Between variances 0.09 and 0.25 of a share of one half: log odds 1.2 and 2.

    >>> one = np.ones((2, 2))
    >>> between = np.diag([0.0, 0.09, 0.0, 0.25])
    >>> fields = dict(n=one, n_variance=one, n_patients=one, n_validated=0 * one, effective_validated=one)
    >>> uninformed_bands(Margin(**fields, pi=one / 2, covariance=between, between=between)).tolist()
    [False, True]
    """
    if margin.between is None:
        raise ValueError("these shares were not imputed, so there is no between variance")
    spread = np.sqrt(np.diag(margin.between)).reshape(margin.pi.shape)
    shares = np.where(margin.n > 0, margin.pi, 0.5)
    unknown = (margin.n > 0) & (spread > UNIFORM_LOG_ODDS_SD * shares * (1 - shares))
    return np.asarray(unknown.any(axis=1))


def imputed_composition(given: ComposeInput, imputed: Imputed, *, why: str = "", shrunk: bool = False) -> Composition:
    """Return the composition of pooled imputations, state ``model_based``; uninformed bands are ``refused``.

    Where the sample was drawn in units or strata the variance within imputations, and in all, counts those.
    """
    by_band, overall = _margins(given, imputed)
    uninformed = uninformed_bands(by_band)
    warnings = ["Few validated diseased patients: the imputation model is shrunk."] if shrunk else []
    if uninformed.any():
        names = ", ".join(label for label, one in zip(given.bands.labels, uninformed, strict=True) if one)
        warnings.append(
            f"The validated patients do not tell the sexes of the patients in a cell of band {names}: any share of men "
            "would fit, so that band has no number."
        )
    one = Composition(
        condition=given.condition,
        bands=given.bands,
        estimator="E2",
        target=given.target,
        by_band=by_band,
        overall=overall,
        band_state=tuple("refused" if one else "model_based" for one in uninformed),
        state="model_based",
        level=given.level,
        why=why or "Missing sexes are imputed many times from score, disease and age, and the results pooled.",
        assumptions=ASSUMPTIONS,
        warnings=tuple(warnings),
        diagnostics={"shrunk": shrunk, **_rubin_parts(overall)},
    )
    if imputed.model is None or not given.clustered:
        return one
    banded, whole = (imputed_over_units(given, imputed.model, plain, shrink=shrunk) for plain in (by_band, overall))
    return over_units(given, replace(one, diagnostics={"shrunk": shrunk, **_rubin_parts(whole)}), banded, whole)


def imputation(given: ComposeInput, *, shrink: bool = False, why: str = "") -> Composition:
    """Return the shares of men by proper multiple imputation (estimator E2).

    Imputation model: logit P(male) on logit p, eyes, disease, age, age^2, disease x logit p, disease x age and site,
    fitted on validated patients with a weak ridge prior (for r known: weighted to those not validated, sandwich
    covariance). Each of 400 imputations draws the coefficients from their normal posterior and then the men of every
    cell; T = W + (1 + 1/m) B. With more than 12 million draws the analytic limit is used instead, and said. In a sample
    drawn in units or strata coefficients are drawn with a sandwich over units, and W and T are linearised over them.

    Parameters
    ----------
    given : the input.
    shrink : pull the products with disease towards zero (10 to 19 validated diseased patients).
    why : reason to print, when another estimator handed over.

    References
    ----------
    Rubin DB. Multiple Imputation for Nonresponse in Surveys. Wiley 1987.
    Barnard J, Rubin DB. Biometrika 1999;86:948-955.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random", method="E2")
    >>> bool(abs(one.crude_pi[1] - 2 / 3) < 0.01)
    True
    """
    model = imputation_model(given, shrink=shrink)
    rows = int((~given.arrays.validated).sum())
    if rows * IMPUTATIONS <= MAXIMUM_DRAWS:
        imputed = drawn(given.arrays, model, IMPUTATIONS, np.random.default_rng(given.seed))
    else:
        imputed = analytic(given.arrays, model)
    return imputed_composition(given, imputed, why=why, shrunk=shrink)
