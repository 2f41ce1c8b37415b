"""The cohort: one DuckDB file per study, from which cells, flow and linked scores are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import pandas as pd

from sexstrat.cohort.asked import carried_keys, wanted_places
from sexstrat.cohort.build import BuildSettings, as_problems, write_cohort
from sexstrat.cohort.cells_query import cell_frame, cell_queries
from sexstrat.cohort.check import CodingLike, TableLike, as_inputs, stage_and_check
from sexstrat.cohort.condition_bits import places
from sexstrat.cohort.condition_counts import condition_counts, patient_counts
from sexstrat.cohort.folds import DEFAULT_SALT
from sexstrat.cohort.frames import contract_frame
from sexstrat.cohort.half_built import built_aside
from sexstrat.cohort.opened import open_file
from sexstrat.cohort.parquet_scan import scanned_files
from sexstrat.cohort.patient_rows import PatientRows
from sexstrat.cohort.pattern_counts import pattern_counts
from sexstrat.cohort.resources import enough_memory, steps_told
from sexstrat.cohort.score_rows import score_rows
from sexstrat.cohort.score_use import ScoreUse
from sexstrat.cohort.sql import Connection, connect
from sexstrat.cohort.training_overlap import TrainingAges
from sexstrat.errors import Problem, SchemaError, StudyError
from sexstrat.values.age_bands import AgeBands
from sexstrat.values.cells import Cells
from sexstrat.values.shown import Shown

__all__ = ["Cohort"]

ENGINES = ("local", "dask")


class Cohort(Shown):
    """A cohort on disk: persons, scores and conditions linked, checked and ready to be counted.

    Make one with :meth:`create`, read one with :meth:`open`; close it or use it in a ``with`` block.

    Examples
    --------
    >>> import tempfile
    >>> persons = pd.DataFrame({"patient_id": ["a"], "age_years": [61], "recorded_sex": ["male"]})
    >>> conditions = pd.DataFrame({"patient_id": ["a"], "condition": ["amd"], "present": [True]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Cohort.create(Path(folder) / "c.duckdb", persons=persons, conditions=conditions) as cohort:
    ...         cohort.cells().frame[["condition", "age_years", "diseased", "recorded_sex", "n_eyes", "n"]]
      condition  age_years  diseased recorded_sex  n_eyes  n
    0       amd         61      True         male       0  1
    """

    def __init__(self, path: Path, connection: Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def create(
        cls,
        path: str | Path,
        *,
        persons: TableLike,
        scores: TableLike | None = None,
        conditions: TableLike | None = None,
        images: TableLike | None = None,
        sex_coding: CodingLike = None,
        bands: AgeBands | None = None,
        thresholds: Sequence[float] = (0.5,),
        fold_salt: str = DEFAULT_SALT,
        trained_on: Iterable[str] | None = None,
        training_ages: TrainingAges | None = None,
        score_use: ScoreUse | None = None,
        age_scores: TableLike | None = None,
        age_source: str = "recorded",
        memory_limit: str | None = None,
        threads: int | None = None,
        temp_directory: Path | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> Cohort:
        """Check the inputs and write the cohort file; an interrupted build leaves an older file as it was.

        What a killed build left beside the file is removed.

        Parameters
        ----------
        path : file to write; its folder is made.
        persons, scores, conditions, images : inputs, as :class:`TableInput`, path or frame.
        sex_coding : name of a known coding or map from value to male, female, other or unknown.
        bands : age bands of the study; patients outside them are lost in the flow and not in the cells.
        thresholds : classification thresholds on prob_male, each an edge of a score bin.
        fold_salt : text put before the key of a cross-fitting fold.
        trained_on : patients whose images trained the model; they validate nothing unless scored out of fold. Where
            some scores carry a fold, patients scored without one are taken as trained on, listed here or not.
        training_ages : ages on which the model was trained; patients scored outside them are flagged and counted.
        score_use : what is declared about scores: a least quality, whether inferred eyes count; None declares nothing.
        age_scores : scores of a model of age, as the other tables.
        age_source : the age of the analyses: ``"recorded"``, ``"predicted"`` where none is recorded, or
            ``"predicted_for_all"``. Recorded age is kept beside it.
        memory_limit, threads, temp_directory : as in :func:`sexstrat.cohort.sql.connect`.
        progress : called with a line now and then when the work takes long.

        Raises
        ------
        SchemaError : an input breaks its contract; every problem is listed, warnings too.
        StudyError : a setting is none of those allowed, or the memory is too little.
        """
        target, step = Path(path), steps_told(progress)
        settings = BuildSettings(
            bands=bands,
            thresholds=tuple(thresholds),
            fold_salt=fold_salt,
            trained_on=frozenset(map(str, trained_on or ())),
            training_ages=training_ages,
            score_use=score_use or ScoreUse(),
            age_source=age_source,
        )
        tables = {"persons": persons, "images": images, "scores": scores, "conditions": conditions}
        tables |= {"age_scores": age_scores}
        with enough_memory(), built_aside(target) as building:
            spill = temp_directory or building.with_name(building.name + ".tmp")
            connection = connect(
                building,
                memory_limit=memory_limit,
                threads=threads,
                temp_directory=spill,
                readable=scanned_files(as_inputs(tables).values()),
                ordered=False,
            )
            try:
                staged, problems = stage_and_check(
                    connection,
                    tables,
                    coding=sex_coding,
                    training_ages=training_ages,
                    score_use=score_use,
                    age_source=age_source,
                )
                if any(problem.severity == "error" for problem in problems):
                    raise SchemaError(problems)
                step("the tables are checked; the cohort is being written")
                connection.execute("BEGIN")  # one transaction: a commit a statement would cost more than the work
                write_cohort(connection, staged, problems, settings, step)
                connection.execute("COMMIT")
                connection.execute("CHECKPOINT")  # closing writes the rest too, but says nothing when the disk is full
            finally:
                connection.close()
        return cls.open(target, memory_limit=memory_limit, threads=threads)

    @classmethod
    def open(cls, path: str | Path, *, memory_limit: str | None = None, threads: int | None = None) -> Cohort:
        """Open a cohort file without the right to change it.

        Parameters
        ----------
        path : file written by :meth:`create`.
        memory_limit, threads : as in :func:`sexstrat.cohort.sql.connect`.

        Raises
        ------
        SchemaError : there is no such file, it is no cohort, or its layout is of another version.
        """
        target = Path(path)
        connection = open_file(target, memory_limit=memory_limit, threads=threads)
        return cls(target, connection)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Cohort:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return the warnings found in the inputs when the cohort was built."""
        return as_problems(self._connection.execute("SELECT * FROM problem").fetchall())

    @property
    def conditions(self) -> tuple[str, ...]:
        """Name the conditions, sorted."""
        return tuple(place.condition for place in places(self._connection))

    @property
    def model_id(self) -> str:
        """Name the model whose scores are used; several are joined by ``+``."""
        query = "SELECT DISTINCT model_id FROM score WHERE status = 'ok' ORDER BY model_id"
        return "+".join(name for (name,) in self._connection.execute(query).fetchall())

    @property
    def model_sha256(self) -> str:
        """Return the digest of the weights whose scores are used; several are joined by ``+``."""
        query = "SELECT DISTINCT model_sha256 FROM score WHERE status = 'ok' ORDER BY model_sha256"
        return "+".join(digest for (digest,) in self._connection.execute(query).fetchall())

    def flow(self, *, by_characteristic: bool = False) -> pd.DataFrame:
        """Return who was in and who was lost, step by step (contract ``flow``).

        Parameters
        ----------
        by_characteristic : add, after the whole steps, who was lost against who remains by sex, age and disease.
        """
        query = "SELECT * FROM flow WHERE variable IS NULL OR ? ORDER BY variable NULLS FIRST, step, rowid"
        return contract_frame(self._connection.execute(query, [by_characteristic]).df(), "flow")

    def patient_counts(self) -> dict[str, int]:
        """Return how many patients are ``analysed`` (in the cells), and of these ``scored`` and ``validated``.

        Validated are those whose recorded sex, male or female, may judge the score; with or without one of their own.
        """
        return patient_counts(self._connection)

    def condition_counts(self) -> pd.DataFrame:
        """Return for each condition the patients in the study with it known, present and missing."""
        return condition_counts(self._connection)

    def cells(
        self,
        conditions: Iterable[str] | None = None,
        *,
        keys: Iterable[str] | None = None,
        engine: str = "local",
        scheduler: str | None = None,
        workers: int = 2,
    ) -> Cells:
        """Return the cells: all that estimates need, in one scan, whatever the number of patients.

        A patient without a value for a condition is not in its cube (:meth:`condition_counts` counts them), nor is
        one without age or outside the age bands (:meth:`flow` counts them). The sum of ``n`` over a cube is hence
        the number of patients in the study whose condition is known.

        Parameters
        ----------
        conditions : cubes wanted; None for all.
        keys : optional keys (site, stratum, psu) the cubes carry; None for those that the person table fills.
        engine : ``"local"`` or ``"dask"``, which counts parts of the patients on the workers of a cluster and adds
            them up: the same cells exactly.
        scheduler : address of the cluster; None starts processes here.
        workers : how many, where they are started here.

        Raises
        ------
        KeyError : no such condition or key; the message lists those there are.
        StudyError : no such engine, Dask is not installed or its cluster fails, or the memory is too little.
        """
        if engine not in ENGINES:
            raise StudyError(f"engine is one of {', '.join(ENGINES)}; found {engine!r}")
        wanted, carried = wanted_places(self._connection, conditions), carried_keys(self._connection, keys)
        with enough_memory():
            if engine == "dask" and wanted:
                from sexstrat.cohort.cells_dask import cells_on_dask

                queries = cell_queries(self._connection, wanted, carried)
                frame = cells_on_dask(self._connection, self.path, queries, scheduler=scheduler, workers=workers)
            else:
                frame = cell_frame(self._connection, wanted, carried)
        return Cells(frame=frame, edges=self._edges(), model_id=self.model_id)

    def pattern_counts(self, conditions: Iterable[str] | None = None, *, age_width: int = 5) -> pd.DataFrame:
        """Return how many patients of the study there are by recorded sex, age and pattern of conditions.

        A cube far narrower than :meth:`cells`, for what recorded sex, age and conditions decide, several conditions
        at once; its columns are those of :func:`sexstrat.cohort.pattern_counts.pattern_counts`.

        Parameters
        ----------
        conditions : those of the pattern; None for all.
        age_width : years of age in a row, 1 to 120.

        Raises
        ------
        KeyError : no such condition; the message lists those there are.
        StudyError : the width is not among those allowed.
        """
        return pattern_counts(self._connection, wanted_places(self._connection, conditions), age_width)

    def patients(self) -> PatientRows:
        """Return the patients as rows, without any estimate of their sex."""
        return PatientRows(self._connection)

    def score_frame(self) -> pd.DataFrame:
        """Return the scores of each image beside its person, for the audit.

        One row per score of a known patient: image_id, patient_id, eye, prob_male (missing unless status is ok),
        status, quality, fold, age_years (not floored), recorded_sex (unknown where it may not validate: see
        ``patients``), site, camera, validation_probability, weight.
        """
        return score_rows(self._connection)

    def _edges(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        rows = self._connection.execute("SELECT logit_low, logit_high FROM logit_bin ORDER BY logit_bin").fetchall()
        return np.array([rows[0][0], *(high for _, high in rows)], dtype=np.float64)
