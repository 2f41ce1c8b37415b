"""The networks of a comparison: a backbone and where its training starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sexstrat.errors import StudyError
from sexstrat.models.backbones import BACKBONES

__all__ = ["Candidate", "candidates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One row of a comparison.

    Parameters
    ----------
    backbone : one of the sixteen names.
    weights : file of start weights, no top; None starts from random ones.

    Examples
    --------
    >>> Candidate(backbone="mobilenet", weights=Path("w.h5")).name
    'mobilenet_pretrained'
    """

    backbone: str
    weights: Path | None = None

    @property
    def name(self) -> str:
        """The backbone's name, with ``_pretrained`` where given weights are the start."""
        return self.backbone if self.weights is None else f"{self.backbone}_pretrained"


def candidates(backbones: Sequence[str], weights: Mapping[str, Path], size: int) -> tuple[Candidate, ...]:
    """Return a comparison's networks, those of fewer parameters first, so that early rows come early.

    Every backbone has a row from random weights, so that the rows can be compared; one with a file of weights has a
    second row that starts from them.

    Parameters
    ----------
    backbones : names, in any order; empty for all sixteen.
    weights : file of start weights by backbone; these backbones are in, named or not.
    size : side of the networks' input in pixels.

    Returns
    -------
    The networks.

    Raises
    ------
    StudyError
        A backbone is not known, cannot take pictures so small, or a file of weights is missing; all are named.

    Examples
    --------
    >>> [one.name for one in candidates(["xception", "mobilenet"], {}, 96)]
    ['mobilenet', 'xception']
    """
    wanted = [*(backbones or BACKBONES), *weights]
    wrong = [f"no backbone {name!r}; allowed: {', '.join(BACKBONES)}" for name in wanted if name not in BACKBONES]
    known = sorted({name for name in wanted if name in BACKBONES}, key=lambda name: BACKBONES[name].kernel_values)
    wrong += [
        f"{name} takes pictures of {BACKBONES[name].smallest_size} pixels or more; found {size} in --phases"
        for name in known
        if size < BACKBONES[name].smallest_size
    ]
    wrong += [f"no file of weights {path} for {name}" for name, path in weights.items() if not path.is_file()]
    if wrong:
        raise StudyError("\n  ".join(["the networks of a comparison:", *wrong]))
    found = []
    for name in known:
        found.append(Candidate(backbone=name))
        if name in weights:
            found.append(Candidate(backbone=name, weights=weights[name]))
    return tuple(found)
