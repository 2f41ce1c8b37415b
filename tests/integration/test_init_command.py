"""``init`` asks a few questions about tables as hospitals have them, and what it writes is checked and runs."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from sexstrat.cli.app import app, run
from sexstrat.study import load_study
from sexstrat.study.drafting import draft_study
from sexstrat.study.keys import SECTIONS
from sexstrat.study.simulated import write_simulated_study
from sexstrat.study.table_look import look_at_table, proposed_columns


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 1,200 simulated patients as a Japanese hospital would: CP932, its own names, sex in words."""
    folder = tmp_path_factory.mktemp("tables")
    made = write_simulated_study(folder / "made", setting="baseline", n_patients=1200, seed=8).parent
    persons = pd.read_csv(made / "persons.csv", dtype=str)
    persons["recorded_sex"] = persons["recorded_sex"].map({"male": "男", "female": "女", "unknown": "不明"})
    names = {"patient_id": "患者番号", "age_years": "年齢", "recorded_sex": "性別"}
    persons.rename(columns=names).to_csv(folder / "persons.csv", index=False, encoding="cp932")
    conditions = pd.read_csv(made / "conditions.csv", dtype=str)
    conditions.rename(columns={"condition": "disease"}).to_csv(folder / "conditions.csv", index=False, sep=";")
    (made / "scores.parquet").rename(folder / "scores.parquet")
    return folder


def options(tables: Path) -> list[str]:
    """Return the options that give every file."""
    names = {"persons": "persons.csv", "scores": "scores.parquet", "conditions": "conditions.csv"}
    return [word for option, name in names.items() for word in (f"--{option}", str(tables / name))]


def test_answers_give_a_study_that_is_checked_and_runs(
    tables: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Questions are answered as a person would; columns, encoding and delimiter come from the files."""
    study = tables / "asked.toml"
    typed = "A study of one disease\ny\ny\ny\nja\ny\nrandom\n20,45,55,65,75\nuk-5\n"
    done = CliRunner().invoke(app, ["init", str(study), *options(tables)], input=typed)
    assert done.exit_code == 0, done.output
    assert "'男'" in done.output
    keys = load_study(study).settings
    assert keys["persons"]["columns"] == {"patient_id": "患者番号", "age_years": "年齢", "recorded_sex": "性別"}
    assert (keys["persons"]["encoding"], keys["persons"]["sex_coding"]) == ("cp932", "ja")
    assert (keys["conditions"]["delimiter"], keys["conditions"]["columns"]) == (";", {"condition": "disease"})
    assert tomllib.loads(study.read_text(encoding="utf-8"))["persons"]["source"] == "persons.csv"
    assert run(["check", str(study)]) == 0
    assert run(["run", str(study), "--out", str(tmp_path / "out")]) == 0
    assert "report:" in capsys.readouterr().out


def test_options_alone_give_the_same_without_a_question(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json nothing is asked, and one document says what was written."""
    study = tables / "silent.toml"
    words = ["init", str(study), *options(tables), "--title", "t", "--design", "random", "--sex-coding", "ja", "--json"]
    assert run(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["study"] == str(study)
    assert load_study(study).section("persons")["encoding"] == "cp932"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (["--design", "randm"], "--design: found 'randm'; allowed: random, known_probability"),
        (["--sex-coding", "japanese"], "japanese"),
        (["--sex-coding", "男=man"], "man"),
        (["--bands", "20;40"], "--bands: found '20;40'; allowed: whole years with commas"),
        (["--bands", "60,40"], "the first years must rise"),
        (["--profile", "uk"], "--profile: found 'uk'; allowed: uk-5"),
        (["--profile", "none"], "--reason"),
        (["--images", "photographs"], "give one of the two"),
        (["--conditions", "absent.csv"], "absent.csv: no such file"),
    ],
)
def test_wrong_answers_are_told_and_leave_no_file(
    tables: Path, capsys: pytest.CaptureFixture[str], changed: list[str], message: str
) -> None:
    """Each wrong answer names the option, the value and what is allowed; exit code 2."""
    study = tables / "wrong.toml"
    given = [*options(tables), "--title", "t", "--design", "random", "--sex-coding", "ja", *changed]
    assert run(["init", str(study), "--yes", *given]) == 2
    assert message in capsys.readouterr().err
    assert not study.exists()


def test_a_missing_answer_names_its_option(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Sex coding is never guessed, not even when it looks plain."""
    given = [*options(tables), "--title", "t", "--design", "random"]
    assert run(["init", str(tables / "wrong.toml"), "--yes", *given]) == 2
    assert "--sex-coding" in capsys.readouterr().err


def test_a_study_file_is_never_written_over(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An existing file stays as it is."""
    study = tables / "kept.toml"
    study.write_text("mine", encoding="utf-8")
    assert run(["init", str(study), "--yes"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert study.read_text(encoding="utf-8") == "mine"


def test_every_key_of_the_contract_stands_in_the_draft(tmp_path: Path) -> None:
    """What was not asked for is there as a comment with its default and what it allows."""
    given = {name: {"source": f"{name}.csv"} for name in ("persons", "scores", "conditions")}
    text = draft_study({"": {"title": "t"}, **given, "validation": {"design": "random"}})
    for section in ("persons", "scores", "conditions", "validation", "analysis", "audit", "disclosure"):
        part = text.partition(f"[{section}]")[2].partition("\n\n\n")[0]
        for key in SECTIONS[section]:
            assert f"\n{key} = " in part or f"\n#{key} =" in part, key
    uncommented = [
        line[1:] if line.startswith("#") and not line.startswith("# ") else line for line in text.splitlines()
    ]
    whole = "\n".join(line for line in uncommented if not line.rstrip().endswith("="))
    study = tmp_path / "s.toml"
    study.write_text(whole, encoding="utf-8")
    assert load_study(study).seed == 1
    with pytest.raises(KeyError):
        draft_study({"": {"titel": "t"}})


def test_a_table_shows_its_columns_and_commonest_values(tmp_path: Path) -> None:
    """Values come in the order of how common they are, also from Parquet."""
    frame = pd.DataFrame({"id": ["a", "b", "c"], "Sex": ["2", "1", "2"]})
    frame.to_csv(tmp_path / "p.csv", index=False, sep="\t")
    frame.to_parquet(tmp_path / "p.parquet")
    for name in ("p.csv", "p.parquet"):
        look = look_at_table(tmp_path / name)
        assert look.columns == ("id", "Sex")
        assert look.values("Sex") == ["2", "1"]
    assert look_at_table(tmp_path / "p.csv").delimiter == "\t"
    assert proposed_columns("person", ("id", "Sex")) == {"patient_id": "id", "recorded_sex": "Sex"}
