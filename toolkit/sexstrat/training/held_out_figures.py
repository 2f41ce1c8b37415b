"""What the comparison says of one network on people it never saw: overall, by recorded sex and by age band."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sexstrat.audit import (
    Measurement,
    auc_clustered,
    calibration_in_the_large,
    calibration_slope,
    clustered_proportion,
)
from sexstrat.training.evaluate import AGE_BANDS
from sexstrat.training.examples import Examples
from sexstrat.training.patient_auc import patient_means

__all__ = ["FIGURES", "group_rows", "overall_figures"]

FIGURES = (
    "auc_patient",
    "auc_image",
    "accuracy_patient",
    "accuracy_image",
    "calibration_in_the_large",
    "calibration_slope",
)
"""Names of the overall figures, in the order of the comparison table."""

_MIN_PATIENTS = 10  # below this a group's figures say nothing, as in the audit

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


def overall_figures(examples: Examples, rows: Rows, logits: Floats) -> dict[str, Measurement]:
    """Measure discrimination, accuracy and calibration over all people, with intervals clustered by person.

    A patient's value is the mean logit of their photographs; a prediction is male above 0. Calibration is that of
    photographs.

    Parameters
    ----------
    examples : photographs with labels.
    rows : the rows measured on, all with recorded male or female.
    logits : logit of recorded male of each of these rows.

    Returns
    -------
    One measurement for each name in ``FIGURES``, 95 % intervals.

    Examples
    --------
    Twelve men and twelve women, one photograph each; one man is called a woman.

    >>> import pandas as pd
    >>> from pathlib import Path
    >>> from sexstrat.training import join_examples
    >>> people = [f"p{i}" for i in range(24)]
    >>> images = pd.DataFrame({"image_id": people, "patient_id": people, "path": people})
    >>> persons = pd.DataFrame({"patient_id": people, "recorded_sex": ["male"] * 12 + ["female"] * 12})
    >>> logits = np.array([1.0] * 11 + [-0.5] + [-1.0] * 12)
    >>> found = overall_figures(join_examples(images, persons, root=Path()), np.arange(24), logits)
    >>> round(found["accuracy_patient"].point, 4), found["auc_patient"].point
    (0.9583, 1.0)
    """
    people, means = _by_patient(examples, rows, logits)
    male, cluster = examples.male[rows] == 1, examples.group[rows]
    probability = expit(logits)
    found = {
        "auc_patient": _auc(examples, people, means),
        "auc_image": _auc(examples, rows, logits),
        "accuracy_patient": _accuracy(examples, people, means),
        "accuracy_image": _accuracy(examples, rows, logits),
        "calibration_in_the_large": calibration_in_the_large(probability, male, cluster),
        "calibration_slope": calibration_slope(probability, male, cluster),
    }
    return {name: found[name] for name in FIGURES}


def group_rows(examples: Examples, rows: Rows, logits: Floats, *, network: str) -> list[dict[str, Any]]:
    """Measure accuracy by recorded sex, by age band and by both, and the AUC by age band; patients are the unit.

    A group with too few patients has a row all the same, with its state and the reason in place of a number.

    Parameters
    ----------
    examples, rows, logits : as in :func:`overall_figures`.
    network : name of the row in the comparison table.

    Returns
    -------
    Rows of the ``comparison_group`` table.

    Examples
    --------
    >>> import pandas as pd
    >>> from pathlib import Path
    >>> from sexstrat.training import join_examples
    >>> people = [f"p{i}" for i in range(24)]
    >>> images = pd.DataFrame({"image_id": people, "patient_id": people, "path": people})
    >>> persons = {"patient_id": people, "recorded_sex": ["male"] * 12 + ["female"] * 12, "age_years": 50.0}
    >>> examples = join_examples(images, pd.DataFrame(persons), root=Path())
    >>> table = group_rows(examples, np.arange(24), np.repeat([1.0, -1.0], 12), network="n")
    >>> [(row["level_name"], row["point"]) for row in table[:2]]
    [('men', 1.0), ('women', 1.0)]
    """
    people, means = _by_patient(examples, rows, logits)
    found = []
    for group, label, inside, metrics in _groups(examples, people):
        for metric in metrics:
            measure = _accuracy if metric == "accuracy" else _auc
            measured = measure(examples, people[inside], means[inside])
            enough = measured.state == "measured"
            male = examples.male[people[inside]] == 1
            found.append(
                {
                    "network": network,
                    "metric": metric,
                    "group": group,
                    "level_name": label,
                    **{name: getattr(measured, name) for name in ("point", "se", "low", "high", "level")},
                    "n_patients": measured.n_patients if enough else None,
                    "n_male": int(male.sum()) if enough else None,
                    "n_female": int((~male).sum()) if enough else None,
                    "state": measured.state,
                    "note": measured.note,
                }
            )
    return found


def _by_patient(examples: Examples, rows: Rows, logits: Floats) -> tuple[Rows, Floats]:
    """Return the row of each patient's first photograph and the mean logit of all of them."""
    _, first, means = patient_means(logits, examples.patient_id[rows])
    return rows[first], means


def _auc(examples: Examples, rows: Rows, values: Floats) -> Measurement:
    return auc_clustered(values, examples.male[rows] == 1, examples.group[rows], min_patients=_MIN_PATIENTS)


def _accuracy(examples: Examples, rows: Rows, values: Floats) -> Measurement:
    if len(np.unique(examples.patient_id[rows])) < _MIN_PATIENTS:
        note = f"fewer than {_MIN_PATIENTS} patients in the denominator"
        return Measurement(level=0.95, n_images=len(rows), n_patients=len(rows), state="undefined", note=note)
    right = (values > 0) == (examples.male[rows] == 1)
    return clustered_proportion(right, examples.group[rows])


def _groups(examples: Examples, rows: Rows) -> Iterator[tuple[str, str, NDArray[np.bool_], tuple[str, ...]]]:
    male, ages = examples.male[rows] == 1, examples.age_years[rows]
    band = np.full(len(rows), -1)
    known = np.isfinite(ages)
    band[known] = AGE_BANDS.index(ages[known])
    sexes = (("men", male), ("women", ~male))
    for name, chosen in sexes:
        yield "recorded_sex", name, chosen, ("accuracy",)
    for place, label in enumerate(AGE_BANDS.labels):
        yield "age_band", label, band == place, ("accuracy", "auc")
    for name, chosen in sexes:
        for place, label in enumerate(AGE_BANDS.labels):
            yield "recorded_sex_and_age_band", f"{name} {label}", chosen & (band == place), ("accuracy",)
