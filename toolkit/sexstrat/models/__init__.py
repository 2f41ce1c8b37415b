"""Models: backbones rebuilt from code, cards, weights without code, golden outputs, runtimes; then ``load_model``."""

from sexstrat.models.backbones import BACKBONES, Backbone, Head, backbone, build
from sexstrat.models.card import GoldenOutput, ModelCard, card_from_json, card_to_json, read_card, write_card
from sexstrat.models.golden import GOLDEN_SEEDS, golden_input
from sexstrat.models.load import BATCH_SIZE, CARD_NAME, LoadedModel, load_model, shipped_card
from sexstrat.models.publish import publish
from sexstrat.models.runtime import RUNTIMES, Forward, make_forward
from sexstrat.models.scaling import scale_pixels
from sexstrat.models.views import VIEWS, Views, views_of
from sexstrat.models.weights import file_sha256, load_weights, save_weights

__all__ = [
    "BACKBONES",
    "BATCH_SIZE",
    "CARD_NAME",
    "GOLDEN_SEEDS",
    "RUNTIMES",
    "VIEWS",
    "Backbone",
    "Forward",
    "GoldenOutput",
    "Head",
    "LoadedModel",
    "ModelCard",
    "Views",
    "backbone",
    "build",
    "card_from_json",
    "card_to_json",
    "file_sha256",
    "golden_input",
    "load_model",
    "load_weights",
    "make_forward",
    "publish",
    "read_card",
    "save_weights",
    "scale_pixels",
    "shipped_card",
    "views_of",
    "write_card",
]
