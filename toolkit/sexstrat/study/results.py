"""Gather what the stages of a run found, with the settings and the provenance a referee asks for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sexstrat.audit.sampling import sampling_notices
from sexstrat.cohort import Cohort
from sexstrat.study.declared_use import age_notices
from sexstrat.study.file import Study
from sexstrat.study.plan import code_digest, digest_file
from sexstrat.study.stages import read_private
from sexstrat.study.versions import package_versions
from sexstrat.values.results import StudyResults

__all__ = ["study_results"]


def study_results(study: Study, folder: Path) -> StudyResults:
    """Gather the results of a run whose stages have all finished.

    Parameters
    ----------
    study : the study.
    folder : its run folder.

    Returns
    -------
    Results that still have to pass the disclosure gate.
    """
    with Cohort.open(folder / "private" / "cohort.duckdb") as cohort:
        flow, model_id = cohort.flow(by_characteristic=True), cohort.model_id
    return StudyResults(
        title=study.title,
        estimates=read_private(folder, "estimates"),
        audit=read_private(folder, "audit"),
        gaps=read_private(folder, "gaps"),
        flow=flow,
        diagnostics=read_private(folder, "diagnostics"),
        sensitivity=read_private(folder, "sensitivity"),
        imputation=read_private(folder, "imputation"),
        age_curves=read_private(folder, "age_curves"),
        age_trends=read_private(folder, "age_trends"),
        missingness=read_private(folder, "missingness"),
        consequences=read_private(folder, "consequences"),
        group_tests=read_private(folder, "group_tests"),
        shrunken=read_private(folder, "shrunken"),
        parity=read_private(folder, "parity"),
        rules=read_private(folder, "rules"),
        settings=_settings(study),
        provenance=_provenance(study, folder, model_id),
        model_card=_model_card(study, model_id),
        choices=tuple(json.loads((folder / "private" / "choices.json").read_text(encoding="utf-8"))),
        notices=(*study.section("")["notices"], *age_notices(study), *sampling_notices(read_private(folder, "cells"))),
    )


def _settings(study: Study) -> dict[str, Any]:
    """Return the resolved study with file names in place of this machine's paths."""
    plain: dict[str, Any] = {}
    for section, keys in study.settings.items():
        for key, value in keys.items():
            plain.setdefault(section, {})[key] = value.name if isinstance(value, Path) else value
    plain["attribution"] = plain[""].pop("acknowledgements")
    return plain


def _provenance(study: Study, folder: Path, model_id: str) -> dict[str, Any]:
    inputs = {
        f"{section}: {keys['source'].name}": digest_file(keys["source"])
        for section, keys in study.settings.items()
        if isinstance(keys.get("source"), Path) and keys["source"].is_file()
    }
    inputs["cells"] = digest_file(folder / "private" / "cells.parquet")
    run = json.dumps([inputs, _settings(study), code_digest()], sort_keys=True, default=str)
    return {
        "run_id": hashlib.sha256(run.encode()).hexdigest()[:16],
        "seed": study.seed,
        "model_id": model_id,
        "code_sha256": code_digest(),
        "versions": package_versions(),
        "inputs_sha256": inputs,
    }


def _model_card(study: Study, model_id: str) -> Mapping[str, Any] | None:
    """Return the card the study names, else that of the model that gave the scores when it is at hand."""
    from sexstrat.models import card_to_json
    from sexstrat.study.card import names_card, study_card

    card = study_card(study)
    if not names_card(study) and card.model_id != model_id:
        return None
    return {str(key): value for key, value in json.loads(card_to_json(card)).items()}
