"""OpenVINO gives Keras' numbers, is converted once, heals a damaged cache, and needs neither network nor TensorFlow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sexstrat.errors import ModelError
from sexstrat.models import (
    GOLDEN_SEEDS,
    Head,
    OpenVinoForward,
    build,
    cached_files,
    default_runtime,
    golden_input,
    load_model,
    publish,
    runtime,
)

SIZE = 64


@pytest.fixture(scope="module")
def card_folder(tmp_path_factory: pytest.TempPathFactory, synthetic: ModuleType) -> Path:
    """Publish a small MobileNet with seeded random weights that part the pictures."""
    network = build("mobilenet", (Head(name="sex", units=1),), SIZE)
    rng = np.random.default_rng(11)
    for weight in network.trainable_weights:
        if len(weight.shape) > 1:  # He's scale keeps the signal alive through the depth; Keras' default lets it vanish
            inputs = 9 if "_dw_" in weight.path else int(np.prod(weight.shape[:-1]))
            weight.assign(rng.normal(0, np.sqrt(2 / inputs), weight.shape))
    head = network.get_layer("head_sex").kernel
    head.assign(20 * head)
    folder = tmp_path_factory.mktemp("mobilenet")
    publish(network, synthetic.arithmetic_model().card, folder)
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test an empty cache of its own."""
    monkeypatch.setenv("SEXSTRAT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def pictures(number: int) -> np.ndarray:
    """Return pictures of large coloured squares: those of fine noise all look alike to a network."""
    squares = np.random.default_rng(5).integers(0, 256, (number, 4, 4, 3), dtype=np.uint8)
    return squares.repeat(SIZE // 4, axis=1).repeat(SIZE // 4, axis=2)


def test_probabilities_are_those_of_keras(card_folder: Path) -> None:
    """Float32 agrees within 1e-4; bfloat16 is coarser, is told, and stays within its gate."""
    reference = load_model(card_folder).predict(pictures(20))
    assert np.ptp(reference) > 0.1
    fast = load_model(card_folder, runtime="openvino")
    assert isinstance(fast.forward, OpenVinoForward)
    assert (fast.runtime, fast.precision, fast.network) == ("openvino", "float32", None)
    assert np.abs(fast.predict(pictures(20)) - reference).max() <= 1e-4


def test_bfloat16_is_a_choice_that_is_told(card_folder: Path) -> None:
    """``bf16`` computes in another arithmetic and says so; where the processor has none, it is refused."""
    exact = load_model(card_folder, runtime="openvino").predict(pictures(20))
    try:
        coarse = load_model(card_folder, runtime="openvino", precision="bf16")
    except ModelError as err:
        assert "this processor computes in f32, not in bfloat16" in str(err)  # noqa: PT017
        return
    assert coarse.precision == "bfloat16"
    assert 1e-6 < np.abs(coarse.predict(pictures(20)) - exact).max() < 0.15


def test_keras_computes_in_float32_alone(card_folder: Path) -> None:
    """Asking the reference runtime for bfloat16 is refused and names the other."""
    with pytest.raises(ModelError, match="computes in float32, not in bfloat16; use the openvino runtime"):
        load_model(card_folder, precision="bfloat16")
    with pytest.raises(ModelError, match="unknown precision 'half'; allowed: float32, bfloat16, f32, bf16"):
        load_model(card_folder, precision="half")


def test_a_score_does_not_depend_on_neighbours_or_number(card_folder: Path) -> None:
    """Every pass is of one shape: alone, in five and in thirty, each photograph has the same bits."""
    model = load_model(card_folder, runtime="openvino")
    together = model.predict(pictures(30))
    assert (model.predict(pictures(30)[:5]) == together[:5]).all()
    assert [model.predict(one[None])[0] for one in pictures(30)[::7]] == together[::7].tolist()
    assert (model.predict(pictures(30)[::-1])[::-1] == together).all()
    assert model.predict(pictures(30)[:0]).shape == (0,)


def test_threads_take_turns(card_folder: Path) -> None:
    """Several threads that score with one model at once get what one alone gets."""
    model = load_model(card_folder, runtime="openvino")
    expected = model.predict(pictures(24))
    found: dict[int, np.ndarray] = {}
    threads = [
        threading.Thread(target=lambda i=i: found.update({i: model.predict(pictures(24)[i : i + 9])}))
        for i in range(0, 15, 3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((values == expected[i : i + 9]).all() for i, values in found.items())
    assert len(found) == 5


def test_a_network_is_converted_once(card_folder: Path, cache: Path) -> None:
    """The second load reads the cache: the entry is not written again."""
    load_model(card_folder, runtime="openvino")
    (entry,) = (cache / "openvino").iterdir()
    before = {path.name: path.stat().st_mtime_ns for path in entry.iterdir()}
    assert set(before) == {"manifest.json", "network.xml", "network.bin"}
    load_model(card_folder, runtime="openvino")
    assert {path.name: path.stat().st_mtime_ns for path in entry.iterdir()} == before
    assert [path.name for path in (cache / "openvino").iterdir()] == [entry.name]


@pytest.mark.parametrize("damage", ["cut", "changed", "manifest", "empty", "missing", "folder_is_a_file"])
def test_a_damaged_entry_is_made_anew(card_folder: Path, cache: Path, damage: str) -> None:
    """Whatever happened to the cache, the next load gives the same probabilities."""
    expected = load_model(card_folder, runtime="openvino").predict(pictures(3))
    (entry,) = (cache / "openvino").iterdir()
    weights = entry / "network.bin"
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif damage == "changed":
        data = bytearray(weights.read_bytes())
        data[5000] ^= 255
        weights.write_bytes(data)
    elif damage == "manifest":
        (entry / "manifest.json").write_text("[1, 2", encoding="utf-8")
    elif damage == "empty":
        (entry / "manifest.json").write_text(json.dumps({}), encoding="utf-8")
    elif damage == "missing":
        weights.unlink()
    else:
        for path in entry.iterdir():
            path.unlink()
        entry.rmdir()
        entry.write_bytes(b"not a folder")
    assert (load_model(card_folder, runtime="openvino").predict(pictures(3)) == expected).all()


def test_makers_that_meet_leave_one_sound_entry(cache: Path) -> None:
    """Eight threads that make one entry all get it whole, and nothing is left aside."""
    start = threading.Barrier(8)
    found: list[str] = []

    def make(folder: Path) -> None:
        (folder / "a.txt").write_text("whole", encoding="utf-8")

    def fetch() -> None:
        start.wait()
        found.append((cached_files("texts", "0" * 64, make) / "a.txt").read_text(encoding="utf-8"))

    threads = [threading.Thread(target=fetch) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["whole"] * 8
    assert [path.name for path in (cache / "texts").iterdir()] == ["0" * 64]


def test_a_maker_that_fails_leaves_nothing(cache: Path) -> None:
    """An entry whose making broke off is not there, not even in part."""

    def fail(folder: Path) -> None:
        (folder / "half.txt").write_text("ha", encoding="utf-8")
        raise ModelError("no")

    with pytest.raises(ModelError, match="no"):
        cached_files("texts", "1" * 64, fail)
    assert list((cache / "texts").iterdir()) == []


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the cache's place is told with what to do."""
    (tmp_path / "file").write_text("here", encoding="utf-8")
    monkeypatch.setenv("SEXSTRAT_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelError, match=r"cannot be written: .*; set SEXSTRAT_CACHE to a folder that can"):
        cached_files("texts", "2" * 64, lambda folder: None)


WITHOUT_TENSORFLOW = """
import socket, sys
def refuse(*args, **kwargs):
    raise AssertionError("the network was used")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
import numpy as np
from sexstrat.models import golden_input, load_model
model = load_model(sys.argv[1], runtime="openvino")
print(repr(model.predict(np.stack([golden_input(seed, 64) for seed in (1, 2, 3, 4)])).tolist()))
print(sorted({name.split(".")[0] for name, module in sys.modules.items() if module} &
             {"tensorflow", "keras", "openvino_telemetry"}))
"""


def test_a_cached_network_needs_neither_tensorflow_nor_network(card_folder: Path) -> None:
    """With a warm cache a fresh process scores without importing TensorFlow, without telemetry, without a socket."""
    golden = np.stack([golden_input(seed, SIZE) for seed in GOLDEN_SEEDS])
    expected = load_model(card_folder, runtime="openvino").predict(golden).tolist()
    command = [sys.executable, "-c", WITHOUT_TENSORFLOW, str(card_folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.splitlines() == [repr(expected), "[]"]


def test_the_default_is_openvino_where_no_gpu_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU hidden from programs is no GPU; TensorFlow is asked only where a driver is there."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert default_runtime() == "openvino"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(runtime, "_GPU_DRIVERS", ("libno-such-driver.so",))
    assert default_runtime() == "openvino"


def test_the_default_is_keras_where_tensorflow_sees_a_gpu() -> None:
    """On a machine with a GPU that TensorFlow can use, the reference runtime is the fast one."""
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        pytest.skip("no GPU")
    assert default_runtime() == "keras"
    assert os.environ.get("CUDA_VISIBLE_DEVICES") not in {"", "-1"}
