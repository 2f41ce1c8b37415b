"""``sexstrat design``: what people read, the document, the figure, the allocation, and clear refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sexstrat.cli.app import run
from sexstrat.estimates import Goal, anticipated_interval, compose, needed_validated, stated_cells
from sexstrat.simulation import simulate_cells
from sexstrat.study.cells_file import read_cells
from sexstrat.values.age_bands import AgeBands

STATED = ["--patients", "20000", "--prevalence", "0.15", "--male-share", "0.48", "--ratio", "1.4"]
BANDS = ["--bands", "20,60,75"]


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the cells of a pilot of 6,000 patients, about 300 validated."""
    file = tmp_path_factory.mktemp("pilot") / "cells.parquet"
    simulate_cells("baseline", 6_000, 5).cells.frame.to_parquet(file)
    return file


def document(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert run(["design", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = run(["design", *words])
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Traceback" not in shown.err
    return code, shown.err


def test_the_tables_are_read_in_eighty_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """Interval, width and power for each score and number; what is needed; nothing wider than a terminal."""
    words = ["--auc", "0.85,0.95", "--validated", "1000,5%", "--width", "1.5", "--power", "0.8"]
    assert run(["design", *STATED, *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    cells = stated_cells(patients=20_000, prevalence=0.15, male_share=0.48, ratio=1.4, auc=0.95)
    one = anticipated_interval(cells, 1000)
    assert f"1.40 ({one.low:.2f} to {one.high:.2f})" in "\n".join(lines)
    needed = needed_validated(cells, Goal(measure="ratio", width=1.5)).validated
    assert ["width", "1.5", "0.95", f"{needed:,}"] in [line.split() for line in lines]
    assert "What area under the curve is needed" in lines
    assert not [line for line in lines if "nan" in line.lower()]


def test_the_document_holds_the_same_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON document; the needed number reaches the width, and its own interval says so."""
    found = document(capsys, *STATED, "--auc", "0.95", "--validated", "1000", "--width", "1.5")["design"]
    needed = found["needed"][0]
    assert needed["wanted"] == {"width": 1.5}
    assert needed["expected"]["width"] <= 1.5
    assert needed["fewest_for_e1"] < needed["validated"] < 1000
    assert 0.9 < found["needed_auc"][0]["auc"] < 0.95
    assert found["reached"][0]["expected"]["power"] > 0.9
    assert found["reached"][0]["validated_only"]["width"] > found["reached"][0]["expected"]["width"]


def test_a_pilot_at_its_own_number_shows_its_own_interval(capsys: pytest.CaptureFixture[str], pilot: Path) -> None:
    """The first row is what E1 reports on those cells; no power is told on the pilot's own estimate."""
    found = document(capsys, "--cells", str(pilot), *BANDS)["design"]
    row = found["reached"][0]["expected"]
    own = compose(read_cells(pilot), bands=AgeBands((20, 60, 75)), design="random", method="E1")
    e1 = own.contrast("ratio").rows[0]
    assert row["validated"] == pytest.approx(e1["n_validated"])
    assert row["value"] == pytest.approx(e1["point"], rel=1e-6)
    # E1 takes the residuals of the 45 validated diseased alone, the plan those of all 300 in the score's own spread.
    assert row["se"] == pytest.approx(e1["se"], rel=0.1)
    assert row["power"] is None
    stated = document(capsys, "--cells", str(pilot), *BANDS, "--ratio", "1.4", "--power", "0.8")["design"]
    assert stated["reached"][0]["expected"]["power"] is not None
    low, high = stated["needed"][0]["validated_range"]
    assert low < stated["needed"][0]["validated"] < high


def test_a_pilot_can_be_planned_by_standard_and_band(capsys: pytest.CaptureFixture[str], pilot: Path) -> None:
    """One band is known less well than all ages; the cohort's own ages as the standard about as well as crude."""

    def se(*words: str) -> float:
        found = document(capsys, "--cells", str(pilot), *BANDS, "--validated", "2000", *words)
        return found["design"]["reached"][0]["expected"]["se"]

    crude = se()
    assert se("--standard", "cohort") == pytest.approx(crude, rel=0.1)
    assert se("--age-band", "75+") > 1.3 * crude


def test_the_allocation_is_ready_for_the_study_file(
    capsys: pytest.CaptureFixture[str], pilot: Path, tmp_path: Path
) -> None:
    """Rows add up to what was asked; probabilities are those of the counts; the file says what the terminal says."""
    out = tmp_path / "new" / "allocation.csv"
    words = ["--cells", str(pilot), *BANDS, "--further", "500", "--score-cuts", "0.1,0.5,0.9", "--out", str(out)]
    assert run(["design", *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines if not line.startswith("written: ")) <= 80
    table = pd.read_csv(out)
    assert table["further"].sum() == table["proportional"].sum() == 500
    assert table["patients"].sum() == 6_000
    r = (table["validated"] + table["further"]) / table["patients"]
    np.testing.assert_allclose(table["validation_probability"], r)
    assert (table["validated"] + table["further"] >= np.minimum(5, table["patients"])).all()
    shown = document(capsys, *words)["design"]["allocation"]
    assert [row["further"] for row in shown["strata"]] == table["further"].tolist()
    assert shown["expected"]["width"] < shown["expected_proportional"]["width"]
    assert shown["equivalent_further"] > 1000


@pytest.mark.parametrize("name", ["width.svg", "power.png"])
def test_the_figure_is_drawn(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    """SVG with its title, the curves and the wanted level as text; PNG of twice the size."""
    wanted = ["--width", "1.5"] if name.endswith("svg") else ["--power", "0.8"]
    file = tmp_path / name
    assert run(["design", *STATED, "--auc", "0.85,0.95", *wanted, "--figure", str(file)]) == 0
    assert f"written: {file}" in capsys.readouterr().out
    if name.endswith("svg"):
        text = file.read_text(encoding="utf-8")
        for words in (
            ">AUC 0.85<",
            ">AUC 0.95<",
            ">wanted 1.5<",
            ">Validated only<",
            "of 20,000 patients need known sex",
        ):
            assert words in text
        assert "nan" not in text.lower()
    else:
        from matplotlib.image import imread

        assert imread(file).shape[:2] == (800, 1400)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--ratio", "1.4"], 2, "--patients and --prevalence: needed"),
        ([*STATED, "--width", "1.05"], 2, "with all of them validated the upper limit is 1.143"),
        ([*STATED, "--width", "0.9"], 2, "so above 1; found 0.9"),
        ([*STATED, "--auc", "0.3"], 2, "between 0.5"),
        ([*STATED, "--auc", "good"], 2, "'good' is not a number"),
        ([*STATED, "--auc", "0.6,0.7,0.8,0.9,0.95"], 2, "at most 4 areas"),
        ([*STATED, "--validated", "30000"], 2, "from 1 to the 20,000 patients"),
        ([*STATED, "--difference", "0.02"], 2, "one of ratio and difference"),
        ([*STATED, "--measure", "sex"], 2, "no such measure"),
        ([*STATED, "--target", "people"], 2, "no such target"),
        ([*STATED, "--power", "0.8", "--measure", "male_share"], 2, "power is of a comparison"),
        ([*STATED, "--further", "10"], 2, "give its cells"),
        ([*STATED, "--standard", "esp_2013"], 2, "need age bands"),
        ([*STATED, "--figure", "a.gif"], 2, "must end in .svg or .png"),
        ([*STATED, "--out", "a.csv"], 2, "--further says how many"),
        (["--cells", "nowhere.csv"], 2, "cells not found"),
        (["--cells", "PILOT", "--auc", "0.9"], 2, "a pilot has its own"),
        (["--cells", "PILOT", "--power", "0.8"], 2, "too uncertain"),
        (["--cells", "PILOT", "--design", "external"], 2, "random, known_probability"),
        (["--cells", "PILOT", "--condition", "gout"], 2, "no such condition; there are disease"),
        (["--cells", "PILOT", *BANDS, "--age-band", "20-50"], 2, "there are 20-59, 60-74, 75+"),
        (["--cells", "PILOT", *BANDS, "--standard", "mars"], 2, "no standard population"),
        (["--cells", "PILOT", *BANDS, "--further", "9000"], 2, "patients are not validated yet"),
        (["--cells", "PILOT", *BANDS, "--minimum", "9"], 2, "say with --further"),
        (["--cells", "PILOT", "--bands", "60,40"], 2, "must be rising"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(
    capsys: pytest.CaptureFixture[str], pilot: Path, words: list[str], code: int, message: str
) -> None:
    """One sentence on stderr, nothing on stdout, no traceback, the exit code of a mistake in the request."""
    found, text = refusal(capsys, *(str(pilot) if word == "PILOT" else word for word in words))
    assert found == code
    assert message in text


def test_a_pilot_too_small_to_plan_from_is_a_matter_of_the_data(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Few validated diseased: exit code 3, the reason, and what to do instead."""
    file = tmp_path / "few.csv"
    simulate_cells("baseline", 500, 1).cells.frame.to_csv(file, index=False)
    code, text = refusal(capsys, "--cells", str(file), *BANDS)
    assert code == 3
    assert "State the values of the study instead" in text


def test_partly_out_of_reach_is_said_beside_what_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    """Everyone validated in the very cohort leaves nothing to estimate: the row says so, the others stay."""
    words = ["--target", "cohort", "--auc", "0.9", "--validated", "1000,20000"]
    assert run(["design", *STATED, *words]) == 0
    text = capsys.readouterr().out
    assert "refused (see below)" in text
    assert "counted, not" in text
