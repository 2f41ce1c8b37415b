"""MC-SIMEX on a table of predicted sex by disease: a check of other corrections, never an estimate to report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.numbers.matrix_method import checked_table
from sexstrat.estimates.numbers.misclassification import check_informative
from sexstrat.estimates.numbers.share_of_men import normal_quantile

__all__ = ["SimexCheck", "extrapolated", "mc_simex", "misclassification_power", "misclassified_again"]

Array = NDArray[np.float64]

MEASURES = ("ratio", "odds_ratio")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimexCheck:
    """What MC-SIMEX makes of a table. A check only: it under-corrects, and takes the errors as known.

    Parameters
    ----------
    measure : ``ratio`` or ``odds_ratio``, men over women.
    naive, point : the measure with predicted sex as it stands, and extrapolated to no error.
    se, low, high : jackknife standard error of the log and the interval; None where its extrapolated variance is not
        above 0.
    lambdas, log_estimates, variances : the curve extrapolated: amounts of added error, first 0, mean log measure and
        its variance less the simulation's.
    level : confidence level.
    simulations, seed : tables simulated for each amount, and the seed.
    state : ``check``.
    note : why this is no estimate.
    """

    measure: str
    naive: float
    point: float
    se: float | None
    low: float | None
    high: float | None
    lambdas: Array
    log_estimates: Array
    variances: Array
    level: float
    simulations: int
    seed: int
    state: str
    note: str


def misclassification_power(sensitivity: float, specificity: float, power: float) -> tuple[float, float]:
    """Return sensitivity and specificity of the misclassification matrix raised to a power.

    The matrix has eigenvalues 1 and J = Se + Sp - 1; with s = (1 - Sp) / (1 - J) the power has sensitivity
    s + (1 - s) J^power and specificity (1 - s) + s J^power.

    Parameters
    ----------
    sensitivity, specificity : of the matrix; their sum must exceed 1.
    power : at least 0; 0 is no error, 1 the matrix itself.

    Raises
    ------
    EstimationError : a sum not above 1.05, a negative power.

    Examples
    --------
    Twice: a man stays called a man with .9 x .9 + .1 x .2.

    >>> [round(value, 6) for value in misclassification_power(0.9, 0.8, 2)]
    [0.83, 0.66]
    """
    check_informative(sensitivity + specificity - 1)
    if not (0 <= sensitivity <= 1 and 0 <= specificity <= 1 and power >= 0):
        raise EstimationError(
            "sensitivity and specificity must lie between 0 and 1, and a power must not be negative; found "
            f"{sensitivity}, {specificity} and {power}"
        )
    youden = sensitivity + specificity - 1
    if youden == 1:
        return 1.0, 1.0
    stationary = (1 - specificity) / (1 - youden)
    shrunk = youden**power
    return stationary + (1 - stationary) * shrunk, 1 - stationary + stationary * shrunk


def _log_measure(called_men: Array, n: Array, measure: str) -> tuple[Array, Array]:
    """Return log measure and its variance; called_men of shape (..., 2), well and diseased."""
    well, ill = called_men[..., 0], called_men[..., 1]
    other_well, other_ill = n[0] - well, n[1] - ill
    if min(well.min(), ill.min(), other_well.min(), other_ill.min()) <= 0:
        raise EstimationError(
            "a table, given or simulated, has nobody in one of predicted sex x disease: too few patients for MC-SIMEX"
        )
    men, women = well + ill, other_well + other_ill
    if measure == "odds_ratio":
        value = np.log(ill * other_well / (well * other_ill))
        return value, 1 / ill + 1 / well + 1 / other_ill + 1 / other_well
    return np.log(ill / men / (other_ill / women)), 1 / ill - 1 / men + 1 / other_ill - 1 / women


def misclassified_again(
    called_men: Array,
    patients: Array,
    sensitivity: Array,
    specificity: Array,
    *,
    lambdas: Array,
    simulations: int,
    seed: int,
) -> Iterator[Array]:
    """Yield for each lambda simulated numbers called men, misclassified again by the matrix to that power.

    Parameters
    ----------
    called_men, patients : whole counts of each cell, shape (cells,).
    sensitivity, specificity : of each cell, taken as known.
    lambdas : amounts of added error.
    simulations, seed : tables for each, and the seed.

    Returns
    -------
    Counts of shape (simulations, cells), one array a lambda.

    References
    ----------
    Kuechenhoff H, Mwalili SM, Lesaffre E. Biometrics 2006;62:85-96.

    Examples
    --------
    Without error nobody changes.

    >>> one = np.ones(2)
    >>> told = {"lambdas": one[:1], "simulations": 2, "seed": 1}
    >>> [table.tolist() for table in misclassified_again(np.array([3.0, 4.0]), one * 9, one, one, **told)]
    [[[3.0, 4.0], [3.0, 4.0]]]
    """
    rng, cells = np.random.default_rng(seed), called_men.size
    men, women = called_men.astype(int), (patients - called_men).astype(int)
    for power in lambdas:
        pairs = zip(sensitivity.tolist(), specificity.tolist(), strict=True)
        rates = np.array([misclassification_power(se, sp, float(power)) for se, sp in pairs]).reshape(-1, 2)
        stay = rng.binomial(men, rates[:, 0], size=(simulations, cells))
        turn = rng.binomial(women, 1 - rates[:, 1], size=(simulations, cells))
        yield (stay + turn).astype(float)


def extrapolated(lambdas: Array, values: Array) -> float:
    """Return the value at -1, no error at all, of the least-squares parabola.

    Parameters
    ----------
    lambdas : amounts of added error, first 0.
    values : at each.

    Examples
    --------
    x^2 + 1 at -1:

    >>> round(extrapolated(np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0, 5.0])), 9)
    2.0
    """
    powers = np.vander(lambdas, 3, increasing=True)
    return float(np.array([1.0, -1.0, 1.0]) @ np.linalg.lstsq(powers, values, rcond=None)[0])


def _checked_settings(m: Array, n: Array, measure: str, lambdas: Sequence[float], simulations: int) -> Array:
    """Return the lambdas, after refusing what cannot be simulated."""
    powers = np.asarray(lambdas, dtype=float)
    if measure not in MEASURES:
        raise EstimationError(f"no measure {measure!r}; there are {', '.join(MEASURES)}")
    if powers.size < 2 or not bool((powers > 0).all()) or np.unique(powers).size < powers.size or simulations < 50:
        raise EstimationError(
            f"need two or more different lambdas above 0 and at least 50 simulations; found {powers.tolist()} and "
            f"{simulations}"
        )
    if not bool((m == np.rint(m)).all() and (n == np.rint(n)).all()):
        raise EstimationError(f"counts must be whole; found {m.tolist()} of {n.tolist()}")
    return powers


def mc_simex(
    called_men: ArrayLike,
    patients: ArrayLike,
    *,
    sensitivity: float | Sequence[float],
    specificity: float | Sequence[float],
    measure: str = "odds_ratio",
    lambdas: Sequence[float] = (0.5, 1.0, 1.5, 2.0),
    simulations: int = 200,
    seed: int = 0,
    level: float = 0.95,
) -> SimexCheck:
    """Return the ratio or odds ratio extrapolated to no misclassification: a check only.

    For each lambda predicted sex is misclassified again by the matrix to the power lambda; the means of the log
    measure over the simulated tables, and the naive one at 0, are extrapolated by a parabola to lambda = -1. The
    variance is extrapolated in the same way from mean variance less variance of the simulated logs.

    Parameters
    ----------
    called_men, patients : patients called men, and all, among the well and the diseased, in this order.
    sensitivity, specificity : taken as known; one number, or those of the well and of the diseased.
    measure : ratio or odds_ratio, men over women.
    lambdas : amounts of added error, above 0; at least two.
    simulations : tables for each amount, at least 50.
    seed : seed of the simulation.
    level : confidence level.

    Raises
    ------
    EstimationError : values out of range, a class hardly better than chance, an empty cell in a table.

    References
    ----------
    Kuechenhoff H, Mwalili SM, Lesaffre E. Biometrics 2006;62:85-96. Variance: Stefanski LA, Cook JR. JASA
    1995;90:1247-1256.

    Examples
    --------
    Without error nothing is added and nothing changes: odds 60/40 over 50/50.

    >>> one = mc_simex([500, 600], [1_000, 1_000], sensitivity=1.0, specificity=1.0)
    >>> round(one.naive, 6), round(one.point, 6), one.state
    (1.5, 1.5, 'check')
    """
    z = normal_quantile(level)
    m, n = checked_table(called_men, patients)
    powers = _checked_settings(m, n, measure, lambdas, simulations)
    se, sp = (np.broadcast_to(np.asarray(values, dtype=float), (2,)) for values in (sensitivity, specificity))
    naive, naive_variance = _log_measure(m, n, measure)
    logs, variances = [float(naive)], [float(naive_variance)]
    for table in misclassified_again(m, n, se, sp, lambdas=powers, simulations=simulations, seed=seed):
        values, own = _log_measure(table, n, measure)
        logs.append(float(values.mean()))
        variances.append(float(own.mean() - values.var(ddof=1)))
    amounts, curve, spread = np.array([0.0, *powers]), np.array(logs), np.array(variances)
    point, variance = extrapolated(amounts, curve), extrapolated(amounts, spread)
    error = float(np.sqrt(variance)) if variance > 0 else None
    return SimexCheck(
        measure=measure,
        naive=float(np.exp(naive)),
        point=float(np.exp(point)),
        se=error,
        low=None if error is None else float(np.exp(point - z * error)),
        high=None if error is None else float(np.exp(point + z * error)),
        lambdas=amounts,
        log_estimates=curve,
        variances=spread,
        level=level,
        simulations=simulations,
        seed=seed,
        state="check",
        note="a check only: the parabola under-corrects, and sensitivity and specificity are taken as known",
    )
