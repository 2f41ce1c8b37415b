"""Protection of all tables against each other: what is withheld in one cannot be worked out from the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.atoms import Atoms, Rows, age_pieces
from sexstrat.disclosure.audited_people import of_audit, of_consequences, of_curves, of_missingness
from sexstrat.disclosure.diagnosed_people import of_diagnostics
from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.statements import Statement, of_estimates, of_flow
from sexstrat.disclosure.withhold import numbers

__all__ = ["Everything", "overlapping_groups"]

Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, kw_only=True)
class Everything:
    """Every count and share of a study's tables, as statements about classes of people.

    Parameters
    ----------
    atoms : the classes.
    statements : what the tables say.
    kind : number of each statement; those that say the same thing share it.
    """

    atoms: Atoms
    statements: tuple[Statement, ...]
    kind: NDArray[np.intp] = field(repr=False)

    @classmethod
    def of(cls, tables: Tables) -> Everything:
        """Return what the tables of a study would say if nothing were withheld."""
        atoms = _atoms(tables)
        said = tuple(_statements(atoms, tables))
        seen: dict[bytes, int] = {}
        kind = [
            seen.setdefault(one.counted.tobytes() + (b"" if one.among is None else one.among.tobytes()), len(seen))
            for one in said
        ]
        return cls(atoms=atoms, statements=said, kind=np.array(kind, dtype=np.intp))

    def kinds(self) -> tuple[Rows, Rows]:
        """Return the coefficients of every kind of statement, and of those among whom it is a share (0 for counts)."""
        first = np.unique(self.kind, return_index=True)[1]
        said = [self.statements[place] for place in first]
        nobody = np.zeros(self.atoms.size)
        counted = np.array([one.counted for one in said]).reshape(-1, self.atoms.size)
        return counted, np.array([nobody if one.among is None else one.among for one in said]).reshape(counted.shape)

    def secret(self, tables: Tables, profile: Profile) -> tuple[Rows, NDArray[np.intp]]:
        """Return the counts of people that may not be shown, each once, and a statement that makes each."""
        chosen: dict[int, int] = {}
        values = {key: numbers(tables[key[0]], key[1]) for key in _columns(self.statements)}
        for at, one in enumerate(self.statements):
            if one.among is not None or one.images or one.column == "point" or not one.counted.any():
                continue
            bracket = one.column.startswith("(")
            value = one.value if bracket else values[one.table, one.column][one.row]
            if bool(profile.hides(value)):
                chosen.setdefault(int(self.kind[at]), at)
        counted = np.array([self.statements[place].counted for place in chosen.values()])
        return counted.reshape(len(chosen), self.atoms.size), np.array(list(chosen.values()), dtype=np.intp)

    def shown(self, released: Tables, profile: Profile) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Return which statements somebody can read, and the limits of the count, or of the share, that each gives."""
        limits = np.full((len(self.statements), 2), np.nan)
        values = {key: numbers(released[key[0]], key[1]) for key in _columns(self.statements)}
        for at, one in enumerate(self.statements):
            if not one.column.startswith("("):
                limits[at] = values[one.table, one.column][one.row]
        read = np.isfinite(limits[:, 0])
        counts = np.array([one.among is None for one in self.statements])
        if profile.rounding is not None:
            below, above = profile.unrounded
            limits[counts] += np.array([-below, above])
            people = counts & np.array([not one.images for one in self.statements])
            limits[people, 0] = np.maximum(limits[people, 0], profile.minimum)
            for place in np.flatnonzero(read & ~counts):
                step = self._grid(self.statements[place], released, profile.rounding)
                limits[place] += step * np.array([-0.5, 0.5])
            read &= np.isfinite(limits[:, 0])
        return read, limits

    def _grid(self, one: Statement, released: Tables, base: int) -> float:
        """Return the step to which a share was coarsened; infinite where the row does not tell."""
        row = released[one.table].iloc[one.row]
        if row.get("metric") == "predicted_sex_ratio":
            return 0.01
        of_validated = one.table == "diagnostic" or row.get("estimator") == "complete_case"
        people = row["n_validated"] if of_validated else row["n_patients"]
        return np.inf if pd.isna(people) else base / max(float(people), base)


def overlapping_groups(tables: Tables) -> tuple[str, ...]:
    """Return the groupings of the audit that no statement covers: a patient of several photographs is in two groups.

    Examples
    --------
    >>> audit = pd.DataFrame({"group": ["overall", "eye"], "metric": "n_images", "n_images": [9, 4], "n_patients": 4})
    >>> estimates = pd.DataFrame({"age_low": [40], "age_high": [None], "condition": ["d"]})
    >>> others = {"flow": pd.DataFrame({"variable": [], "category": []}), "diagnostic": estimates}
    >>> others |= {"missingness": pd.DataFrame({"group": [], "quantity": [], "n_patients_numerator": []})}
    >>> overlapping_groups({"audit": audit.assign(level_name="R"), "estimate": estimates, **others})
    ('eye',)
    """
    placed = {"overall", "age_band", *_atoms(tables).levels}
    return tuple(name for name in dict.fromkeys(tables["audit"]["group"].dropna().astype(str)) if name not in placed)


def _columns(statements: Sequence[Statement]) -> set[tuple[str, str]]:
    return {(one.table, one.column) for one in statements if not one.column.startswith("(")}


def _atoms(tables: Tables) -> Atoms:
    estimates, audit = tables["estimate"], tables["audit"]
    edges = {int(value) for name in ("age_low", "age_high") for value in estimates[name].dropna()}
    bands = set(audit.loc[audit["group"] == "age_band", "level_name"].astype(str))
    bands |= set(tables["flow"].loc[tables["flow"]["variable"] == "age", "category"].dropna().astype(str))
    for band in bands:
        low, _, last = band.rstrip("+").partition("-")
        edges |= {int(low)} | ({int(last) + 1} if last else set())
    levels: dict[str, tuple[str, ...]] = {
        str(name): ("yes", "no")
        for name in dict.fromkeys([*estimates["condition"].dropna(), *tables["diagnostic"]["condition"].dropna()])
    }
    overall = audit[(audit["group"] == "overall") & (audit["metric"] == "n_images")]
    single = bool(len(overall)) and bool((overall["n_images"] == overall["n_patients"]).all())
    for name in ("site", "eye", "camera") if single else ("site",):  # of several photographs a patient has two eyes
        if name in set(audit["group"]):
            levels[name] = tuple(dict.fromkeys(audit.loc[audit["group"] == name, "level_name"].astype(str)))
    gone = tables["missingness"]
    whole = (gone["group"] == "overall") & (gone["quantity"] == "refused")
    refused = gone.loc[whole, "n_patients_numerator"].fillna(1)
    return Atoms(age_pieces(edges), levels, single=single, refused=bool((refused > 0).any()))


def _statements(atoms: Atoms, tables: Tables) -> Iterator[Statement]:
    yield from of_estimates(atoms, tables["estimate"])
    yield from of_estimates(atoms, tables["sensitivity"], "sensitivity")
    yield from of_estimates(atoms, tables["imputation"], "imputation")
    yield from of_flow(atoms, tables["flow"])
    yield from of_audit(atoms, tables["audit"])
    yield from of_missingness(atoms, tables["missingness"])
    yield from of_consequences(atoms, tables["consequence"])
    yield from of_diagnostics(atoms, tables["diagnostic"])
    for name in ("age_curve", "age_trend"):
        yield from of_curves(atoms, tables[name], name)
