"""Intervals of the audit cover the truth as often as they say, with correlated eyes and unequal groups of patients."""

from __future__ import annotations

import json
import logging
from collections import Counter
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import norm

from sexstrat.audit import clustered_proportion
from sexstrat.audit.group_data import Options, group_data
from sexstrat.audit.grouping import Grouping
from sexstrat.audit.images import audit_images
from sexstrat.audit.metrics import METRICS, measure_group

logger = logging.getLogger(__name__)

SHIFT, AGREEMENT = 1.4, 0.6  # distance of the sexes in SDs, correlation of the two eyes
CUT = 0.2  # score from which an image is called male
GROUPS = {"small": 60, "middle": 150, "large": 600}  # patients
ONE_EYE = 0.2  # share of patients with a single image
MALE = 0.48
SPREAD = 1.3  # the score is this times the log odds that would be calibrated: probabilities are too extreme
EXEMPT = ("n_images", "n_patients", "ici", "e50", "e90", "ece", "ece_if_calibrated")  # counts, or biased and labelled


def cohort(seed: int) -> tuple[pd.DataFrame, Grouping]:
    """Return one or two images of each patient, their scores sharing a part, and the three groups."""
    rng = np.random.default_rng(seed)
    n = sum(GROUPS.values())
    eyes = 2 - (rng.random(n) < ONE_EYE)
    patient = np.repeat(np.arange(n), eyes)
    male = (rng.random(n) < MALE)[patient]
    noise = np.sqrt(AGREEMENT) * rng.normal(size=n)[patient]
    score = SHIFT * (male - 0.5) + noise + np.sqrt(1 - AGREEMENT) * rng.normal(size=len(patient))
    ungradable = rng.random(len(patient)) < np.where(rng.random(n) < 0.3, 0.5, 0.1)[patient]
    frame = pd.DataFrame(
        {
            "image_id": np.arange(len(patient)).astype(str),
            "patient_id": patient,
            "prob_male": np.where(ungradable, np.nan, expit(SPREAD * SHIFT * score)),
            "status": np.where(ungradable, "ungradable", "ok"),
            "age_years": 50.0,
            "recorded_sex": np.where(male, "male", "female"),
        }
    )
    return frame, Grouping(
        name="group", labels=tuple(GROUPS), code=np.repeat(np.arange(3), list(GROUPS.values()))[patient]
    )


def threshold() -> float:
    """Return the probability at which the score is CUT."""
    return float(expit(SPREAD * SHIFT * CUT))


@cache
def truths() -> dict[str, float]:
    """Return the true value of every metric, by the normal law where it has a formula and by quadrature."""
    men, women = norm.sf(CUT - SHIFT / 2), norm.cdf(CUT + SHIFT / 2)
    called = MALE * men + (1 - MALE) * (1 - women)
    z = np.linspace(-9, 9, 20_001)
    step = z[1] - z[0]
    density = {1: norm.pdf(z - SHIFT / 2) * MALE * step, 0: norm.pdf(z + SHIFT / 2) * (1 - MALE) * step}
    prob = expit(SPREAD * SHIFT * z)
    brier = float(density[1] @ (prob - 1) ** 2 + density[0] @ prob**2)
    loss = float(-density[1] @ np.log(prob) - density[0] @ np.log1p(-prob))
    intercept = 0.0
    weight = density[1] + density[0]
    for _ in range(50):
        fitted = expit(intercept + SPREAD * SHIFT * z)
        intercept += float(density[1].sum() - weight @ fitted) / float(weight @ (fitted * (1 - fitted)))
    f1 = 2 * MALE * men / (MALE + called)
    return {
        "correct_among_men": men,
        "correct_among_women": women,
        "accuracy": MALE * men + (1 - MALE) * women,
        "balanced_accuracy": (men + women) / 2,
        "correct_among_called_men": MALE * men / called,
        "correct_among_called_women": (1 - MALE) * women / (1 - called),
        "f1": f1,
        "auc": norm.cdf(SHIFT / np.sqrt(2)),
        "predicted_male_share": called,
        "observed_male_share": MALE,
        "predicted_minus_observed_male_share": called - MALE,
        "predicted_sex_ratio": called / (1 - called),
        "log_predicted_observed_ratio": np.log(called / MALE),
        "brier": brier,
        "scaled_brier": 1 - brier / (MALE * (1 - MALE)),
        "log_loss": loss,
        "calibration_in_the_large": intercept,
        "calibration_slope": 1 / SPREAD,
        "ungradable": 0.3 * 0.5 + 0.7 * 0.1,
    }


def covered(seed: int, n_replicates: int) -> dict[tuple[str, str], bool]:
    """Tell for each metric and group of one cohort whether the interval holds the truth."""
    frame, grouping = cohort(seed)
    images, _ = audit_images(frame, (), "image")
    options = Options(threshold=threshold(), n_replicates=n_replicates, seed=seed)
    found = {}
    for label, data in group_data(images, grouping, options):
        for metric, one in measure_group(data, options).items():
            if metric in EXEMPT:
                continue
            assert one.state == "measured", (metric, label, one.note)
            low, high = (-np.inf if one.low is None else one.low), (np.inf if one.high is None else one.high)
            found[(metric, label)] = bool(low <= truths()[metric] <= high)
    return found


def coverage(seeds: range, n_replicates: int = 2_000) -> dict[tuple[str, str], float]:
    """Return the share of cohorts whose interval holds the truth, by metric and group."""
    hits: Counter[tuple[str, str]] = Counter()
    for seed in seeds:
        hits.update(covered(seed, n_replicates))
    return {key: hits[key] / len(seeds) for key in sorted(hits)}


def test_every_metric_with_an_interval_is_judged() -> None:
    """The simulation knows the truth of every metric but the exempt ones, and each is measured in every group."""
    assert set(truths()) == set(METRICS) - set(EXEMPT)
    assert set(covered(1, 200)) == {(metric, group) for metric in truths() for group in GROUPS}


def test_intervals_cover_at_their_level() -> None:
    """12 seeded cohorts, all metrics and groups together: 95 % intervals hold the truth in 90 to 98.5 %."""
    found = coverage(range(20_000, 20_012), n_replicates=300)
    assert 0.90 <= np.mean(list(found.values())) <= 0.985


def test_ignoring_patients_would_undercover() -> None:
    """The same kind of figure with eyes taken as independent falls short: the check above can fail."""
    hits = []
    for k in range(300):
        rng = np.random.default_rng(k)
        patient = np.repeat(np.arange(150), 2)
        right = (rng.normal(size=150)[patient] + 0.3 * rng.normal(size=300)) < 0.8
        found = clustered_proportion(right, np.arange(300))
        hits.append((found.low or 0) <= norm.cdf(0.8 / np.sqrt(1.09)) <= (found.high or 1))
    assert np.mean(hits) < 0.90


@pytest.mark.slow
def test_intervals_cover_at_their_level_full() -> None:
    """500 cohorts: at least .92 for every metric and group; what is below is run again at 2,000 and must reach it."""
    found = coverage(range(1_000_000, 1_000_500))
    logger.info("coverage: %s", json.dumps({f"{metric}, {group}": share for (metric, group), share in found.items()}))
    below = [key for key, share in found.items() if share < 0.92]
    if below:
        again = coverage(range(2_000_000, 2_002_000))
        logger.info("again at 2,000: %s", {key: again[key] for key in below})
        assert [key for key in below if again[key] < 0.92] == []
