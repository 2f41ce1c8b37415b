"""Does the contrast between men and women differ between age bands, when sex is partly predicted."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.stats import chi2
from scipy.stats import f as fisher

from sexstrat.errors import EstimationError
from sexstrat.estimates.all_bands import all_bands_place
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.contrasts import CONTRASTS
from sexstrat.estimates.estimate_rows import LARGE_DF
from sexstrat.estimates.measures import Smooth, prevalence_of
from sexstrat.estimates.numbers.breslow_day import Homogeneity

__all__ = ["band_homogeneity"]


def _covariance(margin: Margin, found: list[Smooth]) -> np.ndarray:
    """Return the covariance of several measures from the variances of their sums: whatever the margin counts, holds."""
    alone = np.array([margin.uncertainty(one.by_pi, one.by_n).variance for one in found])
    covariance = np.diag(alone)
    for i, j in combinations(range(len(found)), 2):
        both = found[i].plus(found[j])
        shared = (margin.uncertainty(both.by_pi, both.by_n).variance - alone[i] - alone[j]) / 2
        covariance[i, j] = covariance[j, i] = shared
    return covariance


def band_homogeneity(one: Composition, kind: str = "odds_ratio") -> Homogeneity:
    """Test whether a contrast is the same in all age bands, from the joint covariance of the bands.

    Wald: with theta the contrasts (logs of ratios) and C their differences from the first, (C theta)' (C Var C')^-1
    (C theta), referred to F on (bands used - 1) and the fewest degrees of freedom of any band. Unlike the test of
    Breslow and Day it holds when sex is predicted, since Var holds that uncertainty; it needs a contrast in each band,
    so that bands without a case in one sex are left out.

    Parameters
    ----------
    one : the composition; as for the Mantel-Haenszel rows, its fallback answers where many bands are thin.
    kind : odds_ratio, ratio or difference.

    Returns
    -------
    The test, its statistic on the scale of chi-square; or undefined or refused, and the reason.

    Raises
    ------
    EstimationError : unknown kind.

    References
    ----------
    Rothman KJ, Greenland S, Lash TL. Modern Epidemiology, 3rd edition, 2008, chapter 15.

    Examples
    --------
    Both bands of the example are alike.

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random")
    >>> found = band_homogeneity(one)
    >>> round(found.statistic, 6), found.df, round(found.p_value, 3)
    (0.0, 1.0, 1.0)
    """
    if kind not in CONTRASTS:
        raise EstimationError(f"no contrast {kind!r}; there are {', '.join(CONTRASTS)}")
    place = all_bands_place(one, "mantel_haenszel")
    margin, formula, bands = place.margin, CONTRASTS[kind][1], len(one.bands)
    pairs = [[prevalence_of(margin, sex, row) for sex in ("male", "female")] for row in np.eye(bands)]
    found = [theta for theta in (formula(*pair) for pair in pairs) if np.isfinite(theta.value)]

    def untested(reason: str, state: str = "undefined") -> Homogeneity:
        nothing: dict[str, None] = dict.fromkeys(("statistic", "df", "p_value", "uncorrected"))
        return Homogeneity(**nothing, n_strata=bands, n_used=len(found), state=state, reason=reason)

    if place.state == "refused":
        return untested(place.source.why, "refused")
    if len(found) < 2:
        return untested(f"{len(found)} bands have a contrast; two are needed to compare")
    apart = np.array([theta.value - found[0].value for theta in found[1:]])
    contrast = np.column_stack([-np.ones(len(found) - 1), np.eye(len(found) - 1)])
    covariance = contrast @ _covariance(margin, found) @ contrast.T
    spread = np.linalg.eigvalsh(covariance)
    if not spread[0] > 1e-10 * spread[-1]:
        return untested("the bands' numbers lean on each other so much that their differences have no variance")
    statistic, df = float(apart @ np.linalg.solve(covariance, apart)), float(len(found) - 1)
    fewest = min(margin.uncertainty(theta.by_pi, theta.by_n).df for theta in found)
    p = chi2.sf(statistic, df) if fewest >= LARGE_DF else fisher.sf(statistic / df, df, fewest)
    return Homogeneity(
        statistic=statistic,
        df=df,
        p_value=float(p),
        uncorrected=None,
        n_strata=bands,
        n_used=len(found),
        state=place.state,
        reason=place.note,
    )
