"""Cohorts with known truth, for judging every estimator and for the demonstration.

Order: ``setting`` (what is true), ``people`` (draw), ``cells`` (sum by arrays), ``cohort`` (tables).
"""

from sexstrat.simulation.cells import SimulatedCells, cells_of_people, simulate_cells
from sexstrat.simulation.cohort import SimulatedCohort, simulate_cohort
from sexstrat.simulation.people import People, draw_people
from sexstrat.simulation.setting import (
    Setting,
    joint_shares,
    setting,
    settings,
    true_composition,
    true_prevalence_ratio,
)

__all__ = [
    "People",
    "Setting",
    "SimulatedCells",
    "SimulatedCohort",
    "cells_of_people",
    "draw_people",
    "joint_shares",
    "setting",
    "settings",
    "simulate_cells",
    "simulate_cohort",
    "true_composition",
    "true_prevalence_ratio",
]
