"""Everything that the metrics of one group are computed from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.audit.alike import AlikePatients, alike_patients
from sexstrat.audit.compound import COMPOUND_METRICS
from sexstrat.audit.grouping import Grouping, positions_by_code
from sexstrat.audit.images import AuditImages
from sexstrat.audit.influence import image_influence
from sexstrat.audit.replicates import REPLICATES, Replicates, replicates_of_sums
from sexstrat.audit.sums import PatientSums, patient_sums

__all__ = ["DRAWN", "Gathered", "GroupData", "Options", "gathered", "group_data"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

DRAWN = ("correct_among_men", "correct_among_women", "accuracy", "ungradable")
"""Metrics resampled to say how sure the worst group is, besides the compound ones, whose intervals need it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How metrics are measured.

    Parameters
    ----------
    threshold : an image is called male when prob_male ≥ threshold.
    level : confidence level.
    min_patients : smallest number of patients in a metric's own denominator that defines it.
    n_replicates, seed : number of bootstrap replicates, and their seed.
    student : whether limits are those of Student's t with one degree less than the patients of a metric's denominator,
        for patients that stand for sampling units.

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
    student: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupData:
    """What is known of one group.

    Parameters
    ----------
    images : its images, gradable or not, whatever their recorded sex.
    checked : those of them that have a score and a recorded sex of male or female.
    by_score : positions of ``checked`` in rising order of the score.
    patient : which of all patients each patient of ``checked`` is.
    influence : for each metric of ``IMAGE_METRICS`` that is defined, its value and the influence of each of the
        ``checked`` images on it.
    sums, counts : what a patient of each kind adds, in the orders of :class:`sexstrat.audit.sums.PatientSums`, without
        the losses.
    times : number of patients of each kind.
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
    checked: AuditImages
    by_score: NDArray[np.intp]
    patient: NDArray[np.intp]
    influence: Mapping[str, tuple[float, Floats]]
    sums: Floats
    counts: Floats
    times: NDArray[np.int64]
    replicates: Mapping[str, Floats]

    def needed(self) -> dict[str, int]:
        """Count the patients of each kind of denominator."""
        return {name: int(self.times[each > 0].sum()) for name, each in self._kinds().items()}

    def images_of(self, kind: str) -> int:
        """Count the images of a kind of denominator."""
        return round(float(self.times @ self._kinds()[kind]))

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What the patients add to the groups of one grouping variable, and what comes of it when they are resampled.

    Parameters
    ----------
    sums : what each patient adds.
    alike : the same patients gathered by what they add.
    drawn : bootstrap replicates of ``COMPOUND_METRICS`` and ``DRAWN``.
    """

    sums: PatientSums
    alike: AlikePatients
    drawn: Replicates


def gathered(images: AuditImages, grouping: Grouping, options: Options, known: PatientSums | None = None) -> Gathered:
    """Add up and resample the patients of every group.

    Parameters
    ----------
    images : every listed image.
    grouping : group of each image.
    options : threshold, and number and seed of the replicates.
    known : as in :func:`sexstrat.audit.sums.patient_sums`.

    Examples
    --------
    >>> from sexstrat.audit.clusters import Clusters
    >>> four = np.ones(4, dtype=bool)
    >>> images = AuditImages(
    ...     patients=Clusters.of([1, 2, 3, 4]),
    ...     gradable=four,
    ...     prob_male=np.array([0.9, 0.8, 0.7, 0.1]),
    ...     male=four,
    ...     female=~four,
    ...     weight=four * 1.0,
    ...     validated_weight=four * 1.0,
    ... )
    >>> site = Grouping(name="site", labels=("x",), code=np.zeros(4, dtype=np.int64))
    >>> gathered(images, site, Options()).alike.times.tolist()  # one man called a woman, three called men
    [1, 3]
    """
    sums = patient_sums(images, grouping, threshold=options.threshold, known=known)
    alike = alike_patients(sums)
    metrics = (*COMPOUND_METRICS, *DRAWN)
    drawn = replicates_of_sums(sums, metrics, alike=alike, n=options.n_replicates, seed=options.seed)
    return Gathered(sums=sums, alike=alike, drawn=drawn)


def group_data(
    images: AuditImages,
    grouping: Grouping,
    options: Options,
    known: Gathered | None = None,
    by_score: NDArray[np.intp] | None = None,
) -> Iterator[tuple[str, GroupData]]:
    """Yield each group with what its metrics are computed from.

    Parameters
    ----------
    images : every listed image; quickest where those of a patient follow each other, the patients in order.
    grouping : group of each image.
    options : threshold, and number and seed of the replicates.
    known : sums and replicates of the same images and groups, in any order of the images.
    by_score : positions of the images in rising order of the score, where known already.
    """
    known = known or gathered(images, grouping, options)
    order = np.argsort(images.prob_male, kind="stable") if by_score is None else by_score
    kinds = positions_by_code(known.alike.sums.group, len(grouping.labels))
    for place, (label, index, inside, ranked) in enumerate(_parts(images.validated, grouping, order)):
        checked, patient = images.part(inside)
        listed = checked if len(inside) == len(index) else images.of(index)
        kind = kinds[place]
        yield (
            label,
            GroupData(
                images=listed,
                checked=checked,
                by_score=ranked,
                patient=patient,
                influence=image_influence(checked, ranked),
                sums=known.alike.sums.sums[kind],
                counts=known.alike.sums.counts[kind].astype(np.float64),
                times=known.alike.times[known.alike.sums.patient[kind]],
                replicates={name: known.drawn.of(name)[:, place] for name in COMPOUND_METRICS},
            ),
        )


def _parts(
    validated: NDArray[np.bool_], grouping: Grouping, order: NDArray[np.intp]
) -> Iterator[tuple[str, Places, Places, Places]]:
    """Yield each group, its images, those validated, and the places among these in rising order of the score."""
    ranked = order[validated[order]]
    place = np.empty(len(order), dtype=np.intp)
    in_order = positions_by_code(grouping.code[ranked], len(grouping.labels))
    for (label, index), risen in zip(grouping.parts(), in_order, strict=True):
        inside = index[validated[index]]
        place[inside] = np.arange(len(inside))
        yield label, index, inside, place[ranked[risen]]
