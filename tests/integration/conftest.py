"""What tests of whole runs share."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="session")
def run_attempts() -> ModuleType:
    """Import ``run_attempts.py`` by its place: tests are not a package."""
    spec = importlib.util.spec_from_file_location("run_attempts", Path(__file__).with_name("run_attempts.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["run_attempts"] = module  # where its dataclasses look for their names
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def attempts(run_attempts: ModuleType) -> Iterator[Any]:
    """Start once the warm process whose forks run commands that are killed or refused a write."""
    running = run_attempts.Attempts()
    yield running
    running.close()


@pytest.fixture(scope="session")
def small_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study file on 400 simulated patients, of whom enough are validated for a corrected estimate."""
    from sexstrat.simulation import setting, with_knobs
    from sexstrat.study.simulated import write_simulated_study

    one = with_knobs(setting("baseline"), validated=0.6, name="well validated")
    return write_simulated_study(tmp_path_factory.mktemp("study"), setting=one, n_patients=400, seed=8)


@pytest.fixture(scope="session")
def unbroken_run(attempts: Any, small_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run folder of that study when nothing happens to it."""
    out = tmp_path_factory.mktemp("unbroken") / "out"
    found = attempts.outcome(["run", small_study, "--out", out])
    assert found.code == 0, found.told
    return out


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
