"""De-identify a DICOM photograph by the standard's basic profile, and what the profile does not name as well."""

from __future__ import annotations

import hashlib
import hmac
import io
import uuid
from collections.abc import Iterable
from typing import Any

from sexstrat.errors import ImageError
from sexstrat.images.burned_in import BurnedIn
from sexstrat.images.dicom_file import quiet, read_dicom
from sexstrat.images.dicom_identity import identity_words, names_somebody
from sexstrat.images.dicom_rules import PROFILE, profile_action
from sexstrat.images.dicom_streams import clean_pixel_data
from sexstrat.images.icc_profile import neutral_profile

__all__ = ["clean_dicom", "hashed_uid"]

_TEXTS = frozenset({"AE", "AS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UN", "UR", "UT"})
_BYTES = frozenset({"OB", "OD", "OF", "OL", "OV", "OW"})
_NUMBERS = frozenset({"AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV", "US or SS", "OB or OW"})
_TEXTS_KEPT = frozenset(
    {
        "Manufacturer", "ManufacturerModelName", "SoftwareVersions", "CodeValue", "LongCodeValue",
        "CodingSchemeDesignator", "CodingSchemeVersion", "CodeMeaning",
    }
)  # fmt: skip
"""Texts that the profile does not name and that stay: camera and codes. All others go: a name may stand in any."""
_BYTES_KEPT = frozenset(
    {"PixelData", "LUTData"}
    | {f"{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue", "Alpha")}
    | {f"Segmented{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue")}
)
_DUMMIES: dict[str, Any] = {
    "AS": "000Y", "DA": "19000101", "DT": "19000101000000", "TM": "000000", "DS": "0", "IS": "0",
    "UR": "http://anonymized.invalid", "CS": "ANONYMIZED",
}  # fmt: skip


def hashed_uid(key: bytes, uid: str) -> str:
    """Return the UID that stands for another: by the same key always the same one.

    Parameters
    ----------
    key : the secret key.
    uid : the UID to replace.

    Returns
    -------
    ``2.25.`` and a whole number, made of 122 bits of HMAC-SHA-256.

    References
    ----------
    DICOM PS3.5, section B.2; RFC 9562, section 5.4.

    Examples
    --------
    >>> first, again = hashed_uid(b"k" * 32, "1.2.3"), hashed_uid(b"k" * 32, "1.2.3")
    >>> first == again, first.startswith("2.25."), len(first) <= 64
    (True, True, True)
    """
    digest = hmac.new(key, f"uid\0{uid}".encode("utf-8", "backslashreplace"), hashlib.sha256).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=4).int}"


def clean_dicom(
    data: bytes, key: bytes, *, patient: str | None, more: Iterable[str] = (), burned_in: BurnedIn = "none_seen"
) -> tuple[bytes, list[str]]:
    """Return a DICOM file without what identifies its patient; the pixels keep their bytes.

    Each attribute, in sequences of any depth too, is removed, emptied, replaced by a dummy or by another UID as the
    basic profile says. Beyond the profile, private attributes, curves, overlays, unknown bytes and every text that the
    profile does not name are removed, but for camera and codes; then whatever still holds a word by which the file
    named somebody. Preamble and file header are written anew. Dates that must stay become 1 January 1900, not one of
    the year 1, which many readers refuse.

    Parameters
    ----------
    data : content of the file.
    key : secret key of UIDs.
    patient : what PatientID becomes, a keyed hash; None leaves it empty.
    more : further identifiers to look for, such as the patient's in a list.
    burned_in : what was seen in the pixels; where text is suspected, BurnedInAnnotation says YES.

    Returns
    -------
    The file, and the names of what was left out or replaced beyond the profile.

    Raises
    ------
    ImageError
        The file is damaged, or coded in a way that cannot be cleaned.

    References
    ----------
    DICOM PS3.15, annex E; PS3.3, section C.12.1.1.1.
    """
    dataset = read_dicom(data)
    try:
        with quiet():
            removed = _clean(dataset, key, identity_words(dataset, more))
            _tell(dataset, patient, burned_in)
            return _saved(dataset, key), removed
    except ImageError:
        raise
    except Exception as err:
        raise ImageError("unreadable", f"the header cannot be cleaned: {type(err).__name__}") from err


def _clean(dataset: Any, key: bytes, words: frozenset[str]) -> list[str]:
    removed: list[str] = []
    if "PixelData" in dataset:
        removed += clean_pixel_data(dataset)
    if "ICCProfile" in dataset:
        profile = neutral_profile(bytes(dataset.ICCProfile))
        removed.append("colour profile" if profile is None else "texts of the colour profile")
        del dataset.ICCProfile
        if profile is not None:
            dataset.ICCProfile = profile + bytes(len(profile) % 2)
    _walk(dataset, key, words, removed, dummy=False)
    return list(dict.fromkeys(removed))


def _walk(dataset: Any, key: bytes, words: frozenset[str], removed: list[str], *, dummy: bool) -> None:
    """Apply the profile to every attribute of a data set and of the data sets within it."""
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
            kind, action = str(element.VR), profile_action(tag.group, tag.element)
        except ImageError:
            raise
        except Exception:  # noqa: BLE001  (a value that cannot be read cannot be judged)
            del dataset[tag]
            removed.append("unreadable attributes")
            continue
        other = _foreign(tag)
        if other or action == "remove":
            del dataset[tag]
            removed += [other] if other else []
        elif kind == "SQ":
            if action == "empty":
                element.value = []
            for item in element.value:
                _walk(item, key, words, removed, dummy=dummy or action == "dummy")
        elif action is not None or dummy:
            element.value = _replaced(element, kind, action or "dummy", key)
        elif not _may_stay(element, kind):
            del dataset[tag]
            removed.append("attributes that the profile does not name")
        elif kind == "UI":
            element.value = _other_uids(element, key, known=True)
        elif kind not in _NUMBERS | _BYTES and names_somebody(_text(element), _long_for(kind, words)):
            del dataset[tag]
            removed.append("attributes that named somebody")


def _foreign(tag: Any) -> str:
    if tag.is_private:
        return "private attributes"
    if tag.group in range(0x5000, 0x5100) or tag.group in range(0x6000, 0x6100):
        return "overlays"
    return "padding" if tag.group == 0xFFFC or tag.element == 0 else ""


def _may_stay(element: Any, kind: str) -> bool:
    """Tell whether an attribute that the profile does not name may stay."""
    if kind in _TEXTS:
        return element.keyword in _TEXTS_KEPT
    if kind in _BYTES or kind.startswith("OB"):
        return element.keyword in _BYTES_KEPT | {"ICCProfile"}
    return bool(element.keyword)


def _long_for(kind: str, words: frozenset[str]) -> frozenset[str]:
    """Return the words to look for: in numbers written as text only long ones, since short ones are anywhere."""
    return frozenset(word for word in words if len(word) >= 6) if kind in ("DS", "IS") else words


def _text(element: Any) -> str:
    values = element.value if element.VM > 1 else [element.value]
    return " ".join(str(value) for value in values)


def _replaced(element: Any, kind: str, action: str, key: bytes) -> Any:
    if kind == "UI":
        return _other_uids(element, key, known=False) if action in ("uid", "dummy") else ""
    if action in {"empty", "uid"}:
        return b"" if kind in _BYTES or kind == "UN" else None
    if kind in _BYTES or kind == "UN":
        return bytes(2)
    return _DUMMIES.get(kind, 0 if kind in _NUMBERS else "ANONYMIZED")


def _other_uids(element: Any, key: bytes, *, known: bool) -> Any:
    """Return keyed hashes of UIDs; those that the standard itself defines stay where ``known`` allows it."""
    from pydicom.uid import UID_dictionary

    values = element.value if element.VM > 1 else [element.value]
    changed = [
        str(value) if not value or (known and str(value) in UID_dictionary) else hashed_uid(key, str(value))
        for value in values
    ]
    return changed if len(changed) > 1 else changed[0]


def _tell(dataset: Any, patient: str | None, burned_in: BurnedIn) -> None:
    """Say in the header that and how identity was removed."""
    from pydicom.dataset import Dataset

    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "113100", "DCM"
    code.CodeMeaning = "Basic Application Confidentiality Profile"
    dataset.PatientName, dataset.PatientID = "", patient or ""
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = PROFILE
    dataset.DeidentificationMethodCodeSequence = [code]
    dataset.LongitudinalTemporalInformationModified = "REMOVED"
    if burned_in == "suspected":
        dataset.BurnedInAnnotation = "YES"


def _saved(dataset: Any, key: bytes) -> bytes:
    from pydicom.dataset import FileMetaDataset

    header = FileMetaDataset()
    header.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    header.MediaStorageSOPClassUID = dataset.SOPClassUID
    if "SOPInstanceUID" not in dataset:
        dataset.SOPInstanceUID = hashed_uid(key, hashlib.sha256(bytes(dataset.PixelData)).hexdigest())
    header.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta, dataset.preamble = header, bytes(128)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
