"""Photographs: decode, find the field of view, crop, grade; ``prepare`` does all four in that order."""

from sexstrat.images.crop import center_crop, circle_mask, crop_and_resize
from sexstrat.images.decode import MAXIMUM_PIXELS, MINIMUM_SIDE, ImageArray, decode_image
from sexstrat.images.field_of_view import WORKING_SIDE, FieldOfView, find_field_of_view, fit_circle
from sexstrat.images.jpeg import decode_jpeg, jpeg_reduction, turn_upright
from sexstrat.images.prepare import DECODES, Prepared, prepare
from sexstrat.images.quality import grade_quality

__all__ = [
    "DECODES",
    "MAXIMUM_PIXELS",
    "MINIMUM_SIDE",
    "WORKING_SIDE",
    "FieldOfView",
    "ImageArray",
    "Prepared",
    "center_crop",
    "circle_mask",
    "crop_and_resize",
    "decode_image",
    "decode_jpeg",
    "find_field_of_view",
    "fit_circle",
    "grade_quality",
    "jpeg_reduction",
    "prepare",
    "turn_upright",
]
