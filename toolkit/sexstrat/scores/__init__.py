"""Images and a model make score rows: list, read, decode ahead, score in batches, keep checkpoints, write the table."""

from sexstrat.scores.breaches import column_breaches, typed_columns, value_breaches
from sexstrat.scores.combine import combine_eyes
from sexstrat.scores.ensemble import ensemble_rows
from sexstrat.scores.listing import list_images
from sexstrat.scores.score import score_images, score_to_table
from sexstrat.scores.scoring import Scoring
from sexstrat.scores.shards import Shard, join_shards
from sexstrat.scores.summary import ScoreSummary
from sexstrat.scores.table import read_scores, write_scores

__all__ = [
    "ScoreSummary",
    "Scoring",
    "Shard",
    "column_breaches",
    "combine_eyes",
    "ensemble_rows",
    "join_shards",
    "list_images",
    "read_scores",
    "score_images",
    "score_to_table",
    "typed_columns",
    "value_breaches",
    "write_scores",
]
