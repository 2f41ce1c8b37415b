"""Write the page: one self-contained HTML file from what the disclosure gate let through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sexstrat.reporting.adjusted_table import adjusted_table, eye_table
from sexstrat.reporting.ageing_view import ageing_view
from sexstrat.reporting.audit_figures import audit_figures
from sexstrat.reporting.audit_tables import audit_table, gap_table, metric_table
from sexstrat.reporting.consequence_view import consequence_sentences, consequence_table
from sexstrat.reporting.declared_use_view import DECLARED_METRICS, age_error_table, age_sentences, quality_table
from sexstrat.reporting.diagnostics_view import rests_on
from sexstrat.reporting.estimates_tables import age_table, condition_table, male_share_table, overview_table, safe_name
from sexstrat.reporting.figures import forest_figure, prevalence_figures
from sexstrat.reporting.flow_view import flow_steps, flow_table
from sexstrat.reporting.gate import must_be_released
from sexstrat.reporting.group_tests_view import group_test_table, rule_table
from sexstrat.reporting.guideline_map import GUIDELINES, guideline_map
from sexstrat.reporting.headline import Headline, headlines
from sexstrat.reporting.imputation_view import imputation_table
from sexstrat.reporting.languages import Saying, author_words, report_languages
from sexstrat.reporting.losses_view import losses_table
from sexstrat.reporting.methods import methods
from sexstrat.reporting.missing_view import absence_table, bounds_table
from sexstrat.reporting.model_view import model_view
from sexstrat.reporting.outline import outline
from sexstrat.reporting.references import cited
from sexstrat.reporting.rows import Rows, has_number, printed
from sexstrat.reporting.summary import summary
from sexstrat.reporting.texts import STATE_MEANINGS, sentence_case
from sexstrat.reporting.what_if_view import what_if_view
from sexstrat.scores.replacing import replace_file

if TYPE_CHECKING:
    from sexstrat.disclosure import Released

__all__ = ["page", "report", "untranslated"]


def report(released: Released, path: str | Path) -> Path:
    """Write the report of a study as one HTML file that needs nothing else.

    The same input gives the same bytes. The page loads nothing from anywhere, runs no script, and holds no number that
    the disclosure gate did not let through.

    Parameters
    ----------
    released : what the disclosure gate let through; results that did not pass it are refused.
    path : the file to write, or an existing folder to write ``report.html`` in.

    Returns
    -------
    The file that was written.

    Raises
    ------
    DisclosureError : the results did not pass the disclosure gate.
    """
    target = Path(path)
    target = target / "report.html" if target.is_dir() else target
    text = page(released)
    replace_file(target, lambda path: path.write_text(text, encoding="utf-8", newline="\n"))
    return target


def page(released: Released, *, languages: Sequence[str] | None = None) -> str:
    """Return the page as text.

    Parameters
    ----------
    released : what the disclosure gate let through.
    languages : languages of the page, the one shown first first; left out, those that the study names.

    Raises
    ------
    DisclosureError : the results did not pass the disclosure gate.
    """
    must_be_released(released)
    settings = released.settings if languages is None else {"report": {"languages": languages}}
    return _rendered(released, Saying(report_languages(settings), author_words(released)))


def untranslated(released: Released, language: str) -> tuple[str, ...]:
    """Return the texts of a page that stand in English because the catalogue of a language does not hold them.

    Parameters
    ----------
    released : what the disclosure gate let through.
    language : a language that has a catalogue.

    Raises
    ------
    DisclosureError : the results did not pass the disclosure gate.
    """
    must_be_released(released)
    saying = Saying((language,), author_words(released))
    _rendered(released, saying)
    return tuple(dict.fromkeys(saying.missing))


def _rendered(released: Released, saying: Saying) -> str:
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    folder = files("sexstrat.reports")
    environment = Environment(
        loader=FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = Markup
    environment.globals["_"] = saying
    style = Markup(folder.joinpath("report.css").read_text(encoding="utf-8"))  # noqa: S704 - our own file
    return environment.get_template("report.html.j2").render(style=style, **_content(released)).rstrip() + "\n"


def _content(released: Released) -> dict[str, Any]:
    estimates, audit = Rows.of(released.estimates, "estimate"), Rows.of(released.audit, "audit")
    gaps, flow = Rows.of(released.gaps, "gap"), Rows.of(released.flow, "flow")
    leads = headlines(estimates, released.choices)
    paragraphs = methods(released, estimates, leads)
    keys = [key for paragraph in paragraphs for key in paragraph.works]
    works = cited([*keys, *GUIDELINES, *(["mitchell2019"] if released.model_card else [])])
    beside, beyond = _beside(released, leads), _audit_beyond(released)
    of_score = Rows(tuple(row for row in audit.rows if row["metric"] not in DECLARED_METRICS))
    groups = [str(name) for name in of_score.values("group") if name not in {"overall", "age_band"}]
    return {
        "title": released.title,
        "notices": released.notices,
        "left_out": tuple(released.left_out),
        "states": STATE_MEANINGS,
        "sentences": summary(leads, released),
        "tiles": _tiles(leads),
        "overview": overview_table(leads, estimates) if len(leads) > 1 else None,
        "flow_steps": flow_steps(flow),
        "flow_table": flow_table(flow),
        "flow_losses": losses_table(flow),
        "forest": forest_figure(estimates, leads),
        "conditions": [_condition(estimates, lead, number) for number, lead in enumerate(leads, start=1)],
        "male_share": male_share_table(estimates),
        **beside,
        "audit_figures": audit_figures(audit),
        "audit_table": audit_table(audit, "age_band") or audit_table(audit, "overall"),
        "audit_others": [table for name in groups if (table := audit_table(audit, name)) is not None],
        "metric_table": metric_table(audit, "age_band"),
        "gap_table": gap_table(gaps),
        **beyond,
        "quality_table": quality_table(audit),
        "age_error_table": age_error_table(audit),
        "age_sentences": age_sentences(audit),
        "methods": paragraphs,
        "guidelines": guideline_map(_absent(beside | beyond)),
        "guideline_works": GUIDELINES,
        "works": works,
        "numbers": {work.key: work.number for work in works},
        "settings": outline(_without(released.settings, "attribution")),
        "model": model_view(released.model_card, released.provenance),
        "provenance": outline(_without(released.provenance, "attribution", "acknowledgement")),
        "attribution": _attribution(released),
        "acknowledgements": _acknowledgements(released),
    }


def _tiles(leads: Sequence[Headline]) -> list[dict[str, str]]:
    """Return the large numbers of a study of one condition: corrected, naive, truth."""
    if len(leads) != 1:
        return []
    lead = leads[0]
    shown = [(sentence_case(lead.kind), "corrected", lead.corrected), ("Naive: predicted sex", "naive", lead.naive)]
    shown += [("Truth", "truth", lead.truth)] if has_number(lead.truth) else []
    tiles = []
    for label, role, row in shown:
        text, note = printed(row, "prevalence_ratio")
        tiles.append(
            {
                "label": label,
                "role": role,
                "text": text,
                "note": note or ("known because simulated or hidden" if role == "truth" else ""),
            }
        )
    return tiles


def _condition(estimates: Rows, lead: Headline, number: int) -> dict[str, Any]:
    name = safe_name(lead.condition, number)
    return {
        "id": name,
        "name": sentence_case(lead.condition),
        "lead": lead,
        "choice": lead.choice or {},
        "diagnostics": outline((lead.choice or {}).get("diagnostics") or {}),
        "table": condition_table(estimates, lead, f"estimates-{name}.csv"),
        "adjusted": adjusted_table(estimates, lead, f"adjusted-{name}.csv"),
        "eyes": eye_table(estimates, lead, f"eyes-{name}.csv"),
        "ages": age_table(estimates, lead, f"ages-{name}.csv"),
        "figures": prevalence_figures(estimates, lead, f"ages-{name}"),
    }


def _beside(released: Released, leads: Sequence[Headline]) -> dict[str, Any]:
    """Return what stands beside the answers: what they rest on, what could change them, and imputation compared."""
    named = [(lead, safe_name(lead.condition, number)) for number, lead in enumerate(leads, start=1)]
    diagnostics = Rows.of(released.diagnostics, "diagnostic")
    sensitivity = Rows.of(released.sensitivity, "sensitivity")
    imputation = Rows.of(released.imputation, "imputation")
    views: dict[str, list[Any]] = {
        "rests_on": [rests_on(diagnostics, lead.condition, name) for lead, name in named],
        "what_if": [what_if_view(sensitivity, lead, name) for lead, name in named],
        "imputation": [imputation_table(imputation, lead.condition, f"imputation-{name}.csv") for lead, name in named],
    }
    return {section: [view for view in found if view is not None] for section, found in views.items()}


def _audit_beyond(released: Released) -> dict[str, Any]:
    """Return what the audit says beyond groups: over continuous age, of missing scores, and of the consequences."""
    missingness = Rows.of(released.missingness, "missingness")
    consequences = Rows.of(released.consequences, "consequence")
    return {
        "rule_table": rule_table(Rows.of(released.rules, "audit_rule")),
        "group_test_table": group_test_table(Rows.of(released.group_tests, "audit_test")),
        "ageing": ageing_view(Rows.of(released.age_curves, "age_curve"), Rows.of(released.age_trends, "age_trend")),
        "absence_table": absence_table(missingness),
        "bounds_table": bounds_table(missingness),
        "consequence_table": consequence_table(consequences),
        "consequence_sentences": consequence_sentences(consequences),
    }


def _absent(views: Mapping[str, Any]) -> set[str]:
    """Return the anchors of sections that a page leaves out because there is nothing to show in them."""
    sections = {
        "rests_on": "rests-on",
        "what_if": "what-if",
        "imputation": "imputation",
        "consequence_table": "consequences",
    }
    return {anchor for view, anchor in sections.items() if not views[view]}


def _without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {str(key): value for key, value in values.items() if key not in names}


def _attribution(released: Released) -> list[dict[str, str]]:
    """Return whom to thank for the photographs; only web addresses become links."""
    entries = released.settings.get("attribution") or released.provenance.get("attribution") or []
    if isinstance(entries, (str, Mapping)):
        entries = [entries]
    found = []
    for entry in entries:
        values = {"title": entry} if isinstance(entry, str) else {str(key): str(value) for key, value in entry.items()}
        url = values.get("url", "")
        found.append({**values, "link": url if url.startswith(("https://", "http://")) else ""})
    return found


def _acknowledgements(released: Released) -> list[str]:
    texts: list[str] = []
    for source in (released.provenance, released.model_card or {}):
        for key in ("acknowledgement", "citation"):
            value = source.get(key)
            texts += [value] if isinstance(value, str) else [str(item) for item in value or []]
    return list(dict.fromkeys(texts))
