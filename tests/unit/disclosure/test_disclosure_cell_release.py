"""Cells that leave a site hold no small count, nor one that cells of another condition would give by subtraction."""

from __future__ import annotations

import pytest

from sexstrat.disclosure.cell_release import DISEASE, release_cells
from sexstrat.disclosure.profiles import PROFILES
from sexstrat.simulation import simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.tables import table_schema


@pytest.mark.parametrize("name", ["eye_level_disease", "error_by_disease"])
def test_all_states_of_a_key_are_shown_or_none(name: str) -> None:
    """Cells of another condition sum over disease and numbers of eyes: a part shown would give the rest."""
    cells = simulate_cells(name, 20_000, 3).cells
    found = release_cells(cells, PROFILES["uk-5"], AgeBands((20, 45, 65)), most_withheld=1.0)
    assert found is not None
    keys = [key for key in table_schema("cell").primary_key if key not in DISEASE]
    before, after = (one.frame.groupby(keys, dropna=False)["n"].sum() for one in (found.whole, found.cells))
    assert 0 < len(after) < len(before)
    assert (before.loc[after.index] == after).all()
    assert found.cells.frame["n"].min() >= 5
    assert found.withheld["disease"] == int(before.sum() - after.sum())
