"""What the Basic Application Level Confidentiality Profile does with each attribute of a DICOM file."""

from __future__ import annotations

from functools import cache
from typing import Literal

from sexstrat.errors import ImageError
from sexstrat.images.dicom_file import HAVE_TO_INSTALL

__all__ = ["PROFILE", "Action", "profile_action"]

PROFILE = "PS3.15 2026c, table E.1-1"
"""Edition of the profile, as dicom-anonymizer keeps it."""

Action = Literal["remove", "empty", "dummy", "uid"]

# X/Z stays empty and X/D and Z/D take a dummy, so that a file keeps the attributes its kind of object must have.
_CATEGORIES: tuple[tuple[str, Action], ...] = (
    ("D_TAGS", "dummy"),
    ("Z_TAGS", "empty"),
    ("X_TAGS", "remove"),
    ("U_TAGS", "uid"),
    ("Z_D_TAGS", "dummy"),
    ("X_Z_TAGS", "empty"),
    ("X_D_TAGS", "dummy"),
    ("X_Z_D_TAGS", "dummy"),
    ("X_Z_U_STAR_TAGS", "uid"),
)


def profile_action(group: int, element: int) -> Action | None:
    """Return what the profile does with an attribute, wherever in a file it stands.

    Parameters
    ----------
    group, element : the attribute's tag.

    Returns
    -------
    ``remove``, ``empty``, ``dummy`` (a value that says nothing) or ``uid`` (another UID for each); None when the
    profile does not name it.

    Raises
    ------
    ImageError
        dicom-anonymizer, which holds the profile's table, is not installed.

    References
    ----------
    DICOM PS3.15, annex E, table E.1-1.

    Examples
    --------
    >>> profile_action(0x0010, 0x0010), profile_action(0x0008, 0x0018), profile_action(0x0028, 0x0010)
    ('empty', 'uid', None)
    """
    single, repeating = _rules()
    found = single.get((group, element))
    if found is not None:
        return found
    for (wanted_group, wanted_element, group_mask, element_mask), action in repeating.items():
        same_group = group & group_mask == wanted_group & group_mask
        if same_group and element & element_mask == wanted_element & element_mask:
            return action
    return None


@cache
def _rules() -> tuple[dict[tuple[int, int], Action], dict[tuple[int, int, int, int], Action]]:
    try:
        from dicomanonymizer.dicomfields_selector import (  # type: ignore[import-untyped]
            dicom_anonymization_database_selector,
        )
    except ImportError as err:
        raise ImageError("unreadable", HAVE_TO_INSTALL) from err
    table = dicom_anonymization_database_selector("dicomfields_2026c")
    single: dict[tuple[int, int], Action] = {}
    repeating: dict[tuple[int, int, int, int], Action] = {}
    for category, action in _CATEGORIES:
        for tag in table[category]:
            if len(tag) == 2:
                single[tag] = action
            else:
                repeating[tag] = action
    return single, repeating
