"""The Japanese catalogue against every text that the page is made of: templates, words of tables, settings, notes."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from sexstrat.reporting import (
    ageing_view,
    consequence_view,
    diagnostics_view,
    group_tests_view,
    imputation_view,
    methods_beside,
    missing_view,
    texts,
)
from sexstrat.reporting.catalogue import read_catalogue
from sexstrat.reporting.outline import outline
from sexstrat.study.keys import SECTIONS

ROOT = Path(__file__).parents[3]
SAY = read_catalogue("ja").say
MAPPINGS = (
    *(texts.ESTIMATORS, texts.MEASURES, texts.METRICS, texts.STANDARDS, texts.DESIGNS, texts.TARGETS, texts.SEXES),
    *(texts.STATE_WORDS, diagnostics_view.HEADINGS, diagnostics_view.NAMES, group_tests_view.TESTS, missing_view.KINDS),
    *(missing_view.METHODS, imputation_view.METHODS, ageing_view.QUANTITIES, consequence_view.COLUMNS),
    {name: said[0] for name, said in methods_beside._WHAT_IF.items()},
    dict(texts.STATE_MEANINGS),
)
# what these modules write is not on the page: other figures, files beside it, the release pack, notebooks
ELSEWHERE = {
    *("comparison_figure", "comparison_text", "design_figure", "explanation_figure", "training_figure", "flow_figure"),
    *("figure_style", "house_figure", "release_pack", "references"),
    *("released_checks", "tables", "gate", "page_parts", "languages", "catalogue"),
}
# notes and reasons that the stages before the page write into its tables
STAGES = ("estimates/auto.py", "estimates/refusal.py", "estimates/aipw.py", "estimates/imputation.py",
          "estimates/validation_needed.py", "estimates/estimate_rows.py", "estimates/naive.py",
          "estimates/what_if.py", "estimates/places.py", "estimates/age_trend.py", "audit/proportion.py",
          "audit/calibration.py", "audit/slope.py", "audit/consequences/bias.py", "audit/ageing/trend_rows.py",
          "audit/missingness/missing_rows.py", "disclosure/audit_rows.py", "study/predicted_ages.py")  # fmt: skip


def sentences(path: Path) -> Iterator[str]:
    """Return the texts of three words and more in a module, places as ``{}``; no docstrings, no errors, no queries."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(part) for node in ast.walk(tree) if isinstance(node, (ast.Raise, ast.Assert)) for part in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)) and isinstance(node.body[0], ast.Expr):
            inside.add(id(node.body[0].value))
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in ast.walk(node) if part is not node}
    for node in ast.walk(tree):
        if id(node) in inside:
            continue
        if isinstance(node, ast.JoinedStr):
            said = "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            said = node.value
        else:
            continue
        if len(re.findall(r"[A-Za-z]{2,}", said)) >= 3 and " " in said.strip() and "<" not in said:
            yield said


@pytest.fixture(scope="module")
def english() -> str:
    """Return all that the catalogue says in English, in small letters, places as they are."""
    found = tomllib.loads(files("sexstrat.reports").joinpath("ja.toml").read_text(encoding="utf-8"))
    return "\n".join(key for section in found.values() for key in section).lower()


def unknown(path: Path, english: str) -> list[str]:
    """Return the texts of a module of which a part of three words and more stands nowhere in the catalogue."""
    missing = []
    for said in sentences(path):
        parts = re.split(r"\{\}|[.;:] |[“”]", said.lower())
        parts = [part.strip(" .,;:()%") for part in parts]
        if any(len(re.findall(r"[a-z]{2,}", part)) >= 3 and part not in english for part in parts):
            missing.append(said)
    return missing


def test_every_text_of_every_template_is_said():
    """Whatever a template says by itself is in the catalogue; every visible word of a template passes through it."""
    for path in sorted((ROOT / "reports").glob("*.html.j2")):
        text = path.read_text(encoding="utf-8")
        for said in re.findall(r'_\("([^"]+)"\)', text):
            assert SAY(said) or SAY(said.strip()), (path.name, said)
        bare = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", text, flags=re.DOTALL)
        assert re.findall(r">[^<]*[A-Za-z]{2,}[^<]*<", bare) == [], path.name
        assert re.findall(r'(?:aria-label|alt|title)="[^"]*[A-Za-z]', text) == [], path.name


def test_every_word_of_the_tables_is_said():
    """Estimators, measures, metrics, standards, designs, states, diagnostics and tests all have their word."""
    words = [word for mapping in MAPPINGS for word in mapping.values()]
    assert len(words) > 150
    assert [word for word in words if not SAY(word)] == []


def test_every_setting_has_a_name():
    """Each section and key of a study file is named in the list of settings."""
    labels = [node.label for node in outline({section or "general": "x" for section in SECTIONS})]
    labels += [node.label for keys in SECTIONS.values() for node in outline(dict.fromkeys(keys, "x"))]
    assert [label for label in dict.fromkeys(labels) if not SAY(label)] == []


def test_shipped_model_card_is_said():
    """Everything that the card of the shipped model says in sentences is said in Japanese too."""
    folder = files("sexstrat.models.shipped")
    cards = [one for one in folder.iterdir() if one.name.endswith(".json")]
    card = next(json.loads(one.read_text(encoding="utf-8")) for one in cards if "card" in one.name)
    told = [card[name] for name in ("title", "statement", "intended_use", "terms", "acknowledgement")]
    told += [*card["failure_modes"], *(card["training_data"][name] for name in ("source", "split", "left_out", "unit"))]
    assert [text for text in told if not SAY(text)] == []


def test_every_sentence_of_the_page_is_in_the_catalogue(english):
    """No module of the page holds a sentence of which the catalogue knows nothing."""
    folder = ROOT / "toolkit" / "sexstrat" / "reporting"
    modules = [
        path
        for path in sorted(folder.glob("*.py"))
        if path.stem not in ELSEWHERE and not path.stem.startswith("notebook")
    ]
    assert len(modules) > 30
    assert {path.name: found for path in modules if (found := unknown(path, english))} == {}


def test_every_note_of_these_stages_is_in_the_catalogue(english):
    """Nor do the stages that write the reasons, warnings and notes that the page prints most."""
    folder = ROOT / "toolkit" / "sexstrat"
    assert {name: found for name in STAGES if (found := unknown(folder / name, english))} == {}


def test_a_sentence_of_which_the_catalogue_knows_nothing_is_found(tmp_path, english):
    """The check can fail."""
    module = tmp_path / "m.py"
    module.write_text('WHY = f"nobody ever wrote {3} words like these"\n', encoding="utf-8")
    assert unknown(module, english) == ["nobody ever wrote {} words like these"]
