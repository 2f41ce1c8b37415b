"""A declared quality, inferred eyes and predicted ages decide what a cohort counts, and the flow says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sexstrat.cohort import Cohort, check_inputs
from sexstrat.cohort.score_use import ScoreUse
from sexstrat.cohort.use_frames import n_predicted_ages
from sexstrat.errors import SchemaError, StudyError
from sexstrat.scores import read_scores, write_scores
from sexstrat.values.age_bands import AgeBands

PERSONS = pd.DataFrame(
    {"patient_id": list("abcd"), "age_years": [45.0, 55.0, None, None], "recorded_sex": ["male", "female"] * 2}
)
CONDITIONS = pd.DataFrame({"patient_id": list("abcd"), "condition": "amd", "present": [True, False, True, False]})


def scores(**columns: Any) -> pd.DataFrame:
    """Return two scored photographs of a and b, one of c, and one of d that cannot be read."""
    rows = pd.DataFrame(
        {
            "image_id": ["a1", "a2", "b1", "b2", "c1", "d1"],
            "path": "x.jpg",
            "patient_id": list("aabbcd"),
            "eye": ["R", "L", "R", "L", "R", None],
            "eye_source": ["list", "list", "inferred", "inferred", "list", "none"],
            "model_id": "m",
            "model_sha256": "0" * 64,
            "precision": "float32",
            "decode": "safe",
            "prob_male": [0.9, 0.8, 0.3, 0.4, 0.6, None],
            "status": ["ok"] * 5 + ["unreadable"],
            "reason": [None] * 5 + ["cannot be decoded"],
            "quality": [0.9, 0.3, 0.5, 0.49, 0.2, None],
        }
    )
    return rows.assign(**columns)


def cohort(folder: Path, **declared: Any) -> Cohort:
    options: dict[str, Any] = {"persons": PERSONS, "scores": scores(), "conditions": CONDITIONS} | declared
    return Cohort.create(folder / "c.duckdb", **options)


def flow_of(made: Cohort) -> pd.DataFrame:
    return made.flow().set_index("name")


def test_a_photograph_below_the_declared_quality_is_ungradable_and_says_why(tmp_path: Path) -> None:
    """At 0.5 the photographs of 0.3, 0.49 and 0.2 go, the one at 0.5 stays; what was unreadable stays unreadable."""
    persons = PERSONS.assign(age_years=50.0)
    with cohort(tmp_path, persons=persons, score_use=ScoreUse(min_quality=0.5, accept_inferred_eye=True)) as made:
        kept = made.score_frame().set_index("image_id")
        flow = flow_of(made)
        counts = made.patient_counts()
        cells = made.cells().frame
    assert kept["status"].to_dict() == {
        "a1": "ok", "a2": "ungradable", "b1": "ok", "b2": "ungradable", "c1": "ungradable", "d1": "unreadable"
    }  # fmt: skip
    assert kept["quality"].tolist()[:5] == [0.9, 0.3, 0.5, 0.49, 0.2]
    assert kept.loc[["a2", "b2", "c1"], "prob_male"].isna().all()
    step = flow.loc["images not below the declared quality of 0.5"]
    assert (step["n_images"], step["images_lost"]) == (3, 3)
    assert step["reason"] == "below the declared quality: counted as ungradable"
    scored = flow.loc["images with a usable score"]
    assert (scored["n_images"], scored["images_lost"]) == (2, 1)
    assert scored["reason"].startswith("unreadable: 1; the eye of 1 image is inferred")
    assert (counts["analysed"], counts["scored"]) == (4, 2)
    assert cells.loc[cells["n_eyes"] == 0, "n"].sum() == 2


def test_quality_is_a_measure_and_no_gate_unless_declared(tmp_path: Path) -> None:
    """Without a declared quality every score counts, and the score table is never changed by one that is."""
    write_scores(scores(), tmp_path / "scores.parquet")
    before = (tmp_path / "scores.parquet").read_bytes()
    with cohort(tmp_path, scores=tmp_path / "scores.parquet") as made:
        assert (made.score_frame()["status"] == "ok").sum() == 5
        assert not any("quality" in name for name in flow_of(made).index)
    with cohort(tmp_path, scores=tmp_path / "scores.parquet", score_use=ScoreUse(min_quality=0.95)) as made:
        assert (made.score_frame()["status"] == "ok").sum() == 0
    assert (tmp_path / "scores.parquet").read_bytes() == before
    assert read_scores(tmp_path / "scores.parquet")["prob_male"].notna().sum() == 5


def test_a_declared_quality_needs_measures(tmp_path: Path) -> None:
    """A score without a measure can neither pass nor fail: the build stops and says what to do."""
    with pytest.raises(SchemaError, match="a least quality is declared and this score has no measure of quality"):
        cohort(tmp_path, scores=scores(quality=None), score_use=ScoreUse(min_quality=0.5))
    options: dict[str, Any] = {"age_scores": AGES, "age_source": "predicted"}
    with pytest.raises(SchemaError, match="age_scores, row 1, column quality"):
        cohort(tmp_path, score_use=ScoreUse(min_quality=0.1), **options)
    with pytest.raises(StudyError, match="min_quality must be a number from 0 to 1; found 50"):
        ScoreUse(min_quality=50)


@pytest.mark.parametrize(("accepted", "n_eyes", "meaning"), [(True, 2, "accepts"), (False, 1, "does not accept")])
def test_an_inferred_eye_counts_as_known_only_where_accepted(
    tmp_path: Path, accepted: bool, n_eyes: int, meaning: str
) -> None:
    """Two photographs with inferred eyes are two eyes where the study accepts that, else together one not known."""
    with cohort(tmp_path, score_use=ScoreUse(accept_inferred_eye=accepted)) as made:
        cells = made.cells().frame
        reason = flow_of(made).loc["images with a usable score", "reason"]
        eyes = made.score_frame().set_index("image_id")["eye"]
    assert cells.loc[~cells["diseased"], "n_eyes"].tolist() == [n_eyes]
    assert cells.loc[cells["diseased"], "n_eyes"].tolist() == [2]
    assert f"the eye of 2 images is inferred from the side of the optic disc, which the study {meaning}" in reason
    assert eyes.loc[["b1", "b2"]].notna().all() == accepted


def test_disagreement_about_the_eye_is_reported_and_the_stated_eye_used(tmp_path: Path) -> None:
    """The list stays right whatever the disc says; warning and flow count it."""
    against = scores(eye_disagreement=["inferred", None, None, None, None, None])
    with cohort(tmp_path, scores=against) as made:
        reason = flow_of(made).loc["images with a usable score", "reason"]
        assert made.score_frame().set_index("image_id").loc["a1", "eye"] == "R"
        (problem,) = [one for one in made.problems if one.kind == "eyes_disagree"]
    assert "for 1 image the header or the side of the optic disc speaks for the other eye" in reason
    assert (problem.severity, problem.value, problem.count) == ("warning", "a1: R, against inferred", 1)


def test_the_image_table_goes_before_an_inferred_eye(tmp_path: Path) -> None:
    """An eye that a list names, here or in the score table, is never the inferred one; the disagreement is counted."""
    images = pd.DataFrame({"image_id": ["b1", "b2"], "path": "x.jpg", "patient_id": "b", "eye": ["L", None]})
    given = scores(inferred_eye=[None, None, "R", "L", None, None])
    with cohort(tmp_path, scores=given, images=images, score_use=ScoreUse(accept_inferred_eye=True)) as made:
        eyes = made.score_frame().set_index("image_id")["eye"]
        reason = flow_of(made).loc["images with a usable score", "reason"]
    assert eyes.loc[["b1", "b2"]].tolist() == ["L", "L"]
    assert "the eye of 1 image is inferred" in reason
    assert "for 1 image the header or the side of the optic disc speaks for the other eye" in reason


AGES = pd.DataFrame(
    {
        "image_id": ["a1", "a2", "a3", "c1", "d1"],
        "patient_id": list("aaacd"),
        "eye": ["R", "R", "L", "R", None],
        "model_id": "age-model",
        "model_sha256": "1" * 64,
        "predicted_age": [50.0, 60.0, 80.0, 52.4, None],
        "status": ["ok"] * 4 + ["unreadable"],
    }
)


@pytest.mark.parametrize(
    ("source", "ages", "sources", "no_age"),
    [
        ("recorded", {"a": 45, "b": 55}, {"recorded": 2}, "no age and no two dates to take it from"),
        ("predicted", {"a": 45, "b": 55, "c": 52}, {"recorded": 2, "predicted": 1}, "none predicted from a photograph"),
        ("predicted_for_all", {"a": 67, "c": 52}, {"predicted": 2}, "which this study uses for everybody"),
    ],
)
def test_predicted_age_is_used_as_declared_and_never_replaces_the_recorded_one(
    tmp_path: Path, source: str, ages: dict[str, int], sources: dict[str, int], no_age: str
) -> None:
    """Where none is recorded, or for all: the person table keeps what was recorded, the flow counts the others."""
    given = {} if source == "recorded" else {"age_scores": AGES}
    with cohort(tmp_path, age_source=source, bands=AgeBands((40,)), **given) as made:
        read = made._connection.execute
        patients = read("SELECT patient_id, age_years, age_source FROM patient WHERE age_years IS NOT NULL").df()
        persons = read("SELECT patient_id, age_years FROM person ORDER BY patient_id").df()
        flow = flow_of(made)
        problems = [problem for problem in made.problems if problem.kind == "no_age"]
        assert n_predicted_ages(made) == sources.get("predicted", 0)
    assert dict(zip(patients["patient_id"], patients["age_years"], strict=True)) == ages
    assert patients["age_source"].value_counts().to_dict() == sources
    assert persons["age_years"].fillna(-1).tolist() == [45.0, 55.0, -1.0, -1.0]
    assert no_age in flow.loc["age known", "reason"]
    note = flow.loc["age inside the declared bands: these enter the estimates", "reason"]
    predicted = sources.get("predicted", 0)
    if predicted:
        assert f"{predicted} {'patient has' if predicted == 1 else 'patients have'} an age that a model" in note
    assert sum(problem.count for problem in problems) == 4 - len(ages)


def test_scores_of_another_kind_or_of_nobody_are_named(tmp_path: Path) -> None:
    """A table of sex given as ages, two models, an unknown patient: each is said with its row."""
    options: dict[str, Any] = {"persons": PERSONS, "age_source": "predicted"}
    sex = [one for one in check_inputs(**options, age_scores=scores()).problems if one.severity == "error"]
    assert [(one.kind, one.column, one.row) for one in sex] == [("status_contradicts_score", "predicted_age", 1)]
    mixed = AGES.assign(model_id=["age-model"] * 3 + ["other"] * 2, patient_id=["a", "a", "z", "c", None])
    found = {one.kind: (one.row, one.severity) for one in check_inputs(**options, age_scores=mixed).problems}
    assert found["several_models"] == (4, "error")
    assert found["unknown_patient"] == (3, "warning")
    assert found["no_patient"] == (5, "warning")
    with pytest.raises(StudyError, match="needs the scores of a model of age"):
        check_inputs(**options)
    with pytest.raises(StudyError, match="say age_source 'predicted'"):
        check_inputs(persons=PERSONS, age_scores=AGES)
    with pytest.raises(StudyError, match="age_source is one of recorded, predicted"):
        check_inputs(persons=PERSONS, age_source="guessed")
