"""Folds are a digest that anyone can compute, spread evenly."""

from __future__ import annotations

import hashlib
from collections import Counter

from sexstrat.cohort import fold_of


def test_fold_is_the_stated_digest() -> None:
    """The first eight hexadecimal digits of SHA-256 of salt and key, modulo five."""
    assert fold_of("P1") == int(hashlib.sha256(b"sexstratP1").hexdigest()[:8], 16) % 5
    assert fold_of("患者1", salt="") == int(hashlib.sha256("患者1".encode()).hexdigest()[:8], 16) % 5


def test_folds_are_of_about_equal_size() -> None:
    """Of 5,000 patients each fold holds 1,000, give or take five standard deviations."""
    sizes = Counter(fold_of(f"P{k}") for k in range(5000))
    assert set(sizes) == set(range(5))
    assert all(abs(size - 1000) < 5 * (5000 * 0.2 * 0.8) ** 0.5 for size in sizes.values())
