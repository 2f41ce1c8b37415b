"""Combine the scores of several models to those of one ensemble, image by image."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.scores.combine import clipped_logit
from sexstrat.scores.recipe import Recipe

__all__ = ["ensemble_recipe", "ensemble_rows", "ensemble_scores"]

_MEANS = ("predicted_age",)


def ensemble_recipe(recipes: Sequence[Recipe]) -> Recipe:
    """Return what decides the scores of an ensemble: its name and digest say which members it has.

    Parameters
    ----------
    recipes : the members' recipes, at least one, in the order of name and digest.

    Returns
    -------
    The recipe; of a single member its own. ``model_id`` joins the members' names by `` & ``, ``model_sha256`` is the
    SHA-256 of their digests, one a line.

    Examples
    --------
    >>> a = Recipe(
    ...     model_id="a",
    ...     model_sha256="0" * 64,
    ...     precision="float32",
    ...     runtime="keras",
    ...     decode="exact",
    ...     size=224,
    ...     text="x",
    ... )
    >>> b = Recipe(
    ...     model_id="b",
    ...     model_sha256="1" * 64,
    ...     precision="float32",
    ...     runtime="keras",
    ...     decode="exact",
    ...     size=224,
    ...     text="y",
    ... )
    >>> ensemble_recipe([a, b]).model_id, ensemble_recipe([a]).model_sha256 == "0" * 64
    ('a & b', True)
    """
    if len(recipes) == 1:
        return recipes[0]
    return Recipe(
        model_id=" & ".join(recipe.model_id for recipe in recipes),
        model_sha256=_digest([recipe.model_sha256 for recipe in recipes]),
        precision=recipes[0].precision,
        runtime=recipes[0].runtime,
        decode=recipes[0].decode,
        size=max(recipe.size for recipe in recipes),
        column=recipes[0].column,
        text=_digest([recipe.text for recipe in recipes]),
    )


def ensemble_scores(members: Sequence[Iterator[pd.DataFrame]], recipe: Recipe) -> Iterator[pd.DataFrame]:
    """Give the score table of an ensemble, piece by piece.

    Parameters
    ----------
    members : the score tables of the members, in pieces of the same rows.
    recipe : the ensemble's.

    Yields
    ------
    Rows as :func:`ensemble_rows` makes them.

    Examples
    --------
    >>> row = {"image_id": ["x"], "status": ["ok"], "reason": [None], "prob_male": [0.8]}
    >>> tables = [iter([pd.DataFrame(row)]), iter([pd.DataFrame(row | {"prob_male": [0.2]})])]
    >>> a = Recipe(
    ...     model_id="a & b",
    ...     model_sha256="0" * 64,
    ...     precision="float32",
    ...     runtime="keras",
    ...     decode="exact",
    ...     size=224,
    ...     text="x",
    ... )
    >>> [float(rows["prob_male"][0].round(6)) for rows in ensemble_scores(tables, a)]
    [0.5]
    """
    for tables in zip(*members, strict=True):
        yield tables[0] if len(tables) == 1 else ensemble_rows(tables, recipe)


def ensemble_rows(tables: Sequence[pd.DataFrame], recipe: Recipe) -> pd.DataFrame:
    """Combine the rows of all members: the inverse logit of the mean of their logits.

    ``logit p = mean over members of clip(log(p / (1 - p)), -10, 10)``; a predicted age is the mean of the members'
    ages. An image has a score only when every member gave one; else the first member without one says why. What
    else a row tells (quality, field of view) is that of the first member. The mean of calibrated logits is itself
    under-confident as far as the members err apart: recalibrate at patient level.

    Parameters
    ----------
    tables : the same images in the same order, scored by each member.
    recipe : the ensemble's, see :func:`ensemble_recipe`.

    Returns
    -------
    Rows of the ensemble.

    Raises
    ------
    ValueError
        The tables do not hold the same images in the same order.

    Examples
    --------
    Logits 1 and 3 have the mean 2.

    >>> first = pd.DataFrame({"image_id": ["x"], "status": ["ok"], "reason": [None], "prob_male": expit([1.0])})
    >>> recipe = Recipe(
    ...     model_id="a & b",
    ...     model_sha256="0" * 64,
    ...     precision="float32",
    ...     runtime="keras",
    ...     decode="exact",
    ...     size=9,
    ...     text="",
    ... )
    >>> rows = ensemble_rows([first, first.assign(prob_male=expit([3.0]))], recipe)
    >>> float(clipped_logit(rows["prob_male"]).round(6)[0]), rows["model_id"][0]
    (2.0, 'a & b')
    """
    first = tables[0]
    if any(table["image_id"].tolist() != first["image_id"].tolist() for table in tables[1:]):
        raise ValueError("the members' tables hold other images, or in another order")
    rows = first.assign(
        model_id=recipe.model_id, model_sha256=recipe.model_sha256, prob_male=expit(_mean_logit(tables))
    )
    for name in _MEANS:
        if name in first.columns:
            rows[name] = np.mean([table[name].to_numpy(dtype=float) for table in tables], axis=0)
    for table in tables[1:]:
        failed = (rows["status"] == "ok") & (table["status"] != "ok")
        rows.loc[failed, ["status", "reason"]] = table.loc[failed, ["status", "reason"]]
    rows.loc[rows["status"] != "ok", ["prob_male", *(name for name in _MEANS if name in rows)]] = np.nan
    return rows


def _mean_logit(tables: Sequence[pd.DataFrame]) -> NDArray[np.float64]:
    return np.asarray(np.mean([clipped_logit(table["prob_male"]) for table in tables], axis=0), dtype=np.float64)


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
