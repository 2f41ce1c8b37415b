"""The methods, in words, of what stands beside the answers: other adjustment, diagnostics, what if, imputation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sexstrat.reporting.paragraph import Paragraph
from sexstrat.reporting.rows import Rows

if TYPE_CHECKING:
    from sexstrat.disclosure import Released

__all__ = ["beside_methods"]

_WHAT_IF: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "bias_analysis": (
        "Probabilistic bias analysis: sensitivity and specificity of predicted sex are drawn from correlated beta "
        "distributions for patients with and without the condition, the shares of men are corrected by the matrix "
        "method at every draw, and random error is added. Draws that the data rule out are counted and left out",
        ("lash2014", "fox2005"),
    ),
    "shift_of_score": (
        "The logit of the score is shifted in the diseased, and the shares of men that the scores then imply are found "
        "by maximum likelihood, no recorded sex being used",
        ("lash2014",),
    ),
    "shift_between_cohorts": (
        "The logit of the score is shifted in the diseased of this cohort, and E5 is run anew at every shift",
        ("lash2014",),
    ),
    "shift_of_recording": (
        "A pattern-mixture model: the log odds of being male of patients without recorded sex are shifted against "
        "those with it at the same score, disease and age, in the limit of infinitely many imputations",
        ("carpenter2013",),
    ),
    "error_of_recorded_sex": (
        "Recorded sex is taken to be wrong at a stated rate, and the estimate is corrected for it",
        ("lash2014",),
    ),
    "e_value": (
        "The E-value says how strong confounding would have to be; it does not address misclassified sex",
        ("vanderweele2017",),
    ),
}


def _adjusted(estimates: Rows) -> Paragraph | None:
    used = {str(row.get("measure")) for row in estimates.rows}
    said, works = [], []
    if any(name.startswith("mantel_haenszel") for name in used):
        said.append(
            "Mantel\N{EN DASH}Haenszel contrasts over the age bands are computed from the expected numbers of men and "
            "women, diseased and well, with a variance that holds the uncertainty of sex"
        )
        works += ["mantel1959", "greenland1985"]
    if any(name.startswith("regression") for name in used):
        said.append(
            "Modified Poisson and logistic regressions on sex, age and site use robust variances and impute the sexes "
            "that are not recorded, in the limit of infinitely many imputations"
        )
        works += ["zou2004"]
    if any(name.endswith("per_decade") for name in used):
        said.append(
            "Change with age is the slope of a logistic or log-linear model of each sex on the mean age of the bands; "
            "the ratio of the two slopes is the interaction of sex and age"
        )
    if not said:
        return None
    return Paragraph(heading="Other adjustment for age", text=". ".join(said) + ".", works=tuple(works))


def _diagnostics(diagnostics: Rows) -> Paragraph | None:
    if not diagnostics.rows:
        return None
    text = (
        "Among patients with recorded sex: a likelihood ratio test whether the score means the same with and without "
        "the condition; the shift of its logit by the condition in men and in women, in standard deviations; how often "
        "predicted sex is right by age and condition; Brier score, integrated calibration index and Cox calibration. "
        "Those with recorded sex are compared with the others. Whether men and women compare alike at every age is "
        "tested for the answer itself (Wald) and among recorded sexes alone (Breslow and Day, Tarone)."
    )
    works = ("breslow1980", "tarone1985")
    boot = "bootstrap" in set(map(str, diagnostics.values("diagnostic")))
    text += " Intervals of the ratio are checked by 2,000 bootstrap replicates of the cells (BCa)." if boot else ""
    return Paragraph(heading="Diagnostics", text=text, works=(*works, *(("efron1987",) if boot else ())))


def _what_if(sensitivity: Rows) -> Paragraph | None:
    used = set(map(str, sensitivity.values("analysis")))
    named = [key for key in _WHAT_IF if key in used]
    if not named:
        return None
    return Paragraph(
        heading="What if",
        text="These analyses suppose errors that the data cannot show; none gives a corrected estimate.",
        works=tuple(dict.fromkeys(work for key in named for work in _WHAT_IF[key][1])),
        points=tuple(f"{_WHAT_IF[key][0]}." for key in named),
    )


def _imputation(imputation: Rows) -> Paragraph | None:
    if not imputation.rows:
        return None
    return Paragraph(
        heading="Imputation compared",
        text="Patients without recorded sex are dropped, imputed once, imputed many times with the parameters of the "
        "imputation model held fixed (improper) or drawn anew (proper), and imputed from a model without the "
        "condition. The total variance is W + (1 + 1/m) B; the number of imputations is enough when the Monte Carlo "
        "error is below 5% of the standard error.",
        works=("rubin1987", "white2011"),
    )


def beside_methods(released: Released, estimates: Rows) -> tuple[Paragraph, ...]:
    """Return the paragraphs on what stands beside the answers; only on what this study has.

    Parameters
    ----------
    released : what the disclosure gate let through.
    estimates : its rows of estimates.

    Examples
    --------
    >>> import pandas as pd
    >>> from types import SimpleNamespace
    >>> rows = pd.DataFrame({"analysis": ["e_value"]})
    >>> some = SimpleNamespace(diagnostics=pd.DataFrame(), sensitivity=rows, imputation=pd.DataFrame())
    >>> [paragraph.heading for paragraph in beside_methods(some, Rows(()))]
    ['What if']
    """
    found = (
        _adjusted(estimates),
        _diagnostics(Rows.of(released.diagnostics, "diagnostic")),
        _what_if(Rows.of(released.sensitivity, "sensitivity")),
        _imputation(Rows.of(released.imputation, "imputation")),
    )
    return tuple(one for one in found if one is not None)
