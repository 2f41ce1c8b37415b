"""The model card a study goes by: the one it names, else that of the model that scores, else the shipped one."""

from __future__ import annotations

from pathlib import Path

from sexstrat.models import CARD_NAME, ModelCard, read_card, shipped_card
from sexstrat.study.file import Study

__all__ = ["card_path", "names_card", "study_card"]


def _named(study: Study) -> str:
    return str(study.section("")["model_card"] or (study.section("images")["model"] if "images" in study else ""))


def names_card(study: Study) -> bool:
    """Tell whether the study says which model it goes by.

    Parameters
    ----------
    study : the study.
    """
    return _named(study) != ""


def card_path(study: Study, named: str) -> Path | None:
    """Return the file of a card or model that a study names, None for the shipped one.

    Parameters
    ----------
    study : the study; paths are relative to its file.
    named : value of ``model_card`` or ``images.model``: a card, or a folder that holds one.
    """
    if named in {"", "shipped"}:
        return None
    path = study.path.parent / named
    return path / CARD_NAME if path.is_dir() else path


def study_card(study: Study) -> ModelCard:
    """Return the card a study goes by; whether it is that of the scores is for the caller to see.

    Parameters
    ----------
    study : the study.

    Raises
    ------
    ModelError : the card cannot be read or breaks its contract.
    """
    path = card_path(study, _named(study))
    return shipped_card() if path is None else read_card(path)
