"""Gaps between groups: defects seen in other programs are not ours, and rules say pass, fail or cannot tell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.genmod.cov_struct import Independence

from sexstrat.audit.alike import alike_patients
from sexstrat.audit.gaps.compare import compare
from sexstrat.audit.gaps.difference import difference, difference_p_value
from sexstrat.audit.gaps.group_draws import shrunken_rows
from sexstrat.audit.gaps.grouped import GroupedMetric
from sexstrat.audit.gaps.homogeneity import homogeneity, wald_homogeneity, wald_of_covariance
from sexstrat.audit.gaps.largest import largest_gap
from sexstrat.audit.gaps.moments import covariance_of_sums, second_moments
from sexstrat.audit.gaps.parity import parity
from sexstrat.audit.gaps.permuted import patient_table
from sexstrat.audit.gaps.ratio import ratio
from sexstrat.audit.gaps.rule_rows import rule_rows
from sexstrat.audit.gaps.rules import Rule
from sexstrat.audit.gaps.simultaneous import simultaneous_quantile
from sexstrat.audit.gaps.tables import gap_tables, grouped_metrics
from sexstrat.audit.group_data import Options
from sexstrat.audit.grouping import Grouping, column_grouping
from sexstrat.audit.images import AuditImages, audit_images
from sexstrat.audit.influence import influence
from sexstrat.audit.measuring import Measured, measured
from sexstrat.audit.proportion import clustered_proportion
from sexstrat.audit.sums import patient_sums
from sexstrat.errors import StudyError
from sexstrat.values.tables import table_schema

OPTIONS = Options(n_replicates=200)
Audited = tuple[AuditImages, pd.DataFrame, Grouping, Measured]


def cohort(sizes: dict[str, int], right_men: dict[str, float], right_women: dict[str, float], seed: int = 1,
           share_of_men: dict[str, float] | None = None) -> pd.DataFrame:  # fmt: skip
    """Return patients with two eyes each, correlated, by site."""
    rng = np.random.default_rng(seed)
    rows = []
    for site, n in sizes.items():
        male = rng.random(n) < (share_of_men or {}).get(site, 0.5)
        wanted = np.where(male, right_men[site], right_women[site])
        both = rng.random(n) < 0.5
        first = rng.random(n) < wanted
        second = np.where(both, first, rng.random(n) < wanted)
        for eye, right in (("R", first), ("L", second)):
            rows.append(
                pd.DataFrame(
                    {
                        "patient_id": [f"{site}{k}" for k in range(n)],
                        "image_id": [f"{site}{k}{eye}" for k in range(n)],
                        "prob_male": np.where(male == right, 0.9, 0.1),
                        "status": "ok",
                        "age_years": np.where(np.arange(n) % 2 == 0, 75.0, 55.0),
                        "recorded_sex": np.where(male, "male", "female"),
                        "site": site,
                        "eye": eye,
                    }
                )
            )
    return pd.concat(rows, ignore_index=True)


def audited(frame: pd.DataFrame, column: str = "site") -> Audited:
    images, rows = audit_images(frame, [column], "image")
    grouping = column_grouping(rows[column], column)
    return images, rows, grouping, measured(images, [grouping], OPTIONS)


def grouped(one: Audited) -> dict[str, GroupedMetric]:
    return grouped_metrics(one[2], one[3])


@pytest.fixture(scope="module")
def island() -> Audited:
    """Return two large sites and a third of five patients, all women."""
    rates = {"north": 0.95, "south": 0.88, "island": 0.8}
    return audited(cohort({"north": 300, "south": 250, "island": 5}, rates, rates, share_of_men={"island": 0.0}))


def test_a_group_without_men_is_left_out_of_the_gap_and_named(island: Audited) -> None:
    """fairlearn takes its rate among men as 0 and reports a gap of .9; here it is undefined, left out and listed."""
    metrics = grouped(island)
    rows = {(row["criterion"], row["scale"]): row for row in parity(metrics)}
    worst = rows["equalised_odds_worst", "difference"]
    points = {
        name: [metrics[name].measured[site].point or 0.0 for site in ("north", "south")]
        for name in ("correct_among_men", "correct_among_women")
    }
    assert worst["point"] == pytest.approx(max(np.ptp(one) for one in points.values()))
    assert worst["point"] < 0.2
    assert "island (no men in the denominator)" in rows["equal_opportunity", "difference"]["note"]
    assert {worst["lowest"], worst["highest"]} == {"north", "south"}
    images, _, grouping, _ = island
    from fairlearn.metrics import equalized_odds_difference

    male, called = images.male, images.prob_male >= 0.5
    sites = np.array(grouping.labels)[grouping.code]
    assert equalized_odds_difference(male, called, sensitive_features=sites) > 0.8


def test_largest_gap_reaches_zero_where_there_is_none() -> None:
    """The interval of the largest gap holds a true gap of 0 as often as it says; the bootstrap's percentiles never."""
    ours, theirs = 0, 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        right = rng.random((7, 100)) < 0.8
        labels = tuple(f"g{k}" for k in range(7))
        measured = {label: clustered_proportion(right[k], range(100)) for k, label in enumerate(labels)}
        measured["all"] = clustered_proportion(right.ravel(), range(700))
        variances = [float(measured[label].se or 0.0) ** 2 for label in (*labels, "all")]
        one = GroupedMetric(
            metric="accuracy", group="g", labels=labels, measured=measured, covariance=np.diag(variances)
        )
        ours += largest_gap(one)[0]["low"] == 0
        draws = np.stack([right[:, rng.integers(0, 100, 100)].mean(axis=1) for _ in range(200)])
        theirs += bool(np.quantile(np.ptp(draws, axis=1), 0.025) <= 0)
    assert ours >= 18
    assert theirs == 0


def test_sensitivity_is_not_tested_on_the_called(island: Audited) -> None:
    """aequitas conditions the test of TPR on the called; here correct among men moves with men alone."""
    metrics = grouped(island)
    men, called = metrics["correct_among_men"], metrics["correct_among_called_men"]
    p_men = difference_p_value(men.measured["north"], men.measured["south"], "accuracy")
    p_called = difference_p_value(called.measured["north"], called.measured["south"], "accuracy")
    assert p_men != pytest.approx(p_called, rel=1e-3)
    images, _, grouping, _ = island
    n = {site: int((images.male & (grouping.code == k)).sum()) for k, site in enumerate(grouping.labels)}
    assert men.measured["north"].n_images == n["north"]


def test_the_smallest_size_is_of_the_rates_own_denominator(island: Audited) -> None:
    """seismometer counts rows; here five women with ten images define nothing, although ten rows are there."""
    assert grouped(island)["correct_among_women"].measured["island"].n_images == 10
    assert grouped(island)["correct_among_women"].excluded["island"].startswith("fewer than 10 women")


def test_opposite_gaps_do_not_cancel() -> None:
    """AIF360's signed average of odds is 0 where one sex gains what the other loses; ours is the mean of both gaps."""
    frame = cohort({"a": 400, "b": 400}, {"a": 0.95, "b": 0.8}, {"a": 0.8, "b": 0.95})
    metrics = grouped(audited(frame))
    row = next(one for one in parity(metrics) if one["criterion"] == "equalised_odds_mean")
    signed = [
        (metrics[name].measured["a"].point or 0) - (metrics[name].measured["b"].point or 0)
        for name in ("correct_among_men", "correct_among_women")
    ]
    assert abs(np.mean(signed)) < 0.05
    assert row["point"] == pytest.approx(np.mean(np.abs(signed)))
    assert row["point"] > 0.1


def test_a_ratio_of_zero_is_zero() -> None:
    """dalex turns a parity ratio of 0 into missing; here it is 0, with an upper limit, and said."""
    nobody, most = clustered_proportion([0] * 60, range(60)), clustered_proportion([1] * 54 + [0] * 6, range(60))
    found, note = ratio(nobody, most, "accuracy", level=0.95)
    assert found is not None
    assert found[:2] == (0.0, 0.0)
    assert 0 < found[2] < 0.12
    assert "the ratio is 0" in note
    few = clustered_proportion([1] * 4 + [0] * 56, range(60))
    assert ratio(few, most, "accuracy", level=0.95) == (None, "fewer than 5 patients in a numerator")


def test_nothing_shown_is_said_as_such_and_never_none(island: Audited) -> None:
    """With a margin every difference is equivalent, different or not shown; a margin of 1 makes all equivalent."""
    one = grouped(island)["correct_among_women"]
    rows = [row for row in compare(one, "north", margin=0.001) if row["state"] == "measured"]
    assert {row["equivalence"] for row in rows if row["scale"] == "difference"} <= {"different", "not shown"}
    assert compare(one, "north", margin=1.0)[2]["equivalence"] == "equivalent"


def test_simultaneous_limits_lie_outside_single_ones(island: Audited) -> None:
    """With several groups the limits that hold together are wider than those that hold one by one."""
    rates = {"a": 0.9, "b": 0.85, "c": 0.8}
    one = grouped(audited(cohort(dict.fromkeys(rates, 120), rates, rates)))["accuracy"]
    for row in compare(one, "all"):
        assert row["simultaneous_low"] < row["low"] < row["point"] < row["high"] < row["simultaneous_high"]


def test_simultaneous_quantile_lies_between_one_and_independent() -> None:
    """Identical comparisons need the single quantile, independent ones Sidak's, 2.4909 for four at 95 %."""
    assert simultaneous_quantile(np.ones((4, 4))) == pytest.approx(1.96, abs=0.03)
    assert simultaneous_quantile(np.eye(4)) == pytest.approx(2.4909, abs=0.03)


def test_both_eyes_are_compared_within_patients() -> None:
    """Right and left eyes of the same patients are correlated, so their difference is surer than of strangers."""
    rates = {"a": 0.85}
    one = grouped(audited(cohort({"a": 300}, rates, rates), "eye"))["accuracy"]
    assert one.correlation("L", "R") > 0.3
    row = next(row for row in compare(one, "L") if row["scale"] == "difference")
    strangers = difference(one.measured["R"], one.measured["L"], "accuracy", level=0.95)
    assert row["high"] - row["low"] < 0.9 * (strangers[2] - strangers[1])


def test_covariances_by_moments_are_those_of_influence() -> None:
    """One pass over patients gives the covariance that each patient's contribution gives, patients shared or not."""
    rates = {"a": 0.85, "b": 0.8}
    frame = cohort({"a": 80, "b": 60}, rates, rates)
    frame.loc[frame["patient_id"] == "a3", "eye"] = "R"
    for column in ("site", "eye"):
        images, _, grouping, _ = audited(frame, column)
        sums = patient_sums(images, grouping, threshold=0.5)
        for metric in ("correct_among_men", "balanced_accuracy", "brier"):
            wanted = influence(images, grouping, metric).covariance()
            assert covariance_of_sums(metric, second_moments(sums)) == pytest.approx(wanted, abs=1e-14)


def test_covariances_of_auc_and_calibration_are_those_of_influence() -> None:
    """What is kept while measuring gives the covariance that each patient's contribution gives, shared or not."""
    rates = {"a": 0.85, "b": 0.8}
    frame = cohort({"a": 80, "b": 60}, rates, rates)
    for column in ("site", "eye"):
        images, _, grouping, found = audited(frame, column)
        for metric in ("auc", "calibration_in_the_large"):
            wanted = influence(images, grouping, metric).covariance()
            assert found.covariances[column][metric] == pytest.approx(wanted, abs=1e-13)


def test_patients_gathered_by_what_they_add_are_the_same_patients() -> None:
    """Permutation tests and resampling give the same from kinds of patients as from the patients one by one."""
    rates = {"a": 0.85, "b": 0.8}
    frame = cohort({"a": 80, "b": 60}, rates, rates)
    for column in ("site", "eye"):
        images, _, grouping, _ = audited(frame, column)
        sums = patient_sums(images, grouping, threshold=0.5)
        alike = alike_patients(sums)
        assert len(alike.times) < alike.times.sum() == sums.n_patients
        one, other = (patient_table(*of) for of in (
            (sums, "accuracy", grouping.labels), (alike.sums, "accuracy", grouping.labels, alike.times)
        ))  # fmt: skip
        for name in ("own", "own_counts", "shared", "shared_counts"):
            assert np.array_equal(getattr(one, name), getattr(other, name))


def test_wald_equals_statsmodels_gee() -> None:
    """The Wald statistic from patients' contributions equals that of statsmodels' GEE with independence."""
    rates = {"a": 0.9, "b": 0.85, "c": 0.88}
    frame = cohort(dict.fromkeys(rates, 210), rates, rates)
    one = audited(frame)
    images, _, grouping, _ = one
    found = wald_homogeneity(influence(images, grouping, "accuracy"), grouping.labels)
    right = (images.prob_male >= 0.5) == images.male
    dummies = np.eye(3)[grouping.code]
    fitted = sm.GEE(right.astype(float), dummies, images.patients.code, family=sm.families.Binomial(),
                    cov_struct=Independence()).fit()  # fmt: skip
    test = fitted.wald_test(np.array([[-1.0, 1, 0], [-1, 0, 1]]), scalar=True)
    assert found.statistic == pytest.approx(float(test.statistic), rel=1e-6)
    assert wald_of_covariance(grouped(one)["accuracy"]).statistic == pytest.approx(found.statistic, rel=1e-9)
    assert wald_homogeneity(influence(images, grouping, "accuracy"), grouping.labels, enough=211).state == "undefined"


def test_dealing_patterns_is_dealing_patients() -> None:
    """Tables of patterns drawn with fixed margins have the mean and spread of patients permuted one by one."""
    rates = {"a": 0.9, "b": 0.7}
    images, _, grouping, _ = audited(cohort({"a": 40, "b": 70}, rates, rates))
    table = patient_table(patient_sums(images, grouping, threshold=0.5), "accuracy", grouping.labels)
    quick = np.concatenate([one.total for one in table.dealt(3000, 1)])
    import sexstrat.audit.gaps.permuted as module

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_DRAWS", 0)
        slow_batches = [one.total for one in table.dealt(3000, 2)]
    slow = np.concatenate(slow_batches)
    assert quick.sum(axis=1) == pytest.approx(slow.sum(axis=1))  # nobody is lost
    spread = slow.std(axis=0)
    assert np.abs(quick.mean(axis=0) - slow.mean(axis=0)) == pytest.approx(0, abs=float(spread.max()) / 10)
    assert quick.std(axis=0) == pytest.approx(spread, rel=0.08)


def test_swapped_eyes_keep_their_patients() -> None:
    """Eyes are permuted within patients: the sum over both eyes never changes, and a one-sided fault is found."""
    rates = {"a": 0.9}
    frame = cohort({"a": 150}, rates, rates)
    left = (frame["eye"] == "L") & (frame["image_id"].str.contains("[02468]L"))
    frame.loc[left, "prob_male"] = 1 - frame.loc[left, "prob_male"]
    images, _, grouping, _ = audited(frame, "eye")
    sums = patient_sums(images, grouping, threshold=0.5)
    table = patient_table(sums, "accuracy", grouping.labels)
    totals = np.concatenate([one.total for one in table.dealt(50, 1)]).sum(axis=1)
    assert np.ptp(totals, axis=0) == pytest.approx(0)
    assert homogeneity(sums, "accuracy", grouping.labels).p_value == 0.001


def test_too_few_groups_are_not_shrunken(island: Audited) -> None:
    """Two groups cannot tell how much groups differ: the raw share stays, the shrunken one is undefined."""
    rows = shrunken_rows(grouped(island)["correct_among_women"])
    assert {row["state"] for row in rows} == {"undefined"}
    assert not any("point" in row for row in rows)
    by_site = {row["level_name"]: row for row in rows}
    assert by_site["north"]["raw"] > 0.8
    assert by_site["north"]["note"].startswith("fewer than 4 groups have a number")
    assert by_site["island"]["note"] == "fewer than 10 women in the denominator"


def test_tables_have_the_columns_of_their_contracts() -> None:
    """All tables of gaps hold columns of their contracts only, keys once, and the family's size and adjusted p."""
    rates = {"a": 0.9, "b": 0.85, "c": 0.8, "d": 0.95}
    _, _, grouping, found = audited(cohort(dict.fromkeys(rates, 60), rates, rates))
    tables = gap_tables([grouping], found, {"site": "a"}, OPTIONS, permutations=99, margin=0.1)
    named: dict[str, list[dict[str, Any]]] = {
        "gap": tables.gaps,
        "audit_test": tables.tests,
        "audit_shrunken": tables.shrunken,
        "audit_parity": tables.parity,
    }
    for name, rows in named.items():
        schema = table_schema(name)
        assert rows
        for row in rows:
            assert set(row) <= set(schema.columns), name
            for column in schema.fields:
                value = row.get(column.name)
                assert not (column.required and value is None), (name, column.name)
                assert value is None or not column.enum or value in column.enum
        keys = [tuple(row[key] for key in schema.primary_key) for row in rows]
        assert len(keys) == len(set(keys)), name
    permuted = [row for row in tables.tests if row["test"] == "permutation" and row["p_value"] is not None]
    assert {row["family_size"] for row in permuted} == {len(permuted)}
    assert all(row["p_adjusted"] >= row["p_value"] for row in permuted)


def ruled(frame: pd.DataFrame, *rules: Rule) -> list[dict[str, Any]]:
    images, rows, grouping, _ = audited(frame)
    return rule_rows(images, rows["age_years"], [grouping], rules, OPTIONS)


OLDER = Rule(metric="correct_among_women", against="correct_among_men", comparison="not_below", limit=0.05, age_from=70)


def test_a_rule_passes_fails_or_cannot_tell() -> None:
    """Women aged 70 and over: far worse than men fails, as good passes with many, and a few cannot tell."""
    good, bad = {"a": 0.95}, {"a": 0.7}
    (fail,) = ruled(cohort({"a": 800}, good, bad), OLDER)
    assert (fail["outcome"], fail["state"]) == ("fail", "measured")
    assert fail["high"] < -0.05
    (kept,) = ruled(cohort({"a": 3000}, good, good), OLDER)
    assert kept["outcome"] == "pass"
    assert kept["low"] > -0.05
    (unsure,) = ruled(cohort({"a": 60}, good, good, seed=3), OLDER)
    assert unsure["outcome"] == "cannot tell"


def test_a_rule_on_too_few_cannot_tell_and_says_why() -> None:
    """Fewer than ten women of that age define no rate, so the rule can neither pass nor fail."""
    (row,) = ruled(cohort({"a": 12}, {"a": 0.9}, {"a": 0.9}), OLDER)
    assert (row["outcome"], row["state"]) == ("cannot tell", "undefined")
    assert "fewer than 10" in row["note"]


def test_rules_of_groups_and_of_a_metric_by_itself() -> None:
    """A pair of sites, a ratio, and a plain limit are judged on their own images."""
    rates = {"a": 0.95, "b": 0.75}
    rows = ruled(
        cohort({"a": 500, "b": 500}, rates, rates),
        Rule(metric="accuracy", group="site", level_name="b", reference="a", comparison="not_below", limit=0.05),
        Rule(metric="accuracy", group="site", level_name="b", reference="a", comparison="ratio_at_least", limit=0.7),
        Rule(metric="accuracy", group="site", level_name="a", comparison="at_least", limit=0.9),
    )
    assert [row["outcome"] for row in rows] == ["fail", "pass", "pass"]
    assert [row["number"] for row in rows] == [1, 2, 3]
    schema = table_schema("audit_rule")
    assert all(list(row) and set(row) <= set(schema.columns) for row in rows)


def test_a_rule_about_an_unknown_group_is_refused_by_name() -> None:
    """A misspelt group is an error that names those there are, not a rule that passes."""
    rule = Rule(metric="accuracy", group="site", level_name="Nord", comparison="at_least", limit=0.5)
    with pytest.raises(StudyError, match="rule 1: no group 'Nord' of site; there are a"):
        ruled(cohort({"a": 20}, {"a": 0.9}, {"a": 0.9}), rule)
