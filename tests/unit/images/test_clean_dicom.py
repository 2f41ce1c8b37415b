"""A de-identified DICOM file holds its pixels and no word by which it named anybody, at any depth, in any element."""

from __future__ import annotations

import io
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sexstrat.errors import ImageError
from sexstrat.images import clean_dicom, clean_photograph, decode_image, hashed_uid, read_dicom

KEY = b"k" * 32
SECRETS = (
    "Morikawa",
    "Hanako",
    "H-000017",
    "19570312",
    "Akebono",
    "ACC998877",
    "1.2.840.99.7.1",
    "Ogawa",
    "SECRETPRIV",
)
JPEG, JPEG_2000 = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90"


@pytest.fixture(scope="module")
def pixels(synthetic: ModuleType) -> NDArray[np.uint8]:
    """Return a photograph of nobody."""
    return np.asarray(synthetic.draw_fundus(1, width=160, height=120))


def nested(depth: int) -> Any:
    """Return a data set with the name at every depth, in elements that the profile names and in others."""
    from pydicom.dataset import Dataset

    item = Dataset()
    item.PatientName, item.PatientID, item.TextValue = "Morikawa^Hanako", "H-000017", "Morikawa"
    item.ReferencedSOPInstanceUID, item.ScheduledProcedureStepDescription = "1.2.840.99.7.1.9", "Hanako"
    item.add_new(0x00110010, "LO", "SECRETPRIV")
    item.add_new(0x00111001, "UT", "SECRETPRIV Morikawa")
    if depth:
        item.ConceptNameCodeSequence = [nested(depth - 1)]
    return item


def facts() -> dict[str, Any]:
    """Return a header that names its patient in expected and unexpected elements."""
    return {
        "PatientName": "Morikawa^Hanako", "PatientID": "H-000017", "PatientBirthDate": "19570312",
        "OtherPatientIDs": "H-000017", "PatientSex": "F", "PatientAge": "064Y", "InstitutionName": "Akebono Clinic",
        "AccessionNumber": "ACC998877", "StudyInstanceUID": "1.2.840.99.7.1.1", "SeriesInstanceUID": "1.2.840.99.7.1.2",
        "FrameOfReferenceUID": "1.2.840.99.7.1.3", "ReferringPhysicianName": "Ogawa^Ken", "StudyDate": "20210405",
        "ContentDate": "20210405", "StudyDescription": "eye of Morikawa", "ImageComments": "Hanako",
        "Manufacturer": "Canon", "ManufacturerModelName": "Morikawa's camera", "ImageLaterality": "R",
        "ImageType": ["ORIGINAL", "PRIMARY", "MORIKAWA"], "SeriesNumber": 3, "PixelSpacing": ["0.01", "0.01"],
        "BurnedInAnnotation": "NO", "PatientComments": "Morikawa", "DetectorID": "Morikawa", "FilterMaterial": "HANAKO",
        "ReferencedImageSequence": [nested(3)], "AcquisitionContextSequence": [nested(2)],
        "RequestAttributesSequence": [nested(1)],
    }  # fmt: skip


def dirty(dicom: ModuleType, pixels: NDArray[np.uint8], kind: str) -> bytes:
    """Return a file of one coding, with a named header, private blocks, an overlay, and text behind the pixels."""
    if kind == "jpeg":
        stream = dicom.coded(pixels, "JPEG", quality=95, comment="Morikawa")
        whole = dicom.encapsulated(pixels, "YBR_FULL_422", JPEG, stream)
    elif kind == "jpeg2000":
        stream = dicom.coded(pixels, "JPEG2000", no_jp2=True, comment="Morikawa")
        whole = dicom.encapsulated(pixels, "YBR_RCT", JPEG_2000, stream)
    elif kind == "rle":
        whole = dicom.run_length(pixels)
    else:
        whole = dicom.dicom_bytes(pixels)
    dataset = read_dicom(whole)
    if kind == "native":
        dataset.PixelData += b"Morikawa"
    dataset.add_new(0x00090010, "LO", "SECRETPRIV")
    dataset.add_new(0x00091001, "UN", b"SECRETPRIV Morikawa")
    dataset.add_new(0x60000010, "US", 8)
    dataset.add_new(0x60003000, "OW", b"Morikawa")
    dataset.add_new(0x60000022, "LO", "Morikawa")
    dataset.add_new(0xFFFCFFFC, "OB", b"Morikawa")
    dataset.file_meta.SourceApplicationEntityTitle = "Akebono"
    dataset.file_meta.PrivateInformationCreatorUID = "1.2.840.99.7.1.8"
    dataset.file_meta.PrivateInformation = b"Morikawa"
    dataset.preamble = b"Morikawa".ljust(128, b"\0")
    return bytes(dicom.saved(dataset, **facts()))


def stream_of(data: bytes) -> bytes:
    dataset = read_dicom(data)
    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return bytes(dataset.PixelData[: 160 * 120 * 3])
    from pydicom.encaps import get_frame

    return bytes(get_frame(dataset.PixelData, 0, number_of_frames=1))


@pytest.mark.parametrize("kind", ["native", "jpeg", "jpeg2000", "rle"])
def test_no_word_that_named_anybody_is_left(dicom: ModuleType, pixels: NDArray[np.uint8], kind: str) -> None:
    """Every byte of the file is searched; the coded pixels are the same bytes, but for comments among them."""
    before = dirty(dicom, pixels, kind)
    assert all(secret.lower().encode() in before.lower() for secret in SECRETS)
    found = clean_photograph(before, KEY, patient="ab" * 16)
    assert [secret for secret in SECRETS if secret.lower().encode() in found.data.lower()] == []
    assert (decode_image(found.data).pixels == decode_image(before).pixels).all()
    old, new = stream_of(before), stream_of(found.data)
    if kind in ("native", "rle"):
        assert new == old
    elif kind == "jpeg":
        scan = old.index(b"\xff\xda")
        assert new[new.index(b"\xff\xda") :].rstrip(b"\0") == old[scan:].rstrip(b"\0")
    else:
        assert new.rstrip(b"\0") == old.replace(b"Morikawa", b" " * 8).rstrip(b"\0")
    assert {"private attributes", "overlays", "attributes that named somebody"} <= set(found.removed)


def test_what_a_reader_needs_stays_and_says_what_was_done(dicom: ModuleType, pixels: NDArray[np.uint8]) -> None:
    """Eye, camera and geometry stay; the patient is the hash; the header tells the profile; no dummy date is read."""

    data = clean_photograph(dirty(dicom, pixels, "native"), KEY, patient="ab" * 16).data
    dataset = read_dicom(data)
    assert (dataset.PatientID, dataset.PatientName, dataset.PatientSex) == ("ab" * 16, "", "")
    assert (dataset.ImageLaterality, dataset.Manufacturer, dataset.SeriesNumber) == ("R", "Canon", 3)
    assert "PatientAge" not in dataset
    assert "ManufacturerModelName" not in dataset
    assert dataset.PatientIdentityRemoved == "YES"
    assert dataset.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert dataset.ContentDate in ("", "19000101")
    assert dataset.preamble == bytes(128)


def test_a_dummy_date_is_no_day(dicom: ModuleType, pixels: NDArray[np.uint8], tmp_path: Any) -> None:
    """Who reads the file's facts again finds eye and patient, and no day in 1900."""
    from sexstrat.images import read_dicom_header

    path = tmp_path / "a.dcm"
    path.write_bytes(clean_photograph(dirty(dicom, pixels, "native"), KEY, patient="ab" * 16).data)
    header = read_dicom_header(path)
    assert (header.patient_id, header.eye, header.acquired_on, header.birth_date) == ("ab" * 16, "R", None, None)
    assert (header.patient_sex, header.patient_age) == ("", None)


def test_uids_are_replaced_the_same_way_everywhere(dicom: ModuleType, pixels: NDArray[np.uint8]) -> None:
    """One key gives one UID for each, in every file, run and depth; another key gives others; known ones stay."""
    before = dirty(dicom, pixels, "native")
    one, again = (read_dicom(clean_dicom(before, KEY, patient=None)[0]) for _ in range(2))
    assert one == again
    assert one.StudyInstanceUID == hashed_uid(KEY, "1.2.840.99.7.1.1")
    inner = one.ReferencedImageSequence[0]
    assert inner.ReferencedSOPInstanceUID == hashed_uid(KEY, "1.2.840.99.7.1.9")
    assert one.file_meta.MediaStorageSOPInstanceUID == one.SOPInstanceUID
    assert one.SOPClassUID == read_dicom(before).SOPClassUID
    other = read_dicom(clean_dicom(before, b"j" * 32, patient=None)[0])
    assert other.StudyInstanceUID != one.StudyInstanceUID


def test_burnt_in_text_is_told_in_row_and_header(dicom: ModuleType, pixels: NDArray[np.uint8]) -> None:
    """A header that says YES is believed; one that says NO is corrected where text is seen; pixels stay."""
    marked = pixels.copy()
    marked[4:12, 4:40:3] = 255
    stated = clean_photograph(dicom.dicom_bytes(pixels, BurnedInAnnotation="YES"), KEY)
    seen = clean_photograph(dicom.dicom_bytes(marked, BurnedInAnnotation="NO"), KEY)
    none = clean_photograph(dicom.dicom_bytes(pixels, BurnedInAnnotation="NO"), KEY)
    assert [one.burned_in for one in (stated, seen, none)] == ["stated", "suspected", "none_seen"]
    assert [read_dicom(one.data).BurnedInAnnotation for one in (stated, seen, none)] == ["YES", "YES", "NO"]
    assert (decode_image(seen.data).pixels == marked).all()


def test_frames_keep_their_number_and_order(dicom: ModuleType, pixels: NDArray[np.uint8]) -> None:
    """A file of several frames is cleaned whole; the most worrying frame decides what is told."""
    marked = pixels.copy()
    marked[4:12, 4:40:3] = 255
    before = dicom.several_frames([pixels, marked], PatientName="Morikawa")
    found = clean_photograph(before, KEY)
    assert found.burned_in == "suspected"
    for frame, expected in ((1, pixels), (2, marked)):
        assert (decode_image(found.data, frame=frame).pixels == expected).all()


def test_the_profile_is_kept_on_every_attribute_it_names(dicom: ModuleType, pixels: NDArray[np.uint8]) -> None:
    """Every attribute of the profile's table, filled with a name, is gone, empty or a dummy: none keeps its value."""
    from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector
    from pydicom.datadict import dictionary_VR

    table = dicom_anonymization_database_selector("dicomfields_2026c")
    dataset = read_dicom(dicom.dicom_bytes(pixels))
    filled = 0
    for tag in table["ALL_TAGS"]:
        if len(tag) != 2 or tag[0] in (0x0002, 0x0004) or tag[0] % 2 or tag in {(0x0008, 0x0018), (0x7FE0, 0x0010)}:
            continue
        try:
            kind = dictionary_VR(tag)
        except KeyError:
            continue
        if kind in ("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"):
            dataset.add_new(tag, kind, "ZZYZX")
            filled += 1
    assert filled > 200
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    cleaned, _ = clean_dicom(buffer.getvalue(), KEY, patient=None)
    assert b"ZZYZX" in buffer.getvalue()
    assert b"ZZYZX" not in cleaned


def test_names_that_are_not_latin_are_found_within_others(dicom: ModuleType, pixels: NDArray[np.uint8]) -> None:
    """Two characters are a whole family name in Japanese: they are found without spaces around them."""
    before = dicom.dicom_bytes(
        pixels, SpecificCharacterSet="ISO_IR 192", PatientName="Mori^Hana=森川^花子", Manufacturer="森川様の写真機"
    )
    found = clean_photograph(before, KEY)
    assert "森川".encode() in before
    assert "森川".encode() not in found.data


def test_a_file_that_cannot_be_cleaned_is_refused(dicom: ModuleType, pixels: NDArray[np.uint8]) -> None:
    """Tomographies are no photographs; a damaged coded frame is refused in words that quote nothing."""
    with pytest.raises(ImageError, match="tomography"):
        clean_photograph(dicom.dicom_bytes(pixels, Modality="OPT"), KEY)
    stream = dicom.coded(pixels, "JPEG")[:-200]
    with pytest.raises(ImageError):
        clean_dicom(dicom.encapsulated(pixels, "YBR_FULL_422", JPEG, stream), KEY, patient=None)
