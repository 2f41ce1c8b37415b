"""Every metric of every group of an audit, with what the comparison of groups needs besides."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sexstrat.audit.group_covariance import Contributions, group_covariance
from sexstrat.audit.group_data import Gathered, GroupData, Options, gathered, group_data
from sexstrat.audit.grouping import EVERYONE, Grouping
from sexstrat.audit.images import AuditImages
from sexstrat.audit.influence import IMAGE_METRICS
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.metrics import measure_group
from sexstrat.audit.sampling import with_spread_of

__all__ = ["Measured", "measured"]

MANY_IMAGES = 200_000  # from which groups are measured several at a time
MOST_THREADS = 4

Key = tuple[str, str, str]
Covariances = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured.

    Parameters
    ----------
    found : measurements by (metric, grouping variable, group), the overall ones under ("overall", "all").
    gathered : sums and replicates of each grouping variable.
    covariances : by grouping variable, the covariances over its groups of the metrics that follow from no sums.
    in_units : whether intervals, sums, replicates and covariances count sampling units; counts are of patients always.

    Examples
    --------
    >>> Measured(found={}, gathered={}, covariances={}).found
    {}
    """

    found: Mapping[Key, Measurement]
    gathered: Mapping[str, Gathered]
    covariances: Mapping[str, Covariances]
    in_units: bool = False


def measured(images: AuditImages, groupings: Sequence[Grouping], options: Options) -> Measured:
    """Measure every metric in every group, and in all images together.

    Where patients were sampled in units, all is measured twice: counting patients, who decide what is defined, and
    counting units, whose intervals it gets.

    Parameters
    ----------
    images : every listed image.
    groupings : grouping variables.
    options : how to measure.
    """
    images, groupings = _by_patient(images, groupings)
    by_score = np.argsort(images.prob_male, kind="stable")  # sorted once, so that no group need be sorted again
    everyone = Grouping(name=EVERYONE, labels=("all",), code=np.zeros(len(by_score), dtype=np.int64))
    found: dict[Key, Measurement] = {}
    sums: dict[str, Gathered] = {}
    covariances: dict[str, Covariances] = {}
    overall: dict[str, Contributions | None] = {}
    for grouping in (everyone, *groupings):
        known = sums[EVERYONE].sums if sums else None
        sums[grouping.name] = gathered(images, grouping, options, known)
        added: dict[str, list[Contributions | None]] = {name: [] for name in IMAGE_METRICS}
        parts = group_data(images, grouping, options, sums[grouping.name], by_score)
        for label, measures, contributions in _of_parts(parts, len(by_score), options):
            found |= {(metric, grouping.name, label): one for metric, one in measures.items()}
            for name in IMAGE_METRICS:
                added[name].append(contributions[name])
        overall = overall or {name: added[name][0] for name in IMAGE_METRICS}
        covariances[grouping.name] = {
            name: group_covariance(added[name], overall[name], images.patients.n) for name in IMAGE_METRICS
        }
    if images.weighted:
        points_only = replace(options, n_replicates=2)
        for key, one in measured(images.unweighted(), groupings, points_only).found.items():
            found[key] = replace(found[key], unweighted=one.point)
    if images.units is None:
        return Measured(found=found, gathered=sums, covariances=covariances)
    by_unit = measured(images.by_unit(), groupings, replace(options, min_patients=2, student=True))
    for key, one in found.items():
        other = by_unit.found[key]
        found[key] = with_spread_of(one, other, other.n_patients)
    return Measured(found=found, gathered=by_unit.gathered, covariances=by_unit.covariances, in_units=True)


def _by_patient(images: AuditImages, groupings: Sequence[Grouping]) -> tuple[AuditImages, Sequence[Grouping]]:
    """Put the images of each patient one after the other, so that sums by patient are read in one go."""
    code = images.patients.code
    if np.all(code[1:] >= code[:-1]):
        return images, groupings
    order = np.argsort(code, kind="stable")
    return images.of(order), [replace(grouping, code=grouping.code[order]) for grouping in groupings]


def _of_parts(
    parts: Iterator[tuple[str, GroupData]], n_images: int, options: Options
) -> list[tuple[str, dict[str, Measurement], dict[str, Contributions | None]]]:
    """Measure groups, several at a time where there are many images; the result does not depend on that."""

    def one(part: tuple[str, GroupData]) -> tuple[str, dict[str, Measurement], dict[str, Contributions | None]]:
        label, data = part
        return label, measure_group(data, options), {name: _contributions(data, name) for name in IMAGE_METRICS}

    if n_images < MANY_IMAGES:
        return [one(part) for part in parts]
    with ThreadPoolExecutor(max_workers=min(MOST_THREADS, os.cpu_count() or 1)) as pool:
        return list(pool.map(one, parts))


def _contributions(data: GroupData, metric: str) -> Contributions | None:
    if metric not in data.influence:
        return None
    return Contributions(patient=data.patient, values=data.checked.patients.total(data.influence[metric][1]))
