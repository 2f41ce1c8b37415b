"""Cohorts with known truth, for judging every estimator and for the demonstration.

Order: ``ranges`` and ``parts`` (knobs), ``setting`` (all of them), ``named_settings``, ``eye_states`` and
``population`` (what is true before anybody is drawn), ``truth`` (its figures), ``recording``, ``groups``, ``people``
(draw), ``cells`` (sum by arrays), ``drawn_cells``, ``cohort`` (tables), ``knobs`` (turn them).
"""

from sexstrat.simulation.cells import cells_of_people
from sexstrat.simulation.cohort import SimulatedCohort, cohort_parts, external_cohort, simulate_cohort
from sexstrat.simulation.drawn_cells import SimulatedCells, add_cells, simulate_cells
from sexstrat.simulation.external import external_setting
from sexstrat.simulation.knobs import described, knob_names, with_knobs
from sexstrat.simulation.named_settings import setting, settings
from sexstrat.simulation.parts import Clusters, ExternalCohort, EyeDisease, Survey
from sexstrat.simulation.people import People, draw_people
from sexstrat.simulation.ranges import allowed_ranges
from sexstrat.simulation.setting import Setting
from sexstrat.simulation.truth import (
    joint_shares,
    population_truth,
    true_composition,
    true_eye_prevalence,
    true_eye_prevalence_by_band,
    true_prevalence_ratio,
)

__all__ = [
    "Clusters",
    "ExternalCohort",
    "EyeDisease",
    "People",
    "Setting",
    "SimulatedCells",
    "SimulatedCohort",
    "Survey",
    "add_cells",
    "allowed_ranges",
    "cells_of_people",
    "cohort_parts",
    "described",
    "draw_people",
    "external_cohort",
    "external_setting",
    "joint_shares",
    "knob_names",
    "population_truth",
    "setting",
    "settings",
    "simulate_cells",
    "simulate_cohort",
    "true_composition",
    "true_eye_prevalence",
    "true_eye_prevalence_by_band",
    "true_prevalence_ratio",
    "with_knobs",
]
