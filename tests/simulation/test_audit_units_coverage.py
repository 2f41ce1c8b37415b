"""Intervals of an audit cover the truth where patients were drawn in primary sampling units, with two eyes each."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import norm

from sexstrat.audit import audit_scores
from sexstrat.values.age_bands import AgeBands

logger = logging.getLogger(__name__)

APART = {"a": 2.2, "b": 1.9, "c": 2.0}  # distance of the sexes in SDs of the score, by group of patients
OF_UNIT, OF_PATIENT = 0.1, 0.5  # shares of the variance of the score between units, and between patients of a unit
OF_STRATA = (-0.15, 0.0, 0.15)  # shifts of the score by stratum
CUT, SPREAD, MALE = 0.1, 2.4, 0.45  # score called male, log odds for each SD of it, share of men
UNITS = {"40 units": (40, False), "60 units": (60, False), "45 units in 3 strata": (45, True)}
REFERENCE = "a"
GAPS = ("correct_among_men", "correct_among_women", "auc")
FEWEST = 0.92


def survey(seed: int, units: int, stratified: bool) -> pd.DataFrame:
    """Return two eyes of each patient of units of 10 to 50 patients, whose scores are shifted together."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(units), rng.integers(10, 51, units))
    n = len(unit)
    male, group = rng.random(n) < MALE, rng.choice(list(APART), n)
    stratum = np.arange(units) % len(OF_STRATA)
    moved = np.sqrt(OF_UNIT) * rng.normal(size=units) + (np.array(OF_STRATA)[stratum] if stratified else 0.0)
    score = (
        pd.Series(group).map(APART).to_numpy() * (male - 0.5) + moved[unit] + np.sqrt(OF_PATIENT) * rng.normal(size=n)
    )
    each = np.repeat(score, 2) + np.sqrt(1 - OF_UNIT - OF_PATIENT) * rng.normal(size=2 * n)
    frame = pd.DataFrame(
        {
            "patient_id": np.arange(n).astype(str),
            "status": "ok",
            "age_years": 50.0,
            "recorded_sex": np.where(male, "male", "female"),
            "site": group,
            "psu": unit.astype(str),
        }
    )
    if stratified:
        frame["stratum"] = stratum[unit].astype(str)
    eyes = frame.loc[frame.index.repeat(2)].reset_index(drop=True)
    return eyes.assign(image_id=np.arange(2 * n).astype(str), prob_male=expit(SPREAD * each))


@cache
def truths(groups: tuple[str, ...], stratified: bool) -> dict[str, float]:
    """Return the true value of each metric among some groups, by the normal law and by quadrature over the score."""
    shifts = OF_STRATA if stratified else (0.0,)
    men, women = ([sign * APART[group] / 2 + shift for group, shift in product(groups, shifts)] for sign in (1, -1))
    right = [float(np.mean(norm.sf(CUT - np.array(men)))), float(np.mean(norm.cdf(CUT - np.array(women))))]
    z = np.linspace(-9, 9, 4_001)
    of_men, of_women = (
        share * sum(norm.pdf(z - centre) for centre in centres) / len(centres) * (z[1] - z[0])
        for share, centres in ((MALE, men), (1 - MALE, women))
    )
    prob, intercept = expit(SPREAD * z), 0.0
    for _ in range(50):
        fitted, everyone = expit(intercept + SPREAD * z), of_men + of_women
        intercept += float(of_men.sum() - everyone @ fitted) / float(everyone @ (fitted * (1 - fitted)))
    return {
        "correct_among_men": right[0],
        "correct_among_women": right[1],
        "accuracy": MALE * right[0] + (1 - MALE) * right[1],
        "balanced_accuracy": sum(right) / 2,
        "auc": float(np.mean([norm.cdf((man - woman) / np.sqrt(2)) for man, woman in product(men, women)])),
        "predicted_minus_observed_male_share": MALE * right[0] + (1 - MALE) * (1 - right[1]) - MALE,
        "brier": float(of_men @ (prob - 1) ** 2 + of_women @ prob**2),
        "calibration_in_the_large": intercept,
    }


def judged(frame: pd.DataFrame, stratified: bool, n_replicates: int) -> Iterator[tuple[str, bool]]:
    """Yield the name of each interval of an audit and whether it holds the truth."""
    result = audit_scores(
        frame, bands=AgeBands((40,)), groups=("site",), reference={"site": REFERENCE},
        threshold=float(expit(SPREAD * CUT)), n_replicates=n_replicates,
    )  # fmt: skip
    rows = result.audit.set_index(["metric", "level_name"])
    for label, groups in {"all": tuple(APART), **{one: (one,) for one in APART}}.items():
        for metric, truth in truths(groups, stratified).items():
            row = rows.loc[(metric, label)]
            assert row["state"] == "measured", (metric, label, row["note"])
            yield f"{metric}, {label}", bool(row["low"] <= truth <= row["high"])
    gaps = result.gaps.loc[(result.gaps["comparison"] == "reference") & (result.gaps["scale"] == "difference")]
    for metric in GAPS:
        together = []
        for row in gaps.loc[gaps["metric"] == metric].to_dict("records"):
            truth = truths((row["level_name"],), stratified)[metric] - truths((REFERENCE,), stratified)[metric]
            yield f"gap of {metric}, {row['level_name']}", bool(row["low"] <= truth <= row["high"])
            together.append(row["simultaneous_low"] <= truth <= row["simultaneous_high"])
        assert len(together) == len(APART) - 1
        yield f"gaps of {metric} together", all(together)


def coverage(
    seeds: range, units: int, stratified: bool, *, n_replicates: int = 2_000, ignored: bool = False
) -> dict[str, float]:
    """Return the share of surveys whose interval holds the truth, by interval, units counted or ignored."""
    hits: Counter[str] = Counter()
    for seed in seeds:
        frame = survey(seed, units, stratified)
        frame = frame.drop(columns=["psu", "stratum"], errors="ignore") if ignored else frame
        hits.update(dict(judged(frame, stratified, n_replicates)))
    return {name: hits[name] / len(seeds) for name in sorted(hits)}


def test_intervals_that_count_units_cover_and_those_that_do_not_fall_short() -> None:
    """Six seeded surveys of 40 units, all intervals together: .90 to .99 hold the truth, and without units less."""
    seeds = range(30_000, 30_006)
    counted = coverage(seeds, 40, stratified=False, n_replicates=200)
    assert 0.90 <= np.mean(list(counted.values())) <= 0.99
    ignored = coverage(seeds, 40, stratified=False, n_replicates=200, ignored=True)
    assert np.mean([share for name, share in ignored.items() if name.endswith("all")]) < 0.85


@pytest.mark.slow
@pytest.mark.parametrize("design", list(UNITS))
def test_intervals_that_count_units_cover_full(design: str) -> None:
    """500 surveys: each interval covers in .92 or does when run again at 2,000; those that ignore units do not."""
    units, stratified = UNITS[design]
    found = coverage(range(3_000_000, 3_000_500), units, stratified, n_replicates=1_000)
    logger.info("%s: %s", design, json.dumps(found))
    below = [name for name, share in found.items() if share < FEWEST]
    if below:
        again = coverage(range(4_000_000, 4_002_000), units, stratified, n_replicates=1_000)
        logger.info("again at 2,000: %s", {name: again[name] for name in below})
        assert [name for name in below if again[name] < FEWEST] == []
    ignored = coverage(range(3_000_000, 3_000_100), units, stratified, n_replicates=200, ignored=True)
    for metric in ("correct_among_men", "correct_among_women", "accuracy", "calibration_in_the_large"):
        assert ignored[f"{metric}, all"] < FEWEST, metric
