"""What a notebook shows of each result: a table that a screen reader can read, and the report's own figures."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import sexstrat
from sexstrat.errors import EstimationError
from sexstrat.estimates import (
    Beliefs,
    Composition,
    Estimates,
    compare_imputations,
    compose,
    optimal_allocation,
    pilot_cells,
    stated_priors,
)
from sexstrat.estimates.worked_example import worked_bands, worked_cells, worked_input
from sexstrat.reporting.audit_figures import audit_figure
from sexstrat.reporting.figure_style import COLOURS, Svg
from sexstrat.reporting.notebook import plot, table_html
from sexstrat.reporting.rows import Rows
from sexstrat.study.design import plan_design
from sexstrat.study.design_request import DesignRequest
from sexstrat.training.compare import Comparison
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.shown import Shown
from sexstrat.values.tables import table_schema

BELIEVED = stated_priors(sensitivity=(0.7, 0.9), specificity=(0.7, 0.9))
HOSTILE = "<img src=x onerror=alert(1)>"


class Reader(HTMLParser):
    """Collect what a screen reader needs: tables, captions, scopes, and every text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.heads: list[dict[str, str | None]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "th":
            self.heads.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def photographs(n: int = 120) -> pd.DataFrame:
    """Return n patients with one photograph each: nine of ten called rightly, ages 45 and 55."""
    male = np.arange(n) % 2 == 0
    right = np.arange(n) % 10 != 0
    return pd.DataFrame(
        {
            "image_id": [f"i{k}" for k in range(n)],
            "patient_id": [f"secret{k}" for k in range(n)],
            "prob_male": np.where(male == right, 0.8, 0.3),
            "status": "ok",
            "age_years": np.where(np.arange(n) < n // 2, 45.0, 55.0),
            "recorded_sex": np.where(male, "male", "female"),
        }
    )


def comparison() -> Comparison:
    """Return a comparison of one measured network and one that was not."""
    row = {"network": "mobilenet", "backbone": "mobilenet", "start": "random", "phases": "64x2", "level": 0.95}
    row |= {"file_bytes": 6_000_000, "n_patients": 100, "n_men": 60, "accuracy_patient": 0.7, "auc_patient": 0.75}
    row |= {"accuracy_patient_low": 0.6, "accuracy_patient_high": 0.78, "input_size": 64, "epochs": 2}
    row |= {"auc_patient_low": 0.66, "auc_patient_high": 0.84}
    bare = {"network": "vgg", "backbone": "vgg16", "start": "random", "file_bytes": 9_000_000, "n_patients": 100}
    table = pd.DataFrame([row, bare], columns=table_schema("comparison").columns)
    return Comparison(networks=table, groups=pd.DataFrame(), waiting=("xception",))


@pytest.fixture(scope="module")
def answer() -> Composition:
    """Return the worked example: prevalence 1/3 in men, 1/5 in women, nobody below 40."""
    return compose(worked_cells(), bands=AgeBands((20, 40, 60)), design="random", beliefs=Beliefs())


@pytest.fixture(scope="module")
def refused() -> Composition:
    """Return the same people when nobody's sex was checked, with a bias analysis."""
    beliefs = Beliefs(priors=BELIEVED, draws=2_000)
    return compose(worked_cells(), bands=worked_bands(), design="none", beliefs=beliefs)


@pytest.fixture(scope="module")
def results(answer: Composition, refused: Composition, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shown]:
    """Return one result of every kind that is shown."""
    persons = photographs()[["patient_id", "age_years", "recorded_sex"]].assign(age_years=50)
    cohort = sexstrat.Cohort.create(tmp_path_factory.mktemp("cohort") / "c.duckdb", persons=persons)
    what_if, believed = answer.what_if, refused.what_if
    assert what_if is not None and believed is not None
    assert believed.bias is not None and what_if.noisy is not None
    pilot = pilot_cells(worked_cells(), bands=worked_bands(), design="random")
    asked = DesignRequest(patients=4000, prevalence=0.25, ratio=1.5, aucs=(0.9,), validated=(15, 400), width=1.6)
    return {
        "composition": answer,
        "refused": refused,
        "ratio": answer.contrast("ratio", "who_2000_2025"),
        "difference": answer.contrast("difference"),
        "odds": answer.contrast("odds_ratio"),
        "prevalence": answer.prevalence(),
        "male_share": answer.male_share(),
        "what_if": what_if,
        "tipping": what_if.tipping[0],
        "noisy": what_if.noisy,
        "bias": believed.bias,
        "imputation": compare_imputations(worked_input(), m=20),
        "audit": sexstrat.audit_scores(photographs(), bands=AgeBands((40, 50, 60, 70))),
        "comparison": comparison(),
        "allocation": optimal_allocation(pilot, further=50),
        "design": plan_design(asked),
        "cohort": cohort,
    }


KINDS = (
    *("composition", "refused", "ratio", "difference", "odds", "prevalence", "male_share", "what_if", "tipping"),
    *("noisy", "bias", "imputation", "audit", "comparison", "allocation", "design", "cohort"),
)
DRAWN = tuple(kind for kind in KINDS if kind not in {"refused", "allocation"})


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_is_captioned_scoped_and_never_prints_a_missing_number(kind: str, results: dict[str, Shown]) -> None:
    """Each kind of result is a table with a caption, scoped headings, and words where there is no number."""
    reader = read(results[kind]._repr_html_())
    assert reader.tags.count("table") == reader.tags.count("caption") >= 1
    assert {head.get("scope") for head in reader.heads} <= {"col", "row", "rowgroup"}
    words = " ".join(reader.texts)
    assert re.findall(r"(?i)(?<![a-z])(nan|<na>|nat|inf)(?![a-z])", words) == []
    assert "None" not in {text.strip() for text in reader.texts}
    assert "Not yet through disclosure control" in words
    assert not {"script", "img", "link", "style"} & set(reader.tags)


@pytest.mark.parametrize("kind", DRAWN)
def test_a_figure_is_matplotlibs_and_says_what_was_found(kind: str, results: dict[str, Shown], tmp_path: Path) -> None:
    """Each is a figure with a title and words for people who do not see it, the same when it is drawn again."""
    figure = results[kind].plot()
    assert isinstance(figure, Figure)
    assert len(figure.title) > 10 and len(figure.description) > 10
    svg = figure._repr_svg_()
    assert svg == results[kind].plot()._repr_svg_()
    first = figure.title.split()[0].replace("'", "&#x27;")
    assert f">{first}" in svg and 'role="img"' in svg and "nan" not in svg.lower().replace("nance", "")
    figure.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_every_number_stands_with_its_interval_people_and_assumptions(answer: Composition) -> None:
    """The ratio 5/3 of 1,100 people, 300 of them diseased and 550 validated, is shown with what it assumes."""
    words = " ".join(read(answer.contrast("ratio")._repr_html_()).texts)
    assert "1.67 (1.27 to 2.18) 1,100 300 550 150 Doubly robust (E1) Corrected" in words
    assert "95% interval" in words
    assert all(sentence in words for sentence in answer.assumptions)
    assert answer.assumptions


def test_states_without_a_number_are_told_apart(answer: Composition, refused: Composition) -> None:
    """Nobody is below 40, so that ratio is not defined; where nobody is validated it is refused; neither is empty."""
    young = answer.contrast("ratio")._repr_html_()
    assert re.search(r"Age 20–39</th><td><em>not defined</em></td><td>0</td>", young)
    whole = refused.contrast("ratio")._repr_html_()
    assert "<em>refused</em>" in whole and "not defined" not in whole
    assert answer.contrast("ratio").plot().axes[0].texts


def test_what_is_not_drawn_is_named(answer: Composition) -> None:
    """A band without a difference is named under the figure, with its state."""
    assert ">Not drawn: 20–39 (not defined).<" in answer.contrast("difference").plot()._repr_svg_()


def test_hostile_names_stay_text(answer: Composition) -> None:
    """A condition named like a tag is shown, not run, in table and figure."""
    rows = tuple({**row, "condition": HOSTILE, "note": HOSTILE} for row in answer.contrast("ratio").rows)
    shown = Estimates(rows, assumptions=(HOSTILE,))
    assert "img" not in read(shown._repr_html_()).tags
    assert HOSTILE in "".join(read(shown._repr_html_()).texts)
    assert "<img" not in shown.plot()._repr_svg_()


def test_the_figure_is_the_reports_own(results: dict[str, Shown]) -> None:
    """A figure of the audit holds the very points that the report's function draws, and those of the table."""
    audit = results["audit"]
    rows = audit.to_frame().query("metric == 'correct_among_men' and group == 'age_band'")["point"]
    theirs = audit_figure(Rows.of(audit.audit, "audit"), "correct")
    assert theirs is not None and isinstance(theirs.svg, Svg) and theirs.svg.figure is not None
    mine = audit.plot("correct")
    assert mine.title == theirs.title

    def drawn(figure: Figure) -> list[list[float]]:
        return [np.asarray(line.get_ydata(), dtype=float).tolist() for line in figure.axes[0].lines]

    same = zip(drawn(mine), drawn(theirs.svg.figure), strict=True)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in same)
    assert any(np.allclose(one, rows, equal_nan=True) for one in drawn(mine) if len(one) == len(rows))


def test_a_number_that_only_holds_if_believed_never_looks_corrected(results: dict[str, Shown]) -> None:
    """Neither a bias analysis nor a naive ratio is drawn as a corrected one is, and the title says what it is."""
    naive = compose(worked_cells(), bands=worked_bands(), design="random", method="naive_threshold").contrast("ratio")
    for result, words in ((results["bias"], "if predicted sex errs as believed"), (naive, "naive: predicted sex")):
        figure = result.plot()
        used = {to_hex(line.get_color()) for line in figure.axes[0].lines}
        assert COLOURS["corrected"] not in used
        assert words in figure.title
    corrected = results["ratio"].plot().axes[0].lines
    assert COLOURS["corrected"] in {to_hex(line.get_color()) for line in corrected}


def test_an_interval_that_goes_on_beyond_the_axis_ends_in_an_arrow(answer: Composition) -> None:
    """A limit of 1,000 is not drawn as if it were where the axis ends."""
    first = answer.contrast("ratio").rows[0]

    def ends(high: float) -> list[str]:
        lines = Estimates(({**first, "high": high},)).plot().axes[0].lines
        return [str(line.get_marker()) for line in lines if line.get_marker() in {"<", ">"}]

    assert ends(2.0) == []
    assert ends(1_000.0) == [">"]


def test_an_unknown_figure_lists_those_there_are(results: dict[str, Shown]) -> None:
    """The message names what was asked for and what there is; a result without figures says so."""
    with pytest.raises(EstimationError, match=r"no figure 'roc'; it has correct, auc, shift, ungradable"):
        results["audit"].plot("roc")
    with pytest.raises(EstimationError, match=r"an? Allocation has no figure; it has a table only"):
        results["allocation"].plot()
    with pytest.raises(EstimationError, match="found DataFrame"):
        plot(pd.DataFrame())
    with pytest.raises(EstimationError, match="found int"):
        table_html(3)


def test_nothing_to_draw_says_why(refused: Composition) -> None:
    """Where every number is refused there is no empty frame but the reason."""
    with pytest.raises(EstimationError, match=r"(?s)no number stands here.*nobody's recorded sex is known"):
        refused.plot()
    with pytest.raises(EstimationError, match=r"(?s)no number stands here.*nobody's recorded sex is known"):
        refused.contrast("ratio").plot()


def test_no_patient_is_named(results: dict[str, Shown]) -> None:
    """Neither the cohort nor its audit shows an id."""
    assert all("secret" not in results[kind]._repr_html_() for kind in ("cohort", "audit"))
    assert all("secret" not in results[kind].plot()._repr_svg_() for kind in ("cohort", "audit"))


def test_drawing_leaves_no_trace(answer: Composition) -> None:
    """Settings of matplotlib are as before, and pyplot holds no figure that would be shown twice."""
    from matplotlib import pyplot

    before = dict(mpl.rcParams)
    answer.plot()._repr_svg_()
    assert dict(mpl.rcParams) == before
    assert pyplot.get_fignums() == []


@pytest.mark.parametrize(
    ("kind", "column"),
    [("composition", "measure"), ("comparison", "network"), ("design", "validated"), ("what_if", "analysis")],
)
def test_results_give_a_table(kind: str, column: str, results: dict[str, Shown]) -> None:
    """A result is a pandas table too, with a row a number."""
    frame = results[kind].to_frame()  # type: ignore[attr-defined]
    assert len(frame) > 1 and column in frame.columns


def test_a_refused_design_has_no_number(results: dict[str, Shown]) -> None:
    """Of 15 validated patients too few are diseased: the row says so and holds no interval."""
    row = results["design"].to_frame().iloc[0]  # type: ignore[attr-defined]
    assert row["state"] == "refused" and pd.isna(row["point"]) and "are expected" in row["note"]


def test_a_composition_of_many_kinds_says_which(answer: Composition) -> None:
    """A model-based answer is called so in its figure."""
    weak = replace(answer, state="model_based", band_state=("model_based",) * 3)
    assert "(model-based)" in weak.contrast("ratio").plot().title


def test_the_top_level_shows_too(answer: Composition) -> None:
    """``sexstrat.plot`` and ``sexstrat.table_html`` are what results ask."""
    shown: Callable[[object], str] = sexstrat.table_html
    assert shown(answer) == answer._repr_html_()
    assert sexstrat.plot(answer).title == answer.plot().title
