"""Turn labels into what each head learns, with weights that balance the sexes and leave out the unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sexstrat.models.backbones import Head
from sexstrat.training.examples import Examples
from sexstrat.training.plan import TrainingPlan

__all__ = ["AGE_CENTER", "AGE_SCALE", "LEARNS", "heads_for", "learning_targets", "losses"]

AGE_CENTER, AGE_SCALE = 60.0, 12.0  # years; the age head learns (age - 60) / 12
LEARNS = ("sex", "age", "disease")
"""What a network can learn; sex always."""

Arrays = dict[str, NDArray[np.float32]]


def heads_for(examples: Examples, learns: Sequence[str] = LEARNS) -> tuple[Head, ...]:
    """Return the heads that are wanted and that these labels can teach: sex, age, and diseases when there are any.

    Parameters
    ----------
    examples : photographs with labels.
    learns : what is wanted beside sex, of ``LEARNS``.

    Returns
    -------
    Heads in output order.

    Examples
    --------
    >>> import pandas as pd
    >>> from pathlib import Path
    >>> from sexstrat.training import join_examples
    >>> images = pd.DataFrame({"image_id": ["a"], "patient_id": ["1"], "path": ["a.jpg"]})
    >>> persons = pd.DataFrame({"patient_id": ["1"], "recorded_sex": ["male"]})
    >>> both = pd.DataFrame({"patient_id": ["1", "1"], "condition": ["cataract", "glaucoma"], "present": [True, False]})
    >>> [(head.name, head.units) for head in heads_for(join_examples(images, persons, both, root=Path()))]
    [('sex', 1), ('age', 1), ('disease', 2)]
    >>> [head.name for head in heads_for(join_examples(images, persons, both, root=Path()), ("sex",))]
    ['sex']
    """
    heads: tuple[Head, ...] = (Head(name="sex", units=1),)
    if "age" in learns:
        heads += (Head(name="age", units=1),)
    if "disease" in learns and examples.disease_names:
        heads += (Head(name="disease", units=len(examples.disease_names)),)
    return heads


def learning_targets(
    examples: Examples, rows: NDArray[np.int64], learns: Sequence[str] = LEARNS
) -> tuple[Arrays, Arrays]:
    """Return targets and weights by head, for all rows, balanced over the rows trained on.

    Men and women get equal total weight among ``rows`` (mean weight 1). A person without a known age
    or disease flags weighs 0 in that head.

    Parameters
    ----------
    examples : photographs with labels.
    rows : the rows that will be trained on.
    learns : what is wanted beside sex, as in :func:`heads_for`.

    Returns
    -------
    Targets and weights; keys are the heads' names, arrays have one row a photograph.

    Examples
    --------
    Three men and one woman: the woman weighs 2, each man 2/3.

    >>> blank = np.array(["a", "b", "c", "d"])
    >>> four = Examples(
    ...     image_id=blank,
    ...     path=blank,
    ...     patient_id=blank,
    ...     eye=blank,
    ...     group=blank,
    ...     male=np.array([1.0, 1, 1, 0]),
    ...     age_years=np.array([60.0, 72, 48, np.nan]),
    ...     disease_names=(),
    ...     diseases=np.empty((4, 0)),
    ...     usable=np.ones(4, bool),
    ... )
    >>> targets, weights = learning_targets(four, np.arange(4))
    >>> [round(w, 2) for w in weights["sex"].tolist()], targets["age"].ravel().tolist(), weights["age"].tolist()
    ([0.67, 0.67, 0.67, 2.0], [0.0, 1.0, -1.0, 0.0], [1.0, 1.0, 1.0, 0.0])
    """
    male = np.nan_to_num(examples.male, nan=0.5)
    men, women = (max(1, int((examples.male[rows] == value).sum())) for value in (1.0, 0.0))
    total = men + women
    sex_weight = np.select([examples.male == 1.0, examples.male == 0.0], [total / (2 * men), total / (2 * women)], 0.0)
    aged = np.isfinite(examples.age_years)
    targets = {"sex": male[:, None], "age": np.where(aged, (examples.age_years - AGE_CENTER) / AGE_SCALE, 0.0)[:, None]}
    weights = {"sex": sex_weight, "age": aged.astype(float)}
    if examples.disease_names:
        known = np.isfinite(examples.diseases).all(axis=1)
        targets["disease"] = np.nan_to_num(examples.diseases, nan=0.0)
        weights["disease"] = known.astype(float)
    names = [head.name for head in heads_for(examples, learns)]
    return _single({name: targets[name] for name in names}), _single({name: weights[name] for name in names})


def losses(plan: TrainingPlan, heads: tuple[Head, ...]) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the Keras loss and its weight for each head.

    Parameters
    ----------
    plan : gives label smoothing and the weights of the auxiliary losses.
    heads : the network's heads.

    Returns
    -------
    Losses and loss weights by head.
    """
    import keras

    functions = {
        "sex": keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=plan.label_smoothing),
        "age": keras.losses.Huber(delta=1.0),
        "disease": keras.losses.BinaryCrossentropy(from_logits=True),
    }
    shares = {"sex": 1.0, "age": plan.age_weight, "disease": plan.disease_weight}
    names = [head.name for head in heads]
    return {name: functions[name] for name in names}, {name: shares[name] for name in names}


def _single(arrays: dict[str, NDArray[np.float64]]) -> Arrays:
    return {name: np.ascontiguousarray(values, dtype=np.float32) for name, values in arrays.items()}
