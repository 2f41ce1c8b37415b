"""The one gate between results and people: what may be shown, by a named profile.

``release`` takes the results of a study and returns a ``Released``; nothing else makes one. Order: ``profiles`` (the
rules), ``withhold`` and ``complementary`` (how cells are emptied), a module for each table, ``texts``, ``rounding``,
``release``. ``cell_state`` tells zero, suppressed, missing and undefined apart for whoever prints a cell.
"""

from __future__ import annotations

from sexstrat.disclosure.cell_state import CellState, cell_state
from sexstrat.disclosure.profiles import MIN_STUDY, PROFILES, Profile, profile
from sexstrat.disclosure.release import release
from sexstrat.disclosure.released import Released

__all__ = ["MIN_STUDY", "PROFILES", "CellState", "Profile", "Released", "cell_state", "profile", "release"]
