"""The metrics of an audit for one group of images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sexstrat.audit.auc import auc_clustered
from sexstrat.audit.calibration import calibration_in_the_large
from sexstrat.audit.images import AuditImages
from sexstrat.audit.male_share import male_share_difference
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.proportion import clustered_proportion

__all__ = ["METRICS", "measure_group"]

METRICS = (
    "n_images",
    "n_patients",
    "correct_among_men",
    "correct_among_women",
    "accuracy",
    "auc",
    "calibration_in_the_large",
    "predicted_minus_observed_male_share",
    "observed_male_share",
    "ungradable",
)


def measure_group(images: AuditImages, *, threshold: float, level: float, min_patients: int) -> dict[str, Measurement]:
    """Measure every metric in one group of images.

    Parameters
    ----------
    images : the images of the group, gradable or not, whatever their recorded sex.
    threshold : an image is called male when prob_male ≥ threshold.
    level : confidence level.
    min_patients : smallest number of patients in a metric's own denominator that defines it.

    Returns
    -------
    One measurement for each name in ``METRICS``.

    Examples
    --------
    >>> from sexstrat.audit.clusters import Clusters
    >>> none = np.zeros(0, dtype=bool)
    >>> nobody = AuditImages(
    ...     patients=Clusters.of([]),
    ...     gradable=none,
    ...     prob_male=none * 1.0,
    ...     male=none,
    ...     female=none,
    ...     weight=none * 1.0,
    ...     validated_weight=none * 1.0,
    ... )
    >>> group = measure_group(nobody, threshold=0.5, level=0.95, min_patients=10)
    >>> group["n_images"].point, group["accuracy"].state
    (0.0, 'undefined')
    """
    checked = images.of(np.flatnonzero(images.validated))
    called = checked.prob_male >= threshold
    right, weight = called == checked.male, checked.validated_weight

    def guarded(minimum: str, compute: Callable[[], Measurement]) -> Measurement:
        return _guarded(compute, minimum, images, checked, level, min_patients)

    def among(sex: NDArray[np.bool_], noun: str) -> Measurement:
        inside = checked.patients.within(sex)
        return guarded(noun, lambda: clustered_proportion(right[sex], inside, weight=weight[sex], level=level))

    def both_sexes(found: Measurement) -> Measurement:
        return replace(
            found, n_male=checked.patients.having(checked.male), n_female=checked.patients.having(checked.female)
        )

    prob, male, patients = checked.prob_male, checked.male, checked.patients
    return {
        "n_images": _count(float(len(images.gradable)), images, level),
        "n_patients": _count(float(images.patients.n), images, level),
        "correct_among_men": among(checked.male, "men"),
        "correct_among_women": among(checked.female, "women"),
        "accuracy": guarded(
            "patients", lambda: both_sexes(clustered_proportion(right, patients, weight=weight, level=level))
        ),
        "auc": guarded("men and women", lambda: auc_clustered(prob, male, patients, weight=weight, level=level)),
        "calibration_in_the_large": guarded(
            "men and women", lambda: calibration_in_the_large(prob, male, patients, weight=weight, level=level)
        ),
        "predicted_minus_observed_male_share": guarded(
            "patients", lambda: male_share_difference(called, male, patients, weight=weight, level=level)
        ),
        "observed_male_share": guarded(
            "patients", lambda: both_sexes(clustered_proportion(male, patients, weight=weight, level=level))
        ),
        "ungradable": _ungradable(images, level, min_patients),
    }


def _count(point: float, images: AuditImages, level: float) -> Measurement:
    return Measurement(
        level=level,
        point=point,
        n_images=len(images.gradable),
        n_patients=images.patients.n,
        n_male=images.patients.having(images.male),
        n_female=images.patients.having(images.female),
    )


def _ungradable(images: AuditImages, level: float, min_patients: int) -> Measurement:
    if images.patients.n >= min_patients:
        return clustered_proportion(~images.gradable, images.patients, weight=images.weight, level=level)
    return Measurement(
        level=level,
        n_images=len(images.gradable),
        n_patients=images.patients.n,
        state="undefined",
        note=_reason({"patients": images.patients.n}, min_patients),
    )


def _guarded(
    compute: Callable[[], Measurement],
    denominator: str,
    images: AuditImages,
    checked: AuditImages,
    level: float,
    min_patients: int,
) -> Measurement:
    """Compute a metric only where its own denominator is large enough; otherwise say what is lacking."""
    men, women = checked.patients.having(checked.male), checked.patients.having(checked.female)
    needed = {
        "men": {"men": men},
        "women": {"women": women},
        "patients": {"patients": checked.patients.n},
        "men and women": {"men": men, "women": women},
    }[denominator]
    if min(needed.values()) >= min_patients:
        return compute()
    chosen = {"men": checked.male, "women": checked.female}.get(denominator, checked.validated)
    missing = images.patients.n > 0 and checked.patients.n == 0
    note = "no image here has both a score and a recorded sex" if missing else _reason(needed, min_patients)
    return Measurement(
        level=level,
        n_images=int(chosen.sum()),
        n_patients=checked.patients.having(chosen),
        n_male=None if denominator == "women" else men,
        n_female=None if denominator == "men" else women,
        state="missing" if missing else "undefined",
        note=note,
    )


def _reason(needed: dict[str, int], min_patients: int) -> str:
    """Say what is lacking without giving away how many there are, except that there are none."""
    lacking = [f"no {noun}" for noun, n in needed.items() if n == 0]
    lacking += [f"fewer than {min_patients} {noun}" for noun, n in needed.items() if 0 < n < min_patients]
    return " and ".join(lacking) + " in the denominator"
