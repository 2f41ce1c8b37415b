"""Photographs: decode, find the field of view, crop, grade; ``prepare`` does all four in that order."""

from sexstrat.images.burned_in import BURNED_IN, BurnedIn, burned_in_sign
from sexstrat.images.clean_dicom import clean_dicom, hashed_uid
from sexstrat.images.clean_jpeg import clean_jpeg
from sexstrat.images.clean_jpeg2000 import clean_jpeg2000
from sexstrat.images.clean_photograph import Cleaned, clean_photograph
from sexstrat.images.clean_png import clean_png
from sexstrat.images.clean_tiff import clean_tiff
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
    "BURNED_IN",
    "DECODES",
    "HAVE_TO_INSTALL",
    "MAXIMUM_PIXELS",
    "MINIMUM_CONFIDENCE",
    "MINIMUM_SIDE",
    "WORKING_SIDE",
    "BurnedIn",
    "Cleaned",
    "DicomHeader",
    "FieldOfView",
    "ImageArray",
    "InferredEye",
    "Prepared",
    "Quality",
    "age_in_years",
    "burned_in_sign",
    "center_crop",
    "circle_mask",
    "clean_dicom",
    "clean_jpeg",
    "clean_jpeg2000",
    "clean_photograph",
    "clean_png",
    "clean_tiff",
    "crop_and_resize",
    "decode_dicom",
    "decode_image",
    "decode_jpeg",
    "disc_evidence",
    "find_field_of_view",
    "fit_circle",
    "grade_quality",
    "has_preamble",
    "hashed_uid",
    "infer_eye",
    "is_dicom",
    "jpeg_reduction",
    "measure_quality",
    "prepare",
    "read_dicom",
    "read_dicom_header",
    "turn_upright",
]
