"""What must hold of every plan: more validated or a better score never widens, sexes can be exchanged, cells split."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sexstrat.estimates import MEASURES, PlannedCells, anticipated_interval, stated_cells

plans = st.fixed_dictionaries(
    {
        "patients": st.sampled_from([2_000, 20_000, 300_000]),
        "prevalence": st.floats(0.05, 0.5),
        "male_share": st.floats(0.3, 0.7),
        "ratio": st.floats(0.6, 1.6),
        "auc": st.floats(0.5, 0.99),
    }
)
measures = st.sampled_from(list(MEASURES))


def fewest(cells: PlannedCells) -> float:
    """Return the number validated at which ten are expected in the rarer disease state."""
    counts = cells.table(cells.patients).sum(axis=0)
    return 10.001 * counts.sum() / counts.min()


@settings(max_examples=60, deadline=None)
@given(plan=plans, measure=measures, share=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_more_validated_never_widens(plan: dict[str, float], measure: str, share: tuple[float, float]) -> None:
    """Width falls, and the power of a contrast rises, with the number validated: what bisection rests on."""
    cells = stated_cells(**plan)
    low, high = sorted(fewest(cells) ** (1 - s) * cells.total_patients**s for s in share)
    few, many = (anticipated_interval(cells, n, measure=measure) for n in (low, high))
    assert many.log_width <= few.log_width * (1 + 1e-9)
    if few.power is not None and many.power is not None:
        assert many.power >= few.power - 2e-5


@settings(max_examples=60, deadline=None)
@given(plan=plans, better=st.floats(0, 0.3), share=st.floats(0.05, 0.9), measure=measures)
def test_a_better_score_never_raises_the_variance(
    plan: dict[str, float], better: float, share: float, measure: str
) -> None:
    """The standard error falls with the area under the curve once 100 diseased are validated."""
    plan = {**plan, "patients": 300_000}
    worse = stated_cells(**plan)
    more = stated_cells(**{**plan, "auc": min(plan["auc"] + better, 0.999)})
    n = max(share * 300_000, 10 * fewest(worse))
    first, second = (anticipated_interval(cells, n, measure=measure) for cells in (worse, more))
    assert second.se <= first.se * (1 + 1e-9)


@settings(max_examples=40, deadline=None)
@given(plan=plans, share=st.floats(0.2, 0.9))
def test_the_sexes_can_be_exchanged(plan: dict[str, float], share: float) -> None:
    """Men for women: the ratio is the reciprocal, its standard error and power the same."""
    cells = stated_cells(**plan)
    other = stated_cells(**{**plan, "male_share": 1 - plan["male_share"], "ratio": 1 / plan["ratio"]})
    n = max(share * plan["patients"], fewest(cells))
    one, mirrored = anticipated_interval(cells, n), anticipated_interval(other, n)
    assert mirrored.value == pytest.approx(1 / one.value)
    assert mirrored.se == pytest.approx(one.se)
    assert mirrored.df == pytest.approx(one.df)


@settings(max_examples=40, deadline=None)
@given(plan=plans, share=st.floats(0.2, 0.9), part=st.floats(0.1, 0.9))
def test_splitting_strata_changes_nothing(plan: dict[str, float], share: float, part: float) -> None:
    """Each stratum in two of the same make-up: the same interval."""
    cells = stated_cells(**plan)
    n = max(share * plan["patients"], fewest(cells))

    def parts(values: np.ndarray) -> np.ndarray:
        return np.concatenate([part * values, (1 - part) * values])

    split = replace(
        cells,
        band=np.tile(cells.band, 2),
        diseased=np.tile(cells.diseased, 2),
        patients=parts(cells.patients),
        n=parts(cells.n),
        n_variance=parts(cells.n_variance),
        moments=np.hstack([cells.moments, cells.moments]),
    )
    one, two = anticipated_interval(cells, n), anticipated_interval(split, n)
    assert two.se == pytest.approx(one.se)
    assert two.df == pytest.approx(one.df)
