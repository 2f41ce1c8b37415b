"""A model card that breaks its contract is refused with every breach named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sexstrat.errors import ModelError
from sexstrat.models import GoldenOutput, ModelCard, card_from_json, card_to_json, read_card, write_card


def example(**changes: Any) -> ModelCard:
    values: dict[str, Any] = {
        "model_id": "example-1",
        "title": "An example",
        "weights_file": "example.npz",
        "weights_sha256": "0" * 64,
        "backbone": "mobilenet",
        "input_size": 224,
        "prepared_size": 256,
        "scaling": "tf",
        "channel_order": "RGB",
        "output_kind": "logit",
        "class_order": ("male",),
        "views": "both",
        "training_ages": (14.0, 91.0),
        "terms": "none",
        "golden": (GoldenOutput(seed=1, prob_male=0.5),),
    }
    return ModelCard(**(values | changes))


def broken(**changes: Any) -> str:
    return json.dumps(json.loads(card_to_json(example())) | changes)


def test_a_card_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """Writing and reading a card changes nothing."""
    card = example(performance=({"metric": "auc", "point": 0.7},), citation=("A",), training_data={"n_patients": 3})
    write_card(card, tmp_path / "card.json")
    assert read_card(tmp_path / "card.json") == card


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights_file": "../other.npz"}, "weights_file is '../other.npz'"),
        ({"weights_file": "/etc/passwd.npz"}, "weights_file is"),
        ({"weights_file": "C:\\\\x.npz"}, "weights_file is"),
        ({"weights_file": ".hidden.npz"}, "weights_file is"),
        ({"weights_file": "model.pkl"}, "weights_file is 'model.pkl'"),
        ({"weights_sha256": "abc"}, "weights_sha256 is 'abc'"),
        ({"backbone": "vgg16"}, "backbone 'vgg16' is unknown; allowed: mobilenet"),
        ({"input_size": "224"}, "input_size must be of type integer; found '224'"),
        ({"input_size": 8}, "input_size is 8; allowed: 32 to 1024"),
        ({"input_size": 300}, "input_size 300 is larger than prepared_size 256"),
        ({"views": "upside_down"}, "views is 'upside_down'; allowed: as_taken, both, as_left_eye"),
        ({"scaling": "caffe"}, "scaling is 'caffe'; allowed: tf, torch, raw"),
        ({"positive_class": "female"}, "positive_class is 'female'; allowed: male"),
        ({"class_order": ["female", "male"]}, "class_order ['female', 'male'] does not fit a logit"),
        ({"class_order": []}, "class_order [] does not fit a logit; allowed: ['male'] or ['female']"),
        ({"class_order": ["man"]}, "an entry of class_order is not one of female, male"),
        ({"output_kind": "age_years"}, "class_order ['male'] does not fit a age_years; allowed: []"),
        ({"output_kind": "age_years", "class_order": []}, "only age_years has none"),
        ({"positive_class": "none"}, "positive_class 'none' does not fit logit"),
        ({"weights_format": "h5"}, "weights_file is 'example.npz'; allowed for the format h5: .h5 or .hdf5"),
        ({"architecture": {"head": [{"kind": "dense", "units": 2}]}}, "head gives 2 values; logit has 1"),
        ({"architecture": {"head": [{"kind": "lambda"}]}}, "a head layer is of kind 'lambda'"),
        ({"architecture": {"head": [{"kind": "dense", "units": 1}], "code": "x"}}, "['code'] are not known"),
        ({"golden": [{"seed": 1, "age_years": 40}]}, "each golden row of a model of logit needs prob_male alone"),
        ({"output_kind": "softmax"}, "class_order ['male'] does not fit a softmax"),
        ({"training_ages": [90, 14]}, "training_ages must be youngest and oldest"),
        ({"golden": []}, "golden is empty"),
        ({"golden": [{"seed": 1}]}, "each golden row needs a whole seed and a prob_male"),
        ({"schema_version": 2}, "schema_version is 2; allowed: 1"),
        ({"loader": "eval"}, "loader is not a field of a model card"),
    ],
)
def test_each_breach_is_named(changes: dict[str, Any], message: str) -> None:
    """A wrong value gives a ModelError that says field, value and what is allowed."""
    with pytest.raises(ModelError) as caught:
        card_from_json(broken(**changes))
    assert message in str(caught.value)


def test_all_breaches_are_reported_at_once() -> None:
    """Two mistakes give two problems in one message."""
    with pytest.raises(ModelError, match=r"2 problems: .*scaling.*backbone|2 problems: .*backbone.*scaling") as caught:
        card_from_json(broken(scaling="x", backbone="y"))
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("text", ["", "[]", "{", "3"])
def test_text_that_is_no_card_is_refused(text: str) -> None:
    """Anything but a JSON object is a ModelError."""
    with pytest.raises(ModelError):
        card_from_json(text)


def test_a_missing_card_is_named(tmp_path: Path) -> None:
    """The message holds the path that was tried."""
    with pytest.raises(ModelError, match=r"none\.json"):
        read_card(tmp_path / "none.json")
