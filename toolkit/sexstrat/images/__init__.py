"""Photographs: decode, find the field of view, crop, grade; ``prepare`` does all four in that order."""

from sexstrat.images.crop import center_crop, circle_mask, crop_and_resize
from sexstrat.images.decode import MAXIMUM_PIXELS, MINIMUM_SIDE, ImageArray, decode_image
from sexstrat.images.dicom_file import HAVE_TO_INSTALL, has_preamble, is_dicom, read_dicom
from sexstrat.images.dicom_header import DicomHeader, age_in_years, read_dicom_header
from sexstrat.images.dicom_pixels import decode_dicom
from sexstrat.images.field_of_view import WORKING_SIDE, FieldOfView, find_field_of_view, fit_circle
from sexstrat.images.jpeg import decode_jpeg, jpeg_reduction, turn_upright
from sexstrat.images.laterality import MINIMUM_CONFIDENCE, InferredEye, disc_evidence, infer_eye
from sexstrat.images.prepare import DECODES, Prepared, prepare
from sexstrat.images.quality import Quality, grade_quality, measure_quality

__all__ = [
    "DECODES",
    "HAVE_TO_INSTALL",
    "MAXIMUM_PIXELS",
    "MINIMUM_CONFIDENCE",
    "MINIMUM_SIDE",
    "WORKING_SIDE",
    "DicomHeader",
    "FieldOfView",
    "ImageArray",
    "InferredEye",
    "Prepared",
    "Quality",
    "age_in_years",
    "center_crop",
    "circle_mask",
    "crop_and_resize",
    "decode_dicom",
    "decode_image",
    "decode_jpeg",
    "disc_evidence",
    "find_field_of_view",
    "fit_circle",
    "grade_quality",
    "has_preamble",
    "infer_eye",
    "is_dicom",
    "jpeg_reduction",
    "measure_quality",
    "prepare",
    "read_dicom",
    "read_dicom_header",
    "turn_upright",
]
