"""The readers of model files, one by one: what is plain is given, what is not is named."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from sexstrat.errors import ModelError
from sexstrat.models.card import GoldenOutput
from sexstrat.models.card_answers import read_golden
from sexstrat.models.filling import check_nothing_left, fill_layer, fill_normalization, finish_normalizations
from sexstrat.models.hdf5_reading import (
    StoredArray,
    open_hdf5,
    stored_arrays,
    text_attribute,
    text_list_attribute,
)
from sexstrat.models.keras_archive import checked_entries, read_keras_archive
from sexstrat.models.model_files import file_format
from sexstrat.models.saved_model import read_saved_model
from sexstrat.models.stored_layers import NamedLayers, NumberedLayers, layers_in_hdf5
from sexstrat.models.weights import stored_shapes
from sexstrat.models.weights_matching import dense_shapes

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def stored(*values: Any) -> dict[str, StoredArray]:
    arrays = [np.asarray(value, np.float32) for value in values]
    return {str(i): StoredArray(shape=array.shape, source=array) for i, array in enumerate(arrays)}


def test_arrays_and_attributes_of_an_hdf5_file(tmp_path: Path) -> None:
    """Arrays are listed by path without the optimizer's; texts and lists of texts come back, in pieces too."""
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["a/b"] = np.arange(3, dtype="f4")
        file["optimizer_weights/c"] = np.zeros(2)
        file.attrs["text"] = "hello"
        file.attrs["names"] = np.array(["x", "y"], dtype="S")
        file.attrs["long0"], file.attrs["long1"] = np.array(["p"], dtype="S"), np.array(["q"], dtype="S")
        file.attrs["number"] = 3
    with open_hdf5(tmp_path / "f.h5") as file:
        arrays = stored_arrays(file)
        assert list(arrays) == ["a/b"]
        assert arrays["a/b"].read((3,), "a/b").tolist() == [0, 1, 2]
        assert text_attribute(file.attrs, "text") == "hello"
        assert text_attribute(file.attrs, "none") is None
        assert text_list_attribute(file.attrs, "names") == ["x", "y"]
        assert text_list_attribute(file.attrs, "long") == ["p", "q"]
        assert text_list_attribute(file.attrs, "none") is None
        with pytest.raises(ModelError, match="the attribute number is not one text"):
            text_attribute(file.attrs, "number")
        with pytest.raises(ModelError, match="the attribute number is not a list of names"):
            text_list_attribute(file.attrs, "number")
    with pytest.raises(ModelError, match="not a readable HDF5 file"), open_hdf5(b"nothing"):
        pass


def test_layers_are_found_in_both_ways_of_saving(tmp_path: Path) -> None:
    """Groups by name, and groups by class and number; a file of neither kind is refused."""
    with h5py.File(tmp_path / "named.h5", "w") as file:
        file["head/head/kernel:0"], file["head/head/bias:0"] = np.zeros((4, 2)), np.zeros(2)
        file.attrs["layer_names"] = np.array(["head"], dtype="S")
        file["head"].attrs["weight_names"] = np.array(["head/kernel:0", "head/bias:0"], dtype="S")
    with h5py.File(tmp_path / "numbered.h5", "w") as file:
        file["layers/dense_1/vars/0"], file["layers/dense/vars/0"] = np.zeros((3, 1)), np.zeros((4, 3))
        file.create_group("layers/rescaling/vars")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["data"] = np.zeros(3)
    with open_hdf5(tmp_path / "named.h5") as file:
        named = layers_in_hdf5(file)
        assert isinstance(named, NamedLayers)
        assert [(name, sorted(arrays)) for name, arrays in named.in_order()] == [("head", ["bias", "kernel"])]
        assert dense_shapes(named) == [(4, 2)]
    with open_hdf5(tmp_path / "numbered.h5") as file:
        numbered = layers_in_hdf5(file)
        assert isinstance(numbered, NumberedLayers)
        assert "layers/rescaling" in numbered.groups
        assert dense_shapes(numbered) == [(4, 3), (3, 1)]
    with (
        open_hdf5(tmp_path / "other.h5") as file,
        pytest.raises(ModelError, match="neither layer_names nor layers"),
    ):
        layers_in_hdf5(file)


def test_an_archive_gives_configuration_and_weights(tmp_path: Path) -> None:
    """Both entries come back; an archive without one of them is named."""
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", '{"a": 1}')
        archive.writestr("model.weights.h5", b"bytes")
    assert read_keras_archive(path) == ({"a": 1}, b"bytes")
    with zipfile.ZipFile(path) as archive:
        assert list(checked_entries(archive)) == ["config.json", "model.weights.h5"]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(ModelError, match=r"holds no model\.weights\.h5"):
        read_keras_archive(path)


def test_the_format_is_told_by_content(tmp_path: Path) -> None:
    """The first bytes decide, whatever the name says."""
    with (tmp_path / "a.keras").open("wb") as file:
        np.savez(file, x=np.zeros(2, np.float32))
    assert file_format(tmp_path / "a.keras") == "npz"
    assert stored_shapes(tmp_path / "a.keras") == {"x": (2,)}
    h5py.File(tmp_path / "b.npz", "w").close()
    assert file_format(tmp_path / "b.npz") == "h5"
    for name, content, message in [
        ("c.h5", b"text", "of no known model format"),
        ("d.pkl", b"\x80\x04.", "is a pickle, which is code"),
    ]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError, match=message):
            file_format(tmp_path / name)
    with pytest.raises(ModelError, match=r"a folder without saved_model\.pb"):
        file_format(tmp_path)
    with pytest.raises(ModelError, match="cannot be read"):
        file_format(tmp_path / "none")
    with pytest.raises(ModelError, match=r"has no keras_metadata\.pb"):
        read_saved_model(tmp_path)


def test_a_layer_takes_its_arrays_and_no_others() -> None:
    """By number or by name; a missing, surplus or misshapen one is named, and what nobody took is left over."""
    import keras

    dense = keras.layers.Dense(2, name="head")
    dense.build((None, 3))
    used: set[int] = set()
    arrays = stored(np.ones((3, 2)), [5, 6])
    fill_layer(dense, arrays, used)
    assert np.asarray(dense.bias).tolist() == [5, 6]
    check_nothing_left(arrays, used)
    with pytest.raises(ModelError, match="2 arrays of the file belong to no layer of the rebuilt network, such as '0'"):
        check_nothing_left(arrays, set())
    named = {"kernel": arrays["0"], "bias": arrays["1"]}
    fill_layer(dense, named, used)
    with pytest.raises(ModelError, match=r"layer 'head' needs the weights \['bias', 'kernel'\]; the file holds"):
        fill_layer(dense, {"kernel": arrays["0"]}, used)
    with pytest.raises(ModelError, match=r"has shape \(2, 2\) in the file; the network needs \(3, 2\)"):
        fill_layer(dense, stored(np.ones((2, 2)), [5, 6]), used)


def test_a_normalisation_computes_with_what_it_was_given() -> None:
    """(5 - 1) / sqrt(4) = 2; multiplied by 3 afterwards, as after ImageNet weights, 6; the state is made final."""
    import keras

    layer = keras.layers.Normalization()
    layer.build((None, 3))
    arrays = {"mean": stored([1, 1, 1])["0"], "variance": stored([4, 4, 4])["0"]}
    fill_normalization(layer, arrays, {}, None, set())
    assert np.asarray(layer(np.full((1, 3), 5.0, np.float32))).tolist() == [[2, 2, 2]]
    fill_normalization(layer, arrays, {}, (3.0, 3.0, 3.0), set())
    assert np.asarray(layer(np.full((1, 3), 5.0, np.float32))) == pytest.approx(6, abs=1e-5)
    layer.adapt_mean.assign([5, 5, 5])
    finish_normalizations([layer])
    assert np.asarray(layer(np.full((1, 3), 5.0, np.float32))).tolist() == [[0, 0, 0]]
    with pytest.raises(ModelError, match="allowed: above zero"):
        fill_normalization(layer, arrays | {"variance": stored([0, 4, 4])["0"]}, {}, None, set())


def test_golden_outputs_of_a_maker_are_read(tmp_path: Path) -> None:
    """A JSON list of seeds with probabilities or years; anything else is named."""
    path = tmp_path / "golden.json"
    path.write_text(json.dumps([{"seed": 1, "prob_male": 0.25}, {"seed": 2, "age_years": 40}]))
    assert read_golden(path) == (GoldenOutput(seed=1, prob_male=0.25), GoldenOutput(seed=2, age_years=40))
    path.write_text("{}3")
    with pytest.raises(ModelError, match="cannot be read"):
        read_golden(path)
