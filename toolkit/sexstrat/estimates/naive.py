"""E7: what an analyst prints who takes the prediction at its word; always shown beside, never the default."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sexstrat.estimates.cluster_codes import drawn_in_units
from sexstrat.estimates.clustered_margin import ClusteredMargin, clustered_margin, over_units
from sexstrat.estimates.compose_input import ComposeInput, margin, refused
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.estimates.unit_scores import RowInfluence, unit_scores
from sexstrat.values.design import Target

__all__ = ["complete_case", "naive_threshold", "naive_weighted", "recorded"]

Array = NDArray[np.float64]


def _composition(
    given: ComposeInput, estimator: str, male: Array, used: NDArray[np.bool_], why: str, *, state: str = "naive"
) -> Composition:
    """Return the composition of counts, each used row's patients taken as male in the share ``male``.

    The variance is the binomial one of counted people; over units, where the sample was drawn in units or strata; what
    is ``recorded`` for the very cohort has none.
    """
    arrays, target = given.arrays, given.target if state == "recorded" else Target.population
    tables = [
        arrays.total(np.nan_to_num(arrays.w * male), used),
        arrays.total(arrays.w, used),
        arrays.total(arrays.w2, used),
        arrays.total(arrays.n, used),
        arrays.total(arrays.n, used & arrays.validated),
    ]

    def build(men: Array, n: Array, n_variance: Array, patients: Array, validated: Array) -> Margin:
        safe = np.where(n > 0, n, np.nan)
        pi = men / safe
        variance = np.nan_to_num(n_variance * pi * (1 - pi) / safe**2).ravel()
        sampled = target is Target.population
        return margin(
            given,
            pi,
            np.diag(variance if sampled else 0 * variance),
            n=n,
            n_variance=n_variance,
            n_patients=patients,
            n_validated=validated,
            sampled=sampled,
            counted=True,
        )

    one = Composition(
        condition=given.condition,
        bands=given.bands,
        estimator=estimator,
        target=target,
        by_band=build(*tables),
        overall=build(*(table.sum(axis=0, keepdims=True) for table in tables)),
        band_state=(state,) * len(given.bands),
        state=state,
        why=why,
        level=given.level,
    )
    if target is not Target.population or not drawn_in_units(arrays):
        return one
    whole, banded = (_over_units(given, each, male, used) for each in (one.overall, one.by_band))
    return over_units(given, one, banded, whole)


def _over_units(given: ComposeInput, plain: Margin, male: Array, used: NDArray[np.bool_]) -> ClusteredMargin:
    """Return a margin of counts over units, by Taylor linearisation: a patient moves a share by w (S - pi) / N."""
    arrays = given.arrays
    group = arrays.group if plain.pi.shape[0] == arrays.n_bands else arrays.diseased
    share, people = np.nan_to_num(plain.pi).ravel()[group], plain.n.ravel()[group]
    counts = np.zeros((arrays.n.size, plain.pi.size))
    counts[np.arange(arrays.n.size), group] = used
    moved = np.where(used, np.nan_to_num(male) - share, 0.0) / np.where(people > 0, people, 1.0)
    influence = RowInfluence.counted(arrays, counts * moved[:, None], counts)
    return clustered_margin(plain, (unit_scores(arrays, influence),))


def naive_threshold(given: ComposeInput) -> Composition:
    """Return the shares when predicted sex (prob_male at least 0.5) is taken as truth where sex is not recorded.

    Patients without recorded sex and without a score are left out, as such an analyst would. The interval is the
    binomial one, or that over sampling units, and ignores every error of the prediction.

    Parameters
    ----------
    given : the input; the design does not matter.

    References
    ----------
    Chen J et al. Fairness under unawareness. FAT* 2019 (arXiv 1811.11154).

    Examples
    --------
    Of 150 diseased, half are validated (50 men); of the others 40 + 5 of 75 are predicted male.

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random", method="naive_threshold")
    >>> one.pi[0, 1].round(6) == round((50 + 45) / 150, 6)
    np.True_
    """
    arrays = given.arrays
    male = np.where(arrays.validated, arrays.male, arrays.predicted_male).astype(float)
    used = arrays.validated | (arrays.n_eyes > 0)
    return _composition(
        given,
        "naive_threshold",
        male,
        used,
        "Predicted sex is taken as if it had been recorded; its errors are ignored.",
    )


def naive_weighted(given: ComposeInput) -> Composition:
    """Return the shares when each patient without recorded sex counts as prob_male of a man.

    Biased even for a calibrated score: the male prevalence is off by -E[Cov(S, D | p)] / P(male).

    Parameters
    ----------
    given : the input; the design does not matter.

    References
    ----------
    Chen J et al. Fairness under unawareness. FAT* 2019 (arXiv 1811.11154).

    Examples
    --------
    Of 75 diseased without recorded sex, 45 score 0.8 and 30 score 0.2: 42 men.

    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random", method="naive_weighted")
    >>> round(float(one.pi[0, 1]), 6) == round((50 + 42) / 150, 6)
    True
    """
    arrays = given.arrays
    male = np.where(arrays.validated, arrays.male, arrays.mean_prob_male)
    used = arrays.validated | (arrays.n_eyes > 0)
    return _composition(
        given,
        "naive_weighted",
        male,
        used,
        "The raw score is taken as the share of a man each patient is; that the score sees the disease is ignored.",
    )


def complete_case(given: ComposeInput) -> Composition:
    """Return the shares among patients with recorded sex alone; the others are dropped.

    Unbiased when sex is recorded at random, but wastes the score; biased otherwise.

    Parameters
    ----------
    given : the input; the design does not matter.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> compose(worked_cells(), bands=worked_bands(), design="random", method="complete_case").n.tolist()
    [[200.0, 75.0], [200.0, 75.0]]
    """
    return _composition(
        given,
        "complete_case",
        given.arrays.male.astype(float),
        given.arrays.validated,
        "Only patients with recorded sex are counted.",
    )


def recorded(given: ComposeInput) -> Composition:
    """Return the shares when every sex is recorded: counts, nothing estimated about sex.

    Target cohort: these are the people themselves, so there is no sampling error and no interval.

    Parameters
    ----------
    given : the input; refused when somebody's sex is not recorded.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(all_known=True), bands=worked_bands(), design="random", method="recorded")
    >>> one.crude_pi.round(4).tolist()
    [0.5, 0.6667]
    """
    if not given.arrays.validated.all():
        return refused(given, "recorded", "Not everybody's sex is recorded.")
    return _composition(
        given,
        "recorded",
        given.arrays.male.astype(float),
        given.arrays.validated,
        "Sex is recorded for everybody, so nothing is estimated about it.",
        state="recorded",
    )
