"""Models: backbones rebuilt from code, cards, weights without code, golden outputs, runtimes; then ``load_model``."""

from sexstrat.models.architecture import Architecture, HeadLayer, Preface, rebuild
from sexstrat.models.backbones import BACKBONES, Backbone, Head, backbone, build
from sexstrat.models.cache import cache_folder, cached_files
from sexstrat.models.card import GoldenOutput, ModelCard, card_from_json, card_to_json, read_card, write_card
from sexstrat.models.explanation import Explanation, field_mask, half_share, rim_share
from sexstrat.models.golden import GOLDEN_SEEDS, check_golden, golden_difference, golden_input
from sexstrat.models.grad_cam import feature_contributions, grad_cam_map
from sexstrat.models.load import CARD_NAME, card_path_of, load_model, load_unchecked, shipped_card
from sexstrat.models.loaded_model import LoadedModel
from sexstrat.models.model_files import FileContents, file_contents, file_format, rebuild_from_file
from sexstrat.models.occlusion import occlusion_map
from sexstrat.models.openvino_runtime import OpenVinoForward, convert_network, openvino_forward
from sexstrat.models.publish import publish
from sexstrat.models.rebuilding import Rebuilt
from sexstrat.models.runtime import (
    BATCH_SIZE,
    PRECISIONS,
    RUNTIMES,
    Forward,
    default_runtime,
    make_forward,
    precision_named,
)
from sexstrat.models.scaling import SCALINGS, scale_pixels
from sexstrat.models.views import VIEWS, Views, views_of
from sexstrat.models.weights import file_sha256, load_weights, save_weights, weights_sha256

__all__ = [
    "BACKBONES",
    "BATCH_SIZE",
    "CARD_NAME",
    "GOLDEN_SEEDS",
    "PRECISIONS",
    "RUNTIMES",
    "SCALINGS",
    "VIEWS",
    "Architecture",
    "Backbone",
    "Explanation",
    "FileContents",
    "Forward",
    "GoldenOutput",
    "Head",
    "HeadLayer",
    "LoadedModel",
    "ModelCard",
    "OpenVinoForward",
    "Preface",
    "Rebuilt",
    "Views",
    "backbone",
    "build",
    "cache_folder",
    "cached_files",
    "card_from_json",
    "card_path_of",
    "card_to_json",
    "check_golden",
    "convert_network",
    "default_runtime",
    "feature_contributions",
    "field_mask",
    "file_contents",
    "file_format",
    "file_sha256",
    "golden_difference",
    "golden_input",
    "grad_cam_map",
    "half_share",
    "load_model",
    "load_unchecked",
    "load_weights",
    "make_forward",
    "occlusion_map",
    "openvino_forward",
    "precision_named",
    "publish",
    "read_card",
    "rebuild",
    "rebuild_from_file",
    "rim_share",
    "save_weights",
    "scale_pixels",
    "shipped_card",
    "views_of",
    "weights_sha256",
    "write_card",
]
