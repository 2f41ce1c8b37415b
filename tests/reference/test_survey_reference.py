"""Complex samples against R's survey package (scripts/survey.R): totals, means, ratios, domains, logit intervals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sexstrat.estimates.numbers.survey import survey_mean, survey_proportion, survey_ratio, survey_total
from sexstrat.estimates.numbers.survey_design import SurveyDesign, SurveyEstimate

STORED = json.loads((Path(__file__).parent / "outputs" / "survey.json").read_text(encoding="utf-8"))
OURS = {"certainty": "certainty", "average": "average", "adjust": "centred"}
CASES = [
    (STORED["full"]["people"], STORED["full"]["result"]),
    *((STORED["lonely"]["people"], result) for result in STORED["lonely"]["results"]),
]


def design_of(people: dict[str, list[Any]], lonely: str) -> SurveyDesign:
    return SurveyDesign(weight=people["weight"], stratum=people["stratum"], psu=people["psu"], lonely=OURS[lonely])


def close(found: SurveyEstimate, stored: dict[str, float]) -> None:
    """Compare to six digits whatever R gave."""
    for name, value in stored.items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-6), name


@pytest.mark.parametrize(("people", "stored"), CASES)
def test_means_ratios_and_domains_agree_with_survey(people: dict[str, Any], stored: dict[str, Any]) -> None:
    """svymean, svyratio, svyby and svyciprop (logit), whichever way lonely units are handled, to six digits."""
    design = design_of(people, stored["lonely"])
    age = survey_mean(people["age"], design)
    close(age, stored["mean"])
    np.testing.assert_allclose((age.low, age.high), stored["mean_interval"], rtol=1e-6)
    close(survey_ratio(people["age"], people["size"], design), stored["ratio"])
    close(survey_proportion(people["present"], design), stored["proportion"])
    inside = survey_proportion(people["present"], design, domain=people["domain"])
    close(inside, stored["domain"])
    assert (age.df, inside.df) == (stored["df"], stored["df_domain"])


@pytest.mark.parametrize(("people", "stored"), CASES[:3])
def test_totals_agree_with_survey(people: dict[str, Any], stored: dict[str, Any]) -> None:
    """Svytotal to six digits, but for adjust: R centres lonely totals at zero, we at the mean of all units."""
    close(survey_total(people["present"], design_of(people, stored["lonely"])), stored["total"])


def test_a_domain_without_degrees_of_freedom_has_no_interval() -> None:
    """One unit in each of two strata: R's degf is 0; a point, a state and a reason, never an interval of no width."""
    people = STORED["thin"]["people"]
    found = survey_proportion(people["present"], design_of(people, "certainty"), domain=people["domain"])
    assert (found.df, STORED["thin"]["df_domain"]) == (0, 0)
    assert found.state == "no_interval"
    assert (found.se, found.low, found.high) == (None, None, None)
    assert "as many strata as primary sampling units" in found.note
