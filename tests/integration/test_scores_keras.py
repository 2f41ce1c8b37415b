"""A Keras network loaded from its card scores a folder; neither batches nor company change a score."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sexstrat.models import Head, build, load_model, publish
from sexstrat.scores import score_images


@pytest.fixture(scope="module")
def card_folder(tmp_path_factory: pytest.TempPathFactory, synthetic: ModuleType) -> Path:
    """Publish a small MobileNet with seeded random weights."""
    folder = tmp_path_factory.mktemp("mobilenet")
    card = replace(synthetic.arithmetic_model().card, model_id="random-mobilenet", weights_file="random.npz")
    network = build("mobilenet", (Head(name="sex", units=1),), card.input_size)
    rng = np.random.default_rng(11)
    for weight in network.trainable_weights:
        if len(weight.shape) > 1:  # He's scale keeps the signal alive through the depth; Keras' default lets it vanish
            inputs = 9 if "_dw_" in weight.path else int(np.prod(weight.shape[:-1]))
            weight.assign(rng.normal(0, np.sqrt(2 / inputs), weight.shape))
    publish(network, card, folder)
    return folder


def test_batches_do_not_change_what_the_network_gives(card_folder: Path, tmp_path: Path, synthetic: ModuleType) -> None:
    """Batches of 1, 7 and 32 agree to 1e-6, and so does a photograph scored alone."""
    paths = synthetic.write_fundi(tmp_path, 18)
    model = load_model(card_folder)
    reference = score_images(tmp_path, model=card_folder, batch_size=32)
    assert set(reference["model_id"]) == {"random-mobilenet"}
    assert set(reference["model_sha256"]) == {model.card.weights_sha256}
    assert set(reference["status"]) == {"ok"}
    assert reference["prob_male"].nunique() > 10
    for batch_size in (1, 7):
        found = score_images(tmp_path, model=model, batch_size=batch_size)
        np.testing.assert_allclose(found["prob_male"], reference["prob_male"], atol=1e-6)
    alone = score_images(paths[5], model=model)
    assert alone["prob_male"].item() == pytest.approx(reference["prob_male"].iloc[5], abs=1e-6)
