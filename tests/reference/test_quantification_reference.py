"""The share of men under label shift against QuaPy, and the prediction-powered mean against ppi_py.

The scripts that made the numbers are in ``scripts``, the numbers in ``outputs``.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import logit

from sexstrat.estimates.numbers.emq import emq
from sexstrat.estimates.numbers.ppi import ppi_mean
from sexstrat.estimates.numbers.quantification import acc, pacc

OUTPUTS = Path(__file__).parent / "outputs"


@cache
def stored(topic: str) -> Any:
    return json.loads((OUTPUTS / f"{topic}.json").read_text(encoding="utf-8"))


def test_pacc_acc_and_emq_agree_with_quapy() -> None:
    """The three points, to 1e-9 (EMQ: to 1e-8, where the peer's iterations stop)."""
    given = stored("quantification")
    samples = {"men": given["men"], "women": given["women"]}
    assert pacc(given["target"], **samples).point == pytest.approx(given["pacc"], abs=1e-9)
    assert acc(given["target"], **samples).point == pytest.approx(given["acc"], abs=1e-9)
    plain = emq(given["target"], **samples, recalibrate=False, draws=100)
    assert plain.point == pytest.approx(given["emq"], abs=1e-8)


def test_recalibrated_emq_agrees_with_statsmodels_and_plain_iterations() -> None:
    """Logistic recalibration by statsmodels, then the published iterations written out: the same share, to 1e-6."""
    given = stored("quantification")
    scores = np.concatenate([given["women"], given["men"]])
    male = np.repeat([0.0, 1.0], [len(given["women"]), len(given["men"])])
    fit = sm.Logit(male, sm.add_constant(logit(scores))).fit(disp=0, tol=1e-12)
    p = fit.predict(sm.add_constant(logit(np.array(given["target"]))))
    prior = share = male.mean()
    for _ in range(5_000):
        up, down = share / prior * p, (1 - share) / (1 - prior) * (1 - p)
        share = float(np.mean(up / (up + down)))
    found = emq(given["target"], men=given["men"], women=given["women"], draws=100)
    assert found.point == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("number", range(4))
def test_ppi_mean_agrees_with_ppi_py(number: int) -> None:
    """Points and standard errors, to 1e-9 once the peer's divisors n are exchanged for n - 1.

    The peer takes variances with divisor n, and lambda from a covariance among the labelled with divisor n over a
    variance among all with n - 1; ours takes n - 1 throughout, and both among the labelled.
    """
    given = stored("ppi")
    case = given["cases"][number]
    y, p, u = (np.array(given[name]) for name in ("labels", "predictions", "unlabelled"))
    n, big = y.size, u.size
    tuned = np.cov(y, p, ddof=0)[0, 1] / ((1 + n / big) * np.concatenate([p, u]).var(ddof=1))
    assert 0.1 < tuned < 0.9
    power = tuned if case["power"] is None else case["power"]
    found = ppi_mean(y, p, u, power=power)
    assert found.point == pytest.approx(case["point"], abs=1e-9)
    theirs = (case["high"] - case["low"]) / 2 / 1.959963984540054
    parts = power**2 * u.var() / big + (y - power * p).var() / n
    assert theirs == pytest.approx(np.sqrt(parts), abs=1e-9)
    ours = power**2 * u.var() / (big - 1) + (y - power * p).var() / (n - 1)
    assert found.se == pytest.approx(np.sqrt(ours), abs=1e-12)


def test_lambda_is_the_peers_but_for_where_the_variance_is_taken() -> None:
    """Written out: the slope of the labels on their predictions, over 1 + n/N; near the peer's with many labelled."""
    given = stored("ppi")
    y, p, u = (np.array(given[name]) for name in ("labels", "predictions", "unlabelled"))
    slope = np.polyfit(p, y, 1)[0]
    assert ppi_mean(y, p, u).power == pytest.approx(slope / (1 + y.size / u.size), rel=1e-12)
    rng = np.random.default_rng(4)
    many, all_ = (rng.random(size) for size in (400_000, 1_000_000))
    label = (rng.random(many.size) < 0.2 + 0.6 * many).astype(float)
    theirs = np.cov(label, many)[0, 1] / (1.4 * np.concatenate([many, all_]).var(ddof=1))
    assert ppi_mean(label, many, all_).power == pytest.approx(theirs, abs=0.005)


def test_the_peers_habits_are_not_ours() -> None:
    """ppi_py covers 90 % unless told otherwise, and a tuned lambda turns its one-sided request two-sided."""
    given = stored("ppi")
    fixed, tuned = given["cases"][0], given["cases"][3]
    assert (fixed["default_high"] - fixed["default_low"]) < (fixed["high"] - fixed["low"])
    assert tuned["one_sided_upper_is_finite"]
    assert not fixed["one_sided_upper_is_finite"]
    y, p, u = (given[name] for name in ("labels", "predictions", "unlabelled"))
    for power in (None, 0.6):  # what is asked for does not depend on how lambda came about
        for level, z in ((0.95, 1.959964), (0.80, 1.281552)):
            one = ppi_mean(y, p, u, power=power, level=level)
            assert one.level == level
            assert (one.high - one.low) / one.se == pytest.approx(2 * z, rel=1e-6)
            assert one.high - one.point == pytest.approx(one.point - one.low)
    assert ppi_mean(y, p, u) == ppi_mean(y, p, u, level=0.95)
