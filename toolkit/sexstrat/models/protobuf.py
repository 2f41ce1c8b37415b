"""Read and write protocol buffers as numbered fields, without generated code."""

from __future__ import annotations

from collections.abc import Iterator
from struct import pack

from sexstrat.errors import ModelError

__all__ = ["Field", "delimited", "fields_of", "float_field", "packed_numbers", "varint_field"]

Field = tuple[int, "int | bytes"]
"""Number of a field and its value: a whole number, or bytes (text, a message, or a fixed-width number)."""

_VARINT, _EIGHT_BYTES, _DELIMITED, _FOUR_BYTES = 0, 1, 2, 5


def fields_of(data: bytes | memoryview) -> Iterator[Field]:
    """Yield the fields of one message in order.

    Parameters
    ----------
    data : the message.

    Yields
    ------
    Number and value of each field.

    Raises
    ------
    ModelError
        The bytes are not a protocol buffer.

    Examples
    --------
    >>> list(fields_of(varint_field(1, 300) + delimited(2, b"ab")))
    [(1, 300), (2, b'ab')]
    """
    view = memoryview(data)
    place, end = 0, len(view)
    while place < end:
        tag, place = _varint(view, place)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, place = _varint(view, place)
            yield number, value
            continue
        if wire == _DELIMITED:
            size, place = _varint(view, place)
        elif wire in (_EIGHT_BYTES, _FOUR_BYTES):
            size = 8 if wire == _EIGHT_BYTES else 4
        else:
            raise ModelError(f"the file is damaged: a field of wire type {wire}")
        if number == 0 or size > end - place:
            raise ModelError("the file is damaged: a field is longer than the message that holds it")
        yield number, bytes(view[place : place + size])
        place += size


def _varint(view: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(view):
            break
        byte = view[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ModelError("the file is damaged: a number does not end")


def packed_numbers(value: int | bytes) -> list[int]:
    """Return the whole numbers of a repeated field, packed or single, as signed 64-bit values.

    Parameters
    ----------
    value : value of the field.

    Examples
    --------
    >>> packed_numbers(bytes([1, 172, 2]))
    [1, 300]
    """
    if isinstance(value, int):
        return [_signed(value)]
    view, place, found = memoryview(value), 0, []
    while place < len(view):
        number, place = _varint(view, place)
        found.append(_signed(number))
    return found


def _signed(value: int) -> int:
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


def varint_field(number: int, value: int) -> bytes:
    """Return one field that holds a whole number.

    Parameters
    ----------
    number : number of the field.
    value : the whole number; negative ones are written as signed 64-bit values.

    Examples
    --------
    >>> varint_field(1, 300).hex()
    '08ac02'
    """
    return _written(number << 3 | _VARINT) + _written(value & (2**64 - 1))


def float_field(number: int, value: float) -> bytes:
    """Return one field that holds a float32 number.

    Parameters
    ----------
    number : number of the field.
    value : the number.

    Examples
    --------
    >>> float_field(2, 1.0).hex()
    '150000803f'
    """
    return _written(number << 3 | _FOUR_BYTES) + pack("<f", value)


def delimited(number: int, value: bytes | str) -> bytes:
    """Return one field that holds text, bytes or a message.

    Parameters
    ----------
    number : number of the field.
    value : what it holds; text is written as UTF-8.

    Examples
    --------
    >>> delimited(2, "ab").hex()
    '12026162'
    """
    data = value.encode() if isinstance(value, str) else value
    return _written(number << 3 | _DELIMITED) + _written(len(data)) + data


def _written(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
