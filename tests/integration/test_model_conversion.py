"""Every network gives on OpenVINO, and as ONNX, the probabilities that Keras gives in float32."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.special import expit

from sexstrat.models import BACKBONES, Architecture, openvino_forward, rebuild_from_file
from sexstrat.models.onnx_export import onnx_bytes
from sexstrat.models.onnx_model import read_onnx

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

SIZE = 96
LARGER = {
    "inception_v3": 299
}  # at 96 pixels its last maps have one pixel, and the statistics of noise blow up rounding


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "mobilenet" else [pytest.mark.slow]) for name in BACKBONES]
)
def test_keras_openvino_and_onnx_agree(foreign_networks: ModuleType, name: str, tmp_path: Path) -> None:
    """A network saved by Keras, rebuilt, converted: largest difference of a probability at most 1e-4."""
    import keras

    size = LARGER.get(name, SIZE)
    network = foreign_networks.sex_network(keras, name, size=size)
    values = foreign_networks.pictures(name, size, 4)
    expected = np.asarray(network.predict_on_batch(values), dtype=np.float64)
    assert np.ptp(expected) > 1e-2
    path = foreign_networks.save(network, tmp_path / "network.keras")
    rebuilt = rebuild_from_file(path, Architecture.plain(1), size).network
    forward = openvino_forward(lambda: rebuilt, identity=str(path), size=size, precision="float32")
    converted = np.abs(expit(forward(values).astype(np.float64)) - expected).max()
    (tmp_path / "network.onnx").write_bytes(onnx_bytes(rebuilt, size, ending="Sigmoid"))
    read = read_onnx(tmp_path / "network.onnx", size)
    forward = openvino_forward(lambda: read.network, identity=f"{path}.onnx", size=size, precision="float32")
    written = np.abs(expit(forward(values).astype(np.float64)) - expected).max()
    print(f"{name}: OpenVINO {converted:.1e}, ONNX {written:.1e}")  # noqa: T201 - the differences are the result
    keras.backend.clear_session()
    assert converted <= 1e-4
    assert written <= 1e-4
