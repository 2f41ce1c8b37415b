"""What the tables of a study say of the people behind them is true of these very people."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import vstack

from sexstrat.disclosure.across_tables import Everything
from sexstrat.disclosure.atoms import KINDS, Atoms, age_pieces
from sexstrat.disclosure.audited_people import of_audit, of_consequences, of_curves, of_missingness
from sexstrat.disclosure.diagnosed_people import of_diagnostics
from sexstrat.disclosure.profiles import PROFILES
from sexstrat.disclosure.release import _each_protected, release
from sexstrat.disclosure.released import Released
from sexstrat.disclosure.statements import labelled, of_estimates, of_flow
from sexstrat.disclosure.withheld_together import Reader
from sexstrat.study import load_study
from sexstrat.study.plan import STAGES
from sexstrat.study.results import study_results
from sexstrat.study.run import run_stages
from sexstrat.values.results import StudyResults


def small_studies() -> ModuleType:
    """Return the module that writes small studies."""
    path = Path(__file__).parents[2] / "small_studies.py"
    spec = importlib.util.spec_from_file_location("small_studies", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def results(folder: Path, seed: int) -> StudyResults:
    """Return what a small study found, before the gate."""
    study = load_study(small_studies().write_small_study(folder, seed))
    run_stages(study, folder / "out", [name for name in STAGES if name != "report"])
    return study_results(study, folder / "out")


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StudyResults]:
    """Return a study of one photograph a patient at two sites."""
    folder = tmp_path_factory.mktemp("sites")
    return folder, results(folder, 1)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StudyResults]:
    """Return a study of one or two photographs a patient."""
    folder = tmp_path_factory.mktemp("pairs")
    return folder, results(folder, 8)


@pytest.fixture(scope="module")
def uk(sites: tuple[Path, StudyResults]) -> tuple[dict[str, pd.DataFrame], Released]:
    """Return the tables of the study with sites before the gate, and its release."""
    return tables_of(sites[1]), release(sites[1], "uk-5")


def tables_of(private: StudyResults) -> dict[str, pd.DataFrame]:
    """Return the tables as they come to the gate's protection, nothing withheld."""
    return release(private, "none", "nobody in it is real").tables()


def people(atoms: Atoms, folder: Path) -> np.ndarray:
    """Count the patients, and their photographs, in every class, from the files of the study alone."""
    persons, scores = pd.read_csv(folder / "persons.csv"), pd.read_parquet(folder / "scores.parquet")
    present = pd.read_csv(folder / "conditions.csv").pivot_table(
        index="patient_id", columns="condition", values="present"
    )
    counts = np.zeros(atoms.size)
    pictures = dict(iter(scores.groupby("patient_id")))
    for person in persons.to_dict("records"):
        own = pictures[person["patient_id"]]
        usable = own.loc[own["status"] == "ok", "prob_male"].to_numpy()
        kinds = ["male" if p >= 0.5 else "female" for p in usable] + ["ungradable"] * (len(own) - len(usable))
        called = len(usable) > 0 and np.log(usable / (1 - usable)).mean() >= 0
        age = -1 if np.isnan(person["age_years"]) else sum(person["age_years"] >= low for low, _ in atoms.pieces) - 1
        alike = (atoms.age == age) & (atoms.sex == person["recorded_sex"]) & (atoms.called_male == called)
        for name in KINDS:
            alike &= atoms.has[name] == (name in kinds)
        (place,) = np.flatnonzero(alike)
        levels = {("site", person.get("site"))}
        levels |= {(name, "yes" if present.loc[person["patient_id"], name] else "no") for name in present.columns}
        for start in (0, *(at for key, at in atoms.place.items() if key in levels)):
            counts[start + place] += 1
            if not atoms.single:
                for kind in kinds:
                    counts[start + atoms.age.size + KINDS.index(kind) * atoms.n_cells + atoms.cell[place]] += 1
    return counts


@pytest.mark.parametrize("study", ["sites", "pairs"])
def test_every_statement_is_true_of_the_patients(study: str, request: pytest.FixtureRequest) -> None:
    """Each count and share of every table equals what its coefficients make of the patients in the files."""
    folder, private = request.getfixturevalue(study)
    tables = tables_of(private)
    everything = Everything.of(tables)
    truth, checked = people(everything.atoms, folder), 0
    for one in everything.statements:
        bracket = one.column.startswith("(")
        value = one.value if bracket else tables[one.table][one.column].astype(float).iloc[one.row]
        if np.isnan(value):
            continue
        made = float(one.counted @ truth) / (1.0 if one.among is None else float(one.among @ truth))
        assert made == pytest.approx(value, abs=1e-9), (
            one.table,
            one.column,
            tables[one.table].iloc[one.row].to_dict(),
        )
        checked += 1
    assert checked > 3000


FOLLOWING = {"gap", "audit_test", "audit_shrunken", "audit_parity", "audit_rule"}  # they tell the counts of the audit


def test_a_count_of_which_nothing_is_stated_is_shown_nowhere(uk: tuple[dict[str, pd.DataFrame], Released]) -> None:
    """What the linear program does not know of, the gate withholds: but photographs, and what follows the audit."""
    stated = {(one.table, one.row, one.column) for one in Everything.of(uk[0]).statements}
    shown = uk[1].tables()
    for name, frame in shown.items():
        if name in FOLLOWING:
            continue
        for column in (one for one in frame.columns if one.startswith("n_") or one.endswith("_lost")):
            for row in np.flatnonzero(frame[column].notna()):
                trivial = frame[column].iloc[row] == 0 and column.endswith("_lost")
                images = "images" in column and name == "flow"
                assert (name, row, column) in stated or trivial or images, (name, column, frame.iloc[row].to_dict())


def test_nobody_can_solve_for_a_withheld_count(uk: tuple[dict[str, pd.DataFrame], Released]) -> None:
    """Given all that is released, each withheld count can be the least and the most that the profile withholds."""
    tables, released = uk
    reader = Reader(Everything.of(tables), tables, released.tables(), PROFILES["uk-5"])
    low, high = reader.uncovered()
    assert len(low) > 20
    assert not low.any()
    assert not high.any()


def test_with_one_table_for_itself_somebody_could(uk: tuple[dict[str, pd.DataFrame], Released]) -> None:
    """The same tables, each protected for itself alone, give withheld counts away: the search is able to find some."""
    tables, rule = uk[0], PROFILES["uk-5"]
    apart = _each_protected(tables, rule, {})
    low, high = Reader(Everything.of(tables), tables, apart, rule).uncovered()
    assert low.sum() > 5
    assert high.sum() > 5


def test_whole_people_find_what_fractions_of_people_do(uk: tuple[dict[str, pd.DataFrame], Released]) -> None:
    """A withheld count can be the least and the most that is withheld in whole people and photographs, too."""
    tables, released = uk
    reader = Reader(Everything.of(tables), tables, released.tables(), PROFILES["uk-5"])
    known, _ = reader.known()
    low, high = known.limits()
    limits = LinearConstraint(vstack([known.always, known.rows]), lb=low - 1e-7, ub=high + 1e-7)
    for counted in reader.secret[:3]:
        for sign, limit in ((1.0, 1.0), (-1.0, -4.0)):
            whole = milp(sign * counted, constraints=limits, integrality=np.ones(counted.size))
            assert whole.status == 0
            assert whole.fun <= limit + 1e-6


def test_tables_without_rows_say_nothing() -> None:
    """No statement comes of an empty table, and no band is mistaken for another."""
    atoms = Atoms(age_pieces([40, 60]), {}, single=True, refused=False)
    assert labelled(atoms, "all").sum() == labelled(atoms, "40-59").sum() + labelled(atoms, "60+").sum()
    empty = pd.DataFrame(columns=["estimator", "variable", "step", "name", "metric", "measure", "sex", "condition"])
    assert not [*of_flow(atoms, empty), *of_audit(atoms, empty), *of_missingness(atoms, empty)]
    assert not [*of_consequences(atoms, empty), *of_diagnostics(atoms, empty), *of_curves(atoms, empty, "age_curve")]
    assert not [*of_estimates(atoms, empty, "sensitivity")]


def test_what_is_withheld_together_is_withheld_at_last(uk: tuple[dict[str, pd.DataFrame], Released]) -> None:
    """Asked again about what it released, the gate finds nothing more to withhold."""
    tables, released = uk
    assert Reader(Everything.of(tables), tables, released.tables(), PROFILES["uk-5"]).further() == {}
