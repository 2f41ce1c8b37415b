"""What a bootstrap draws again: patients or whole clusters, within strata, in parts that fit in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.cluster_codes import cluster_codes
from sexstrat.estimates.compose_input import ComposeInput
from sexstrat.estimates.resampling.resampling import SCHEMES, cluster_multipliers, patient_multipliers
from sexstrat.estimates.standardise import standard_weights

__all__ = ["UNITS", "ResamplingPlan", "fixed_weights", "resampling_plan"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

ROOM = 4_000_000  # multipliers held at once: 32 MB
UNITS = ("patient", "psu", "site")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResamplingPlan:
    """How units are drawn again.

    Parameters
    ----------
    by : patient, psu or site.
    scheme : poisson or multinomial counts of patients; clusters are drawn n_h - 1 of n_h.
    replicates : resamples.
    clusters : cluster of every row of the cells and stratum of every cluster; None when patients are drawn.
    """

    by: str
    scheme: str
    replicates: int
    clusters: tuple[Codes, Codes] | None

    def multipliers(self, n: Array, stratum: Codes, rng: np.random.Generator) -> Iterator[Array]:
        """Yield how often each unit counts, shape (some of the replicates, units).

        Parameters
        ----------
        n : patients of each unit.
        stratum : stratum of each unit.
        rng : source of randomness.
        """
        left, part = self.replicates, max(1, ROOM // max(n.size, 1))
        while left > 0:
            size = min(left, part)
            left -= size
            if self.clusters is not None:
                yield cluster_multipliers(stratum, size=size, rng=rng)
            else:
                yield patient_multipliers(n, stratum, scheme=self.scheme, size=size, rng=rng)

    def sentence(self, recalibration: str) -> str:
        """Say what is drawn again and what is held fixed."""
        held = f"{recalibration}; folds, r and standard weights fixed."
        if self.clusters is None:
            return f"Patients drawn again ({self.scheme}); {held}"
        lonely = int((np.bincount(self.clusters[1]) == 1).sum())
        kept = f", {lonely} strata with one kept as they are" if lonely else ""
        return f"Whole units ({self.by}) drawn again within strata{kept}; {held}"


def resampling_plan(given: ComposeInput, *, replicates: int, scheme: str, by: str) -> ResamplingPlan:
    """Return how units are drawn again, after checking that they can be.

    Parameters
    ----------
    given : the input, target population, somebody validated.
    replicates : resamples, at least 1.
    scheme : poisson or multinomial.
    by : patient, psu or site.

    Raises
    ------
    EstimationError : the target is the cohort itself, nobody is validated, or nothing can be drawn again.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> plan = resampling_plan(worked_input(), replicates=10, scheme="poisson", by="patient")
    >>> plan.sentence("recalibration fixed")
    'Patients drawn again (poisson); recalibration fixed; folds, r and standard weights fixed.'
    """
    if not given.sampled:
        raise EstimationError(
            "resampling patients tells how a sample varies; the target 'cohort' takes these very people, whose "
            "intervals only the analytic variance gives"
        )
    if not bool(given.arrays.validated.any()):
        raise EstimationError("nobody's recorded sex is known: there is no correction to resample")
    if replicates < 1:
        raise EstimationError(f"the number of replicates must be at least 1; found {replicates}")
    if scheme not in SCHEMES:
        raise EstimationError(f"no scheme {scheme!r} of resampling; there are {', '.join(SCHEMES)}")
    if by not in UNITS:
        raise EstimationError(f"resampled are {', '.join(UNITS)}; found {by!r}")
    clusters = None if by == "patient" else cluster_codes(given.arrays, by)
    if clusters is not None and np.bincount(clusters[1]).max(initial=0) < 2:
        raise EstimationError(f"every stratum has one {by}: there is nothing to draw again")
    return ResamplingPlan(by=by, scheme=scheme, replicates=replicates, clusters=clusters)


def fixed_weights(
    given: ComposeInput, standards: Sequence[str | Mapping[int, float]]
) -> tuple[tuple[str, ...], list[Array]]:
    """Return the names and the weights of standard populations, held as the data's own ages make them.

    Parameters
    ----------
    given : the input.
    standards : names of standard populations, or weights by first year of age.

    Examples
    --------
    >>> from sexstrat.estimates.worked_example import worked_input
    >>> names, weights = fixed_weights(worked_input(), ["cohort"])
    >>> names, weights[0].tolist()
    (('cohort',), [0.5, 0.5])
    """
    ages = given.arrays.total(given.arrays.w).sum(axis=1)
    found = [standard_weights(standard, given.bands, ages) for standard in standards]
    return tuple(one.name for one in found), [one.weights for one in found]
