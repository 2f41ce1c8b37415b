"""The figure of a training log says which epoch is kept, and holds what the log holds."""

from __future__ import annotations

from sexstrat.reporting.training_figure import training_figure


def test_the_average_of_several_runs_is_a_line() -> None:
    """With members the kept value is that of their average; the runs are drawn each."""
    log = [
        {"member": member, "epoch": epoch, "loss": 1.0 / epoch, "validation_auc": 0.6 + 0.01 * epoch + 0.02 * member}
        for member in (0, 1)
        for epoch in (1, 2, 3)
    ]
    svg = training_figure([*log, {"member": -1, "epoch": 0, "validation_auc": 0.7}], 0)
    assert ">The average of all runs is kept: validation AUC 0.700<" in svg
    assert "epoch 3: loss 0.333, AUC 0.650" in svg


def test_without_validation_patients_no_value_is_named() -> None:
    """An AUC that is not defined is not printed."""
    svg = training_figure([{"epoch": 1, "loss": 0.9, "validation_auc": float("nan")}], 1)
    assert ">Epoch 1 is kept: no validation patients<" in svg
    assert "nan" not in svg
