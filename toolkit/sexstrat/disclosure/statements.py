"""What every released number says of the people behind it, as a sum over their classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.atoms import Atoms, Rows
from sexstrat.disclosure.implied_counts import EXACT_ESTIMATORS, implied_counts

__all__ = ["Statement", "labelled", "of_estimates", "of_flow"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One number of one row of a table.

    Parameters
    ----------
    table, row, column : where it stands; the column of a number that could have stood there is in brackets.
    counted : coefficients of what is counted.
    among : coefficients of those among whom it is a share; None for a count.
    images : photographs are counted, not people.
    value : a number in brackets, worked out from its row; NaN for one that stands in the table.

    Examples
    --------
    >>> Statement(table="audit", row=0, column="n_patients", counted=np.ones(1)).among is None
    True
    """

    table: str
    row: int
    column: str
    counted: Rows
    among: Rows | None = None
    images: bool = False
    value: float = float("nan")


def _whole(value: Any) -> int | None:
    """Return an end of an age band as an integer, None where it is empty."""
    return None if pd.isna(value) else int(value)


def _member(atoms: Atoms, names: tuple[str, ...]) -> Mask:
    return np.isin(atoms.sex, names)


def of_estimates(atoms: Atoms, frame: pd.DataFrame, table: str = "estimate") -> Iterator[Statement]:
    """Yield what the counts of the estimates, or of a table beside them, say, and the shares among counted people.

    Parameters
    ----------
    atoms : the classes of people.
    frame : rows of the ``estimate``, ``sensitivity`` or ``imputation`` contract.
    table : its name.
    """
    known = atoms.studied & _member(atoms, ("male", "female"))
    binary = atoms.studied & (atoms.sex != "other")
    told = {"naive_threshold": known | (binary & atoms.scored), "naive_weighted": known | (binary & atoms.scored)}
    told |= dict.fromkeys(("complete_case", "recorded"), known)
    named = frame.get("estimator", frame.get("method"))
    names = [""] * len(frame) if named is None else named.fillna("").astype(str).tolist()
    called = np.where(known, atoms.sex == "male", atoms.called_male)
    implied = implied_counts(frame) if table == "estimate" else np.empty(0)
    for k, row in enumerate(frame.to_dict("records")):
        ages = atoms.aged(_whole(row.get("age_low")), _whole(row.get("age_high")))
        estimator = names[k]
        people, disease = told.get(estimator, binary) & ages, row["condition"]
        own = people if table == "estimate" or estimator == "complete_case" else binary & ages
        if pd.isna(disease):
            yield Statement(table=table, row=k, column="n_patients", counted=atoms.people(own))
            yield Statement(table=table, row=k, column="n_validated", counted=atoms.people(known & ages))
        if str(row.get("measure")).startswith("regression"):
            continue  # its patients are those whose covariates are known; the gate shows no count of them
        if (disease, "yes") in atoms.place:
            yield from _by_disease(atoms, row, table, k, own, known & ages)
        if table == "estimate" and estimator in EXACT_ESTIMATORS and row["standard"] == "crude":
            yield from _exact(atoms, row, k, people, called, implied[k])


def _by_disease(
    atoms: Atoms, row: Mapping[Any, Any], table: str, k: int, everybody: Mask, validated: Mask
) -> Iterator[Statement]:
    """Yield what the four counts of a row, and the healthy left between them, say."""
    for name, diseased, well, chosen in (
        ("n_patients", "n_diseased", "(n_well)", everybody),
        ("n_validated", "n_validated_diseased", "(n_validated_well)", validated),
    ):
        parts = {name: ("yes", "no"), diseased: ("yes",)}
        for column, levels in parts.items():
            if column in row:
                counted = atoms.people(chosen, row["condition"], levels)
                yield Statement(table=table, row=k, column=column, counted=counted)
        if name in row and diseased in row and pd.notna(row[name]) and pd.notna(row[diseased]):
            left = float(row[name] - row[diseased])
            counted = atoms.people(chosen, row["condition"], ("no",))
            yield Statement(table=table, row=k, column=well, counted=counted, value=left)


def _exact(
    atoms: Atoms, row: Mapping[Any, Any], k: int, people: Mask, called: Mask, implied: Rows
) -> Iterator[Statement]:
    """Yield what a prevalence, or a share of men, among counted people says, and the counts that it implies."""
    if row["estimator"] == "truth":
        return  # the sex that was hidden from the analysis is none of the classes
    disease, both = (None, ()) if pd.isna(row["condition"]) else (row["condition"], ("yes", "no"))
    if row["measure"] == "male_share":
        men, everybody = atoms.people(people & called, disease, both), atoms.people(people, disease, both)
        left = (("(men)", men, implied[4]), ("(women)", everybody - men, implied[5]))
    elif row["measure"] == "prevalence" and row["sex"] in {"male", "female"}:
        chosen, at = (people & called, 0) if row["sex"] == "male" else (people & ~called, 2)
        men, everybody = atoms.people(chosen, disease, ("yes",)), atoms.people(chosen, disease, both)
        left = (("(diseased)", men, implied[at]), ("(well)", everybody - men, implied[at + 1]))
    else:
        return
    yield Statement(table="estimate", row=k, column="point", counted=men, among=everybody)
    for name, counted, value in left:
        yield Statement(table="estimate", row=k, column=name, counted=counted, value=float(value))


def of_flow(atoms: Atoms, frame: pd.DataFrame) -> Iterator[Statement]:
    """Yield what the counts of the flow say.

    Parameters
    ----------
    atoms : the classes of people.
    frame : rows of the ``flow`` contract, the whole steps first and in order.
    """
    steps = frame[frame["variable"].isna()]
    place = {int(step): at for at, step in enumerate(steps["step"])}
    remain, kinds = _steps(atoms, [str(name) for name in steps["name"]])
    for k, row in enumerate(frame.to_dict("records")):
        at = place[int(row["step"])]
        here, before = remain[at], remain[max(at - 1, 0)]
        if here is None or before is None:
            continue
        if pd.isna(row["variable"]):
            former = steps.iloc[max(at - 1, 0)]
            yield from _whole_step(atoms, k, here, before, kinds[at], kinds[max(at - 1, 0)])
            for sex in ("male", "female", "other", "unknown"):
                left = float(former[f"n_{sex}"]) - float(row[f"n_{sex}"]) if pd.notna(row[f"n_{sex}"]) else np.nan
                counted = atoms.people(before & ~here & (atoms.sex == sex))
                if counted.any():
                    yield Statement(table="flow", row=k, column=f"({sex}_lost)", counted=counted, value=left)
        else:
            yield from _characteristic(atoms, row, k, here, before)


def _steps(atoms: Atoms, names: list[str]) -> tuple[list[Mask | None], list[tuple[str, ...]]]:
    """Return who remains at each step, None where its name does not tell, and which photographs are counted."""
    scored = atoms.studied & atoms.scored
    meaning: dict[str, Mask] = {
        "listed": np.ones(atoms.age.size, dtype=bool),
        "in the table": atoms.age > -3,
        "without the rows": atoms.age > -3,
        "age known": (atoms.age > -3) & (atoms.age != -1),
        "age inside": atoms.studied,
        "images": atoms.studied,
        "patients with": scored,
        "recorded sex": scored & _member(atoms, ("male", "female")),
    }
    remain = [next((chosen for start, chosen in meaning.items() if name.startswith(start)), None) for name in names]
    usable = False
    kinds: list[tuple[str, ...]] = []
    for name in names:
        usable = usable or name == "images with a usable score"
        kinds.append(("male", "female") if usable else ("male", "female", "ungradable", "refused"))
    return remain, kinds


def _whole_step(
    atoms: Atoms, k: int, here: Mask, before: Mask, kinds: tuple[str, ...], former: tuple[str, ...]
) -> Iterator[Statement]:
    def count(column: str, counted: Rows, images: bool = False) -> Statement:
        return Statement(table="flow", row=k, column=column, counted=counted, images=images)

    yield count("n_patients", atoms.people(here))
    if (before & ~here).any():
        yield count("patients_lost", atoms.people(before & ~here))
    for sex in ("male", "female", "other", "unknown"):
        yield count(f"n_{sex}", atoms.people(here & (atoms.sex == sex)))
    if atoms.single or len(kinds) == len(former) == 4:  # elsewhere the photographs of some of a class are left out
        whole_cells = np.isin(atoms.cell, atoms.cell[here]) & ~np.isin(atoms.cell, atoms.cell[~here])
        if atoms.single or (whole_cells == here).all():
            yield count("n_images", atoms.images(here, kinds), images=True)
            yield count("images_lost", atoms.images(before, former) - atoms.images(here, kinds), images=True)
    elif kinds == ("male", "female"):
        # photographs with a score are those of people with a score, whatever else they have
        yield count("n_images", atoms.images(_cells_of(atoms, here), kinds), images=True)


def _cells_of(atoms: Atoms, chosen: Mask) -> Mask:
    return np.isin(atoms.cell, atoms.cell[chosen])


def _characteristic(atoms: Atoms, row: Mapping[Any, Any], k: int, here: Mask, before: Mask) -> Iterator[Statement]:
    variable, category = row["variable"], row["category"]
    for column, known, chosen in (
        ("n_patients", "n_known", here),
        ("patients_lost", "known_lost", before & ~here),
    ):
        if variable == "condition":
            if (category, "yes") not in atoms.place:
                return
            counted = atoms.people(chosen, category, ("yes",))
            among = atoms.people(chosen, category, ("yes", "no"))
        elif variable == "sex":
            counted = among = atoms.people(chosen & (atoms.sex != "unknown"))
        else:
            with_age = chosen & (atoms.age != -1) & (atoms.age != -3)
            among = atoms.people(with_age)
            counted = among if pd.isna(category) else atoms.people(with_age & labelled(atoms, str(category)))
        if among.any():
            yield Statement(table="flow", row=k, column=column, counted=counted)
            yield Statement(table="flow", row=k, column=known, counted=among)


def labelled(atoms: Atoms, label: str) -> Mask:
    """Return the people of an age band by its name, "40-49" or "80+"; "all" is every band."""
    if label == "all":
        return atoms.studied
    if label.endswith("+"):
        return atoms.aged(int(label[:-1]), None)
    low, high = label.split("-")
    return atoms.aged(int(low), int(high) + 1)
