"""Models: backbones rebuilt from code, cards, weights without code, golden outputs, runtimes; then ``load_model``."""

from sexstrat.models.backbones import BACKBONES, Backbone, Head, backbone, build
from sexstrat.models.cache import cache_folder, cached_files
from sexstrat.models.card import GoldenOutput, ModelCard, card_from_json, card_to_json, read_card, write_card
from sexstrat.models.golden import GOLDEN_SEEDS, golden_input
from sexstrat.models.load import CARD_NAME, LoadedModel, load_model, shipped_card
from sexstrat.models.openvino_runtime import OpenVinoForward, openvino_forward
from sexstrat.models.publish import publish
from sexstrat.models.runtime import (
    BATCH_SIZE,
    PRECISIONS,
    RUNTIMES,
    Forward,
    default_runtime,
    make_forward,
    precision_named,
)
from sexstrat.models.scaling import scale_pixels
from sexstrat.models.views import VIEWS, Views, views_of
from sexstrat.models.weights import file_sha256, load_weights, save_weights

__all__ = [
    "BACKBONES",
    "BATCH_SIZE",
    "CARD_NAME",
    "GOLDEN_SEEDS",
    "PRECISIONS",
    "RUNTIMES",
    "VIEWS",
    "Backbone",
    "Forward",
    "GoldenOutput",
    "Head",
    "LoadedModel",
    "ModelCard",
    "OpenVinoForward",
    "Views",
    "backbone",
    "build",
    "cache_folder",
    "cached_files",
    "card_from_json",
    "card_to_json",
    "default_runtime",
    "file_sha256",
    "golden_input",
    "load_model",
    "load_weights",
    "make_forward",
    "openvino_forward",
    "precision_named",
    "publish",
    "read_card",
    "save_weights",
    "scale_pixels",
    "shipped_card",
    "views_of",
    "write_card",
]
