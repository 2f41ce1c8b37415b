"""What a training run does, as one frozen value that is written beside its results."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from sexstrat.errors import ModelError

__all__ = ["TrainingPlan"]

_LATER = ("learns", "precision", "blur")
"""Choices that came later: a recipe that leaves them as they are is that of runs from before them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """The recipe of a run; two runs of one plan on one machine take the same steps.

    Parameters
    ----------
    weights : ImageNet weights of the backbone, no top, that every run starts from; None starts from random ones.
    out : folder for checkpoints, log and result; a run that finds its own checkpoint there resumes.
    backbone : one of the sixteen names.
    prepared_size : side in pixels of the crop around the field of view.
    input_size : side in pixels of the network's input, cut from the crop.
    phases : (input size in pixels, epochs) in order; smaller sizes first are cheaper.
    batch_size : photographs a step.
    learning_rate : peak of AdamW's rate; warm-up is linear, decay a cosine to zero.
    warm_up_epochs : length of the warm-up.
    weight_decay : decoupled weight decay.
    dropout : share of pooled features dropped.
    label_smoothing : for recorded sex, whose labels are known to hold errors.
    age_weight, disease_weight : weights of the two auxiliary losses; that of sex is 1.
    batch_norm_momentum : share of the old batch statistics that a step keeps; 0.99, the backbone's own, still
        holds a tenth of ImageNet's after two epochs here.
    average_decay : decay a step of the running average of the weights that is evaluated and kept.
    patience : epochs without a better validation AUC after which the run stops.
    views : how a photograph is turned, as in a model card; "both" and eyes not known are mirrored by chance.
    freeze_to : layer up to which, itself included, weights stay as they are; "" trains all.
    members : runs from the same start whose weights are averaged.
    start : card of a published model of the same backbone whose weights are the start; None starts from ``weights``.
    teachers : cards of published models whose probability is learned beside the label.
    teacher_share : their share in the target of sex.
    seed : of order and augmentation; members take this one and those that follow.
    shared_epochs : first epochs, in the order and augmentation of ``shared_seed``, after which members part: runs that
        part early in training stay close enough for their average to mean something (Frankle et al., ICML 2020).
    learns : what the network learns: sex always; age in years and diseases beside it where their labels are given.
    precision : float32, or mixed_bfloat16 for arithmetic in half the width on machines that have it; weights, losses
        and what is kept are float32 either way.
    split : ``stratified`` makes the parts alike in sex and age, for one list; in ``stable`` nobody ever changes the
        part, so that a model may go on from another or learn from it when the list has grown.
    blur : share of the training windows that are blurred.
    shared_seed : of the initial heads and of the shared epochs, the same for all members; None is ``seed``.
    """

    weights: Path | None
    out: Path
    backbone: str = "mobilenet"
    prepared_size: int = 256
    input_size: int = 224
    phases: tuple[tuple[int, int], ...] = ((224, 6),)
    batch_size: int = 32
    learning_rate: float = 1e-4
    warm_up_epochs: float = 1.0
    weight_decay: float = 0.05
    dropout: float = 0.3
    label_smoothing: float = 0.05
    age_weight: float = 0.3
    disease_weight: float = 0.5
    batch_norm_momentum: float = 0.95
    average_decay: float = 0.98
    patience: int = 6
    views: Literal["as_taken", "both", "as_left_eye"] = "as_left_eye"
    freeze_to: str = ""
    members: int = 1
    start: Path | None = None
    teachers: tuple[Path, ...] = ()
    teacher_share: float = 0.7
    seed: int = 20240501
    shared_epochs: int = 0
    shared_seed: int | None = None
    learns: tuple[str, ...] = ("sex", "age", "disease")
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    blur: float = 0.0
    split: Literal["stratified", "stable"] = "stratified"

    def __post_init__(self) -> None:
        if self.split == "stratified" and (self.start is not None or self.teachers):
            raise ModelError(
                "a model that goes on from another, or learns from one, needs the split 'stable': under 'stratified' "
                "its test people may be among those the other learned from"
            )

    @property
    def epochs(self) -> int:
        """Number of epochs over all phases."""
        return sum(count for _, count in self.phases)

    def size_at(self, epoch: int) -> int:
        """Return the input size, in pixels, of an epoch counted from 0."""
        for size, count in self.phases:
            if epoch < count:
                return size
            epoch -= count
        raise ValueError(f"epoch is beyond the {self.epochs} of the plan")

    def seed_at(self, epoch: int) -> int:
        """Return the seed of order, augmentation and dropout of an epoch counted from 0.

        Examples
        --------
        >>> plan = TrainingPlan(weights=Path("w"), out=Path("o"), seed=8, shared_epochs=2, shared_seed=7)
        >>> [plan.seed_at(epoch) for epoch in range(4)]
        [7, 7, 8, 8]
        """
        shared = self.shared_seed is not None and epoch < self.shared_epochs
        return self.shared_seed if shared and self.shared_seed is not None else self.seed

    def recipe(self) -> dict[str, Any]:
        """Return what defines the result, without the places, as JSON-ready values."""
        values = asdict(self)
        del values["out"], values["weights"]
        if self.weights is None:
            values["weights"] = "random"
        for name in _LATER:
            if values[name] == self.__dataclass_fields__[name].default:
                del values[name]
        if self.split == "stable":  # the only one there was at first
            del values["split"]
        values["start"] = None if self.start is None else _weights_digest(self.start)
        values["teachers"] = [_weights_digest(card) for card in self.teachers]
        values["phases"] = [list(phase) for phase in self.phases]
        return values


def _weights_digest(card: Path) -> str:
    """Return the SHA-256 of a published model's weights, by which a recipe names it."""
    place = card / "card.json" if card.is_dir() else card
    try:
        return str(json.loads(place.read_text(encoding="utf-8"))["weights_sha256"])
    except (OSError, ValueError, KeyError) as err:
        raise ModelError(f"{place} is not the card of a published model: {err}") from err
