"""The tables of estimates: one a condition, its ages, the overview over conditions, and the male share."""

from __future__ import annotations

from collections.abc import Sequence

from sexstrat.reporting.forest import line_label
from sexstrat.reporting.headline import NAIVE, Headline
from sexstrat.reporting.rows import Rows, age_label, has_number
from sexstrat.reporting.table_view import Cell, Group, TableView, count_cell, estimate_cell, table_view
from sexstrat.reporting.texts import SEXES, STANDARDS, sentence_case

__all__ = ["age_table", "condition_table", "male_share_table", "overview_table", "safe_name"]

# what the main table compares; other ways to adjust for age have a table of their own
COMPARED = ("prevalence", "prevalence_ratio", "prevalence_difference", "prevalence_odds_ratio")
MODEL_BASED = (
    "\N{DAGGER} Model-based: rests on an imputation model, or on too few patients with recorded sex for a "
    "correction that assumes less."
)


def safe_name(text: str, number: int) -> str:
    """Return a name for ids and files: the ASCII letters and digits of a text, and its number.

    Examples
    --------
    >>> safe_name("Diabetic retinopathy", 1), safe_name("緑内障", 2), safe_name('"><img onerror=x>', 3)
    ('diabetic-retinopathy-1', 'condition-2', 'img-onerror-x-3')
    """
    kept = "".join(c if c.isascii() and c.isalnum() else " " for c in text.lower()).split()
    return "-".join(kept or ["condition"])[:40].strip("-") + f"-{number}"


def _estimators(rows: Rows, lead: Headline, standard: str) -> list[str]:
    """Order a condition's estimators at a standard: the chosen one, the others, the naive ones, truth."""
    names = [str(name) for name in rows.values("estimator")]
    truth = [str(row["estimator"]) for row in rows.where(state="truth").rows]
    chosen = [name for name in (lead.standard_estimator(standard), lead.estimator) if name]
    order = [*chosen, *lead.also, *NAIVE, *truth]
    return list(dict.fromkeys([name for name in order if name in names]))


def condition_table(estimates: Rows, lead: Headline, file: str) -> TableView:
    """Return the table of one condition: estimators down, prevalence by sex, ratio and difference across.

    Parameters
    ----------
    estimates : released rows.
    lead : the condition.
    file : name of the CSV.

    Examples
    --------
    >>> condition_table(Rows(()), Headline(condition="a", standard="crude", estimator=None), "a.csv").groups
    ()
    """
    rows = estimates.where(condition=lead.condition, age_low=None, age_high=None)
    rows = Rows(tuple(row for row in rows.rows if row["measure"] in COMPARED))
    odds = bool(rows.where(measure="prevalence_odds_ratio").rows)
    contrasts = ["prevalence_ratio", "prevalence_difference", *(["prevalence_odds_ratio"] if odds else [])]
    groups = []
    for standard in sorted(map(str, rows.values("standard")), key=lambda name: name != "crude"):
        here = rows.where(standard=standard)
        lines = []
        for name in _estimators(here, lead, standard):
            mine = here.where(estimator=name)
            found = [mine.first(measure="prevalence", sex=sex) for sex in SEXES]
            cells = [estimate_cell(row, "prevalence", dagger=True) for row in found]
            cells += [estimate_cell(mine.first(measure=measure), measure, dagger=True) for measure in contrasts]
            lines.append((Cell(text=line_label(name), kind="head"), *cells))
        heading = "Crude" if standard == "crude" else f"Age-standardised: {STANDARDS.get(standard, standard)}"
        leads = bool(lines) and _estimators(here, lead, standard)[0] == lead.standard_estimator(standard)
        groups.append(Group(heading=heading, rows=tuple(lines), lead=leads))
    columns = ["", "Prevalence, men", "Prevalence, women", "Ratio, men to women", "Difference, men minus women"]
    columns += ["Odds ratio, men to women"] if odds else []
    caption = f"{sentence_case(lead.condition)}: prevalence by sex, and men compared with women"
    marked = any("\N{DAGGER}" in cell.text for group in groups for line in group.rows for cell in line)
    note = " ".join(text for text in (_people(rows, lead), MODEL_BASED if marked else "") if text)
    return table_view(caption, columns, groups, note=note, file=file, rows=rows.rows)


def _people(rows: Rows, lead: Headline) -> str:
    """Say how many patients an estimate rests on."""
    row = rows.first(estimator=lead.estimator, measure="prevalence_ratio", standard="crude") or lead.corrected
    if row is None:
        return ""
    names = ("n_patients", "n_diseased", "n_validated", "n_validated_diseased")
    n, diseased, validated, both = (count_cell(row, name).text for name in names)
    return (
        f"Patients: {n}. With the condition: {diseased}. Sex recorded: {validated}. "
        f"With the condition and sex recorded: {both}."
    )


def age_table(estimates: Rows, lead: Headline, file: str) -> TableView:
    """Return prevalence by age and sex: corrected, naive and (where known) true.

    Examples
    --------
    >>> age_table(Rows(()), Headline(condition="a", standard="crude", estimator="E1"), "a.csv").columns
    ('Age', 'Patients', 'With the condition', 'Sex recorded', 'Men, corrected', 'Women, corrected')
    """
    rows = estimates.where(condition=lead.condition, measure="prevalence")
    truth = next((str(row["estimator"]) for row in rows.where(state="truth").rows), "truth")
    kinds = [(lead.estimator, "corrected"), ("naive_threshold", "naive"), (truth, "truth")]
    banded = Rows(tuple(row for row in rows.rows if row["age_low"] is not None or row["age_high"] is not None))
    kinds = [kind for kind in kinds if kind[1] == "corrected" or banded.where(estimator=kind[0]).rows]
    lines = []
    for index, (low, high) in enumerate(rows.bands()):
        here = rows.where(age_low=low, age_high=high)
        chosen = lead.band_estimator(index)
        main = here.first(estimator=chosen)
        cells = [Cell(text=age_label(low, high), kind="head")]
        cells += [count_cell(main, name) for name in ("n_patients", "n_diseased", "n_validated")]
        for estimator, word in kinds:
            by = chosen if word == "corrected" else estimator
            cells += [estimate_cell(here.first(estimator=by, sex=sex), "prevalence", dagger=True) for sex in SEXES]
        lines.append(tuple(cells))
    columns = ["Age", "Patients", "With the condition", "Sex recorded"]
    columns += [f"{label}, {word}" for _, word in kinds for label in SEXES.values()]
    caption = f"{sentence_case(lead.condition)}: prevalence by age and sex"
    dagger = any("\N{DAGGER}" in cell.text for line in lines for cell in line)
    note = (
        "\N{DAGGER} Too few patients with recorded sex in this band: a model lends it strength from the others."
        if dagger
        else ""
    )
    return table_view(caption, columns, [Group(heading="", rows=tuple(lines))], note=note, file=file, rows=banded.rows)


def overview_table(leads: Sequence[Headline], estimates: Rows) -> TableView:
    """Return one line a condition: corrected ratio, naive ratio, truth.

    Examples
    --------
    >>> overview_table([], Rows(())).columns
    ('Condition', 'Estimated ratio', 'Naive: predicted sex', 'Recorded sex only')
    """
    truth = any(has_number(lead.truth) for lead in leads)
    lines = []
    for lead in leads:
        ratio = estimates.where(measure="prevalence_ratio", condition=lead.condition, standard=lead.standard)
        recorded = ratio.first(estimator="complete_case", age_low=None, age_high=None)
        shown = [lead.corrected, lead.naive, recorded, *([lead.truth] if truth else [])]
        name = Cell(text=sentence_case(lead.condition), note=STANDARDS.get(lead.standard, lead.standard), kind="head")
        cells = [estimate_cell(row, "prevalence_ratio", dagger=row is lead.corrected) for row in shown]
        lines.append((name, *cells))
    columns = [
        "Condition",
        "Estimated ratio",
        "Naive: predicted sex",
        "Recorded sex only",
        *(["Truth"] if truth else []),
    ]
    caption = "Prevalence ratio, men to women, for every condition"
    dagger = any(lead.kind == "model-based" and has_number(lead.corrected) for lead in leads)
    note = MODEL_BASED if dagger else ""
    return table_view(caption, columns, [Group(heading="", rows=tuple(lines))], note=note)


def male_share_table(estimates: Rows) -> TableView | None:
    """Return the male share of the cohort by estimator, or None when it was not estimated.

    Examples
    --------
    >>> male_share_table(Rows(())) is None
    True
    """
    rows = estimates.where(measure="male_share")
    overall = [row for row in rows.rows if row["age_low"] is None and row["age_high"] is None]
    if not overall:
        return None
    lines = tuple(
        (Cell(text=line_label(str(row["estimator"])), kind="head"), estimate_cell(row, "male_share")) for row in overall
    )
    columns = ("", "Male share")
    groups = [Group(heading="", rows=lines)]
    return table_view("Male share by estimator", columns, groups, file="male-share.csv", rows=rows.rows)
