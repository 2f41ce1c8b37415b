"""E6: regression calibration in every age band, where errors are shown not to differ by disease."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose_input import ComposeInput, refused
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.numbers.regression_calibration import FEWEST_VALIDATED, TINY_PRECISION
from sexstrat.estimates.recalibration import fit_logistic
from sexstrat.estimates.recording_model import with_estimated_recording
from sexstrat.estimates.refusal import reason_to_refuse
from sexstrat.estimates.taught_composition import taught_composition
from sexstrat.estimates.taught_shares import TaughtShares, less_own_sexes
from sexstrat.estimates.transported import differential_refusal
from sexstrat.values.design import ValidationDesign

__all__ = ["calibrated_composition", "calibrated_shares", "regression_calibrated"]

Array = NDArray[np.float64]

ASSUMPTIONS = (
    "Among men, and among women, of the same age the score does not depend on the disease; the validated patients show "
    "it to within 0.1 SD.",
    "Given the score and the age band, the validated patients, weighted by their probability of being recorded, are a "
    "random part of all.",
    "The log odds of being male are linear in logit p within each age band.",
    "Patients without a score have the same prevalence by sex as those with one.",
)
SMALLEST_SPREAD = 1e-6  # variance of the calibrated probability within a band


@dataclass(frozen=True, slots=True, kw_only=True)
class _Calibration:
    """P(male | score, band): logistic in each run of bands with enough validated men and women."""

    run: NDArray[np.int64]  # run of each band
    probability: Array  # of each row
    slope: Array  # derivative of each row's probability by all coefficients, (rows, k)
    learned: Array  # influence of a unit of w/r of each row on the coefficients, (rows, k)


def _runs(arrays: CellArrays) -> NDArray[np.int64] | None:
    """Join neighbouring bands until each run has 10 validated men and women with a score; None where all lack them."""
    rows = arrays.validated & (arrays.n_eyes > 0)
    band = arrays.group // 2
    counts = np.stack(
        [
            np.bincount(band[rows & sex], weights=arrays.n[rows & sex], minlength=arrays.n_bands)
            for sex in (arrays.male, ~arrays.male)
        ]
    )
    run, now, have = np.zeros(arrays.n_bands, dtype=np.int64), 0, np.zeros(2)
    for one in range(arrays.n_bands):
        run[one], have = now, have + counts[:, one]
        if have.min() >= FEWEST_VALIDATED:
            now, have = now + 1, np.zeros(2)
    if now == 0:
        return None
    return np.minimum(run, now - 1)  # what is left over joins the last run


def _calibration(arrays: CellArrays, run: NDArray[np.int64]) -> _Calibration:
    runs = int(run.max()) + 1
    inside = (run[arrays.group // 2][:, None] == np.arange(runs)) & (arrays.n_eyes > 0)[:, None]
    x = np.hstack([inside, inside * arrays.logit[:, None]]).astype(float)
    used = arrays.validated & (arrays.n_eyes > 0)
    weight = np.where(used, arrays.w_over_r, 0.0)
    scale = arrays.n[used].sum() / weight.sum()
    beta, inverse = fit_logistic(x, arrays.male * weight * scale, weight * scale, np.full(2 * runs, TINY_PRECISION))
    p = expit(x @ beta)
    learned = np.where(used[:, None], x * (arrays.male - p)[:, None] * scale, 0.0) @ inverse
    return _Calibration(run=run, probability=p, slope=x * (p * (1 - p))[:, None], learned=learned)


def _band(arrays: CellArrays, found: _Calibration, rows: NDArray[np.bool_]) -> tuple[Array, Array, Array] | None:
    """Return shares of men without and with the disease in a band, and their influences; None without spread."""
    w, p, d = arrays.w[rows], found.probability[rows], arrays.diseased[rows].astype(float)
    total = w.sum()
    if total <= 0:
        return None
    mean, ill = w @ p / total, w @ d / total
    apart, spread = p - mean, d - ill
    variance, together = w @ apart**2 / total, w @ (apart * spread) / total
    if variance <= SMALLEST_SPREAD:
        return None
    slope = together / variance
    rates = np.array([1 - ill, ill])  # of being well and diseased
    sign = np.array([-1.0, 1.0])
    safe = np.where(rates > 0, rates, 1.0)
    pi = mean * (rates + sign * slope * (1 - mean)) / safe
    by_mean = (rates + sign * slope * (1 - 2 * mean)) / safe
    by_ill = -mean * slope * (1 - mean) / safe**2
    by_slope = sign * mean * (1 - mean) / safe

    def moved(of_mean: Array, of_ill: Array | float, of_together: Array, of_variance: Array) -> Array:
        of_slope = (of_together - slope * of_variance) / variance
        return np.asarray(
            np.multiply.outer(of_mean, by_mean)
            + np.multiply.outer(of_ill, by_ill)
            + np.multiply.outer(of_slope, by_slope)
        )

    own = moved(apart, spread, apart * spread - together, apart**2 - variance) / total
    z = found.slope[rows]
    weighted = z * (w / total)[:, None]
    learned = moved(weighted.sum(axis=0), np.zeros(z.shape[1]), weighted.T @ spread, 2 * weighted.T @ apart)
    return np.where(rates > 0, pi, np.nan), own, learned


def calibrated_shares(arrays: CellArrays) -> tuple[TaughtShares | None, NDArray[np.int64], str]:
    """Return the shares of men that regression calibration gives in every band.

    p = E(sex | score, band), logistic on the validated. With p-bar and D-bar the band's means and b the least-squares
    slope of disease on p, prevalence is D-bar - b p-bar in women and b more in men, so that of the diseased
    p-bar {D-bar + b (1 - p-bar)} / D-bar are men. Both stages' estimating equations are in the influences.

    Parameters
    ----------
    arrays : the cohort, weights over r for its validated patients.

    Returns
    -------
    The shares (None where a band says nothing), the run of bands each band's calibration is learned from, and why not.

    References
    ----------
    Carroll RJ, Ruppert D, Stefanski LA, Crainiceanu CM. Measurement Error in Nonlinear Models. 2nd ed. Chapman and
    Hall 2006, chapter 4 and appendix A.6.6.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> calibrated_shares(worked_arrays())[0].pi.round(4).tolist()
    [0.5, 0.6667, 0.5, 0.6667]
    """
    run = _runs(arrays)
    if run is None:
        return (
            None,
            np.zeros(arrays.n_bands, dtype=np.int64),
            f"fewer than {FEWEST_VALIDATED} men or women are validated",
        )
    found, size = _calibration(arrays, run), 2 * arrays.n_bands
    n, band = arrays.weights[0].ravel(), arrays.group // 2
    pi, own = np.full(size, np.nan), np.zeros((arrays.n.size, size))
    learned = np.zeros((arrays.n.size, size))
    for one in np.flatnonzero(n.reshape(-1, 2).sum(axis=1) > 0):
        rows = (band == one) & (arrays.n_eyes > 0)
        if (made := _band(arrays, found, rows)) is None:
            return (
                None,
                run,
                "the calibrated probability of male does not vary within an age band: it says nothing of sex",
            )
        cells = slice(2 * one, 2 * one + 2)
        pi[cells], own[rows, cells], learned[:, cells] = made[0], made[1], found.learned @ made[2]
    pi, own = np.where(n > 0, pi, np.nan), _given_counts(arrays, own)
    inside = np.clip(np.nan_to_num(pi), 0.0, 1.0)
    standing = arrays.weights[1].ravel() * inside * (1 - inside) / np.where(n > 0, n, 1.0) ** 2
    realised = less_own_sexes((own * arrays.w2[:, None]).T @ own, standing)
    taught = np.bincount(run[band[arrays.validated]], weights=arrays.n[arrays.validated], minlength=int(run.max()) + 1)
    told = np.repeat(taught[run], 2).astype(float)
    return (
        TaughtShares(pi=pi, own=own, learned=learned, realised=realised, unseen=np.zeros((size, size)), told=told),
        run,
        "",
    )


def _given_counts(arrays: CellArrays, own: Array) -> Array:
    """Return influences less their mean in each cell: the counts of the cells vary beside, in every measure."""
    n, size = arrays.weights[0].ravel(), 2 * arrays.n_bands
    means = np.stack([np.bincount(arrays.group, weights=arrays.w * one, minlength=size) for one in own.T], axis=1)
    scored = arrays.total(arrays.w, arrays.n_eyes > 0).ravel()
    centred = own - np.where(
        (arrays.n_eyes > 0)[:, None], (means / np.where(scored > 0, scored, 1.0)[:, None])[arrays.group], 0.0
    )
    return np.where(n[arrays.group][:, None] > 0, centred, 0.0)


def calibrated_composition(given: ComposeInput) -> Composition:
    """Return the shares of men by regression calibration (estimator E6), or the intervals that forbid it.

    Only where the 90 % interval of the shift of logit p by disease lies within 0.1 SD in men and in women, and for
    internal designs: calibration does not carry over to another share of men, and is wrong where recording depends on
    sex.

    Parameters
    ----------
    given : the input.

    Returns
    -------
    State ``assumption`` or ``refused``.

    References
    ----------
    Carroll RJ et al. Measurement Error in Nonlinear Models. 2nd ed. Chapman and Hall 2006, chapter 4.

    Examples
    --------
    550 validated patients of the worked example do not show that errors do not differ by disease.

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> one = calibrated_composition(worked_input())
    >>> one.state, "do not both lie within 0.1 SD of 0" in one.why
    ('refused', True)
    """
    reason = reason_to_refuse(given)
    if reason is None:
        reason = differential_refusal(given)
    if reason is not None:
        return refused(given, "E6", f"No corrected estimate: {reason}.")
    return regression_calibrated(given)


def regression_calibrated(given: ComposeInput) -> Composition:
    """Return what regression calibration gives, whether or not nondifferential error is shown.

    Parameters
    ----------
    given : the input, of an internal design.

    Returns
    -------
    State ``assumption`` or ``refused``.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> regression_calibrated(worked_input()).crude_pi.round(4).tolist()
    [0.5, 0.6667]
    """
    if given.design is ValidationDesign.modelled:
        given = replace(given, arrays=with_estimated_recording(given.arrays))
    shares, run, why = calibrated_shares(given.arrays)
    if shares is None:
        return refused(given, "E6", f"No corrected estimate: {why}.")
    joined = np.bincount(run)[run] > 1
    names = [label for label, one in zip(given.bands.labels, joined, strict=True) if one]
    return taught_composition(
        given,
        given.arrays,
        shares,
        estimator="E6",
        state="assumption",
        counted=False,
        why="The score is recalibrated without the disease, and disease regressed on it in each age band.",
        assumptions=ASSUMPTIONS,
        warnings=(f"The calibration of the score is shared by neighbouring bands in {', '.join(names)}.",)
        if names
        else (),
        diagnostics={"n_labelled": int(given.arrays.n_validated.sum())},
    )
