"""What an answer rests on, as tables: what matters first, every figure behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sexstrat.reporting.number_format import count, is_number, plain, share
from sexstrat.reporting.rows import Rows, has_number
from sexstrat.reporting.table_view import Cell, Group, TableView, count_cell, table_view
from sexstrat.reporting.texts import STATE_WORDS, sentence_case

__all__ = ["RestsOn", "rests_on"]

Row = Mapping[str, Any]

HEADINGS: Mapping[str, str] = {
    "calibration_by_disease": "Does the score mean the same with and without the disease?",
    "differential_error": "Do errors of the score differ by disease?",
    "accuracy_by_age": "How often predicted sex is right",
    "calibration": "Is the score calibrated?",
    "score_mixture": "Do unrecorded patients look like a mixture of recorded men and women?",
    "transport": "Can the score\N{RIGHT SINGLE QUOTATION MARK}s errors be carried over from the other cohort?",
    "label_shift": "Share of men from the other cohort, by two methods",
    "recorded_against_unrecorded": "Patients with recorded sex against the others (standardised differences)",
    "information": "How much the data tell",
    "planning": "What more validation would reach",
    "homogeneity_over_age": "Do men and women compare alike at every age?",
    "interaction_of_sex_and_age": "Does the condition change with age alike in men and women?",
    "informative_eyes": "Does the number of graded eyes tell of the condition?",
    "bootstrap": "Bootstrap check of the interval of the ratio",
}
NAMES: Mapping[str, str] = {
    "likelihood_ratio_chi_square": "likelihood ratio (chi-square)",
    "log_odds_ratio_of_disease": "log odds ratio of disease, given the score",
    "shift_of_logit_p": "shift of the logit with the disease",
    "shift_in_sd": "the same in standard deviations (90% interval)",
    "shown_nondifferential": "errors shown not to differ by disease",
    "sensitivity": "men called male",
    "specificity": "women called female",
    "brier": "Brier score",
    "expected_calibration_error": "expected calibration error",
    "integrated_calibration_index": "integrated calibration index",
    "calibration_in_the_large": "calibration in the large (log odds)",
    "cox_intercept": "Cox intercept",
    "cox_slope": "Cox slope",
    "mixture_deviance": "deviance from a mixture (chi-square)",
    "male_share_of_unvalidated": "share of men among them, by mixture",
    "male_share_by_pacc": "share of men, PACC",
    "male_share_by_emq": "share of men, EMQ",
    "pacc_minus_emq": "PACC minus EMQ",
    "effective_validated": "effective number of validated patients",
    "attenuation_weighted": "share of a difference that weighting keeps",
    "attenuation_threshold": "share of a difference that predicted sex keeps",
    "fraction_missing_information": "fraction of missing information",
    "more_validated": "more patients to validate, for limits apart by the factor",
    "more_validated_for_an_estimate": "more patients to validate before there can be an estimate",
    "more_validated_for_limits_a_factor_2_apart": "more patients to validate for limits a factor 2 apart",
    "wald_chi_square": "Wald test of the answer (chi-square)",
    "breslow_day_tarone": "Breslow\N{EN DASH}Day\N{EN DASH}Tarone, recorded sexes only (chi-square)",
    "prevalence_ratio": "prevalence ratio",
    "affected_share_one_eye_minus_two": "share affected, one graded eye minus two",
}
_PERCENT = frozenset(
    {
        "affected_share_one_eye_minus_two",
        *("sensitivity", "specificity", "male_share_of_unvalidated", "male_share_by_pacc", "male_share_by_emq"),
        *("attenuation_weighted", "attenuation_threshold", "fraction_missing_information"),
    }
)
_COUNTS = frozenset(
    {
        *("effective_validated", "more_validated", "more_validated_for_an_estimate"),
        "more_validated_for_limits_a_factor_2_apart",
    }
)
_SIGNED = frozenset({"log_odds_ratio_of_disease", "shift_of_logit_p", "shift_in_sd", "cox_intercept", "pacc_minus_emq"})
_FOREMOST = frozenset({"all", "standard", "recorded_sex", "limits_ratio", "sex"})
_FOLDED = frozenset({"recorded_against_unrecorded", "score_mixture"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RestsOn:
    """The diagnostics of one condition.

    Parameters
    ----------
    condition : the disease, as printed.
    sentences : what they say, in words.
    main, details : tables; the second holds the figures by age, disease, site, and who was recorded.
    """

    condition: str
    sentences: tuple[str, ...]
    main: TableView
    details: TableView | None


def _value(row: Row, name: str) -> str:
    value, statistic = row[name], str(row["statistic"])
    if statistic == "shown_nondifferential":
        return "yes" if value == 1 else "no"
    if statistic in _PERCENT:
        return share(float(value))
    if statistic in _COUNTS:
        return count(value)
    if statistic in _SIGNED or str(row["diagnostic"]) == "recorded_against_unrecorded":
        return plain("shift_of_logit", float(value))
    return plain("statistic", float(value))


def _number(row: Row) -> Cell:
    """Return the figure with its interval, or the word that says why there is none."""
    state = str(row["state"])
    if not has_number(row):
        return Cell(text=STATE_WORDS.get(state, STATE_WORDS["missing"]), kind="word")
    limits = ""
    if is_number(row["low"]) and is_number(row["high"]):
        limits = f"({_value(row, 'low')} to {_value(row, 'high')})"
    return Cell(text=_value(row, "point"), note=limits)


def _p(row: Row) -> Cell:
    value = row["p_value"]
    if not is_number(value):
        return Cell(text="")
    return Cell(text="<0.001" if float(value) < 0.001 else f"{float(value):.3f}")


def _line(row: Row) -> tuple[Cell, ...]:
    statistic, group, level = str(row["statistic"]), str(row["group"]), str(row["level_name"])
    name = NAMES.get(statistic) or statistic.replace("_", " ")
    about = "" if group in {"all", "recorded_sex"} else level.replace("_", " ")
    about = f"factor {level}" if group == "limits_ratio" else about
    head = Cell(text=sentence_case(name), note=sentence_case(about), kind="head")
    return head, _number(row), _p(row), count_cell(row, "n_validated"), Cell(text=str(row["note"] or ""), kind="text")


def _table(rows: Sequence[Row], caption: str, file: str) -> TableView:
    groups = [
        Group(heading=HEADINGS.get(name, sentence_case(name)), rows=tuple(_line(row) for row in here))
        for name in dict.fromkeys(str(row["diagnostic"]) for row in rows)
        if (here := [row for row in rows if row["diagnostic"] == name])
    ]
    columns = ("", "Figure", "p", "Sex recorded", "Remark")
    return table_view(caption, columns, groups, file=file, rows=rows)


def _is_main(row: Row) -> bool:
    return str(row["group"]) in _FOREMOST and str(row["diagnostic"]) not in _FOLDED


def _sentences(rows: Rows) -> tuple[str, ...]:
    """Say in words what the tests of the design found; nothing where they could not be made."""
    told = []
    shown = rows.first(diagnostic="differential_error", statistic="shown_nondifferential")
    calibration = rows.first(diagnostic="calibration_by_disease", statistic="likelihood_ratio_chi_square")
    if has_number(calibration) and calibration is not None and is_number(calibration["p_value"]):
        differs = float(calibration["p_value"]) < 0.05
        told.append(
            "Given the score, men and women are not told apart alike with and without the disease: only estimators "
            "that allow errors to differ by disease can be trusted."
            if differs
            else "No difference in what the score means with and without the disease was found, which is not proof "
            "that there is none."
        )
    if has_number(shown) and shown is not None and shown["point"] == 1:
        told.append("Errors of the score are shown to differ little by disease.")
    transport = rows.first(diagnostic="transport")
    if has_number(transport) and transport is not None and is_number(transport["p_value"]):
        fits = float(transport["p_value"]) >= 0.05
        told.append(
            "Scores of this cohort fit a mixture of the other cohort\N{RIGHT SINGLE QUOTATION MARK}s men and women."
            if fits
            else "Scores of this cohort do not fit any mixture of the other cohort\N{RIGHT SINGLE QUOTATION MARK}s men "
            "and women: its errors cannot be carried over."
        )
    interaction = rows.first(diagnostic="homogeneity_over_age", statistic="wald_chi_square")
    if has_number(interaction) and interaction is not None and is_number(interaction["p_value"]):
        differs = float(interaction["p_value"]) < 0.05
        told.append(
            "Men and women compare differently at different ages: read the ratio by age."
            if differs
            else "No difference between ages in how men and women compare was found."
        )
    return tuple(told)


def rests_on(diagnostics: Rows, condition: str, file: str) -> RestsOn | None:
    """Return the diagnostics of one condition, or None where there are none.

    Parameters
    ----------
    diagnostics : released rows.
    condition : the disease.
    file : stem of the CSV files.

    Examples
    --------
    >>> rests_on(Rows(()), "glaucoma", "glaucoma-1") is None
    True
    """
    rows = diagnostics.where(condition=condition)
    if not rows.rows:
        return None
    name = sentence_case(condition)
    main = [row for row in rows.rows if _is_main(row)]
    rest = [row for row in rows.rows if not _is_main(row)]
    return RestsOn(
        condition=name,
        sentences=_sentences(rows),
        main=_table(main, f"{name}: what the answer rests on", f"diagnostics-{file}.csv"),
        details=_table(rest, f"{name}: by age, disease and site, and who was recorded", f"details-{file}.csv")
        if rest
        else None,
    )
