"""`sexstrat explain` draws where a model looks, from JPEG and DICOM alike, and tells neither sex nor score."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sexstrat.cli.app import run
from sexstrat.errors import ImageError, StudyError
from sexstrat.images import prepare
from sexstrat.scores import CAVEAT, explain_image

ALLOWED_KEYS = {
    "ok", "out", "method", "detail", "model_id", "model_sha256", "runtime", "precision", "eye", "mirrored", "flat",
    "largest", "unit", "half_share", "rim_share", "rim_area", "quality", "field_of_view", "note", "meaning", "caveat",
}  # fmt: skip


@pytest.fixture
def files(tmp_path: Path, synthetic: ModuleType, dicom: ModuleType) -> dict[str, Path]:
    """Return one photograph as PNG and as DICOM with patient and eye, another as JPEG, and a file of two frames."""
    one, other = (np.asarray(synthetic.draw_fundus(seed, width=200, height=160)) for seed in (1, 2))
    paths = {name: tmp_path / name for name in ("a.png", "b.dcm", "c.jpg", "d.dcm")}
    Image.fromarray(one).save(paths["a.png"])
    paths["b.dcm"].write_bytes(dicom.dicom_bytes(one, PatientID="17", PatientSex="M", ImageLaterality="R"))
    Image.fromarray(other).save(paths["c.jpg"], quality=95)
    paths["d.dcm"].write_bytes(dicom.several_frames([one, other]))
    return paths


def test_the_photograph_is_the_one_that_scoring_prepares(files: dict[str, Path], synthetic: ModuleType) -> None:
    """PNG, DICOM and the first of two frames give the same picture and map; the header's eye is taken."""
    model = synthetic.arithmetic_model()
    found = [
        explain_image(files[name], model=model, frame=frame)
        for name, frame in (("a.png", None), ("b.dcm", None), ("d.dcm", 1))
    ]
    expected = prepare(files["a.png"], model.card.prepared_size).pixels
    for one in found:
        assert (one.explanation.pixels == expected).all()
        assert (one.explanation.importance == found[0].explanation.importance).all()
    assert [one.eye for one in found] == [None, "R", None]
    second = explain_image(files["d.dcm"], model=model, frame=2)
    assert not (second.explanation.pixels == expected).all()


@pytest.mark.parametrize(("name", "method", "suffix"), [("c.jpg", "occlusion", "svg"), ("b.dcm", "grad-cam", "png")])
def test_the_command_writes_a_figure_and_says_no_sex(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, method: str, suffix: str
) -> None:
    """One document, one figure with the caveat; no key, word or number of the output is in either."""
    out = tmp_path / "maps" / f"map.{suffix}"
    words = ["explain", str(files[name]), "--method", method, "--grid", "8", "--out", str(out)]
    assert run([*words, "--json"]) == 0
    printed = capsys.readouterr().out
    told: dict[str, Any] = json.loads(printed)
    assert set(told) == ALLOWED_KEYS
    assert (told["method"], told["caveat"], told["unit"]) == (method, CAVEAT, "logit")
    assert told["largest"] > 0
    assert 0 < told["half_share"] <= 0.5
    says_sex = re.compile(r"\b(fe)?male\b|\b(wo)?m[ae]n\b|prob|score|logits", re.IGNORECASE)
    assert not says_sex.search(printed.replace("between the sexes", ""))
    content = out.read_bytes()
    if suffix == "png":
        with Image.open(out) as picture:
            assert picture.size == (1720, 1112)
    else:
        text = content.decode()
        assert "nothing more. The map" in text
        assert not says_sex.search(re.sub(r"data:image/png;base64,[^\"]*", "", text))


def test_people_read_the_caveat_too(files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json the caveat stands on the terminal, line by line."""
    words = ["explain", str(files["c.jpg"]), "--method", "grad-cam", "--out", str(tmp_path / "map.svg")]
    assert run(words) == 0
    assert CAVEAT in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["a.png", "--out", "map.pdf"], 2, "a figure is an .svg or a .png file"),
        (["a.png", "--out", "map.svg", "--method", "shap"], 2, "unknown method 'shap'; allowed: occlusion, grad-cam"),
        (["a.png", "--out", "map.svg", "--eye", "left"], 2, "unknown eye 'left'; allowed: R, L"),
        (["a.png", "--out", "map.svg", "--method", "grad-cam", "--runtime", "openvino"], 2, "computed by keras"),
        (["d.dcm", "--out", "map.svg"], 2, "2 frames; say which one by --frame 1 to 2"),
        (["d.dcm", "--out", "map.svg", "--frame", "3"], 3, "the file holds 2"),
        (["nowhere.jpg", "--out", "map.svg"], 2, "no such folder, list or image"),
        (["a.png", "--out", "map.svg", "--model", "nowhere.json"], 3, "cannot be read"),
    ],
)
def test_mistakes_are_said_in_words(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: list[str], code: int, message: str,
) -> None:  # fmt: skip
    """A wrong option, frame, file or model is named with what is allowed, and no figure is written."""
    monkeypatch.chdir(tmp_path)
    assert run(["explain", *words, "--json"]) == code
    assert message in json.loads(capsys.readouterr().out)["error"]["message"]
    assert not list(tmp_path.glob("map.*"))
    assert files["a.png"].exists()


def test_what_is_no_photograph_is_refused(tmp_path: Path, synthetic: ModuleType) -> None:
    """A text, a folder and a list are no photograph; a black picture shows no retina."""
    (tmp_path / "note.jpg").write_text("not a photograph")
    (tmp_path / "list.csv").write_text("path\nnote.jpg\n")
    Image.new("RGB", (200, 160)).save(tmp_path / "black.png")
    model = synthetic.arithmetic_model()
    for name, error in (
        ("note.jpg", ImageError),
        ("black.png", ImageError),
        ("list.csv", StudyError),
        (".", StudyError),
    ):
        with pytest.raises(error):
            explain_image(tmp_path / name, model=model)
