"""`sexstrat score` and `sexstrat scores`: what a shell sees, with real photographs, networks, shards and ensembles."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from sexstrat.cli.app import run
from sexstrat.cli.meter import progress_shown
from sexstrat.errors import StudyError
from sexstrat.models import GoldenOutput, shipped_card, write_card
from sexstrat.scores import Shard, join_shards, patient_scores, read_scores, score_images


def document(capsys: pytest.CaptureFixture[str], words: list[str], code: int = 0) -> dict[str, Any]:
    """Run a command with --json and return the one document that it prints."""
    capsys.readouterr()
    assert run([*words, "--json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture
def photos(tmp_path: Path, synthetic: ModuleType) -> Path:
    """Return a list of six photographs of three people, one of them a text file."""
    synthetic.write_fundi(tmp_path / "photos", 5)
    (tmp_path / "photos" / "note.jpg").write_text("not a photograph", encoding="utf-8")
    listing = tmp_path / "images.csv"
    names = [f"photos/{name}.jpg" for name in ("000", "001", "002", "003", "004", "note")]
    pd.DataFrame({"path": names, "patient_id": list("aabbcc"), "eye": list("RLRLRL")}).to_csv(listing, index=False)
    return listing


def test_one_document_tells_what_became_of_every_image(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Listed, scored, refused by reason, ungradable, reused, time and rate; the second run reuses all it can."""
    out, patients = tmp_path / "scores.parquet", tmp_path / "patients.csv"
    words = ["score", str(photos), "--out", str(out), "--patients", str(patients)]
    first = document(capsys, words)
    assert first["ok"] is True
    assert (first["listed"], first["scored"], first["refused"], first["ungradable"], first["reused"]) == (
        6,
        5,
        {"not_an_image": 1},
        0,
        0,
    )
    assert first["images_per_second"] == pytest.approx(6 / first["seconds"], rel=0.01)
    second = document(capsys, words)
    assert (second["reused"], second["images_per_second"]) == (6, None)
    assert (first["patients"], first["patients_without_score"], first["images_without_patient"]) == (3, 0, 0)
    table = pd.read_csv(patients).set_index("patient_id")
    scores = read_scores(out).set_index("image_id")["prob_male"]
    assert table["n_eyes"].tolist() == [2, 2, 1]
    assert table.loc["a", "prob_male"] == pytest.approx(expit(logit(scores.iloc[:2]).mean()))
    again = document(capsys, ["scores", "combine", str(out), "--out", str(tmp_path / "again.csv")])
    assert again["patients"] == 3
    assert (tmp_path / "again.csv").read_bytes() == patients.read_bytes()
    assert run(words) == 0
    assert "6 images of 3 patients: 5 scored, 1 without a score (1 not an image)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--shard", "0/8"], 2, "--shard 0/8: the number must be from 1 to 8"),
        (["--views", "sideways"], 2, "unknown views 'sideways'; allowed: as_taken, both, as_left_eye"),
        (["--engine", "spark"], 2, "unknown engine 'spark'; allowed: local, dask"),
        (["--model", "nowhere.json"], 3, "the model card nowhere.json cannot be read"),
        (["--patients", "p.xlsx"], 2, "p.xlsx: a score table is written as .parquet or .csv"),
        (["--recorded-sex", "p.csv"], 2, "--recorded-sex recalibrates patients; say --patients OUT as well"),
        (["--shard", "1/2", "--patients", "p.csv"], 2, "a shard holds some images of a patient only"),
        (["--out", "gs://bucket/scores.parquet"], 2, "needs the package gcsfs; install it: pip install gcsfs"),
    ],
)
def test_a_failure_is_one_document_too(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, message: str
) -> None:
    """What was asked wrongly is said, with the exit code of its kind, before a photograph is touched."""
    out = [] if "--out" in words else ["--out", str(tmp_path / "scores.parquet")]
    found = document(capsys, ["score", str(photos), *out, *words], code)
    assert (found["ok"], found["exit_code"]) == (False, code)
    assert message in found["error"]["message"]
    assert not (tmp_path / "scores.parquet").exists()


def test_shards_join_to_the_table_of_one_run(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three shards give, joined, the very table; a missing, doubled or foreign one is refused."""
    whole, out = tmp_path / "whole.parquet", tmp_path / "scores.parquet"
    document(capsys, ["score", str(photos), "--out", str(whole)])
    for number in (1, 3):
        document(capsys, ["score", str(photos), "--out", str(out), "--shard", f"{number}/3"])
    found = document(capsys, ["scores", "join", str(out)], 2)
    assert "1 of 3 shards are missing: 2/3" in found["error"]["message"]
    assert not out.exists()
    document(capsys, ["score", str(photos), "--out", str(out), "--shard", "2/3"])
    assert document(capsys, ["scores", "join", str(out)]) == {"ok": True, "out": str(out), "rows": 6}
    pd.testing.assert_frame_equal(read_scores(out), read_scores(whole))
    first, second = (Path(Shard(number=number, of=3).table(out)) for number in (1, 2))
    kept = second.read_bytes()
    shutil.copy(first, second)
    with pytest.raises(StudyError, match="in two shards"):
        join_shards(out)
    second.write_bytes(kept)
    document(capsys, ["score", str(photos), "--out", str(out), "--shard", "2/3", "--views", "as_taken"])
    with pytest.raises(StudyError, match="shard 2 was scored by another model or in another way than shard 1"):
        join_shards(out)
    document(capsys, ["score", str(photos), "--out", str(out), "--shard", "1/2"])
    with pytest.raises(StudyError, match="shards of 2 and of 3 lie there"):
        join_shards(out)


def test_more_shards_than_images_are_no_harm(tmp_path: Path, synthetic: ModuleType) -> None:
    """Some shards of a short list are empty, and the joined table is whole; other tables in the folder stay out."""
    synthetic.write_fundi(tmp_path, 2)
    out = tmp_path / "scores.parquet"
    for number in (1, 2, 3):
        shard = Shard(number=number, of=3)
        score_images(tmp_path, model=synthetic.arithmetic_model(), out=out, shard=shard)
    assert join_shards(out) == 2
    assert read_scores(out)["image_id"].tolist() == ["000.jpg", "001.jpg"]
    assert len(score_images(tmp_path, model=synthetic.arithmetic_model(), out=out)) == 2


def test_flips_are_the_mean_of_both_ways_and_named(tmp_path: Path, synthetic: ModuleType) -> None:
    """`views` looks at the mirror image too, is part of model_id, and never reuses scores of other views."""
    synthetic.write_fundi(tmp_path / "photos", 3)
    model, out = synthetic.arithmetic_model(), tmp_path / "scores.parquet"
    plain = score_images(tmp_path / "photos", model=model, out=out)
    flipped = score_images(tmp_path / "photos", model=model, out=out, views="both")
    assert set(flipped["model_id"]) == {"arithmetic+views=both"}
    assert set(flipped["model_sha256"]) == set(plain["model_sha256"])
    assert (flipped["prob_male"] != plain["prob_male"]).all()
    same = score_images(tmp_path / "photos", model=model, out=out, views="as_taken")
    pd.testing.assert_frame_equal(same, plain)


def test_an_ensemble_is_the_mean_logit_of_its_members(tmp_path: Path, synthetic: ModuleType) -> None:
    """One row set with the members' names and a digest of theirs, in any order; members are kept on request."""
    photos = tmp_path / "photos"
    synthetic.write_fundi(photos, 4)
    (photos / "note.jpg").write_text("not a photograph", encoding="utf-8")
    first = synthetic.arithmetic_model()
    second = synthetic.arithmetic_model(digest="b" * 64, weights_seed=8)
    out = tmp_path / "scores.parquet"
    found = score_images(photos, model=[second, first], out=out, keep_members=True)
    alone = [score_images(photos, model=model) for model in (first, second)]
    mean = np.mean([logit(table["prob_male"]) for table in alone], axis=0)
    np.testing.assert_allclose(found["prob_male"], expit(mean), atol=1e-12)
    assert set(found["model_id"]) == {"arithmetic & arithmetic"}
    assert len(set(found["model_sha256"])) == 1
    assert not set(found["model_sha256"]) & {"a" * 64, "b" * 64}
    assert found["status"].tolist() == ["ok"] * 4 + ["not_an_image"]
    turned = score_images(photos, model=[first, second])
    pd.testing.assert_frame_equal(turned, found)
    for number, table in enumerate(alone, 1):
        pd.testing.assert_frame_equal(read_scores(tmp_path / f"scores.member-{number}.parquet"), table)
    with pytest.raises(StudyError, match="the weights of arithmetic are named twice"):
        score_images(photos, model=[first, synthetic.arithmetic_model()])


def test_a_saved_model_is_refused_before_a_photograph_is_read(
    tmp_path: Path, synthetic: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --trust the run ends at once with the way out; with it the folder itself is looked for."""
    photos = synthetic.write_fundi(tmp_path / "photos", 1)[0].parent
    card = replace(synthetic.arithmetic_model().card, weights_format="saved_model", weights_file="saved")
    write_card(card, tmp_path / "theirs.json")
    words = ["score", str(photos), "--model", str(tmp_path / "theirs.json"), "--out", str(tmp_path / "s.parquet")]
    assert run(words) == 3
    assert "only read when you trust its maker (--trust" in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.glob("s.parquet*"))
    assert run([*words, "--trust"]) == 3
    assert "weights file saved is not beside its card" in " ".join(capsys.readouterr().err.split())


def test_a_model_of_age_writes_predicted_age_and_no_sex(tmp_path: Path, synthetic: ModuleType) -> None:
    """Years in a column of their own, averaged by eye for a patient; what is no age is a model that failed."""
    photos = tmp_path / "photos"
    paths = synthetic.write_fundi(photos, 3)
    sex = synthetic.arithmetic_model()
    answers = iter([[50.0, 60.0, 80.0], [210.0, 60.0, 80.0]])
    card = replace(
        sex.card,
        output_kind="age_years",
        class_order=(),
        positive_class="none",
        golden=(GoldenOutput(seed=1, age_years=60.0),),
    )
    model = replace(sex, card=card, forward=lambda pixels: np.array(next(answers), dtype=np.float32)[:, None])
    listing = pd.DataFrame({"path": [str(path) for path in paths], "patient_id": "a", "eye": ["R", "R", "L"]})
    found = score_images(listing, model=model, out=tmp_path / "ages.parquet")
    assert found["predicted_age"].tolist() == [50.0, 60.0, 80.0]
    assert found["prob_male"].isna().all()
    pd.testing.assert_frame_equal(read_scores(tmp_path / "ages.parquet"), found)
    person = patient_scores(found).iloc[0]
    assert (person["predicted_age"], person["n_eyes"], person["eye_spread"]) == (67.5, 2, 25.0)
    assert "prob_male" not in person
    again = score_images(listing, model=model)
    assert again["status"].tolist() == ["model_failed", "ok", "ok"]
    assert again["reason"].iloc[0] == "the model returned 210, which is no age"
    with pytest.raises(StudyError, match="some of the models estimate sex and others age"):
        score_images(listing, model=[model, synthetic.arithmetic_model(digest="b" * 64)])


def test_an_inferred_eye_is_not_known_unless_that_is_accepted() -> None:
    """Two photographs with inferred eyes are one eye that is not known: logit (1 + 3) / 2 against the named one's 0."""
    p = 1 / (1 + np.exp(-np.array([1.0, 3.0, 0.0])))
    rows = pd.DataFrame({"patient_id": "a", "eye": ["R", "L", "L"], "prob_male": p, "status": "ok"})
    rows = rows.assign(model_id="m", model_sha256="0" * 64, eye_source=["inferred", "inferred", "list"])
    by_acceptance = {accept: patient_scores(rows, accept_inferred_eye=accept).iloc[0] for accept in (False, True)}
    logits = {accept: float(np.log(row["prob_male"] / (1 - row["prob_male"]))) for accept, row in by_acceptance.items()}
    assert logits[False] == pytest.approx(1.0)  # eye not known 2, left 0
    assert logits[True] == pytest.approx(1.25)  # right 1, left (3 + 0) / 2
    assert by_acceptance[False].isna()["eye_spread"]
    assert by_acceptance[True]["eye_spread"] == pytest.approx(0.5)


def test_accepting_inferred_eyes_needs_a_patient_table(
    synthetic: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An option that would do nothing is refused before an image is scored."""
    assert run(["score", str(tmp_path), "--out", str(tmp_path / "s.csv"), "--accept-inferred-eye"]) == 2
    assert "say --patients OUT as well" in capsys.readouterr().err


def test_cross_fitted_scores_combine_though_each_fold_has_its_model(tmp_path: Path) -> None:
    """One model a fold is what cross-fitting makes; without folds several models are refused."""
    rows = pd.DataFrame({"patient_id": list("abc"), "eye": "R", "prob_male": [0.2, 0.5, 0.8], "status": "ok"})
    models = ["m-fold0", "m-fold1", "m-fold0"]
    scores = rows.assign(model_id=models, model_sha256=["0" * 64, "1" * 64, "0" * 64], fold=[0, 1, 0])
    assert patient_scores(scores)["model_id"].tolist() == models
    with pytest.raises(StudyError, match=r"of 2 models \(m-fold0, m-fold1\)"):
        patient_scores(scores.assign(fold=[0, 1, None]))


def test_a_member_that_fails_costs_the_ensembles_score_and_says_why(tmp_path: Path, synthetic: ModuleType) -> None:
    """An ensemble of fewer members than named is another ensemble: no score rather than that."""
    synthetic.write_fundi(tmp_path, 2)
    fails = synthetic.arithmetic_model(digest="b" * 64, fails=lambda number: number in {1, 2})
    found = score_images(tmp_path, model=[synthetic.arithmetic_model(), fails], batch_size=2)
    assert found["status"].tolist() == ["model_failed", "ok"]
    assert found["reason"].iloc[0] == "the model failed: RuntimeError: out of memory"
    assert found["prob_male"].isna().tolist() == [True, False]


def test_recalibration_is_told_with_its_slope(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`scores combine --recorded-sex` prints slope and interval by number of eyes, and writes the scores."""
    rng = np.random.default_rng(5)
    male = rng.random(200) < 0.5
    prob = expit(rng.normal(np.where(male, 1.0, -1.0)))
    names = [f"p{number}" for number in range(200)]
    card = shipped_card()
    scores = tmp_path / "scores.csv"
    pd.DataFrame(
        {
            "image_id": names,
            "path": names,
            "patient_id": names,
            "eye_source": "none",
            "model_id": card.model_id,
            "model_sha256": card.weights_sha256,
            "precision": "float32",
            "decode": "safe",
            "prob_male": prob,
            "status": "ok",
        }
    ).to_csv(scores, index=False)
    persons = tmp_path / "persons.csv"
    sex = np.where(male, "male", "female")
    pd.DataFrame({"patient_id": names, "recorded_sex": sex}).iloc[:150].to_csv(persons, index=False)
    words = ["scores", "combine", str(scores), "--out", str(tmp_path / "p.parquet"), "--recorded-sex", str(persons)]
    (line,) = document(capsys, words)["calibration"]
    assert line["slope_low"] < 2.0 < line["slope_high"]
    assert run(words) == 0
    assert f"{line['slope']:.3f} ({line['slope_low']:.3f} to {line['slope_high']:.3f})" in capsys.readouterr().out
    assert pd.read_parquet(tmp_path / "p.parquet")["calibration"].value_counts().to_dict() == {
        "cross_fitted": 150,
        "fitted": 50,
    }


def test_a_terminal_sees_a_bar_with_rate_and_time_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal numbers move a bar; elsewhere lines are written."""
    screen = io.StringIO()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with progress_shown(print, terminal=True) as (progress, meter):
        assert progress is None
        assert meter is not None
        meter(10, 40, 10)
        meter(40, 40, 10)
    assert "40/40" in screen.getvalue()
    assert "images/s" in screen.getvalue()
    with progress_shown(print, terminal=False) as (progress, meter):
        assert (progress, meter) == (print, None)
