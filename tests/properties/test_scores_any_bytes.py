"""Whatever bytes a file holds, it gets one row that keeps the contract, and its neighbours keep their scores."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sexstrat.scores import score_images, typed_columns, value_breaches
from sexstrat.values.tables import table_schema

SIGNATURES = [b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"II*\x00\x08\x00\x00\x00", b"MM\x00*\x00\x00\x00\x08"]


@pytest.fixture(scope="module")
def photographs(synthetic: ModuleType) -> list[bytes]:
    """Encode one small photograph in each format that is read."""
    found = []
    for kind in ("JPEG", "PNG", "TIFF"):
        buffer = io.BytesIO()
        synthetic.draw_fundus(3, width=120, height=90).save(buffer, kind)
        found.append(buffer.getvalue())
    return found


@st.composite
def damaged(draw: st.DrawFn) -> tuple[int, list[tuple[float, int]], float]:
    """Draw which photograph, which of its bytes are overwritten with what, and how much of it is left."""
    changes = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=20)
    return draw(st.integers(0, 2)), draw(changes), draw(st.one_of(st.just(1.0), st.floats(0.0, 1.0)))


def score_beside_a_good_one(content: bytes, good: bytes, synthetic: ModuleType) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.jpg").write_bytes(good)
        Path(folder, "b.jpg").write_bytes(content)
        Path(folder, "c.jpg").write_bytes(good)
        found = score_images(folder, model=synthetic.arithmetic_model(), batch_size=2)
    assert found["image_id"].tolist() == ["a.jpg", "b.jpg", "c.jpg"]
    assert value_breaches(found, table_schema("score"), source="scores") == []
    assert found["prob_male"].notna().tolist() == (found["status"] == "ok").tolist()
    assert found["reason"].isna().tolist() == (found["status"] == "ok").tolist()
    assert found["prob_male"].iloc[0] == found["prob_male"].iloc[2]
    assert typed_columns(found, table_schema("score")).equals(found)


@given(signature=st.sampled_from(SIGNATURES), rest=st.binary(max_size=400))
def test_any_bytes_are_one_row(signature: bytes, rest: bytes, photographs: list[bytes], synthetic: ModuleType) -> None:
    """Noise, with or without the first bytes of a photograph, costs no more than its own row."""
    score_beside_a_good_one(signature + rest, photographs[0], synthetic)


@given(damage=damaged())
def test_any_damage_to_a_photograph_is_one_row(
    damage: tuple[int, list[tuple[float, int]], float], photographs: list[bytes], synthetic: ModuleType
) -> None:
    """A photograph with bytes overwritten or cut off is scored or refused with a reason, never an exception."""
    which, changes, kept = damage
    content = bytearray(photographs[which])
    for place, value in changes:
        content[int(place * len(content))] = value
    score_beside_a_good_one(bytes(content[: int(kept * len(content))]), photographs[0], synthetic)
