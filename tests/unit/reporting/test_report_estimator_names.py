"""Names of the estimators on the page."""

from __future__ import annotations

import pytest

from sexstrat.estimates import ESTIMATORS
from sexstrat.reporting.texts import ESTIMATORS as NAMES


@pytest.mark.parametrize("estimator", [name for name in ESTIMATORS if name != "auto"])
def test_every_estimator_has_a_name_of_its_own(estimator: str) -> None:
    """Each estimator that a study can ask for is named in words, and no two are named alike."""
    assert estimator in NAMES
    assert NAMES[estimator] != estimator
    assert list(NAMES.values()).count(NAMES[estimator]) == 1
