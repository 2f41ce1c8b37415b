"""What a scan to cells saves: resampling, imputing and fitting on cells beside the same on rows of patients.

Wall-clock times of one run; slow partners are timed on a few repeats and multiplied. The scan is in the time of the
cells wherever it says so. Sizes: SEXSTRAT_BENCH_ROWS, a million when left out.
"""

from __future__ import annotations

import logging
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sexstrat.cohort import Cohort
from sexstrat.values.logit_bins import FIXED_POINT

ROWS = int(os.environ.get("SEXSTRAT_BENCH_ROWS", "1_000_000"))
REPLICATES, IMPUTATIONS = 1_000, 50
RATIO_TIMES, AUC_TIMES, IMPUTATION_TIMES, MODEL_TIMES = 1_800.0, 800.0, 40.0, 900.0  # the bars
TIMED = 3  # repeats of the slow partner

logger = logging.getLogger(__name__)


def patients(n: int) -> pd.DataFrame:
    """Draw patients whose sex is recorded for all, with a score and a disease."""
    rng = np.random.default_rng(1)
    male = rng.random(n) < 0.5
    p = 1 / (1 + np.exp(-rng.normal(np.where(male, 1.2, -1.2), 1.5)))
    age = rng.integers(20, 80, n)
    ill = rng.random(n) < 1 / (1 + np.exp(3 - 0.02 * (age - 50) - 0.3 * male))
    return pd.DataFrame({"age_years": age, "male": male, "p": p, "ill": ill})


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """Return the rows."""
    return patients(ROWS)


@pytest.fixture(scope="module")
def cohort(people: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cohort]:
    """Return the same people as a cohort."""
    ids = np.arange(len(people))
    persons = pd.DataFrame(
        {
            "patient_id": ids,
            "age_years": people["age_years"],
            "recorded_sex": np.where(people["male"], "male", "female"),
        }
    )
    scores = pd.DataFrame(
        {
            "image_id": ids,
            "path": "x",
            "patient_id": ids,
            "model_id": "m",
            "model_sha256": "0" * 64,
            "precision": "float32",
            "decode": "exact",
            "prob_male": people["p"],
            "status": "ok",
        }
    )
    conditions = pd.DataFrame({"patient_id": ids, "condition": "amd", "present": people["ill"]})
    path = tmp_path_factory.mktemp("cohort") / "c.duckdb"
    with Cohort.create(path, persons=persons, scores=scores, conditions=conditions) as one:
        yield one
    Path(path).unlink()


def seconds(work: Callable[[], object], repeats: int = 1) -> float:
    found = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return statistics.median(found)


def told(name: str, slow: float, fast: float, bar: float) -> None:
    """Log a ratio and hold it to its bar."""
    logger.warning("%s, %s rows: %.2f s by rows, %.4f s by cells, %.0f x", name, f"{ROWS:,}", slow, fast, slow / fast)
    assert slow >= bar * fast, f"{name}: {slow / fast:.0f} x, the bar is {bar:.0f} x"


@pytest.mark.benchmark_suite
def test_replicates_of_a_prevalence_ratio(people: pd.DataFrame, cohort: Cohort) -> None:
    """A thousand resamples of men's prevalence over women's, the scan included, against resampled rows."""
    rng = np.random.default_rng(2)

    words = {"patient_id": [f"P{k:07d}" for k in range(ROWS)], "sex": np.where(people["male"], "male", "female")}
    joined = people.drop(columns="male").assign(**words)  # the table as files give it: identifiers and words

    def of(rows: pd.DataFrame) -> float:
        share = rows.groupby("sex")["ill"].mean()
        return float(share["male"] / share["female"])

    def by_cells() -> np.ndarray:
        frame = cohort.pattern_counts(["amd"])  # recorded sex, five years of age and disease: no score is asked
        sums = frame.groupby(["recorded_sex", "condition amd"])["n"].sum()
        n = sums.reindex([("male", True), ("male", False), ("female", True), ("female", False)]).to_numpy()
        drawn = rng.multinomial(n.sum(), n / n.sum(), REPLICATES)
        return (drawn[:, 0] / drawn[:, :2].sum(1)) / (drawn[:, 2] / drawn[:, 2:].sum(1))

    slow = seconds(lambda: of(joined.sample(frac=1.0, replace=True)), TIMED) * REPLICATES
    fast = seconds(by_cells, 5)
    np.testing.assert_allclose(np.median(by_cells()), of(joined), rtol=0.01)
    told("ratio", slow, fast, RATIO_TIMES)


@pytest.mark.benchmark_suite
def test_replicates_of_an_auc(people: pd.DataFrame, cohort: Cohort) -> None:
    """A thousand resamples of the AUC, the scan included, against sklearn on resampled rows."""
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(3)
    male, p = people["male"].to_numpy(), people["p"].to_numpy()

    def by_rows() -> float:
        drawn = rng.integers(0, len(p), len(p))
        return float(roc_auc_score(male[drawn], p[drawn]))

    def by_cells() -> np.ndarray:
        frame = cohort.cells(keys=[]).frame
        table = frame.pivot_table(index="logit_bin", columns="recorded_sex", values="n", aggfunc="sum", fill_value=0)
        women, men = (rng.poisson(table[sex].to_numpy(), (REPLICATES, len(table))) for sex in ("female", "male"))
        below = np.cumsum(women, axis=1) - women / 2
        return (men * below).sum(1) / (men.sum(1) * women.sum(1))

    slow, fast = seconds(by_rows, TIMED) * REPLICATES, seconds(by_cells, 5)
    assert abs(np.median(by_cells()) - roc_auc_score(male, p)) < 1e-3
    told("AUC", slow, fast, AUC_TIMES)


@pytest.mark.benchmark_suite
def test_imputations(people: pd.DataFrame, cohort: Cohort) -> None:
    """Fifty imputations of sex and the ratio in each, from the counted cells, against a draw for each row."""
    rng = np.random.default_rng(4)
    p, ill = people["p"].to_numpy(), people["ill"].to_numpy()
    frame = cohort.cells(keys=[]).frame
    sums = frame.groupby(["logit_bin", "diseased"])[["n", "sum_p"]].sum().reset_index()
    n, mean = sums["n"].to_numpy(), (sums["sum_p"] / FIXED_POINT / sums["n"]).to_numpy(dtype=float)
    diseased = sums["diseased"].to_numpy(dtype=bool)

    def by_rows() -> float:
        man = rng.random(len(p)) < p
        share = pd.Series(ill).groupby(man).mean()
        return float(share[True] / share[False])

    def by_cells() -> np.ndarray:
        men = rng.binomial(n, mean, (IMPUTATIONS, len(n)))
        women = n - men
        return (men[:, diseased].sum(1) / men.sum(1)) / (women[:, diseased].sum(1) / women.sum(1))

    slow, fast = seconds(by_rows, TIMED) * IMPUTATIONS, seconds(by_cells, 5)
    np.testing.assert_allclose(np.mean(by_cells()), np.mean([by_rows() for _ in range(TIMED)]), rtol=0.03)
    told("imputations", slow, fast, IMPUTATION_TIMES)


@pytest.mark.benchmark_suite
def test_a_regression(people: pd.DataFrame, cohort: Cohort) -> None:
    """A logistic regression on weighted cells: the rows' coefficients and errors, many times faster."""
    import statsmodels.api as sm

    frame = cohort.cells(keys=[]).frame
    sums = frame.assign(band=frame["age_years"] // 10).groupby(["recorded_sex", "band", "diseased"])["n"].sum()
    cells = sums.reset_index()

    def fitted(male: np.ndarray, band: np.ndarray, ill: np.ndarray, n: np.ndarray | None) -> tuple[np.ndarray, ...]:
        x = np.column_stack([np.ones(len(male)), male, band]).astype(float)
        fit = sm.GLM(ill.astype(float), x, family=sm.families.Binomial(), freq_weights=n).fit()
        return np.asarray(fit.params), np.asarray(fit.bse)

    rows = (people["male"].to_numpy(), (people["age_years"] // 10).to_numpy(), people["ill"].to_numpy(), None)
    few = (
        (cells["recorded_sex"] == "male").to_numpy(),
        cells["band"].to_numpy(),
        cells["diseased"].to_numpy(dtype=bool),
        cells["n"].to_numpy(dtype=float),
    )
    for by_rows, by_cells in zip(fitted(*rows), fitted(*few), strict=True):
        np.testing.assert_allclose(by_cells, by_rows, rtol=1e-6)
    told("regression", seconds(lambda: fitted(*rows)), seconds(lambda: fitted(*few), 9), MODEL_TIMES)
