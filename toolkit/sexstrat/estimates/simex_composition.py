"""MC-SIMEX of every cell: a check of the matrix method, never an estimate to report."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from sexstrat.estimates.compose_input import ComposeInput, refused
from sexstrat.estimates.composition import Composition
from sexstrat.estimates.labelled_windows import LabelledMeans, labelled_means
from sexstrat.estimates.mean_value_shares import hidden_people
from sexstrat.estimates.numbers.simex import extrapolated, misclassified_again
from sexstrat.estimates.taught_composition import TRANSPORTED, from_labelled, taught_composition, untold
from sexstrat.estimates.taught_shares import TaughtShares
from sexstrat.estimates.taught_units import in_units

__all__ = ["simex_composition"]

Array = NDArray[np.float64]

LAMBDAS = np.array([0.5, 1.0, 1.5, 2.0])
SIMULATIONS = 200
KNOWN = (
    "Sensitivity and specificity by disease and age band are known without error: the interval is too narrow. The "
    "parabola under-corrects."
)
STATE = "check"


def simex_composition(given: ComposeInput) -> Composition:
    """Return the shares of men extrapolated to no misclassification: a check only, which under-corrects.

    In each cell predicted sex of patients without recorded sex is misclassified again by the matrix of the labelled
    people to the powers 0.5, 1, 1.5 and 2; the mean log odds of being called male, and the naive one at 0, are
    extrapolated by a parabola to -1, its variance likewise (mean variance less variance of the simulated). Recorded
    sexes are counted. In one band the odds ratio is that of :func:`mc_simex`.

    Parameters
    ----------
    given : the input; equal weights, patients drawn one by one.

    Returns
    -------
    State ``check``, or ``refused``.

    References
    ----------
    Kuechenhoff H, Mwalili SM, Lesaffre E. Biometrics 2006;62:85-96. Stefanski LA, Cook JR. JASA 1995;90:1247-1256.

    Examples
    --------
    The parabola falls short: of the diseased .65 rather than .67 look like men.

    >>> from sexstrat.estimates.worked_example import worked_input
    >>> one = simex_composition(worked_input())
    >>> one.state, 0.6 < one.crude_pi[1] < 0.667
    ('check', np.True_)
    """
    return from_labelled(given, "simex", _simex)


def _no_simulation(given: ComposeInput, called: Array, scored: Array) -> str:
    if not np.allclose(given.arrays.w, given.arrays.n) or in_units(given, given.labelled):
        return "MC-SIMEX draws patients one by one: it needs equal weights and no units or strata"
    hidden, _ = hidden_people(given.arrays)
    bare = (hidden > 0) & ((called <= 0) | (called >= scored))
    bands = np.asarray(bare.reshape(-1, 2).any(axis=1))
    names = [label for label, one in zip(given.bands.labels, bands, strict=True) if one]
    return f"nobody, or everybody, is called male in a cell of band {', '.join(names)}" if names else ""


def _simex(given: ComposeInput) -> Composition:
    arrays = given.arrays
    value = given.labelled.predicted_male.astype(float)
    means = labelled_means(given.labelled, value, by_disease=True, level=given.level)
    if reason := untold(given, means.told):
        return refused(given, "simex", reason)
    _, scored = hidden_people(arrays)
    rows = ~arrays.validated & (arrays.n_eyes > 0)
    called = arrays.total(arrays.n * arrays.predicted_male, rows).ravel()
    if reason := _no_simulation(given, called, scored):
        return refused(given, "simex", f"No check: {reason}.")
    share, variance = _extrapolated_shares(given, means, called, scored)
    floor = 0.0 if given.sampled else hidden_people(arrays)[0].clip(1) ** -1.0 * share * (1 - share)
    if not bool((variance > floor)[scored > 0].all()):
        return refused(
            given, "simex", "No check: the extrapolated variance of a cell is not above 0; too few patients."
        )
    return taught_composition(
        given,
        given.labelled,
        _shares(given, means, share, variance),
        estimator="simex",
        state=STATE,
        why="A check only: error is added by simulation and the trend carried back to none.",
        assumptions=(TRANSPORTED, KNOWN),
        warnings=(
            "MC-SIMEX under-corrects, and its interval takes sensitivity and specificity as known: a check only.",
        ),
    )


def _extrapolated_shares(given: ComposeInput, means: LabelledMeans, called: Array, n: Array) -> tuple[Array, Array]:
    """Return the extrapolated share of men of each cell's unrecorded patients, and its variance."""
    used = n > 0
    q, people = called[used], n[used]
    tables = misclassified_again(
        q,
        people,
        means.men[used],
        1 - means.women[used],
        lambdas=LAMBDAS,
        simulations=SIMULATIONS,
        seed=given.seed,
    )
    logs, spreads = [logit(q / people)], [1 / q + 1 / (people - q)]
    for table in tables:
        inside = np.clip(table, 0.5, people - 0.5)  # a simulated table without anybody called male, or all
        values = logit(inside / people)
        logs.append(values.mean(axis=0))
        spreads.append((1 / inside + 1 / (people - inside)).mean(axis=0) - values.var(axis=0, ddof=1))
    amounts = np.array([0.0, *LAMBDAS])
    share, variance = np.full(n.size, 0.0), np.zeros(n.size)
    at_zero = [
        (extrapolated(amounts, one), extrapolated(amounts, two))
        for one, two in zip(np.array(logs).T, np.array(spreads).T, strict=True)
    ]
    line, spread = np.array(at_zero).T if at_zero else (np.zeros(0), np.zeros(0))
    share[used] = expit(line)
    variance[used] = spread * (share[used] * (1 - share[used])) ** 2
    return share, variance


def _shares(given: ComposeInput, means: LabelledMeans, share: Array, variance: Array) -> TaughtShares:
    """Return shares of everybody, recorded sexes counted; the simulated variance stands beside that of the recorded."""
    arrays = given.arrays
    n = arrays.n_patients.ravel()
    safe = np.where(n > 0, n, 1.0)
    hidden, _ = hidden_people(arrays)
    men = arrays.total(np.where(arrays.male, arrays.n, 0.0), arrays.validated).ravel()
    pi = (men + hidden * share) / np.where(n > 0, n, np.nan)
    standing = np.where(arrays.validated, arrays.male, share[arrays.group])
    own = np.zeros((arrays.n.size, n.size))
    own[np.arange(arrays.n.size), arrays.group] = (standing - np.nan_to_num(pi)[arrays.group]) / safe[arrays.group]
    through = (hidden / safe) ** 2 * variance
    its_own = hidden * share * (1 - share) / safe**2
    floor = np.diag(through) if given.sampled else np.diag(np.maximum(through - its_own, 0.0))
    return TaughtShares(
        pi=pi,
        own=own,
        learned=np.zeros((given.labelled.n.size, n.size)),
        realised=np.zeros((n.size, n.size)),
        unseen=floor,
        told=np.where(hidden > 0, means.n_men + means.n_women - 1, arrays.n_validated.ravel()),
        unseen_df=np.inf,
    )
