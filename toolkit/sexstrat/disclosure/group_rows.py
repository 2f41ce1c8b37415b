"""Suppression in the tests between groups, the shrunken shares, the criteria of fairness and the declared rules."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.audit_rows import LEFT_OUT, suppressed_groups
from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.withhold import numbers, suppress_rows, withhold_cells

__all__ = ["protect_parity", "protect_rules", "protect_shrunken", "protect_tests"]

TEST_NUMBERS = (
    *("statistic", "p_value", "point", "low", "high", "p_adjusted"),
    *("mean", "tau2", "i2", "prediction_low", "prediction_high"),
)
EYE_TESTS = ("mcnemar", "eye_odds_ratio", "eye_agreement")
SHRUNKEN_NUMBERS = ("raw", "point", "low", "high", "weight", "probability_worst", "rank_low", "rank_high")
PARITY_NUMBERS = ("point", "low", "high", "n_patients_lowest", "n_patients_highest")
RULE_NUMBERS = ("point", "low", "high", "n_patients", "n_patients_reference")
BEHIND = {
    "demographic_parity": ("predicted_male_share",),
    "observed_share": ("observed_male_share",),
    "conditional_demographic_parity": ("predicted_minus_observed_male_share",),
    "equal_opportunity": ("correct_among_men",),
    "predictive_parity": ("correct_among_called_men",),
    "equalised_odds_worst": ("correct_among_men", "correct_among_women"),
    "equalised_odds_mean": ("correct_among_men", "correct_among_women"),
}

Mask = NDArray[np.bool_]


def _beside(frame: pd.DataFrame, audit: pd.DataFrame) -> Mask:
    """Choose the rows whose metric is suppressed in some group of their grouping variable, or over all."""
    keys = {key[:2] for key in suppressed_groups(audit)}
    pairs = zip(frame["metric"], frame["group"], strict=True)
    return np.array([(metric, group) in keys or (metric, "overall") in keys for metric, group in pairs], dtype=bool)


def protect_tests(tests: pd.DataFrame, audit: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Suppress the tests from whose numbers a suppressed group could be solved for.

    A statistic is a function of every group's counts; with all but one of them shown it gives the last away. Beside a
    suppressed group only the p value of the permutation test stays, which is a multiple of a thousandth. The tests of
    eyes of men, of women and of both add up: where one rests on too few of a kind of pair, all are suppressed.

    Parameters
    ----------
    tests : rows of the ``audit_test`` contract with the column ``withheld``.
    audit : the audit after :func:`sexstrat.disclosure.audit_rows.protect_audit`.
    profile : the rule for small counts.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.disclosure.withhold import releasable_frame
    >>> test = {"metric": "auc", "group": "site", "test": "wald", "statistic": 3.1, "level": 0.95, "state": "measured"}
    >>> group = {"metric": "auc", "group": "site", "level_name": "a", "level": 0.95, "state": "suppressed"}
    >>> frames = [releasable_frame(pd.DataFrame([one]), name) for one, name in ((test, "audit_test"), (group, "audit"))]
    >>> protect_tests(*frames, PROFILES["uk-5"]).loc[0, "state"]
    'suppressed'
    """
    if tests.empty:
        return tests
    near, permuted = _beside(tests, audit), (tests["test"] == "permutation").to_numpy(dtype=bool)
    told = withhold_cells(tests, near & permuted, ["statistic"])
    told.loc[near & permuted, "note"] = LEFT_OUT
    hidden = profile.hides(numbers(tests, "n_patients")) | (near & ~permuted)
    eyes = tests["test"].isin(EYE_TESTS).to_numpy(dtype=bool)
    hidden |= eyes & bool((hidden & eyes).any())
    return suppress_rows(told, hidden, (*TEST_NUMBERS, "n_patients"), profile)


def protect_shrunken(shrunken: pd.DataFrame, audit: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Suppress the shrunken shares of a variable in which a group is suppressed: each is drawn to the mean of all.

    Parameters
    ----------
    shrunken : rows of the ``audit_shrunken`` contract with the column ``withheld``.
    audit : the audit after :func:`sexstrat.disclosure.audit_rows.protect_audit`.
    profile : the rule for small counts.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.disclosure.withhold import releasable_frame
    >>> rows = pd.DataFrame({"metric": "accuracy", "group": "site", "level_name": ["a", "b"], "raw": [0.9, 0.8]})
    >>> rows = rows.assign(model="logit_normal", n_patients=[90, 80], level=0.95, state="measured")
    >>> group = {"metric": "accuracy", "group": "site", "level_name": "a", "level": 0.95, "state": "suppressed"}
    >>> audit = releasable_frame(pd.DataFrame([group]), "audit")
    >>> protect_shrunken(releasable_frame(rows, "audit_shrunken"), audit, PROFILES["uk-5"])["state"].tolist()
    ['suppressed', 'suppressed']
    """
    if shrunken.empty:
        return shrunken
    hidden = _beside(shrunken, audit) | profile.hides(numbers(shrunken, "n_patients"))
    return suppress_rows(shrunken, hidden, (*SHRUNKEN_NUMBERS, "n_patients"), profile)


def protect_parity(parity: pd.DataFrame, audit: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Suppress the criteria that rest on a suppressed group, and what their notes say of groups left out.

    Parameters
    ----------
    parity : rows of the ``audit_parity`` contract with the column ``withheld``.
    audit : the audit after :func:`sexstrat.disclosure.audit_rows.protect_audit`.
    profile : the rule for small counts.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.disclosure.withhold import releasable_frame
    >>> row = {"criterion": "equal_opportunity", "group": "site", "scale": "difference", "point": 0.1, "level": 0.95}
    >>> row |= {"lowest": "a", "highest": "b", "n_patients_lowest": 90, "n_patients_highest": 80, "state": "measured"}
    >>> group = {"metric": "correct_among_men", "group": "site", "level_name": "a", "level": 0.95}
    >>> audit = releasable_frame(pd.DataFrame([group | {"state": "suppressed"}]), "audit")
    >>> done = protect_parity(releasable_frame(pd.DataFrame([row]), "audit_parity"), audit, PROFILES["uk-5"])
    >>> done.loc[0, "state"], done.loc[0, "lowest"] is pd.NA or pd.isna(done.loc[0, "lowest"])
    ('suppressed', True)
    """
    if parity.empty:
        return parity
    keys = suppressed_groups(audit)
    beside = {key[:2] for key in keys}
    hidden = profile.hides(numbers(parity, "n_patients_lowest")) | profile.hides(numbers(parity, "n_patients_highest"))
    near = np.zeros(len(parity), dtype=bool)
    for place, row in enumerate(parity.to_dict("records")):
        metrics = BEHIND.get(str(row["criterion"]), ())
        near[place] = any((metric, row["group"]) in beside for metric in metrics)
        named = {row["lowest"], row["highest"]} if row["criterion"] != "equalised_odds_mean" else set()
        hidden[place] |= any((metric, row["group"], name) in keys for metric in metrics for name in named)
        hidden[place] |= near[place] and row["criterion"] == "equalised_odds_mean"  # it names no group to look up
    told = parity.copy()
    told.loc[near, "note"] = LEFT_OUT
    return suppress_rows(told, hidden, (*PARITY_NUMBERS, "lowest", "highest"), profile)


def protect_rules(rules: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Withhold the numbers of declared rules, whose scope cuts the patients anew, and suppress those about too few.

    The outcome is told, the difference and its interval are not: at ages of a rule's own, and beside the audit's
    bands, they could be subtracted. A profile that withholds nothing lets them through.

    Parameters
    ----------
    rules : rows of the ``audit_rule`` contract with the column ``withheld``.
    profile : the rule for small counts.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.disclosure.withhold import releasable_frame
    >>> row = {"number": 1, "rule": "r", "metric": "accuracy", "comparison": "at_least", "limit": 0.8, "level": 0.9}
    >>> row |= {"point": 0.85, "outcome": "pass", "n_patients": 400, "state": "measured"}
    >>> done = protect_rules(releasable_frame(pd.DataFrame([row]), "audit_rule"), PROFILES["uk-5"])
    >>> done.loc[0, "outcome"], done.loc[0, "withheld"]
    ('pass', 'point low high n_patients n_patients_reference')
    """
    if rules.empty or (profile.minimum <= 1 and profile.zero_allowed):
        return rules
    few = profile.hides(numbers(rules, "n_patients")) | profile.hides(numbers(rules, "n_patients_reference"))
    told = withhold_cells(rules, ~few, RULE_NUMBERS)
    return suppress_rows(told, few, (*RULE_NUMBERS, "outcome"), profile)
