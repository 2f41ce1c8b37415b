"""A model file that carries code, or reaches outside itself, is refused before anything of it runs."""

from __future__ import annotations

import json
import pickle
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest

from sexstrat.errors import ModelError
from sexstrat.models import Architecture, file_contents, rebuild_from_file

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

PLAIN = Architecture.plain(1)


@pytest.fixture(scope="module")
def files(foreign_networks: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a sound .h5 and .keras file of one MobileNet."""
    folder = tmp_path_factory.mktemp("sound")
    network = foreign_networks.sex_network(foreign_networks.keras_named("keras"), "mobilenet")
    return {ending: foreign_networks.save(network, folder / f"network{ending}") for ending in (".h5", ".keras")}


def refused(path: Path, match: str) -> None:
    with pytest.raises(ModelError, match=match):
        rebuild_from_file(path, PLAIN, 64)


def copy_h5(source: Path, target: Path, change: Callable[[Any], None]) -> Path:
    target.write_bytes(source.read_bytes())
    with h5py.File(target, "r+") as file:
        change(file)
    return target


def copy_keras(source: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w") as written:
        for name in archive.namelist():
            data = archive.read(name)
            if name == "config.json":
                config = json.loads(data)
                change(config)
                data = json.dumps(config).encode()
            written.writestr(name, data)
    return target


@pytest.fixture(scope="module")
def lambdas(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """Return models of both packages, in both formats, whose Lambda layer writes a file; and that file."""
    folder = tmp_path_factory.mktemp("lambdas")
    target = folder / "written by the model"
    program = f"""
import keras, tf_keras
code = lambda x: [open({str(target)!r}, "a").write("ran"), x][1]
for package in (keras, tf_keras):
    layers = [package.layers.Input((8, 8, 3)), package.layers.Lambda(code, output_shape=(8, 8, 3)),
              package.layers.Flatten(), package.layers.Dense(1)]
    for ending in (".h5", ".keras"):
        package.Sequential(layers).save({str(folder)!r} + "/" + package.__name__ + ending)
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, capture_output=True)
    target.unlink()  # building the models ran the code; loading them must not
    return target, sorted(folder.iterdir())


def test_a_lambda_that_would_write_a_file_never_runs(lambdas: tuple[Path, list[Path]]) -> None:
    """A Lambda layer's code is not run: the file that it writes is not there, and the load is refused."""
    target, paths = lambdas
    assert len(paths) == 4
    for path in paths:
        refused(path, "is a Lambda, which carries code; it is never run")
        with pytest.raises(ModelError):
            file_contents(path)
    assert not target.exists()


def _layer(config: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in config["config"]["layers"] if entry["name"] == name)
    return found


def _lambda(config: dict[str, Any]) -> None:
    _layer(config, "mysex")["class_name"] = "Lambda"


def _torch(config: dict[str, Any]) -> None:
    _layer(config, "mysex")["class_name"] = "TorchModuleWrapper"


def _saved_model(config: dict[str, Any]) -> None:
    _layer(config, "mysex").update(class_name="TFSMLayer", config={"name": "mysex", "filepath": "/tmp/evil"})


def _module(config: dict[str, Any]) -> None:
    _layer(config, "mysex")["module"] = "os.path"


def _builtins(config: dict[str, Any]) -> None:
    _layer(config, "mysex").update(module="builtins", class_name="exec")


def _registered(config: dict[str, Any]) -> None:
    _layer(config, "mysex")["registered_name"] = "evil>Dense"


def _activation(config: dict[str, Any]) -> None:
    _layer(config, "mysex")["config"]["activation"] = {
        "module": "builtins", "class_name": "function", "config": "eval", "registered_name": "eval"
    }  # fmt: skip


def _named_activation(config: dict[str, Any]) -> None:
    _layer(config, "mysex")["config"]["activation"] = "os.system"


def _circle(config: dict[str, Any]) -> None:
    entry = _layer(config, "conv1_bn")["inbound_nodes"][0]["args"][0]["config"]
    entry["keras_history"] = ["mysex", 0, 0]


def _nowhere(config: dict[str, Any]) -> None:
    _layer(config, "conv1_bn")["inbound_nodes"][0]["args"][0]["config"]["keras_history"] = ["nobody", 0, 0]


def _subclassed(config: dict[str, Any]) -> None:
    config.update(class_name="MyModel", module="my_package", registered_name="MyModel")


def _huge(config: dict[str, Any]) -> None:
    _layer(config, "mysex")["config"]["units"] = 10**9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_lambda, "is a Lambda, which carries code"),
        (_torch, "is a TorchModuleWrapper, which carries code"),
        (_saved_model, "is a TFSMLayer, which carries code"),
        (_module, r"comes from the module 'os\.path'; allowed: Keras's own. Nothing of it is imported"),
        (_builtins, "is of kind 'exec'"),
        (_registered, "is registered as 'evil>Dense'"),
        (_activation, "a setting of a layer is a 'function'"),
        (_named_activation, r"an activation is 'os\.system'"),
        (_circle, "joins|circle|has a|takes|do not fit|where the backbone"),
        (_nowhere, "takes its input from 'nobody', which the file does not hold"),
        (_subclassed, "is of kind 'MyModel'|comes from the module"),
        (_huge, "has 1000000000 units; allowed: 1 to 65536"),
    ],
)
def test_a_configuration_that_is_not_plain_keras_is_refused(
    files: dict[str, Path], change: Callable[[dict[str, Any]], None], message: str, tmp_path: Path
) -> None:
    """Code, foreign modules, registered names, functions and impossible graphs are named in the refusal."""
    refused(copy_keras(files[".keras"], tmp_path / "evil.keras", change), message)


def _external(file: Any) -> None:
    group = file["model_weights/conv1/conv1"]
    del group["kernel"]
    group["kernel"] = h5py.ExternalLink("/etc/passwd", "kernel")


def _soft(file: Any) -> None:
    group = file["model_weights/conv1/conv1"]
    del group["kernel"]
    group["kernel"] = h5py.SoftLink("/model_weights/conv_pw_1/conv_pw_1/kernel")


def _whole_elsewhere(file: Any) -> None:
    del file["model_weights"]
    file["model_weights"] = h5py.ExternalLink("other.h5", "model_weights")


def _replaced(file: Any, **options: Any) -> None:
    group = file["model_weights/conv1/conv1"]
    del group["kernel"]
    group.create_dataset("kernel", **options)


def _objects(file: Any) -> None:
    _replaced(file, data=[b"x"] * 3, dtype=h5py.string_dtype())


def _compound(file: Any) -> None:
    _replaced(file, data=np.zeros(3, dtype=[("a", "f4"), ("b", "i4")]))


def _enormous(file: Any) -> None:
    _replaced(file, shape=(2**20, 2**20), dtype="f4", chunks=(1024, 1024))


def _swelling(file: Any) -> None:
    _replaced(file, data=np.zeros((4096, 4096), "f4"), compression="gzip")


def _misshapen(file: Any) -> None:
    _replaced(file, data=np.zeros((3, 3, 3, 33), "f4"))


def _not_finite(file: Any) -> None:
    file["model_weights/conv1/conv1/kernel"][0, 0, 0, 0] = np.nan


def _outside(file: Any) -> None:
    _replaced(file, shape=(3, 3, 3, 32), dtype="f4", external=[("/etc/hostname", 0, h5py.h5f.UNLIMITED)])


def _circular(file: Any) -> None:
    file["model_weights/conv1/again"] = file["model_weights/conv1"]


def _lacking(file: Any) -> None:
    del file["model_weights/conv1_bn/conv1_bn/gamma"]


def _surplus(file: Any) -> None:
    file["model_weights/conv1"].create_dataset("more", data=np.zeros(3, "f4"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_external, r"kernel is a link to elsewhere \(ExternalLink\)"),
        (_soft, r"kernel is a link to elsewhere \(SoftLink\)"),
        (_whole_elsewhere, r"model_weights is a link to elsewhere \(ExternalLink\)"),
        (_objects, "kernel holds object; allowed: plain numbers"),
        (_compound, "allowed: plain numbers"),
        (_enormous, "declares 4,398,046,511,104 bytes and stores 0"),
        (_swelling, "it would swell when read"),
        (_misshapen, r"the file's convolution kernels hold 3,140,475 values, as none of the sixteen"),
        (_not_finite, "holds values that are not finite"),
        (_outside, "takes its values from other files"),
        (_circular, "objects, or groups within themselves"),
        (_lacking, "lists the array 'conv1_bn/conv1_bn/gamma' and does not hold it"),
        (_surplus, "belong to no layer of the rebuilt network"),
    ],
)
def test_an_hdf5_file_that_reaches_out_or_swells_is_refused(
    files: dict[str, Path], change: Callable[[Any], None], message: str, tmp_path: Path
) -> None:
    """Links, objects, external values, enormous shapes, missing and surplus arrays are named in the refusal."""
    refused(copy_h5(files[".h5"], tmp_path / "evil.h5", change), message)


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_an_archive_that_reaches_out_or_swells_is_refused(files: dict[str, Path], tmp_path: Path) -> None:
    """Paths outside, links, doubled entries and bombs: nothing is unpacked."""
    link = zipfile.ZipInfo("assets/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    for name, message in [
        ("../outside", "leads outside it"),
        ("/etc/outside", "leads outside it"),
        ("C:\\outside", "leads outside it"),
        ("config.json", "twice"),
        (link, "is a link"),
    ]:
        path = tmp_path / "evil.keras"
        path.write_bytes(files[".keras"].read_bytes())
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(name, b"{}")
        refused(path, message)
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w", compression=zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * 10**8)
        archive.writestr("model.weights.h5", b"")
    refused(tmp_path / "bomb.keras", "would swell from")
    assert not (tmp_path.parent / "outside").exists()


class _Writer:
    """An object whose pickle writes a file when it is read."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.target, "ran")


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    """A pickle under any model name, and a pickled array, is refused and does not run."""
    target = tmp_path / "written by the model"
    for name in ("model.h5", "model.keras", "model.pkl", "model.npz", "model.onnx"):
        (tmp_path / name).write_bytes(pickle.dumps(_Writer(target)))
        refused(tmp_path / name, "is a pickle, which is code; it is never opened")
    np.savez(tmp_path / "objects.npz", a=np.array([_Writer(target)], dtype=object))
    with pytest.raises(ModelError, match="holds object; allowed: float16, float32"):
        file_contents(tmp_path / "objects.npz")
    assert not target.exists()


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "{}", '{"class_name": "Functional", "config": {}}', "3"])
def test_text_that_is_no_configuration_is_refused(files: dict[str, Path], text: str, tmp_path: Path) -> None:
    """Deeply nested, empty or partial JSON ends in a ModelError."""

    def change(file: Any) -> None:
        file.attrs["model_config"] = text[:60_000]

    refused(copy_h5(files[".h5"], tmp_path / "evil.h5", change), "JSON|damaged|Functional")
