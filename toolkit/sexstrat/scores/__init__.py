"""Images and a model make score rows: list, read, decode ahead, score in batches, keep checkpoints, write the table."""

from sexstrat.scores.breaches import column_breaches, typed_columns, value_breaches
from sexstrat.scores.combine import combine_eyes
from sexstrat.scores.listing import list_images
from sexstrat.scores.score import score_images
from sexstrat.scores.summary import ScoreSummary
from sexstrat.scores.table import read_scores, write_scores

__all__ = [
    "ScoreSummary",
    "column_breaches",
    "combine_eyes",
    "list_images",
    "read_scores",
    "score_images",
    "typed_columns",
    "value_breaches",
    "write_scores",
]
