"""Every coding of a DICOM photograph gives the pixels it stands for; every other one is refused by name."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from sexstrat.errors import ImageError
from sexstrat.images import decode_dicom, decode_image

BASELINE, EXTENDED = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"
J2K_LOSSLESS, J2K = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"


@pytest.fixture(scope="module")
def picture(synthetic: ModuleType) -> NDArray[np.uint8]:
    """Return the photograph that every file of this module holds."""
    return np.asarray(synthetic.draw_fundus(1, width=160, height=120))


def difference(found: NDArray[np.uint8], expected: NDArray[np.uint8]) -> int:
    return int(np.abs(found.astype(int) - expected).max())


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"])
def test_uncompressed_files_give_their_pixels(syntax: str, picture: NDArray[np.uint8], dicom: ModuleType) -> None:
    """Implicit, explicit and deflated files of RGB come out bit for bit."""
    dataset = dicom.blank(picture, "RGB", syntax=syntax)
    dataset.PixelData = picture.tobytes()
    assert (decode_dicom(dicom.saved(dataset))[0] == picture).all()


def test_planes_one_after_the_other_are_put_together(picture: NDArray[np.uint8], dicom: ModuleType) -> None:
    """Planar configuration 1 gives the same pixels as 0."""
    dataset = dicom.blank(picture, "RGB")
    dataset.PlanarConfiguration = 1
    dataset.PixelData = np.ascontiguousarray(picture.transpose(2, 0, 1)).tobytes()
    assert (decode_dicom(dicom.saved(dataset))[0] == picture).all()


def test_run_lengths_give_their_pixels(picture: NDArray[np.uint8], dicom: ModuleType) -> None:
    """RLE comes out bit for bit."""
    assert (decode_dicom(dicom.run_length(picture))[0] == picture).all()


@pytest.mark.parametrize(
    ("photometric", "syntax", "options"),
    [
        ("YBR_FULL_422", BASELINE, {"subsampling": 1}),
        ("YBR_FULL", BASELINE, {"subsampling": 0}),
        ("YBR_FULL_422", EXTENDED, {"subsampling": 1}),
        ("RGB", BASELINE, {"keep_rgb": True}),
    ],
)
def test_jpeg_files_give_the_pixels_of_their_stream(
    photometric: str, syntax: str, options: dict[str, object], picture: NDArray[np.uint8], dicom: ModuleType
) -> None:
    """A JPEG stream in a DICOM file comes out as the same stream alone, to rounding of the colours."""
    stream = dicom.coded(picture, "JPEG", quality=92, **options)
    found = decode_dicom(dicom.encapsulated(picture, photometric, syntax, stream))[0]
    assert difference(found, decode_image(stream).pixels) <= 3
    assert np.abs(found.astype(int) - picture).mean() < 3


@pytest.mark.parametrize(
    ("photometric", "syntax", "options", "most"),
    [
        ("YBR_RCT", J2K_LOSSLESS, {"irreversible": False}, 0),
        ("RGB", J2K_LOSSLESS, {"irreversible": False}, 0),
        ("YBR_ICT", J2K, {"irreversible": True, "quality_mode": "rates", "quality_layers": [5]}, 30),
    ],
)
def test_jpeg_2000_files_give_their_pixels(
    photometric: str,
    syntax: str,
    options: dict[str, object],
    most: int,
    picture: NDArray[np.uint8],
    dicom: ModuleType,
) -> None:
    """JPEG 2000 comes out bit for bit where it is lossless, near where it is not."""
    stream = dicom.coded(picture, "JPEG2000", mct=int(photometric != "RGB"), no_jp2=True, **options)
    assert difference(decode_dicom(dicom.encapsulated(picture, photometric, syntax, stream))[0], picture) <= most


def test_luminance_and_colours_are_turned_to_rgb(picture: NDArray[np.uint8], dicom: ModuleType) -> None:
    """Uncompressed YBR_FULL comes out within rounding; YBR_FULL_422 keeps the mean colour."""
    from PIL import Image

    dataset = dicom.blank(picture, "YBR_FULL")
    dataset.PixelData = np.asarray(Image.fromarray(picture).convert("YCbCr")).tobytes()
    assert difference(decode_dicom(dicom.saved(dataset))[0], picture) <= 3
    halved = decode_dicom(dicom.halved_colour(picture))[0]
    assert np.abs(halved.astype(int) - picture).mean() < 1.5


@pytest.mark.parametrize("bits", [8, 16])
def test_a_palette_is_looked_up(bits: int, picture: NDArray[np.uint8], dicom: ModuleType) -> None:
    """PALETTE COLOR comes out in the palette's colours, whether they have 8 or 16 bits."""
    data, expected = dicom.palette(picture, bits=bits)
    found, note = decode_dicom(data)
    assert (found == expected).all()
    assert note == f"palette of {bits}-bit colours"


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_grey_is_scaled_by_the_bits_stored(bits: int, photometric: str, dicom: ModuleType) -> None:
    """Whatever the bits, black is 0 and white 255; in MONOCHROME1 the other way round."""
    top = 2**bits - 1
    values = np.linspace(0, top, 120 * 160).round().reshape(120, 160)
    dataset = dicom.blank(values, photometric, bits=bits)
    dataset.PixelData = values.astype(np.uint8 if bits == 8 else np.uint16).tobytes()
    found = decode_dicom(dicom.saved(dataset))[0]
    white = 255 * values / top
    expected = np.rint(255 - white if photometric == "MONOCHROME1" else white)
    assert difference(found[:, :, 0], expected) <= (0 if photometric == "MONOCHROME2" else 1)
    assert (found == found[:, :, :1]).all()


def test_unused_high_bits_are_no_brightness(dicom: ModuleType) -> None:
    """Bits above BitsStored, where old files keep overlays, are left aside."""
    values = np.full((120, 160), 0x0800, np.uint16)
    dataset = dicom.blank(values, "MONOCHROME2", bits=12)
    dataset.PixelData = (values | 0xF000).tobytes()
    assert (decode_dicom(dicom.saved(dataset))[0] == 128).all()


def test_signed_grey_starts_at_its_smallest_value(dicom: ModuleType) -> None:
    """Signed 16-bit values from -32768 to 32767 come out from 0 to 255."""
    values = np.array([-32768, 0, 32767], np.int16).repeat(64 * 64).reshape(192, 64)
    dataset = dicom.blank(values, "MONOCHROME2", bits=16)
    dataset.PixelRepresentation = 1
    dataset.PixelData = values.tobytes()
    found = decode_dicom(dicom.saved(dataset))[0]
    assert [int(found[row, 0, 0]) for row in (0, 100, 191)] == [0, 128, 255]


def test_colour_of_sixteen_bits_is_scaled(picture: NDArray[np.uint8], dicom: ModuleType) -> None:
    """16-bit RGB of 257 times the 8-bit values gives the 8-bit values."""
    dataset = dicom.blank(picture, "RGB", bits=16)
    dataset.PixelData = (picture.astype(np.uint16) * 257).tobytes()
    found, note = decode_dicom(dicom.saved(dataset))
    assert (found == picture).all()
    assert note == "colour of 16 bits"


def test_a_window_is_told_of_and_not_applied(picture: NDArray[np.uint8], dicom: ModuleType) -> None:
    """A window in the file changes no pixel, and the note says that it was there."""
    found, note = decode_dicom(dicom.dicom_bytes(picture, WindowCenter="20", WindowWidth="5"))
    assert (found == picture).all()
    assert note == "window not applied"


def test_frames_are_told_apart(picture: NDArray[np.uint8], dicom: ModuleType) -> None:
    """Each frame has a number; without one a file of several frames is refused, never cut to its first."""
    data = dicom.several_frames([picture, picture[:, ::-1]])
    assert (decode_dicom(data, frame=1)[0] == picture).all()
    assert (decode_dicom(data, frame=2)[0] == picture[:, ::-1]).all()
    with pytest.raises(ImageError, match="frame 3 is asked for; the file holds 2"):
        decode_dicom(data, frame=3)
    with pytest.raises(ImageError, match="2 frames in one file"):
        decode_dicom(data)


def test_what_is_no_photograph_says_so(picture: NDArray[np.uint8], dicom: ModuleType) -> None:
    """A tomography, a file without pixels and a bad header each have their reason."""
    with pytest.raises(ImageError, match="not_an_image: a DICOM file of ophthalmic tomography"):
        decode_dicom(dicom.dicom_bytes(picture, Modality="OPT"))
    with pytest.raises(ImageError, match="not_an_image: a DICOM file without pixels"):
        decode_dicom(dicom.saved(dicom.blank(picture, "RGB")))
    with pytest.raises(ImageError, match="photometric interpretation 'CMYK' is not read"):
        decode_dicom(dicom.dicom_bytes(picture, PhotometricInterpretation="CMYK"))
    with pytest.raises(ImageError, match="NumberOfFrames is '9999999'; allowed: 1 to 4096"):
        decode_dicom(dicom.dicom_bytes(picture, NumberOfFrames=9999999))
    with pytest.raises(ImageError, match="transfer syntax JPEG-LS Lossless Image Compression is not read"):
        decode_dicom(dicom.encapsulated(picture, "RGB", "1.2.840.10008.1.2.4.80", b"\xff\xd8\xff\xf7"))


def test_a_picture_larger_than_its_header_is_not_unpacked(picture: NDArray[np.uint8], dicom: ModuleType) -> None:
    """A small header before a large stream is refused by the stream's own size."""
    stream = dicom.coded(np.zeros((3000, 3000, 3), np.uint8), "JPEG")
    with pytest.raises(ImageError, match="the header states 160 x 120 pixels, the coded picture 3000 x 3000"):
        decode_dicom(dicom.encapsulated(picture, "YBR_FULL_422", BASELINE, stream))


def test_a_deflated_bomb_is_refused(monkeypatch: pytest.MonkeyPatch, dicom: ModuleType) -> None:
    """A deflated file is measured before it is unpacked."""
    from sexstrat.images import dicom_file

    monkeypatch.setattr(dicom_file, "_MAXIMUM_INFLATED", 10_000)
    flat = np.zeros((120, 160, 3), np.uint8)
    dataset = dicom.blank(flat, "RGB", syntax="1.2.840.10008.1.2.1.99")
    dataset.PixelData = flat.tobytes()
    with pytest.raises(ImageError, match="too_large: the deflated file unpacks to more than 10,000 bytes"):
        decode_dicom(dicom.saved(dataset))


def test_without_pydicom_the_reason_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, picture: NDArray[np.uint8], dicom: ModuleType
) -> None:
    """A DICOM file met without pydicom is refused by name of what is missing."""
    data = dicom.dicom_bytes(picture)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(ImageError, match=r"DICOM files need pydicom; install it with: pip install 'sexstrat\[dicom\]'"):
        decode_dicom(data)
