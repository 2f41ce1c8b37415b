"""A composition as plain values, and back: what a site sends where its cells may not leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.errors import EstimationError
from sexstrat.estimates.composition import Composition, Margin
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.design import Target

__all__ = ["share_document", "shares_from", "without_cells"]

ARRAYS = ("n", "n_variance", "n_patients", "n_validated", "effective_validated", "pi", "covariance")
OPTIONAL = ("within", "between", "variance_df")
PLAIN = ("imputations", "sampled", "counted")
TEXTS = ("condition", "estimator", "state", "why")
LISTS = ("assumptions", "warnings", "band_state")


def without_cells(one: Composition, hidden: NDArray[np.bool_]) -> Composition:
    """Return the composition of the cells that are not hidden, as if nobody else were in the cohort.

    The margin of all ages becomes that of the bands left: n, pi = sum n_a pi_a / n and its covariance.

    Parameters
    ----------
    one : a composition.
    hidden : cells to leave out, shape (A, 2).

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random", method="E2")
    >>> left = without_cells(one, np.array([[True, True], [False, False]]))
    >>> left.n_patients.tolist(), left.overall.n.tolist(), left.band_state
    ([[0.0, 0.0], [400.0, 150.0]], [[400.0, 150.0]], ('refused', 'model_based'))
    """
    if not hidden.any():
        return one
    by_band = _masked(one.by_band, hidden)
    states = ("refused" if both.all() else state for both, state in zip(hidden, one.band_state, strict=True))
    return replace(one, by_band=by_band, overall=_collapsed(by_band), band_state=tuple(states), fallback=None)


def _masked(margin: Margin, hidden: NDArray[np.bool_]) -> Margin:
    counts = ("n", "n_variance", "n_patients", "n_validated", "effective_validated")
    lost = hidden.ravel()
    square = lost[:, None] | lost[None, :]
    found: dict[str, Any] = {name: np.where(hidden, 0.0, getattr(margin, name)) for name in counts}
    found |= {"pi": np.where(hidden, np.nan, margin.pi), "covariance": np.where(square, 0.0, margin.covariance)}
    for name in ("within", "between"):
        value = getattr(margin, name)
        found[name] = None if value is None else np.where(square, 0.0, value)
    return replace(margin, **found)


def _collapsed(margin: Margin) -> Margin:
    """Return all bands as one."""
    totals = {
        name: getattr(margin, name).sum(axis=0, keepdims=True)
        for name in ("n", "n_variance", "n_patients", "n_validated", "effective_validated")
    }
    share = np.divide(margin.n, totals["n"], out=np.zeros_like(margin.n), where=totals["n"] > 0)
    pi = np.where(totals["n"] > 0, np.where(share > 0, share * margin.pi, 0.0).sum(axis=0, keepdims=True), np.nan)
    along = np.zeros((2, margin.n.size))
    along[0, 0::2], along[1, 1::2] = share[:, 0], share[:, 1]
    parts: dict[str, Any] = {
        name: None if (value := getattr(margin, name)) is None else along @ value @ along.T
        for name in ("covariance", "within", "between")
    }
    return replace(margin, **totals, **parts, pi=pi, variance_df=None)


def share_document(one: Composition) -> dict[str, Any]:
    """Return a composition as values that JSON can hold; an undefined number is null.

    Parameters
    ----------
    one : a composition whose variance counts patients; shares over sampling units need the units' own scores.

    Raises
    ------
    EstimationError : its variance counts sampling units.

    Examples
    --------
    >>> from sexstrat.estimates.compose import compose
    >>> from sexstrat.estimates.worked_example import worked_bands, worked_cells
    >>> one = compose(worked_cells(), bands=worked_bands(), design="random", method="E1")
    >>> again = shares_from(share_document(one))
    >>> bool(np.array_equal(again.pi, one.pi)), again.condition, again.state
    (True, 'disease', 'corrected')
    """
    if type(one.by_band) is not Margin or type(one.overall) is not Margin:
        raise EstimationError(
            "the variance of these shares counts sampling units, which shares alone do not carry; send cells"
        )
    known = {field.name for field in fields(Margin) if field.init}
    if unknown := known - {*ARRAYS, *OPTIONAL, *PLAIN}:
        raise EstimationError(f"shares with {', '.join(sorted(unknown))} cannot be written")
    document: dict[str, Any] = {name: getattr(one, name) for name in TEXTS}
    document |= {name: list(getattr(one, name)) for name in LISTS}
    document |= {"lows": list(one.bands.lows), "end": one.bands.end, "target": one.target.value, "level": one.level}
    return document | {"by_band": _plain(one.by_band), "overall": _plain(one.overall)}


def shares_from(document: Mapping[str, Any]) -> Composition:
    """Return the composition that :func:`share_document` wrote.

    Parameters
    ----------
    document : its values.

    Raises
    ------
    EstimationError : a value is missing or has the wrong shape.
    """
    try:
        bands = AgeBands(tuple(document["lows"]), document["end"])
        words: dict[str, Any] = {name: str(document[name]) for name in TEXTS}
        words |= {name: tuple(document[name]) for name in LISTS}
        return Composition(
            **words,
            bands=bands,
            target=Target(document["target"]),
            level=float(document["level"]),
            by_band=_margin(document["by_band"], len(bands)),
            overall=_margin(document["overall"], 1),
        )
    except (KeyError, TypeError, ValueError) as err:
        raise EstimationError(f"the shares of a site cannot be read: {err}") from err


def _plain(margin: Margin) -> dict[str, Any]:
    values: dict[str, Any] = {name: _listed(getattr(margin, name)) for name in ARRAYS}
    for name in OPTIONAL:
        value = getattr(margin, name)
        values[name] = None if value is None else _listed(value)
    values |= {"sampled": margin.sampled, "counted": margin.counted}
    return values | {"imputations": None if np.isinf(margin.imputations) else margin.imputations}


def _listed(value: NDArray[np.float64]) -> list[list[float | None]]:
    return [[None if not np.isfinite(one) else float(one) for one in row] for row in value]


def _array(value: Any, shape: tuple[int, int], missing: float = np.nan) -> NDArray[np.float64]:
    found = np.array([[missing if one is None else float(one) for one in row] for row in value], dtype=float)
    if found.shape != shape:
        raise ValueError(f"an array of shape {shape} was expected; found {found.shape}")
    return found


def _margin(values: Mapping[str, Any], bands: int) -> Margin:
    square = (2 * bands, 2 * bands)
    shapes = {name: square if name in {"covariance", "within", "between"} else (bands, 2) for name in values}
    arrays = {name: _array(values[name], shapes[name]) for name in ARRAYS}
    optional: dict[str, Any] = {
        name: None
        if values[name] is None
        else _array(values[name], shapes[name], np.inf if name == "variance_df" else np.nan)
        for name in OPTIONAL
    }
    imputations = np.inf if values["imputations"] is None else float(values["imputations"])
    return Margin(
        **arrays,
        **optional,
        imputations=imputations,
        sampled=bool(values["sampled"]),
        counted=bool(values["counted"]),
    )
