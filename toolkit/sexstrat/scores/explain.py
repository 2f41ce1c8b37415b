"""Explain one photograph: read, prepared and looked at as scoring does it, then a map of what the output depends on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sexstrat.errors import ImageError, ModelError, StudyError
from sexstrat.images import DECODES, Prepared, prepare
from sexstrat.models import (
    Explanation,
    LoadedModel,
    ModelCard,
    default_runtime,
    grad_cam_map,
    half_share,
    load_model,
    occlusion_map,
    rim_share,
)
from sexstrat.models.occlusion import DEFAULT_GRID, DEFAULT_PATCH
from sexstrat.scores.listing import list_images
from sexstrat.scores.reading import read_photograph

__all__ = ["CAVEAT", "METHODS", "Explained", "explain_image"]

METHODS = ("occlusion", "grad-cam")

CAVEAT = (
    "A check of where this network looks in this one photograph, nothing more. The map does not say why, what differs "
    "between the sexes, or anything about the person; another method, patch or network gives another map. Look for "
    "what should not matter: the edge, a label, a reflection."
)
"""Printed and drawn with every map."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explained:
    """A map with what it was made of; it holds no score and tells no sex.

    Parameters
    ----------
    explanation : the map.
    prepared : the photograph as scoring prepares it, with its quality.
    card : the model's card.
    runtime, precision : what computed the map.
    eye : R or L as stated by the caller or the DICOM header, or None.
    caveat : what a map does not say.
    """

    explanation: Explanation
    prepared: Prepared
    card: ModelCard
    runtime: str
    precision: str
    eye: str | None
    caveat: str = CAVEAT

    @property
    def half_share(self) -> float | None:
        """Smallest share of the field of view that holds half of the importance; None of a flat map."""
        return half_share(self.explanation.importance, self.explanation.field)

    @property
    def rim(self) -> tuple[float, float] | None:
        """Share of importance, and of pixels, beyond nine tenths of the radius; None of a flat map."""
        return rim_share(self.explanation.importance, self.card.prepared_size)


def explain_image(
    image: str | Path,
    *,
    model: str | Path | LoadedModel | None = None,
    method: str = "occlusion",
    eye: str | None = None,
    frame: int | None = None,
    decode: str = "safe",
    runtime: str | None = None,
    precision: str = "float32",
    trust: bool = False,
    patch: float = DEFAULT_PATCH,
    grid: int = DEFAULT_GRID,
) -> Explained:
    """Map which places of one photograph a model's output depends on.

    The photograph goes through the same reading and preparing as in scoring. The result holds neither the output nor
    its direction.

    Parameters
    ----------
    image : JPEG, PNG, TIFF or DICOM file, a path or a URL.
    model : as in :func:`sexstrat.scores.score_images`.
    method : ``occlusion``, see :func:`sexstrat.models.occlusion_map`, works with every model; ``grad-cam``, see
        :func:`sexstrat.models.grad_cam_map`, needs the Keras network.
    eye : R or L; None takes what a DICOM header says.
    frame : number of the frame of a DICOM file of several, from 1.
    decode : ``exact``, ``safe`` or ``fast``.
    runtime, precision, trust : of a model given by path, as in :func:`sexstrat.models.load_model`. Occlusion takes the
        fastest runtime by default, Grad-CAM always keras in float32.
    patch, grid : of the method occlusion.

    Returns
    -------
    The map and what it was made of.

    Raises
    ------
    StudyError
        An argument is not one of those allowed, or the source is not one photograph.
    ImageError
        The photograph cannot be read or shows no field of view.
    ModelError
        The model cannot be trusted, found or used, or has no gradients.
    """
    _check(method, eye, decode, runtime, precision)
    row = _only_image(image, frame)
    given = eye if eye is not None else (None if pd.isna(row["eye"]) else str(row["eye"]))
    number = None if pd.isna(row["frame"]) else int(row["frame"])
    data = read_photograph(str(row["path"]))
    loaded = _loaded(model, method, runtime, precision, trust)
    prepared = prepare(data, loaded.card.prepared_size, decode=decode, frame=number)
    if method == "grad-cam":
        found = grad_cam_map(loaded, prepared.pixels, eye=given)
    else:
        found = occlusion_map(loaded, prepared.pixels, eye=given, patch=patch, grid=grid)
    return Explained(
        explanation=found,
        prepared=prepared,
        card=loaded.card,
        runtime=loaded.runtime,
        precision=loaded.precision,
        eye=given,
    )


def _check(method: str, eye: str | None, decode: str, runtime: str | None, precision: str) -> None:
    for name, value, allowed in (
        ("method", method, METHODS),
        ("eye", eye or "R", ("R", "L")),
        ("decode", decode, tuple(DECODES)),
    ):
        if value not in allowed:
            raise StudyError(f"unknown {name} {value!r}; allowed: {', '.join(allowed)}")
    if method == "grad-cam" and (runtime not in (None, "keras") or precision not in ("float32", "f32")):
        raise StudyError("grad-cam is computed by keras in float32; leave runtime and precision out, or use occlusion")


def _only_image(image: str | Path, frame: int | None) -> dict[str, Any]:
    if Path(str(image)).suffix.lower() in {".csv", ".parquet"} or Path(image).is_dir():
        raise StudyError(f"{image}: explain looks at one photograph; give a JPEG, PNG, TIFF or DICOM file")
    rows = list_images(image).to_dict("records")
    if len({row["path"] for row in rows}) > 1:
        raise StudyError(f"{image}: {len(rows)} files; explain looks at one photograph")
    if len(rows) == 1 and frame in (None, 1):
        return {str(name): value for name, value in rows[0].items()}
    if frame is None:
        raise StudyError(f"{image}: {len(rows)} frames; say which one by --frame 1 to {len(rows)}")
    if not 1 <= frame <= len(rows):
        raise ImageError("unreadable", f"frame {frame} is asked for; the file holds {len(rows)}")
    return {str(name): value for name, value in rows[frame - 1].items()}


def _loaded(
    model: str | Path | LoadedModel | None, method: str, runtime: str | None, precision: str, trust: bool
) -> LoadedModel:
    if isinstance(model, LoadedModel):
        return model
    chosen = "keras" if method == "grad-cam" else runtime or default_runtime()
    loaded = load_model(model, runtime=chosen, precision=precision, trust=trust)
    if method == "grad-cam" and loaded.network is None:
        raise ModelError(
            f"{loaded.card.model_id} is an ONNX file, which OpenVINO runs without gradients; use the method occlusion"
        )
    return loaded
