"""Everything that the metrics of one group are computed from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.audit.compound import COMPOUND_METRICS
from sexstrat.audit.grouping import Grouping
from sexstrat.audit.images import AuditImages
from sexstrat.audit.replicates import REPLICATES, replicates_of_sums
from sexstrat.audit.sums import PatientSums, patient_sums

__all__ = ["GroupData", "Options", "group_data"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How metrics are measured.

    Parameters
    ----------
    threshold : an image is called male when prob_male ≥ threshold.
    level : confidence level.
    min_patients : smallest number of patients in a metric's own denominator that defines it.
    n_replicates, seed : number of bootstrap replicates, and their seed.

    Examples
    --------
    >>> Options(min_patients=5).n_replicates
    2000
    """

    threshold: float = 0.5
    level: float = 0.95
    min_patients: int = 10
    n_replicates: int = REPLICATES
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupData:
    """What is known of one group.

    Parameters
    ----------
    images : its images, gradable or not, whatever their recorded sex.
    sums, counts : what each of its patients adds, in the orders of :class:`sexstrat.audit.sums.PatientSums`.
    replicates : bootstrap replicates of each metric of ``COMPOUND_METRICS``.

    Examples
    --------
    >>> from sexstrat.audit.clusters import Clusters
    >>> one = np.ones(1, dtype=bool)
    >>> woman = AuditImages(
    ...     patients=Clusters.of(["a"]),
    ...     gradable=one,
    ...     prob_male=one * 0.7,
    ...     male=~one,
    ...     female=one,
    ...     weight=one * 1.0,
    ...     validated_weight=one * 1.0,
    ... )
    >>> everyone = Grouping(name="overall", labels=("all",), code=np.zeros(1, dtype=np.int64))
    >>> ((_, data),) = group_data(woman, everyone, Options())
    >>> data.needed()
    {'men': 0, 'women': 1, 'patients': 1, 'patients called men': 1, 'patients called women': 0, 'listed patients': 1}
    """

    images: AuditImages
    sums: Floats
    counts: Floats
    replicates: Mapping[str, Floats]

    def needed(self) -> dict[str, int]:
        """Count the patients of each kind of denominator."""
        return {name: int(np.count_nonzero(each)) for name, each in self._kinds().items()}

    def images_of(self, kind: str) -> int:
        """Count the images of a kind of denominator."""
        return round(float(self._kinds()[kind].sum()))

    def _kinds(self) -> dict[str, Floats]:
        men, men_right, women, women_right, listed, _ = self.counts.T
        called = men_right + women - women_right
        return {
            "men": men,
            "women": women,
            "patients": men + women,
            "patients called men": called,
            "patients called women": men + women - called,
            "listed patients": listed,
        }


def group_data(
    images: AuditImages, grouping: Grouping, options: Options, known: PatientSums | None = None
) -> Iterator[tuple[str, GroupData]]:
    """Yield each group with what its metrics are computed from.

    Parameters
    ----------
    images : every listed image.
    grouping : group of each image.
    options : threshold, and number and seed of the replicates.
    known : as in :func:`sexstrat.audit.sums.patient_sums`.
    """
    sums = patient_sums(images, grouping, threshold=options.threshold, known=known)
    drawn = replicates_of_sums(sums, COMPOUND_METRICS, n=options.n_replicates, seed=options.seed)
    order = np.argsort(sums.group, kind="stable")
    ends = np.searchsorted(sums.group[order], np.arange(len(grouping.labels) + 1))
    for place, (label, index) in enumerate(grouping.parts()):
        rows = order[ends[place] : ends[place + 1]]
        yield (
            label,
            GroupData(
                images=images.of(index),
                sums=sums.sums[rows],
                counts=sums.counts[rows].astype(np.float64),
                replicates={name: drawn.of(name)[:, place] for name in COMPOUND_METRICS},
            ),
        )
