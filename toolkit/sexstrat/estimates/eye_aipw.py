"""E1 among eyes: the same corrected sexes, each patient counting as often as eyes are affected or graded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.aipw import ASSUMPTIONS
from sexstrat.estimates.clustered_margin import clustered_margin, over_units
from sexstrat.estimates.compose_input import ComposeInput, refused
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.eye_margin import EyeSums, eye_composition_of, eye_margin, eye_sums
from sexstrat.estimates.recalibration import cross_fitted
from sexstrat.estimates.refusal import ENOUGH_VALIDATED
from sexstrat.estimates.share_influence import MODEL, RESIDUAL, WEIGHT, ShareInfluence, influence_of_totals
from sexstrat.estimates.unit_scores import RowInfluence, unit_scores

__all__ = ["eye_aipw"]

Array = NDArray[np.float64]


def _influence(given: ComposeInput, p: Array, residual: Array, *, by_band: bool) -> ShareInfluence:
    """Return how the shares of men among eyes move with the totals over eyes of w p, (w / r)(S - p) and w."""
    arrays = given.arrays
    sums = eye_sums(arrays, by_band=True)
    totals = np.column_stack([sums.total(part) for part in (arrays.w * p, arrays.w_over_r * residual, arrays.w)])
    present = (sums.counts > 0).astype(float)
    validated = np.where(arrays.validated, arrays.n, 0.0) @ present
    return influence_of_totals(totals, validated.reshape(-1, 2), by_band=by_band)


def _row_influence(
    given: ComposeInput, p: Array, residual: Array, found: ShareInfluence, sums: EyeSums
) -> RowInfluence:
    """Return what a patient of each row moves the shares and the counts by."""
    arrays = given.arrays
    eyes = eye_sums(arrays, by_band=True).counts
    own = (eyes @ found.moves[:, :, MODEL].T) * p[:, None] + eyes @ found.moves[:, :, WEIGHT].T
    return RowInfluence(
        own=own,
        counts=sums.counts,
        w=arrays.w,
        w2=arrays.w2,
        holding=sums.holding & arrays.validated[:, None],
        learned=(eyes @ found.moves[:, :, RESIDUAL].T) * residual[:, None],
        t=arrays.w_over_r,
        t2=arrays.w2_over_r2,
        wt=arrays.w2_over_r,
    )


def _realised(given: ComposeInput, p: Array, residual: Array, found: ShareInfluence, sums: EyeSums) -> Array:
    """Return the covariance about these very people: who was validated varies, and the people of a pooled run."""
    arrays, eyes = given.arrays, eye_sums(given.arrays, by_band=True)
    weights = found.moves[:, :, RESIDUAL]
    n = sums.total(arrays.w)
    moved = weights - found.counts / np.where(n > 0, n, 1.0)[:, None]
    validated = eyes.products((arrays.w2_over_r2 - arrays.w2_over_r) * residual**2)
    return np.asarray(weights @ validated @ weights.T + moved @ eyes.products(arrays.w2 * p * (1 - p)) @ moved.T)


def _degrees_of_freedom(given: ComposeInput, p: Array, residual: Array, found: ShareInfluence, margin: Margin) -> Array:
    """Return 2 v^2 / Var(v) of each share, at most its effective number of validated patients less 1."""
    arrays, eyes = given.arrays, eye_sums(given.arrays, by_band=True).counts
    weights = found.moves[:, :, RESIDUAL]
    own = (np.nan_to_num(found.pi) @ found.counts)[None, :]
    added = (arrays.w2_over_r2 - arrays.w2_over_r)[:, None] * residual[:, None] ** 2 * eyes**2
    if given.sampled:
        added = (arrays.w2_over_r2 * residual**2)[:, None] + 2 * (arrays.w2_over_r * residual)[:, None] * (
            p[:, None] - own
        )
        added = added * eyes**2
    noise = weights**4 @ (added**2 / np.maximum(arrays.n, 1)[:, None]).sum(axis=0)
    variance = np.diag(margin.covariance)
    df = np.divide(2 * variance**2, noise, out=np.full_like(variance, np.inf), where=noise > 0)
    return np.asarray(np.minimum(df.reshape(-1, 2), margin.effective_validated - 1))


def _margin(given: ComposeInput, p: Array, *, by_band: bool) -> tuple[Margin, NDArray[np.bool_]]:
    """Return the margin, and which bands borrow from their neighbours."""
    arrays = given.arrays
    residual = np.where(arrays.validated, arrays.male - p, 0.0)
    sums = eye_sums(arrays, by_band=by_band)
    found = _influence(given, p, residual, by_band=by_band)
    plain = eye_margin(given, sums, found.pi, _realised(given, p, residual, found, sums))
    run = found.moves[:, :, RESIDUAL] != 0
    fields = {name: getattr(plain, name) for name, one in Margin.__dataclass_fields__.items() if one.init}
    if by_band:
        fields["effective_validated"] = (run @ plain.effective_validated.ravel()).reshape(-1, 2)
    if given.sampled:
        scores = unit_scores(arrays, _row_influence(given, p, residual, found, sums))
        margin: Margin = clustered_margin(Margin(**fields), (scores,))
        fields = {name: getattr(margin, name) for name, one in type(margin).__dataclass_fields__.items() if one.init}
        fields["variance_df"] = _degrees_of_freedom(given, p, residual, found, margin)
        return type(margin)(**fields), (run.sum(axis=1) > 1).reshape(-1, 2).any(axis=1)
    fields["variance_df"] = _degrees_of_freedom(given, p, residual, found, Margin(**fields))
    return Margin(**fields), (run.sum(axis=1) > 1).reshape(-1, 2).any(axis=1)


def eye_aipw(given: ComposeInput, *, why: str = "") -> Composition:
    """Return whose the affected and the other graded eyes are, by AIPW (estimator E1).

    The eyes of men are sum over patients of w k psi and w (n - k) psi, with k of n graded eyes affected and
    psi = p + (R / r)(S - p), the same as for persons. A patient's two eyes move together, and one affected eye of two
    moves both columns: the variance is that of patients' (or sampling units') influence on shares and counts jointly.
    Target cohort: only who was validated varies.

    Parameters
    ----------
    given : the input, of a condition recorded by eye.
    why : why this estimator.

    Returns
    -------
    States as for persons: ``corrected`` with at least 20 validated patients with and without the disease.

    References
    ----------
    Robins JM, Rotnitzky A, Zhao LP. JASA 1994;89:846-866. Liang KY, Zeger SL. Biometrika 1986;73:13-22.

    Examples
    --------
    Both eyes of everybody graded, and affected in the diseased: eyes are persons counted twice.

    >>> from dataclasses import replace
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> given = worked_input()
    >>> eyes = 2.0 * np.column_stack([1 - given.arrays.diseased, given.arrays.diseased])
    >>> eye_aipw(replace(given, arrays=replace(given.arrays, eyes=eyes))).crude_pi.round(6).tolist()
    [0.5, 0.666667]
    """
    arrays = given.arrays
    p = cross_fitted(arrays)
    overall, _ = _margin(given, p, by_band=False)
    if not bool(((overall.pi > 0) & (overall.pi < 1)).all()):
        reason = "the corrected share of men lies outside 0 to 1: too few validated patients for E1"
        return refused(given, "E1", reason)
    by_band, pooled = _margin(given, p, by_band=True)
    if bool((np.isnan(by_band.pi) & (by_band.n > 0)).any()):
        return refused(given, "E1", "no run of age bands holds enough validated patients for E1")
    thin = pooled | ((arrays.n_patients > 0) & (arrays.n_validated < ENOUGH_VALIDATED)).any(axis=1)
    few = bool(arrays.n_validated.sum(axis=0).min() < ENOUGH_VALIDATED)
    one = eye_composition_of(
        given,
        "E1",
        by_band=by_band,
        overall=overall,
        band_state=tuple("model_based" if each else "corrected" for each in thin),
        state="model_based" if few else "corrected",
        assumptions=ASSUMPTIONS,
        why=why,
    )
    if not given.clustered:
        return one
    return over_units(given, one, by_band, overall)  # type: ignore[arg-type]  # sampled, so both count units
