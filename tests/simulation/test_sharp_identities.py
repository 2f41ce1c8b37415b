"""The sharp facts of the methods page that are identities: on tables of whole people, or by quadrature, to 1e-9."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import norm

from sexstrat.estimates import compose, truth_composition
from sexstrat.estimates.attenuation import attenuation
from sexstrat.estimates.cell_arrays import cell_arrays
from sexstrat.estimates.mixture import mixture_shares
from sexstrat.estimates.numbers.class_accuracy import ClassAccuracy
from sexstrat.estimates.numbers.label_shift_likelihood import emq_point
from sexstrat.estimates.numbers.matrix_method import matrix_method
from sexstrat.estimates.numbers.regression_calibration import regression_calibration
from sexstrat.estimates.numbers.score_counts import score_counts
from sexstrat.estimates.numbers.sex_disease_rows import sex_disease_rows
from sexstrat.estimates.recalibration import fit_logistic
from sexstrat.simulation import Setting, draw_people
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import ValidationDesign
from sexstrat.values.logit_bins import FIXED_POINT, logit_bin, logit_edges
from sexstrat.values.tables import table_schema

ALL = AgeBands((20,))
EXACT = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """People by level of a calibrated score, sex (1 men) and disease, shape (levels, 2, 2), all whole numbers."""

    score: np.ndarray
    people: np.ndarray

    @property
    def men(self) -> np.ndarray:
        """Share of men at each level."""
        return self.people[:, 1].sum(axis=1) / self.people.sum(axis=(1, 2))

    @property
    def density(self) -> np.ndarray:
        """Share of the people at each level."""
        return self.people.sum(axis=(1, 2)) / self.people.sum()

    @property
    def risks(self) -> np.ndarray:
        """Prevalence in women and in men."""
        by_sex = self.people.sum(axis=0)
        return by_sex[:, 1] / by_sex.sum(axis=1)

    @property
    def difference(self) -> float:
        """Prevalence in men minus prevalence in women."""
        return float(self.risks[1] - self.risks[0])


def table(risk_of_women: tuple[float, ...], risk_of_men: tuple[float, ...]) -> Table:
    """Return a calibrated score of 1/8, 3/8, 5/8 and 7/8 with given risks at each level."""
    score = np.array([0.125, 0.375, 0.625, 0.875])
    n = np.array([1_600, 3_200, 2_400, 4_000])
    by_sex = np.column_stack([n * (1 - score), n * score])
    ill = by_sex * np.column_stack([risk_of_women, risk_of_men])
    people = np.stack([by_sex - ill, ill], axis=2)
    np.testing.assert_allclose(people, np.rint(people), atol=EXACT)
    return Table(score=score, people=np.rint(people))


NONDIFFERENTIAL = table((0.1,) * 4, (0.25,) * 4)
DISEASE_BY_SCORE = table((0.05, 0.1, 0.2, 0.4), (0.05, 0.1, 0.2, 0.4))
DIFFERENTIAL = table((0.1, 0.05, 0.3, 0.2), (0.2, 0.3, 0.14, 0.4))
NO_DIFFERENCE = table((0.2,) * 4, (0.2,) * 4)
PERFECT = Table(score=np.array([0.0, 1.0]), people=np.array([[[900.0, 100], [0, 0]], [[0, 0], [750, 250]]]))


def cells_of(given: Table, *, known: bool = False) -> Cells:
    """Return the table as cells of 60-year-olds; nobody's sex is known, or everybody's."""
    edges, rows = logit_edges(), []
    for (level, male, diseased), n in np.ndenumerate(given.people):
        if n:
            rows.append((bool(diseased), ("female", "male")[male] if known else "unknown", given.score[level], int(n)))
    frame = pd.DataFrame(rows, columns=["diseased", "recorded_sex", "p", "n"])
    frame = frame.groupby(["diseased", "recorded_sex", "p"], as_index=False)["n"].sum()
    p, n = frame.pop("p").to_numpy(), frame["n"].to_numpy()
    frame = frame.assign(condition="disease", age_years=60, n_eyes=2, logit_bin=logit_bin(p, edges))
    frame["fold"] = pd.array([0 if known else None] * len(frame), dtype="Int64")
    frame["sum_p"] = np.rint(p * FIXED_POINT).astype(np.int64) * n
    frame["sum_p2"] = np.rint(p**2 * FIXED_POINT).astype(np.int64) * n
    for name in ("sum_w", "sum_w2", "sum_w_over_r", "sum_w2_over_r", "sum_w2_over_r2"):
        frame[name] = n.astype(float) if known or "over_r" not in name else np.nan
    return Cells(frame=frame.reindex(columns=table_schema("cell").columns), edges=edges)


def naive_difference(given: Table, method: str) -> float:
    """Return the difference of prevalences that a naive estimator prints when nobody's sex is known."""
    one = compose(cells_of(given), bands=ALL, design="none", method=method)
    return float(one.contrast("difference").rows[0]["point"])


def matrix_shares(given: Table) -> np.ndarray:
    """Return the matrix method's shares of men among well and diseased, its accuracy that of all people together."""
    called = given.people[given.score >= 0.5].sum(axis=0)
    by_sex = given.people.sum(axis=0)
    accuracy = ClassAccuracy(
        correct_men=called[1].sum(),
        n_men=by_sex[1].sum(),
        correct_women=by_sex[0].sum() - called[0].sum(),
        n_women=by_sex[0].sum(),
    )
    return matrix_method(called.sum(axis=0), by_sex.sum(axis=0), accuracy=accuracy).share_of_men


def true_shares(given: Table) -> np.ndarray:
    """Return the shares of men among well and diseased."""
    by_sex = given.people.sum(axis=0)
    return np.asarray(by_sex[1] / by_sex.sum(axis=0))


@pytest.mark.parametrize("given", [NONDIFFERENTIAL, DISEASE_BY_SCORE, DIFFERENTIAL, NO_DIFFERENCE, PERFECT])
def test_weighting_loses_the_covariance_of_sex_and_disease_given_the_score(given: Table) -> None:
    """Fact 1: the weighted male prevalence is off by -E[Cov(S, D | p)] / pi exactly, whatever the error."""
    one = compose(cells_of(given), bands=ALL, design="none", method="naive_weighted")
    weighted = next(row["point"] for row in one.prevalence().rows if row["sex"] == "male")
    n = given.people.sum(axis=(1, 2))
    together = given.people[:, 1, 1] / n
    covariance = float(given.density @ (together - given.men * given.people[:, :, 1].sum(axis=1) / n))
    share = float(given.density @ given.men)
    assert weighted - given.risks[1] == pytest.approx(-covariance / share, abs=EXACT)
    known = truth_composition(cells_of(given, known=True), bands=ALL).contrast("difference").rows[0]
    assert known["point"] == pytest.approx(given.difference, abs=EXACT)


def test_nondifferential_weighting_keeps_the_share_of_variance_explained() -> None:
    """Fact 1: with nondifferential error the weighted difference is the true one times Var(p) / (pi (1 - pi))."""
    p, density = NONDIFFERENTIAL.score, NONDIFFERENTIAL.density
    share = float(density @ p)
    kept = float(density @ (p - share) ** 2) / (share * (1 - share))
    assert 0.2 < kept < 0.5
    assert naive_difference(NONDIFFERENTIAL, "naive_weighted") == pytest.approx(0.15 * kept, abs=EXACT)
    arrays = cell_arrays(cells_of(NONDIFFERENTIAL, known=True), ALL, ValidationDesign.random)
    assert attenuation(arrays, threshold=False) == pytest.approx(kept, abs=EXACT)


def test_nondifferential_threshold_keeps_the_predictive_values() -> None:
    """Fact 2: with nondifferential error the difference by predicted class is RD (PPV + NPV - 1)."""
    called = NONDIFFERENTIAL.score >= 0.5
    by_sex = NONDIFFERENTIAL.people.sum(axis=2)
    positive, negative = by_sex[called].sum(axis=0), by_sex[~called].sum(axis=0)
    kept = float(positive[1] / positive.sum() + negative[0] / negative.sum() - 1)
    assert naive_difference(NONDIFFERENTIAL, "naive_threshold") == pytest.approx(0.15 * kept, abs=EXACT)
    arrays = cell_arrays(cells_of(NONDIFFERENTIAL, known=True), ALL, ValidationDesign.random)
    assert attenuation(arrays, threshold=True) == pytest.approx(kept, abs=EXACT)


def test_the_slope_on_a_calibrated_score_is_the_difference() -> None:
    """Fact 2: least squares of disease on the calibrated score gives the difference itself, here through E6."""
    given = Table(score=NONDIFFERENTIAL.score[[0, 3]], people=NONDIFFERENTIAL.people[[0, 3]])  # logistic in two levels
    level, male, diseased = (index.ravel() for index in np.indices(given.people.shape))
    rows = sex_disease_rows(logit(given.score[level]), diseased, male.astype(float), counts=given.people.ravel())
    found = regression_calibration(rows, assume_nondifferential=True)
    assert found.point == pytest.approx(0.15, abs=1e-7)  # but for the prior that keeps coefficients finite
    p, n = NONDIFFERENTIAL.score, NONDIFFERENTIAL.people
    centred = p - NONDIFFERENTIAL.density @ p
    weight = n.sum(axis=(1, 2))
    slope = np.sum(centred * n[:, :, 1].sum(axis=1)) / np.sum(weight * centred**2)
    assert slope == pytest.approx(0.15, abs=EXACT)


RETAINED = {  # AUC: share of the difference kept by weighting, by threshold
    0.80: (0.27, 0.45),
    0.85: (0.37, 0.54),
    0.90: (0.49, 0.64),
    0.95: (0.65, 0.76),
    0.97: (0.73, 0.82),
    0.99: (0.85, 0.90),
}


def score_population(auc: float, share: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Return a calibrated score on a grid, and people by level and sex as a table needs them."""
    separation = np.sqrt(2) * norm.ppf(auc)
    z = np.linspace(-9, 9, 3_601)
    women, men = (norm.pdf(z, sign * separation / 2) for sign in (-1, 1))
    return expit(logit(share) + separation * z), np.column_stack([(1 - share) * women, share * men])


@pytest.mark.parametrize(("auc", "kept"), RETAINED.items())
def test_what_naive_analyses_keep_of_a_difference(auc: float, kept: tuple[float, float]) -> None:
    """Fact 3: the share of a difference that weighting and thresholding keep, by AUC, in the cohort's own figures."""
    p, density = score_population(auc)
    by_sex = np.rint(density / density.sum() * 4e7)
    people = np.stack([by_sex * 0.8, by_sex * 0.2], axis=2).round()
    arrays = cell_arrays(cells_of(Table(score=p, people=people), known=True), ALL, ValidationDesign.random)
    found = attenuation(arrays, threshold=False), attenuation(arrays, threshold=True)
    assert found == pytest.approx(kept, abs=0.0055)
    if auc == 0.97:  # the published score: a fifth to a quarter of a sex difference is lost
        assert [round(100 * (1 - share)) for share in found] == [27, 18]


def test_weighting_and_nondifferential_corrections_cannot_both_be_right() -> None:
    """Fact 4: either S _|_ D | p and weighting is exact, or D _|_ p | S and the matrix method is, unless RD is 0."""
    exact = {
        name: (
            abs(naive_difference(given, "naive_weighted") - given.difference) < EXACT,
            bool(np.abs(matrix_shares(given) - true_shares(given)).max() < EXACT),
        )
        for name, given in {
            "nondifferential": NONDIFFERENTIAL,
            "disease by score": DISEASE_BY_SCORE,
            "neither": DIFFERENTIAL,
            "no difference": NO_DIFFERENCE,
            "perfect score": PERFECT,
        }.items()
    }
    assert exact == {
        "nondifferential": (False, True),
        "disease by score": (True, False),
        "neither": (False, False),
        "no difference": (True, True),
        "perfect score": (True, True),
    }
    assert abs(naive_difference(NONDIFFERENTIAL, "naive_weighted") - 0.15) > 0.05
    assert np.abs(matrix_shares(DISEASE_BY_SCORE) - true_shares(DISEASE_BY_SCORE)).max() > 0.05


def test_mixtures_need_the_nondifferential_likelihood_ratio() -> None:
    """Fact 4: with the likelihood ratio of all people the mixture is exact where D _|_ p | S and wrong where not."""
    for given, exact in ((NONDIFFERENTIAL, True), (DISEASE_BY_SCORE, False)):
        by_sex = given.people.sum(axis=2)
        ratio = np.log(by_sex[:, 1] / by_sex[:, 1].sum()) - np.log(by_sex[:, 0] / by_sex[:, 0].sum())
        people = given.people.sum(axis=1)
        group = np.tile([0, 1], people.shape[0])
        found = mixture_shares(np.repeat(ratio, 2), people.ravel(), group, 2).pi
        off = np.abs(found - true_shares(given)).max()
        assert off < EXACT if exact else off > 0.05
        both = score_counts(given.score, by_sex[:, 1]), score_counts(given.score, by_sex[:, 0])
        diseased = emq_point(score_counts(given.score, people[:, 1]), *both, False)
        assert diseased == pytest.approx(found[1], abs=1e-6)


def test_the_mean_of_two_calibrated_eyes_is_underconfident() -> None:
    """Fact 9: P(male) given the mean of two calibrated logits has slope 2 / (1 + rho) in it: 1.25 at rho 0.6."""
    separation = np.sqrt(2) * norm.ppf(0.95)
    for rho in (0.0, 0.6, 0.9):
        eyes = np.array([[1, rho], [rho, 1]])
        z = np.random.default_rng(2).normal(size=(200, 2))
        away = [z - sign * separation / 2 for sign in (1, -1)]
        quadratic = [np.einsum("ij,jk,ik->i", one, np.linalg.inv(eyes), one) for one in away]
        log_odds = (quadratic[1] - quadratic[0]) / 2  # of two bivariate normal densities, equally many men and women
        np.testing.assert_allclose(log_odds, 2 / (1 + rho) * separation * z.mean(axis=1), atol=EXACT)


def test_simulated_patients_show_the_slope_of_two_eyes() -> None:
    """Fact 9, measured: slope 1.25 among patients with two eyes, 1 among those with one, and so is recalibrated."""
    one = Setting(name="eyes", one_eye=0.5, male_by_age=0.0)
    people = draw_people(one, 60_000, np.random.default_rng(5))
    mean = np.nansum(people.eye_logit, axis=1) / people.n_eyes
    for eyes, slope in ((2, 2 / 1.6), (1, 1.0)):
        rows = people.n_eyes == eyes
        x = np.column_stack([np.ones(rows.sum()), mean[rows]])
        beta, inverse = fit_logistic(x, people.male[rows].astype(float), np.ones(rows.sum()), np.full(2, 1e-9))
        assert abs(beta[1] - slope) < 4 * inverse[1, 1] ** 0.5
        assert inverse[1, 1] ** 0.5 < 0.02
