"""The texts of a card are read whole, or every mistake in the file is named at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from sexstrat.errors import StudyError
from sexstrat.training.publication import CardTexts, read_card_texts


def written(folder: Path, text: str) -> Path:
    path = folder / "about.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_texts_come_back_as_they_were_written(tmp_path: Path) -> None:
    """Lists become tuples; what the file leaves out keeps its default."""
    found = read_card_texts(
        written(tmp_path, 'model_id = "kyoto-1"\ntitle = "眼底"\nterms = "none"\ncitation = ["A", "B"]\n')
    )
    assert found == CardTexts(model_id="kyoto-1", title="眼底", terms="none", citation=("A", "B"))
    assert found.failure_modes == ()


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    """An unknown key, two that lack and two of another type: one message with five lines."""
    with pytest.raises(StudyError) as caught:
        read_card_texts(written(tmp_path, 'titel = "x"\nmodel_id = 7\ncitation = ["A", 1]\n'))
    assert [line.strip().split(":")[0] for line in str(caught.value).splitlines()] == [
        "card texts about.toml", "titel", "title", "terms", "model_id", "citation",
    ]  # fmt: skip
    assert "model_id: found 7; allowed: a text" in str(caught.value)


def test_the_texts_of_the_demonstration_model_are_complete() -> None:
    """The file that an analyst copies can be read and leaves nothing to its defaults."""
    texts = read_card_texts(Path(__file__).parents[3] / "analyses" / "demonstration_model.toml")
    assert all((texts.statement, texts.intended_use, texts.failure_modes, texts.citation, texts.source))


@pytest.mark.parametrize("text", [None, "model_id = ", "title = 'a"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: str | None) -> None:
    """A missing file and one that is not TOML are mistakes of the command, with the path."""
    path = tmp_path / "about.toml" if text is None else written(tmp_path, text)
    with pytest.raises(StudyError, match=r"card texts .*about\.toml cannot be read"):
        read_card_texts(path)
