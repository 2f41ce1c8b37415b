"""What commands print can be read: whole on a terminal of 80 columns, in the words and numbers of the page."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sexstrat.cli.app import run
from sexstrat.cli.terminal import print_table
from sexstrat.models import shipped_card
from sexstrat.simulation import simulate_cohort


def printed_by(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert run(list(words)) == 0
    return capsys.readouterr().out.splitlines()


def test_a_cell_of_two_lines_stays_in_its_column(capsys: pytest.CaptureFixture[str]) -> None:
    """The second line of a cell stands under its first, other cells of the row stay empty there."""
    print_table(["part", "AUC", "n"], [["test", "0.70\n(0.65 to 0.75)", "9"]], numeric=[2])
    assert capsys.readouterr().out.splitlines() == [
        "part  AUC             n",
        "test  0.70            9",
        "      (0.65 to 0.75)",
    ]


def test_model_card_is_read_whole_in_eighty_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """Every figure of the card with its interval, its terms and what to cite; no line too long, no Python in it."""
    lines = printed_by(capsys, "models", "inspect")
    text = " ".join(line.strip() for line in lines)
    assert max(map(len, lines)) <= 80
    card = shipped_card()
    for row in card.performance:
        number = f"{row['point']:.3f}" if row["metric"] == "auc" else f"{100 * row['point']:.1f}%"
        assert number in text, row
    assert card.terms in text
    assert all(work in text for work in card.citation)
    assert "Training ages: 15 to 91" in text
    assert not [line for line in lines if "{'" in line or "['" in line]


def test_audit_prints_each_group_under_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Figures have their names and units, a suppressed one a word, a zero no decimals; 80 columns are enough."""
    cohort = simulate_cohort("baseline", 4000, 1)
    persons = cohort.persons.merge(cohort.scores[["patient_id", "image_id", "prob_male", "status"]], on="patient_id")
    persons.to_csv(tmp_path / "p.csv", index=False)
    lines = printed_by(capsys, "audit", str(tmp_path / "p.csv"), "--bands", "20,60")
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if not line.startswith(" ")][1:4] == ["all", "age 20\N{EN DASH}59", "age 60+"]
    end = lines.index("age 20\N{EN DASH}59")
    rows = pd.Series(lines[2:end]).str.split(r"\s{2,}", regex=True)
    shown = {row[1]: row[2:] for row in rows}
    assert shown["Patients"] == ["4,000", "4,000"]
    assert shown["Without a gradable photograph"][0].startswith("0 (0 to ")
    assert shown["Area under the ROC curve"][0].startswith("0.9")
