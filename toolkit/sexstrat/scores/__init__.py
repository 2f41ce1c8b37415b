"""Images and a model make score rows: list, read, decode ahead, score in batches, keep checkpoints, write the table."""

from sexstrat.scores.breaches import column_breaches, typed_columns, value_breaches
from sexstrat.scores.combine import combine_eyes, patient_scores
from sexstrat.scores.deidentify import Deidentified, deidentify_images
from sexstrat.scores.dicom_facts import with_dicom_facts
from sexstrat.scores.dicom_persons import DicomPersons, dicom_persons
from sexstrat.scores.ensemble import ensemble_rows
from sexstrat.scores.explain import CAVEAT, METHODS, Explained, explain_image
from sexstrat.scores.eyes import stated_eyes
from sexstrat.scores.identifiers import hashed_identifier, hashed_listing, read_key
from sexstrat.scores.listing import list_images
from sexstrat.scores.person_table import write_dicom_persons
from sexstrat.scores.recalibrate import calibration_line, recalibrated_patients
from sexstrat.scores.recorded_sex import read_recorded_sex
from sexstrat.scores.score import score_images, score_to_table
from sexstrat.scores.scoring import Scoring
from sexstrat.scores.shards import Shard, join_shards
from sexstrat.scores.summary import ScoreSummary
from sexstrat.scores.table import read_scores, write_scores

__all__ = [
    "CAVEAT",
    "METHODS",
    "Deidentified",
    "DicomPersons",
    "Explained",
    "ScoreSummary",
    "Scoring",
    "Shard",
    "calibration_line",
    "column_breaches",
    "combine_eyes",
    "deidentify_images",
    "dicom_persons",
    "ensemble_rows",
    "explain_image",
    "hashed_identifier",
    "hashed_listing",
    "join_shards",
    "list_images",
    "patient_scores",
    "read_key",
    "read_recorded_sex",
    "read_scores",
    "recalibrated_patients",
    "score_images",
    "score_to_table",
    "stated_eyes",
    "typed_columns",
    "value_breaches",
    "with_dicom_facts",
    "write_dicom_persons",
    "write_scores",
]
