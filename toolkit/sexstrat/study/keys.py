"""The contract of a study file: every section and key, its type, what it allows and what it is when left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["SECTIONS", "Key"]

DEFAULT_BANDS = (20, 30, 40, 50, 60, 70, 80)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a study file.

    Parameters
    ----------
    kind : text, path, place (path, glob or URL), integer, number, boolean, range, integers, texts, rules, concepts,
        measurements, mapping, words (some of those allowed, each once) or coding (a name or a mapping).
    default : value when the key is left out.
    required : whether leaving it out is an error once its section is there.
    allowed : the allowed words, empty when any.
    low, high : closed bounds for numbers, or None.
    about : one line for the commented study file and for error messages.

    Examples
    --------
    >>> Key(kind="number", low=0.5, high=0.999, about="confidence level").expected
    'a number from 0.5 to 0.999'
    """

    kind: str
    about: str
    default: Any = None
    required: bool = False
    allowed: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def expected(self) -> str:
        """Say in words what the key accepts."""
        if self.allowed:
            return ("a list of " if self.kind == "words" else "one of ") + ", ".join(self.allowed)
        words = {
            "text": "text",
            "path": "a file or folder, relative to the study file",
            "place": "a file, or a folder or glob of Parquet files, relative to the study file, or a URL such as s3://...",
            "integer": "a whole number",
            "number": "a number",
            "boolean": "true or false",
            "range": "[lowest, highest], two rising numbers above 0 and below 1",
            "integers": "a list of whole numbers",
            "texts": "a list of texts",
            "rules": "sections [[audit.rules]], each with metric, comparison and limit",
            "concepts": "a table such as { glaucoma = [437541] }",
            "measurements": "a table such as { diabetes = { concept = 3004410, unit = 8554, at_least = 6.5 } }, with "
            "at_least or below",
            "mapping": "a table such as { contract_column = 'your column' }",
            "coding": "the name of a coding or a table such as { '1' = 'male', '2' = 'female' }",
        }[self.kind]
        if self.low is not None:
            words += f" from {self.low:g}" + ("" if self.high is None else f" to {self.high:g}")
        return words


def _table(about: str) -> dict[str, Key]:
    return {
        "source": Key(kind="place", required=True, about=about),
        "table": Key(kind="text", about="table or view, where source is a DuckDB file"),
        "drop": Key(
            kind="texts", default=(), about="kinds of problem whose rows are left out, as the check names them"
        ),
        "columns": Key(kind="mapping", default={}, about="contract column = column of your table"),
        "encoding": Key(kind="text", default="utf-8", allowed=("utf-8", "utf-8-sig", "cp932"), about="of a CSV"),
        "delimiter": Key(kind="text", default=",", about="of a CSV"),
        "decimal": Key(kind="text", default=".", allowed=(".", ","), about="decimal mark of a CSV"),
    }


_USE = {
    "min_quality": Key(
        kind="number", low=0, high=1, about="a photograph below it counts as ungradable; left out: none does"
    ),
    "accept_inferred_eye": Key(
        kind="boolean", default=False, about="whether an eye told by the side of the optic disc counts as known"
    ),
}

_CONFLICT = {
    "on_conflict": Key(
        kind="text",
        default="error",
        allowed=("error", "present"),
        about="a disease both present and absent in one eye or person: stop, or count it as present",
    )
}

SECTIONS: Mapping[str, Mapping[str, Key]] = {
    "": {
        "schema_version": Key(kind="integer", required=True, low=1, high=1, about="version of this file's format"),
        "title": Key(kind="text", required=True, about="title of the report"),
        "seed": Key(kind="integer", default=1, low=0, about="seed of every random draw"),
        "notices": Key(kind="texts", default=(), about="sentences every reader must see first"),
        "acknowledgements": Key(kind="texts", default=(), about="whom and what the report thanks and cites"),
        "model_card": Key(kind="text", default="", about="card to print: 'shipped' or a path; left out: the scores'"),
    },
    "images": {
        "source": Key(kind="path", required=True, about="folder, or CSV/Parquet list of photographs to score"),
        "model": Key(kind="text", default="shipped", about="'shipped' or a model card's path"),
        "trust": Key(kind="boolean", default=False, about="whether the maker of a SavedModel is trusted"),
        **_USE,
    },
    "scores": _table("score table: one row per image") | _USE,
    "persons": _table("person table: one row per patient")
    | {
        "sex_coding": Key(kind="coding", about="how recorded_sex is coded; never guessed"),
        "age_source": Key(
            kind="text",
            default="recorded",
            allowed=("recorded", "predicted", "predicted_for_all"),
            about="predicted: age from [age_scores] where none is recorded; for_all: in place of recorded age as well",
        ),
    },
    "age_scores": _table("score table of a model of age: one row per image, with predicted_age"),
    "conditions": _table("condition table: one row per patient and disease") | _CONFLICT,
    "image_table": _table("image table: whose eye each photograph shows, the camera, the day: dates the age at it"),
    "omop": {
        "visit": Key(
            kind="text",
            required=True,
            allowed=("first", "last", "none"),
            about="which visit dates the age; none: the photographs of [image_table] do",
        ),
        "without_record": Key(
            kind="text",
            required=True,
            allowed=("absent", "unknown"),
            about="what a person without a diagnosis of a set is taken for; a common data model does not say",
        ),
        "visit_concepts": Key(kind="integers", default=(), about="kinds of visit that count; left out: all"),
        "conditions": Key(kind="concepts", default={}, about="disease = concepts of its diagnoses, descendants too"),
        "measurements": Key(kind="measurements", default={}, about="disease = the measurement that tells it"),
        "until_visit": Key(kind="boolean", default=True, about="whether only what is dated up to the visit counts"),
        "schema": Key(kind="text", default="", about="schema of the database that holds the tables"),
    },
    "truth": _table("recorded sex that was hidden from the analysis: only to judge it (simulations, teaching)")
    | {"sex_coding": Key(kind="coding", about="how recorded_sex is coded in the truth table")},
    "external_persons": _table("persons of another cohort in which sex is known (design external)")
    | {"sex_coding": Key(kind="coding", about="how recorded_sex is coded in that cohort; never guessed")},
    "external_scores": _table("scores of that cohort, by the same model"),
    "external_conditions": _table(
        "conditions of that cohort; for a disease that is not in it, errors are assumed not to differ by disease"
    )
    | _CONFLICT,
    "validation": {
        "design": Key(
            kind="text",
            required=True,
            allowed=("random", "known_probability", "modelled", "may_depend_on_sex", "external", "none"),
            about="how sex came to be recorded for some patients; must be declared, data cannot show it",
        ),
        "recorded_sex_error": Key(
            kind="number", low=0, high=0.2, about="believed share of wrong records of sex; shown as a what-if"
        ),
    },
    "bias_analysis": {
        "sensitivity": Key(kind="range", about="share of men called male; 95 % sure to lie in it"),
        "specificity": Key(kind="range", about="share of women called female; 95 % sure to lie in it"),
        "sensitivity_diseased": Key(kind="range", about="the same with the disease; left out: as without it"),
        "specificity_diseased": Key(kind="range", about="the same with the disease; left out: as without it"),
        "correlation": Key(
            kind="number", default=0.8, low=-1, high=1, about="between the errors with and without the disease"
        ),
        "correlation_of_errors": Key(
            kind="number", default=0.0, low=-1, high=1, about="between sensitivity and specificity"
        ),
        "draws": Key(kind="integer", default=20_000, low=1_000, high=1_000_000, about="draws from these beliefs"),
        "shift_limit": Key(
            kind="number", default=3.0, low=0.1, high=10, about="largest shift of the score's logit looked at"
        ),
        "trained_male_share": Key(
            kind="number", default=0.5, low=0.01, high=0.99, about="share of men for which the score is calibrated"
        ),
        "two_eye_slope": Key(
            kind="number", default=1.0, low=0.1, high=3, about="slope that calibrates the mean logit of two eyes"
        ),
    },
    "analysis": {
        "target": Key(kind="text", default="population", allowed=("population", "cohort"), about="whom it is about"),
        "age_bands": Key(kind="integers", default=DEFAULT_BANDS, about="first year of each band, rising"),
        "age_end": Key(kind="integer", low=1, high=130, about="first year after the last band; left out: open"),
        "conditions": Key(kind="texts", default=(), about="diseases to analyse; left out: all"),
        "standards": Key(kind="texts", default=("who_2000_2025",), about="standard populations by name"),
        "level": Key(kind="number", default=0.95, low=0.5, high=0.999, about="confidence level"),
    },
    "audit": {
        "age_bands": Key(kind="integers", about="bands of the audit; left out: those of the analysis"),
        "min_patients": Key(kind="integer", default=10, low=2, about="of each sex in a group before a rate is shown"),
        "rules": Key(
            kind="rules", default=(), about="declared rules, each a section [[audit.rules]]; exit code 4 on fail"
        ),
    },
    "report": {
        "languages": Key(
            kind="words",
            default=("en",),
            allowed=("en", "ja"),
            about="languages of the page, the one shown first first; with two, readers choose",
        ),
    },
    "disclosure": {
        "profile": Key(
            kind="text",
            default="uk-5",
            allowed=("uk-5", "us-cms-11", "opensafely", "opensafely-midpoint6", "ndb-10", "none"),
            about="which small counts are suppressed",
        ),
        "reason": Key(kind="text", default="", about="why profile 'none' is right for these data"),
    },
}
