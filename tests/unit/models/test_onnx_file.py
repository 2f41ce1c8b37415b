"""An ONNX file is checked as bytes before a runtime sees it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from sexstrat.errors import ModelError
from sexstrat.models.onnx_file import check_onnx


def model(*nodes: onnx.NodeProto, arrays: tuple[TensorProto, ...] = ()) -> onnx.ModelProto:
    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 32, 32]) for name in ("x", "y")]
    return helper.make_model(helper.make_graph(list(nodes), "g", info[:1], info[1:], list(arrays)))


RELU = helper.make_node("Relu", ["x"], ["y"])


def test_a_plain_network_passes_and_its_arrays_are_listed() -> None:
    """Raw, typed and constant arrays count; the file is read without the onnx package."""
    raw = onnx.numpy_helper.from_array(np.zeros((2, 3), np.float32), "a")
    typed = helper.make_tensor("b", TensorProto.FLOAT, [4], [1.0, 2.0, 3.0, 4.0])
    whole = helper.make_tensor("c", TensorProto.INT64, [2], [-1, 7])
    constant = helper.make_node("Constant", [], ["z"], value=onnx.numpy_helper.from_array(np.ones(5, np.float32)))
    data = model(RELU, constant, arrays=(raw, typed, whole)).SerializeToString()
    assert sorted(check_onnx(data, "m.onnx")) == [(2,), (2, 3), (4,), (5,)]


def test_what_could_do_harm_is_refused(tmp_path: Path) -> None:
    """Other files, own operators, loops, functions and arrays that are not there are named."""
    elsewhere = onnx.numpy_helper.from_array(np.zeros(2, np.float32), "a")
    elsewhere.data_location = TensorProto.EXTERNAL
    elsewhere.external_data.add(key="location", value="../../etc/passwd")
    huge = helper.make_tensor("h", TensorProto.FLOAT, [2], [1.0, 2.0])
    huge.dims[0] = 2**40
    custom = helper.make_node("Run", ["x"], ["y"], domain="evil")
    body = helper.make_graph([RELU], "body", [], [])
    branch = helper.make_node("If", ["x"], ["y"], then_branch=body, else_branch=body)
    padded = helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], pads=[10**6] * 4)
    for broken, message in [
        (model(RELU, arrays=(elsewhere,)), "keeps arrays in other files; save it as one file"),
        (model(RELU, arrays=(huge,)), r"declares the shape \(1099511627776,\) and holds 2 values"),
        (model(custom), r"uses the operator 'evil\.Run'"),
        (model(branch), "operator 'If'|a graph or sparse arrays of its own"),
        (model(padded), "has pads"),
    ]:
        with pytest.raises(ModelError, match=message):
            check_onnx(broken.SerializeToString(), "m.onnx")
    with pytest.raises(ModelError, match="is not an ONNX file that can be used"):
        check_onnx(b"\x08" * 40, "m.onnx")
    with pytest.raises(ModelError, match="holds 0 graphs"):
        check_onnx(b"", "m.onnx")
