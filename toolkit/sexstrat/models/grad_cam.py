"""Grad-CAM: what each place of a network's last feature maps adds to its output, by gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sexstrat.errors import ModelError
from sexstrat.images.crop import center_crop
from sexstrat.models.explanation import Explanation, field_mask
from sexstrat.models.loaded_model import LoadedModel
from sexstrat.models.scaling import scale_pixels
from sexstrat.models.views import views_of

__all__ = ["feature_contributions", "grad_cam_map"]

_NOTHING = 1e-6  # logits or years: a smaller contribution is rounding


def grad_cam_map(model: LoadedModel, pixels: NDArray[np.uint8], *, eye: str | None = None) -> Explanation:
    """Return which places of the last feature maps speak for the output that the model gives.

    The importance of a place is the sum over feature maps of gradient times value, where it speaks for the output
    given (for more years, in a model of age), and 0 elsewhere. Gradients are multiplied place by place, which for mean
    pooling is Grad-CAM itself and for other heads stays faithful, where gradients averaged over places need not. The
    map is as coarse as the last feature maps, 7 by 7 for most networks, and is drawn out to the photograph's size. A
    mirror image that is looked at as well is turned back, and the two maps are averaged.

    Parameters
    ----------
    model : a model that was loaded with the keras runtime.
    pixels : crop as :func:`sexstrat.images.prepare` makes it with the card's prepared_size, uint8.
    eye : R, L, or None when not known.

    Returns
    -------
    The map, in the size of the network's window.

    Raises
    ------
    ModelError
        The model has no Keras network (an ONNX file, or another runtime).

    References
    ----------
    Selvaraju RR, et al. Grad-CAM: visual explanations from deep networks via gradient-based localization. ICCV 2017,
    equations 1 and 2. Draelos RL, Carin L. Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional
    neural networks. 2020, arXiv 2011.08891, equation 4.
    """
    card = model.card
    if model.network is None:
        raise ModelError(
            "Grad-CAM needs gradients of a Keras network; this model runs without one. Use the keras runtime, or the "
            "method occlusion, which works with every model"
        )
    views = views_of(card.views, [eye])
    seen = views.first(center_crop(pixels[None], card.input_size))
    looks = np.concatenate([seen, seen[:, :, ::-1]]) if views.both[0] else seen
    values, places = feature_contributions(model.network, scale_pixels(looks, card.scaling, card.channel_order))
    if views.both[0]:
        places[1] = places[1, :, ::-1]
    towards = 1.0 if card.output_kind == "age_years" or float(values.mean()) >= 0 else -1.0
    coarse = np.maximum(towards * places.mean(axis=0), 0.0)
    largest = float(coarse.max())
    flat = largest <= _NOTHING
    rows, columns = coarse.shape
    return Explanation(
        method="grad-cam",
        pixels=seen[0],
        importance=np.zeros(seen.shape[1:3]) if flat else _drawn_out(coarse / largest, card.input_size),
        field=field_mask(card.prepared_size, card.input_size),
        largest=largest,
        unit="years" if card.output_kind == "age_years" else "logit",
        flat=flat,
        mirrored=views.turn(0),
        detail=f"{rows} by {columns} places of the last feature maps",
    )


def feature_contributions(network: Any, scaled: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the output of a network and what each place of its last feature maps adds to it.

    The output is the logit, the difference of two logits, or the years. With mean or flattened pooling and one dense
    layer, the contributions of all places and the bias add up to it exactly.

    Parameters
    ----------
    network : Keras model of this library, with a layer ``pooled`` and an output ``sex``.
    scaled : pictures of shape (n, size, size, 3).

    Returns
    -------
    Outputs of shape (n,), and contributions of shape (n, rows, columns) in the same unit.
    """
    import keras
    import tensorflow as tf

    maps = network.get_layer("pooled").input
    both = keras.Model(network.inputs[0], [maps, network.output["sex"]])
    head = keras.Model(maps, network.output["sex"])
    features = both(scaled, training=False)[0]
    with tf.GradientTape() as tape:
        tape.watch(features)
        outputs = head(features, training=False)
        target = outputs[:, 0] - outputs[:, 1] if outputs.shape[-1] == 2 else outputs[:, 0]
    gradient = tape.gradient(target, features)
    places = np.asarray(gradient, np.float64) * np.asarray(features, np.float64)
    return np.asarray(target, np.float64), places.sum(axis=-1)


def _drawn_out(coarse: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    picture = Image.fromarray(coarse.astype(np.float32)).resize((size, size), Image.Resampling.BILINEAR)
    return np.clip(np.asarray(picture, dtype=np.float64), 0.0, 1.0)
