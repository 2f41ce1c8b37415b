"""The command line's own pieces: commands are registered, progress stays out of results, the exit code is passed."""

from __future__ import annotations

import sys

import pytest
import typer

from sexstrat.__main__ import main
from sexstrat.cli import (
    design_commands,
    image_commands,
    model_commands,
    score_command,
    simulate_command,
    study_commands,
    table_commands,
)
from sexstrat.cli.terminal import progress_line


def test_each_group_registers_its_commands() -> None:
    """What a group names in ``__all__`` and nothing else becomes a command; models has commands of its own."""
    for group, register in (
        (study_commands, study_commands.register),
        (table_commands, table_commands.register),
        (design_commands, design_commands.register),
        (simulate_command, simulate_command.register),
        (image_commands, image_commands.register),
        (score_command, score_command.register),
    ):
        app = typer.Typer()
        register(app)
        found = {command.callback.__name__ for command in app.registered_commands if command.callback}
        assert found == set(group.__all__) - {"register"}
    app = typer.Typer()
    model_commands.register(app)
    assert [one.name for one in app.registered_groups] == ["models"]
    models = app.registered_groups[0].typer_instance
    assert models is not None
    found = {command.callback.__name__ for command in models.registered_commands if command.callback}
    functions = (
        model_commands.list_models,
        model_commands.card,
        model_commands.inspect,
        model_commands.verify,
        model_commands.convert,
        model_commands.measure_model,
    )
    assert found == {function.__name__ for function in functions} == set(model_commands.__all__) - {"register"}


def test_progress_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output holds results alone."""
    progress_line("10 of 20 images done")
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "10 of 20 images done\n")


@pytest.mark.parametrize(("words", "code"), [(["--version"], 0), (["no-such-command"], 2)])
def test_the_process_leaves_with_the_exit_code(monkeypatch: pytest.MonkeyPatch, words: list[str], code: int) -> None:
    """``python -m sexstrat`` leaves with what the command line returns."""
    monkeypatch.setattr(sys, "argv", ["sexstrat", *words])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == code
