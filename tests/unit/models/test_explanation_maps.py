"""Maps of importance light where the output comes from, nowhere else, and change when the network does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from sexstrat.errors import ModelError
from sexstrat.images import center_crop, circle_mask
from sexstrat.models import (
    Explanation,
    LoadedModel,
    feature_contributions,
    golden_input,
    grad_cam_map,
    load_model,
    occlusion_map,
    scale_pixels,
)

SIDE = 64
REGION = (slice(16, 40), slice(24, 48))  # rows and columns that alone decide the output


def retina(seed: int = 1) -> NDArray[np.uint8]:
    """Return a crop of random colours in a circle on black."""
    colours = np.random.default_rng(seed).integers(90, 200, (SIDE, SIDE, 3))
    return (colours * circle_mask(SIDE)[:, :, None]).astype(np.uint8)


def region() -> NDArray[np.bool_]:
    inside = np.zeros((SIDE, SIDE), bool)
    inside[REGION] = True
    return inside


def looking_at(model: LoadedModel, where: NDArray[np.bool_], **card: Any) -> LoadedModel:
    """Return a model whose logit is the mean of its input in one region, and nothing else."""

    def forward(pixels: NDArray[np.float32], /) -> NDArray[np.float32]:
        return (9 * pixels[:, where].mean(axis=(1, 2), dtype=np.float64)[:, None]).astype(np.float32)

    return replace(model, forward=forward, card=replace(model.card, **card))


@pytest.fixture
def bright(synthetic: ModuleType) -> LoadedModel:
    """Return a model that looks at the region alone."""
    return looking_at(synthetic.arithmetic_model(), region())


def overlap(found: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> float:
    return float((found & wanted).sum() / (found | wanted).sum())


def test_occlusion_lights_exactly_the_region_that_decides(bright: LoadedModel) -> None:
    """Half of the largest importance outlines the region; beyond a patch's reach the map is exactly 0."""
    pixels = retina()
    pixels[REGION] += 40  # not of the mean colour, which hides nothing
    found = occlusion_map(bright, pixels)
    assert not found.flat
    assert found.importance.max() == 1.0
    assert overlap(found.importance >= 0.5, region()) > 0.8
    reach = 8 - 1  # pixels: a square of 8 that touches the region ends no further
    near = np.zeros((SIDE, SIDE), bool)
    near[16 - reach : 40 + reach, 24 - reach : 48 + reach] = True
    assert (found.importance[~near] == 0).all()
    assert (found.importance[REGION] > 0).all()


def test_the_change_by_one_patch_is_that_of_the_sum(bright: LoadedModel) -> None:
    """Hiding a quarter of a uniform region moves the logit by a quarter of the difference in colour."""
    pixels = np.repeat(circle_mask(SIDE)[:, :, None], 3, axis=2) * np.uint8(100)
    where = np.zeros((SIDE, SIDE), bool)
    where[24:40, 24:40] = True
    pixels[where] = 200
    model = looking_at(bright, where)
    found = occlusion_map(model, pixels, patch=0.125, grid=8)  # squares that do not overlap: 8 of 64 pixels
    colour = round(pixels[circle_mask(SIDE).astype(bool)].mean())
    expected = 9 * (200 - colour) / 127.5 / 4
    assert found.largest == pytest.approx(expected, rel=1e-5)
    assert found.importance[where] == pytest.approx(1.0, rel=1e-5)
    assert (found.importance[~where] == 0).all()


def test_a_network_that_sees_nothing_gives_a_flat_map(synthetic: ModuleType) -> None:
    """A constant output makes no map out of rounding: it is told to be flat."""
    model = replace(synthetic.arithmetic_model(), forward=lambda pixels, /: np.ones((len(pixels), 1), np.float32))
    found = occlusion_map(model, retina())
    assert found.flat
    assert found.largest == 0
    assert (found.importance == 0).all()


def test_a_mirrored_eye_is_shown_as_the_network_looks_at_it(bright: LoadedModel) -> None:
    """A right eye of a model for left eyes is looked at mirrored: picture and map are turned together."""
    pixels = retina()
    pixels[:, ::-1][REGION] += 40
    found = occlusion_map(looking_at(bright, region(), views="as_left_eye"), pixels, eye="R")
    assert found.mirrored is True
    assert (found.pixels == pixels[:, ::-1]).all()
    assert overlap(found.importance >= 0.5, region()) > 0.8


def test_the_window_is_the_one_of_the_network(bright: LoadedModel) -> None:
    """A network that takes the middle of the crop has a map of that middle."""
    pixels = retina()
    inner = np.zeros((32, 32), bool)
    inner[4:16, 4:16] = True
    pixels[20:32, 20:32] = 250
    found = occlusion_map(looking_at(bright, inner, input_size=32), pixels)
    assert (found.pixels == center_crop(pixels, 32)).all()
    assert overlap(found.importance >= 0.5, inner) > 0.7


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"patch": 0.9}, "patch is 0.9; allowed: 0.02 to 0.5"),
        ({"grid": 3}, "grid is 3; allowed for patches of 8 of 64 pixels: 8 to 200"),
    ],
)
def test_patches_that_cannot_be_are_refused(bright: LoadedModel, options: dict[str, Any], words: str) -> None:
    """A patch or a grid out of range is named with what is allowed."""
    with pytest.raises(ModelError, match=words):
        occlusion_map(bright, retina(), **options)


@pytest.fixture(scope="module")
def region_network() -> Callable[[str], Any]:
    """Return a maker of Keras networks whose output depends on the four upper left of sixteen places alone."""
    import keras

    def make(pooling: str) -> Any:
        inputs = keras.Input((SIDE, SIDE, 3), name="pixels")
        maps = keras.layers.Conv2D(4, 16, strides=16, activation="relu", name="maps")(inputs)
        where = np.zeros((1, 4, 4, 1), np.float32)
        where[:, :2, :2] = 1
        maps = keras.layers.Multiply(name="mask")([maps, keras.ops.convert_to_tensor(where)])
        pool = {"average": keras.layers.GlobalAveragePooling2D, "flatten": keras.layers.Flatten}[pooling]
        outputs = keras.layers.Dense(1, name="head_sex")(pool(name="pooled")(maps))
        return keras.Model(inputs, {"sex": outputs})

    keras.utils.set_random_seed(3)
    return make


@pytest.mark.parametrize("pooling", ["average", "flatten"])
@pytest.mark.parametrize("views", ["as_taken", "both"])
def test_grad_cam_lights_exactly_the_region_that_decides(
    synthetic: ModuleType, region_network: Callable[[str], Any], pooling: str, views: str
) -> None:
    """Nothing outside the places that the output depends on lights, whatever the pooling; mirror images turn back."""
    base = synthetic.arithmetic_model()
    model = replace(base, network=region_network(pooling), card=replace(base.card, views=views))
    found = grad_cam_map(model, retina())
    assert found.importance.max() > 0.9
    reach = 32 + 8  # half a place beyond the region, by drawing 4 places out to 64 pixels
    assert (found.importance[reach:] == 0).all()
    if views == "as_taken":
        assert (found.importance[:, reach:] == 0).all()
    else:  # both looks meet the same places, of the photograph and of its mirror image
        assert found.importance[:reach, reach:].max() > 0


def test_contributions_and_bias_add_up_to_the_output(region_network: Callable[[str], Any]) -> None:
    """For pooled or flattened features and one dense layer the map explains the whole logit."""
    for pooling in ("average", "flatten"):
        network = region_network(pooling)
        network.get_layer("head_sex").bias.assign([0.7])
        scaled = scale_pixels(np.stack([retina(1), retina(2)]), "tf")
        outputs, places = feature_contributions(network, scaled)
        assert outputs == pytest.approx(np.asarray(network.predict_on_batch(scaled)["sex"])[:, 0], abs=1e-5)
        assert places.sum(axis=(1, 2)) + 0.7 == pytest.approx(outputs, abs=1e-5)


def test_grad_cam_is_refused_without_a_network(bright: LoadedModel) -> None:
    """A runtime without gradients says so and names the method that works."""
    with pytest.raises(ModelError, match="method occlusion, which works with every model"):
        grad_cam_map(bright, retina())


def randomised(network: Any) -> None:
    """Deal the numbers of every kernel out anew: the same sizes and spread, and nothing learnt."""
    rng = np.random.default_rng(11)
    for weight in network.trainable_weights:
        if len(weight.shape) > 1:
            weight.assign(rng.permutation(np.asarray(weight).ravel()).reshape(weight.shape))


def likeness(one: Explanation, other: Explanation) -> float:
    return float(spearmanr(one.importance[one.field], other.importance[one.field]).statistic)


def test_a_map_does_not_survive_a_randomised_network(synthetic: ModuleType) -> None:
    """The shipped network's Grad-CAM and a weighting's occlusion map change with the weights: they show the network.

    References
    ----------
    Adebayo J, et al. Sanity checks for saliency maps. NeurIPS 2018.
    """
    model = load_model()
    pixels = golden_input(1, model.card.prepared_size)
    before = grad_cam_map(model, pixels)
    assert likeness(before, grad_cam_map(model, pixels)) == pytest.approx(1.0)
    randomised(model.network)
    after = grad_cam_map(model, pixels)
    assert not before.flat
    assert not after.flat
    assert abs(likeness(before, after)) < 0.6
    small = retina()
    one, same, other = (
        occlusion_map(synthetic.arithmetic_model(weights_seed=seed), small, patch=0.05, grid=30) for seed in (7, 7, 8)
    )
    assert likeness(one, same) == pytest.approx(1.0)
    assert abs(likeness(one, other)) < 0.3


@pytest.mark.slow
def test_an_occlusion_map_does_not_survive_a_randomised_network() -> None:
    """The same of the shipped network's occlusion map."""
    model = load_model()
    pixels = golden_input(1, model.card.prepared_size)
    before = occlusion_map(model, pixels, grid=12)
    randomised(model.network)
    assert abs(likeness(before, occlusion_map(model, pixels, grid=12))) < 0.6
