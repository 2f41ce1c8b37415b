"""Write a simulated cohort as study tables with a study file that runs on them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sexstrat.errors import StudyError
from sexstrat.simulation import (
    Setting,
    cohort_parts,
    described,
    external_cohort,
    population_truth,
    settings,
)
from sexstrat.simulation import setting as named_setting
from sexstrat.values.design import ValidationDesign

if TYPE_CHECKING:
    import pandas as pd

    from sexstrat.simulation import SimulatedCohort

__all__ = ["STUDY_TEXT", "chosen_setting", "write_simulated_study"]

EXTERNAL_TEXT = """
[external_persons]            # other people of known sex, scored by the same model
source = "external_persons.{format}"

[external_scores]
source = "external_scores.parquet"

[external_conditions]
source = "external_conditions.{format}"
"""

FORMATS = ("csv", "parquet")
BANDS = (20, 45, 55, 65, 75)
STUDY_TEXT = """\
# A simulated cohort: nothing in it is a patient. The truth is known and shown beside every estimate.
schema_version = 1
title = {title}
seed = {seed}
notices = [
{notices}
]
{extra}
[scores]
source = "scores.parquet"

[persons]
source = "persons.{format}"

[conditions]
source = "conditions.{format}"

[truth]
source = "truth.{format}"          # the sex that was hidden from the analysis

[validation]
design = "{design}"           # how sex came to be recorded for some patients

[analysis]
target = "{target}"
age_bands = {bands}
standards = ["cohort", "who_2000_2025"]

[disclosure]
profile = "uk-5"
{external}"""


def chosen_setting(name: str) -> Setting:
    """Return a named setting for somebody at a command line.

    Parameters
    ----------
    name : its name.

    Raises
    ------
    StudyError : no such setting; the message lists those there are.

    Examples
    --------
    >>> chosen_setting("rare").prevalence
    0.01
    """
    if name not in settings():
        raise StudyError(f"no simulation setting {name!r}; there are {', '.join(settings())}")
    return named_setting(name)


def write_simulated_study(
    out: str | Path,
    *,
    setting: str | Setting = "error_by_disease",
    n_patients: int | None = 20_000,
    seed: int = 1,
    title: str = "",
    notices: Sequence[str] = (),
    extra: str = "",
    file_format: str = "csv",
    tell: Callable[[str], None] = lambda text: None,
) -> Path:
    """Simulate a cohort and write persons, truth, conditions, scores, the population's truth and study.toml.

    The sex hidden from the study lies in ``truth``, what is true of the population in ``population_truth.json``; no
    estimate reads either. An external validation cohort is written as ``external_persons``, ``external_conditions``
    and ``external_scores``. Tables are written part by part: memory does not grow with the number of patients.

    Parameters
    ----------
    out : folder to write into; made when absent.
    setting : a simulation setting, or its name.
    n_patients : patients to simulate; None takes as many as the setting says.
    seed : seed of every draw.
    title : title of the study; a plain one when empty.
    notices : further sentences every reader must see first.
    extra : further top-level lines of the study file (TOML).
    file_format : csv or parquet, of every table but the scores, which are always Parquet.
    tell : called with one line a part of a large cohort.

    Returns
    -------
    The study file.

    Raises
    ------
    StudyError : no such setting or format; the message lists those there are.
    """
    one = chosen_setting(setting) if isinstance(setting, str) else setting
    if file_format not in FORMATS:
        raise StudyError(f"tables cannot be written as {file_format!r}; allowed: {', '.join(FORMATS)}")
    n = one.patients if n_patients is None else n_patients
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    _write_tables(folder, "", file_format, cohort_parts(one, n, seed), n, tell)
    outside = external_cohort(one, seed)
    if outside is not None:
        _write_tables(folder, "external_", file_format, [outside], len(outside.persons), lambda text: None)
    (folder / "population_truth.json").write_text(_truth_text(one, n, seed), encoding="utf-8")
    simulated = (
        f"Everything about these {n:,} patients is simulated (setting {one.name}, seed {seed}): "
        "ages, sexes, diseases and scores. No real person is in it."
    )
    study = folder / "study.toml"
    text = STUDY_TEXT.format(
        title=json.dumps(title or f"Simulated cohort, setting {one.name}", ensure_ascii=False),
        seed=seed,
        notices="\n".join(f"  {json.dumps(text, ensure_ascii=False)}," for text in (simulated, *notices)),
        extra=extra,
        design=one.design.value,
        target=one.target.value,
        bands=list(BANDS),
        format=file_format,
        external=EXTERNAL_TEXT.format(format=file_format) if one.design is ValidationDesign.external else "",
    )
    study.write_text(text, encoding="utf-8")
    return study


def _write_tables(
    folder: Path,
    prefix: str,
    file_format: str,
    parts: Iterable[SimulatedCohort],
    n: int,
    tell: Callable[[str], None],
) -> None:
    """Write the tables of a cohort, one part after the other; a table is replaced only when it is whole."""
    names = {"persons": file_format, "conditions": file_format, "scores": "parquet"}
    if not prefix:
        names["truth"] = file_format
    writers = {name: _Writer(folder / f"{prefix}{name}.{suffix}") for name, suffix in names.items()}
    done = 0
    try:
        for part in parts:
            for name, writer in writers.items():
                writer.add(_shown_truth(part) if name == "truth" else getattr(part, name))
            done += len(part.persons)
            if done < n:
                tell(f"simulate: {done:,} of {n:,} patients written")
    except BaseException:
        for writer in writers.values():
            writer.discard()
        raise
    for writer in writers.values():
        writer.close()


def _truth_text(one: Setting, n: int, seed: int) -> str:
    """Return the population's truth and the knobs that made it as JSON; an empty value is null."""
    frame = population_truth(one, BANDS)
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    about = (
        "what is true of the population this cohort was drawn from; the cohort's own figures differ by chance, and are "
        "those of the truth table. standard 'population': by-band figures weighted by the population's ages"
    )
    document = {
        "schema_version": 1,
        "about": about,
        "patients": n,
        "seed": seed,
        "setting": described(one),
        "population": rows,
    }
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _shown_truth(part: SimulatedCohort) -> pd.DataFrame:
    return part.persons.assign(recorded_sex=part.truth["true_sex"].to_numpy())


class _Writer:
    """One table on disk that grows by parts, CSV or Parquet by its suffix, under a temporary name until closed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partial = path.with_name(path.name + ".partial")
        self.parquet: Any = None
        self.begun = False

    def add(self, frame: pd.DataFrame) -> None:
        """Write a part of the table after those before it."""
        if self.path.suffix == ".csv":
            frame.to_csv(self.partial, index=False, mode="a" if self.begun else "w", header=not self.begun)
        else:
            import pyarrow as pa
            from pyarrow import parquet

            if self.parquet is None:
                first = pa.Table.from_pandas(frame, preserve_index=False)
                self.parquet = parquet.ParquetWriter(self.partial, first.schema)
            self.parquet.write_table(pa.Table.from_pandas(frame, schema=self.parquet.schema, preserve_index=False))
        self.begun = True

    def close(self) -> None:
        """Put the whole table in its place."""
        if self.parquet is not None:
            self.parquet.close()
        self.partial.replace(self.path)

    def discard(self) -> None:
        """Leave nothing of a table that was not finished."""
        if self.parquet is not None:
            self.parquet.close()
        self.partial.unlink(missing_ok=True)
