"""PACC and EMQ in every cell, and whether they agree, as they do where the score's errors carry over (label shift)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from sexstrat.estimates.cell_arrays import CellArrays
from sexstrat.estimates.compose_input import ComposeInput, margin, refused
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.label_shift_draws import DRAWS, LabelShiftDraws, label_shift_draws
from sexstrat.estimates.labelled_windows import LabelledMeans, labelled_means
from sexstrat.estimates.matrix_composition import mean_composition
from sexstrat.estimates.mean_value_shares import hidden_people
from sexstrat.estimates.taught_composition import TRANSPORTED, from_labelled, outside_range, untold
from sexstrat.estimates.taught_shares import TaughtShares, less_own_sexes, within_range
from sexstrat.estimates.taught_units import in_units

__all__ = ["emq_composition", "pacc_composition"]

Array = NDArray[np.float64]

DISAGREEMENT = 0.05  # two-sided size of the comparison, shared by the two disease states
RECALIBRATED = (
    "Among labelled people of a cell the log odds of being male are linear in the score's log odds; the rest of the "
    "score's distribution is as among them."
)
ONE_BY_ONE = "EMQ draws patients one by one: it needs equal weights and patients drawn without units or strata"


def _scores(arrays: CellArrays) -> Array:
    return np.nan_to_num(arrays.mean_prob_male)


def _means(given: ComposeInput) -> LabelledMeans:
    value = expit(given.labelled.logit)
    return labelled_means(given.labelled, value, by_disease=True, level=given.level)


def _one_by_one(given: ComposeInput) -> bool:
    return bool(np.allclose(given.arrays.w, given.arrays.n)) and not in_units(given, given.labelled)


def _agreement(given: ComposeInput, drawn: LabelShiftDraws) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the difference of the two estimators of all ages by disease, and a warning where they part."""
    hidden = hidden_people(given.arrays)[0].reshape(-1, 2)
    told: dict[str, Any] = {}
    parts = []
    for d, name in ((0, "well"), (1, "diseased")):
        weight = hidden[:, d] / max(hidden[:, d].sum(), 1e-300)
        apart = (drawn.pacc - drawn.emq)[:, d::2] @ weight
        spread = float(np.nanstd(apart[1:], ddof=1))
        z = float(apart[0]) / spread if spread > 1e-6 else 0.0  # a score of two values: the two never part
        told |= {f"pacc_minus_emq_{name}": float(apart[0]), f"pacc_minus_emq_{name}_z": z}
        parts.append(abs(z))
    told["pacc_emq_p_value"] = min(1.0, 4 * float(norm.sf(max(parts))))
    if told["pacc_emq_p_value"] >= DISAGREEMENT:
        return told, ()
    return told, (
        f"PACC and EMQ differ by {max(parts):.1f} standard errors of their difference: the score's errors are not "
        "those of the labelled people (label shift fails), or its recalibration is wrong; neither can be trusted.",
    )


def pacc_composition(given: ComposeInput) -> Composition:
    """Return the shares of men of each cell by probabilistic adjusted count (PACC).

    Among patients without recorded sex, pi = (p_T - m_0) / (m_1 - m_0), mean scores of theirs and of labelled women and
    men of the same age band and disease; recorded sexes are counted. The score need not be calibrated. V as for the
    matrix method: v_T / N + pi^2 v_1 / n_1 + (1 - pi)^2 v_0 / n_0 over the squared gap. The diagnostics hold the
    difference from EMQ in bootstrap samples, where patients were drawn one by one.

    Parameters
    ----------
    given : the input; internal designs, or external with labelled people of another cohort.

    Returns
    -------
    State ``model_based``, ``assumption`` where transport cannot be tested, or ``refused``.

    References
    ----------
    Bella A, Ferri C, Hernandez-Orallo J, Ramirez-Quintana MJ. Quantification via probability estimators. ICDM 2010.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> one = pacc_composition(worked_input())
    >>> one.crude_pi.round(6).tolist(), one.diagnostics["pacc_emq_p_value"]
    ([0.5, 0.666667], 1.0)
    """
    return from_labelled(given, "pacc", _pacc)


def _pacc(given: ComposeInput) -> Composition:
    values = _scores(given.arrays), _scores(given.labelled)
    one = mean_composition(
        given,
        "pacc",
        values,
        by_disease=True,
        state="model_based",
        why="The mean score of each age band and disease state is solved for the share of men.",
        assumptions=(TRANSPORTED,),
    )
    means = _means(given)
    if one.state == "refused" or not _one_by_one(given) or untold(given, means.told):
        return one
    return _compared(given, one, label_shift_draws(given, means, DRAWS))


def _compared(given: ComposeInput, one: Composition, drawn: LabelShiftDraws) -> Composition:
    told, warnings = _agreement(given, drawn)
    return replace(one, warnings=(*one.warnings, *warnings), diagnostics={**one.diagnostics, **told})


def emq_composition(given: ComposeInput) -> Composition:
    """Return the shares of men of each cell by maximum likelihood under label shift (EMQ).

    With p = P(male | score) recalibrated on the labelled people of the cell, of whom a share q are men, the share pi of
    those without recorded sex solves pi = mean of (pi / q) p / {(pi / q) p + ((1 - pi) / (1 - q)) (1 - p)}; recorded
    sexes are counted. V is that of bootstrap samples of both the cohort and the labelled people, recalibrated anew.

    Parameters
    ----------
    given : the input; equal weights, patients drawn one by one.

    Returns
    -------
    State ``model_based``, ``assumption`` where transport cannot be tested, or ``refused``.

    References
    ----------
    Saerens M, Latinne P, Decaestecker C. Neural Comput 2002;14:21-41. Alexandari A, Kundaje A, Shrikumar A. Maximum
    likelihood with bias-corrected calibration is hard-to-beat at label shift adaptation. ICML 2020.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> emq_composition(worked_input()).crude_pi.round(4).tolist()
    [0.5, 0.6667]
    """
    return from_labelled(given, "emq", _emq)


def _emq(given: ComposeInput) -> Composition:
    if not _one_by_one(given):
        return refused(given, "emq", f"No corrected estimate: {ONE_BY_ONE}.")
    means = _means(given)
    if reason := untold(given, means.told):
        return refused(given, "emq", reason)
    hidden, scored = hidden_people(given.arrays)
    if bool(((hidden > 0) & (scored <= 0)).any()):
        return refused(given, "emq", "No corrected estimate: in a cell nobody without recorded sex has a score.")
    drawn = label_shift_draws(given, means, DRAWS)
    by_band, overall, pooled = _margins(given, means, drawn)
    if reason := outside_range(hidden, hidden * drawn.emq[0]):
        return refused(given, "emq", reason)
    names = [label for label, one in zip(given.bands.labels, pooled, strict=True) if one]
    told = (
        "In band {}: the scores do not find both sexes in a cell; its share is taken from neighbouring bands together."
    )
    return _compared(
        given,
        Composition(
            condition=given.condition,
            bands=given.bands,
            estimator="emq",
            target=given.target,
            by_band=by_band,
            overall=overall,
            band_state=("model_based",) * len(given.bands),
            state="model_based",
            why="The scores of each age band and disease state are taken as a mixture of men's and women's.",
            assumptions=(TRANSPORTED, RECALIBRATED),
            warnings=(told.format(", ".join(names)),) if names else (),
            diagnostics={"n_labelled": int(given.labelled.n[given.labelled.validated].sum()), "draws": DRAWS},
            level=given.level,
        ),
        drawn,
    )


def _covariance(given: ComposeInput, drawn: LabelShiftDraws) -> Array:
    """Return the covariance of the drawn shares for the declared target."""
    covariance = np.atleast_2d(np.cov(np.nan_to_num(drawn.pi[1:]), rowvar=False))
    if not given.sampled:  # the people's own sexes are part of the truth, and no longer chance
        people, share = given.arrays.weights[0].ravel(), drawn.emq[0]
        own = hidden_people(given.arrays)[0] * share * (1 - share) / np.where(people > 0, people, 1.0) ** 2
        # The draws leave this much of a variance of nothing.
        covariance = less_own_sexes(covariance, own, least=float(np.sqrt(2 / DRAWS)))
    return covariance


def _margins(
    given: ComposeInput, means: LabelledMeans, drawn: LabelShiftDraws
) -> tuple[Margin, Margin, NDArray[np.bool_]]:
    """Return the margins by band and of all ages, and the bands of which a cell was pooled."""
    n = given.arrays.weights[0]
    people, hidden = n.ravel(), hidden_people(given.arrays)[0]
    covariance = _covariance(given, drawn)
    nobody = np.zeros((0, people.size))
    found = TaughtShares(
        pi=drawn.pi[0],
        own=nobody,
        learned=nobody,
        realised=covariance,
        unseen=np.zeros_like(covariance),
        told=np.where(hidden > 0, means.n_men + means.n_women - 1, given.arrays.n_validated.ravel()),
    )
    by_cell, pooled = within_range(found, people, hidden, hidden * drawn.emq[0])
    collapse = np.zeros((2, people.size))
    for d in (0, 1):
        collapse[d, d::2] = n[:, d] / max(n[:, d].sum(), 1e-300)
    whole = found.along(collapse)
    apart = np.nan_to_num(found.pi) - np.tile(np.nan_to_num(whole.pi), n.shape[0])
    between = np.diag(
        (people * apart**2).reshape(-1, 2).sum(axis=0) / np.where(n.sum(axis=0) > 0, n.sum(axis=0), 1.0) ** 2
    )

    def built(one: TaughtShares, extra: Array) -> Margin:
        told = one.told.reshape(-1, 2)
        return margin(
            given,
            one.pi.reshape(-1, 2),
            one.realised + extra,
            effective_validated=told,
            variance_df=np.maximum(told - 1, 1.0),
        )

    return (
        built(by_cell, np.zeros_like(covariance)),
        built(whole, between if given.sampled else np.zeros((2, 2))),
        np.asarray(pooled.reshape(-1, 2).any(axis=1)),
    )
