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

    The peer takes variances with divisor n, and lambda from a covariance with divisor n over a variance with n - 1;
    ours takes n - 1 throughout.
    """
    given = stored("ppi")
    case = given["cases"][number]
    y, p, u = (np.array(given[name]) for name in ("labels", "predictions", "unlabelled"))
    n, big = y.size, u.size
    tuned = ppi_mean(y, p, u).power
    assert 0.1 < tuned < 0.9
    power = tuned * (n - 1) / n if case["power"] is None else case["power"]
    found = ppi_mean(y, p, u, power=power)
    assert found.point == pytest.approx(case["point"], abs=1e-9)
    theirs = (case["high"] - case["low"]) / 2 / 1.959963984540054
    parts = power**2 * u.var() / big + (y - power * p).var() / n
    assert theirs == pytest.approx(np.sqrt(parts), abs=1e-9)
    ours = power**2 * u.var() / (big - 1) + (y - power * p).var() / (n - 1)
    assert found.se == pytest.approx(np.sqrt(ours), abs=1e-12)


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
