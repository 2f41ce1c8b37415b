"""Invented results of a study, plausible and with all four states: what the reporting tests draw. Not data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sexstrat.audit.ageing import audit_by_age
from sexstrat.audit.consequences import consequences_of_scores
from sexstrat.audit.missingness import audit_missing
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.results import StudyResults
from sexstrat.values.tables import table_schema

BANDS = ((20, 30), (30, 40), (40, 50), (50, 60), (60, 70), (70, 80), (80, None))
LABELS = ("20-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80+")
PEOPLE = (1210, 2105, 3420, 4630, 4480, 3015, 1140)
# estimator, state, true value is multiplied by this for (men, women), half-width on the log scale
ESTIMATORS: tuple[tuple[str, str, float, float, float], ...] = (
    ("E1", "corrected", 1.01, 0.99, 0.13),
    ("E2", "model_based", 0.99, 1.0, 0.12),
    ("naive_threshold", "naive", 1.16, 0.83, 0.05),
    ("naive_weighted", "naive", 1.14, 0.85, 0.045),
    ("complete_case", "recorded", 0.97, 1.04, 0.24),
    ("truth", "truth", 1.0, 1.0, 0.0),
)


def _row(**values: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(table_schema("estimate").columns)
    return row | {"level": 0.95, "standard": "crude", "note": ""} | values


def _around(point: float, half: float) -> dict[str, Any]:
    if half == 0:
        return {"point": point}
    return {"point": point, "se": half / 1.96, "low": point * np.exp(-half), "high": point * np.exp(half)}


def _counts(n: int, prevalence: float, share: float = 0.05) -> dict[str, int]:
    diseased = round(n * prevalence)
    return {"n_patients": n, "n_diseased": diseased, "n_validated": round(n * share),
            "n_validated_diseased": round(diseased * share)}  # fmt: skip


def _prevalences(condition: str, base: float, ratio: float, *, truth: bool) -> list[dict[str, Any]]:
    rows = []
    for name, state, men, women, half in ESTIMATORS:
        if name == "truth" and not truth:
            continue
        for sex, factor, part in (("male", ratio, men), ("female", 1.0, women)):
            common = {"measure": "prevalence", "estimator": name, "condition": condition, "sex": sex, "state": state}
            for standard in ("crude", "who_2000_2025"):
                point = base * factor * part * (0.7 if standard != "crude" else 1)
                rows.append(_row(**common, standard=standard, **_around(point, half), **_counts(20000, base)))
            for index, (low, high) in enumerate(BANDS):
                point = base * factor * part * 0.16 * 1.62**index
                wide = half * (3.0 - 0.3 * index)
                rows.append(_row(**common, age_low=low, age_high=high, **_around(point, wide),
                                 **_counts(PEOPLE[index], base)))  # fmt: skip
    return rows


def _contrasts(condition: str, base: float, ratio: float, *, truth: bool) -> list[dict[str, Any]]:
    rows = []
    for name, state, men, women, half in ESTIMATORS:
        if name == "truth" and not truth:
            continue
        for standard in ("crude", "who_2000_2025"):
            value = ratio * men / women * (0.97 if standard != "crude" else 1)
            common = {"estimator": name, "condition": condition, "state": state, "standard": standard}
            rows.append(_row(measure="prevalence_ratio", **common, **_around(value, half), **_counts(20000, base)))
            gap = base * (value - 1)
            limits = (
                {} if half == 0 else {"low": gap - base * half, "high": gap + base * half, "se": base * half / 1.96}
            )
            rows.append(_row(measure="prevalence_difference", **common, point=gap, **limits, **_counts(20000, base)))
    return rows


def _withhold(frame: pd.DataFrame) -> pd.DataFrame:
    """Put each of the four states into the first condition's youngest bands."""
    wanted = (frame["measure"] == "prevalence") & (frame["condition"] == frame["condition"].dropna().iloc[0])
    numbers = ["point", "se", "low", "high"]
    for (low, sex), state in {
        (20, "male"): "undefined", (20, "female"): "missing", (30, "female"): "suppressed",
    }.items():  # fmt: skip
        here = wanted & (frame["age_low"] == low) & (frame["sex"] == sex) & (frame["estimator"] == "E1")
        frame.loc[here, numbers] = np.nan
        frame.loc[here, "state"] = state
        frame.loc[here, "note"] = f"invented to be {state}"
    zero = wanted & (frame["age_low"] == 20) & (frame["sex"] == "male") & (frame["estimator"] == "naive_threshold")
    frame.loc[zero, ["point", "low"]] = 0.0
    frame.loc[zero, "high"] = 0.004
    return frame


def estimates(conditions: dict[str, tuple[float, float]], *, truth: bool) -> pd.DataFrame:
    rows = []
    for condition, (base, ratio) in conditions.items():
        rows += _prevalences(condition, base, ratio, truth=truth) + _contrasts(condition, base, ratio, truth=truth)
    for name, state, men, _, half in ESTIMATORS[: 6 if truth else 5]:
        rows.append(_row(measure="male_share", estimator=name, state=state, **_around(0.48 * men, half / 4),
                         n_patients=20000, n_validated=1003))  # fmt: skip
    return _withhold(pd.DataFrame(rows))


def audit() -> pd.DataFrame:
    columns = table_schema("audit").columns
    rows = []
    for index, label in enumerate(("all", *LABELS)):
        group = "overall" if label == "all" else "age_band"
        n = 1003 if label == "all" else round(PEOPLE[index - 1] * 0.05)
        men = round(n * 0.48)
        drop = 0 if label == "all" else 0.035 * (index - 3)
        values = {
            "n_patients": (n, 0.0),
            "correct_among_men": (0.84 - drop, 0.05 if index else 0.02),
            "correct_among_women": (0.79 - 1.5 * drop, 0.06 if index else 0.02),
            "auc": (0.902 - drop / 1.5, 0.04 if index else 0.012),
            "predicted_minus_observed_male_share": (0.021 + drop / 2, 0.05 if index else 0.016),
            "calibration_in_the_large": (-0.08 - drop, 0.3 if index else 0.1),
            "ungradable": (0.0 if label == "20-29" else 0.03 + max(drop, 0) / 2, 0.01),
        }
        for metric, (point, half) in values.items():
            row: dict[str, Any] = dict.fromkeys(columns)
            row |= {"metric": metric, "group": group, "level_name": label, "level": 0.95, "state": "measured",
                    "point": point, "low": max(point - half, 0) if metric == "ungradable" else point - half,
                    "high": point + half, "n_images": round(1.9 * n), "n_patients": n, "n_patients_numerator": n // 2,
                    "n_male": men, "n_female": n - men, "design_effect": 1.4, "note": ""}  # fmt: skip
            if label == "80+" and metric == "correct_among_women":
                row |= {"point": None, "low": None, "high": None, "state": "undefined"}
            rows.append(row)
    return pd.DataFrame(rows)


def gaps() -> pd.DataFrame:
    rows = []
    for metric in ("correct_among_men", "correct_among_women", "auc"):
        for index, label in enumerate(LABELS):
            if label == "50-59":
                continue
            point = -0.035 * (index - 3)
            state = "undefined" if label == "80+" and metric == "correct_among_women" else "measured"
            numbers = (None, None, None) if state == "undefined" else (point, point - 0.07, point + 0.07)
            rows.append({"metric": metric, "group": "age_band", "level_name": label, "reference": "50-59",
                         "comparison": "reference", "scale": "difference", "point": numbers[0], "low": numbers[1],
                         "high": numbers[2], "level": 0.95,
                         "n_patients": round(PEOPLE[index] * 0.05), "n_patients_reference": 232, "state": state,
                         "note": ""})  # fmt: skip
    return pd.DataFrame(rows)


def flow() -> pd.DataFrame:
    steps = [
        ("Patients in the person table", 20480, 39212, 512, 561, 9, 19398, 0, 0, ""),
        ("With an age", 20391, 39047, 508, 558, 9, 19316, 89, 165, "no age and no birth date"),
        ("Aged 20 or more", 20000, 38301, 482, 521, 8, 18989, 391, 746, "outside the declared age bands"),
        ("With a gradable photograph", 19482, 35120, 470, 507, 8, 18497, 518, 3181, "no photograph of sufficient "
        "quality; they stay in the estimates"),
    ]  # fmt: skip
    rows = []
    for number, (name, patients, images, men, women, other, unknown, lost, gone, reason) in enumerate(steps, start=1):
        rows.append({"step": number, "name": name, "n_patients": patients, "n_images": images, "n_male": men,
                     "n_female": women, "n_other": other, "n_unknown": unknown, "patients_lost": lost,
                     "images_lost": gone, "reason": reason, "state": "counted"})  # fmt: skip
    return pd.DataFrame(rows)


def diagnostics(names: tuple[str, ...]) -> pd.DataFrame:
    rows = []
    for name in names:
        base = {"condition": name, "group": "all", "level_name": "all", "n_patients": 1003, "n_validated": 1003,
                "state": "measured", "level": 0.95}  # fmt: skip
        rows += [
            base | {"diagnostic": "calibration_by_disease", "statistic": "likelihood_ratio_chi_square", "point": 8.5,
                    "p_value": 0.0035},
            base | {"diagnostic": "differential_error", "statistic": "shown_nondifferential", "point": 0.0},
            base | {"diagnostic": "calibration", "statistic": "brier", "point": 0.0878, "low": 0.076, "high": 0.0995},
            base | {"diagnostic": "accuracy_by_age", "statistic": "sensitivity", "group": "age_band",
                    "level_name": "20-29", "state": "too_few", "n_validated": 8, "n_patients": 8},
            base | {"diagnostic": "accuracy_by_age", "statistic": "specificity", "group": "age_band",
                    "level_name": "60-69", "point": 0.8123, "low": 0.75, "high": 0.86, "n_validated": 101,
                    "n_patients": 101},
            base | {"diagnostic": "homogeneity_over_age", "statistic": "wald_chi_square", "point": 3.2,
                    "p_value": 0.78, "n_patients": 20000},
            base | {"diagnostic": "bootstrap", "statistic": "prevalence_ratio", "group": "standard",
                    "level_name": "who_2000_2025", "point": 1.37, "low": 1.18, "high": 1.6, "n_patients": 20000},
            base | {"diagnostic": "planning", "statistic": "more_validated", "group": "limits_ratio",
                    "level_name": "1.25", "point": 2544.0, "n_patients": 20000},
        ]  # fmt: skip
    return pd.DataFrame(rows)


def sensitivity(names: tuple[str, ...]) -> pd.DataFrame:
    rows = []
    for name in names:
        base = {"condition": name, "estimator": "E1", "standard": "who_2000_2025", "level": 0.95, "n_patients": 20000,
                "n_diseased": 1660, "n_validated": 1003, "state": "bias_analysis"}  # fmt: skip
        bias = base | {"analysis": "bias_analysis", "scenario": "stated in the study file", "draws": 20000,
                       "measure": "prevalence_ratio", "share_impossible": 0.012}  # fmt: skip
        rows += [bias | {"statistic": "estimate", "point": 1.5123, "low": 1.1, "high": 2.4},
                 bias | {"statistic": "systematic", "point": 1.5, "low": 1.2, "high": 2.2}]  # fmt: skip
        for shift in np.linspace(-2, 2, 9):
            point = float(np.exp(0.34 + 0.2 * shift))
            rows.append(base | {"analysis": "shift_of_recording", "scenario": "diseased", "statistic": "estimate",
                                "value": float(shift), "measure": "prevalence_ratio", "point": point,
                                "low": point / 1.2, "high": point * 1.2})  # fmt: skip
        tipping = base | {"analysis": "shift_of_recording", "scenario": "diseased", "statistic": "tipping",
                          "measure": "tipping_value"}  # fmt: skip
        rows.append(tipping | {"point": -0.79, "note": "it comes to include 1 at a shift of -0.79."})
        noisy = base | {"analysis": "error_of_recorded_sex", "scenario": "both", "measure": "prevalence_ratio"}
        for rate in (0.0, 0.01, 0.02):
            rows.append(noisy | {"statistic": "estimate", "value": rate, "point": 1.41 + rate, "low": 1.2,
                                 "high": 1.66})  # fmt: skip
        rows.append(noisy | {"statistic": "tipping", "measure": "tipping_value", "state": "undefined"})
        value = base | {"analysis": "e_value", "scenario": "confounding", "measure": "e_value", "state": "companion"}
        rows += [value | {"statistic": "estimate", "point": 2.17}, value | {"statistic": "limit", "point": 1.69}]
    return pd.DataFrame(rows)


def imputation(names: tuple[str, ...]) -> pd.DataFrame:
    rows = []
    for name in names:
        for method, validity, half in (("complete_case", "if_recorded_at_random", 0.28),
                                       ("proper_imputation", "valid", 0.17),
                                       ("single_imputation", "wrong", 0.06)):  # fmt: skip
            row = {"condition": name, "method": method, "validity": validity, "measure": "prevalence_ratio",
                   "standard": "crude", "scale": "log", "level": 0.95, "n_patients": 20000, "n_validated": 1003,
                   "within": 0.0011, "state": "model_based" if validity == "valid" else "naive",
                   **_around(1.41, half)}  # fmt: skip
            if method == "proper_imputation":
                row |= {"between": 0.0067, "fmi": 0.858, "relative_efficiency": 0.998, "monte_carlo_share": 0.046,
                        "imputations": 400, "imputations_needed": 342}  # fmt: skip
            rows.append(row)
    return pd.DataFrame(rows)


def adjusted(names: tuple[str, ...]) -> pd.DataFrame:
    """Return Mantel-Haenszel, regression, trend and eye-level rows, none of which may ever lead."""
    rows = []
    for name in names:
        common = {"condition": name, "state": "corrected", **_counts(20000, 0.083)}
        for measure, standard, estimator, sex, point in (
            ("mantel_haenszel_prevalence_ratio", "mantel_haenszel", "E1", None, 7.77),
            ("mantel_haenszel_prevalence_difference", "mantel_haenszel", "E1", None, 0.0777),
            ("regression_odds_ratio", "regression", "E2", None, 8.88),
            ("odds_ratio_per_decade", "crude", "E1", "male", 1.52),
            ("odds_ratio_per_decade", "crude", "E1", "female", 1.58),
            ("ratio_of_odds_ratios_per_decade", "crude", "E1", None, 0.96),
        ):
            rows.append(_row(measure=measure, standard=standard, estimator=estimator, sex=sex, **common,
                             **_around(point, 0.15)))  # fmt: skip
    return pd.DataFrame(rows)


CARD: dict[str, Any] = {
    "title": "MobileNet, fine-tuned on ODIR-5K photographs (demonstration)",
    "statement": "This is a demonstration model. It is far less accurate than models trained on large cohorts; "
    "for science, "
    "use those, or your own.",
    "model_id": "mobilenet-odir-demo",
    "trained_on": "ODIR-5K, patients of the training split only, ages 18 to 91",
    "training_ages": [18, 91],
    "weights_sha256": "9f2c0d7f6f0c1a" * 4,
    "performance": {
        "patient_level": {"auc": 0.703, "low": 0.66, "high": 0.742, "patients": 512},
        "image_level": {"auc": 0.671, "low": 0.633, "high": 0.706, "patients": 512},
    },
    "by_age": [
        {"age": "18-49", "auc": 0.72, "low": 0.64, "high": 0.79, "patients": 160},
        {"age": "50-64", "auc": 0.70, "low": 0.63, "high": 0.76, "patients": 210},
        {"age": "65+", "auc": 0.67, "low": 0.58, "high": 0.75, "patients": 142},
    ],
    "terms": "Research only. Not for any decision about a person.",
}


def beyond_groups(names: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Return the audit over age, of missing scores and of consequences, measured on 2,400 invented patients."""
    n = 2400
    rng = np.random.default_rng(20231207)
    male = np.arange(n) % 2 == 0
    age = rng.uniform(25, 88, n).round()
    right = rng.random(n) < np.where(male, 0.93 - 0.004 * (age - 25), 0.72)
    scored = rng.random(n) < 0.94
    frame = pd.DataFrame(
        {
            "image_id": [f"i{k}" for k in range(n)],
            "patient_id": [f"p{k}" for k in range(n)],
            "prob_male": np.where(scored, np.where(right == male, 0.8, 0.2), np.nan),
            "status": np.where(scored, "ok", "ungradable"),
            "age_years": age,
            "recorded_sex": np.where(male, "male", "female"),
            **{name: rng.random(n) < np.where(male, 0.3, 0.2) for name in names},
        }
    )
    bands = AgeBands((20, 40, 60, 80))
    by_age = audit_by_age(frame, bands=bands)
    return {
        "age_curves": by_age.curves,
        "age_trends": by_age.trends,
        "missingness": audit_missing(frame, bands=bands, covariates=names),
        "consequences": consequences_of_scores(frame, conditions=names, bands=bands),
    }


def example_results(
    *, names: tuple[str, ...] = ("glaucoma", "diabetic_retinopathy"), truth: bool = True, **overrides: Any
) -> StudyResults:
    """Return results with invented numbers; keyword arguments replace whole fields."""
    values = [(0.083, 1.41), (0.052, 0.93), (0.15, 1.0), (0.021, 1.2)]
    conditions = dict(zip(names, values, strict=False))
    choices = tuple(
        {"condition": name, "estimator": "E1", "state": "corrected", "warnings": (),
         "band_estimators": ("E2", *["E1"] * 6) if number else ("E1",) * 7,
         "why": "sex is recorded for a random part, with at least 20 validated patients with and without the condition",
         "assumptions": ("recording of sex is random within the cohort",)}
        for number, name in enumerate(names)
    )  # fmt: skip
    fields: dict[str, Any] = {
        "title": "Glaucoma and diabetic retinopathy in men and women of a simulated screening cohort",
        "estimates": pd.concat([estimates(conditions, truth=truth), adjusted(names)], ignore_index=True),
        "audit": audit(), "gaps": gaps(), "flow": flow(), "diagnostics": diagnostics(names),
        "sensitivity": sensitivity(names), "imputation": imputation(names), **beyond_groups(names),
        "settings": {
            "": {"schema_version": 1, "title": "An invented study", "seed": 20231207},
            "validation": {"design": "random"},
            "analysis": {"target": "population", "age_bands": [20, 30, 40, 50, 60, 70, 80], "level": 0.95,
                         "standards": ["who_2000_2025"]},
            "audit": {"min_patients": 10}, "disclosure": {"profile": "uk-5", "reason": ""},
        },
        "provenance": {
            "run_id": "2f1c77aa", "seed": 20231207,
            "versions": {"sexstrat": "0.1.0", "python": "3.12.9", "numpy": "2.4.0", "pandas": "3.1.1"},
            "digests": {"persons.csv": "5d41402abc4b2a76b9719d911017c592" * 2,
                        "scores.parquet": "7d793037a0760186574b0282f2f435e7" * 2},
            "attribution": [{"title": "High-Resolution Fundus image database", "author": "Budai et al., 2013",
                             "licence": "CC BY 4.0", "url": "https://example.org/hrf"}],
        },
        "model_card": CARD, "choices": choices,
        "notices": ("This cohort is simulated: no patient stands behind any number on this page.",),
    }  # fmt: skip
    return StudyResults(**(fields | overrides))
