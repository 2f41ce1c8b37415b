"""Protection of all tables against each other: what is withheld in one cannot be worked out from the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sexstrat.disclosure.atoms import Atoms, Rows, age_pieces
from sexstrat.disclosure.audited_people import of_audit, of_consequences, of_curves, of_missingness
from sexstrat.disclosure.diagnosed_people import of_diagnostics
from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.statements import Statement, of_estimates, of_flow
from sexstrat.disclosure.withhold import numbers

if TYPE_CHECKING:
    from scipy.sparse import csr_array

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
        rows = [(atoms.shared(one.counted), None if one.among is None else atoms.shared(one.among)) for one in said]
        seen: dict[tuple[int, int], int] = {}
        kind = [seen.setdefault((id(counted), id(among)), len(seen)) for counted, among in rows]
        said = tuple(
            one if one.counted is counted and one.among is among else replace(one, counted=counted, among=among)
            for one, (counted, among) in zip(said, rows, strict=True)
        )
        return cls(atoms=atoms, statements=said, kind=np.array(kind, dtype=np.intp))

    def kinds(self) -> tuple[csr_array, csr_array]:
        """Return the coefficients of every kind of statement, and of those among whom it is a share (0 for counts)."""
        first = np.unique(self.kind, return_index=True)[1]
        said = [self.statements[place] for place in first]
        size = self.atoms.size
        return sparse_rows([one.counted for one in said], size), sparse_rows([one.among for one in said], size)

    @cached_property
    def columns(self) -> dict[tuple[str, str], tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Which statements the numbers of a column of a table are, and in which rows; none for those in brackets."""
        found: dict[tuple[str, str], tuple[list[int], list[int]]] = {}
        for at, one in enumerate(self.statements):
            if not one.column.startswith("("):
                places, rows = found.setdefault((one.table, one.column), ([], []))
                places.append(at)
                rows.append(one.row)
        return {key: (np.array(places), np.array(rows)) for key, (places, rows) in found.items()}

    def values(self, tables: Tables) -> NDArray[np.float64]:
        """Return the number of every statement that stands in a table, NaN for the others and where it is empty."""
        found = np.full(len(self.statements), np.nan)
        for (table, column), (places, rows) in self.columns.items():
            found[places] = numbers(tables[table], column)[rows]
        return found

    def secret(self, tables: Tables, profile: Profile) -> tuple[Rows, NDArray[np.intp]]:
        """Return the counts of people that may not be shown, each once, and a statement that makes each."""
        bracket = np.array([one.column.startswith("(") for one in self.statements], dtype=bool)
        values = np.where(bracket, [one.value for one in self.statements], self.values(tables))
        chosen: dict[int, int] = {}
        for at in np.flatnonzero(profile.hides(values)):
            one = self.statements[at]
            if one.among is None and not one.images and one.column != "point" and one.counted.any():
                chosen.setdefault(int(self.kind[at]), int(at))
        counted = np.array([self.statements[place].counted for place in chosen.values()])
        return counted.reshape(len(chosen), self.atoms.size), np.array(list(chosen.values()), dtype=np.intp)

    def shown(self, released: Tables, profile: Profile) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Return which statements somebody can read, and the limits of the count, or of the share, that each gives."""
        limits = np.repeat(self.values(released)[:, None], 2, axis=1)
        read = np.isfinite(limits[:, 0])
        if profile.rounding is not None:
            counts = np.array([one.among is None for one in self.statements], dtype=bool)
            below, above = profile.unrounded
            limits[counts] += np.array([-below, above])
            people = counts & np.array([not one.images for one in self.statements], dtype=bool)
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


def sparse_rows(rows: Sequence[Rows | None], size: int) -> csr_array:
    """Return rows of coefficients as one sparse matrix; None is a row of zeros.

    Examples
    --------
    >>> sparse_rows([np.array([0.0, 2.0]), None], 2).toarray().tolist()
    [[0.0, 2.0], [0.0, 0.0]]
    """
    from scipy.sparse import csr_array

    nobody = np.zeros(size)
    parts = [np.flatnonzero(nobody if row is None else row) for row in rows]
    values = [(nobody if row is None else row)[part] for row, part in zip(rows, parts, strict=True)]
    starts = np.concatenate([[0], np.cumsum([part.size for part in parts], dtype=np.intp)])
    columns = np.concatenate([*parts, np.zeros(0, dtype=np.intp)])
    return csr_array((np.concatenate([*values, np.zeros(0)]), columns, starts), shape=(len(rows), size))


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
