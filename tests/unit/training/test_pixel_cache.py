"""The cache keeps every photograph's row and is made once."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np

from sexstrat.images import prepare
from sexstrat.training import cache_pixels


def test_refused_photographs_keep_their_row(tmp_path: Path, synthetic: ModuleType) -> None:
    """A broken file is black pixels with status and reason; its neighbours keep their own place."""
    paths = [str(path) for path in synthetic.write_fundi(tmp_path / "photos", 3)]
    Path(paths[1]).write_text("not a picture", encoding="utf-8")
    found = cache_pixels(paths, tmp_path / "cache", 48)
    assert found.table["status"].tolist() == ["ok", "not_an_image", "ok"]
    assert found.readable.tolist() == [True, False, True]
    assert found.pixels[1].max() == 0
    assert (found.pixels[2] == prepare(paths[2], 48).pixels).all()
    assert found.table.loc[1, "reason"]
    assert np.isnan(found.table.loc[1, "quality"])


def test_a_second_call_reads_what_the_first_made(tmp_path: Path, synthetic: ModuleType) -> None:
    """The photographs are not decoded again, and the table comes back the same."""
    paths = [str(path) for path in synthetic.write_fundi(tmp_path / "photos", 2)]
    first = cache_pixels(paths, tmp_path / "cache", 48)
    for path in paths:
        Path(path).unlink()
    second = cache_pixels(paths, tmp_path / "cache", 48)
    assert (second.pixels == first.pixels).all()
    assert second.table.equals(first.table.fillna({"reason": ""}))


def test_another_list_is_prepared_anew(tmp_path: Path, synthetic: ModuleType) -> None:
    """A cache of other photographs is never taken for these."""
    paths = [str(path) for path in synthetic.write_fundi(tmp_path / "photos", 2)]
    cache_pixels(paths, tmp_path / "cache", 48)
    found = cache_pixels(paths[::-1], tmp_path / "cache", 48)
    assert (found.pixels[0] == prepare(paths[1], 48).pixels).all()
