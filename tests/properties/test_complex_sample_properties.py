"""Complex samples: names, order, constant weights and cuts of cells are nothing to an interval."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from sexstrat.estimates import ComposeInput
from sexstrat.estimates.aipw import aipw
from sexstrat.estimates.cell_arrays import cell_arrays
from sexstrat.estimates.clustered_composition import clustered_composition
from sexstrat.estimates.numbers.survey import survey_proportion
from sexstrat.estimates.numbers.survey_design import SurveyDesign
from sexstrat.estimates.resampling.bootstrap_e1 import bootstrap_e1
from sexstrat.simulation import Setting, cells_of_people, draw_people
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import Target, ValidationDesign

BANDS = AgeBands((20, 60))
LIMITS = ["low", "high"]


def input_of(frame: pd.DataFrame, cells: Cells) -> ComposeInput:
    design = ValidationDesign.known_probability
    arrays = cell_arrays(replace(cells, frame=frame), BANDS, design)
    return ComposeInput(condition="disease", bands=BANDS, arrays=arrays, design=design, target=Target.population)


def sample(seed: int) -> Cells:
    rng = np.random.default_rng(seed)
    people = draw_people(Setting(name="s", validated=0.4, auc=0.85, prevalence=0.3), 900, rng)
    units = rng.integers(0, 36, 900)
    people = replace(people, stratum=units // 12, psu=units % 12, weight=rng.uniform(0.3, 5.0, 900))
    return cells_of_people(people, people.validated)


def limits(given_input: ComposeInput) -> np.ndarray:
    one = clustered_composition(given_input, aipw(given_input))
    frame = pd.concat([one.prevalence("cohort").to_frame(), one.contrast("ratio", "cohort").to_frame()])
    return frame[LIMITS].to_numpy(dtype=float)


@given(seed=st.integers(0, 10_000), factor=st.sampled_from([0.25, 4.0, 1_000.0]))
@settings(max_examples=6, deadline=None)
def test_clustered_intervals_see_neither_names_nor_scale_nor_cuts(seed: int, factor: float) -> None:
    """Units renamed, every weight times a constant, cells cut in two: the limits stay, and so do resampled figures."""
    cells = sample(seed)
    frame = cells.frame
    names = np.random.default_rng(seed).permutation(12)
    weights = {name: factor**2 if name.startswith("sum_w2") else factor for name in frame if name.startswith("sum_w")}
    renamed = frame.assign(psu=[f"u{names[int(unit)]}" for unit in frame["psu"]])
    scaled = frame.assign(**{name: frame[name] * times for name, times in weights.items()})
    plain = limits(input_of(frame, cells))
    for changed in (renamed, scaled):
        np.testing.assert_allclose(limits(input_of(changed, cells)), plain, rtol=1e-6)
    sums = ["n", "sum_p", "sum_p2", *weights]
    twice = pd.concat([frame, frame], ignore_index=True)
    added = frame.assign(**{name: frame[name] * 2 for name in sums})
    np.testing.assert_allclose(limits(input_of(twice, cells)), limits(input_of(added, cells)), rtol=1e-6)
    drawn = [bootstrap_e1(input_of(one, cells), replicates=30, by="psu").replicates for one in (frame, scaled)]
    np.testing.assert_allclose(drawn[1], drawn[0], rtol=1e-5, atol=1e-7)


@given(seed=st.integers(0, 10_000), factor=st.floats(0.01, 1_000))
@settings(max_examples=30, deadline=None)
def test_survey_intervals_hold_their_point_and_see_no_scale(seed: int, factor: float) -> None:
    """Whatever the sample, an interval has width, holds its point inside 0 to 1, or there is a reason for none."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 40))
    weight, stratum, psu = rng.uniform(0.1, 5, n), rng.integers(0, 3, n), rng.integers(0, 4, n)
    present, domain = rng.random(n) < rng.random(), rng.random(n) < 0.7
    found = survey_proportion(present, SurveyDesign(weight=weight, stratum=stratum, psu=psu), domain=domain)
    again = survey_proportion(present, SurveyDesign(weight=factor * weight, stratum=stratum, psu=psu), domain=domain)
    assert found.state == again.state
    if found.state != "estimated":
        assert found.note and found.low is None and found.high is None
        return
    np.testing.assert_allclose((found.low, found.high), (again.low, again.high), rtol=1e-6, atol=1e-12)
    assert 0 <= found.low <= found.point <= found.high <= 1
    assert found.low < found.high
