"""What holds at the gate whatever the data: no small count is shown, or can be found by subtraction in its table."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from sexstrat.audit import audit_scores
from sexstrat.disclosure import PROFILES, Profile, Released, release
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.results import StudyResults

seeds = st.integers(0, 19)  # few enough that the studies and their releases are made once each
withholding = st.sampled_from([PROFILES[name] for name in ("uk-5", "us-cms-11", "opensafely", "ndb-10")])
LOWS = (20, 40, 50, 60, 70, 80)


def estimate_rows(rng: np.random.Generator) -> pd.DataFrame:
    """Return rows of E1, complete cases and truth by band and overall, from one random cross-table of patients."""
    # men and women, diseased and not, validated and not: bands × sex × disease × validated
    scale = rng.choice([2, 8, 40, 200], size=(len(LOWS), 1, 1, 1))
    table = rng.poisson(
        scale * np.array([0.8, 0.2])[None, None, :, None] * np.array([0.7, 0.3]), size=(len(LOWS), 2, 2, 2)
    )
    table[0] += 40
    rows: list[dict[str, Any]] = []
    for k in (*range(len(LOWS)), None):
        part = table.sum(axis=0) if k is None else table[k]
        age = {} if k is None else {"age_low": LOWS[k], "age_high": LOWS[k + 1] if k + 1 < len(LOWS) else None}
        validated = part[:, :, 1]
        counts = {
            "n_patients": part.sum(),
            "n_diseased": part[:, 1].sum(),
            "n_validated": validated.sum(),
            "n_validated_diseased": validated[:, 1].sum(),
        }
        own = {"n_patients": counts["n_validated"], "n_diseased": counts["n_validated_diseased"]}
        for name, by_sex, state, mine in (
            ("E1", part.sum(axis=2) + 0.3, "corrected", {}),
            ("complete_case", validated, "naive", own),
            ("truth", part.sum(axis=2), "truth", {}),
        ):
            base = {"estimator": name, "condition": "d", "standard": "crude", "level": 0.95, "state": state}
            base |= age | counts | mine
            prevalence = [float(by_sex[s, 1] / by_sex[s].sum()) if by_sex[s].sum() else None for s in (0, 1)]
            for sex, point in zip(("female", "male"), prevalence, strict=True):
                rows.append(base | {"measure": "prevalence", "sex": sex, "point": point})
            if prevalence[0] is not None and prevalence[1] is not None:
                difference = prevalence[1] - prevalence[0]
                rows.append(base | {"measure": "prevalence_difference", "sex": None, "point": difference})
    return pd.DataFrame(rows)


def flow_rows(rng: np.random.Generator) -> pd.DataFrame:
    """Return a flow of six steps from which random patients of each sex drop out."""
    sexes, rows = np.array([300, 350, rng.integers(0, 12), 500]), []
    images = int(2 * sexes.sum())
    for step in range(1, 7):
        lost = np.minimum(rng.choice([0, 0, 1, 3, 20], size=4), sexes) * (step > 1)
        sexes, gone = sexes - lost, int(lost.sum() + rng.choice([0, 2, 30]) * (step > 1))
        images -= gone
        counts = dict(zip(("n_male", "n_female", "n_other", "n_unknown"), sexes.tolist(), strict=True))
        totals = {"n_patients": sexes.sum(), "n_images": images, "patients_lost": lost.sum(), "images_lost": gone}
        rows.append({"step": step, "name": f"step {step}", "state": "counted"} | counts | totals)
    return pd.DataFrame(rows)


@cache
def study(seed: int) -> StudyResults:
    """Return results with all four tables at random."""
    rng = np.random.default_rng(seed)
    patients = int(rng.integers(60, 400))
    patient = np.repeat(np.arange(patients), rng.integers(1, 3, patients))
    male, sex_known = rng.random(patients) < rng.choice([0.05, 0.5]), rng.random(patients) < rng.choice([0.9, 0.99, 1])
    gradable = rng.random(len(patient)) < 0.97
    frame = pd.DataFrame(
        {
            "image_id": np.arange(len(patient)).astype(str),
            "patient_id": patient.astype(str),
            "prob_male": np.where(gradable, np.clip(rng.normal(0.15 + 0.7 * male[patient], 0.2), 0, 1), np.nan),
            "status": np.where(gradable, "ok", "unreadable"),
            "age_years": rng.normal(60, 12, patients).clip(20, 99)[patient],
            "recorded_sex": np.where(sex_known, np.where(male, "male", "female"), "unknown")[patient],
        }
    )
    audit = audit_scores(frame, bands=AgeBands(LOWS, end=None), min_patients=2)
    return StudyResults(
        title="t", estimates=estimate_rows(rng), audit=audit.audit, gaps=audit.gaps, flow=flow_rows(rng)
    )


@cache
def released_study(seed: int, rule: Profile) -> Released:
    """Return the random study after the gate."""
    return release(study(seed), rule)


def floats(values: pd.Series) -> np.ndarray:
    """Return a column as floats with NaN where empty."""
    return values.to_numpy(dtype=float, na_value=np.nan)


def shown_counts(released: Released) -> np.ndarray:
    """Return every count of people or images in the four tables."""
    columns = [
        floats(frame[name])
        for frame in released.tables().values()
        for name in frame.columns
        if name.startswith("n_") or name.endswith("_lost")
    ]
    return np.concatenate(columns)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, rule=withholding)
def test_no_released_count_is_small(seed: int, rule: Profile) -> None:
    """No count in any table lies strictly between 0 and the minimum, nor is 0 where that is hidden."""
    released = released_study(seed, rule)
    counts = shown_counts(released)
    assert not ((counts > 0) & (counts < rule.minimum)).any()
    if not rule.zero_allowed:
        people = released.estimates[["n_patients", "n_diseased", "n_validated", "n_validated_diseased"]]
        assert not (people == 0).any(axis=None)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, rule=withholding)
def test_rows_whose_counts_are_hidden_carry_no_number(seed: int, rule: Profile) -> None:
    """A suppressed row has no number left, and every hidden cell is named in ``withheld``."""
    for name, frame in released_study(seed, rule).tables().items():
        gone = frame[frame["state"] == "suppressed"]
        keys = {"level", "age_low", "age_high", "step", "family_size"}  # of tests, not of people
        if name == "flow":
            assert gone["n_patients"].isna().all()
            continue
        numeric = [c for c in frame.select_dtypes("number").columns if c not in keys]
        assert gone[numeric].isna().all(axis=None)
        assert (gone["withheld"] != "").all()


@settings(max_examples=20, deadline=None)
@given(seed=seeds, rule=withholding)
def test_complements_and_differences_in_a_row_are_not_small(seed: int, rule: Profile) -> None:
    """Healthy, not validated, validated healthy, not in the numerator: no difference of two cells of a row is small."""
    if rule.rounding:
        return  # differences of rounded counts say nothing
    released = released_study(seed, rule)
    estimates, audit = released.estimates, released.audit
    pairs = [
        (estimates, "n_patients", "n_diseased"),
        (estimates, "n_patients", "n_validated"),
        (estimates, "n_diseased", "n_validated_diseased"),
        (estimates, "n_validated", "n_validated_diseased"),
        (audit, "n_patients", "n_patients_numerator"),
        (audit, "n_patients", "n_patients_complement"),
        (audit, "n_patients", "n_male"),
        (audit, "n_patients", "n_female"),
    ]
    for frame, whole, part in pairs:
        difference = floats(frame[whole]) - floats(frame[part])
        assert not rule.is_small(difference).any(), (whole, part)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, rule=withholding)
def test_bands_cannot_be_found_by_subtracting_from_the_total(seed: int, rule: Profile) -> None:
    """Where some bands are hidden and the total is shown, what the hidden ones add up to is not a small count."""
    if rule.rounding:
        return
    estimates = released_study(seed, rule).estimates
    for column in ("n_patients", "n_diseased", "n_validated", "n_validated_diseased"):
        for (_, measure, sex), rows in estimates.groupby(["estimator", "measure", "sex"], dropna=False):
            total = floats(rows.loc[rows["age_low"].isna(), column])
            bands = floats(rows.loc[rows["age_low"].notna(), column])
            if measure == "prevalence" and len(total) and np.isfinite(total[0]) and np.isnan(bands).any():
                rest = total[0] - np.nansum(bands)
                assert not rule.is_small(rest), (column, sex)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, rule=withholding)
def test_exact_numbers_by_sex_cannot_be_solved_for(seed: int, rule: Profile) -> None:
    """Both prevalences of a band, with its patients and diseased, give the numbers by sex: none of them is small."""
    if rule.rounding:
        return
    estimates = released_study(seed, rule).estimates
    exact = estimates[estimates["estimator"].isin(["truth", "complete_case"]) & (estimates["measure"] == "prevalence")]
    for _, rows in exact.groupby(["estimator", "age_low"], dropna=False):
        by_sex = rows.set_index("sex")
        p, n, d = (floats(by_sex[name]) for name in ("point", "n_patients", "n_diseased"))
        if len(p) < 2 or not np.isfinite([*p, *n, *d]).all() or abs(p[0] - p[1]) < 1e-6:
            continue
        first = (d[0] - p[1] * n[0]) / (p[0] - p[1])
        people = np.array([first, n[0] - first])
        solved = np.concatenate([people * p, people * (1 - p)])
        assert not rule.is_small(np.round(solved)).any()


@settings(max_examples=20, deadline=None)
@given(seed=seeds, rule=withholding)
def test_flow_differences_are_not_small(seed: int, rule: Profile) -> None:
    """No two shown steps differ by a small count, of patients, images or either sex; sexes cannot be subtracted out."""
    if rule.rounding:
        return
    flow = released_study(seed, rule).flow
    for name in ("n_patients", "n_images", "n_male", "n_female", "n_other", "n_unknown"):
        shown = floats(flow[name])
        shown = shown[np.isfinite(shown)]
        assert not rule.is_small(np.abs(np.diff(shown))).any(), name
    sexes = np.column_stack([floats(flow[name]) for name in ("n_male", "n_female", "n_other", "n_unknown")])
    rest = floats(flow["n_patients"]) - np.nansum(sexes, axis=1)
    assert not rule.is_small(rest[np.isnan(sexes).any(axis=1)]).any()


@settings(max_examples=20, deadline=None)
@given(seed=seeds, rule=withholding)
def test_error_counts_of_the_audit_cannot_be_solved_for(seed: int, rule: Profile) -> None:
    """Wrong men and wrong women follow from any two of four shown figures of a group: none found is a small count."""
    if rule.rounding:
        return
    audit = released_study(seed, rule).audit
    equations = {
        "correct_among_men": (0.0, 1.0),
        "correct_among_women": (1.0, 0.0),
        "accuracy": (1.0, 1.0),
        "predicted_minus_observed_male_share": (1.0, -1.0),
    }
    for _, rows in audit[audit["state"] == "measured"].groupby(["group", "level_name"]):
        shown = rows[rows["metric"].isin(equations)].set_index("metric")
        a = np.array([equations[name] for name in shown.index]).reshape(-1, 2)
        n, point = floats(shown["n_images"]), floats(shown["point"])
        b = np.where(shown.index == "predicted_minus_observed_male_share", point * n, (1 - point) * n)
        if np.linalg.matrix_rank(a) == 2:
            wrong = np.linalg.lstsq(a, b, rcond=None)[0]
            # images bound the patients they show from above
            assert not rule.is_small(np.round(wrong)).any()


@settings(max_examples=20, deadline=None)
@given(seed=seeds, rule=withholding)
def test_gaps_of_hidden_groups_are_hidden(seed: int, rule: Profile) -> None:
    """A gap with a number has both its sides shown in the audit."""
    released = released_study(seed, rule)
    audit = released.audit.set_index(["metric", "group", "level_name"])["state"]
    for row in released.gaps[released.gaps["state"] == "measured"].itertuples():
        assert audit[(row.metric, row.group, row.level_name)] == "measured"
        whole = row.reference == "all"  # against all groups together
        assert audit[(row.metric, "overall" if whole else row.group, row.reference)] == "measured"


@settings(max_examples=8, deadline=None)
@given(seed=seeds, planted=st.integers(7001, 7998))
def test_a_planted_rare_number_is_nowhere_in_the_release(seed: int, planted: int) -> None:
    """A count that must be hidden, planted in every table and text, is in no byte of what is released."""
    rule = Profile(name="strict", minimum=8000, zero_allowed=True, rounding=None, source="a test")
    rng = np.random.default_rng(seed)
    number = float(planted)
    n = 100_000_000
    estimates = pd.DataFrame(
        [
            {"measure": "prevalence", "estimator": name, "condition": "d", "sex": "male", "standard": "crude",
             "level": 0.95, "state": state, "point": number / n, "low": number / n / 2, "high": number * 2 / n,
             "n_patients": n, "n_diseased": planted, "n_validated": n - planted, "n_validated_diseased": 0,
             "note": f"{planted} diseased patients"}
            for name, state in (("E1", "corrected"), ("complete_case", "naive"))
        ]
    )  # fmt: skip
    audit = pd.DataFrame(
        [
            {"metric": metric, "group": "overall", "level_name": "all", "point": number / n, "level": 0.95,
             "n_images": n, "n_patients": n, "n_patients_numerator": planted, "n_patients_complement": n - planted,
             "n_male": n - planted, "n_female": planted, "state": "measured", "note": f"n = {planted}"}
            for metric in ("accuracy", "correct_among_men", "n_patients")
        ]
    )  # fmt: skip
    audit.loc[2, ["point", "n_patients_numerator", "n_patients_complement"]] = [n, None, None]
    gaps = pd.DataFrame(
        [{"metric": "accuracy", "group": "g", "level_name": "a", "reference": "b", "point": 0.1, "level": 0.95,
          "n_patients": planted, "n_patients_reference": n, "state": "measured", "note": f"{planted} men"}]
    )  # fmt: skip
    flow = pd.DataFrame(
        [{"step": 1, "name": "a", "n_patients": n, "n_other": planted, "n_unknown": n - planted, "state": "counted"},
         {"step": 2, "name": "b", "n_patients": n - planted, "patients_lost": planted, "state": "counted",
          "reason": f"{planted} patients without age"}]
    )  # fmt: skip
    results = StudyResults(
        title="t", estimates=estimates.sample(frac=1, random_state=int(rng.integers(1000))), audit=audit, gaps=gaps,
        flow=flow, provenance={"n_patients": planted}, notices=(f"only {planted} men",),
        choices=({"condition": "d", "why": f"{planted} validated cases", "diagnostics": {"n_validated": planted}},),
    )  # fmt: skip
    released = release(results, rule)
    texts = [frame.to_json(orient="records", double_precision=15) for frame in released.tables().values()]
    texts += [frame.to_csv() for frame in released.tables().values()]
    texts.append(json.dumps([released.choices, released.notices, released.provenance, released.protection]))
    everything = "\n".join(texts).encode()
    assert str(planted).encode() not in everything


@settings(max_examples=8, deadline=None)
@given(seed=seeds)
def test_without_withholding_every_number_passes(seed: int) -> None:
    """The profile none, with its reason, leaves every number as it was."""
    private = study(seed)
    released = release(private, "none", "simulated data")
    for before, after in ((private.estimates, released.estimates), (private.audit, released.audit)):
        for name in ("point", "n_patients"):
            np.testing.assert_array_equal(floats(before[name]), floats(after[name]))
    assert sum(released.suppressed_counts.values()) == 0


@settings(max_examples=8, deadline=None)
@given(seed=seeds)
def test_zero_survives_as_zero(seed: int) -> None:
    """Where zero is allowed, a zero in a row that is not suppressed is still a zero."""
    private = study(seed)
    released = release(private, "uk-5")
    kept = (released.estimates["state"] != "suppressed").to_numpy()
    zero = floats(private.estimates["n_diseased"]) == 0
    assert (floats(released.estimates["n_diseased"])[kept & zero] == 0).all()
    lost = floats(private.flow["images_lost"]) == 0
    shown = floats(released.flow["images_lost"])[lost]
    assert ((shown == 0) | np.isnan(shown)).all()
