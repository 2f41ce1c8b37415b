"""The metrics of an audit for one group of images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from sexstrat.audit.auc import auc_clustered
from sexstrat.audit.calibration import calibration_in_the_large
from sexstrat.audit.calibration_curve import CURVE_METRICS, calibration_distances
from sexstrat.audit.calibration_error import expected_calibration_error, expected_if_calibrated
from sexstrat.audit.compound import compound_measurement
from sexstrat.audit.group_data import GroupData, Options
from sexstrat.audit.images import AuditImages
from sexstrat.audit.linear import COUNTED, ratio_parts
from sexstrat.audit.male_share import male_share_difference
from sexstrat.audit.measurement import Measurement
from sexstrat.audit.proper_scores import brier, log_loss
from sexstrat.audit.proportion import proportion_of_sums
from sexstrat.audit.sampling import student_level
from sexstrat.audit.scaled_brier import scaled_brier
from sexstrat.audit.slope import calibration_slope

__all__ = ["COUNT_METRICS", "METRICS", "SHARES", "measure_group"]

COUNT_METRICS = ("n_images", "n_patients")
BOTH = ("men", "women")

# each metric with the patients whom its denominator needs
NEEDED: Mapping[str, tuple[str, ...]] = {
    "correct_among_men": ("men",),
    "correct_among_women": ("women",),
    "accuracy": ("patients",),
    "balanced_accuracy": BOTH,
    "correct_among_called_men": ("patients called men",),
    "correct_among_called_women": ("patients called women",),
    "f1": ("men",),
    "auc": BOTH,
    "predicted_male_share": ("patients",),
    "observed_male_share": ("patients",),
    "predicted_minus_observed_male_share": ("patients",),
    "predicted_sex_ratio": ("patients",),
    "log_predicted_observed_ratio": ("men",),
    "brier": ("patients",),
    "scaled_brier": BOTH,
    "log_loss": ("patients",),
    "calibration_in_the_large": BOTH,
    "calibration_slope": BOTH,
    "ici": BOTH,
    "e50": BOTH,
    "e90": BOTH,
    "ece": ("patients",),
    "ece_if_calibrated": ("patients",),
    "ungradable": ("listed patients",),
}
METRICS = (*COUNT_METRICS, *NEEDED)
SHARES = (
    *("correct_among_men", "correct_among_women", "accuracy", "correct_among_called_men"),
    *("correct_among_called_women", "predicted_male_share", "observed_male_share", "ungradable"),
)
NOTHING = "no image here has both a score and a recorded sex"
EXPECTED = "mean of the expected calibration error when every probability is right; an estimate is read against it"


def measure_group(data: GroupData, options: Options) -> dict[str, Measurement]:
    """Measure every metric in one group of images.

    Parameters
    ----------
    data : the group.
    options : how to measure.

    Returns
    -------
    One measurement for each name in ``METRICS``. A metric whose own denominator holds fewer patients than
    ``options.min_patients`` is ``undefined`` with the reason; without any image that has both a score and a recorded
    sex, ``missing``.

    Examples
    --------
    >>> import numpy as np
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
    >>> data = GroupData(
    ...     images=nobody,
    ...     checked=nobody,
    ...     by_score=np.zeros(0, dtype=np.intp),
    ...     patient=np.zeros(0, dtype=np.intp),
    ...     influence={},
    ...     sums=np.zeros((0, 8)),
    ...     counts=np.zeros((0, 6)),
    ...     times=np.zeros(0, dtype=np.int64),
    ...     replicates={},
    ... )
    >>> group = measure_group(data, Options())
    >>> group["n_images"].point, group["accuracy"].state
    (0.0, 'undefined')
    """
    needed, images = data.needed(), data.images
    work = cache(lambda units: _computations(data, replace(options, level=student_level(options.level, units))))
    plain = _computations(data, options)
    found = {
        "n_images": _count(float(len(images.gradable)), images, options),
        "n_patients": _count(float(images.patients.n), images, options),
    }
    for metric, kinds in NEEDED.items():
        fewest = min(needed[kind] for kind in kinds)  # units that hold the fewer sex, where units are counted
        how = work(fewest) if options.student else plain
        found[metric] = how[metric]() if fewest >= options.min_patients else _absent(kinds, data, options)
    return found


def _count(point: float, images: AuditImages, options: Options) -> Measurement:
    return Measurement(
        level=options.level,
        point=point,
        n_images=len(images.gradable),
        n_patients=images.patients.n,
        n_male=images.patients.having(images.male),
        n_female=images.patients.having(images.female),
    )


def _computations(data: GroupData, options: Options) -> dict[str, Callable[[], Measurement]]:
    """Return how to compute each metric; nothing is computed before its denominator is known to be large enough."""
    checked = data.checked
    prob, male, patients = checked.prob_male, checked.male, checked.patients
    needed = data.needed()
    sexes = needed["men"], needed["women"]
    common: dict[str, Any] = {"weight": checked.validated_weight, "level": options.level, "sexes": sexes}
    drawn: dict[str, Any] = {"n": options.n_replicates, "seed": options.seed}
    about_images: dict[str, Callable[..., Measurement]] = {
        "brier": brier,
        "scaled_brier": scaled_brier,
        "log_loss": log_loss,
        "calibration_slope": calibration_slope,
    }
    work: dict[str, Callable[[], Measurement]] = {
        name: partial(one, prob, male, patients, **common) for name, one in about_images.items()
    }
    for name, one in {"auc": auc_clustered, "calibration_in_the_large": calibration_in_the_large}.items():
        work[name] = partial(one, prob, male, patients, **common, influence=data.influence.get(name))
    called = prob >= options.threshold
    work["predicted_minus_observed_male_share"] = partial(male_share_difference, called, male, patients, **common)
    work["ece"] = partial(expected_calibration_error, prob, male, patients, **common, **drawn)
    work["ece_if_calibrated"] = partial(_expected, checked, data, options)
    curve = cache(partial(calibration_distances, prob, male, patients, **common, **drawn, by_score=data.by_score))
    work |= {name: partial(_of_curve, curve, name) for name in CURVE_METRICS}
    work |= {name: partial(_rate, name, data, options) for name in SHARES}
    return work | {name: partial(_compound, name, data, options) for name in data.replicates}


def _of_curve(curve: Callable[[], Mapping[str, Measurement]], name: str) -> Measurement:
    return curve()[name]


def _rate(metric: str, data: GroupData, options: Options) -> Measurement:
    numerator, denominator = ratio_parts(metric)
    counted_in = data.counts @ numerator[COUNTED]
    found = proportion_of_sums(
        data.sums @ numerator,
        data.sums @ denominator,
        counted_in=counted_in,
        counted_out=data.counts @ denominator[COUNTED] - counted_in,
        times=data.times,
        level=options.level,
    )
    if NEEDED[metric] != ("patients",):
        return found
    needed = data.needed()
    return replace(found, n_male=needed["men"], n_female=needed["women"])


def _compound(metric: str, data: GroupData, options: Options) -> Measurement:
    return compound_measurement(
        metric, data.sums, data.counts, data.replicates[metric], times=data.times, level=options.level
    )


def _expected(checked: AuditImages, data: GroupData, options: Options) -> Measurement:
    point = expected_if_calibrated(
        checked.prob_male, checked.patients, weight=checked.validated_weight, seed=options.seed
    )
    needed = data.needed()
    return Measurement(
        level=options.level,
        point=point,
        n_images=len(checked.male),
        n_patients=needed["patients"],
        n_male=needed["men"],
        n_female=needed["women"],
        note=EXPECTED,
    )


def _absent(kinds: Sequence[str], data: GroupData, options: Options) -> Measurement:
    """Say what a denominator lacks, without giving away how many there are, except that there are none."""
    needed = data.needed()
    kind = kinds[0] if len(kinds) == 1 else "patients"
    missing = kind != "listed patients" and data.images.patients.n > 0 and needed["patients"] == 0
    lacking = [f"no {noun}" for noun in kinds if needed[noun] == 0]
    lacking += [
        f"fewer than {options.min_patients} {noun}" for noun in kinds if 0 < needed[noun] < options.min_patients
    ]
    about_sex = kind in ("men", "women", "patients")
    return Measurement(
        level=options.level,
        n_images=data.images_of(kind),
        n_patients=needed[kind],
        n_male=needed["men"] if about_sex and kind != "women" else None,
        n_female=needed["women"] if about_sex and kind != "men" else None,
        state="missing" if missing else "undefined",
        note=NOTHING if missing else " and ".join(lacking) + " in the denominator",
    )
