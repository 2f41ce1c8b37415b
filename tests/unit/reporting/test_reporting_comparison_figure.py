"""The figure and the table of a comparison show what was measured, and name what was not."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sexstrat.reporting.comparison_figure import comparison_figure, pareto_front, write_comparison_figure
from sexstrat.reporting.comparison_text import comparison_markdown
from sexstrat.scores import typed_columns
from sexstrat.values.tables import table_schema


def table() -> pd.DataFrame:
    """Return three networks, one of which could not be measured."""
    rows = []
    for name, size, point in (("mobilenet", 6e6, 0.70), ("xception", 40e6, 0.65), ("densenet121", 15e6, None)):
        row: dict[str, object] = {
            "network": name, "backbone": name, "start": "random", "phases": "75x2", "input_size": 75, "epochs": 2,
            "kept_epoch": 1, "file_bytes": int(size), "parameters": int(size / 2), "images_per_second": 100.0,
            "train_seconds": 60.0, "machine": "a machine", "runtime": "keras, float32", "n_patients": 500,
            "n_images": 1000, "n_men": 260, "n_women": 240, "level": 0.95, "compared_with": "mobilenet", "note": "",
        }  # fmt: skip
        for figure in ("auc_patient", "accuracy_patient"):
            if point is not None:
                row |= {figure: point, f"{figure}_low": point - 0.04, f"{figure}_high": point + 0.04}
        rows.append(row)
    rows[1] |= {"auc_difference": -0.05, "auc_difference_low": -0.09, "auc_difference_high": -0.01}
    rows[2]["note"] = "auc_patient is undefined: fewer than 10 men in the denominator"
    schema = table_schema("comparison")
    return typed_columns(pd.DataFrame(rows, columns=schema.columns), schema)


def test_the_figure_names_the_measured_and_the_absent() -> None:
    """Names, the share of the commoner sex, and in words every value and who is not shown."""
    svg = comparison_figure(table())
    assert ">2 networks on the same 500 unseen people: MobileNet is right most often<" in svg
    assert ">Xception<" in svg
    assert "52.0%: always" in svg
    assert "MobileNet: 70.0% (66.0 to 74.0), 6.0 MB" in svg
    assert "Without a measured accuracy: densenet121." in svg
    assert "nan" not in svg.lower()


def test_the_table_for_readers_states_what_is_undefined() -> None:
    """The best has no difference to itself; a difference has its interval; what is undefined says so and why."""
    text = comparison_markdown(table())
    assert "| MobileNet | random | 75x2, epoch 1 kept | 0.700 (0.660 to 0.740)" in text
    assert "\N{MINUS SIGN}0.050 (\N{MINUS SIGN}0.090 to \N{MINUS SIGN}0.010)" in text
    assert "| DenseNet121 | random | 75x2, epoch 1 kept | undefined |" in text
    assert "- densenet121: auc_patient is undefined: fewer than 10 men in the denominator." in text
    assert "nan" not in text.lower()


def test_a_note_stands_once_for_all_it_is_about() -> None:
    """Networks measured on one machine share one line."""
    text = comparison_markdown(table())
    assert text.count("measured on a machine") == 1
    assert "- mobilenet, xception, densenet121: measured on a machine; keras, float32." in text


def test_no_winner_is_named_among_coins() -> None:
    """Where no interval lies above the share of the commoner sex, the title says that and names nobody."""
    coins = table()
    for ending in ("", "_low", "_high"):
        coins[f"accuracy_patient{ending}"] -= 0.15
    assert "none is shown to beat always naming the commoner sex<" in comparison_figure(coins)


def test_the_front_is_of_those_nothing_smaller_surpasses() -> None:
    """Of two equally small ones only the better is on it."""
    assert pareto_front([5, 5, 7, 6], [0.6, 0.7, 0.9, 0.7]) == [1, 2]


def test_figures_are_written_as_their_names_end(tmp_path: Path) -> None:
    """SVG and PNG are real files of their kind; another ending is refused."""
    for ending, start in (("svg", b"<svg"), ("png", b"\x89PNG")):
        assert write_comparison_figure(table(), tmp_path / f"f.{ending}")
        assert (tmp_path / f"f.{ending}").read_bytes().startswith(start)
    with pytest.raises(ValueError, match=r"found f\.jpg"):
        write_comparison_figure(table(), tmp_path / "f.jpg")
