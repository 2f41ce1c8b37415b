"""The tree of commands, and what each kind of failure leaves the shell with."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from sexstrat.cli import (
    compare_command,
    deidentify_command,
    design_commands,
    explain_command,
    export_command,
    image_commands,
    init_command,
    model_commands,
    publish_command,
    run_folder_commands,
    score_command,
    simulate_command,
    site_commands,
    study_commands,
    table_commands,
)
from sexstrat.cli.terminal import emit_json, error_document, progress_line
from sexstrat.errors import SexstratError

__all__ = ["app", "run"]

app = typer.Typer(
    name="sexstrat",
    help="Sex-stratified epidemiology of the eye when sex is estimated from fundus photographs. "
    "For research on groups, never for decisions about a person.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from sexstrat import __version__

        typer.echo(f"sexstrat {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


init_command.register(app)
study_commands.register(app)
run_folder_commands.register(app)
score_command.register(app)
explain_command.register(app)
deidentify_command.register(app)
image_commands.register(app)
compare_command.register(app)
publish_command.register(app)
model_commands.register(app)
table_commands.register(app)
design_commands.register(app)
simulate_command.register(app)
site_commands.register(app)
export_command.register(app)


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    arguments : the words after ``sexstrat``; None takes those of the process.

    Returns
    -------
    0 ok, 1 unexpected, 2 usage or study file, 3 input data, 4 audit rule failed, 5 blocked by disclosure
    control, 130 interrupted.

    Examples
    --------
    >>> run(["--version"])
    sexstrat ...
    0
    """
    words = sys.argv[1:] if arguments is None else arguments
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's own notes would stand before every result
    try:
        app(args=words, prog_name="sexstrat")
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else int(leave.code is not None)
    except SexstratError as error:
        return _failed(error, error.exit_code, words)
    except KeyboardInterrupt:
        progress_line("interrupted; run the same command again to go on from here")
        return 130
    except Exception as error:  # the last line before the shell
        if os.environ.get("SEXSTRAT_DEBUG"):
            raise
        text = f"unexpected {type(error).__name__}: {error} (a defect of sexstrat: SEXSTRAT_DEBUG=1 shows where)"
        return _failed(RuntimeError(text), 1, words)
    return 0


def _failed(error: BaseException, exit_code: int, words: list[str]) -> int:
    if "--json" in words:
        emit_json(error_document(error, exit_code))
    else:
        progress_line(f"sexstrat: {error}")
    return exit_code
