"""A six-patient cohort counted by hand, written and read back, whatever the source and the machine."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sexstrat.cohort import Cohort, TableInput, TrainingAges, check_inputs, fold_of
from sexstrat.cohort import store as store_module
from sexstrat.errors import SchemaError, StudyError
from sexstrat.scores import combine_eyes
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.logit_bins import logit_edges
from sexstrat.values.tables import table_schema

PERSONS = pd.DataFrame(
    {
        "patient_id": ["A", "B", "C", "D", "E", "F"],
        "age_years": [61.9, 61.0, 45.0, 45.0, None, 70.0],
        "recorded_sex": ["male", "female", "", "other", "male", "unknown"],
        "weight": [1.0, 2.0, 0.5, 1.0, 1.0, 3.0],
        "validation_probability": [0.5, 0.25, None, None, 0.5, None],
        "site": ["x", "x", "y", "y", "x", "y"],
    }
)


def expit(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def score_rows(*rows: tuple[str, str | None, str | None, float | None, str]) -> pd.DataFrame:
    fixed = {"path": "p", "model_id": "m1", "model_sha256": "0" * 64, "precision": "float32", "decode": "exact"}
    columns = ["image_id", "patient_id", "eye", "prob_male", "status"]
    return pd.DataFrame([dict(zip(columns, row, strict=True)) | fixed for row in rows])


# A: right eye logits 0 and 2, left eye 3 -> (1 + 3) / 2 = 2. B: one image. C: two images of unnamed eyes -> one eye.
# D: unreadable only -> no eye. E: has no age. F: no image at all.
SCORES = score_rows(
    ("a1", "A", "R", 0.5, "ok"),
    ("a2", "A", "R", expit(2), "ok"),
    ("a3", "A", "L", expit(3), "ok"),
    ("b1", "B", "R", 0.25, "ok"),
    ("c1", "C", None, expit(-1), "ok"),
    ("c2", "C", None, expit(-2), "ok"),
    ("d1", "D", "R", None, "unreadable"),
    ("e1", "E", "R", 0.9, "ok"),
)
CONDITIONS = pd.DataFrame(
    {
        "patient_id": ["A", "A", "B", "C", "D", "E", "F", "A"],
        "eye": ["R", "L", None, None, None, None, None, None],
        "condition": ["amd"] * 7 + ["dr"],
        "present": [False, True, False, False, True, True, True, False],
    }
)


def create(path: Path, **changes: Any) -> Cohort:
    inputs = {"persons": PERSONS, "scores": SCORES, "conditions": CONDITIONS} | changes
    return Cohort.create(path / "cohort.duckdb", **inputs)


def test_cells_counted_by_hand(tmp_path: Path) -> None:
    """Two eyes become one value, missing ages leave the cells, and every sum is the one a person would write down."""
    with create(tmp_path) as cohort:
        cells = cohort.cells(["amd"], keys=["site"])
    frame = cells.frame
    assert list(frame.columns) == table_schema("cell").columns
    shown = frame[["site", "age_years", "diseased", "recorded_sex", "n_eyes", "n"]].values.tolist()
    assert shown == [
        ["x", 61, False, "female", 1, 1],
        ["x", 61, True, "male", 2, 1],
        ["y", 45, False, "unknown", 1, 1],
        ["y", 45, True, "other", 0, 1],
        ["y", 70, True, "unknown", 0, 1],
    ]
    unit = 2**30
    p = [0.25, expit(2), expit(-1.5)]
    assert frame["sum_p"].tolist() == [*(round(x * unit) for x in p), 0, 0]
    assert frame["sum_p2"].tolist() == [*(round(x * x * unit) for x in p), 0, 0]
    # ln(1/3) = -1.0986 lies in [-1.1, -1.0), the 90th bin; 2 in [2.0, 2.1); -1.5 in [-1.5, -1.4)
    assert frame["logit_bin"].tolist()[0] == 89
    assert cells.edges[frame["logit_bin"].tolist()[1]] == pytest.approx(2.0, abs=0.1 + 1e-9)
    assert frame["logit_bin"].isna().tolist() == [False, False, False, True, True]
    assert frame["sum_w"].tolist() == [2.0, 1.0, 0.5, 1.0, 3.0]
    assert frame["sum_w2"].tolist() == [4.0, 1.0, 0.25, 1.0, 9.0]
    assert frame["sum_w_over_r"].tolist()[:2] == [8.0, 2.0]
    assert frame["sum_w2_over_r"].tolist()[:2] == [16.0, 2.0]
    assert frame["sum_w2_over_r2"].tolist()[:2] == [64.0, 4.0]
    assert frame["sum_w_over_r"].isna().tolist() == [False, False, True, True, True]
    assert frame["fold"].tolist()[:2] == [fold_of("B"), fold_of("A")]
    assert frame["fold"].isna().tolist() == [False, False, True, True, True]
    assert cells.model_id == "m1"
    np.testing.assert_array_equal(cells.edges, logit_edges())


def test_keys_not_wanted_are_empty_and_merge_cells(tmp_path: Path) -> None:
    """A cube without sites adds up the sites."""
    persons = PERSONS.assign(recorded_sex="unknown", age_years=50.0)
    with create(tmp_path, persons=persons) as cohort:
        assert cohort.cells(["amd"], keys=[]).frame["site"].isna().all()
        assert cohort.cells(["amd"]).frame["site"].notna().all()
        assert cohort.cells(keys=[]).frame["n"].sum() == 7  # six patients with amd known, one with dr
        with pytest.raises(KeyError, match="no condition 'x' in the cohort; there are amd, dr"):
            cohort.cells(["x"])
        with pytest.raises(KeyError, match="no key 'camera' in the cohort; there are site, stratum, psu"):
            cohort.cells(keys=["camera"])


def test_condition_counts(tmp_path: Path) -> None:
    """Patients without a value for a condition are missing from its cube, and counted."""
    with create(tmp_path) as cohort:
        assert cohort.condition_counts().values.tolist() == [["amd", 5, 3, 0], ["dr", 1, 0, 4]]


def test_patterns_of_conditions_counted_by_hand(tmp_path: Path) -> None:
    """A row tells of several conditions at once, and a condition that is not asked for adds up."""
    with create(tmp_path) as cohort:
        both, amd = cohort.pattern_counts(), cohort.pattern_counts(["amd"], age_width=40)
        nothing = cohort.pattern_counts([], age_width=120)
        cells = cohort.cells(["amd"], keys=[]).frame
        with pytest.raises(KeyError, match="no condition 'x' in the cohort; there are amd, dr"):
            cohort.pattern_counts(["x"])
        with pytest.raises(StudyError, match="age_width is 0; allowed: whole years from 1 to 120"):
            cohort.pattern_counts(age_width=0)
    assert both.drop(columns="sum_p").astype("object").where(both.notna(), None).values.tolist() == [
        ["female", 60, False, None, 1, 1],
        ["male", 60, True, False, 1, 1],
        ["other", 45, True, None, 1, 0],
        ["unknown", 45, False, None, 1, 1],
        ["unknown", 70, True, None, 1, 0],
    ]
    assert both["sum_p"].tolist() == [2**28, round(expit(2) * 2**30), 0, round(expit(-1.5) * 2**30), 0]
    assert amd[["recorded_sex", "age_low", "condition amd", "n"]].values.tolist() == [
        ["female", 40, False, 1],
        ["male", 40, True, 1],
        ["other", 40, True, 1],
        ["unknown", 40, False, 1],
        ["unknown", 40, True, 1],
    ]
    assert nothing[["recorded_sex", "n"]].values.tolist() == [["female", 1], ["male", 1], ["other", 1], ["unknown", 2]]
    assert amd["sum_p"].sum() == both["sum_p"].sum() == cells["sum_p"].sum()


def test_flow_adds_up_at_every_step(tmp_path: Path) -> None:
    """Each step is the one before less the lost, in patients and in images, and the sexes add up to the patients."""
    extra = score_rows(("z1", "Z", "R", 0.3, "ok"), ("n1", None, "R", 0.3, "ok"))
    scores = pd.concat([SCORES, extra], ignore_index=True)
    bands = AgeBands((40, 50, 60), end=70)
    leaving = TableInput(source=scores, name="scores", drop=["unknown_patient"])
    with create(tmp_path, scores=leaving, bands=bands) as cohort:
        flow = cohort.flow()
        assert {problem.kind for problem in cohort.problems} == {
            *("unknown_patient", "no_patient", "no_age", "eyes_and_persons_mixed")
        }
    counts = flow[["n_patients", "n_images", "patients_lost", "images_lost"]].values.tolist()
    assert counts == [
        [7, 10, 0, 0],  # Z is named by a score only
        [6, 8, 1, 2],  # Z, and the image that names nobody
        [6, 8, 0, 0],  # Z's image was left out by declaration, and is lost already
        [5, 7, 1, 1],  # E has no age
        [4, 7, 1, 0],  # F is 70
        [4, 6, 0, 1],  # the unreadable image of D
        [3, 6, 1, 0],  # D has no usable score
        [2, 4, 1, 2],  # C has no recorded sex
    ]
    for before, after in zip(flow.itertuples(), flow.iloc[1:].itertuples(), strict=False):
        assert after.n_patients == before.n_patients - after.patients_lost
        assert after.n_images == before.n_images - after.images_lost
    assert (flow[["n_male", "n_female", "n_other", "n_unknown"]].sum(axis=1) == flow["n_patients"]).all()
    assert flow["reason"].tolist()[5] == "unreadable: 1"


def test_patients_who_trained_the_model_do_not_validate(tmp_path: Path) -> None:
    """An in-sample patient loses the validating sex, not the place in the estimand; out-of-fold scores restore it."""
    with create(tmp_path, trained_on=["A"]) as cohort:
        frame = cohort.cells(["amd"]).frame
        assert frame["n"].sum() == 5
        assert "male" not in frame["recorded_sex"].tolist()
        assert cohort.flow().iloc[-1][["n_patients", "patients_lost"]].tolist() == [1, 1]
        kinds = [problem.kind for problem in cohort.problems]
        assert kinds == ["no_age", "eyes_and_persons_mixed", "trained_in_sample"]
        scores = cohort.score_frame()
        assert set(scores.loc[scores["patient_id"] == "A", "recorded_sex"]) == {"unknown"}
    with create(tmp_path, trained_on=["A"], scores=SCORES.assign(fold=2)) as cohort:
        assert "male" in cohort.cells(["amd"]).frame["recorded_sex"].tolist()
    partly = SCORES.assign(fold=[2, None, 2, 2, 2, 2, 2, 2])
    with create(tmp_path, trained_on=["A"], scores=partly) as cohort:
        assert "male" not in cohort.cells(["amd"]).frame["recorded_sex"].tolist()


def test_a_score_without_fold_beside_scores_with_one_validates_nothing(tmp_path: Path) -> None:
    """Folds say that the model saw patients of this cohort; whoever has none may be one of them, declared or not."""
    folds = SCORES.assign(fold=[None, None, None, 2, 2, 2, 2, 2])
    with create(tmp_path, scores=folds) as cohort:
        assert "male" not in cohort.cells(["amd"]).frame["recorded_sex"].tolist()
        assert "female" in cohort.cells(["amd"]).frame["recorded_sex"].tolist()
        last = cohort.flow().iloc[-1]
        assert (last["name"], last["n_patients"], last["patients_lost"]) == ("recorded sex validates the scores", 1, 1)
        (problem,) = [problem for problem in cohort.problems if problem.kind == "trained_in_sample"]
        assert (problem.source, problem.column, problem.count) == ("scores", "fold", 1)
        assert cohort.patient_counts() == {"analysed": 5, "scored": 3, "validated": 1}
    with create(tmp_path, scores=SCORES) as cohort:
        assert "male" in cohort.cells(["amd"]).frame["recorded_sex"].tolist(), "no fold at all: the model saw nobody"
        assert cohort.patient_counts() == {"analysed": 5, "scored": 3, "validated": 2}


def test_fold_models_of_one_recipe_are_not_a_mixture_of_models(tmp_path: Path) -> None:
    """Each fold may have a model of its own; two models within a fold are a mixture."""
    folds = SCORES.assign(fold=[0, 0, 0, 1, 1, 1, 1, 1], model_id=["m-0"] * 3 + ["m-1"] * 5)
    with create(tmp_path, scores=folds) as cohort:
        assert [problem.kind for problem in cohort.problems] == ["no_age", "eyes_and_persons_mixed"]
    with create(tmp_path, scores=folds.assign(fold=0)) as cohort:
        assert "several_models" in [problem.kind for problem in cohort.problems]


def test_patients_outside_the_training_ages_are_flagged_counted_and_kept(tmp_path: Path) -> None:
    """Only those scored by the very weights whose ages are known are judged; nobody leaves the estimates."""
    ages = TrainingAges(low=50, high=61, model_sha256="0" * 64)
    with create(tmp_path) as cohort:
        expected = cohort.cells().frame
    with create(tmp_path, training_ages=ages) as cohort:
        pd.testing.assert_frame_equal(cohort.cells().frame, expected)
        (problem,) = [problem for problem in cohort.problems if problem.kind == "outside_training_ages"]
        assert (problem.count, problem.value, problem.allowed) == (1, "45", "50 to 61")  # C; D and F have no score
        reason = cohort.flow().set_index("name").loc["patients with a usable score", "reason"]
        assert "of those who remain, 1 patient is outside the ages 50 to 61" in reason
    with duckdb.connect(str(tmp_path / "cohort.duckdb"), read_only=True) as connection:
        query = "SELECT patient_id FROM patient WHERE outside_training_ages"
        assert connection.execute(query).fetchall() == [("C",)]
    with create(tmp_path, training_ages=TrainingAges(low=50, high=61, model_sha256="1" * 64)) as cohort:
        assert [problem.kind for problem in cohort.problems] == ["no_age", "eyes_and_persons_mixed"], (
            "scores of another model"
        )


def test_score_frame_is_for_the_audit(tmp_path: Path) -> None:
    """Scores stand beside their person, one row an image, failed ones too."""
    with create(tmp_path) as cohort:
        frame = cohort.score_frame()
    assert frame["image_id"].tolist() == ["a1", "a2", "a3", "b1", "c1", "c2", "d1", "e1"]
    assert frame.columns.tolist() == [
        *["image_id", "patient_id", "eye", "prob_male", "status", "quality", "fold", "age_years", "recorded_sex"],
        *["site", "camera", "validation_probability", "weight", "stratum", "psu"],
    ]
    assert frame["age_years"].tolist()[0] == 61.9
    assert math.isnan(frame["prob_male"].tolist()[6])


def test_the_age_of_the_audit_is_that_at_the_photograph(tmp_path: Path) -> None:
    """Two visits of a patient born on 29 February are five years apart, to the day; without a date the age stays."""
    persons = pd.DataFrame(
        {
            "patient_id": ["A", "B"],
            "birth_date": ["1952-02-29", None],
            "visit_date": ["2012-03-01", None],
            "age_years": [None, 61.4],
            "recorded_sex": ["male", "female"],
        }
    )
    days = {"a1": "2012-02-28", "a2": "2012-02-29", "a3": "2017-03-01", "b1": "2017-03-01", "a4": None}
    images = pd.DataFrame(
        {"image_id": list(days), "patient_id": list("AAABA"), "path": "p", "acquired_on": days.values()}
    )
    scores = score_rows(*((name, name[0].upper(), "R", 0.7, "ok") for name in days))
    with Cohort.create(tmp_path / "dated.duckdb", persons=persons, scores=scores, images=images) as cohort:
        age = cohort.score_frame().set_index("image_id")["age_years"]
    assert [math.floor(age[name]) for name in ("a1", "a2", "a3")] == [59, 60, 65]
    assert age["a1"] == pytest.approx(59 + 365 / 366, abs=0.01)  # the day before the birthday
    assert age["a2"] == 60.0
    assert 65 <= age["a3"] < 65.01
    assert age["b1"] == 61.4  # no day of birth
    assert age["a4"] == 60.0  # no day of the photograph: the patient's age


def test_images_link_scores_that_name_no_patient(tmp_path: Path) -> None:
    """The image table gives a score its patient and eye, and lists what was never scored."""
    images = pd.DataFrame({"image_id": ["b1", "x1"], "patient_id": ["B", "B"], "eye": ["L", "R"], "path": ["p", "q"]})
    scores = score_rows(("b1", None, None, 0.25, "ok"))
    with create(tmp_path, images=images, scores=scores) as cohort:
        assert cohort.score_frame()[["patient_id", "eye"]].values.tolist() == [["B", "L"]]
        flow = cohort.flow()
    assert flow["n_images"].tolist()[:4] == [2, 2, 2, 1]
    assert flow["reason"].tolist()[3] == "not scored: 1"


@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow", "duckdb"])
def test_every_source_gives_the_same_cells(tmp_path: Path, kind: str) -> None:
    """CSV, Parquet, Arrow, pandas and DuckDB are ways in, not different studies."""

    def as_source(frame: pd.DataFrame, name: str) -> object:
        path = tmp_path / f"{name}.{kind}"
        table = pa.Table.from_pandas(frame, preserve_index=False)
        if kind == "arrow":
            return table
        if kind == "csv":
            frame.to_csv(path, index=False)
        elif kind == "parquet":
            frame.to_parquet(path)
        else:
            with duckdb.connect(str(path)) as connection:
                connection.register("incoming", table)
                connection.execute("CREATE TABLE t AS SELECT * FROM incoming")
            return TableInput(source=path, table="t")
        return path

    inputs = {"persons": PERSONS, "scores": SCORES, "conditions": CONDITIONS}
    with create(tmp_path) as cohort:
        expected = cohort.cells().frame
    with Cohort.create(tmp_path / "other.duckdb", **{k: as_source(v, k) for k, v in inputs.items()}) as cohort:
        pd.testing.assert_frame_equal(cohort.cells().frame, expected)


def test_round_trip_and_comments(tmp_path: Path) -> None:
    """A closed cohort opens again, read-only, and says what its tables hold."""
    with create(tmp_path) as cohort:
        before, problems = cohort.cells().frame, cohort.problems
    with Cohort.open(tmp_path / "cohort.duckdb") as cohort:
        pd.testing.assert_frame_equal(cohort.cells().frame, before)
        assert cohort.problems == problems
    with duckdb.connect(str(tmp_path / "cohort.duckdb"), read_only=True) as connection:
        described = dict(connection.execute('SELECT * FROM "README"').fetchall())
        assert all(described.values())
        assert {"person", "score", "image", "condition", "patient", "flow", "problem"} <= set(described)
        query = "SELECT comment FROM duckdb_columns() WHERE table_name = 'person' AND column_name = 'psu'"
        assert connection.execute(query).fetchall() == [("primary sampling unit",)]
        assert connection.execute(
            "SELECT count(*) FROM duckdb_columns() WHERE table_name = 'patient' AND comment IS NULL"
        ).fetchall() == [(0,)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cohort.duckdb"]


def test_threads_and_row_order_do_not_change_a_bit(tmp_path: Path) -> None:
    """One thread or four, rows up or down: the cells are the same bytes."""
    rng = np.random.default_rng(7)
    n = 4000
    persons = pd.DataFrame(
        {
            "patient_id": [f"P{k}" for k in range(n)],
            "age_years": rng.integers(40, 44, n),
            "recorded_sex": rng.choice(["male", "female", ""], n),
            "weight": rng.gamma(2.0, 1.0, n),
            "validation_probability": rng.uniform(0.1, 1, n),
        }
    )
    owners = rng.integers(0, n, 3 * n)
    rows = [(f"i{k}", f"P{owners[k]}", rng.choice(["R", "L"]), float(rng.random()), "ok") for k in range(3 * n)]
    scores = score_rows(*rows)
    conditions = pd.DataFrame({"patient_id": persons["patient_id"], "condition": "amd", "present": rng.random(n) < 0.3})
    digests = set()
    for threads, order in ((1, 1), (4, -1)):
        inputs = {"persons": persons[::order], "scores": scores[::order], "conditions": conditions[::order]}
        with Cohort.create(tmp_path / "c.duckdb", threads=threads, memory_limit="1GB", **inputs) as cohort:
            frame = cohort.cells().frame
            digests.add(hashlib.sha256(frame.to_csv(index=False, float_format="%.17g").encode()).hexdigest())
            assert frame["n"].sum() == n
            np.testing.assert_allclose(frame["sum_w"].sum(), persons["weight"].sum(), rtol=1e-14)
    assert len(digests) == 1


def test_two_eyes_become_the_value_of_the_documented_reference(tmp_path: Path) -> None:
    """The database combines images as ``sexstrat.scores.combine_eyes`` says, certain scores and lone eyes too."""
    rng = np.random.default_rng(3)
    drawn = [0.0, 1.0, *rng.random(600).tolist()]
    eyes: list[str | None] = rng.choice(np.array(["R", "L", None], dtype=object), len(drawn)).tolist()
    owners = [f"P{k}" for k in rng.integers(0, 250, len(drawn))]
    scores = score_rows(*((f"i{k}", owners[k], eyes[k], p, "ok") for k, p in enumerate(drawn)))
    persons = pd.DataFrame({"patient_id": sorted(set(owners)), "age_years": 50, "recorded_sex": "unknown"})
    Cohort.create(tmp_path / "c.duckdb", persons=persons, scores=scores).close()
    with duckdb.connect(str(tmp_path / "c.duckdb"), read_only=True) as connection:
        found = connection.execute("SELECT patient_id, prob_male, n_eyes FROM patient ORDER BY patient_id").df()
    expected = combine_eyes(drawn, eyes, owners)
    assert found["patient_id"].tolist() == expected["patient_id"].tolist()
    assert found["n_eyes"].tolist() == expected["n_eyes"].tolist()
    np.testing.assert_allclose(found["prob_male"], expected["prob_male"], rtol=0, atol=1e-11)


def test_interrupted_build_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that dies halfway leaves the cohort of yesterday, and no litter."""
    create(tmp_path).close()
    before = (tmp_path / "cohort.duckdb").read_bytes()

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store_module, "write_cohort", dies)
    with pytest.raises(KeyboardInterrupt):
        create(tmp_path)
    assert (tmp_path / "cohort.duckdb").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["cohort.duckdb"]


def test_a_cohort_built_under_an_open_one_shows_its_own_rows(tmp_path: Path) -> None:
    """Rebuilding a file that this process still reads never serves the old rows as the new."""
    old = create(tmp_path)
    new = create(tmp_path, conditions=CONDITIONS[CONDITIONS["patient_id"] == "B"])
    again = Cohort.open(tmp_path / "cohort.duckdb")
    assert [c.cells().frame["n"].sum() for c in (old, new, again)] == [6, 1, 1]
    for cohort in (old, new, again):
        cohort.close()


def test_no_rows_at_all(tmp_path: Path) -> None:
    """Empty tables make an empty cohort: no cells, and a flow of zeros."""
    empty = {"persons": PERSONS[:0], "scores": SCORES[:0], "conditions": CONDITIONS[:0]}
    with Cohort.create(tmp_path / "c.duckdb", **empty) as cohort:
        cells = cohort.cells()
        assert cells.conditions == ()
        assert (cells.frame.dtypes == create(tmp_path).cells().frame.dtypes).all()
        assert cohort.flow()["n_patients"].tolist() == [0] * 6
        assert cohort.score_frame().empty
        assert cohort.condition_counts().empty


def test_clustered_cohorts_put_a_whole_cluster_in_one_fold(tmp_path: Path) -> None:
    """Where primary sampling units are given, the fold is theirs."""
    persons = PERSONS.assign(psu="village", recorded_sex="male", validation_probability=None)
    with create(tmp_path, persons=persons) as cohort:
        assert set(cohort.cells(["amd"]).frame["fold"]) == {fold_of("village")}


def test_numbered_patients_match_across_sources(tmp_path: Path) -> None:
    """Patient 7 is patient 7, whether a file holds 7, 7.0 or '7'."""
    persons = pd.DataFrame({"patient_id": [7], "age_years": [50], "recorded_sex": [1.0]})
    conditions = pd.DataFrame({"patient_id": [7.0, None][:1], "condition": ["amd"], "present": [1]})
    with Cohort.create(tmp_path / "c.duckdb", persons=persons, conditions=conditions, sex_coding="iso5218") as cohort:
        assert cohort.cells().frame[["recorded_sex", "diseased"]].values.tolist() == [["male", True]]


def test_a_file_that_is_no_cohort_is_refused(tmp_path: Path) -> None:
    """Absent, foreign and differently laid out files are told apart."""
    with pytest.raises(SchemaError, match="there is no cohort file"):
        Cohort.open(tmp_path / "no.duckdb")
    (tmp_path / "text.duckdb").write_text("hello " * 1000)
    with pytest.raises(SchemaError, match="the file is no cohort"):
        Cohort.open(tmp_path / "text.duckdb")
    duckdb.connect(str(tmp_path / "other.duckdb")).close()
    with pytest.raises(SchemaError, match="the file is no cohort"):
        Cohort.open(tmp_path / "other.duckdb")
    create(tmp_path).close()
    with duckdb.connect(str(tmp_path / "cohort.duckdb")) as connection:
        connection.execute("UPDATE schema_version SET version = 99")
    with pytest.raises(SchemaError, match="another layout; build it again; found '99'"):
        Cohort.open(tmp_path / "cohort.duckdb")


def test_settings_that_are_not_understood(tmp_path: Path) -> None:
    """A wrong setting is a mistake of the study file, exit code 2."""
    for wrong in ({"sex_coding": "1=male"}, {"memory_limit": "lots"}):
        with pytest.raises(StudyError):
            create(tmp_path, **wrong)
    with pytest.raises(StudyError, match="encoding 'latin-1' is not known; allowed: utf-8, utf-8-sig, cp932"):
        TableInput(source="x.csv", encoding="latin-1")
    with pytest.raises(StudyError, match=r"persons.drop: 'noage' is no kind .* did you mean no_age\?"):
        create(tmp_path, persons=TableInput(source=PERSONS, drop=["noage"]))
    with pytest.raises(StudyError, match="on_conflict is one of error, present; found 'absent'"):
        TableInput(source=PERSONS, on_conflict="absent")
    with pytest.raises(StudyError, match="the column mapping names 'sex'"):
        check_inputs(persons=TableInput(source=PERSONS, columns={"sex": "recorded_sex"}))
    assert list(tmp_path.iterdir()) == []
