"""Weights that let the images with a score stand for all: one over the estimated probability of having one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.audit.ageing.clustered_logistic import clustered_logistic
from sexstrat.audit.ageing.splines import age_knots, spline_columns
from sexstrat.audit.clusters import Clusters

__all__ = ["TRIM", "ScoredWeights", "scored_weights"]

Floats = NDArray[np.float64]

TRIM = 0.99  # weights above this quantile are cut to it: Cole, Hernan, Am J Epidemiol 2008;168:656-664
FEWEST = 10  # patients with and without a score for each coefficient: Peduzzi et al., J Clin Epidemiol 1996;49:1373
_LEVELS = 20  # most groups of a column that may enter; more, and the column is left out and named


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredWeights:
    """Weights of the images with a score, or the reason why there are none.

    Parameters
    ----------
    weight : stabilised weight of each image with a score, trimmed; empty when undefined.
    used : covariates in the model.
    trimmed : share of the images with a score whose weight was cut.
    largest : largest weight before it was cut; None when undefined.
    state : ``measured`` or ``undefined``.
    note : what was done, or the reason; without a count of patients.

    Examples
    --------
    >>> ScoredWeights(used=(), trimmed=0.0, largest=None, state="undefined", note="all have a score").weight.size
    0
    """

    used: tuple[str, ...]
    trimmed: float
    largest: float | None
    weight: Floats = field(default_factory=lambda: np.zeros(0))
    state: str = "measured"
    note: str = ""


def scored_weights(
    rows: pd.DataFrame, scored: NDArray[np.bool_], patients: Clusters, *, covariates: Sequence[str]
) -> ScoredWeights:
    """Model the probability of having a score and return stabilised, trimmed weights of the images that have one.

    Logistic regression on age (a spline of three knots), and an indicator for every group of the other covariates.
    Weight = share with a score / estimated probability, so that the mean weight is near 1; weights above their 99th
    percentile are cut to it. Assumes that, given these covariates, having a score does not depend on being called
    rightly; the bounds of :func:`bounded` assume nothing.

    Parameters
    ----------
    rows : one row an image.
    scored : whether each has a score.
    patients : the patient of each.
    covariates : columns: ``age_years`` and categorical ones; those that are the same everywhere, or have more than 20
        groups, are left out.

    Returns
    -------
    The weights; undefined when all or nobody have a score, or too few are on one side for the model.

    References
    ----------
    Robins JM, Hernan MA, Brumback B. Epidemiology 2000;11:550-560 (stabilised weights); Cole SR, Hernan MA 2008.

    Examples
    --------
    Eight in ten of group a and four in ten of group b have a score, 600 images of 1,000: .6 / .8 and .6 / .4.

    >>> group = np.repeat(["a", "b"], 500)
    >>> scored = np.arange(1000) % 10 < np.where(group == "a", 8, 4)
    >>> found = scored_weights(pd.DataFrame({"site": group}), scored, Clusters.of(range(1000)), covariates=["site"])
    >>> found.weight[[0, -1]].round(4).tolist()
    [0.75, 1.5]
    """
    if scored.all() or not scored.any():
        why = "every image has a score" if scored.all() else "no image has a score"
        return ScoredWeights(used=(), trimmed=0.0, largest=None, state="undefined", note=why)
    columns, used = _design(rows, covariates)
    fewest = min(patients.having(scored), patients.having(~scored))
    if not used or fewest < FEWEST * (columns.shape[1] - 1):
        why = "no covariate varies" if not used else "too few patients with, or without, a score for such a model"
        return ScoredWeights(used=used, trimmed=0.0, largest=None, state="undefined", note=why)
    fit = clustered_logistic(columns, scored, patients)
    if fit.state != "measured":
        why = "the covariates tell exactly who has a score somewhere: no weights there"
        return ScoredWeights(used=used, trimmed=0.0, largest=None, state="undefined", note=why)
    raw = float(scored.mean()) / expit(columns[scored] @ fit.coefficients)
    limit, largest = float(np.quantile(raw, TRIM)), float(raw.max())
    cut = raw > limit * (1 + 1e-9)
    note = f"weights by {', '.join(used)}; the largest is {largest:.2f}"
    note += f", cut to {limit:.2f} in {100 * cut.mean():.1f} % of the images" if cut.any() else ", none was cut"
    return ScoredWeights(
        weight=np.minimum(raw, limit), used=used, trimmed=float(cut.mean()), largest=largest, note=note
    )


def _design(rows: pd.DataFrame, covariates: Sequence[str]) -> tuple[Floats, tuple[str, ...]]:
    """Return the design of the model, with its column of ones, and the covariates in it."""
    columns, used = [np.ones((len(rows), 1))], []
    for name in covariates:
        found = _age(rows[name]) if name == "age_years" else _groups(rows[name])
        if found.shape[1]:
            columns.append(found)
            used.append(name)
    return np.column_stack(columns), tuple(used)


def _age(ages: pd.Series) -> Floats:
    """Return age as a spline; an unknown age stands at the median, with an indicator of its own."""
    values = ages.to_numpy(dtype=float, na_value=np.nan)
    unknown = np.isnan(values)
    if unknown.all():
        return np.zeros((len(values), 0))
    knots = age_knots(values[~unknown], 3)
    filled = np.where(unknown, np.nanmedian(values), values)
    curve = spline_columns(filled, knots)[:, 1:] if knots else np.zeros((len(values), 0))
    return np.column_stack([curve, unknown]) if unknown.any() else curve


def _groups(column: pd.Series) -> Floats:
    """Return an indicator for each group but the first; empty is a group."""
    code, names = pd.factorize(column, use_na_sentinel=False, sort=False)
    if not 1 < len(names) <= _LEVELS:
        return np.zeros((len(column), 0))
    return np.asarray(code[:, None] == np.arange(1, len(names))[None, :], dtype=float)
