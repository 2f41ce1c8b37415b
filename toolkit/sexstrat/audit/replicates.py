"""Bootstrap replicates of every metric that follows from sums, patients being resampled within groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sexstrat.audit.alike import AlikePatients, alike_patients
from sexstrat.audit.grouping import Grouping
from sexstrat.audit.images import AuditImages
from sexstrat.audit.linear import LINEAR_METRICS, LOSS_METRICS, SUMS, linear_value
from sexstrat.audit.patterns import Stratum, pattern_strata
from sexstrat.audit.sums import PatientSums, patient_sums

__all__ = ["REPLICATES", "Replicates", "replicates", "replicates_of_sums"]

Floats = NDArray[np.float64]

REPLICATES = 2_000  # audit metrics: at least as many for a BCa interval
BLOCK = 4_000_000  # drawn counts held at a time, 32 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicates:
    """Metrics of every group, and of all images together, in resampled cohorts.

    Parameters
    ----------
    metrics : names of the metrics.
    labels : names of the groups, then "all" for every image.
    point : the metrics in the cohort itself, shape (groups + 1, metrics); NaN where undefined.
    values : the same in each replicate, shape (replicates, groups + 1, metrics); NaN where a replicate leaves it
        undefined. Row r of all groups comes from one resampled cohort, so differences between groups can be taken
        replicate by replicate, also where patients have images in several groups and against "all".

    Examples
    --------
    >>> two = Replicates(metrics=("auc",), labels=("a",), point=np.zeros((1, 1)), values=np.zeros((3, 1, 1)))
    >>> two.of("auc").shape
    (3, 1)
    """

    metrics: tuple[str, ...]
    labels: tuple[str, ...]
    point: Floats
    values: Floats

    def of(self, metric: str) -> Floats:
        """Return the replicates of one metric, shape (replicates, groups + 1)."""
        return self.values[:, :, self.metrics.index(metric)]


def _stratum_sums(stratum: Stratum, n: int, rng: np.random.Generator) -> Floats:
    """Return replicated sums of a stratum, shape (n, groups of the stratum, 8).

    N − 1 of N patients are drawn with replacement and weighted N/(N − 1), which makes the variance over replicates the
    unbiased one (Rao & Wu 1988); a stratum of one patient cannot vary.
    """
    size, (cells, groups, k) = stratum.size, stratum.mean.shape
    patients = int(size.sum())
    flat = stratum.mean.reshape(cells, -1)
    if patients < 2:
        return np.tile(flat.sum(axis=0), (n, 1)).reshape(n, groups, k)
    drawn = rng.multinomial(patients - 1, size / patients, size=n).astype(float)
    sums = drawn @ flat
    d = len(stratum.varying)
    if d:
        root = stratum.root
        spread = np.flatnonzero(root.any(axis=(1, 2)))
        for cell in spread:
            noise = np.sqrt(drawn[:, cell])[:, None] * rng.standard_normal((n, d))
            sums[:, stratum.varying] += noise @ root[cell].T
    return (sums * (patients / (patients - 1))).reshape(n, groups, k)


def replicates_of_sums(
    sums: PatientSums,
    metrics: Sequence[str],
    *,
    alike: AlikePatients | None = None,
    n: int = REPLICATES,
    seed: int = 1,
) -> Replicates:
    """Resample patients and compute metrics anew, from what each patient adds.

    Patients are resampled within strata: the groups, or sets of groups for patients with images in several, so that no
    group vanishes. Resampling is by multinomial counts of the cells of :func:`pattern_strata`, so its cost hardly grows
    with the number of patients; see there for what is drawn from a normal limit.

    Parameters
    ----------
    sums : what each patient adds.
    metrics : names from ``LINEAR_METRICS``.
    alike : the same patients gathered by what they add, where known already.
    n : number of replicates.
    seed : seed of the generator; the same seed gives the same replicates.

    References
    ----------
    Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapters 8 and 14; Rao & Wu 1988, JASA 83:231.

    Examples
    --------
    A man who is called rightly and one who is not: half of the replicates hold either.

    >>> sums = PatientSums(
    ...     labels=("a",),
    ...     patient=np.array([0, 1]),
    ...     group=np.array([0, 0]),
    ...     sums=np.array([[1.0, 1, 0, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, 0, 1, 0]]),
    ...     counts=np.array([[1, 1, 0, 0, 1, 0], [1, 0, 0, 0, 1, 0]]),
    ...     n_patients=2,
    ... )
    >>> found = replicates_of_sums(sums, ["correct_among_men"], n=1000, seed=1)
    >>> found.values.shape, bool(0.45 < found.of("correct_among_men")[:, 0].mean() < 0.55)
    ((1000, 2, 1), True)
    """
    rng, groups = np.random.default_rng(seed), len(sums.labels)
    total = np.zeros((n, groups + 1, len(SUMS)))
    if LOSS_METRICS.intersection(metrics):
        strata, point = pattern_strata(sums), sums.totals()
    else:
        alike = alike or alike_patients(sums)
        strata, point = pattern_strata(alike.sums, alike.times), alike.totals()
    for stratum in strata:
        step = max(1, BLOCK // max(len(stratum.size), 1))
        for start in range(0, n, step):
            rows = slice(start, min(start + step, n))
            drawn = _stratum_sums(stratum, rows.stop - rows.start, rng)
            for place, group in enumerate(stratum.groups):
                total[rows, groups] += drawn[:, place]
                if group >= 0:
                    total[rows, group] += drawn[:, place]
    np.maximum(total, 0.0, out=total)  # a sum drawn from a normal limit may fall just below nothing
    names = tuple(metrics)
    return Replicates(
        metrics=names,
        labels=(*sums.labels, "all"),
        point=np.stack([linear_value(name, point) for name in names], axis=-1),
        values=np.stack([linear_value(name, total) for name in names], axis=-1),
    )


def replicates(
    images: AuditImages,
    grouping: Grouping,
    metrics: Sequence[str] = LINEAR_METRICS,
    *,
    threshold: float = 0.5,
    n: int = REPLICATES,
    seed: int = 1,
) -> Replicates:
    """Return bootstrap replicates of metrics in every group of images; see :func:`replicates_of_sums`.

    Parameters
    ----------
    images : every listed image.
    grouping : group of each image.
    metrics : names from ``LINEAR_METRICS``.
    threshold : an image is called male when prob_male ≥ threshold.
    n : number of replicates.
    seed : seed of the generator.

    Examples
    --------
    Four men, one image each, three called men.

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
    >>> found = replicates(images, site, ["correct_among_men"], n=2000)
    >>> found.point[0, 0].item(), round(found.values[:, 0, 0].std().item(), 2)  # √(3/16 · 1/3) = 0.25
    (0.75, 0.25)
    """
    return replicates_of_sums(patient_sums(images, grouping, threshold=threshold), metrics, n=n, seed=seed)
