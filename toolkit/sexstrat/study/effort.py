"""Say roughly how long each stage of a study takes and how much memory it needs, from the rows of its inputs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sexstrat.cohort.rough_rows import rough_rows
from sexstrat.scores.urls import is_remote
from sexstrat.study.file import Study
from sexstrat.study.stages import table_input

__all__ = ["Effort", "StudySize", "stage_effort", "study_size"]

# Measured on two cores of 2.6 GHz with 10,000 and 1,000,000 simulated patients, one and six diseases; a faster or a
# busier machine differs, which is why a plan says "about". A benchmark holds them to a factor of three.
BASE_MEGABYTES = 320.0  # Python with the libraries of a run
MEGABYTES: Mapping[str, float] = {  # for each million rows, cells or images
    "scores": 0.0,
    "cohort": 28.0,
    "estimates": 600.0,
    "audit": 1100.0,
    "report": 0.0,
}
REPORT_MEGABYTES = 25.0  # for each condition: the program that protects all tables against each other
SCORING_MEGABYTES = 1500.0  # a network and its batches
IMAGES_A_SECOND = 30.0  # scored on one core: decoding and a small network
COHORT_SECONDS = (0.7, 0.8)  # and for each million rows, divided by the cores
ESTIMATES_SECONDS = (0.8, 30.0)  # for each condition, and for each million cells
AUDIT_SECONDS = (1.5, 0.25, 1.8)  # and for each condition, and for each million images in each kind of group
REPORT_SECONDS = (1.3, 0.45)  # and for each condition
MOST_CELLS = 75_000  # of one condition: ages, disease states, recorded sexes, eyes, score bins and folds that occur
CELLS_A_PATIENT = 0.7  # in a small cohort


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What a stage needs on a machine at rest, roughly: within a factor of three.

    Parameters
    ----------
    seconds : time.
    megabytes : most memory of the process (10^6 bytes).

    Examples
    --------
    >>> Effort(seconds=100.0, megabytes=2500.0).words
    ('about 2 min', 'about 2.5 GB')
    """

    seconds: float
    megabytes: float

    @property
    def words(self) -> tuple[str, str]:
        """Time and memory in words."""
        hours, minutes = self.seconds / 3600, self.seconds / 60
        time = f"{hours:.1f} h" if hours >= 1 else f"{minutes:.0f} min" if minutes >= 1.5 else f"{self.seconds:.0f} s"
        many = self.megabytes >= 1000
        memory = f"{self.megabytes / 1000:.1f} GB" if many else f"{round(self.megabytes, -1):.0f} MB"
        return ("below 1 s" if self.seconds < 1 else f"about {time}"), f"about {memory}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudySize:
    """How large the inputs of a study are.

    Parameters
    ----------
    patients, images, facts : rows of persons, of scores or photographs, and of conditions.
    conditions : diseases analysed; from the rows of a patient where the study names none.

    Examples
    --------
    >>> StudySize(patients=10, images=20, facts=60, conditions=6).rows
    90
    """

    patients: int
    images: int
    facts: int
    conditions: int

    @property
    def rows(self) -> int:
        """All rows."""
        return self.patients + self.images + self.facts


def study_size(study: Study) -> StudySize | None:
    """Return how large a study is, without reading its tables; None where a table does not tell.

    Parameters
    ----------
    study : the study.
    """
    images = rough_rows(table_input(study, "scores")) if "scores" in study else _photographs(study)
    patients, facts = (rough_rows(table_input(study, section)) for section in ("persons", "conditions"))
    if patients is None or images is None or facts is None:
        return None
    named = len(study.section("analysis")["conditions"])
    return StudySize(
        patients=patients, images=images, facts=facts, conditions=named or max(1, round(facts / max(patients, 1)))
    )


def _photographs(study: Study) -> int | None:
    source = study.section("images")["source"]
    if is_remote(str(source)) or not Path(source).exists():
        return None
    return sum(1 for path in Path(source).rglob("*") if path.is_file()) if Path(source).is_dir() else None


def stage_effort(study: Study, size: StudySize, stage: str) -> Effort:
    """Return roughly what a stage needs.

    Parameters
    ----------
    study : the study: whether it scores photographs, and whether a hidden truth is counted too.
    size : how large it is.
    stage : name of the stage.

    Examples
    --------
    A million patients with two eyes and six diseases: each disease fills 75,000 cells, 0.45 million in all.

    >>> study = Study(path=Path("study.toml"), settings={"scores": {}})
    >>> size = StudySize(patients=1_000_000, images=2_000_000, facts=6_000_000, conditions=6)
    >>> stage_effort(study, size, "estimates").words
    ('about 18 s', 'about 590 MB')
    """
    counts = {
        "scores": size.images,
        "cohort": size.rows + ("truth" in study) * (size.patients + size.facts),
        "estimates": size.conditions * min(size.patients * CELLS_A_PATIENT, MOST_CELLS),
        "audit": size.images,
        "report": 0,
    }
    millions, cores = counts[stage] / 1e6, os.cpu_count() or 1
    scoring = stage == "scores" and "scores" not in study
    seconds = {
        "scores": size.images / IMAGES_A_SECOND / cores if scoring else 0.0,
        "cohort": COHORT_SECONDS[0] + COHORT_SECONDS[1] * millions / cores,
        "estimates": ESTIMATES_SECONDS[0] * size.conditions + ESTIMATES_SECONDS[1] * millions,
        "audit": AUDIT_SECONDS[0]
        + AUDIT_SECONDS[1] * size.conditions
        + AUDIT_SECONDS[2] * millions * (size.conditions + 2),
        "report": REPORT_SECONDS[0] + REPORT_SECONDS[1] * size.conditions,
    }
    megabytes = BASE_MEGABYTES + MEGABYTES[stage] * millions + SCORING_MEGABYTES * scoring
    megabytes += REPORT_MEGABYTES * size.conditions * (stage == "report")
    return Effort(seconds=seconds[stage], megabytes=megabytes)
