"""What stands beside an answer on the page: it is there, says what it is, and never leads."""

from __future__ import annotations

import re

import pandas as pd

from sexstrat.disclosure import release
from sexstrat.reporting import page
from sexstrat.reporting.adjusted_table import eye_table
from sexstrat.reporting.headline import Headline, headlines
from sexstrat.reporting.rows import Rows
from sexstrat.reporting.what_if_view import what_if_view
from sexstrat.study.headlines import headline_tables


def section(text: str, name: str) -> str:
    """Return one section of the page."""
    start = text.index(f'<section id="{name}"')
    return text[start : text.index("</section>", start)]


def test_other_ways_of_adjusting_never_lead(example) -> None:
    """Planted Mantel-Haenszel and regression ratios of 7.77 and 8.88 stand in their own table alone."""
    released = release(example(), "uk-5")
    text = page(released)
    leads = headlines(Rows.of(released.estimates, "estimate"), released.choices)
    assert all(lead.corrected["measure"] == "prevalence_ratio" for lead in leads)
    assert "7.77" not in section(text, "summary") and "8.88" not in section(text, "summary")
    assert "7.77" in section(text, "estimates") and "8.88" in section(text, "estimates")
    head, _, rest = section(text, "estimates").partition("other ways to compare men and women")
    assert "7.77" not in head and "7.77" in rest


def test_a_bias_analysis_among_the_estimates_never_leads(example) -> None:
    """A row of that state, whatever its estimator, is not the headline: neither on the page nor at the terminal."""
    frame = example(names=("glaucoma",), truth=False).estimates
    ratio = frame["estimator"].isin(["E1", "E2"]) & (frame["measure"] == "prevalence_ratio")
    both = frame.assign(point=frame["point"].mask(ratio, 6.66), state=frame["state"].mask(ratio, "bias_analysis"))
    released = release(example(names=("glaucoma",), estimates=both), "uk-5")
    (lead,) = headlines(Rows.of(released.estimates, "estimate"), released.choices)
    assert lead.corrected is None
    assert "6.66" not in section(page(released), "summary")
    rows = Rows.of(released.estimates, "estimate").rows
    (table,) = headline_tables({"tables": {"estimates": {"rows": rows}}, "choices": released.choices})
    assert not any(row[0].startswith("*") for row in table.rows)


def test_persons_and_eyes_are_two_named_columns() -> None:
    """Where disease is known by eye, both estimands stand side by side under their names; else there is no table."""
    common = {"condition": "d", "estimator": "E1", "standard": "crude", "state": "corrected", "age_low": None}
    common |= {"age_high": None, "sex": None, "low": 1.2, "high": 1.8}
    rows = Rows(
        (
            {**common, "measure": "prevalence_ratio", "point": 1.45},
            {**common, "measure": "eye_prevalence_ratio", "point": 1.55},
        )
    )
    lead = Headline(condition="d", standard="crude", estimator="E1", choice={"estimator": "E1"})
    view = eye_table(rows, lead, "eyes.csv")
    assert view is not None and view.columns == ("", "Persons", "Eyes")
    assert [cell.text for cell in view.groups[0].rows[0]] == ["Prevalence ratio, men to women", "1.45", "1.55"]
    assert eye_table(Rows(rows.rows[:1]), lead, "eyes.csv") is None


def test_what_if_states_its_findings(page_text) -> None:
    """Each figure's title says where the conclusion changes; none of it is called an estimate."""
    text = section(page_text, "what-if")
    assert "once the log odds of being male of the unrecorded diseased are shifted by \N{MINUS SIGN}0.79" in text
    assert "no share of wrong records up to 2% makes the interval of the ratio include 1" in text
    assert "None of these is a corrected estimate" in text
    assert "If predicted sex errs as believed (stated in the study file)" in text
    assert "1.2% of the draws impossible" in text
    assert text.count("<svg") == 4 and text.count('download="curves-') == 2
    assert "<desc" in text and re.search(r"at \N{MINUS SIGN}2.00 [\d.]+ \([\d.]+ to [\d.]+\)", text)


def test_diagnostics_are_told_and_listed(page_text) -> None:
    """Sentences say what the tests found; too few is a word of its own; percentages are percentages."""
    text = section(page_text, "rests-on")
    assert "are not told apart alike with and without the disease" in text
    assert "No difference between ages in how men and women compare was found." in text
    assert '<td class="word">too few</td>' in text or '<td class="word">suppressed</td>' in text
    assert "81.2%" in text and "2,544" in text and "0.003" in text


def test_imputation_compares_methods(page_text) -> None:
    """Missing information, efficiency and Monte Carlo error stand beside each method, and what is not valid says so."""
    text = section(page_text, "imputation")
    for word in ("Imputed many times, proper", "85.8%", "99.8%", "4.6%", "342", "not valid", "if recorded at random"):
        assert word in text, word


def test_a_study_without_these_tables_has_no_such_sections(example) -> None:
    """An older result without them is shown as before."""
    empty = pd.DataFrame()
    text = page(release(example(diagnostics=empty, sensitivity=empty, imputation=empty), "uk-5"))
    assert not any(f'id="{name}"' in text for name in ("rests-on", "what-if", "imputation"))


def test_a_suppressed_tipping_point_is_nowhere(example) -> None:
    """A withheld curve leaves neither its numbers nor its finding in sentences, figures, alt texts or CSVs."""
    results = example(names=("glaucoma",))
    rows = results.sensitivity.assign(n_diseased=3)
    rows.loc[rows["statistic"] == "tipping", "point"] = -0.7654321
    text = page(release(example(names=("glaucoma",), sensitivity=rows), "uk-5"))
    assert "0.7654321" not in text and "0.77" not in section(text, "what-if")
    assert "1.5123" not in text
    assert "<svg" not in section(text, "what-if")


def test_refused_curves_draw_nothing(example) -> None:
    """A curve without numbers has no figure and no finding."""
    results = example(names=("glaucoma",))
    rows = results.sensitivity
    gone = rows["analysis"] == "shift_of_recording"
    rows.loc[gone, ["point", "low", "high"]] = None
    rows.loc[gone, "state"] = "refused"
    released = release(example(names=("glaucoma",), sensitivity=rows), "uk-5")
    (lead,) = headlines(Rows.of(released.estimates, "estimate"), released.choices)
    view = what_if_view(Rows.of(released.sensitivity, "sensitivity"), lead, "glaucoma-1")
    assert view is not None
    assert len(view.figures) == 1 and not any("log odds of being male" in text for text in view.sentences)
