"""E1 over sampling units: equal to independent software, to E1 where every unit is one patient, blind to names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sexstrat.errors import EstimationError
from sexstrat.estimates import ComposeInput, Composition
from sexstrat.estimates.aipw import aipw
from sexstrat.estimates.cell_arrays import CellArrays, cell_arrays
from sexstrat.estimates.clustered_composition import clustered_composition, clustered_variance
from sexstrat.estimates.measures import difference, logit_of, prevalence_of
from sexstrat.estimates.numbers.survey import survey_ratio
from sexstrat.estimates.numbers.survey_design import SurveyDesign
from sexstrat.estimates.recalibration import cross_fitted
from sexstrat.estimates.share_influence import group_totals, share_influence
from sexstrat.estimates.thin_cells import pool_thin_bands
from sexstrat.simulation import People, cells_of_people, draw_people, setting, simulate_cells
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.design import Target, ValidationDesign

BANDS = AgeBands((20, 60))
COLUMNS = ["point", "low", "high"]


def input_of(cells: Cells, bands: AgeBands = BANDS, target: Target = Target.population) -> ComposeInput:
    design = ValidationDesign.known_probability
    arrays = cell_arrays(cells, bands, design)
    return ComposeInput(condition="disease", bands=bands, arrays=arrays, design=design, target=target)


def people_of(n: int = 1_500, seed: int = 3, **fields: object) -> People:
    people = draw_people(replace(setting("weak"), validated=0.3), n, np.random.default_rng(seed))
    return replace(people, **fields)


def survey_people(n: int = 1_500) -> People:
    """Return people of 60 units in 4 strata, with unequal weights, older people in later units."""
    people = people_of(n)
    unit = np.argsort(np.argsort(people.age_years + np.random.default_rng(1).normal(0, 20, n))) * 60 // n
    weight = np.random.default_rng(2).uniform(0.5, 5.0, n)
    return replace(people, stratum=unit // 15, psu=unit % 15, weight=weight)


def rows(one: Composition) -> pd.DataFrame:
    parts = (one.prevalence("cohort"), one.contrast("ratio", "cohort"), one.contrast("difference"))
    return pd.DataFrame([row for part in parts for row in part.rows])


def patients(people: People, arrays: CellArrays, cells: Cells) -> pd.DataFrame:
    """Unfold cells of one patient each into psi, weight, disease, stratum and unit."""
    assert (arrays.n == 1).all()
    e = np.where(arrays.validated, arrays.male - cross_fitted(arrays), 0.0)
    psi = cross_fitted(arrays) + arrays.w_over_r / arrays.w * e
    frame = pd.DataFrame({"psi": psi, "w": arrays.w, "d": arrays.diseased})
    return frame.assign(stratum=cells.frame["stratum"], psu=cells.frame["psu"])


def test_one_patient_a_unit_is_e1_itself() -> None:
    """With every patient a unit of one stratum each interval's variance is E1's times n / (n - 1)."""
    given = input_of(cells_of_people(people_of(psu=np.arange(1_500)), people_of().validated))
    one = aipw(given)
    found = clustered_composition(given, one)
    plain = rows(one)
    np.testing.assert_allclose(rows(found)["se"], plain["se"] * np.sqrt(1_500 / 1_499), rtol=1e-9)
    np.testing.assert_allclose(rows(found)["point"], plain["point"], rtol=1e-12)


def test_unnamed_units_are_patients() -> None:
    """Cells that name no unit give the same variance from their sums of squares, whatever the weights."""
    weight = np.random.default_rng(2).uniform(0.5, 5.0, 1_500)
    stratum = np.arange(1_500) % 3
    people = people_of(weight=weight, stratum=stratum)
    known = people.validated
    numbered = replace(people, psu=np.arange(1_500))
    given, named = (input_of(cells_of_people(some, known)) for some in (people, numbered))
    # the same folds, which otherwise follow the units
    arrays = replace(given.arrays, fold=np.where(given.arrays.validated, 0, -1))
    other = replace(named.arrays, fold=np.where(named.arrays.validated, 0, -1))
    gradient = np.array([[1.0, -2.0], [0.5, 0.0]])
    by_n = np.array([[1e-3, 0.0], [2e-3, -1e-3]])
    one = clustered_variance(replace(given, arrays=replace(arrays, validated=arrays.validated)), gradient, by_n)
    two = clustered_variance(replace(named, arrays=other), gradient, by_n)
    assert one.n_units == two.n_units == 1_500
    assert one.variance == pytest.approx(two.variance, rel=1e-9)


def test_prevalence_is_a_ratio_of_survey_totals() -> None:
    """Prevalence in men is the ratio of totals of psi: its variance equals svyratio's by another road, to 1e-9."""
    people = replace(survey_people(), site=np.arange(1_500) % 1_500)
    cells = cells_of_people(people, people.validated)
    given = input_of(cells)
    given = replace(given, arrays=replace(given.arrays, site=np.zeros_like(given.arrays.site)))
    one = clustered_composition(given, aipw(given))
    each = patients(people, given.arrays, cells)
    design = SurveyDesign(weight=each["w"], stratum=each["stratum"], psu=each["psu"])
    reference = survey_ratio(each["d"] * each["psi"], each["psi"], design)
    share = prevalence_of(one.overall, "male", np.ones(1))
    assert share.value == pytest.approx(reference.point, rel=1e-9)
    found = one.overall.uncertainty(share.by_pi, share.by_n)
    assert found.variance**0.5 == pytest.approx(reference.se, rel=1e-9)
    band = prevalence_of(one.by_band, "female", np.array([0.0, 1.0]))
    inside = np.asarray(given.arrays.group >= 2)
    women = survey_ratio(each["d"] * (1 - each["psi"]), 1 - each["psi"], design, domain=inside)
    assert one.by_band.uncertainty(band.by_pi, band.by_n).variance ** 0.5 == pytest.approx(women.se, rel=1e-9)


def test_shares_and_counts_move_together() -> None:
    """Where older units have more disease and more women, the covariance of pi and N is part of the variance."""
    given = input_of(cells_of_people(survey_people(), survey_people().validated))
    one = clustered_composition(given, aipw(given))
    male, female = (prevalence_of(one.overall, sex, np.ones(1)) for sex in ("male", "female"))
    gap = difference(male, female)
    zero = np.zeros((1, 2))
    whole = one.overall.uncertainty(gap.by_pi, gap.by_n).variance
    parts = [one.overall.uncertainty(*pair).variance for pair in ((gap.by_pi, zero), (zero, gap.by_n))]
    assert abs(whole - sum(parts)) > 1e-4 * whole
    direct = clustered_variance(given, gap.by_pi, gap.by_n)
    assert direct.variance == pytest.approx(whole, rel=1e-12)
    assert direct.df <= 60 - 4


def test_names_of_units_constant_weights_and_splitting_do_not_matter() -> None:
    """Units renamed, weights times four, and cells cut in two hospitals' halves: the same rows."""
    people = survey_people()
    cells = cells_of_people(people, people.validated)
    plain = rows(clustered_composition(input_of(cells), aipw(input_of(cells))))
    named = cells.frame.assign(psu="u" + ((cells.frame["psu"].astype(int) * 7 + 3) % 15).astype(str))
    weights = [name for name in cells.frame if name.startswith("sum_w")]
    power = {name: 16.0 if name.startswith("sum_w2") else 4.0 for name in weights}
    four = cells.frame.assign(**{name: cells.frame[name] * power[name] for name in weights})
    sums = ["n", "sum_p", "sum_p2", *weights]
    for frame in (named, four):
        given = input_of(replace(cells, frame=frame))
        found = rows(clustered_composition(given, aipw(given)))
        np.testing.assert_allclose(found[COLUMNS].astype(float), plain[COLUMNS].astype(float), rtol=1e-7)
    twice = pd.concat([cells.frame] * 2, ignore_index=True).sample(frac=1, random_state=1).reset_index(drop=True)
    added = cells.frame.assign(**{name: cells.frame[name] * 2 for name in sums})
    split, whole = (input_of(replace(cells, frame=frame)) for frame in (twice, added))
    one, two = (rows(clustered_composition(given, aipw(given))) for given in (split, whole))
    np.testing.assert_allclose(one[COLUMNS].astype(float), two[COLUMNS].astype(float), rtol=1e-7)


def test_the_influence_is_the_derivative_even_where_bands_borrow() -> None:
    """Each derivative equals the change of the share when a total moves, thin bands with borrowed corrections too."""
    bands = AgeBands(tuple(range(20, 92, 6)))
    arrays = cell_arrays(simulate_cells("weak", 8_000, 4).cells, bands, ValidationDesign.random)
    p = cross_fitted(arrays)
    found = share_influence(arrays, p, by_band=True)
    assert np.isfinite(found.pi).sum() > 20

    def shares(totals: np.ndarray) -> np.ndarray:
        pi = np.full(totals.shape[0], np.nan)
        for d in (0, 1):
            model, residual, n = totals[d::2].T
            safe = np.where(n > 0, n, 1.0)
            validated = arrays.n_validated[:, d]
            pi[d::2] = pool_thin_bands(n=n, n_validated=validated, model=model / safe, residual=residual).pi
        return pi

    base = group_totals(arrays, p)
    borrowed = 0
    for group in np.flatnonzero(base[:, 2] > 5):
        for part in range(3):
            up, down = base.copy(), base.copy()
            up[group, part] += 1e-3
            down[group, part] -= 1e-3
            slope = (shares(up) - shares(down)) / 2e-3
            ok = np.isfinite(found.pi)
            np.testing.assert_allclose(found.moves[ok, group, part], slope[ok], atol=1e-7)
            borrowed += int((np.abs(slope[ok]) > 1e-9).sum() > 1)
    assert borrowed > 0


def test_too_few_units_are_refused_or_have_no_interval() -> None:
    """One hospital: refused with the reason. A band all in one of two hospitals: no number, and why."""
    people = people_of(site=np.zeros(1_500, dtype=int))
    given = input_of(cells_of_people(people, people.validated))
    one = clustered_composition(given, aipw(given), by="site")
    assert one.state == "refused"
    assert "1 sampling units in 1 strata" in one.why
    split = replace(people, site=np.where(people.age_years >= 60, 1, np.arange(1_500) % 3 // 2))
    given = input_of(cells_of_people(split, split.validated))
    two = clustered_composition(given, aipw(given), by="site")
    frame = two.contrast("ratio").to_frame()
    alone = frame.loc[frame["age_low"] == 60].iloc[0]
    assert alone[["point", "low", "se"]].isna().all()
    assert (alone["state"], "as many strata as sampling units" in alone["note"]) == ("undefined", True)
    assert frame.loc[0, "df"] <= 2
    assert any("uncertain itself" in warning for warning in two.warnings)


def test_lonely_strata_are_said() -> None:
    """A stratum of one unit becomes a warning that says what was done with it."""
    people = survey_people()
    people = replace(people, psu=np.where(people.stratum == 3, 0, people.psu))
    given = input_of(cells_of_people(people, people.validated))
    one = clustered_composition(given, aipw(given), lonely="certainty")
    assert any("1 of 4 strata has one primary sampling unit" in warning for warning in one.warnings)
    wider = clustered_composition(given, aipw(given), lonely="average")
    assert rows(wider)["se"].iloc[0] > rows(one)["se"].iloc[0]


def test_the_cohort_itself_has_no_clusters() -> None:
    """For these very people only validation is random: the composition stays as it is."""
    people = survey_people()
    given = input_of(cells_of_people(people, people.validated), target=Target.cohort)
    one = aipw(given)
    assert clustered_composition(given, one) is one


def test_zero_cases_count_clusters_as_persons() -> None:
    """Nobody diseased below 60: the limit for young men is that of the units they come from, not of so many men."""
    people = survey_people()
    people = replace(people, diseased=people.diseased & (people.age_years >= 60))
    given = input_of(cells_of_people(people, people.validated))
    plain, found = (rows(one) for one in (aipw(given), clustered_composition(given, aipw(given))))
    young = (plain["age_low"] == 20) & (plain["sex"] == "male")
    (narrow,), (wide,) = plain.loc[young, "high"], found.loc[young, "high"]
    assert (plain.loc[young, "point"] == 0).all()
    assert 1.959964**2 / (60 + 1.959964**2) < wide < 1
    assert wide > 5 * narrow


def test_units_for_some_patients_only_are_an_error() -> None:
    """A patient without a unit cannot be placed; the message says how many and what to do."""
    people = survey_people()
    cells = cells_of_people(people, people.validated)
    frame = cells.frame.copy()
    frame.loc[0, "psu"] = None
    given = input_of(replace(cells, frame=frame))
    with pytest.raises(EstimationError, match="1 of 1,500 patients name no primary sampling unit"):
        clustered_composition(given, aipw(given))
    with pytest.raises(EstimationError, match="by psu or by site"):
        clustered_composition(given, aipw(given), by="clinic")


def test_logit_rows_are_finite_everywhere() -> None:
    """Every row of a clustered composition has a number and an interval that holds it."""
    given = input_of(cells_of_people(survey_people(), survey_people().validated))
    frame = rows(clustered_composition(given, aipw(given)))
    assert ((frame["low"] < frame["point"]) & (frame["point"] < frame["high"])).all()
    share = logit_of(prevalence_of(aipw(given).overall, "male", np.ones(1)))
    assert np.isfinite(share.value)
