"""Choose what else to withhold until no withheld count can be worked out from all tables taken together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from sexstrat.disclosure.across_tables import Everything
from sexstrat.disclosure.atoms import Rows
from sexstrat.disclosure.least_changes import LeastChanges
from sexstrat.disclosure.profiles import Profile
from sexstrat.disclosure.solvable import SLACK, Known, structure
from sexstrat.disclosure.statements import Statement

__all__ = ["Reader"]

Tables = Mapping[str, pd.DataFrame]
Mask = NDArray[np.bool_]

WHOLE_ROW = frozenset({"audit", "missingness", "consequence", "diagnostic", "age_curve", "age_trend"})
COST = {"flow": 50.0, "audit": 5.0, "diagnostic": 2.0, "consequence": 2.0, "missingness": 2.0}
OVERALL = 20.0  # a figure over everybody is missed more than one of a group
NAIVE_ESTIMATORS = ("complete_case", "recorded", "naive_threshold", "naive_weighted")
ESTIMATE, NAIVE, BAND = 100.0, 5.0, 0.2


class Reader:
    """Somebody who reads all tables, and solves for what they do not show.

    Parameters
    ----------
    everything : what the tables would say.
    tables : the same before anything was withheld.
    released : after protection, each table for itself.
    profile : the rule for small counts.
    """

    def __init__(self, everything: Everything, tables: Tables, released: Tables, profile: Profile) -> None:
        self.everything, self.profile = everything, profile
        self.secret, self.of_secret = everything.secret(tables, profile)
        self.counted, self.among = everything.kinds()
        self.always = structure(everything.atoms)
        self.is_share = np.diff(self.among.indptr) > 0
        self.cost = _costs(everything.statements, tables)
        self.place = _places(everything.statements, tables)
        self.lowest = 1.0 if profile.zero_allowed else 0.0
        self.reads(released)

    def reads(self, released: Tables) -> None:
        """Read the tables as they are after protection; what was found to be withheld before is read again."""
        self.read, self.limits = self.everything.shown(released, self.profile)

    def known(self) -> tuple[Known, NDArray[np.intp]]:
        """Return everything that is shown, each thing once, with the number of its kind."""
        shown = np.flatnonzero(self.read)
        kinds, first = np.unique(self.everything.kind[shown], return_index=True)
        low, high = self.limits[shown[first]].T
        exact, share = low == high, self.is_share[kinds]
        told = [(kinds[~share], 0.0 * low[~share], low[~share], high[~share])]
        one = share & exact
        told.append((kinds[one], low[one], 0.0 * low[one], 0.0 * low[one]))
        two = share & ~exact
        told.append((kinds[two], low[two], 0.0 * low[two], np.full(two.sum(), np.inf)))
        told.append((kinds[two], high[two], np.full(two.sum(), -np.inf), 0.0 * low[two]))
        own, less, low, high = (np.concatenate(parts) for parts in zip(*told, strict=True))
        rows = self.counted[own] - diags_array(less) @ self.among[own]
        return Known(always=self.always, rows=csr_array(rows), low=low, high=high), own

    def uncovered(self) -> tuple[Mask, Mask]:
        """Tell which withheld counts cannot be as small, and which not as large, as the profile withholds."""
        if not len(self.secret):
            return np.zeros(0, dtype=bool), np.zeros(0, dtype=bool)
        known, _ = self.known()
        low, high = known.reaching(self.secret, self.lowest, self.profile.minimum - 1.0)
        return ~low, ~high

    def protect(self) -> None:
        """Withhold further numbers, the least missed first, until every withheld count may be any that is hidden."""
        low, high = self.uncovered()
        if not (low.any() or high.any()):
            return
        known, kinds = self.known()
        counts = np.concatenate([self.secret[low], -self.secret[high]])
        most = np.repeat([self.lowest, 1.0 - self.profile.minimum], [low.sum(), high.sum()])
        changes, open_ = LeastChanges(known, counts, most), np.ones(most.size, dtype=bool)
        while open_.any():
            at = int(np.argmax(open_))
            open_[at] = False
            changed, people = changes.of(at, self._price()[kinds])
            self._withhold(kinds[changed])
            open_ &= counts @ people > most + SLACK  # of these people all that is still shown is true

    def _price(self) -> Rows:
        """Return how much every kind of number would be missed, wherever it stands; 0 for one that is not shown."""
        weight = np.where(self.read, self.cost, 0.0)
        found = np.bincount(self.everything.kind, weights=weight, minlength=self.counted.shape[0])
        return found.astype(float)

    def _withhold(self, kinds: NDArray[np.intp]) -> None:
        """Withhold some kinds of number wherever they stand, and the rows that are shown as a whole or not at all."""
        chosen = self.read & np.isin(self.everything.kind, kinds)
        rows = np.unique(self.place[chosen & (self.place >= 0)])
        self.read &= ~chosen & ~np.isin(self.place, rows)

    def further(self) -> dict[str, dict[int, set[str]]]:
        """Return what to withhold besides, by table and row: the columns, or "point" for the whole row.

        A linear program finds the smallest and the largest that every withheld count can be, given all that is shown
        in all tables; where that is narrower than what the profile withholds, the numbers that would have to be others
        for the count to be so, those that are missed least, are withheld too.

        Returns
        -------
        Nothing where every withheld count can be anything that the profile withholds.

        Raises
        ------
        ValueError : the tables contradict each other, so that nothing can be solved.

        References
        ----------
        Fischetti M, Salazar JJ. Models and algorithms for optimizing cell suppression in tabular data with linear
        constraints. J Am Stat Assoc 2000;95:916-928, section 2.
        """
        before = self.read.copy()
        self.protect()
        found: dict[str, dict[int, set[str]]] = {}
        for at in np.flatnonzero(before & ~self.read):
            one = self.everything.statements[at]
            column = "point" if self.place[at] >= 0 or one.among is not None else one.column
            found.setdefault(one.table, {}).setdefault(one.row, set()).add(column)
        return found


def _costs(statements: tuple[Statement, ...], tables: Tables) -> Rows:
    """Return how much every number would be missed."""
    rows = {
        name: np.array([_cost(name, row) for row in frame.to_dict("records")])
        for name, frame in tables.items()
        if name in {one.table for one in statements}
    }
    return np.array(
        [rows[one.table][one.row] / (10 if one.images and one.table in WHOLE_ROW else 1) for one in statements]
    )


def _cost(table: str, row: Mapping[Any, Any]) -> float:
    if table == "estimate":
        naive = row["estimator"] in NAIVE_ESTIMATORS
        return (NAIVE if naive else ESTIMATE) * (1.0 if pd.isna(row["age_low"]) else BAND)
    cost = COST.get(table, 1.0)
    if table == "flow":
        return cost if pd.isna(row["variable"]) else 1.0
    return cost * (OVERALL if str(row.get("group")) in {"overall", "all"} else 1.0)


def _places(statements: tuple[Statement, ...], tables: Tables) -> NDArray[np.intp]:
    """Number the rows that are shown as a whole or not at all; -1 for a number that can be withheld alone."""
    seen: dict[object, int] = {}
    found = np.full(len(statements), -1, dtype=np.intp)
    exact = tables["estimate"]["estimator"].isin(NAIVE_ESTIMATORS).to_numpy(dtype=bool)
    band = (
        tables["estimate"].groupby(["condition", "estimator", "age_low", "age_high"], dropna=False).ngroup().to_numpy()
    )
    for at, one in enumerate(statements):
        key: object = None
        if one.table in WHOLE_ROW:
            key = (one.table, one.row)
        elif one.table == "estimate" and exact[one.row]:
            key = (one.table, "band", int(band[one.row]))
        if key is not None:
            found[at] = seen.setdefault(key, len(seen))
    return found
