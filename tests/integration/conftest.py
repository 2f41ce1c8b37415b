"""What tests of whole runs share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def backbone_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return random MobileNet weights in a file: real ImageNet ones are not part of the project."""
    import keras

    inputs = keras.Input((32, 32, 3))
    network = keras.applications.MobileNet(include_top=False, weights=None, input_tensor=inputs)
    rng = np.random.default_rng(3)
    for weight in network.trainable_weights:
        if len(weight.shape) > 1:  # He's scale keeps the signal alive through the depth; Keras' default lets it vanish
            fan_in = 9 if "_dw_" in weight.path else int(np.prod(weight.shape[:-1]))
            weight.assign(rng.normal(0, np.sqrt(2 / fan_in), weight.shape))
    path = tmp_path_factory.mktemp("weights") / "random.weights.h5"
    network.save_weights(path)
    return path
