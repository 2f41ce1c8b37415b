"""The gate: results in, what may be shown out."""

from __future__ import annotations

from collections.abc import Mapping, Set

import numpy as np
import pandas as pd

from sexstrat.disclosure.across_tables import Everything, overlapping_groups
from sexstrat.disclosure.ageing_rows import CURVE_EMPTIED, TREND_EMPTIED, protect_curves, protect_trends
from sexstrat.disclosure.audit_rows import protect_audit, protect_gaps
from sexstrat.disclosure.choice_counts import protect_choice
from sexstrat.disclosure.consequence_rows import EMPTIED as CONSEQUENCE_EMPTIED
from sexstrat.disclosure.consequence_rows import protect_consequences
from sexstrat.disclosure.diagnostic_rows import EMPTIED as DIAGNOSTIC_EMPTIED
from sexstrat.disclosure.diagnostic_rows import protect_diagnostics
from sexstrat.disclosure.estimate_rows import protect_estimates
from sexstrat.disclosure.flow_rows import COUNTS as FLOW_COUNTS
from sexstrat.disclosure.flow_rows import protect_flow, without_counts_by_status
from sexstrat.disclosure.group_rows import protect_parity, protect_rules, protect_shrunken, protect_tests
from sexstrat.disclosure.missingness_rows import EMPTIED as MISSINGNESS_EMPTIED
from sexstrat.disclosure.missingness_rows import protect_missingness
from sexstrat.disclosure.profiles import MIN_STUDY, Profile
from sexstrat.disclosure.profiles import profile as profile_by_name
from sexstrat.disclosure.released import SEAL, Released
from sexstrat.disclosure.rounding import round_table
from sexstrat.disclosure.sensitivity_rows import EMPTIED as SENSITIVITY_EMPTIED
from sexstrat.disclosure.sensitivity_rows import IMPUTATION_EMPTIED, protect_imputation, protect_sensitivity
from sexstrat.disclosure.texts import CHOICE_KEYS, without_counted_people, without_small_counts, without_small_values
from sexstrat.disclosure.withheld_together import Reader
from sexstrat.disclosure.withhold import numbers, releasable_frame, withhold_further
from sexstrat.errors import DisclosureError
from sexstrat.values.results import StudyResults

__all__ = ["release"]


Further = Mapping[str, Mapping[int, Set[str]]]
LOST_WITH_A_ROW: Mapping[str, tuple[str, ...]] = {
    "flow": FLOW_COUNTS,
    "diagnostic": DIAGNOSTIC_EMPTIED,
    "sensitivity": SENSITIVITY_EMPTIED,
    "imputation": IMPUTATION_EMPTIED,
    "age_curve": CURVE_EMPTIED,
    "age_trend": TREND_EMPTIED,
    "missingness": MISSINGNESS_EMPTIED,
    "consequence": CONSEQUENCE_EMPTIED,
}
TOGETHER = (
    "All tables together: a linear program solved for every withheld count from every count and share that is shown, "
    "and what left it less than the whole withheld range was withheld as well."
)
OVERLAPPING = " Not part of it: groups of the audit that share patients, such as eyes and cameras; look at them too."
APART = (
    "Not done: protection of one table against another, whose counts could not be brought together here; look for "
    "small differences between tables before publishing."
)


def release(results: StudyResults, profile: str | Profile, reason: str = "") -> Released:
    """Apply a disclosure profile once, to everything, and return what may be written for people.

    Parameters
    ----------
    results : what a study found.
    profile : name of a profile, or a profile of your own.
    reason : why nothing is withheld; needed by the profile ``none``, and by any that withholds nothing.

    Returns
    -------
    Released, which carries released numbers only.

    Raises
    ------
    DisclosureError : the study has fewer than 50 patients or does not say how many, a table holds rows about single
        patients, or nothing is to be withheld and no reason is given.
    StudyError : no profile of that name; the message names the nearest.

    Examples
    --------
    >>> flow = pd.DataFrame(
    ...     {
    ...         "step": [1, 2],
    ...         "name": ["listed", "scored"],
    ...         "n_patients": [900, 880],
    ...         "n_other": [3, 3],
    ...         "n_unknown": [897, 877],
    ...         "state": "counted",
    ...     }
    ... )
    >>> results = StudyResults(
    ...     title="t", estimates=pd.DataFrame(), audit=pd.DataFrame(), gaps=pd.DataFrame(), flow=flow
    ... )
    >>> released = release(results, "uk-5")
    >>> released.flow["n_other"].tolist(), released.flow["n_patients"].tolist()
    ([<NA>, <NA>], [900, 880])
    """
    rule = profile if isinstance(profile, Profile) else profile_by_name(profile)
    if rule.minimum <= 1 and rule.zero_allowed and not reason.strip():
        raise DisclosureError(
            f"disclosure profile {rule.name!r} withholds nothing and needs a reason, for instance: simulated data"
        )
    before = _releasable(results)
    _refuse_small_study(before)
    tables, together = _protected(before, rule)
    choices = tuple(protect_choice(choice, before, tables, rule) for choice in results.choices)
    dropped = sorted({key for choice in results.choices for key in choice if key not in CHOICE_KEYS})
    left_out = tuple(f"choices: {key}" for key in dropped)
    return Released(
        title=results.title,
        estimates=tables["estimate"],
        audit=tables["audit"],
        gaps=tables["gap"],
        flow=tables["flow"],
        diagnostics=tables["diagnostic"],
        sensitivity=tables["sensitivity"],
        imputation=tables["imputation"],
        age_curves=tables["age_curve"],
        age_trends=tables["age_trend"],
        missingness=tables["missingness"],
        consequences=tables["consequence"],
        group_tests=tables["audit_test"],
        shrunken=tables["audit_shrunken"],
        parity=tables["audit_parity"],
        rules=tables["audit_rule"],
        settings=dict(results.settings),
        provenance=without_small_values(dict(results.provenance), rule),
        model_card=results.model_card,
        choices=choices,
        notices=tuple(without_small_counts(notice, rule) for notice in results.notices),
        profile=rule,
        reason=reason.strip(),
        suppressed_counts={name: int((frame["state"] == "suppressed").sum()) for name, frame in tables.items()},
        left_out=left_out,
        protection=_protection(rule, reason.strip(), _said_of_all(tables, together and rule.withholds)),
        seal=SEAL,
    )


def _releasable(results: StudyResults) -> dict[str, pd.DataFrame]:
    """Return the tables by the name of their contract, with its columns and only those."""
    return {
        "estimate": releasable_frame(results.estimates, "estimate"),
        "audit": releasable_frame(results.audit, "audit"),
        "gap": releasable_frame(results.gaps, "gap"),
        "flow": _in_order(releasable_frame(results.flow, "flow")),
        "diagnostic": releasable_frame(results.diagnostics, "diagnostic"),
        "sensitivity": releasable_frame(results.sensitivity, "sensitivity"),
        "imputation": releasable_frame(results.imputation, "imputation"),
        "age_curve": releasable_frame(results.age_curves, "age_curve"),
        "age_trend": releasable_frame(results.age_trends, "age_trend"),
        "missingness": releasable_frame(results.missingness, "missingness"),
        "consequence": releasable_frame(results.consequences, "consequence"),
        "audit_test": releasable_frame(results.group_tests, "audit_test"),
        "audit_shrunken": releasable_frame(results.shrunken, "audit_shrunken"),
        "audit_parity": releasable_frame(results.parity, "audit_parity"),
        "audit_rule": releasable_frame(results.rules, "audit_rule"),
    }


def _in_order(flow: pd.DataFrame) -> pd.DataFrame:
    """Return the whole steps first and in order, as they leave the gate."""
    whole = flow["variable"].isna()
    return pd.concat([flow[whole].sort_values("step", kind="stable"), flow[~whole]], ignore_index=True)


def _refuse_small_study(tables: Mapping[str, pd.DataFrame]) -> None:
    flow = tables["flow"].sort_values("step", kind="stable")
    totals = [numbers(flow, "n_patients")[:1], numbers(tables["estimate"], "n_patients")]
    totals.append(numbers(tables["audit"], "n_patients"))
    for counts in totals:
        known = counts[np.isfinite(counts)]
        if len(known):
            if known.max() < MIN_STUDY:
                raise DisclosureError(
                    f"this study has fewer than {MIN_STUDY} patients: no table about so few people can be released. "
                    "Add patients, or analyse them together with other sites"
                )
            return
    raise DisclosureError("no table says how many patients this study has, so nothing can be released")


def _protected(tables: dict[str, pd.DataFrame], rule: Profile) -> tuple[dict[str, pd.DataFrame], bool]:
    """Protect each table for itself and then all against each other; tell whether the latter could be done."""
    done = _each_protected(tables, rule, {})
    if not rule.withholds:
        return done, True
    try:
        reader = Reader(Everything.of(tables), tables, done, rule)
        while further := reader.further():
            done = _each_protected(tables, rule, _besides(done, further))
            reader.reads(done)
    except ValueError:
        return done, False
    return done, True


def _besides(once: dict[str, pd.DataFrame], further: Further) -> Further:
    """Return what is to be withheld together with what already was: more hidden rows may protect others less."""
    found: dict[str, dict[int, Set[str]]] = {}
    for name in ("estimate", "audit", *LOST_WITH_A_ROW):
        frame = once[name]
        gone = (frame["state"] == "suppressed") & (name != "flow")
        for place, (row, withheld) in enumerate(zip(gone, frame["withheld"], strict=True)):
            columns = {*str(withheld).split(), *further.get(name, {}).get(place, ())}
            if row or columns:
                found.setdefault(name, {})[place] = columns | ({"point"} if row else set())
    return found


def _each_protected(tables: dict[str, pd.DataFrame], rule: Profile, further: Further) -> dict[str, pd.DataFrame]:
    audit = protect_audit(tables["audit"], rule, further.get("audit"))
    estimates = protect_estimates(tables["estimate"], rule, further.get("estimate"))
    done = {
        "estimate": estimates,
        "audit": audit,
        "gap": protect_gaps(tables["gap"], audit, rule),
        "flow": protect_flow(tables["flow"], rule),
        "diagnostic": protect_diagnostics(tables["diagnostic"], estimates, audit, rule),
        "sensitivity": protect_sensitivity(tables["sensitivity"], estimates, rule),
        "imputation": protect_imputation(tables["imputation"], estimates, rule),
        "age_curve": protect_curves(tables["age_curve"], audit, rule),
        "age_trend": protect_trends(tables["age_trend"], audit, rule),
        "missingness": protect_missingness(tables["missingness"], audit, rule),
        "consequence": protect_consequences(tables["consequence"], rule),
        "audit_test": protect_tests(tables["audit_test"], audit, rule),
        "audit_shrunken": protect_shrunken(tables["audit_shrunken"], audit, rule),
        "audit_parity": protect_parity(tables["audit_parity"], audit, rule),
        "audit_rule": protect_rules(tables["audit_rule"], rule),
    }
    for name, columns in LOST_WITH_A_ROW.items():
        if further.get(name):
            done[name] = withhold_further(done[name], further[name], columns, rule)
    done["flow"] = without_counts_by_status(done["flow"], rule)
    for name, frame in done.items():
        text = "reason" if name == "flow" else "note"
        kept = frame["state"] != "suppressed"
        frame.loc[kept, text] = [
            one if pd.isna(one) else without_counted_people(without_small_counts(str(one), rule), rule)
            for one in frame.loc[kept, text]
        ]
    return {name: round_table(frame, name, rule) for name, frame in done.items()}


def _said_of_all(tables: Mapping[str, pd.DataFrame], together: bool) -> str:
    return (TOGETHER + (OVERLAPPING if overlapping_groups(tables) else "")) if together else APART


def _protection(rule: Profile, reason: str, of_all: str) -> str:
    """Say in plain words what the gate did, and what it did not."""
    if rule.minimum <= 1 and rule.zero_allowed:
        return f"Disclosure profile {rule.name}: no number was withheld. Reason given: {reason}"
    zero = "A count of 0 is shown as 0." if rule.zero_allowed else "A count of 0 is withheld too."
    rounding = (
        f" Counts are rounded to the {'midpoint of' if rule.midpoint else 'nearest'} {rule.rounding}, and shares of "
        "counted people are coarsened to match."
        if rule.rounding
        else ""
    )
    return (
        f"Disclosure profile {rule.name} ({rule.source}). Withheld: every count of patients from 1 to "
        f"{rule.minimum - 1}, every estimate whose denominator, numerator or complement is such a count, and every gap "
        f"and contrast built on one. {zero}{rounding} Within each table a second group is withheld where one could be "
        "found by subtracting the others from the total, and a step of the flow where a loss could be found from the "
        f"steps around it. {of_all} Not done: protection of this release against earlier "
        "ones; look at these before publishing. "
        "Expected numbers by sex from a model are estimates, not counts, and are not suppressed as such."
    )
