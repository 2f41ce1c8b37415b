"""Suppression in the audit and in its gaps."""

from __future__ import annotations

from collections.abc import Mapping, Set

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.audit_lines import with_lines_protected
from sexstrat.disclosure.complementary import hidden_beside_total
from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.withhold import group_numbers, numbers, suppress_rows, withhold_cells

__all__ = ["protect_audit", "protect_gaps", "suppressed_groups"]

LISTED = (
    "n_images",
    "n_patients",
    "ungradable",
    "below_declared_quality",
)  # about every listed image; the other metrics about validated ones
ONE_COUNT = (
    *("correct_among_men", "correct_among_women", "correct_among_called_men", "correct_among_called_women"),
    "predicted_male_share",
)
# with one error count, or the number called men, each of these gives another away
LINKED = (
    *("accuracy", "predicted_minus_observed_male_share", "balanced_accuracy", "correct_among_called_men"),
    *("correct_among_called_women", "f1", "predicted_male_share", "predicted_sex_ratio"),
    "log_predicted_observed_ratio",
)
COUNTS = ("n_images", "n_patients", "n_patients_numerator", "n_patients_complement", "n_male", "n_female")
DENOMINATORS = ("n_patients", "n_male", "n_female")
PAIR = ("n_patients", "accuracy")  # the metrics whose denominators are the listed and the validated patients
EMPTIED = ("point", "unweighted", "se", "low", "high", "design_effect", *COUNTS)
GAP_NUMBERS = ("point", "low", "high", "simultaneous_low", "simultaneous_high", "p_value", "p_adjusted")
GAP_POWER = ("detectable_below", "detectable_above", "equivalence", "chance", "excess")
GAP_EMPTIED = (*GAP_NUMBERS, *GAP_POWER, "n_patients", "n_patients_reference")

LEFT_OUT = "groups without a number, or with one that is withheld, are left out"

Mask = NDArray[np.bool_]


def protect_audit(frame: pd.DataFrame, profile: Profile, further: Mapping[int, Set[str]] | None = None) -> pd.DataFrame:
    """Suppress every audit row that rests on, or gives away, a count that may not be shown.

    Primary, in patients: denominator, numerator, complement, men, women, and the listed patients who are not validated.
    Linked: a hidden error count hides every metric of its group that is computed from both error counts (accuracy,
    male share difference, balanced accuracy, shares of those called, F1, ratios), and a small number of men or women
    hides every metric that compares the score with recorded sex there. Complementary: within a metric
    and grouping variable, a second group is hidden where the overall row is shown, and in every line of an
    intersection.

    Parameters
    ----------
    frame : rows of the ``audit`` contract with the column ``withheld``.
    profile : the rule for small counts.
    further : rows that would give something away in another table.

    Examples
    --------
    Three of 40 women were called men.

    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.disclosure.withhold import releasable_frame
    >>> row = {
    ...     "metric": "correct_among_women",
    ...     "group": "overall",
    ...     "level_name": "all",
    ...     "point": 0.925,
    ...     "level": 0.95,
    ...     "n_images": 40,
    ...     "n_patients": 40,
    ...     "n_patients_numerator": 37,
    ...     "n_patients_complement": 3,
    ...     "state": "measured",
    ... }
    >>> protect_audit(releasable_frame(pd.DataFrame([row]), "audit"), PROFILES["uk-5"]).loc[0, "state"]
    'suppressed'
    """
    if frame.empty:
        return frame
    metric = frame["metric"].to_numpy(dtype=object)
    unit = group_numbers(frame, ["group", "level_name"])
    few = _of_units(unit, _few_of_a_sex(frame, metric, profile))
    unvalidated = {name: _few_unvalidated(frame, metric, unit, name, profile) for name in DENOMINATORS}
    counts = np.isin(metric, ("n_images", "n_patients"))
    hidden = _primary(frame, metric, profile) | (~np.isin(metric, LISTED) & few)
    hidden |= counts & unvalidated["n_patients"]
    hidden[[place for place, columns in (further or {}).items() if "point" in columns]] = True
    while True:
        before = hidden.copy()
        errors = hidden & np.isin(metric, ONE_COUNT)
        hidden = hidden | (np.isin(metric, LINKED) & _of_units(unit, errors))
        hidden = _with_overall_protected(frame, hidden, profile)
        hidden = with_lines_protected(frame, hidden, _amounts(frame), profile)
        if (hidden == before).all():
            break
    neither = profile.is_small(numbers(frame, "n_patients") - numbers(frame, "n_male") - numbers(frame, "n_female"))
    sexes = few | unvalidated["n_male"] | unvalidated["n_female"] | _of_units(unit, counts & neither)
    sexes = _with_overall_protected(frame, sexes & (metric == "n_patients"), profile)
    sexes = with_lines_protected(frame, sexes, _amounts(frame), profile)
    emptied = withhold_cells(frame, counts & _of_units(unit, sexes), ["n_male", "n_female"])
    # a share with all its digits tells what it is a share of
    hidden |= (metric == "ungradable") & _of_units(unit, hidden & (metric == "n_patients"))
    return suppress_rows(emptied, hidden, EMPTIED, profile)


def _of_units(unit: NDArray[np.intp], rows: Mask) -> Mask:
    """Choose every row of the groups to which a chosen row belongs."""
    return np.isin(unit, unit[rows])


def _primary(frame: pd.DataFrame, metric: NDArray[np.object_], profile: Profile) -> Mask:
    n, numerator = numbers(frame, "n_patients"), numbers(frame, "n_patients_numerator")
    complement = numbers(frame, "n_patients_complement")
    hidden = profile.hides(n) | profile.hides(numerator) | profile.hides(complement) | profile.is_small(n - numerator)
    hidden |= profile.is_small(n - complement) | profile.is_small(numbers(frame, "n_images"))
    # without patient counts the images bound them from above
    implied = numbers(frame, "point") * numbers(frame, "n_images")
    uncounted = np.isnan(numerator) & np.isin(metric, (*ONE_COUNT, "accuracy"))
    rest = numbers(frame, "n_images") - implied
    return np.asarray(hidden | (uncounted & (profile.is_small(implied) | profile.is_small(rest))))


def _few_of_a_sex(frame: pd.DataFrame, metric: NDArray[np.object_], profile: Profile) -> Mask:
    """Choose the rows where the number of men or of women may not be shown."""
    few = profile.hides(numbers(frame, "n_male")) | profile.hides(numbers(frame, "n_female"))
    one_sex = np.isin(metric, ("correct_among_men", "correct_among_women"))
    return np.asarray(few | (one_sex & profile.hides(numbers(frame, "n_patients"))))


def _few_unvalidated(
    frame: pd.DataFrame, metric: NDArray[np.object_], unit: NDArray[np.intp], column: str, profile: Profile
) -> Mask:
    """Choose the rows of groups where listed minus validated patients is a small count."""
    by_metric = pd.DataFrame({name: np.where(metric == name, numbers(frame, column), np.nan) for name in PAIR})
    listed, validated = (by_metric[name].groupby(unit).transform("max").to_numpy(dtype=float) for name in PAIR)
    return profile.is_small(listed - validated)


def _with_overall_protected(frame: pd.DataFrame, hidden: Mask, profile: Profile) -> Mask:
    """Hide further groups of a metric, smallest first, where the overall row would give a hidden one away."""
    overall = (frame["group"] == "overall").to_numpy(dtype=bool)
    return hidden_beside_total(
        frame, hidden, overall, within=["metric"], split=["group"], counts=COUNTS, profile=profile
    )


def _amounts(frame: pd.DataFrame) -> NDArray[np.float64]:
    return np.column_stack([numbers(frame, name) for name in COUNTS])


def protect_gaps(gaps: pd.DataFrame, audit: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Suppress the gaps whose group or reference is suppressed in the audit, or too small itself.

    A reference of all images is looked up in the overall rows. Of a largest gap beside a suppressed group, the note
    that names the groups left out, and what chance makes of all of them, are withheld.

    Parameters
    ----------
    gaps : rows of the ``gap`` contract with the column ``withheld``.
    audit : the audit after :func:`protect_audit`.
    profile : the rule for small counts.

    Examples
    --------
    >>> from sexstrat.disclosure.profiles import PROFILES
    >>> from sexstrat.disclosure.withhold import releasable_frame
    >>> row = {
    ...     "metric": "auc",
    ...     "group": "age_band",
    ...     "level_name": "80+",
    ...     "reference": "60-69",
    ...     "point": -0.1,
    ...     "level": 0.95,
    ...     "n_patients": 4,
    ...     "n_patients_reference": 90,
    ...     "state": "measured",
    ... }
    >>> frames = [releasable_frame(pd.DataFrame(rows), name) for rows, name in (([row], "gap"), ([], "audit"))]
    >>> protect_gaps(*frames, PROFILES["uk-5"]).loc[0, "state"]
    'suppressed'
    """
    if gaps.empty:
        return gaps
    keys = suppressed_groups(audit)
    hidden = profile.hides(numbers(gaps, "n_patients")) | profile.hides(numbers(gaps, "n_patients_reference"))
    for side in ("level_name", "reference"):
        hidden |= np.array([key in keys for key in zip(gaps["metric"], gaps["group"], gaps[side], strict=True)])
    overall = (gaps["comparison"] == "overall").to_numpy(dtype=bool)
    hidden |= overall & np.array([(metric, "overall", "all") in keys for metric in gaps["metric"]])
    beside = {key[:2] for key in keys}
    near = np.array([key in beside for key in zip(gaps["metric"], gaps["group"], strict=True)])
    near &= (gaps["comparison"] == "largest").to_numpy(dtype=bool)
    told = withhold_cells(gaps, near & ~hidden, ["chance", "excess"])
    told.loc[near, "note"] = LEFT_OUT
    return suppress_rows(told, hidden, GAP_EMPTIED, profile)


def suppressed_groups(audit: pd.DataFrame) -> set[tuple[str, str, str]]:
    """Return the metric, grouping variable and group of the audit rows that are suppressed.

    Parameters
    ----------
    audit : the audit after :func:`protect_audit`.

    Examples
    --------
    >>> row = {"metric": "auc", "group": "site", "level_name": "a", "state": "suppressed"}
    >>> suppressed_groups(pd.DataFrame([row]))
    {('auc', 'site', 'a')}
    """
    suppressed = audit.loc[audit["state"] == "suppressed", ["metric", "group", "level_name"]]
    return {(str(metric), str(group), str(label)) for metric, group, label in suppressed.itertuples(index=False)}
