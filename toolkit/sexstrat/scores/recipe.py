"""What decides a score besides the photograph, and the identity that a score has by it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import sexstrat
from sexstrat.models import ModelCard, card_to_json
from sexstrat.scores.reading import file_state
from sexstrat.scores.storage import url_state
from sexstrat.scores.urls import is_remote

__all__ = ["Recipe", "row_key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What decides a score besides the photograph; two equal recipes give equal scores.

    Parameters
    ----------
    model_id : name written with every row.
    model_sha256 : digest of the weights, or of the members' digests for an ensemble.
    precision : arithmetic of the forward pass.
    runtime : what computes it.
    decode : how photographs are decoded.
    size : side of the crops that the model takes, in pixels.
    column : what the model estimates: the column ``prob_male`` or ``predicted_age`` of the score contract.
    text : digest of all this and of the rest: card and version of sexstrat.
    """

    model_id: str
    model_sha256: str
    precision: str
    runtime: str
    decode: str
    size: int
    column: str = "prob_male"
    text: str

    @classmethod
    def of(cls, card: ModelCard, *, runtime: str, precision: str, decode: str, views: str | None = None) -> Recipe:
        """Return the recipe of scoring with one model.

        Parameters
        ----------
        card : the model's card, its views those that are looked at.
        runtime, precision, decode : as in :func:`sexstrat.scores.score_images`.
        views : the views that were asked for in place of the card's own, or None; they become part of model_id.

        Examples
        --------
        >>> from sexstrat.models import shipped_card
        >>> options = {"runtime": "keras", "precision": "float32", "decode": "exact"}
        >>> plain = Recipe.of(shipped_card(), **options)
        >>> flipped = Recipe.of(shipped_card(), **options, views="both")
        >>> flipped.model_id.removeprefix(plain.model_id), flipped.text == plain.text
        ('+views=both', False)
        """
        model_id = card.model_id if views is None else f"{card.model_id}+views={views}"
        text = "\0".join([model_id, card_to_json(card), runtime, precision, decode, sexstrat.__version__])
        return cls(
            model_id=model_id,
            model_sha256=card.weights_sha256,
            precision=precision,
            runtime=runtime,
            decode=decode,
            size=card.prepared_size,
            column="predicted_age" if card.output_kind == "age_years" else "prob_male",
            text=hashlib.sha256(text.encode()).hexdigest(),
        )


def row_key(
    path: str, *, recipe: str, eye: str | None = None, sha256: str | None = None, frame: int | None = None
) -> str:
    """Return the identity of a score: same key, same file and same way of scoring it, so the same score.

    Parameters
    ----------
    path : path or URL as listed; size and time of change of the file, or the mark that object storage gives its
        content, are part of the identity.
    recipe : what else decides the score, see :class:`Recipe`.
    eye : R, L, or None when the list does not say: a model may look at the eyes differently.
    sha256 : digest that the list gives for the file, or None.
    frame : number of the frame of a DICOM file of several, or None.

    Returns
    -------
    32 hexadecimal digits.

    Examples
    --------
    >>> row_key("no such file", recipe="a") == row_key("no such file", recipe="b")
    False
    """
    if is_remote(path):
        size, changed = url_state(path)
    else:
        state = file_state(path)
        size, changed = state.size, state.modified
    text = "\0".join([path, str(size), str(changed), eye or "", sha256 or "", str(frame or ""), recipe])
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]
