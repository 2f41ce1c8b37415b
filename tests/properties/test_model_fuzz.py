"""Damaged model files: each loads to the right output or ends in a ModelError; none crashes, hangs or runs anything."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from sexstrat.models import file_sha256, read_card, write_card
from sexstrat.models.card_drafting import draft_card
from sexstrat.models.converting import convert_model

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

SIZE = 32
ANSWERS: dict[str, Any] = {
    "model_id": "fuzz", "title": "t", "scaling": "tf", "channel_order": "RGB", "class_order": ("male",),
    "training_ages": (17.0, 94.0), "terms": "none",
}  # fmt: skip


@pytest.fixture(scope="module")
def sound(foreign_networks: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the cards of one small network in five formats."""
    folder = tmp_path_factory.mktemp("sound")
    cards: dict[str, Path] = {}
    for name, package, ending in (("k2", "tf_keras", ".h5"), ("k3", "keras", ".h5"), ("keras", "keras", ".keras")):
        network = foreign_networks.sex_network(foreign_networks.keras_named(package), "mobilenet", size=SIZE)
        place = folder / name / "sound"
        place.mkdir(parents=True)
        card = draft_card(foreign_networks.save(network, place / f"m{ending}"), ANSWERS)
        write_card(card, place / "card.json")
        cards[name] = place / "card.json"
    for to in ("npz", "onnx"):
        place = folder / to / "sound"
        convert_model(cards["keras"], to, place)
        cards[to] = place / "card.json"
    return cards


@pytest.fixture(scope="module")
def worker(sound: dict[str, Path], fuzzing: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a worker that has loaded every sound file once."""
    found = fuzzing.Worker("model_fuzz_worker.py", tmp_path_factory.mktemp("cache"), list(sound.values()))
    yield found
    found.stop()


def mutated(data: bytes, archive: bool, rng: np.random.Generator, fuzzing: ModuleType) -> bytes:
    """Damage a file; of an archive half the time one entry, so that its checksum is right."""
    if not archive or rng.integers(0, 2):
        return bytes(fuzzing.damaged(data, rng))
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(written, "w") as target:
        names = source.namelist()
        chosen = names[int(rng.integers(0, len(names)))]
        for name in names:
            held = source.read(name)
            target.writestr(name, fuzzing.damaged(held, rng) if name == chosen else held)
    return written.getvalue()


def fuzz(
    number: int, seed: int, sound: dict[str, Path], worker: Any, folder: Path, fuzzing: ModuleType
) -> Counter[str]:
    rng = np.random.default_rng(seed)
    counts: Counter[str] = Counter()
    slowest = 0.0
    for i in range(number):
        name = list(sound)[i % len(sound)]
        card = read_card(sound[name])
        place = folder / "model"
        place.mkdir(exist_ok=True)
        weights = place / card.weights_file
        weights.write_bytes(
            mutated((sound[name].parent / card.weights_file).read_bytes(), name in ("keras", "npz"), rng, fuzzing)
        )
        write_card(replace(card, weights_sha256=file_sha256(weights)), place / "card.json")
        answer = worker.ask(place / "card.json")
        counts[answer["outcome"]] += 1
        slowest = max(slowest, answer["seconds"])
        assert answer["outcome"] in ("loaded", "refused"), (name, i, answer)
        assert answer["violations"] == [], (name, i, answer)
        assert answer["seconds"] <= fuzzing.LONGEST, (name, i, answer)
        weights.unlink()
    print(f"{number} damaged model files: {dict(counts)}, slowest {slowest:.1f} s")  # noqa: T201 - the count is the result
    return counts


def test_damaged_files_load_rightly_or_are_refused(
    sound: dict[str, Path], worker: Any, tmp_path: Path, fuzzing: ModuleType
) -> None:
    """Twenty damaged files of five formats, each with a card that vouches for its digest."""
    assert sum(fuzz(20, 1, sound, worker, tmp_path, fuzzing).values()) == 20


@pytest.mark.slow
def test_two_hundred_damaged_files(sound: dict[str, Path], worker: Any, tmp_path: Path, fuzzing: ModuleType) -> None:
    """Two hundred damaged files of five formats, each with a card that vouches for its digest."""
    counts = fuzz(200, 2, sound, worker, tmp_path, fuzzing)
    assert counts["refused"] > 100
