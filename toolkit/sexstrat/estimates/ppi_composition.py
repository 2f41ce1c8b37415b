"""Cell PPI++: the raw score's mean among the unvalidated, corrected by its error among the validated, unweighted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose_input import ComposeInput, refused
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.labelled_windows import band_runs
from sexstrat.estimates.refusal import reason_to_refuse
from sexstrat.estimates.taught_composition import taught_composition
from sexstrat.estimates.taught_shares import TaughtShares
from sexstrat.estimates.taught_units import in_units
from sexstrat.estimates.thin_cells import MINIMUM_VALIDATED
from sexstrat.values.design import ValidationDesign

__all__ = ["ppi_composition", "ppi_shares"]

Array = NDArray[np.float64]
Rows = NDArray[np.bool_]

SAME_PROBABILITY = 1e-6  # relative; sums of equal probabilities differ by rounding alone
ASSUMPTIONS = (
    "Within each age band and disease state the validated patients are a simple random part; nothing is assumed about "
    "the errors of the score.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """PPI++ of the patients of some cells."""

    share: float
    power: float
    own: Array  # influence of one patient of each row
    with_sex: float  # covariance of sex and score among the validated
    labelled: float
    unlabelled: float


def _scores(arrays: CellArrays) -> Array:
    """Return the mean score of each row; patients without one take the mean of their cell's."""
    scored = arrays.n_eyes > 0
    total = arrays.total(arrays.n, scored).ravel()
    mean = arrays.total(arrays.n * np.nan_to_num(arrays.mean_prob_male), scored).ravel() / np.where(total > 0, total, 1)
    return np.where(scored, np.nan_to_num(arrays.mean_prob_male), np.where(total > 0, mean, 0.5)[arrays.group])


def _moments(n: Array, x: Array, y: Array) -> tuple[float, float, float]:
    """Return total, mean of x, and covariance of x and y with divisor total - 1."""
    total = float(n.sum())
    a, b = n @ x / total, n @ y / total
    return total, float(a), float(n @ ((x - a) * (y - b)) / max(total - 1, 1.0))


def _window(arrays: CellArrays, p: Array, rows: Rows) -> _Window:
    """Return lambda mean_U(p) + mean_L(S - lambda p) of some rows, lambda from the slope among the validated."""
    known, unknown = rows & arrays.validated, rows & ~arrays.validated
    n, s = arrays.n, arrays.male.astype(float)
    labelled, _, with_sex = _moments(n[known], s[known], p[known])
    unlabelled = float(n[unknown].sum())
    own, power, share = np.zeros(n.size), 0.0, 0.0
    if unlabelled >= 2:
        _, _, spread = _moments(n[known], p[known], p[known])
        power = float(np.clip(with_sex / ((1 + labelled / unlabelled) * spread), 0, 1)) if spread > 1e-15 else 0.0
        _, mean, _ = _moments(n[unknown], p[unknown], p[unknown])
        share += power * mean
        own[unknown] = power * (p[unknown] - mean) / np.sqrt(unlabelled * (unlabelled - 1))
    rest = s - power * p
    _, mean, _ = _moments(n[known], rest[known], rest[known])
    own[known] = (rest[known] - mean) / np.sqrt(labelled * max(labelled - 1, 1.0))
    return _Window(
        share=share + mean, power=power, own=own, with_sex=with_sex, labelled=labelled, unlabelled=unlabelled
    )


def _widened(arrays: CellArrays, p: Array, cell: int) -> tuple[_Window, bool] | None:
    """Return PPI++ of the smallest run of bands with 10 validated and a share inside 0 to 1, and if it is wider."""
    everybody = arrays.n_validated.ravel()[cell] == arrays.n_patients.ravel()[cell]
    for run in band_runs(cell // 2, arrays.n_bands):
        rows = np.isin(arrays.group, 2 * run + cell % 2)
        if (run.size == 1 and everybody) or arrays.n[rows & arrays.validated].sum() >= MINIMUM_VALIDATED:
            found = _window(arrays, p, rows)
            if (run.size == 1 and everybody) or 0 < found.share < 1:
                return found, run.size > 1
    return None


def _realised(arrays: CellArrays, found: _Window, p: Array, cell: int) -> float:
    """Return Var of the share about that of these people: V + v / N - 2 Cov(estimate, realised)."""
    mine = arrays.group == cell
    n = float(arrays.n[mine].sum())
    labelled = float(arrays.n[mine & arrays.validated].sum())
    unlabelled = n - labelled
    sex = found.share * (1 - found.share)
    both = labelled / found.labelled * (sex - found.power * found.with_sex)
    if found.unlabelled > 0:
        both += unlabelled / found.unlabelled * found.power * found.with_sex
    return max(float(arrays.n @ found.own**2) + sex / n - 2 * both / n, 0.0) if unlabelled > 0 else 0.0


def ppi_shares(arrays: CellArrays) -> tuple[TaughtShares | None, NDArray[np.bool_]]:
    """Return PPI++ of every cell with its influence; cells with fewer than 10 validated take a run of bands together.

    Parameters
    ----------
    arrays : the cohort, equal weights.

    Returns
    -------
    The shares, None where even all bands lack validated patients, and the bands that borrow.

    References
    ----------
    Angelopoulos AN, Duchi JC, Zrnic T. PPI++. arXiv 2311.01453 (2023).

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_arrays
    >>> ppi_shares(worked_arrays())[0].pi.round(6).tolist()
    [0.5, 0.666667, 0.5, 0.666667]
    """
    size, n = 2 * arrays.n_bands, arrays.n_patients.ravel()
    p = _scores(arrays)
    pi, own, told = np.full(size, np.nan), np.zeros((arrays.n.size, size)), np.zeros(size)
    realised, wider = np.zeros(size), np.zeros(size, dtype=bool)
    for cell in np.flatnonzero(n > 0):
        made = _widened(arrays, p, int(cell))
        if made is None:
            return None, np.asarray(wider.reshape(-1, 2).any(axis=1))
        found, wider[cell] = made
        pi[cell], own[:, cell], told[cell] = found.share, found.own, found.labelled
        realised[cell] = _realised(arrays, found, p, int(cell))
    shares = TaughtShares(
        pi=pi,
        own=own,
        learned=np.zeros_like(own),
        realised=np.diag(realised),
        unseen=np.zeros((size, size)),
        told=told,
    )
    return shares, np.asarray(wider.reshape(-1, 2).any(axis=1))


def _varies(given: ComposeInput) -> str | None:
    """Return why validated patients are no simple random part of their cells, or None."""
    arrays = given.arrays
    if given.design is ValidationDesign.modelled:
        return "the probability of being recorded is modelled, so that it varies; E1 weights by it"
    rows = arrays.validated & (arrays.w > 0)
    probability = arrays.w[rows] / arrays.w_over_r[rows]
    if probability.size and probability.max() > probability.min() * (1 + SAME_PROBABILITY):
        return (
            f"the probability of being recorded varies from {probability.min():.3g} to {probability.max():.3g}, which "
            "unweighted PPI does not count; E1 weights by it"
        )
    if not np.allclose(arrays.w, arrays.n) or in_units(given, arrays):
        return "PPI is unweighted and counts patients one by one; E1 counts weights, units and strata"
    return None


def ppi_composition(given: ComposeInput) -> Composition:
    """Return the shares of men of each cell by PPI++ on the raw score, lambda chosen in the cell.

    pi = lambda mean_U(p) + mean_L(S - lambda p), V = lambda^2 Var_U(p) / N + Var_L(S - lambda p) / n. Lambda is the
    slope of sex on the score among the validated, Cov_L(S, p) / Var_L(p), over 1 + n/N, cut to 0 to 1; the paper's
    software divides by the variance among all, with the same limit, but a score that never errs then gives the mean of
    everybody only with many validated. E1 does the same with lambda 1 and a recalibrated score, weights, and all
    patients' scores. Right under any error of the score where sex was recorded for a simple random part; refused where
    the probability of being recorded varies.

    Parameters
    ----------
    given : the input; design random, or known_probability with one probability for all.

    Returns
    -------
    State ``model_based``, or ``refused``.

    References
    ----------
    Angelopoulos AN, Duchi JC, Zrnic T. PPI++. arXiv 2311.01453 (2023).

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> one = ppi_composition(worked_input())
    >>> one.crude_pi.round(6).tolist(), one.state
    ([0.5, 0.666667], 'model_based')
    """
    reason = reason_to_refuse(given)
    if reason is None:
        reason = _varies(given)
    if reason is not None:
        return refused(given, "ppi", f"No corrected estimate: {reason}.")
    shares, wider = ppi_shares(given.arrays)
    if shares is None:
        return refused(given, "ppi", "No corrected estimate: no run of age bands holds enough validated patients.")
    names = [label for label, one in zip(given.bands.labels, wider, strict=True) if one]
    told = (
        f"Too few validated patients in a cell of band {', '.join(names)}: its share is that of neighbouring bands too."
    )
    return taught_composition(
        given,
        given.arrays,
        shares,
        estimator="ppi",
        state="model_based",
        counted=False,
        why="The score's error among validated patients of an age band and disease state corrects its mean there.",
        assumptions=ASSUMPTIONS,
        warnings=(told,) if names else (),
    )
