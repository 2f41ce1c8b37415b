"""E1: augmented inverse-probability weighting with a cross-fitted recalibration of the score."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose_input import ComposeInput, margin, refused
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.recalibration import cross_fitted
from sexstrat.estimates.refusal import ENOUGH_VALIDATED
from sexstrat.estimates.thin_cells import MINIMUM_VALIDATED, PooledBands, pool_thin_bands

__all__ = ["aipw"]

Array = NDArray[np.float64]

ASSUMPTIONS = (
    "Recorded sex is known for a random part of the cohort, or with a known probability; nothing is assumed about "
    "the errors of the score, which may differ by disease and age.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Totals:
    """Sums by band and disease from which E1 is built, each of shape (A, 2)."""

    n: Array  # sum of weights
    model: Array  # sum of w p
    residual: Array  # sum over validated of (w / r)(S - p)
    spread: Array  # sum of w^2 (p - mean)^2
    squares: Array  # sum over validated of (w / r)^2 (S - p)^2
    cross: Array  # sum over validated of (w^2 / r)(S - p)(p - mean)
    realised: Array  # sum over validated of w^2 (1 - r)/r^2 (S - p)^2
    binomial: Array  # sum of w^2 p (1 - p)
    noise: Array  # sum over validated of the square of what each adds to N^2 times the variance


def _totals(arrays: CellArrays, p: Array, centre: Array, *, sampled: bool) -> _Totals:
    e = np.where(arrays.validated, arrays.male - p, 0.0)
    c = p - centre.ravel()[arrays.group]
    total = arrays.total
    realised = (arrays.w2_over_r2 - arrays.w2_over_r) * e**2
    added = arrays.w2_over_r2 * e**2 + 2 * arrays.w2_over_r * e * c if sampled else realised
    return _Totals(
        n=arrays.weights[0],
        model=total(arrays.w * p),
        residual=total(arrays.w_over_r * e),
        spread=total(arrays.w2 * c**2),
        squares=total(arrays.w2_over_r2 * e**2),
        cross=total(arrays.w2_over_r * e * c),
        realised=total(realised),
        binomial=total(arrays.w2 * p * (1 - p)),
        noise=total(added**2 / np.maximum(arrays.n, 1)),
    )


def _corrected(arrays: CellArrays, p: Array) -> Array:
    """Return the corrected number of men by band and disease: sum of w p + (w / r)(S - p)."""
    return arrays.total(arrays.w * p + arrays.w_over_r * np.where(arrays.validated, arrays.male - p, 0.0))


def _degrees_of_freedom(variance: Array, noise: Array, effective: Array) -> Array:
    """Return 2 v^2 / Var(v) for variances that are sums over validated patients, at most the effective number less 1.

    Var(v) is the sum of squared contributions: with an accurate score most residuals are near 0 and a few large ones
    make the variance, so that it is worth fewer patients than were validated.
    """
    df = np.divide(2 * variance**2, noise, out=np.full_like(variance, np.inf), where=noise > 0)
    return np.minimum(df, effective - 1)


def _covariance(t: _Totals, d: int, pooled: PooledBands, sampled: bool) -> Array:
    """Return the covariance of pi over bands for one disease state.

    A band that stands alone has var(psi)/N (population) or its design variance (cohort), exactly. For a pooled band
    the residual totals of its run enter with the weights K, and the cohort target adds the chance differences
    between the band's own people and the run's.
    """
    n = t.n[:, d]
    inverse = np.divide(1.0, n, out=np.zeros_like(n), where=n > 0)
    weights = pooled.weights
    if sampled:
        spread = np.diag((t.spread[:, d] + 2 * t.cross[:, d]) * inverse**2)
        alone = pooled.window.sum(axis=1) <= 1
        spread[~alone, ~alone] = (t.spread[:, d] * inverse**2)[~alone]
        return np.asarray(spread + weights @ np.diag(t.squares[:, d]) @ weights.T)
    moved = weights - np.diag(inverse)
    return np.asarray(weights @ np.diag(t.realised[:, d]) @ weights.T + moved @ np.diag(t.binomial[:, d]) @ moved.T)


def _by_band(given: ComposeInput, p: Array) -> tuple[Margin, tuple[str, ...], bool]:
    """Return the shares by band, the state of each band, and whether every share could be found."""
    arrays, bands = given.arrays, len(given.bands)
    n = arrays.weights[0]
    safe = np.where(n > 0, n, 1.0)
    centre = _corrected(arrays, p) / safe
    t = _totals(arrays, p, centre, sampled=given.sampled)
    pi, covariance = np.full((bands, 2), np.nan), np.zeros((2 * bands, 2 * bands))
    effective, df = np.array(arrays.effective_validated), np.zeros((bands, 2))
    pooled_bands, solved = np.zeros(bands, dtype=bool), True
    for d in (0, 1):
        pooled = pool_thin_bands(
            n=n[:, d],
            n_validated=arrays.n_validated[:, d],
            model=t.model[:, d] / safe[:, d],
            residual=t.residual[:, d],
        )
        pi[:, d] = pooled.pi
        covariance[d::2, d::2] = _covariance(t, d, pooled, given.sampled)
        effective[:, d] = pooled.window @ arrays.effective_validated[:, d]
        variance = np.diag(covariance[d::2, d::2])
        df[:, d] = _degrees_of_freedom(variance, pooled.weights**4 @ t.noise[:, d], effective[:, d])
        pooled_bands |= pooled.window.sum(axis=1) > 1
        solved = solved and bool(pooled.solved.all())
    thin = pooled_bands | ((n > 0) & (arrays.n_validated < ENOUGH_VALIDATED)).any(axis=1)
    states = tuple("model_based" if one else "corrected" for one in thin)
    return margin(given, pi, covariance, effective_validated=effective, variance_df=df), states, solved


def _overall(given: ComposeInput, p: Array) -> Margin:
    """Return the shares of all ages together from the totals, without any pooling."""
    arrays = given.arrays
    n = arrays.weights[0].sum(axis=0)
    safe = np.where(n > 0, n, 1.0)
    pi = np.where(n > 0, _corrected(arrays, p).sum(axis=0) / safe, np.nan)
    centre = np.broadcast_to(np.nan_to_num(pi), (len(given.bands), 2))
    t = _totals(arrays, p, centre, sampled=given.sampled)
    parts = t.spread + 2 * t.cross + t.squares if given.sampled else t.realised
    whole = margin(given, pi[None, :], np.diag(parts.sum(axis=0) / safe**2))
    df = _degrees_of_freedom(parts.sum(axis=0), t.noise.sum(axis=0), whole.effective_validated[0])
    return replace(whole, variance_df=df[None, :])


def _thin_warnings(given: ComposeInput, states: tuple[str, ...]) -> tuple[str, ...]:
    """Say where E1 rests on fewer validated patients than it needs."""
    counts = given.arrays.n_validated.sum(axis=0)
    names = [label for label, state in zip(given.bands.labels, states, strict=True) if state == "model_based"]
    warnings = []
    if counts.min() < ENOUGH_VALIDATED:
        which = "with" if counts[1] <= counts[0] else "without"
        warnings.append(
            f"E1 needs at least {ENOUGH_VALIDATED} validated patients {which} the disease and has "
            f"{int(counts.min())}: its interval may be too narrow, and the number is not called corrected."
        )
    if names:
        warnings.append(
            f"Fewer than {ENOUGH_VALIDATED} validated patients in a cell of band {', '.join(names)}: E1 is not called "
            f"corrected there, and with fewer than {MINIMUM_VALIDATED} its correction is pooled with its neighbours'."
        )
    return tuple(warnings)


def aipw(given: ComposeInput) -> Composition:
    """Return the shares of men by AIPW (estimator E1).

    pi_ad = mean over the cell of psi = p + (R / r)(S - p), where p is the cross-fitted recalibrated probability, R
    tells who is validated and r the probability of being so. Unbiased under any misclassification, differential by
    disease or not, since only r must be right. Population target: var(psi)/N; cohort target:
    sum over validated of (1 - r)/r^2 (S - p)^2 / N^2.

    Parameters
    ----------
    given : the input; design random (r the share validated) or known_probability.

    Returns
    -------
    State ``corrected`` with at least 20 validated patients with and without the disease, else ``model_based`` and a
    warning; the same by band, and a band whose correction is borrowed from its neighbours is ``model_based``.

    References
    ----------
    Robins JM, Rotnitzky A, Zhao LP. JASA 1994;89:846-866. Angelopoulos AN et al. Science 2023;382:669-674.
    Degrees of freedom: Satterthwaite FE. Biometrics Bulletin 1946;2:110-114.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random", method="E1")
    >>> one.crude_pi.round(6).tolist()
    [0.5, 0.666667]
    """
    p = cross_fitted(given.arrays)
    overall = _overall(given, p)
    if not bool(((overall.pi > 0) & (overall.pi < 1)).all()):
        return refused(given, "E1", "the corrected share of men lies outside 0 to 1: too few validated patients for E1")
    by_band, states, solved = _by_band(given, p)
    if not solved:
        return refused(given, "E1", "no run of age bands holds enough validated patients for E1")
    few = given.arrays.n_validated.sum(axis=0).min() < ENOUGH_VALIDATED
    return Composition(
        condition=given.condition,
        bands=given.bands,
        estimator="E1",
        target=given.target,
        by_band=by_band,
        overall=overall,
        band_state=states,
        state="model_based" if few else "corrected",
        level=given.level,
        assumptions=ASSUMPTIONS,
        why="Sex is recorded for a part of the cohort by design, so that weighting the score's errors on that part "
        "corrects any misclassification.",
        warnings=_thin_warnings(given, states),
    )
