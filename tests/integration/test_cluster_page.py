"""Every command of the page about clusters is one that this version takes, and the job array's pieces fit together."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest
import typer

from sexstrat.cli.app import app
from sexstrat.scores import Shard

PAGE = Path("docs/how-to/score_on_a_cluster.md")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(repository: Path, language: str) -> list[str]:
    """Return the page's blocks in a language, continued lines joined."""
    found = FENCE.findall((repository / PAGE).read_text(encoding="utf-8"))
    return [text.replace("\\\n", " ") for name, text in found if name == language]


def commands(repository: Path) -> list[list[str]]:
    """Return every sexstrat command of the page as words, those wrapped in sbatch and in Python too."""
    found = []
    for line in "\n".join(blocks(repository, "bash")).splitlines():
        words = shlex.split(line, comments=True)
        if "--wrap" in words:
            words = shlex.split(words[words.index("--wrap") + 1])
        if words[:1] == ["sexstrat"]:
            found.append(words[1:])
    for text in blocks(repository, "python"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.List) and node.elts and ast.unparse(node.elts[0]) == "'sexstrat'":
                told = [one.value if isinstance(one, ast.Constant) else "tcp://10.0.0.5:8786" for one in node.elts]
                found.append([str(word) for word in told[1:]])
    return found


def parsed(words: list[str]) -> dict[str, object]:
    """Parse a command as the command line does, up to where it would begin to work; a wrong option raises."""
    command, rest = typer.main.get_command(app), list(words)
    while (inside := getattr(command, "commands", None)) is not None:
        command = inside[rest.pop(0)]
    return dict(command.make_context(command.name, rest).params)


def test_every_command_of_the_page_is_taken_as_it_is(repository: Path) -> None:
    """Options, their values and the arguments are those of this version; an invented option would be refused."""
    found = commands(repository)
    assert [words[:2] for words in found].count(["score", "/shared/photographs.csv"]) == 2
    assert sum(words[:2] == ["scores", "join"] for words in found) == 2
    assert sum(words[:2] == ["models", "verify"] for words in found) == 1
    for words in found:
        assert parsed(words), words
    with pytest.raises(Exception, match="--shards"):
        parsed(["score", "photographs.csv", "--shards", "1/8"])


def test_the_array_and_its_pieces_are_as_many(repository: Path) -> None:
    """The tasks that Slurm counts are the pieces that the list is cut into, all of them and none twice."""
    script = next(text for text in blocks(repository, "bash") if "#SBATCH --array" in text)
    first, last = map(int, re.findall(r"--array=(\d+)-(\d+)", script)[0])
    (words,) = [words for words in commands(repository) if "--shard" in words]
    pieces = [
        Shard.parse(words[words.index("--shard") + 1].replace("${SLURM_ARRAY_TASK_ID}", str(task)))
        for task in range(first, last + 1)
    ]
    assert [piece.number for piece in pieces] == list(range(1, pieces[0].of + 1))
    assert [row for piece in pieces for row in range(1234)[piece.rows(1234)]] == list(range(1234))
    assert parsed(words)["out"] == next(words[2] for words in commands(repository) if words[:2] == ["scores", "join"])


def test_the_dask_script_scores_on_the_scheduler_it_starts(repository: Path) -> None:
    """The Python of the page is whole: it compiles, and its command asks for the engine dask at an address."""
    (text,) = blocks(repository, "python")
    compile(text, str(PAGE), "exec")
    (words,) = [words for words in commands(repository) if "--engine" in words]
    told = parsed(words)
    assert (told["engine"], told["scheduler"]) == ("dask", "tcp://10.0.0.5:8786")
    assert "--scheduler" in text
    assert "cluster.scheduler_address" in text
