"""From tables to one DuckDB file per study: validation, linking, and the cells every estimate is computed from.

Order: ``inputs`` (read), ``staging`` (type), ``contract_rules``, ``person_rules``, ``link_rules``,
``training_overlap`` (whom the model saw) and ``check`` (all problems at once), ``patients`` (two eyes to one value),
``flow``, ``build`` (write the file), ``half_built`` (until it is whole), ``cells_query`` (one scan), ``store`` (the
:class:`Cohort`).
"""

from sexstrat.cohort.check import CheckedInputs, check_inputs
from sexstrat.cohort.folds import fold_of
from sexstrat.cohort.inputs import TableInput
from sexstrat.cohort.resources import memory_limited
from sexstrat.cohort.score_use import ScoreUse
from sexstrat.cohort.sex_coding import SexCoding
from sexstrat.cohort.store import Cohort
from sexstrat.cohort.training_overlap import TrainingAges

__all__ = [
    "CheckedInputs",
    "Cohort",
    "ScoreUse",
    "SexCoding",
    "TableInput",
    "TrainingAges",
    "check_inputs",
    "fold_of",
    "memory_limited",
]
