"""What the numbers of the diagnostics say of the people behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.atoms import Atoms, Rows
from sexstrat.disclosure.statements import Statement, labelled

__all__ = ["of_diagnostics"]

Mask = NDArray[np.bool_]
CALLED = ("male", "female")
NOT_COUNTED = ("score_mixture", "transport", "label_shift")  # of these the gate shows no count, or other people's
ABOUT_SCORES = ("accuracy_by_age", "calibration", "calibration_by_disease", "differential_error")


def of_diagnostics(atoms: Atoms, frame: pd.DataFrame) -> Iterator[Statement]:
    """Yield what the counts of the diagnostics, and the shares called rightly, say.

    Parameters
    ----------
    atoms : the classes of people.
    frame : rows of the ``diagnostic`` contract.
    """
    for k, row in enumerate(frame.to_dict("records")):
        disease, level = str(row["condition"]), str(row["level_name"])
        if (disease, "yes") not in atoms.place or row["diagnostic"] in NOT_COUNTED:
            continue
        variable, levels = disease, _states(str(row["group"]), level)
        if row["group"] == "site":
            variable, levels = "site", (level,)
            if (variable, level) not in atoms.place:
                continue
        everybody, people = _people(atoms, row)
        for column, chosen in (("n_patients", everybody), ("n_validated", people)):
            counted = atoms.people(chosen, variable, levels)
            yield Statement(table="diagnostic", row=k, column=column, counted=counted)
        counted = atoms.people(people, variable, levels)
        if row["statistic"] == "effective_validated" and row["point"] == row["n_validated"]:
            yield Statement(table="diagnostic", row=k, column="point", counted=counted)
        if row["statistic"] in {"sensitivity", "specificity"}:
            called = atoms.called_male if row["statistic"] == "sensitivity" else ~atoms.called_male
            yield from _called(row, k, atoms.people(people & called, variable, levels), counted)


def _called(row: Mapping[Any, Any], k: int, right: Rows, among: Rows) -> Iterator[Statement]:
    told = np.rint(float(row["point"]) * float(row["n_validated"])) if pd.notna(row["point"]) else np.nan
    left = float(row["n_validated"]) - told if pd.notna(row["n_validated"]) else np.nan
    yield Statement(table="diagnostic", row=k, column="point", counted=right, among=among)
    yield Statement(table="diagnostic", row=k, column="(right)", counted=right, value=told)
    yield Statement(table="diagnostic", row=k, column="(wrong)", counted=among - right, value=left)


def _people(atoms: Atoms, row: Mapping[Any, Any]) -> tuple[Mask, Mask]:
    """Return the patients that a row is about, and the validated ones among them."""
    statistic, kind = str(row["statistic"]), str(row["diagnostic"])
    known, binary = np.isin(atoms.sex, CALLED) & atoms.studied, (atoms.sex != "other") & atoms.studied
    if statistic.endswith("share_in_band"):
        return binary, known
    chosen = _ages_and_sexes(atoms, str(row["group"]), str(row["level_name"]))
    if kind == "differential_error" and row["state"] != "measured":
        chosen = atoms.studied
    if kind in ABOUT_SCORES:
        people = known & chosen & atoms.scored
        if "sensitivity" in statistic or "specificity" in statistic:
            people &= atoms.sex == ("male" if "sensitivity" in statistic else "female")
        return people, people
    if "logit_p" in statistic or "one_eye" in statistic:
        return binary & chosen & atoms.scored, known & chosen & atoms.scored
    people = known & chosen
    return binary & chosen, people & atoms.scored if statistic.startswith("attenuation") else people


def _ages_and_sexes(atoms: Atoms, group: str, level: str) -> Mask:
    if group in {"age_band", "age_band_and_disease"}:
        return labelled(atoms, level.partition(", ")[0])
    sexes = {"men": atoms.sex == "male", "women": atoms.sex == "female"}
    return np.asarray(sexes.get(level, np.ones(atoms.age.size, dtype=bool)))


def _states(group: str, level: str) -> tuple[str, ...]:
    """Return the levels of the disease that a row is about."""
    states = {"with the disease": ("yes",), "without the disease": ("no",)}
    named = level.partition(", ")[2] if group == "age_band_and_disease" else level
    return states.get(named, ("yes", "no"))
