"""Check on labelled photographs that a model's classes are not swapped and that it is fed as in training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.audit.auc import auc_clustered
from sexstrat.audit.measurement import Measurement
from sexstrat.errors import ImageError, ModelError, Problem, SchemaError
from sexstrat.images import prepare
from sexstrat.models.load import card_path_of
from sexstrat.models.loaded_model import LoadedModel
from sexstrat.models.verification import Check, scaling_variants, size_variants

__all__ = ["LabelledPhotographs", "orientation_checks", "read_labels"]

_REPLICATES = 1000
_PERCENTILE = 0.5  # 5 % one-sided, shared among the ten or so ways that are compared (Bonferroni)
_SEED = 20240501
_FEWEST = 10  # men, and women, below which no AUC is judged


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledPhotographs:
    """Photographs of people whose recorded sex is known.

    Parameters
    ----------
    paths : their files.
    male : whether recorded sex is male.
    patients : id of the person of each.
    eyes : R, L or None.
    """

    paths: tuple[Path, ...]
    male: NDArray[np.bool_]
    patients: NDArray[np.str_]
    eyes: tuple[str | None, ...]


def read_labels(path: str | Path) -> LabelledPhotographs:
    """Read a CSV of labelled photographs.

    Parameters
    ----------
    path : file with the columns path (relative to the file's folder) and recorded_sex (male or female), and maybe
        patient_id and eye (R or L). Without patient_id each photograph counts as a person.

    Returns
    -------
    The photographs.

    Raises
    ------
    SchemaError
        The file cannot be read, or a column is missing or holds something else; every breach is named.
    """
    place = Path(path)
    try:
        frame = pd.read_csv(place, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as err:
        message = f"the labels cannot be read: {err}"
        raise SchemaError([Problem(kind="unreadable", message=message, source=str(path))]) from err
    missing = [name for name in ("path", "recorded_sex") if name not in frame]
    problems = [
        Problem(kind="missing_column", message="column is missing", source=str(path), column=name) for name in missing
    ]
    if not problems:
        problems = [*_breaches(frame, "recorded_sex", ("male", "female"), str(path))]
        problems += _breaches(frame, "eye", ("R", "L", ""), str(path)) if "eye" in frame else []
    if problems:
        raise SchemaError(problems)
    patients = frame["patient_id"] if "patient_id" in frame else pd.Series([str(i) for i in range(len(frame))])
    eyes = frame["eye"] if "eye" in frame else [""] * len(frame)
    return LabelledPhotographs(
        paths=tuple(place.parent / name for name in frame["path"]),
        male=(frame["recorded_sex"] == "male").to_numpy(),
        patients=patients.to_numpy().astype(str),
        eyes=tuple(eye or None for eye in eyes),
    )


def _breaches(frame: pd.DataFrame, column: str, allowed: tuple[str, ...], source: str) -> Iterator[Problem]:
    wrong = frame[~frame[column].isin(allowed)]
    for value, rows in wrong.groupby(column):
        yield Problem(
            kind="not_allowed",
            message="value is not allowed",
            source=source,
            row=int(rows.index[0]) + 2,
            column=column,
            value=str(value),
            allowed=", ".join(entry or "empty" for entry in allowed),
            count=len(rows),
        )


def orientation_checks(
    model: LoadedModel, source: str | Path, labels: LabelledPhotographs, *, trust: bool = False
) -> tuple[Check, ...]:
    """Compare a model's scores with recorded sex, as its card feeds it and otherwise.

    An AUC below one half says that the classes are swapped. A scaling, channel order or input size whose AUC is larger
    by more than chance (lower 99.5 % limit of the difference above 0, bootstrap of persons) says that the card
    is wrong there.

    Parameters
    ----------
    model : the loaded model; of sex.
    source : its card's JSON file or folder.
    labels : the photographs.
    trust : whether the maker of a SavedModel is trusted.

    Returns
    -------
    The checks; ``held`` is None where the photographs do not suffice to tell.

    Raises
    ------
    ModelError
        The model estimates age, or no photograph can be read.
    """
    if model.card.output_kind == "age_years":
        raise ModelError(f"model {model.card.model_id} estimates age; labels of sex cannot check it")
    kept, lost = _readable(labels, model.card.prepared_size)
    men, women = int(kept.male.sum()), int((~kept.male).sum())
    if not len(kept.male):
        raise ModelError(f"none of {len(labels.male):,} labelled photographs can be read: {lost}")
    told = f"{men} photographs of men, {women} of women" + (f"; {lost}" if lost else "")
    if min(men, women) < _FEWEST:
        return (Check(name="orientation", held=None, detail=f"{told}: too few, at least {_FEWEST} of each"),)
    scores = _scores(model, kept)
    measured = auc_clustered(scores, kept.male, kept.patients)
    if measured.point is None:
        return (Check(name="orientation", held=None, detail=f"{told}: the AUC is {measured.state}"),)
    first = _orientation(measured, told)
    if measured.high is not None and measured.high < 0.5:
        return (first,)  # swapped for certain: any other way of feeding would do "better" by doing worse
    weights = card_path_of(source).parent / model.card.weights_file
    better = _better(scaling_variants(model), scores, kept) or _better(
        size_variants(model, weights, trust), scores, kept
    )
    if better:
        detail = f"{' and '.join(better)}: the card says otherwise"
        return first, Check(name="input as in training", held=False, detail=detail)
    detail = "no other scaling, channel order or usual size does better by more than chance"
    return first, Check(name="input as in training", held=True, detail=detail)


def _better(
    others: Iterable[tuple[str, LoadedModel]], scores: NDArray[np.float64], kept: LabelledPhotographs
) -> list[str]:
    """Name the ways of feeding whose AUC is larger by more than chance."""
    found = []
    for name, other in others:
        low, point = _gain(_scores(other, kept), scores, kept)
        if low > 0:
            found.append(f"{name} (AUC larger by {point:.3f}, at least {low:.3f})")
    return found


def _orientation(measured: Measurement, told: str) -> Check:
    point, low, high = (float(value) for value in (measured.point, measured.low, measured.high))  # type: ignore[arg-type]
    detail = f"AUC {point:.3f} ({low:.3f} to {high:.3f}); {told}"
    if point < 0.5:
        sure = "classes swapped" if high < 0.5 else "classes swapped, or the model tells nothing here"
        return Check(name="orientation", held=False, detail=f"{sure}: {detail}")
    if low <= 0.5:
        return Check(name="orientation", held=None, detail=f"not told apart from chance: {detail}")
    return Check(name="orientation", held=True, detail=detail)


def _readable(labels: LabelledPhotographs, size: int) -> tuple[LabelledPhotographs, str]:
    """Leave out photographs that cannot be read, and say how many and why."""
    kept, reasons = [], []
    for row, path in enumerate(labels.paths):
        try:
            prepare(path, size)
            kept.append(row)
        except ImageError as err:
            reasons.append(f"{path.name}: {err}")
    lost = f"{len(reasons)} photographs cannot be read, the first {reasons[0]}" if reasons else ""
    chosen = np.array(kept, dtype=np.int64)
    return LabelledPhotographs(
        paths=tuple(labels.paths[row] for row in kept),
        male=labels.male[chosen],
        patients=labels.patients[chosen],
        eyes=tuple(labels.eyes[row] for row in kept),
    ), lost


def _scores(model: LoadedModel, labels: LabelledPhotographs) -> NDArray[np.float64]:
    parts = []
    for start in range(0, len(labels.paths), 32):
        rows = slice(start, start + 32)
        pixels: NDArray[Any] = np.stack([prepare(path, model.card.prepared_size).pixels for path in labels.paths[rows]])
        parts.append(model.logits(pixels, labels.eyes[rows]))
    return np.concatenate(parts)


def _gain(other: NDArray[np.float64], card: NDArray[np.float64], labels: LabelledPhotographs) -> tuple[float, float]:
    """Return the lower 99.5 % limit and the value of how much larger the other scores' AUC is."""
    rng = np.random.default_rng(_SEED)
    people, place = np.unique(labels.patients, return_inverse=True)
    draws = []
    for _ in range(_REPLICATES):
        weight = rng.multinomial(len(people), np.full(len(people), 1 / len(people)))[place].astype(np.float64)
        draws.append(_auc(other, labels.male, weight) - _auc(card, labels.male, weight))
    one = np.ones(len(place))
    return float(np.nanpercentile(draws, _PERCENTILE)), _auc(other, labels.male, one) - _auc(card, labels.male, one)


def _auc(scores: NDArray[np.float64], male: NDArray[np.bool_], weight: NDArray[np.float64]) -> float:
    """Weighted Mann-Whitney; ties count one half. NaN when a draw holds one sex alone."""
    values, place = np.unique(scores, return_inverse=True)
    men = np.bincount(place, weight * male, minlength=len(values))
    women = np.bincount(place, weight * ~male, minlength=len(values))
    pairs = men.sum() * women.sum()
    below = np.cumsum(women) - women
    return float((men * (below + women / 2)).sum() / pairs) if pairs else float("nan")
