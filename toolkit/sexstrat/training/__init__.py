"""Training: join labels, prepare crops, split by person, fit, cross-fit, evaluate; the steps come in that order."""

from sexstrat.training.augment import augment
from sexstrat.training.crossfit import cross_fit, fold_rows
from sexstrat.training.evaluate import performance_rows
from sexstrat.training.examples import Examples, join_examples
from sexstrat.training.patient_auc import area_under_curve, patient_means
from sexstrat.training.pixel_cache import PixelCache, cache_pixels
from sexstrat.training.plan import TrainingPlan
from sexstrat.training.split import fold_of, part_of, unit_hash
from sexstrat.training.train import TrainingResult, held_out_performance, part_rows, train

__all__ = [
    "Examples",
    "PixelCache",
    "TrainingPlan",
    "TrainingResult",
    "area_under_curve",
    "augment",
    "cache_pixels",
    "cross_fit",
    "fold_of",
    "fold_rows",
    "held_out_performance",
    "join_examples",
    "part_of",
    "part_rows",
    "patient_means",
    "performance_rows",
    "train",
    "unit_hash",
]
