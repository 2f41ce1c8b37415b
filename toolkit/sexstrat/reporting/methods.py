"""The methods in words, built from the settings that were used and the choices that were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sexstrat.reporting.headline import Headline
from sexstrat.reporting.methods_beside import beside_methods
from sexstrat.reporting.paragraph import Paragraph
from sexstrat.reporting.rows import Rows
from sexstrat.reporting.texts import DESIGNS, STANDARDS, TARGETS, number_word, sentence_case

if TYPE_CHECKING:
    from sexstrat.disclosure import Released

__all__ = ["methods"]


def methods(released: Released, estimates: Rows, leads: Sequence[Headline]) -> tuple[Paragraph, ...]:
    """Return the methods of this very study, in the order in which they were applied.

    Parameters
    ----------
    released : what the disclosure gate let through.
    estimates : its rows of estimates.
    leads : one headline a condition.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import pandas as pd
    >>> names = ("audit", "diagnostics", "sensitivity", "imputation", "age_trends", "missingness", "consequences")
    >>> tables = dict.fromkeys(names, pd.DataFrame())
    >>> gate = SimpleNamespace(name="uk-5", source="")
    >>> none = SimpleNamespace(settings={}, profile=gate, reason="", protection="", **tables)
    >>> methods(none, Rows(()), [])[0].heading
    'Predicted and recorded sex'
    """
    settings = released.settings
    used = set(map(str, estimates.values("estimator")))
    parts = [
        _sexes(),
        _design(settings),
        _estimation(used, in_units=any("sampling_units" in _diagnostics(lead) for lead in leads)),
        _choice(leads),
        _naive(used),
        _intervals(settings, estimates),
    ]
    parts += [_standards(estimates), *beside_methods(released, estimates), _audit(settings, released)]
    parts += [_audit_beyond(released)]
    parts += [_gate(released), _limits(leads, estimates)]
    return tuple(part for part in parts if part is not None)


def _of(settings: Mapping[str, Any], section: str, key: str) -> Any:
    inside = settings.get(section)
    return inside.get(key) if isinstance(inside, Mapping) else None


def _sexes() -> Paragraph:
    return Paragraph(
        heading="Predicted and recorded sex",
        text="A convolutional network gives each photograph a probability that the person is male, from the retina "
        "alone; the photographs of one patient are combined into one probability. It is a score, not a sex: nothing "
        "here replaces a recorded sex, and no patient is given one. The patient is the unit throughout, and male is "
        "the positive class. Patients recorded as other are counted and shown, and are neither recoded nor imputed.",
        works=("poplin2018", "heidari2016"),
    )


def _design(settings: Mapping[str, Any]) -> Paragraph | None:
    design, target = _of(settings, "validation", "design"), _of(settings, "analysis", "target")
    if design is None:
        return None
    text = f"How sex came to be known was declared, not inferred: {DESIGNS.get(str(design), str(design))}."
    if target is not None:
        text += f" The estimates are about {TARGETS.get(str(target), str(target))}."
    return Paragraph(heading="Design", text=text)


_ESTIMATION = {
    "E1": "E1 is augmented inverse probability weighting: the score is recalibrated by age, disease and number of "
    "gradable eyes with five-fold cross-fitting, and the mean error seen among patients with recorded sex is added "
    "back, each weighted by the inverse of the probability of being recorded; prediction-powered inference is its "
    "special case. It holds under any misclassification, also one that differs by disease, as long as that "
    "probability is known or modelled rightly.",
    "E2": "E2 is proper multiple imputation on the cells of the cohort: the imputation model holds score, age, "
    "disease, eyes and their interactions, its parameters are drawn anew for every imputation, and results are "
    "pooled by Rubin\N{RIGHT SINGLE QUOTATION MARK}s rules with Barnard\N{EN DASH}Rubin degrees of freedom. It "
    "holds if sex is recorded at random given score, age and disease.",
    "E4": "E4 learns, from people whose sex is known, how much likelier each score is among men than among women of "
    "the same age and disease, and finds the share of men in each cell that makes its scores likeliest. It holds if "
    "the score is distributed alike in both groups of people given sex, age and disease; shares of men and "
    "prevalences may differ. A test of that decides whether there is a number.",
    "E5": "E5 assumes that the score errs equally in the diseased and the healthy given sex and age.",
}
_ESTIMATION_WORKS = {
    "E1": ("robins1994", "chernozhukov2018", "angelopoulos2023"),
    "E2": ("rubin1987", "barnard1999"),
    "E4": ("saerens2002",),
    "E5": ("saerens2002",),
}


_IN_UNITS = (
    " Patients were drawn in sampling units or strata: the variance of every estimator is that of its linearised "
    "totals over units within strata, with units less strata as the most degrees of freedom; for E2 this takes the "
    "place of Rubin\N{RIGHT SINGLE QUOTATION MARK}s variance and its degrees of freedom."
)


def _diagnostics(lead: Headline) -> Mapping[str, Any]:
    found = (lead.choice or {}).get("diagnostics")
    return found if isinstance(found, Mapping) else {}


def _estimation(used: set[str], *, in_units: bool) -> Paragraph | None:
    names = [name for name in _ESTIMATION if name in used]
    if not names:
        return None
    start = (
        "Age and disease are known for everyone; sex is not. What is estimated is therefore the share of men in "
        "every cell of age and disease, with its covariance; prevalences, ratios and differences follow from these "
        "shares. "
    )
    works = tuple(work for name in names for work in _ESTIMATION_WORKS.get(name, ()))
    text = start + " ".join(_ESTIMATION[name] for name in names) + (_IN_UNITS if in_units else "")
    return Paragraph(heading="Estimation", text=text, works=works)


def _choice(leads: Sequence[Headline]) -> Paragraph | None:
    reasons: dict[str, list[str]] = {}
    for lead in leads:
        choice = lead.choice or {}
        pieces = [str(choice.get("why") or "").strip()]
        pieces += [_elsewhere(choice)]
        pieces += [f"Assumes: {_joined(choice.get('assumptions'))}"] if choice.get("assumptions") else []
        pieces += [f"Warning: {_joined(choice.get('warnings'))}"] if choice.get("warnings") else []
        said = " ".join(piece[:1].upper() + piece[1:].rstrip(".") + "." for piece in pieces if piece)
        name = str(choice.get("estimator") or lead.estimator or "none")
        reasons.setdefault(f"{name}. {said}".strip(), []).append(sentence_case(lead.condition))
    if not reasons:
        return None
    points = tuple(f"{', '.join(names)}: {reason}" for reason, names in reasons.items())
    return Paragraph(heading="Choice of estimator", text="The estimator of each condition, and why.", points=points)


def _elsewhere(choice: Mapping[str, Any]) -> str:
    """Say for which age bands and standards another estimator than the chosen one leads."""
    chosen = choice.get("estimator")
    bands = sum(name != chosen for name in choice.get("band_estimators") or ())
    named = choice.get("standard_estimators") or {}
    others = {name for name in [*(choice.get("band_estimators") or ()), *named.values()] if name and name != chosen}
    of_all = number_word(len(choice.get("band_estimators") or ()))
    places = [f"{number_word(bands)} of the {of_all} age bands"] if bands else []
    places += [_the(name) for name, estimator in named.items() if estimator and estimator != chosen]
    if not places or not others:
        return ""
    return (
        f"{_listed(sorted(map(str, others)))} stands in its place for {_listed(places)}, where patients with recorded "
        "sex are too few"
    )


def _the(standard: str) -> str:
    return "no standard" if standard == "crude" else f"the {STANDARDS.get(standard, standard)}"


def _listed(texts: Sequence[str]) -> str:
    """Join texts as a sentence does: with commas, and ``and`` before the last."""
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def _joined(value: Any) -> str:
    return value if isinstance(value, str) else "; ".join(str(item).rstrip(".") for item in value)


def _naive(used: set[str]) -> Paragraph | None:
    words = {
        "naive_threshold": "predicted sex (male from a probability of 0.5) taken as if it were recorded",
        "naive_weighted": "every patient counted as a man with the predicted probability and as a woman with the rest",
        "complete_case": "only the patients whose sex is recorded",
    }
    named = [text for name, text in words.items() if name in used]
    if not named:
        return None
    return Paragraph(
        heading="Naive analyses",
        text=f"Beside every corrected estimate stand, so that they can be compared: {'; '.join(named)}. The first "
        "two are biased whenever the score errs, in the direction in which it errs: a retina shows the disease as "
        "well as the sex.",
        works=("chen2019",),
    )


def _intervals(settings: Mapping[str, Any], estimates: Rows) -> Paragraph:
    levels = [f"{100 * float(level):g}%" for level in estimates.values("level")]
    level = f"Intervals are at {' and '.join(levels)}" if levels else "Intervals are given with their level"
    quantiles = "the normal distribution"
    if any(row["df"] is not None for row in estimates.rows):
        quantiles = (
            "the t distribution with the degrees of freedom of each measure where patients with recorded sex are few"
        )
    seed = _of(settings, "", "seed")
    draws = f" Random draws start from seed {seed}." if seed is not None else ""
    return Paragraph(
        heading="Intervals",
        text=f"{level}, computed on the log scale for ratios, the logit scale for prevalences and the plain scale for "
        f"differences, from {quantiles}. They were not adjusted for the number of comparisons.{draws}",
    )


def _standards(estimates: Rows) -> Paragraph | None:
    other = {"crude", "mantel_haenszel", "regression"}
    names = [str(name) for name in estimates.values("standard") if name not in other]
    if not names:
        return None
    works = ("ahmad2001",) if any(name.startswith("who") for name in names) else ()
    return Paragraph(
        heading="Age standardisation",
        text=f"Direct standardisation to {_listed([_the(name) for name in names])}, over the age "
        "bands of this study only: the weights of the standard are cut to these ages and scaled to add up to one. "
        "Rates standardised over other ages or to another standard are not comparable with these.",
        works=works,
    )


def _audit(settings: Mapping[str, Any], released: Released) -> Paragraph | None:
    if not len(released.audit):
        return None
    least = _of(settings, "audit", "min_patients")
    size = f" Rates are shown for groups with at least {least} patients of each sex." if least is not None else ""
    return Paragraph(
        heading="Audit",
        text="Predictions are compared with recorded sex by age band: the share called rightly among men and "
        "among women (Wilson intervals at the effective number of patients), the area under the ROC curve (patients "
        "as clusters), calibration in the large, and the predicted minus the observed male share. Photographs of "
        "one patient are not independent, and every interval allows for it. Gaps between groups combine the two "
        f"intervals.{size}",
        works=("wilson1927", "obuchowski1997", "delong1988", "newcombe1998"),
    )


def _audit_beyond(released: Released) -> Paragraph | None:
    """Say how the audit went beyond groups, for as far as it did."""
    texts, works = [], []
    if len(released.age_trends):
        texts.append(
            "How often the model is right over continuous age is a restricted cubic spline of the log odds, fitted to "
            "photographs with patients as clusters, with limits for one age and for all at once; joint tests come "
            "first, and the age at which men and women cross has the interval of all ages at which they are not told "
            "apart."
        )
        works += ["harrell2015", "liang1986"]
    if len(released.missingness):
        texts.append(
            "Photographs without a score are an outcome of their own; the metrics are bounded by taking them as all "
            "wrong and as all right, and weighted by the probability of having a score."
        )
        works += ["horowitz2000"]
    if len(released.consequences):
        texts.append(
            "What the errors do to each naive ratio is measured on the patients of known sex, by disease and age: the "
            "ratio by predicted over that by recorded sex, parted into what equal errors in diseased and well would do "
            "and the rest, with delta-method intervals."
        )
        works += ["greenland1996"]
    return Paragraph(heading="Audit, beyond groups", text=" ".join(texts), works=tuple(works)) if texts else None


def _gate(released: Released) -> Paragraph:
    said = released.protection or f"Disclosure profile {released.profile.name}."
    text = f"Every number on this page passed one gate. {said}"
    text += f" Reason given: {released.reason.rstrip('.')}." if released.reason else ""
    return Paragraph(heading="Disclosure control", text=text)


def _limits(leads: Sequence[Headline], estimates: Rows) -> Paragraph:
    points = [
        "The declared way in which sex came to be recorded cannot be tested with these data alone; if recording "
        "depends on sex itself, corrected estimates may be wrong.",
        "Recorded sex is an administrative record; where it is wrong, the reference is wrong.",
        "Patients without a gradable photograph stay in, with what age and disease say about their sex.",
        "The interval carries the uncertainty of the correction and of sampling, not that of a wrong diagnosis, and "
        "not that of who came to be photographed.",
    ]
    if len(leads) > 1:
        level = max((float(value) for value in estimates.values("level")), default=0.95)
        points.append(
            f"{len(leads)} conditions were compared: of intervals at this level, {100 * (1 - level):.3g}% miss their "
            "target by chance alone."
        )
    return Paragraph(heading="Limitations", text="", points=tuple(points))
