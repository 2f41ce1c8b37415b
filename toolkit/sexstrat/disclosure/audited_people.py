"""What the numbers of the audit, and of what goes with it, say of the people behind them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.atoms import ABSENT, KINDS, Atoms, Rows
from sexstrat.disclosure.statements import Statement, labelled

__all__ = ["of_audit", "of_consequences", "of_curves", "of_missingness"]

Mask = NDArray[np.bool_]
CALLED = ("male", "female")


def _group(atoms: Atoms, group: str, level: str) -> tuple[Mask, str | None, tuple[str, ...]] | None:
    """Return the people of a group, and the further variable and levels that make it; None where nobody can tell."""
    everybody = np.ones(atoms.age.size, dtype=bool)
    if group in {"overall", "all"}:
        return everybody, None, ()
    if group == "age_band":
        return labelled(atoms, level), None, ()
    if group == "recorded_sex":
        return atoms.sex == level, None, ()
    if (group, level) in atoms.place:
        return everybody, group, (level,)
    return None


class _Counter:
    """Count people and photographs of one group."""

    def __init__(self, atoms: Atoms, table: str, row: int, variable: str | None, levels: tuple[str, ...]) -> None:
        self.atoms, self.table, self.row, self.variable, self.levels = atoms, table, row, variable, levels

    def people(self, chosen: Mask) -> Rows:
        return self.atoms.people(chosen, self.variable, self.levels)

    def images(self, chosen: Mask, kinds: tuple[str, ...] = KINDS) -> Rows:
        return self.atoms.images(chosen, kinds, self.variable, self.levels)

    def says(self, column: str, counted: Rows, among: Rows | None = None, *, images: bool = False) -> Statement:
        return Statement(
            table=self.table, row=self.row, column=column, counted=counted, among=among, images=images
        )  # fmt: skip


def of_audit(atoms: Atoms, frame: pd.DataFrame, table: str = "audit") -> Iterator[Statement]:
    """Yield what the counts and the shares of the audit say.

    Parameters
    ----------
    atoms : the classes of people.
    frame : rows of the ``audit`` contract.
    table : its name.
    """
    known = np.isin(atoms.sex, CALLED)
    for k, row in enumerate(frame.to_dict("records")):
        found = _group(atoms, str(row["group"]), str(row["level_name"]))
        if found is None:
            continue
        chosen, variable, levels = found
        count = _Counter(atoms, table, k, variable, levels)
        listed = chosen & (atoms.age > ABSENT) & atoms.pictured
        if row["metric"] in {"n_images", "n_patients", "ungradable"}:
            yield from _listed(count, str(row["metric"]), listed)
        elif row["metric"] not in {"below_declared_quality", "age_band_agreement"}:
            told = {"male": row.get("n_male"), "female": row.get("n_female")}
            of = [name for name, n in told.items() if pd.notna(n)]  # an undefined figure counts the sex that lacks
            one = listed & known & ((atoms.sex == of[0]) if len(of) == 1 else known)
            yield from _rates(count, str(row["metric"]), one)


def _listed(count: _Counter, metric: str, listed: Mask) -> Iterator[Statement]:
    has, sex = count.atoms.has, count.atoms.sex
    all_images, people = count.images(listed), count.people(listed)
    yield count.says("n_images", all_images, images=True)
    yield count.says("n_patients", people)
    if metric == "ungradable":
        dark = count.images(listed, ("ungradable",))
        yield count.says("n_patients_numerator", count.people(listed & has["ungradable"]))
        rest = listed & (has["male"] | has["female"] | has["refused"])
        yield count.says("n_patients_complement", count.people(rest))
        yield count.says("point", dark, all_images, images=True)
        return
    yield count.says("n_male", count.people(listed & (sex == "male")))
    yield count.says("n_female", count.people(listed & (sex == "female")))
    yield count.says("point", people if metric == "n_patients" else all_images, images=metric == "n_images")


def _rates(count: _Counter, metric: str, known: Mask) -> Iterator[Statement]:
    atoms = count.atoms
    validated, men = known & atoms.scored, atoms.sex == "male"
    hit_men, hit_women = men & atoms.has["male"], ~men & atoms.has["female"]
    miss_men, miss_women = men & atoms.has["female"], ~men & atoms.has["male"]
    right_men, right_women = count.images(known & men, ("male",)), count.images(known & ~men, ("female",))
    called_men, called_women = count.images(known, ("male",)), count.images(known, ("female",))
    wrong_men, wrong_women = count.images(known & men, ("female",)), count.images(known & ~men, ("male",))
    everything = called_men + called_women
    of_men, of_women = right_men + wrong_men, right_women + wrong_women
    people = {
        "correct_among_men": (men, hit_men, miss_men),
        "correct_among_women": (~men, hit_women, miss_women),
        "correct_among_called_men": (atoms.has["male"], hit_men, miss_women),
        "correct_among_called_women": (atoms.has["female"], hit_women, miss_men),
        "accuracy": (men | ~men, hit_men | hit_women, miss_men | miss_women),
        "predicted_male_share": (men | ~men, atoms.has["male"], atoms.has["female"]),
        "observed_male_share": (men | ~men, men, ~men),
    }
    shares = {
        "correct_among_men": (right_men, of_men),
        "correct_among_women": (right_women, of_women),
        "correct_among_called_men": (right_men, called_men),
        "correct_among_called_women": (right_women, called_women),
        "accuracy": (right_men + right_women, everything),
        "predicted_male_share": (called_men, everything),
        "observed_male_share": (of_men, everything),
        "predicted_minus_observed_male_share": (called_men - of_men, everything),
        "f1": (2 * right_men, of_men + called_men),
        "predicted_sex_ratio": (called_men, called_women),
    }
    among, right, wrong = people.get(metric, (men | ~men, None, None))
    yield count.says("n_images", shares[metric][1] if metric in people else everything, images=True)
    yield count.says("n_patients", count.people(validated & among))
    if right is not None and wrong is not None:
        yield count.says("n_patients_numerator", count.people(validated & right))
        yield count.says("n_patients_complement", count.people(validated & wrong))
    yield count.says("n_male", count.people(validated & men))
    yield count.says("n_female", count.people(validated & ~men))
    if metric in shares:
        yield count.says("point", *shares[metric], images=True)


def of_missingness(atoms: Atoms, frame: pd.DataFrame) -> Iterator[Statement]:
    """Yield what the audit of photographs without a score says.

    Parameters
    ----------
    atoms : the classes of people.
    frame : rows of the ``missingness`` contract.
    """
    absent = {"without_score": ("ungradable", "refused"), "ungradable": ("ungradable",), "refused": ("refused",)}
    for k, row in enumerate(frame.to_dict("records")):
        found = _group(atoms, str(row["group"]), str(row["level_name"]))
        if found is None:
            continue
        chosen, variable, levels = found
        count = _Counter(atoms, "missingness", k, variable, levels)
        listed = chosen & (atoms.age > ABSENT) & atoms.pictured
        kinds = absent.get(str(row["quantity"]))
        if kinds is not None:
            gone = np.any([atoms.has[name] for name in kinds], axis=0)
            rest = np.any([atoms.has[name] for name in KINDS if name not in kinds], axis=0)
            yield count.says("n_images", count.images(listed), images=True)
            yield count.says("n_patients", count.people(listed))
            yield count.says("n_patients_numerator", count.people(listed & gone))
            yield count.says("n_patients_complement", count.people(listed & rest))
            yield count.says("point", count.images(listed, kinds), count.images(listed), images=True)
        else:
            yield from _bounds(count, row, listed & np.isin(atoms.sex, CALLED))


def _bounds(count: _Counter, row: dict[Any, Any], known: Mask) -> Iterator[Statement]:
    """Yield what a metric says, the missing scores left out, taken for wrong or taken for right."""
    atoms, metric, method = count.atoms, str(row["quantity"]), str(row["method"])
    men = atoms.sex == "male"
    if metric in {"correct_among_men", "correct_among_women"}:
        known = known & (men if metric == "correct_among_men" else ~men)
    elif metric != "accuracy":
        return
    right = (men & atoms.has["male"]) | (~men & atoms.has["female"])
    wrong = (men & atoms.has["female"]) | (~men & atoms.has["male"])
    unscored = atoms.has["ungradable"] | atoms.has["refused"]
    right_images = count.images(known & men, ("male",)) + count.images(known & ~men, ("female",))
    images, people = count.images(known), known
    if method == "scored_only" and row["state"] == "measured":
        images, people = count.images(known, CALLED), known & atoms.scored
    elif method == "all_wrong":
        wrong = wrong | unscored
    elif method == "all_right":
        right, right_images = right | unscored, right_images + count.images(known, ("ungradable", "refused"))
    elif method == "weighted":
        return  # of them the gate shows no count
    yield count.says("n_images", images, images=True)
    yield count.says("n_patients", count.people(people))
    yield count.says("n_patients_numerator", count.people(people & right))
    yield count.says("n_patients_complement", count.people(people & wrong))
    yield count.says("point", right_images, images, images=True)


def of_consequences(atoms: Atoms, frame: pd.DataFrame) -> Iterator[Statement]:
    """Yield what the counts beside the consequences of the errors say.

    Parameters
    ----------
    atoms : the classes of people.
    frame : rows of the ``consequence`` contract.
    """
    known = atoms.studied & atoms.scored & np.isin(atoms.sex, CALLED)
    men = atoms.sex == "male"
    for k, row in enumerate(frame.to_dict("records")):
        disease, chosen = str(row["condition"]), known & labelled(atoms, str(row["age_band"]))
        if (disease, "yes") not in atoms.place:
            continue
        for column, who, levels in (
            ("n_patients", chosen, ("yes", "no")),
            ("n_diseased_men", chosen & men, ("yes",)),
            ("n_diseased_women", chosen & ~men, ("yes",)),
            ("n_well_men", chosen & men, ("no",)),
            ("n_well_women", chosen & ~men, ("no",)),
        ):
            counted = atoms.people(who, disease, levels)
            yield Statement(table="consequence", row=k, column=column, counted=counted)


def of_curves(atoms: Atoms, frame: pd.DataFrame, table: str) -> Iterator[Statement]:
    """Yield what the counts beside the curves over age, or the tests of a trend, say.

    Parameters
    ----------
    atoms : the classes of people.
    frame : rows of the ``age_curve`` or ``age_trend`` contract.
    table : its name.
    """
    asked = pd.DataFrame({"metric": frame["metric"].replace("men_minus_women", "accuracy")})
    for one in of_audit(atoms, asked.assign(group="age_band", level_name="all"), table):
        if one.column in {"n_patients", "n_patients_numerator", "n_patients_complement"}:
            yield one
